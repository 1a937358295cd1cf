"""How good forecast distributions are: pinball, CRPS, weighted quantile loss; coverage, width, MSIS.

Quantile forecasts stand on the last axis, `[..., K, Q]`; intervals are two arrays, `[..., K]`. NaN in
`y_true` is a value that nobody saw: it is never counted. Must not know the table of metrics.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from unrolled.errors import ArgumentError, DataError, fault, raise_any
from unrolled.evaluation.arrays import mean, numbers, total, value_faults
from unrolled.evaluation.scaled import divided, mase_scale

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from unrolled.evaluation.arrays import Axis, Score


def pinball(
    y_true: ArrayLike, y_pred: ArrayLike, *, quantiles: Sequence[float] | ArrayLike, axis: Axis = None
) -> Score:
    """Return the pinball loss of quantile forecasts, the mean over the quantiles.

    pinball = mean over q of max(q d, (q - 1) d), where d = y_true - y_pred. At q = 0.5 it is half the MAE.

    Shapes:
        y_true: `[..., K]`.
        y_pred: `[..., K, Q]`, the last axis in the order of `quantiles`.

    Units:
        those of the series.

    Args:
        y_true: what came; NaN is left out.
        y_pred: the forecast quantiles.
        quantiles: Q levels between 0 and 1.
        axis: the axes of `y_true` to take the mean over; `None` is all of them.

    Returns:
        A float, or an array of the axes that are left.

    Raises:
        KindError: an argument is not an array of numbers.
        DataError: an array is empty or not finite, or the shapes do not fit together.
        ArgumentError: there is no such axis, or a quantile is not between 0 and 1.

    References:
        Koenker, Bassett (1978), Regression quantiles. Econometrica 46(1), 33-50.

    Example:
        >>> pinball([10.0], [[8.0, 12.0]], quantiles=[0.25, 0.75])
        0.5
        >>> pinball([10.0], [[12.0, 8.0]], quantiles=[0.25, 0.75])
        1.5
    """
    true, losses = _pinballs(y_true, y_pred, quantiles)
    return mean(losses.mean(axis=-1), ~np.isnan(true), axis)


def crps(
    y_true: ArrayLike, y_pred: ArrayLike, *, quantiles: Sequence[float] | ArrayLike, axis: Axis = None
) -> Score:
    """Return the continuous ranked probability score of a distribution known by its quantiles.

    CRPS = 2 mean over q of max(q d, (q - 1) d), where d = y_true - y_pred

    CRPS is twice the integral of the pinball loss over all quantiles; the mean over evenly spaced ones
    approximates it, the better the more there are. At the median alone it is the MAE.

    Shapes:
        y_true: `[..., K]`.
        y_pred: `[..., K, Q]`, the last axis in the order of `quantiles`.

    Units:
        those of the series.

    Args:
        y_true: what came; NaN is left out.
        y_pred: the forecast quantiles.
        quantiles: Q levels between 0 and 1, evenly spaced.
        axis: the axes of `y_true` to take the mean over; `None` is all of them.

    Returns:
        A float, or an array of the axes that are left.

    Raises:
        KindError: an argument is not an array of numbers.
        DataError: an array is empty or not finite, or the shapes do not fit together.
        ArgumentError: there is no such axis, or a quantile is not between 0 and 1.

    References:
        Gneiting, Raftery (2007), Strictly proper scoring rules, prediction, and estimation. Journal of the
        American Statistical Association 102(477), 359-378.

    Example:
        >>> crps([10.0], [[8.0, 12.0]], quantiles=[0.25, 0.75])
        1.0
    """
    true, losses = _pinballs(y_true, y_pred, quantiles)
    return mean(2.0 * losses.mean(axis=-1), ~np.isnan(true), axis)


def wql(
    y_true: ArrayLike, y_pred: ArrayLike, *, quantiles: Sequence[float] | ArrayLike, axis: Axis = None
) -> Score:
    """Return the weighted quantile loss of GluonTS: the CRPS of all points over their size.

    WQL = mean over q of 2 sum max(q d, (q - 1) d) / sum |y_true|, where d = y_true - y_pred and 0 / 0 counts
    as 0. Points that are large count more than points that are small.

    Shapes:
        y_true: `[..., K]`.
        y_pred: `[..., K, Q]`, the last axis in the order of `quantiles`.

    Units:
        none.

    Args:
        y_true: what came; NaN is left out.
        y_pred: the forecast quantiles.
        quantiles: Q levels between 0 and 1.
        axis: the axes of `y_true` to take both sums over; `None` is all of them.

    Returns:
        A float, or an array of the axes that are left; NaN where nothing was observed.

    Raises:
        KindError: an argument is not an array of numbers.
        DataError: an array is empty or not finite, or the shapes do not fit together.
        ArgumentError: there is no such axis, or a quantile is not between 0 and 1.

    References:
        Alexandrov and others (2020), GluonTS: probabilistic and neural time series modeling in Python.
        Journal of Machine Learning Research 21(116), 1-6.

    Example:
        >>> wql([10.0, 30.0], [[8.0, 12.0], [30.0, 30.0]], quantiles=[0.25, 0.75])
        0.025
    """
    true, losses = _pinballs(y_true, y_pred, quantiles)
    observed = ~np.isnan(true)
    loss = total(2.0 * losses.mean(axis=-1), observed, axis)
    size = total(np.abs(true), observed, axis)
    ratio = np.divide(loss, size, out=np.where(loss > 0, np.inf, 0.0), where=size > 0)
    found = np.where(observed.any(axis=axis), ratio, np.nan)
    return float(found) if axis is None else found


def coverage(y_true: ArrayLike, lower: ArrayLike, upper: ArrayLike, *, axis: Axis = None) -> Score:
    """Return the share of what came that lies inside the interval, its ends included.

    coverage = mean (lower <= y_true <= upper); for an honest interval of 80 percent near 0.8.

    Shapes:
        y_true, lower, upper: `[..., K]`, the same.

    Units:
        a share, from 0 to 1.

    Args:
        y_true: what came; NaN is left out.
        lower: the lower end of the interval.
        upper: the upper end.
        axis: the axes to take the mean over; `None` is all of them.

    Returns:
        A float, or an array of the axes that are left; NaN where nothing was observed.

    Raises:
        KindError: an argument is not an array of numbers.
        DataError: an array is empty or not finite, the shapes differ, or an upper end is below a lower one.
        ArgumentError: there is no such axis.

    Example:
        >>> coverage([1.0, 5.0, 9.0], [0.0, 0.0, 0.0], [2.0, 5.0, 5.0])
        0.6666666666666666
    """
    true, low, high = _interval(y_true, lower, upper)
    return mean(((low <= true) & (true <= high)).astype(np.float64), ~np.isnan(true), axis)


def interval_width(y_true: ArrayLike, lower: ArrayLike, upper: ArrayLike, *, axis: Axis = None) -> Score:
    """Return the mean width of the interval, over the points whose truth was observed.

    width = mean (upper - lower). Of two intervals with the same coverage the narrower says more.

    Shapes:
        y_true, lower, upper: `[..., K]`, the same.

    Units:
        those of the series.

    Args:
        y_true: what came; where it is NaN the width is left out too, so that it fits the coverage.
        lower: the lower end of the interval.
        upper: the upper end.
        axis: the axes to take the mean over; `None` is all of them.

    Returns:
        A float, or an array of the axes that are left; NaN where nothing was observed.

    Raises:
        KindError: an argument is not an array of numbers.
        DataError: an array is empty or not finite, the shapes differ, or an upper end is below a lower one.
        ArgumentError: there is no such axis.

    Example:
        >>> interval_width([1.0, 5.0], [0.0, 0.0], [2.0, 5.0])
        3.5
    """
    true, low, high = _interval(y_true, lower, upper)
    return mean(high - low, ~np.isnan(true), axis)


def msis(
    y_true: ArrayLike,
    lower: ArrayLike,
    upper: ArrayLike,
    *,
    level: float,
    y_train: ArrayLike,
    season: int = 1,
    axis: Axis = None,
) -> Score:
    """Return the mean scaled interval score of the M4 competition: narrow is good, missed costs.

    MSIS = mean (u - l + 2/a (l - y) [y < l] + 2/a (y - u) [y > u]) / scale, where a = 1 - level / 100 and
    scale = `mase_scale(y_train, season)`

    M4 judged intervals of 95 percent: a = 0.05. A scale of 0 counts as for `mase`.

    Shapes:
        y_true, lower, upper: `[..., K]`, the same.
        y_train: as for `mase`.

    Units:
        none.

    Args:
        y_true: what came; NaN is left out.
        lower: the lower end of the interval.
        upper: the upper end.
        level: of the interval, in percent: 80, 95.
        y_train: what was known before the first forecast; NaN is left out.
        season: points in a season; 1 scales by the steps from point to point.
        axis: the axes to take the mean over; `None` is all of them.

    Returns:
        A float, or an array of the axes that are left; NaN where nothing was observed.

    Raises:
        KindError: an argument is not an array of numbers.
        DataError: an array is empty or not finite, the shapes do not fit together, or an upper end is below
            a lower one.
        ArgumentError: there is no such axis, the level is not between 0 and 100, or `season` is not a whole
            number of at least 1.

    References:
        Gneiting, Raftery (2007), Strictly proper scoring rules, prediction, and estimation. Journal of the
        American Statistical Association 102(477), 359-378.
        M4 team (2018), M4 competitor's guide: prizes and rules.

    Example:
        >>> msis([5.0, 9.0], [4.0, 4.0], [6.0, 8.0], level=80, y_train=[1.0, 3.0, 5.0])
        4.0
    """
    return scaled_interval_score(
        y_true, lower, upper, mase_scale(y_train, season=season), level=level, axis=axis
    )


def scaled_interval_score(
    y_true: ArrayLike,
    lower: ArrayLike,
    upper: ArrayLike,
    scale: ArrayLike,
    *,
    level: float,
    axis: Axis = None,
) -> Score:
    """Return MSIS where its scale is known: one for all, or one for every row of `y_true`.

    Raises:
        KindError: an argument is not an array of numbers.
        DataError: an array is empty or not finite, the shapes do not fit together, or an upper end is below
            a lower one.
        ArgumentError: there is no such axis, or the level is not between 0 and 100.
    """
    true, low, high = _interval(y_true, lower, upper)
    alpha = 1.0 - checked_level(level) / 100.0
    missed = np.maximum(low - true, 0.0) + np.maximum(true - high, 0.0)
    return mean(*divided(true, high - low + 2.0 / alpha * missed, scale), axis)


def checked_level(level: float) -> float:
    """Return the level of an interval, in percent.

    Raises:
        ArgumentError: it is not a number between 0 and 100.
    """
    try:
        number = float("nan") if isinstance(level, bool | str) else float(level)
    except TypeError:
        number = float("nan")
    if not 0 < number < 100:
        raise ArgumentError(fault("metric.level", got=repr(level)))
    return number


def _interval(
    y_true: ArrayLike, lower: ArrayLike, upper: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return what came and both ends of its interval in float64, all of one shape."""
    true, low, high = numbers("y_true", y_true), numbers("lower", lower), numbers("upper", upper)
    faults = [
        *value_faults("y_true", true, missing=True),
        *value_faults("lower", low),
        *value_faults("upper", high),
    ]
    if not true.shape == low.shape == high.shape:
        faults.append(fault("metric.interval-shapes", true=true.shape, lower=low.shape, upper=high.shape))
    elif not faults and (high < low).any():
        faults.append(fault("metric.interval-crossed", count=int((high < low).sum())))
    raise_any(DataError, faults)
    return true, low, high


def _pinballs(
    y_true: ArrayLike, y_pred: ArrayLike, quantiles: Sequence[float] | ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what came and the pinball loss of every quantile, `[..., K]` and `[..., K, Q]`."""
    true, pred, levels = numbers("y_true", y_true), numbers("y_pred", y_pred), numbers("quantiles", quantiles)
    if levels.ndim != 1 or not ((levels > 0) & (levels < 1)).all():
        raise ArgumentError(fault("metric.quantiles", got=levels.tolist()))
    faults = [
        *value_faults("y_true", true, missing=True),
        *value_faults("y_pred", pred),
        *value_faults("quantiles", levels),
    ]
    if pred.shape != (*true.shape, levels.size):
        faults.append(fault("metric.quantile-shape", true=true.shape, levels=levels.size, pred=pred.shape))
    raise_any(DataError, faults)
    short = true[..., None] - pred
    return true, np.maximum(levels * short, (levels - 1.0) * short)
