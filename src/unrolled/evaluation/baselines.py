"""The simple forecasts that a network has to beat: naive, seasonal naive, drift, autoregression.

Each takes one series `[T]` or `[T, C]` (every channel by itself) and answers `[K]` or `[K, C]` in float64.
All are called alike, so that a new one is a function here and one line in `BASELINES`. All work from one
point on, and on a series that never changes. A missing value (NaN) is filled first, by the rule of
`arrays.whole_series`: on the straight line between its neighbours, outward by the nearest observed value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from unrolled.errors import DataError, fault
from unrolled.evaluation.arrays import count, whole_series

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

READ_AT_MOST = 20_000
"""Last points that the autoregression reads, so that its least squares stay small for any length."""

_UNEXPLAINED = 1e-7
"""The normal equations are solved as they are where more than this share of each column is its own."""

_SUMMED = 8192
"""Products that are summed in one call."""

_MOST_ELIMINATED = 300
"""Lags for which elimination in NumPy is faster than LAPACK on all its threads, or not much slower."""


class Baseline(Protocol):
    """How every baseline is called."""

    def __call__(
        self, y: ArrayLike, horizon: int, *, season: int | None = None
    ) -> NDArray[np.float64]:  # pragma: no cover
        """Return the next `horizon` values of `y`."""
        ...


def naive(y: ArrayLike, horizon: int, *, season: int | None = None) -> NDArray[np.float64]:
    """Repeat the last value.

    y_hat[k] = y[T - 1]

    Shapes:
        y: `[T]` or `[T, C]`.

    Units:
        those of the series.

    Args:
        y: what is known.
        horizon: points to forecast, K.
        season: not read; every baseline is called alike.

    Returns:
        `[K]` or `[K, C]`.

    Raises:
        KindError: `y` is not an array of numbers.
        DataError: `y` is empty, infinite or never observed, or has more than two axes.
        ArgumentError: `horizon` or `season` is not a whole number of at least 1.

    Example:
        >>> naive([1.0, 2.0, 5.0], 2).tolist()
        [5.0, 5.0]
    """
    season_of(season)
    return seasonal_naive(y, horizon)


def seasonal_naive(y: ArrayLike, horizon: int, *, season: int | None = None) -> NDArray[np.float64]:
    """Repeat the last season.

    y_hat[k] = y[T - season + (k mod season)]

    Without a season, or where the series is shorter than one, it is the naive forecast.

    Shapes:
        y: `[T]` or `[T, C]`.

    Units:
        those of the series.

    Args:
        y: what is known.
        horizon: points to forecast, K.
        season: points in a season.

    Returns:
        `[K]` or `[K, C]`.

    Raises:
        KindError: `y` is not an array of numbers.
        DataError: `y` is empty, infinite or never observed, or has more than two axes.
        ArgumentError: `horizon` or `season` is not a whole number of at least 1.

    Example:
        >>> seasonal_naive([9.0, 1.0, 2.0, 3.0], 4, season=3).tolist()
        [1.0, 2.0, 3.0, 1.0]
    """
    known, ahead, period = whole_series(y), count("horizon", horizon), season_of(season)
    back = period if period <= len(known) else 1
    forecast: NDArray[np.float64] = known[len(known) - back + np.arange(ahead) % back]
    return forecast


def drift(y: ArrayLike, horizon: int, *, season: int | None = None) -> NDArray[np.float64]:
    """Go on along the line from the first point to the last.

    y_hat[k] = y[T - 1] + (k + 1) (y[T - 1] - y[0]) / (T - 1)

    Shapes:
        y: `[T]` or `[T, C]`.

    Units:
        those of the series.

    Args:
        y: what is known.
        horizon: points to forecast, K.
        season: not read; every baseline is called alike.

    Returns:
        `[K]` or `[K, C]`.

    Raises:
        KindError: `y` is not an array of numbers.
        DataError: `y` is empty, infinite or never observed, or has more than two axes.
        ArgumentError: `horizon` or `season` is not a whole number of at least 1.

    References:
        Hyndman, Athanasopoulos (2021), Forecasting: principles and practice, 3rd edition, section 5.2.

    Example:
        >>> drift([1.0, 4.0, 5.0], 2).tolist()
        [7.0, 9.0]
    """
    known, ahead, _ = whole_series(y), count("horizon", horizon), season_of(season)
    slope = (known[-1] - known[0]) / max(len(known) - 1, 1)
    steps = np.arange(1.0, ahead + 1.0)
    forecast: NDArray[np.float64] = known[-1] + np.multiply.outer(steps, slope)
    return forecast


def autoregression(
    y: ArrayLike, horizon: int, *, season: int | None = None, order: int | None = None
) -> NDArray[np.float64]:
    """Fit a linear autoregression by least squares and feed its own forecasts back.

    y_hat[t] = b + a_1 y[t - 1] + ... + a_p y[t - p]

    The series is centred and divided by its largest deviation before the fit, which keeps the products well
    conditioned at any level. Where the lags depend on each other (a pure sine, a straight line) the shortest
    of all least-squares solutions is taken: the limit of a vanishing ridge. The closed loop is held within
    one range (max - min) beyond the extremes of the series, so that an unstable fit cannot run away. A series
    too short for order 1 by the rule gets the naive forecast. At most the last `READ_AT_MOST` points are
    read.

    Shapes:
        y: `[T]` or `[T, C]`, every channel by itself.

    Units:
        those of the series.

    Args:
        y: what is known.
        horizon: points to forecast, K.
        season: points in a season; the rule reads it.
        order: lags p; `None` chooses by rule, see `order_by_rule`.

    Returns:
        `[K]` or `[K, C]`.

    Raises:
        KindError: `y` is not an array of numbers.
        DataError: `y` is empty, infinite or never observed, has more than two axes, or is too short for
            `order`.
        ArgumentError: `horizon`, `season` or `order` is not a whole number of at least 1.

    References:
        Box, Jenkins (1970), Time series analysis: forecasting and control, chapter 3.

    Example:
        >>> y = [1.0, 0.5, 0.25, 0.125, 0.0625]
        >>> autoregression(y, 2, order=1).round(6).tolist()
        [0.03125, 0.015625]
    """
    known, ahead, period = whole_series(y), count("horizon", horizon), season_of(season)
    lags = order_by_rule(min(len(known), READ_AT_MOST), season=period)
    if order is not None:
        lags = count("order", order)
        if len(known) < 2 * lags + 1:
            raise DataError(
                fault(
                    "baseline.order",
                    order=lags,
                    needs=2 * lags + 1,
                    points=len(known),
                    most=(len(known) - 1) // 2,
                )
            )
    read = known[-max(READ_AT_MOST, 2 * lags + 1) :]
    channels = read.reshape(len(read), -1).T
    forecast = np.stack([_closed_loop(channel, ahead, lags) for channel in channels], axis=-1)
    return forecast.reshape(ahead, *known.shape[1:])


def order_by_rule(length: int, *, season: int | None = None) -> int:
    """Return how many lags the autoregression reads of a series of `length` points.

    p = min(max(season + 1, 12 (length / 100)^(1/4)), length / 4), rounded down

    One season and one point, so that both last year's value and last year's step are seen; Schwert's rule
    where that is more; never so many that fewer than three equations a lag are left. Without a season,
    Schwert's rule alone.

    Args:
        length: points that are read.
        season: points in a season.

    Returns:
        The order; 0 below four points.

    References:
        Schwert (1989), Tests for unit roots: a Monte Carlo investigation. Journal of Business & Economic
        Statistics 7(2), 147-159.

    Example:
        >>> order_by_rule(132, season=12), order_by_rule(100), order_by_rule(8), order_by_rule(3)
        (13, 12, 2, 0)
    """
    seasonal = season + 1 if season is not None and season > 1 else 1
    return min(max(seasonal, int(12 * (length / 100) ** 0.25)), length // 4)


def _closed_loop(y: NDArray[np.float64], horizon: int, order: int) -> NDArray[np.float64]:
    """Return the autoregression's forecasts of one channel `[T]`."""
    low, high = y.min(), y.max()
    if order == 0 or low == high:
        return np.full(horizon, y[-1])
    centre = y.mean()
    scale = np.abs(y - centre).max()
    z = (y - centre) / scale
    coefficients = _least_squares(z, order)
    weights, intercept = coefficients[:-1], coefficients[-1]
    reach = z.max() - z.min()
    least, most = z.min() - reach, z.max() + reach
    path = np.concatenate([z[-order:], np.empty(horizon)])
    for step in range(horizon):
        ahead = path[step : step + order] @ weights + intercept
        path[step + order] = min(max(ahead, least), most)
    forecast: NDArray[np.float64] = path[order:] * scale + centre
    return forecast


