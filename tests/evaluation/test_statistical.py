"""AutoETS, AutoTheta and AutoARIMA: statsforecast's own figures, short series, and a library that is away."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
from statsforecast import models

from unrolled.errors import ArgumentError, DataError
from unrolled.evaluation import auto_arima, auto_ets, auto_theta, named_baselines, seasonal_naive, statistical

PAIRS = [(auto_ets, models.AutoETS), (auto_theta, models.AutoTheta), (auto_arima, models.AutoARIMA)]
MONTHS = 30 + 8 * np.sin(np.arange(48) * np.pi / 6) + np.random.default_rng(4).normal(size=48)


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_the_figures_are_those_of_the_library(ours, theirs):
    expected = theirs(season_length=12).forecast(y=MONTHS, h=5)["mean"]
    np.testing.assert_array_equal(ours(MONTHS, 5, season=12), expected)
    both = ours(np.stack([MONTHS, MONTHS[::-1]], axis=1), 5, season=12)
    assert both.shape == (5, 2)
    np.testing.assert_array_equal(both[:, 0], expected)


@pytest.mark.parametrize("ours", [auto_ets, auto_theta, auto_arima])
class TestSeriesWithoutAModel:
    @pytest.mark.parametrize("points", [1, 2, 5, 9])
    def test_a_short_one_gets_the_seasonal_naive(self, ours, points):
        expected = seasonal_naive(MONTHS[:points], 4, season=3)
        assert ours(MONTHS[:points], 4, season=3).tolist() == expected.tolist()

    def test_one_that_never_changes_goes_on(self, ours):
        assert ours(np.full(60, 3.0), 4, season=12).tolist() == [3.0] * 4

    def test_one_that_the_library_refuses_gets_the_seasonal_naive(self, ours, monkeypatch):
        class Refuses:
            def __init__(self, season_length):
                pass

            def forecast(self, y, h):
                raise NotImplementedError("tiny datasets")

        monkeypatch.setattr(statistical, "models", lambda: dict_of(Refuses))
        assert ours(MONTHS, 4, season=3).tolist() == seasonal_naive(MONTHS, 4, season=3).tolist()

    def test_forecasts_that_are_not_finite_are_not_taken(self, ours, monkeypatch):
        class Wild:
            def __init__(self, season_length):
                pass

            def forecast(self, y, h):
                return {"mean": np.full(h, np.inf)}

        monkeypatch.setattr(statistical, "models", lambda: dict_of(Wild))
        assert ours(MONTHS, 4, season=3).tolist() == seasonal_naive(MONTHS, 4, season=3).tolist()

    def test_missing_values_are_filled(self, ours):
        y, filled = MONTHS.copy(), MONTHS.copy()
        y[7], filled[7] = np.nan, (MONTHS[6] + MONTHS[8]) / 2
        np.testing.assert_allclose(ours(y, 3, season=12), ours(filled, 3, season=12), rtol=1e-6)
        with pytest.raises(DataError, match=r"no value of channel 0 was observed"):
            ours([np.nan, np.nan], 3)


def dict_of(model):
    """A library in which every model is this one."""
    return type("library", (), {"AutoETS": model, "AutoTheta": model, "AutoARIMA": model})


def test_without_the_library_the_error_names_the_extra(monkeypatch):
    def away(name):
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", away)
    for call in (lambda: auto_ets(MONTHS, 3), lambda: named_baselines(["naive", "auto_theta"])):
        with pytest.raises(ArgumentError, match=r"statsforecast[\s\S]*pip install 'unrolled\[baselines\]'"):
            call()
    assert list(named_baselines(["naive"])) == ["naive"]


def test_names():
    with pytest.raises(ArgumentError, match=r"no baseline of this name[\s\S]*'auto_est'[\s\S]*\"auto_ets\""):
        named_baselines(["naive", "auto_est"])
    with pytest.raises(ArgumentError, match=r"named twice[\s\S]*\"drift\""):
        named_baselines(["drift", "naive", "drift"])
    assert list(named_baselines("drift")) == ["drift"]
