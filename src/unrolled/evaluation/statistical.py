"""Statistical methods that choose themselves: AutoETS, AutoTheta, AutoARIMA, by the library statsforecast.

Called as every baseline is. They take the extra `unrolled[baselines]`, and seconds where the simple ones take
microseconds, so a comparison has them only where they are named.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.errors import ArgumentError, fault
from unrolled.evaluation.arrays import count, whole_series
from unrolled.evaluation.baselines import season_of, seasonal_naive

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

FEWEST = 10
"""A shorter series gets the seasonal naive: most of the models refuse it or fit it by chance."""

_REFUSALS = (ValueError, ArithmeticError, IndexError, NotImplementedError, np.linalg.LinAlgError)
"""What the library raises on a series for which it finds no model."""


def auto_ets(y: ArrayLike, horizon: int, *, season: int | None = None) -> NDArray[np.float64]:
    """Forecast by the exponential smoothing (error, trend, season) of the lowest AICc.

    A series of fewer than `FEWEST` points, one that never changes, and one for which the library finds no
    model gets the seasonal naive.

    Shapes:
        y: `[T]` or `[T, C]`, every channel by itself.

    Units:
        those of the series.

    Args:
        y: what is known; missing values are filled as for every baseline.
        horizon: points to forecast, K.
        season: points in a season.

    Returns:
        `[K]` or `[K, C]`.

    Raises:
        ArgumentError: statsforecast is not installed, or `horizon` or `season` is not a whole number of at
            least 1.
        KindError: `y` is not an array of numbers.
        DataError: `y` is empty, infinite or never observed, or has more than two axes.

    References:
        Hyndman, Koehler, Snyder, Grose (2002), A state space framework for automatic forecasting using
        exponential smoothing methods. International Journal of Forecasting 18(3), 439-454.
    """
    return _forecast("AutoETS", y, horizon, season)


def auto_theta(y: ArrayLike, horizon: int, *, season: int | None = None) -> NDArray[np.float64]:
    """Forecast by the best of the Theta models: standard, optimised, and both made dynamic.

    A series of fewer than `FEWEST` points, one that never changes, and one for which the library finds no
    model gets the seasonal naive.

    Shapes:
        y: `[T]` or `[T, C]`, every channel by itself.

    Units:
        those of the series.

    Args:
        y: what is known; missing values are filled as for every baseline.
        horizon: points to forecast, K.
        season: points in a season.

    Returns:
        `[K]` or `[K, C]`.

    Raises:
        ArgumentError: statsforecast is not installed, or `horizon` or `season` is not a whole number of at
            least 1.
        KindError: `y` is not an array of numbers.
        DataError: `y` is empty, infinite or never observed, or has more than two axes.

    References:
        Fiorucci and others (2016), Models for optimising the theta method and their relationship to state
        space models. International Journal of Forecasting 32(4), 1151-1161.
    """
    return _forecast("AutoTheta", y, horizon, season)


def auto_arima(y: ArrayLike, horizon: int, *, season: int | None = None) -> NDArray[np.float64]:
    """Forecast by the seasonal ARIMA of the lowest AICc, found by a stepwise search.

    A series of fewer than `FEWEST` points, one that never changes, and one for which the library finds no
    model gets the seasonal naive. Slow for long seasons.

    Shapes:
        y: `[T]` or `[T, C]`, every channel by itself.

    Units:
        those of the series.

    Args:
        y: what is known; missing values are filled as for every baseline.
        horizon: points to forecast, K.
        season: points in a season.

    Returns:
        `[K]` or `[K, C]`.

    Raises:
        ArgumentError: statsforecast is not installed, or `horizon` or `season` is not a whole number of at
            least 1.
        KindError: `y` is not an array of numbers.
        DataError: `y` is empty, infinite or never observed, or has more than two axes.

    References:
        Hyndman, Khandakar (2008), Automatic time series forecasting: the forecast package for R. Journal of
        Statistical Software 27(3), 1-22.
    """
    return _forecast("AutoARIMA", y, horizon, season)


def models() -> Any:
    """Return the models of statsforecast.

    Raises:
        ArgumentError: it is not installed.
    """
    try:
        return importlib.import_module("statsforecast.models")
    except ImportError as missing:
        raise ArgumentError(fault("baseline.statsforecast")) from missing


def _forecast(model: str, y: ArrayLike, horizon: int, season: int | None) -> NDArray[np.float64]:
    """Return the forecasts of every channel of one series."""
    make = getattr(models(), model)
    known, ahead, period = whole_series(y), count("horizon", horizon), season_of(season)
    channels = known.reshape(len(known), -1).T
    forecast = np.stack([_one(make, channel, ahead, period) for channel in channels], axis=-1)
    return forecast.reshape(ahead, *known.shape[1:])


def _one(make: Any, y: NDArray[np.float64], horizon: int, season: int) -> NDArray[np.float64]:
    """Return the forecasts of one channel `[T]`."""
    simple = seasonal_naive(y, horizon, season=season)
    if len(y) < FEWEST or y.min() == y.max():
        return simple
    with np.errstate(all="ignore"):  # candidates that do not fit overflow, and are not taken
        try:
            found = make(season_length=season).forecast(y=np.ascontiguousarray(y), h=horizon)["mean"]
        except _REFUSALS:
            return simple
    forecast = np.asarray(found, dtype=np.float64)
    return forecast if np.isfinite(forecast).all() else simple
