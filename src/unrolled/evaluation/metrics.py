"""How far forecasts are from what came: MAE, RMSE, MSE, sMAPE, MASE, pinball.

Every metric is 0 for a perfect forecast and grows with the error. The forecasts stand on the last axis,
`[..., K]`; the mean is taken over everything, or over `axis`. A new metric is a function here and one line in
`METRICS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unrolled.errors import ArgumentError, DataError, fault, raise_any
from unrolled.evaluation.arrays import count, many, numbers, value_faults

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Axis: TypeAlias = int | tuple[int, ...] | None
Score: TypeAlias = float | NDArray[np.float64]


def mae(y_true: ArrayLike, y_pred: ArrayLike, *, axis: Axis = None) -> Score:
    """Return the mean absolute error.

    MAE = mean |y_pred - y_true|

    Shapes:
        y_true, y_pred: `[..., K]`, the same.

    Units:
        those of the series.

    Args:
        y_true: what came.
        y_pred: what was forecast.
        axis: the axes to take the mean over; `None` is all of them.

    Returns:
        A float, or an array of the axes that are left.

    Raises:
        KindError: an argument is not an array of numbers.
        DataError: an array is empty or not finite, or the shapes differ.
        ArgumentError: there is no such axis.

    Example:
        >>> mae([1.0, 2.0, 3.0], [1.0, 4.0, 2.0])
        1.0
        >>> mae([[1, 2], [3, 4]], [[1, 4], [3, 4]], axis=-1).tolist()
        [1.0, 0.0]
    """
    true, pred = _pair(y_true, y_pred)
    return _mean(np.abs(pred - true), axis)


def mse(y_true: ArrayLike, y_pred: ArrayLike, *, axis: Axis = None) -> Score:
    """Return the mean squared error.

    MSE = mean (y_pred - y_true)^2

    Shapes:
        y_true, y_pred: `[..., K]`, the same.

    Units:
        those of the series, squared.

    Args:
        y_true: what came.
        y_pred: what was forecast.
        axis: the axes to take the mean over; `None` is all of them.

    Returns:
        A float, or an array of the axes that are left.

    Raises:
        KindError: an argument is not an array of numbers.
        DataError: an array is empty or not finite, or the shapes differ.
        ArgumentError: there is no such axis.

    Example:
        >>> mse([1.0, 2.0], [1.0, 4.0])
        2.0
    """
    true, pred = _pair(y_true, y_pred)
    return _mean(np.square(pred - true), axis)


def rmse(y_true: ArrayLike, y_pred: ArrayLike, *, axis: Axis = None) -> Score:
    """Return the root of the mean squared error.

    RMSE = sqrt(mean (y_pred - y_true)^2)

    Shapes:
        y_true, y_pred: `[..., K]`, the same.

    Units:
        those of the series.

    Args:
        y_true: what came.
        y_pred: what was forecast.
        axis: the axes to take the mean over, before the root; `None` is all of them.

    Returns:
        A float, or an array of the axes that are left.

    Raises:
        KindError: an argument is not an array of numbers.
        DataError: an array is empty or not finite, or the shapes differ.
        ArgumentError: there is no such axis.

    Example:
        >>> rmse([0.0, 0.0, 0.0, 0.0], [4.0, 0.0, 0.0, 0.0])
        2.0
    """
    squared = np.sqrt(mse(y_true, y_pred, axis=axis))
    return float(squared) if axis is None else squared


def smape(y_true: ArrayLike, y_pred: ArrayLike, *, axis: Axis = None) -> Score:
    """Return the symmetric mean absolute percentage error of the M4 competition, from 0 to 200.

    sMAPE = mean 200 |y_pred - y_true| / (|y_true| + |y_pred|), where 0 / 0 counts as 0

    Shapes:
        y_true, y_pred: `[..., K]`, the same.

    Units:
        percent.

    Args:
        y_true: what came.
        y_pred: what was forecast.
        axis: the axes to take the mean over; `None` is all of them.

    Returns:
        A float, or an array of the axes that are left.

    Raises:
        KindError: an argument is not an array of numbers.
        DataError: an array is empty or not finite, or the shapes differ.
        ArgumentError: there is no such axis.

    References:
        Makridakis, Spiliotis, Assimakopoulos (2020), The M4 Competition: 100,000 time series and 61
        forecasting methods. International Journal of Forecasting 36(1), 54-74.

    Example:
        >>> smape([1.0, 0.0], [3.0, 0.0])
        50.0
    """
    true, pred = _pair(y_true, y_pred)
    error, size = np.abs(pred - true), np.abs(true) + np.abs(pred)
    return _mean(200.0 * np.divide(error, size, out=np.zeros_like(error), where=size > 0), axis)


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
    0, any other as infinite, never NaN. A training part not longer than the season is scaled with season 1.

    Shapes:
        y_true, y_pred: `[..., K]`, the same.
        y_train: `[T]`, read for every row; or `[..., T]`, a row for a row; or a sequence of S series `[T]`,
            each of its own length, for `y_true` of `[S, K]`.

    Units:
        none.

    Args:
        y_true: what came.
        y_pred: what was forecast.
        y_train: what was known before the first forecast.
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
    true, pred = _pair(y_true, y_pred)
    scale = np.asarray(mase_scale(y_train, season=season))
    if scale.shape not in ((), true.shape[:-1]):
        raise DataError(fault("metric.train-shape", train=scale.shape, true=true.shape))
    error, divisor = np.broadcast_arrays(np.abs(pred - true), scale[..., None])
    unscaled = np.where(error > 0, np.inf, 0.0)
    with np.errstate(over="ignore"):
        return _mean(np.divide(error, divisor, out=unscaled, where=divisor > 0), axis)


def mase_scale(y_train: ArrayLike, *, season: int = 1) -> Score:
    """Return what MASE divides by: the mean absolute seasonal step of the training part.

    scale = mean |y[t] - y[t - season]|, with season 1 where the training part is not longer than the season;
    0 where it has one point or never changes: where the mean step is no more than the rounding of its values.

    Shapes:
        y_train: `[T]`, or `[..., T]`, or a sequence of S series `[T]`, each of its own length.

    Units:
        those of the series.

    Args:
        y_train: what was known before the first forecast.
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
    season = count("season", season)
    parts = many(y_train)
    if parts is not None:
        scales = [_scale(f"y_train[{s}]", one, season) for s, one in enumerate(parts)]
        if len({one.shape for one in scales}) > 1:
            raise DataError(fault("metric.train-rows", shapes=sorted({one.shape for one in scales})))
        return np.stack(scales)
    scale = _scale("y_train", y_train, season)
    return scale if scale.ndim else float(scale)


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
        y_true: what came.
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
    true, pred, levels = numbers("y_true", y_true), numbers("y_pred", y_pred), numbers("quantiles", quantiles)
    if levels.ndim != 1 or not ((levels > 0) & (levels < 1)).all():
        raise ArgumentError(fault("metric.quantiles", got=levels.tolist()))
    faults = [
        *value_faults("y_true", true),
        *value_faults("y_pred", pred),
        *value_faults("quantiles", levels),
    ]
    if pred.shape != (*true.shape, levels.size):
        faults.append(fault("metric.quantile-shape", true=true.shape, levels=levels.size, pred=pred.shape))
    raise_any(DataError, faults)
    short = true[..., None] - pred
    return _mean(np.maximum(levels * short, (levels - 1.0) * short).mean(axis=-1), axis)


