"""A forecaster as an ONNX file: the same numbers in onnxruntime, or no file at all."""

from __future__ import annotations

import json

import numpy as np
import onnx
import onnxruntime
import polars as pl
import pytest

from tests.forecaster.helpers import small, wave, waves
from tests.interop.cases import CASES, NEAR, difference, fitted, odd_windows, said_of_windows
from unrolled.errors import ArgumentError, DataError, FileError, NotFittedError
from unrolled.interop import onnx_network
from unrolled.interop.onnx import as_inputs, build


def session(path):
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def run(path, inputs, outputs=None):
    return session(path).run(outputs, as_inputs(inputs))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_it_says_what_the_forecaster_says(case, tmp_path, capfd):
    forecaster = fitted(case, "float32")
    path = tmp_path / "model.onnx"
    forecaster.to_onnx(path)
    (forecast, *_) = run(path, forecaster.readings().inputs())
    said = [line for line in capfd.readouterr().err.splitlines() if "appears in graph inputs" not in line]
    assert not said  # onnxruntime finds nothing to warn of but that states have defaults
    assert forecast.dtype == np.float32
    assert difference(forecast, forecaster) <= NEAR["float32"]


def test_a_forecaster_in_float64_is_written_in_float32(tmp_path):
    forecaster = small(4, dtype="float64", members=2).fit(waves(60, 70))
    forecaster.to_onnx(tmp_path / "model.onnx")
    (forecast,) = run(tmp_path / "model.onnx", forecaster.readings().inputs())
    np.testing.assert_allclose(forecast[..., 0], forecaster.predict(), rtol=5e-6)


@pytest.mark.parametrize("strategy", ["direct", "recursive"])
@pytest.mark.parametrize("cell", ["lstm", "slstm"])
def test_any_number_of_windows_at_once(cell, strategy, tmp_path):
    forecaster = small(3, cell=cell, strategy=strategy, members=2, num_layers=2, dilations=(1, 2)).fit(wave())
    forecaster.to_onnx(tmp_path / "model.onnx")
    y = waves(*range(60, 77))
    (forecast,) = run(tmp_path / "model.onnx", forecaster.readings(y).inputs())
    np.testing.assert_allclose(forecast[..., 0], forecaster.predict(y), rtol=5e-6)


