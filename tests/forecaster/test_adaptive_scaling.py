"""Series of orders of magnitude are forecast by `scaling="adaptive"`; tame ones as by "standard"."""

from __future__ import annotations

import numpy as np
import pytest

from tests.forecaster.helpers import STRATEGIES, small, wave


def swinging(length: int = 90) -> np.ndarray:
    """Return a series from 0 to thousands, with a season of 12 that is one of its logarithm."""
    rng = np.random.default_rng(5)
    logs = 4.0 + 3.0 * np.sin(2 * np.pi * np.arange(length) / 12) + 0.1 * rng.standard_normal(length)
    y = np.exp(logs)
    y[logs < 1.0] = 0.0
    return y


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_orders_of_magnitude_are_learned(strategy):
    y = swinging()
    options = {"window": 24, "strategy": strategy, "steps": 200, "lr": 0.01, "dtype": "float64"}
    forecaster = small(12, scaling="adaptive", **options).fit(y[:-12])
    assert (forecaster._model.outcome(forecaster.ends_, threads=1).scaling.pre > 0).all()
    ahead = forecaster.predict()
    assert np.isfinite(ahead).all()
    error, naive = np.abs(ahead - y[-12:]), np.abs(np.mean(y[:-12]) - y[-12:])
    assert error.mean() < 0.5 * naive.mean()
    np.testing.assert_allclose(forecaster.predict(1e3 * y), 1e3 * forecaster.predict(y), rtol=1e-9)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_tame_series_are_forecast_as_by_standard(dtype):
    y = wave() + 10.0
    one, two = (
        small(3, window=12, dtype=dtype, scaling=scaling).fit(y) for scaling in ("adaptive", "standard")
    )
    np.testing.assert_array_equal(one.predict(), two.predict())
    np.testing.assert_array_equal(one.predict(-y), two.predict(-y))


def test_a_forecast_below_the_smallest_value_is_a_number():
    """From a window in logs that has zeros on, a value that falls below 0 is taken and streamed too."""
    forecaster = small(3, window=12, scaling="adaptive", dtype="float64").fit(swinging())
    later = np.append(swinging(), [-5.0, 0.0, 3.0])
    assert np.isfinite(forecaster.predict(later)).all()
    stream = forecaster.stream(swinging())
    for value in later[-3:]:
        ahead = stream.push(value)
    np.testing.assert_array_equal(ahead, forecaster.predict(later))
