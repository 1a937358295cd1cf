"""Metrics that divide by the size of a step inside the training part: MASE, RMSSE, and M4's OWA.

They compare across series. Must not know the table of metrics.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from unrolled.errors import ArgumentError, DataError, fault, raise_any
from unrolled.evaluation.arrays import count, many, mean, numbers, pair, value_faults

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from unrolled.evaluation.arrays import Axis, Score


def mase(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    y_train: ArrayLike,
    season: int = 1,
    axis: Axis = None,
) -> Score:
    """Return the mean absolute scaled error; 1 is the size of a seasonal step inside the training part.

    MASE = mean |y_pred - y_true| / scale, where scale = `mase_scale(y_train, season)`

    Where the training part never changes (from season to season) the scale is 0: an error of 0 then counts as
    0, any other as infinite, never NaN. A training part not longer than the season is scaled with season 1;
    one that was never observed gives NaN.

    Shapes:
        y_true, y_pred: `[..., K]`, the same.
        y_train: `[T]`, read for every row; or `[..., T]`, a row for a row; or a sequence of S series `[T]`,
            each of its own length, for `y_true` of `[S, K]`.

    Units:
        none.

    Args:
        y_true: what came; NaN is left out.
        y_pred: what was forecast.
        y_train: what was known before the first forecast; NaN is left out.
        season: points in a season; 1 scales by the steps from point to point.
        axis: the axes to take the mean over; `None` is all of them.

    Returns:
        A float, or an array of the axes that are left.

    Raises:
        KindError: an argument is not an array of numbers.
        DataError: an array is empty or not finite, or the shapes do not fit together.
        ArgumentError: there is no such axis, or `season` is not a whole number of at least 1.

    References:
        Hyndman, Koehler (2006), Another look at measures of forecast accuracy. International Journal of
        Forecasting 22(4), 679-688.

    Example:
        >>> mase([5.0, 6.0], [5.0, 8.0], y_train=[1.0, 2.0, 3.0, 4.0])
        1.0
        >>> mase([5.0, 6.0], [5.0, 8.0], y_train=[1.0, 2.0, 3.0, 4.0], season=2)
        0.5
        >>> mase([[5.0], [9.0]], [[6.0], [9.0]], y_train=[[1.0, 2.0], [7.0, 7.0, 7.0]], axis=-1).tolist()
        [1.0, 0.0]
    """
    return scaled_error(y_true, y_pred, mase_scale(y_train, season=season), axis=axis)


def rmsse(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    y_train: ArrayLike,
    season: int = 1,
    axis: Axis = None,
) -> Score:
    """Return the root mean squared scaled error; 1 is the size of a seasonal step inside the training part.

    RMSSE = sqrt(mean (y_pred - y_true)^2 / scale^2), where scale = `rmsse_scale(y_train, season)`

    A training part that never changes, that is short or that was never observed counts as for `mase`.

    Shapes:
        as of `mase`.

    Units:
        none.

    Args:
        y_true: what came; NaN is left out.
        y_pred: what was forecast.
        y_train: what was known before the first forecast; NaN is left out.
        season: points in a season; 1 scales by the steps from point to point.
        axis: the axes to take the mean over, before the root; `None` is all of them.

    Returns:
        A float, or an array of the axes that are left.

    Raises:
        KindError: an argument is not an array of numbers.
        DataError: an array is empty or not finite, or the shapes do not fit together.
        ArgumentError: there is no such axis, or `season` is not a whole number of at least 1.

    References:
        Makridakis, Spiliotis, Assimakopoulos (2022), M5 accuracy competition: results, findings, and
        conclusions. International Journal of Forecasting 38(4), 1346-1364.

    Example:
        >>> rmsse([5.0, 6.0], [5.0, 8.0], y_train=[1.0, 3.0, 5.0]) ** 2
        0.5000000000000001
    """
    return scaled_root(y_true, y_pred, rmsse_scale(y_train, season=season), axis=axis)


def mase_scale(y_train: ArrayLike, *, season: int = 1) -> Score:
    """Return what MASE divides by: the mean absolute seasonal step of the training part.

    scale = mean |y[t] - y[t - season]| over the steps whose both ends were observed, with season 1 where
    there is no such step; 0 where the training part has one point or never changes: where the mean step is no
    more than the rounding of its values; NaN where it was never observed.

    Shapes:
        y_train: `[T]`, or `[..., T]`, or a sequence of S series `[T]`, each of its own length.

    Units:
        those of the series.

    Args:
        y_train: what was known before the first forecast; NaN is left out.
        season: points in a season.

    Returns:
        A float for one series, else an array `[...]` or `[S]`.

    Raises:
        KindError: `y_train` is not an array of numbers.
        DataError: it is empty or not finite, or the series of a sequence have unlike leading axes.
        ArgumentError: `season` is not a whole number of at least 1.

    Example:
        >>> mase_scale([1.0, 2.0, 4.0])
        1.5
        >>> mase_scale([[1.0, 2.0, 4.0], [5.0, 5.0]]).tolist()
        [1.5, 0.0]
    """
    return _scales(y_train, season, power=1)


def rmsse_scale(y_train: ArrayLike, *, season: int = 1) -> Score:
    """Return what RMSSE divides by: the root of the mean squared seasonal step of the training part.

    scale = sqrt(mean (y[t] - y[t - season])^2); all else as of `mase_scale`.

    Shapes:
        as of `mase_scale`.

    Units:
        those of the series.

    Args:
        y_train: what was known before the first forecast; NaN is left out.
        season: points in a season.

    Returns:
        A float for one series, else an array `[...]` or `[S]`.

    Raises:
        KindError: `y_train` is not an array of numbers.
        DataError: it is empty or not finite, or the series of a sequence have unlike leading axes.
        ArgumentError: `season` is not a whole number of at least 1.

    Example:
        >>> rmsse_scale([1.0, 4.0, 4.0, 1.0, 1.0, 4.0], season=2)
        3.0
    """
    return _scales(y_train, season, power=2)


def scaled_error(y_true: ArrayLike, y_pred: ArrayLike, scale: ArrayLike, *, axis: Axis = None) -> Score:
    """Return MASE where its scale is known: one for all, or one for every row of `y_true`.

    Raises:
        KindError: an argument is not an array of numbers.
        DataError: an array is empty or not finite, or the shapes do not fit together.
        ArgumentError: there is no such axis.
    """
    true, pred = pair(y_true, y_pred)
    return mean(*divided(true, np.abs(pred - true), scale), axis)


def scaled_root(y_true: ArrayLike, y_pred: ArrayLike, scale: ArrayLike, *, axis: Axis = None) -> Score:
    """Return RMSSE where its scale is known: one for all, or one for every row of `y_true`.

    Raises:
        KindError: an argument is not an array of numbers.
        DataError: an array is empty or not finite, or the shapes do not fit together.
        ArgumentError: there is no such axis.
    """
    true, pred = pair(y_true, y_pred)
    shares, observed = divided(true, np.abs(pred - true), scale)
    root = np.sqrt(mean(np.square(shares), observed, axis))
    return float(root) if axis is None else root


def owa(smape: float, mase: float, *, naive2_smape: float, naive2_mase: float) -> float:
    """Return the overall weighted average of the M4 competition: 1 is as good as Naive2.

    OWA = (sMAPE / sMAPE of Naive2 + MASE / MASE of Naive2) / 2

    Each of the four is the mean over all series: the ratio is taken once, of the means.

    Units:
        none.

    Args:
        smape: of the method, the mean over the series.
        mase: of the method, the mean over the series.
        naive2_smape: of the baseline `naive2` on the same series.
        naive2_mase: of the baseline `naive2` on the same series.

    Raises:
        ArgumentError: a score of Naive2 is not a positive number.

    References:
        Makridakis, Spiliotis, Assimakopoulos (2020), The M4 Competition: 100,000 time series and 61
        forecasting methods. International Journal of Forecasting 36(1), 54-74.

    Example:
        >>> owa(9.0, 0.5, naive2_smape=18.0, naive2_mase=2.0)
        0.375
    """
    given = {"naive2_smape": naive2_smape, "naive2_mase": naive2_mase}
    raise_any(
        ArgumentError,
        [
            fault("metric.owa", name=name, got=value)
            for name, value in given.items()
            if not 0 < value < math.inf
        ],
    )
    return (smape / naive2_smape + mase / naive2_mase) / 2


def divided(
    true: NDArray[np.float64], error: NDArray[np.float64], scale: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the errors over the scale of their rows, and which of them count.

    Where the scale is 0 an error of 0 counts as 0 and any other as infinite.

    Raises:
        DataError: there is neither one scale for all nor one for every row.
    """
    scales = np.asarray(scale, dtype=np.float64)
    if scales.shape not in ((), true.shape[:-1]):
        raise DataError(fault("metric.train-shape", train=scales.shape, true=true.shape))
    error, divisor = np.broadcast_arrays(error, scales[..., None])
    unscaled = np.where(error > 0, np.inf, 0.0)
    with np.errstate(over="ignore"):
        shares = np.divide(error, divisor, out=unscaled, where=divisor > 0)
    return shares, ~(np.isnan(true) | np.isnan(divisor))


