"""Rescaled series give rescaled forecasts: points, intervals, quantiles and paths, fitted anew or not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.forecaster.beside import needs, told
from tests.forecaster.helpers import STRATEGIES, small, wave

SHIFTED = ("last", "standard", "series")
"""Scalings that follow a * y + b; the others follow a * y."""

SCALED = (*SHIFTED, "mean_abs", "log", "asinh", "adaptive")
HEADS = ("mae", "quantile", "gaussian", "student_t")

chosen_scaling = pytest.mark.parametrize("scaling", SCALED)
chosen_strategy = pytest.mark.parametrize("strategy", STRATEGIES)
chosen_loss = pytest.mark.parametrize("loss", HEADS)


def fitted(y, scaling, strategy, loss, **beside):
    """Return a forecaster that reads float64 and has intervals."""
    chosen = {"window": 12, "dtype": "float64", "calibration": 12, "steps": 20, "season": 12}
    return small(3, scaling=scaling, strategy=strategy, **chosen, **needs(loss)).fit(y, **beside)


def answers(forecaster, y=None, **beside):
    """Return all that a forecaster says, by name, each in the units of the series."""
    intervals = forecaster.predict(y, levels=(50, 80), **beside)
    said = {"point": forecaster.predict(y, **beside), "y_hat": intervals.y_hat}
    said |= {f"lower {level}": intervals.lower[level] for level in (50, 80)}
    said |= {f"upper {level}": intervals.upper[level] for level in (50, 80)}
    skip = forecaster.network_.spec.skip_steps
    if forecaster.loss != "mae" and not (forecaster.strategy == "recursive" and skip):
        said["quantiles"] = forecaster.predict_quantiles(y, quantiles=(0.1, 0.5, 0.9), **beside)
    if forecaster.loss != "mae" and forecaster.strategy == "recursive":
        said["paths"] = forecaster.sample(5, y, **beside)
    return {name: np.asarray(one) for name, one in said.items()}


def follow(there, here, factor, shift, tolerance=1e-8):
    """Compare all answers; `shift` is 0 where the scaling follows a factor alone."""
    assert there.keys() == here.keys()
    for name, one in here.items():
        expected = factor * one + shift
        np.testing.assert_allclose(
            there[name], expected, rtol=tolerance, atol=tolerance * (abs(shift) + abs(factor)), err_msg=name
        )


@chosen_loss
@chosen_strategy
@chosen_scaling
def test_fitted_on_the_rescaled_series(scaling, strategy, loss):
    factor, shift = 7.5, -300.0 if scaling in SHIFTED else 0.0
    there = answers(fitted(factor * wave() + shift, scaling, strategy, loss))
    follow(there, answers(fitted(wave(), scaling, strategy, loss)), factor, shift)


FITTED: dict[tuple[str, ...], object] = {}
"""Forecasters of the law below, each fitted once."""


@pytest.mark.parametrize("loss", ["mae", "gaussian"])
@chosen_strategy
@pytest.mark.parametrize("scaling", [one for one in SCALED if one != "series"])
@settings(max_examples=6)
@given(factor=st.floats(1e-6, 1e6), shift=st.floats(-1e4, 1e4), seed=st.integers(0, 5))
def test_asked_about_a_rescaled_series(scaling, strategy, loss, factor, shift, seed):
    key = (scaling, strategy, loss)
    forecaster = FITTED[key] = FITTED.get(key) or fitted(wave(), *key)
    shift = shift * factor if scaling in SHIFTED else 0.0
    y = wave(30, seed=seed)
    there = answers(forecaster, factor * y + shift)
    follow(there, answers(forecaster, y), factor, shift, tolerance=1e-7)


@chosen_strategy
@pytest.mark.parametrize("scaling", SCALED)
def test_with_covariates_that_stay_as_they_are(scaling, strategy):
    panel = told(60, 72)
    beside = panel.beside()
    factor, shift = 0.01, 5.0 if scaling in SHIFTED else 0.0
    other = [factor * one + shift for one in panel.series]
    there = answers(fitted(other, scaling, strategy, "gaussian", **beside), other, **beside)
    here = answers(fitted(panel.series, scaling, strategy, "gaussian", **beside), panel.series, **beside)
    follow(there, here, factor, shift)


@chosen_strategy
@chosen_scaling
def test_with_missing_points(scaling, strategy):
    y = wave()
    y[[3, 20, 21, 22, 40, 70]] = np.nan
    factor, shift = 40.0, 1e3 if scaling in SHIFTED else 0.0
    follow(
        answers(fitted(factor * y + shift, scaling, strategy, "gaussian")),
        answers(fitted(y, scaling, strategy, "gaussian")),
        factor,
        shift,
    )


@chosen_strategy
def test_a_series_that_grows_by_a_factor_is_forecast_to_go_on_growing(strategy):
    """What "log" is for: from far above all that was learned from, the same growth is forecast."""
    y = 1.05 ** np.arange(80.0)
    forecaster = small(
        4, window=8, scaling="log", strategy=strategy, steps=300, lr=0.02, dtype="float64"
    ).fit(y)
    growth = np.diff(np.log(np.append(y[-1], forecaster.predict(y))))
    np.testing.assert_allclose(growth, np.log(1.05), atol=0.02)
    np.testing.assert_allclose(forecaster.predict(1e4 * y), 1e4 * forecaster.predict(y), rtol=1e-9)


def test_log_and_asinh_do_not_follow_a_shift():
    """The law has teeth: a scaling that follows a factor alone does not follow a shift."""
    for scaling in ("log", "asinh", "mean_abs"):
        there = fitted(wave() + 1.0, scaling, "direct", "mae").predict()
        assert np.abs(there - 1.0 - fitted(wave(), scaling, "direct", "mae").predict()).max() > 1e-5
