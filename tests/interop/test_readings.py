"""What exports read, and what they say where their libraries are not installed."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from tests.forecaster.helpers import small, wave, waves
from tests.interop.cases import CASES, fitted
from unrolled.errors import ArgumentError, DataError, NotFittedError


class TestReadings:
    def test_they_are_the_last_windows_in_their_own_units(self):
        forecaster = small(3, window=12, scaling="series").fit(waves(50, 60))
        reading = forecaster.readings()
        assert list(reading.inputs()) == ["values", "series"]
        for number, y in enumerate(waves(50, 60)):
            np.testing.assert_array_equal(reading.values[number, :, 0], y[-12:].astype(np.float32))
        assert reading.series.tolist() == [0, 1]

    def test_what_is_not_known_ahead_is_zero_there(self):
        known, past = np.arange(75.0), np.arange(72.0) + 1
        forecaster = small(3, window=12).fit(wave(), known=known, past=past, static=None)
        features = forecaster.readings().features
        assert features.shape == (1, 15, 2)
        assert (features[0, 12:, 1] == 0).all()
        assert (np.diff(features[0, :, 0]) > 0).all()
        assert (features[0, :12, 1] != 0).all()

    def test_a_short_series_is_filled_up_before_its_first_point(self):
        forecaster = small(3, window=12, mask=True).fit(waves(50, 60), past=[np.ones(50), np.ones(60)])
        reading = forecaster.readings([[1.0, 2.0]], past=[[5.0, 6.0]])
        assert np.isnan(reading.values[0, :10, 0]).all()
        assert reading.values[0, 10:, 0].tolist() == [1.0, 2.0]
        assert (reading.features[0, :10] == 0).all()

    def test_whole_series_have_one_length(self):
        forecaster = small(3, memory="all").fit(waves(50, 50))
        assert forecaster.readings().values.shape == (2, 50, 1)
        with pytest.raises(DataError, match="from 40 to 50 points"):
            forecaster.readings(waves(40, 50))

    def test_nothing_was_fitted(self):
        for ask in (small(3).readings, small(3).to_torch):
            with pytest.raises(NotFittedError, match="fit"):
                ask()


@pytest.mark.parametrize(
    ("library", "extra"), [("torch", "torch"), ("onnx", "onnx"), ("onnxruntime", "onnx")]
)
def test_a_missing_library_is_named_with_its_extra(library, extra, monkeypatch, tmp_path):
    forecaster = small(3).fit(wave())
    monkeypatch.setitem(sys.modules, library, None)
    ask = forecaster.to_torch if extra == "torch" else lambda: forecaster.to_onnx(tmp_path / "model.onnx")
    with pytest.raises(ArgumentError, match=rf"no module {library}\n.*pip install 'unrolled\[{extra}\]'"):
        ask()


@pytest.mark.parametrize("case", [case for case in CASES if case.name.startswith("windows")], ids=str)
def test_cases_of_different_windows_are_such(case):
    assert fitted(case, "float32")._model.windows[:3] == (16, 12, 8)