def _scales(y_train: ArrayLike, season: int, *, power: int) -> Score:
    """Return the scale of one training part or of each of many."""
    season = count("season", season)
    parts = many(y_train)
    if parts is not None:
        scales = [_scale(f"y_train[{s}]", one, season, power) for s, one in enumerate(parts)]
        if len({one.shape for one in scales}) > 1:
            raise DataError(fault("metric.train-rows", shapes=sorted({one.shape for one in scales})))
        return np.stack(scales)
    scale = _scale("y_train", y_train, season, power)
    return scale if scale.ndim else float(scale)


def _scale(name: str, y_train: ArrayLike, season: int, power: int) -> NDArray[np.float64]:
    """Return the mean seasonal step along the last axis, as a root mean square with power 2."""
    train = numbers(name, y_train)
    raise_any(DataError, value_faults(name, train, missing=True))
    sums, steps = _steps(train, season if train.shape[-1] > season else 1, power)
    if (steps == 0).any() and season > 1:
        near, few = _steps(train, 1, power)
        sums, steps = np.where(steps > 0, sums, near), np.where(steps > 0, steps, few)
    scale = (sums / np.maximum(steps, 1)) ** (1 / power)
    size = np.where(np.isnan(train), 0.0, np.abs(train)).max(axis=-1)
    found = np.where(scale > 4 * np.finfo(np.float64).eps * size, scale, 0.0)
    return np.where(np.isnan(train).all(axis=-1), np.nan, found)


def _steps(train: NDArray[np.float64], lag: int, power: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the sum of the steps over `lag` points whose both ends were observed, and how many they are."""
    steps = np.abs(train[..., lag:] - train[..., :-lag]) ** power
    seen = ~np.isnan(steps)
    return np.where(seen, steps, 0.0).sum(axis=-1), np.asarray(seen.sum(axis=-1))