def _pair(y_true: ArrayLike, y_pred: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both in float64; shapes never broadcast, for `[K, 1]` beside `[K]` is a mistake."""
    true, pred = numbers("y_true", y_true), numbers("y_pred", y_pred)
    faults = [*value_faults("y_true", true), *value_faults("y_pred", pred)]
    if true.shape != pred.shape:
        faults.append(fault("metric.shapes", true=true.shape, pred=pred.shape))
    raise_any(DataError, faults)
    return true, pred


def _mean(errors: NDArray[np.float64], axis: Axis) -> Score:
    """Return the mean over `axis`, as a plain float where that is everything."""
    if axis is None:
        return float(errors.mean())
    try:
        return np.asarray(errors.mean(axis=axis))
    except (ValueError, TypeError) as wrong:
        raise ArgumentError(fault("metric.axis", got=repr(axis), shape=errors.shape)) from wrong


def _scale(name: str, y_train: ArrayLike, season: int) -> NDArray[np.float64]:
    """Return the mean absolute seasonal step along the last axis."""
    train = numbers(name, y_train)
    raise_any(DataError, value_faults(name, train))
    lag = season if train.shape[-1] > season else 1
    steps = np.abs(train[..., lag:] - train[..., :-lag])
    scale = steps.sum(axis=-1) / max(steps.shape[-1], 1)
    rounding = 4 * np.finfo(np.float64).eps * np.abs(train).max(axis=-1)
    return np.where(scale > rounding, scale, 0.0)


@dataclass(frozen=True)
class Metric:
    """One metric of the table.

    Args:
        function: called as `function(y_true, y_pred, axis=..., **needs)`.
        label: how a person reads it.
        unit: how it follows a series that is multiplied: "series", "series squared", "percent" or "none".
        needs: what it reads besides the two arrays, by keyword.
    """

    function: Callable[..., Score]
    label: str
    unit: Literal["series", "series squared", "percent", "none"]
    needs: tuple[str, ...] = ()

    def __call__(self, y_true: ArrayLike, y_pred: ArrayLike, **more: Any) -> Score:
        """Return the metric; what it does not need is left out."""
        kept = {name: value for name, value in more.items() if name == "axis" or name in self.needs}
        return self.function(y_true, y_pred, **kept)


METRICS: dict[str, Metric] = {
    "mae": Metric(mae, "MAE", "series"),
    "rmse": Metric(rmse, "RMSE", "series"),
    "mse": Metric(mse, "MSE", "series squared"),
    "smape": Metric(smape, "sMAPE", "percent"),
    "mase": Metric(mase, "MASE", "none", needs=("y_train", "season")),
    "pinball": Metric(pinball, "pinball", "series", needs=("quantiles",)),
}
"""Every metric by name, in the order in which tables show them."""
