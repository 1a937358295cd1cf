"""How far forecasts are from what came: MAE, RMSE, MSE, sMAPE, and the table of all metrics.

Every metric of the table is 0 for a perfect forecast and grows with the error. The forecasts stand on the
last axis, `[..., K]`; the mean is taken over everything, or over `axis`. NaN in `y_true` is a value that
nobody saw: the mean is that of the observed points, and NaN where there is none. A new metric is a function
here, in `scaled` or in `probabilistic`, and one line in `METRICS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from unrolled.evaluation.arrays import mean, pair
from unrolled.evaluation.probabilistic import crps, pinball, wql
from unrolled.evaluation.scaled import mase, mase_scale, rmsse, rmsse_scale, scaled_error, scaled_root

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from unrolled.evaluation.arrays import Axis, Score


def mae(y_true: ArrayLike, y_pred: ArrayLike, *, axis: Axis = None) -> Score:
    """Return the mean absolute error.

    MAE = mean |y_pred - y_true|

    Shapes:
        y_true, y_pred: `[..., K]`, the same.

    Units:
        those of the series.

    Args:
        y_true: what came; NaN is left out.
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
    true, pred = pair(y_true, y_pred)
    return mean(np.abs(pred - true), ~np.isnan(true), axis)


def mse(y_true: ArrayLike, y_pred: ArrayLike, *, axis: Axis = None) -> Score:
    """Return the mean squared error.

    MSE = mean (y_pred - y_true)^2

    Shapes:
        y_true, y_pred: `[..., K]`, the same.

    Units:
        those of the series, squared.

    Args:
        y_true: what came; NaN is left out.
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
    true, pred = pair(y_true, y_pred)
    return mean(np.square(pred - true), ~np.isnan(true), axis)


def rmse(y_true: ArrayLike, y_pred: ArrayLike, *, axis: Axis = None) -> Score:
    """Return the root of the mean squared error.

    RMSE = sqrt(mean (y_pred - y_true)^2)

    Shapes:
        y_true, y_pred: `[..., K]`, the same.

    Units:
        those of the series.

    Args:
        y_true: what came; NaN is left out.
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
        y_true: what came; NaN is left out.
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
    true, pred = pair(y_true, y_pred)
    error, size = np.abs(pred - true), np.abs(true) + np.abs(pred)
    shares = 200.0 * np.divide(error, size, out=np.zeros_like(error), where=size > 0)
    return mean(shares, ~np.isnan(true), axis)


@dataclass(frozen=True)
class Metric:
    """One metric of the table.

    Args:
        function: called as `function(y_true, y_pred, axis=..., **needs)`.
        label: how a person reads it.
        unit: how it follows a series that is multiplied: "series", "series squared", "percent" or "none".
        needs: what it reads besides the two arrays, by keyword.
        scale: of a metric that divides by the size of the training part: what finds that size.
        by_scale: the same metric where that size is known: `by_scale(y_true, y_pred, scale, axis=...)`.
    """

    function: Callable[..., Score]
    label: str
    unit: Literal["series", "series squared", "percent", "none"]
    needs: tuple[str, ...] = ()
    scale: Callable[..., Score] | None = None
    by_scale: Callable[..., Score] | None = None

    def __call__(self, y_true: ArrayLike, y_pred: ArrayLike, **more: Any) -> Score:
        """Return the metric; what it does not need is left out."""
        kept = {name: value for name, value in more.items() if name == "axis" or name in self.needs}
        return self.function(y_true, y_pred, **kept)

    def scored(
        self, y_true: ArrayLike, y_pred: ArrayLike, scale: NDArray[np.float64] | None, *, axis: Axis = None
    ) -> Score:
        """Return a metric of point forecasts where what `scale` finds for each row is known already."""
        if self.by_scale is None:
            return self.function(y_true, y_pred, axis=axis)
        return self.by_scale(y_true, y_pred, scale, axis=axis)


METRICS: dict[str, Metric] = {
    "mae": Metric(mae, "MAE", "series"),
    "rmse": Metric(rmse, "RMSE", "series"),
    "mse": Metric(mse, "MSE", "series squared"),
    "smape": Metric(smape, "sMAPE", "percent"),
    "mase": Metric(mase, "MASE", "none", ("y_train", "season"), mase_scale, scaled_error),
    "rmsse": Metric(rmsse, "RMSSE", "none", ("y_train", "season"), rmsse_scale, scaled_root),
    "pinball": Metric(pinball, "pinball", "series", needs=("quantiles",)),
    "crps": Metric(crps, "CRPS", "series", needs=("quantiles",)),
    "wql": Metric(wql, "WQL", "none", needs=("quantiles",)),
}
"""Every metric by name, in the order in which tables show them."""

COMPARED = ("mae", "rmse", "mse", "smape", "mase")
"""The metrics that a comparison shows."""