@pytest.mark.parametrize("scaling", ["last", "mean_abs", "adaptive"])
def test_members_that_read_different_windows_of_short_series(scaling, tmp_path):
    options = {"season": 4, "members": 3, "mask": True, "scaling": scaling}
    forecaster = small(3, **options).fit(waves(60, 70))
    forecaster.to_onnx(tmp_path / "model.onnx")
    y = [*waves(3, 9, 13, 30), np.r_[np.full(7, np.nan), 5.0, np.full(9, np.nan)]]  # read by two of them
    (forecast,) = run(tmp_path / "model.onnx", forecaster.readings(y).inputs())
    np.testing.assert_allclose(forecast[..., 0], forecaster.predict(y), rtol=5e-6)


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru", "mingru", "minlstm", "slstm"])
def test_a_state_goes_on_and_need_not_be_given(cell, tmp_path):
    forecaster = small(3, cell=cell, memory="all", members=2, num_layers=2, residual=True).fit(wave())
    path = tmp_path / "model.onnx"
    forecaster.to_onnx(path)
    y = wave(40).astype(np.float32)[None, :, None]
    whole, *end = run(path, {"values": y})
    _, *state = run(path, {"values": y[:, :25]})
    names = ("h0", "c0")[: len(state)]
    parts, *after = run(path, {"values": y[:, 25:], **dict(zip(names, state, strict=True))})
    np.testing.assert_allclose(parts, whole, rtol=5e-6)
    for one, other in zip(after, end, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    both, *_ = run(path, {"values": np.concatenate([y, y[:, ::-1]])})
    np.testing.assert_allclose(both[:1], whole, rtol=5e-6)


def test_the_same_model_gives_the_same_bytes(tmp_path):
    for name in "ab":
        forecaster = small(3, cell="slstm", strategy="recursive", members=2).fit(wave())
        forecaster.to_onnx(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_long_horizon_does_not_make_a_long_file(tmp_path):
    sizes = []
    for horizon in (2, 30):
        small(horizon, strategy="recursive", window=12).fit(wave()).to_onnx(tmp_path / "model.onnx")
        sizes.append((tmp_path / "model.onnx").stat().st_size)
    assert sizes[1] < 1.05 * sizes[0]


def test_it_says_what_it_is(tmp_path):
    options = {"loss": "quantile", "quantiles": (0.1, 0.5, 0.9), "window": 12, "scaling": "asinh"}
    forecaster = small(3, **options).fit(wave(), known=np.zeros((75, 2)), past=np.ones(72))
    forecaster.to_onnx(tmp_path / "model.onnx")
    model = onnx.load(tmp_path / "model.onnx")
    facts = {one.key: json.loads(one.value) for one in model.metadata_props}
    assert (facts["window"], facts["horizon"], facts["scaling"]) == (12, 3, "asinh")
    assert (facts["loss"], facts["outputs"]) == ("quantile", [0.1, 0.5, 0.9])
    assert facts["columns"] == {"known": ["known_0", "known_1"], "past": ["past_0"], "static": []}
    assert (model.producer_name, model.producer_version) == ("unrolled", facts["unrolled"])
    shapes = {
        one.name: [axis.dim_param or axis.dim_value for axis in one.type.tensor_type.shape.dim]
        for one in [*model.graph.input, *model.graph.output]
    }
    assert shapes == {
        "values": ["batch", 12, 1],
        "features": ["batch", 15, 3],
        "forecast": ["batch", 3, 1, 3],
    }


@pytest.mark.parametrize("options", [{}, {"strategy": "recursive"}, {"memory": "all"}], ids=str)
def test_what_is_known_ahead_need_not_be_known_yet(options, tmp_path):
    rng = np.random.default_rng(0)
    known = [rng.standard_normal(50), rng.standard_normal(60)]
    static = [["north"], ["south"]]
    forecaster = small(3, window=12, **options).fit(waves(50, 60), known=known, static=static)
    forecaster.to_onnx(tmp_path / "model.onnx")
    with pytest.raises(DataError, match="known_0"):
        forecaster.readings()
    future = rng.standard_normal((2, 3, 1))
    y, beside = [one[-40:] for one in waves(50, 60)], [one[-40:] for one in known]
    more = {"known": beside, "static": static, "future": future}
    (forecast, *_) = run(tmp_path / "model.onnx", forecaster.readings(y, **more).inputs())
    np.testing.assert_allclose(forecast[..., 0], forecaster.predict(y, **more), rtol=2e-6)


def test_a_frame_with_a_calendar_and_names(tmp_path):
    days = np.arange("2024-01-01", "2024-03-01", dtype="datetime64[D]")
    columns = {"unique_id": ["a"] * 60 + ["b"] * 60, "ds": np.tile(days, 2), "shop": ["x"] * 60 + ["y"] * 60}
    frame = pl.DataFrame({**columns, "y": np.concatenate(waves(60, 60)), "rain": np.arange(120.0) % 7})
    options = {"calendar": ("weekday", "month"), "past_cols": ["rain"], "static_cols": ["shop"]}
    forecaster = small(3, window=12, scaling="series", **options).fit(frame)
    forecaster.to_onnx(tmp_path / "model.onnx")
    only_b = frame.filter(pl.col("unique_id") == "b")
    (forecast,) = run(tmp_path / "model.onnx", forecaster.readings(only_b).inputs())
    np.testing.assert_allclose(forecast[0, :, 0], forecaster.predict(only_b)["y_hat"], rtol=2e-6)


class TestNoFile:
    @pytest.fixture
    def wrong(self, monkeypatch):
        """Put the gates in torch's order, which is not ONNX's."""
        monkeypatch.setitem(onnx_network._ORDER, "lstm", (0, 1, 2, 3))

    def test_other_numbers_leave_none(self, wrong, tmp_path):
        with pytest.raises(FileError, match=r"other numbers.*\n.*above 0\.0001"):
            small(3).fit(wave()).to_onnx(tmp_path / "model.onnx")
        assert not list(tmp_path.iterdir())

    def test_an_old_file_stays(self, wrong, tmp_path):
        (tmp_path / "model.onnx").write_bytes(b"old")
        with pytest.raises(FileError, match="other numbers"):
            small(3).fit(wave()).to_onnx(tmp_path / "model.onnx")
        assert [one.read_bytes() for one in tmp_path.iterdir()] == [b"old"]

    def test_counts_that_are_fed_back(self, tmp_path):
        counts = np.random.default_rng(0).poisson(4.0, 60)
        options = {"loss": "negative_binomial", "scaling": "mean_abs", "strategy": "recursive"}
        with pytest.raises(ArgumentError, match="medians of counts"):
            small(3, **options).fit(counts).to_onnx(tmp_path / "model.onnx")

    def test_nothing_was_fitted(self, tmp_path):
        with pytest.raises(NotFittedError, match="fit"):
            small(3).to_onnx(tmp_path / "model.onnx")


def test_windows_that_nothing_was_trained_on_are_scaled_alike(tmp_path):
    """Constant windows, windows of zeros, and windows without any value have scales of their own."""
    y = wave()
    y[5] = np.nan
    windows = odd_windows()
    for scaling in ("standard", "last", "mean_abs", "asinh", "adaptive"):
        forecaster = small(3, window=24, scaling=scaling, mask=True, skip=True).fit(y)
        forecaster.to_onnx(tmp_path / "model.onnx")
        (forecast,) = run(tmp_path / "model.onnx", {"values": windows[..., None]})
        np.testing.assert_allclose(
            forecast, said_of_windows(forecaster, windows).point(), rtol=5e-6, atol=1e-6
        )


def test_the_graph_is_valid_onnx():
    onnx.checker.check_model(build(small(3, strategy="recursive").fit(wave())._model), full_check=True)