def _least_squares(z: NDArray[np.float64], order: int) -> NDArray[np.floating[Any]]:
    """Return a_p .. a_1 and b of the autoregression with the least squares.

    Where no column nearly follows from others the normal equations lose nothing to speak of, and their matrix
    takes T p operations instead of T p^2.
    """
    found = _eliminated(_normal_equations(z, order)) if order <= _MOST_ELIMINATED else None
    if found is not None:
        return found
    rows = np.lib.stride_tricks.sliding_window_view(z, order + 1)
    design = np.column_stack([rows[:, :-1], np.ones(len(rows))])
    coefficients, *_ = np.linalg.lstsq(design, rows[:, -1], rcond=None)
    return coefficients


def _eliminated(normal: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Solve normal equations, the last column the right side; None where they are badly conditioned.

    Symmetric elimination, as Cholesky's. The library's own solvers share a matrix of a hundred columns among
    threads that wait for each other: beside another busy process that took a hundred times as long.
    """
    left, size = normal.copy(), len(normal) - 1
    for k in range(size):
        if left[k, k] <= _UNEXPLAINED * normal[k, k]:
            return None
        left[k + 1 : size, k + 1 :] -= np.multiply.outer(left[k + 1 : size, k] / left[k, k], left[k, k + 1 :])
    solution = np.empty(size)
    for k in reversed(range(size)):
        solution[k] = (left[k, size] - left[k, k + 1 : size] @ solution[k + 1 :]) / left[k, k]
    return solution


def _normal_equations(z: NDArray[np.float64], order: int) -> NDArray[np.float64]:
    """Return the sums over t of products of the columns z[t], .., z[t + p - 1], 1, z[t + p].

    The first row is summed; from each row to the next one product leaves every sum and one joins it.
    """
    n = len(z) - order
    sums = np.zeros((order + 1, order + 1))
    for first in range(0, n, _SUMMED):  # longer sums of products would be shared among threads too
        last = min(first + _SUMMED, n)
        sums[0] += np.correlate(z[first : last + order], z[first:last], "valid")
    sums[:, 0] = sums[0]
    change = np.multiply.outer(z[n:], z[n:]) - np.multiply.outer(z[:order], z[:order])
    for row in range(order):
        sums[row + 1, 1:] = sums[row, :-1] + change[row]
    ones = z[:n].sum() + np.concatenate([[0.0], np.cumsum(z[n:] - z[:order])])
    normal = np.empty((order + 2, order + 2))
    others = np.arange(order + 2) != order
    normal[np.ix_(others, others)] = sums
    normal[order, others] = normal[others, order] = ones
    normal[order, order] = n
    return normal


def season_of(season: int | None) -> int:
    """Return the season as a count; no season is a season of one point."""
    return 1 if season is None else count("season", season)


BASELINES: dict[str, Baseline] = {
    "naive": naive,
    "seasonal_naive": seasonal_naive,
    "drift": drift,
    "autoregression": autoregression,
}
"""Every baseline by name, in the order in which tables show them."""
