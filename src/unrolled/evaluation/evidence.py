"""Evidence of what a forecast does: copies the last value, drifts, flattens out, leaves the known range.

Numbers and a sentence that says what they are, never a verdict: a forecast near the last value is right for a
random walk. Every function takes arrays; NaN in what came is a value that nobody saw and is never counted.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled import messages
from unrolled.errors import DataError, Fault, fault, raise_any
from unrolled.evaluation.arrays import numbers, pair, value_faults

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class CopyMeter:
    """How much of a forecast is a repetition of the last observed value.

    Args:
        error_ratio: by step, MAE of the forecast over MAE of repeating the last value; below 1 is better
            than repeating it.
        move_ratio: by step, how far the forecast moves from the last value over how far the series does; 0
            is a copy.
        error_ratio_mean, move_ratio_mean: the same over all steps.
    """

    error_ratio: tuple[float, ...]
    move_ratio: tuple[float, ...]
    error_ratio_mean: float
    move_ratio_mean: float

    def sentence(self) -> str:
        """Return what the numbers say, in the language in force."""
        return messages.text(
            "evidence.copy", move=self.move_ratio_mean, error=self.error_ratio_mean, first=self.error_ratio[0]
        )


@dataclass(frozen=True)
class ClosedLoopDrift:
    """How much worse a forecaster is on its own forecasts than on what really came.

    Args:
        ratio: by step, MAE of the recursive forecasts over MAE of one-step forecasts from the true past.
        ratio_first, ratio_last: at the first and at the last step.
    """

    ratio: tuple[float, ...]
    ratio_first: float
    ratio_last: float

    def sentence(self) -> str:
        """Return what the numbers say, in the language in force."""
        return messages.text(
            "evidence.drift", first=self.ratio_first, last=self.ratio_last, horizon=len(self.ratio)
        )


@dataclass(frozen=True)
class Collapse:
    """How much forecasts vary, beside what came.

    Args:
        over_horizon: spread over the horizon of a forecast, over that of what came; 0 is a flat line.
        over_windows: spread over the windows at one step, over that of what came; 0 is the same forecast for
            every window. NaN for one window.
    """

    over_horizon: float
    over_windows: float

    def sentence(self) -> str:
        """Return what the numbers say, in the language in force."""
        if np.isnan(self.over_windows):
            return messages.text("evidence.collapse-one", horizon=self.over_horizon)
        return messages.text("evidence.collapse", horizon=self.over_horizon, windows=self.over_windows)


@dataclass(frozen=True)
class RangeShift:
    """How much of what came lies outside the range that was known.

    Args:
        share: of all observed points, those below the smallest or above the largest known value.
        by_series: the same for each series; NaN where nothing was observed.
        n_series: series with at least one such point.
    """

    share: float
    by_series: tuple[float, ...]
    n_series: int

    def sentence(self) -> str:
        """Return what the numbers say, in the language in force."""
        return messages.text(
            "evidence.range", share=self.share, n_series=self.n_series, total=len(self.by_series)
        )


@dataclass(frozen=True)
class Evidence:
    """All evidence on one forecaster; `drift` only where one-step forecasts were given."""

    copy: CopyMeter
    collapse: Collapse
    range_shift: RangeShift
    drift: ClosedLoopDrift | None = None

    def sentences(self) -> list[str]:
        """Return what the numbers say, in the language in force."""
        found = (self.copy, self.drift, self.collapse, self.range_shift)
        return [one.sentence() for one in found if one is not None]

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values for JSON; a number that is not finite becomes `None`."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain

    def __str__(self) -> str:
        """Return the sentences, one a line."""
        return "\n".join(self.sentences())


def copy_meter(y_true: ArrayLike, y_pred: ArrayLike, last: ArrayLike) -> CopyMeter:
    """Return how much of a forecast is a repetition of the last observed value.

    error_ratio[k] = mean |y_pred[k] - y_true[k]| / mean |last - y_true[k]|
    move_ratio[k] = mean |y_pred[k] - last| / mean |y_true[k] - last|

    Means over the rows. 0 / 0 counts as 1: both do the same. Anything else over 0 is infinite.

    Shapes:
        y_true, y_pred: `[R, K]`; last: `[R]`.

    Units:
        none.

    Args:
        y_true: what came; NaN is left out.
        y_pred: what was forecast.
        last: the last value observed before the forecast.

    Raises:
        KindError: an argument is not an array of numbers.
        DataError: an array is empty or not finite, or the shapes do not fit together.

    Example:
        >>> meter = copy_meter([[2.0, 4.0]], [[1.0, 1.5]], [1.0])
        >>> meter.move_ratio, meter.error_ratio[0]
        ((0.0, 0.16666666666666666), 1.0)
    """
    true, pred = _rows(y_true, y_pred)
    known = _row_values("last", last, true)[:, None]
    seen = ~np.isnan(true)
    error, naive = np.abs(pred - true), np.abs(known - true)
    move = np.abs(pred - known) + np.zeros_like(true)
    return CopyMeter(
        error_ratio=_by_step(error, naive, seen),
        move_ratio=_by_step(move, naive, seen),
        error_ratio_mean=_over(error[seen].sum(), naive[seen].sum()),
        move_ratio_mean=_over(move[seen].sum(), naive[seen].sum()),
    )


def closed_loop_drift(y_true: ArrayLike, recursive: ArrayLike, one_step: ArrayLike) -> ClosedLoopDrift:
    """Return how much worse a forecaster is on its own forecasts than on what really came.

    ratio[k] = mean |recursive[k] - y_true[k]| / mean |one_step[k] - y_true[k]|

    Means over the rows; 0 / 0 counts as 1. The first step reads the same past in both, so its ratio is 1.

    Shapes:
        all three: `[R, K]`.

    Units:
        none.

    Args:
        y_true: what came; NaN is left out.
        recursive: forecasts that read their own forecasts.
        one_step: forecasts of each point from the true points before it.

    Raises:
        KindError: an argument is not an array of numbers.
        DataError: an array is empty or not finite, or the shapes do not fit together.

    Example:
        >>> closed_loop_drift([[1.0, 1.0]], [[2.0, 5.0]], [[2.0, 2.0]]).ratio
        (1.0, 4.0)
    """
    true, fed_back = _rows(y_true, recursive)
    _, from_truth = _rows(y_true, one_step)
    ratio = _by_step(np.abs(fed_back - true), np.abs(from_truth - true), ~np.isnan(true))
    return ClosedLoopDrift(ratio, ratio[0], ratio[-1])


def collapse(y_true: ArrayLike, y_pred: ArrayLike) -> Collapse:
    """Return how much forecasts vary over their horizon and over the windows, beside what came.

    over_horizon = mean over windows of std over k of y_pred / the same of y_true
    over_windows = mean over k of std over windows of y_pred / the same of y_true

    The standard deviations read the observed points alone, of both; 0 / 0 counts as 1.

    Shapes:
        y_true, y_pred: `[R, K]`, or `[S, W, K]`: W windows of each of S series, whose spread is taken series
        by series.

    Units:
        none.

    Args:
        y_true: what came; NaN is left out.
        y_pred: what was forecast.

    Raises:
        KindError: an argument is not an array of numbers.
        DataError: an array is empty or not finite, or the shapes do not fit together.

    Example:
        >>> collapse([[1.0, 3.0], [3.0, 5.0]], [[2.0, 2.5], [2.0, 2.5]])
        Collapse(over_horizon=0.25, over_windows=0.0)
    """
    true, pred = pair(y_true, y_pred)
    raise_any(DataError, _rank_faults(true, (2, 3)))
    if true.ndim == 2:
        true, pred = true[None], pred[None]
    several = (~np.isnan(true)).any(axis=-1).sum(axis=-1).max() > 1
    windows = _over(_spread(pred, true, 1), _spread(true, true, 1)) if several else float("nan")
    return Collapse(_over(_spread(pred, true, -1), _spread(true, true, -1)), windows)


def range_shift(y_true: ArrayLike, low: ArrayLike, high: ArrayLike) -> RangeShift:
    """Return how much of what came lies outside the range that was known.

    share = mean of [y_true < low or y_true > high]

    Shapes:
        y_true: `[S, K]`; low, high: `[S]`.

    Units:
        a share, from 0 to 1.

    Args:
        y_true: what came; NaN is left out.
        low: the smallest value that was known of each series.
        high: the largest.

    Raises:
        KindError: an argument is not an array of numbers.
        DataError: an array is empty or not finite, or the shapes do not fit together.

    Example:
        >>> range_shift([[1.0, 9.0], [2.0, 2.0]], [0.0, 0.0], [5.0, 5.0])
        RangeShift(share=0.25, by_series=(0.5, 0.0), n_series=1)
    """
    true, _ = _rows(y_true, np.zeros(np.shape(y_true)))
    least, most = (_row_values(name, given, true)[:, None] for name, given in (("low", low), ("high", high)))
    seen = ~np.isnan(true)
    outside = ((true < least) | (true > most)) & seen
    points = seen.sum(axis=-1)
    each = np.divide(outside.sum(axis=-1), points, out=np.full(len(true), np.nan), where=points > 0)
    share = float(outside.sum() / seen.sum()) if seen.any() else float("nan")
    return RangeShift(share, tuple(each.tolist()), int(outside.any(axis=-1).sum()))


def gather(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    y_train: list[NDArray[np.float64]],
    *,
    one_step: ArrayLike | None = None,
) -> Evidence:
    """Return all evidence on the forecasts of S series: what a comparison compares.

    Shapes:
        y_true, y_pred, one_step: `[S, K]`; y_train: S series `[T]`, each with an observed value.

    Args:
        y_true: what came; NaN is left out.
        y_pred: what was forecast.
        y_train: what was known before the first forecast.
        one_step: forecasts of each point from the true points before it, for `closed_loop_drift`.

    Raises:
        KindError: an argument is not an array of numbers.
        DataError: an array is empty or not finite, the shapes do not fit together, or a series was never
            observed before the forecast.

    Example:
        >>> found = gather([[3.0, 9.0]], [[2.0, 2.0]], [np.array([1.0, 4.0, 2.0])])
        >>> found.copy.move_ratio_mean, found.range_shift.share
        (0.0, 0.5)
    """
    true, pred = _rows(y_true, y_pred)
    past = [numbers(f"y_train[{s}]", one) for s, one in enumerate(y_train)]
    seen = [one[~np.isnan(one)] for one in past]
    faults = [fault("evidence.never-observed", series=s) for s, one in enumerate(seen) if not one.size]
    raise_any(DataError, faults)
    return Evidence(
        copy_meter(true, pred, np.array([one[-1] for one in seen])),
        collapse(true, pred),
        range_shift(true, np.array([one.min() for one in seen]), np.array([one.max() for one in seen])),
        None if one_step is None else closed_loop_drift(true, pred, one_step),
    )


def _rows(y_true: ArrayLike, y_pred: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both as `[R, K]`."""
    true, pred = pair(y_true, y_pred)
    raise_any(DataError, _rank_faults(true, (2,)))
    return true, pred


