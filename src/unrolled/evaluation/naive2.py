"""Naive2 of the M competitions: the naive forecast of the seasonally adjusted series."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from unrolled.evaluation.arrays import count, whole_series
from unrolled.evaluation.baselines import season_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_Z90 = 1.645
"""The two-sided 90 percent point of the normal distribution, as rounded by M4."""

_SEASONS = 3
"""A shorter series, in seasons, is not tested and counts as not seasonal."""


def naive2(y: ArrayLike, horizon: int, *, season: int | None = None) -> NDArray[np.float64]:
    """Repeat the last value of the seasonally adjusted series, and put the season back.

    y_hat[k] = y[T - 1] / s[T - 1] * s[T - season + (k mod season)]

    A series is adjusted where it is seasonal, see `is_seasonal`; else it is the naive forecast. The seasonal
    figure s is that of classical decomposition: the centred moving average over one season is the trend, the
    figure is the mean of y / trend at each place of the season, divided by its own mean. Where a value is not
    positive, so that nothing can be divided, it is added instead: y - trend, and sums in place of products.

    Shapes:
        y: `[T]` or `[T, C]`, every channel by itself.

    Units:
        those of the series.

    Args:
        y: what is known; missing values are filled as for every baseline.
        horizon: points to forecast, K.
        season: points in a season; without one it is the naive forecast.

    Returns:
        `[K]` or `[K, C]`.

    Raises:
        KindError: `y` is not an array of numbers.
        DataError: `y` is empty, infinite or never observed, or has more than two axes.
        ArgumentError: `horizon` or `season` is not a whole number of at least 1.

    References:
        Makridakis, Spiliotis, Assimakopoulos (2020), The M4 Competition: 100,000 time series and 61
        forecasting methods. International Journal of Forecasting 36(1), 54-74.

    Example:
        >>> naive2([2.0, 6.0] * 9, 4, season=2).tolist()
        [2.0, 6.0, 2.0, 6.0]
        >>> naive2([2.0, 6.0], 2, season=2).tolist()
        [6.0, 6.0]
    """
    known, ahead, period = whole_series(y), count("horizon", horizon), season_of(season)
    channels = known.reshape(len(known), -1).T
    forecast = np.stack([_one(channel, ahead, period) for channel in channels], axis=-1)
    return forecast.reshape(ahead, *known.shape[1:])


def is_seasonal(y: NDArray[np.float64], season: int) -> bool:
    """Return whether the autocorrelation at the season is too large for chance: M4's test, at 90 percent.

    |r[season]| > 1.645 sqrt((1 + 2 (r[1]^2 + ... + r[season - 1]^2)) / T)

    False below three seasons, for a season of one point, and for a series that never changes.

    Shapes:
        y: `[T]`, no value missing.

    Args:
        y: the series.
        season: points in a season.

    Example:
        >>> is_seasonal(np.array([2.0, 6.0] * 9), 2), is_seasonal(np.arange(5.0), 2)
        (True, False)
    """
    points = len(y)
    if season == 1 or points < _SEASONS * season or y.min() == y.max():
        return False
    z = (y - y.mean()) / np.abs(y - y.mean()).max()
    products = np.array([z[lag:] @ z[: points - lag] for lag in range(season + 1)])
    r = products / products[0]
    limit = _Z90 * np.sqrt((1.0 + 2.0 * np.square(r[1:season]).sum()) / points)
    return bool(abs(r[season]) > limit)


def seasonal_figure(y: NDArray[np.float64], season: int, *, multiplicative: bool) -> NDArray[np.float64]:
    """Return the figure of classical decomposition, from the first point of the series on.

    Shapes:
        y: `[T]` of at least two seasons; returns `[season]`, with mean 1 (multiplicative) or 0.

    Args:
        y: the series.
        season: points in a season.
        multiplicative: whether the season multiplies the trend; else it is added to it.

    References:
        Kendall, Stuart (1983), The advanced theory of statistics, volume 3, 410-414.

    Example:
        >>> seasonal_figure(np.array([2.0, 6.0] * 3), 2, multiplicative=True).tolist()
        [0.5, 1.5]
    """
    weights = np.ones(season) if season % 2 else np.concatenate([[0.5], np.ones(season - 1), [0.5]])
    trend = np.convolve(y, weights / season, "valid")
    first = season // 2
    middle = y[first : first + len(trend)]
    detrended = middle / trend if multiplicative else middle - trend
    place = (first + np.arange(len(trend))) % season
    figure = np.bincount(place, weights=detrended, minlength=season) / np.bincount(place, minlength=season)
    return np.asarray(figure / figure.mean() if multiplicative else figure - figure.mean())


def _one(y: NDArray[np.float64], horizon: int, season: int) -> NDArray[np.float64]:
    """Return the forecasts of one channel `[T]`."""
    last = np.full(horizon, y[-1])
    if not is_seasonal(y, season):
        return last
    # a value that is nothing beside the largest would be divided by a figure of rounding
    multiplicative = bool(y.min() > np.finfo(np.float64).eps * y.max())
    figure = seasonal_figure(y, season, multiplicative=multiplicative)
    now = figure[(len(y) - 1) % season]
    ahead = figure[(len(y) + np.arange(horizon)) % season]
    return np.asarray(last / now * ahead if multiplicative else last - now + ahead)