def _rank_faults(true: NDArray[np.float64], ranks: tuple[int, ...]) -> list[Fault]:
    """Return what is wrong with the axes."""
    return [] if true.ndim in ranks else [fault("evidence.rows", shape=true.shape)]


def _row_values(name: str, given: ArrayLike, true: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return one value for every row."""
    values = numbers(name, given)
    faults = value_faults(name, values)
    if values.shape != true.shape[:1]:
        faults.append(fault("evidence.row-values", name=name, rows=len(true), shape=values.shape))
    raise_any(DataError, faults)
    return values


def _by_step(
    above: NDArray[np.float64], below: NDArray[np.float64], seen: NDArray[np.bool_]
) -> tuple[float, ...]:
    """Return at every step the ratio of the sums over the rows."""
    sums = (np.where(seen, one, 0.0).sum(axis=0).tolist() for one in (above, below))
    counts = seen.sum(axis=0).tolist()
    return tuple(_over(a, b) if n else float("nan") for a, b, n in zip(*sums, counts, strict=True))


def _over(above: float, below: float) -> float:
    """Return the ratio; nothing over nothing is 1."""
    if below > 0:
        return float(above / below)
    return 1.0 if above == below else float("inf")


def _spread(values: NDArray[np.float64], true: NDArray[np.float64], axis: int) -> float:
    """Return the mean of the standard deviations along `axis` of the points whose truth was observed."""
    seen = ~np.isnan(true)
    points = np.maximum(seen.sum(axis=axis, keepdims=True), 1)
    middle = np.where(seen, values, 0.0).sum(axis=axis, keepdims=True) / points
    squares = np.where(seen, np.square(values - middle), 0.0).sum(axis=axis, keepdims=True) / points
    size = np.where(seen, np.abs(values), 0.0).max(axis=axis, keepdims=True)
    spread = np.sqrt(squares)
    spread = np.where(spread > 4 * np.finfo(np.float64).eps * size, spread, 0.0)  # rounding is no spread
    enough = seen.sum(axis=axis, keepdims=True) > 1
    return float(spread[enough].mean()) if enough.any() else 0.0


def _plain(value: Any) -> Any:
    """Return plain values for JSON."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
