"""What every function of this room asks of the arrays and counts it is given.

Knows the shapes of nothing: a metric or a baseline checks its own. All arithmetic here is float64, which
holds squares of values up to about 1e150. NaN in what came means that nobody saw it: it is never counted.
"""

from __future__ import annotations

import operator
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unrolled.errors import ArgumentError, DataError, Fault, KindError, fault, raise_any

Axis: TypeAlias = int | tuple[int, ...] | None
"""The axes of a mean; None is all of them."""

Score: TypeAlias = float | NDArray[np.float64]
"""A float, or an array of the axes that a mean leaves."""


def numbers(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Return `values` as a float64 array of at least one axis; the caller's array is never changed.

    Args:
        name: the argument's name, for the message.
        values: an array, or what NumPy makes one of: lists, columns of a data frame.

    Raises:
        KindError: `values` is not an array of real numbers.
    """
    try:
        array = np.asarray(values)
    except ValueError as ragged:
        raise KindError(fault("evaluation.kind", name=name, got=type(values).__name__)) from ragged
    if array.ndim == 0 or array.dtype.kind not in "iuf":
        got = f"{type(values).__name__}, dtype {array.dtype}"
        raise KindError(fault("evaluation.kind", name=name, got=got))
    return array.astype(np.float64, copy=False)


def many(values: ArrayLike) -> list[ArrayLike] | None:
    """Return the arrays of a list or tuple of arrays; `None` for one array or a list of numbers."""
    several = isinstance(values, list | tuple) and len(values) > 0 and np.ndim(values[0]) > 0
    return list(values) if several else None  # type: ignore[arg-type]


def value_faults(name: str, array: NDArray[np.float64], *, missing: bool = False) -> list[Fault]:
    """Return what is wrong with the values of `array`: it has none, or one of them is not finite.

    Args:
        name: the argument's name, for the message.
        array: what is looked at.
        missing: whether NaN may stand for a value that nobody saw.
    """
    if array.size == 0:
        return [fault("evaluation.empty", name=name, shape=array.shape)]
    good = np.isfinite(array)
    if missing:
        good |= np.isnan(array)
    if good.all():
        return []
    first = tuple(int(axis) for axis in np.argwhere(~good)[0])
    bad = array.size - int(np.count_nonzero(good))
    position = ", ".join(map(str, first))
    return [fault("evaluation.not-finite", name=name, position=position, value=array[first], count=bad)]


def series(y: ArrayLike, *, name: str = "y", missing: bool = False) -> NDArray[np.float64]:
    """Return one series as float64, `[T]` or `[T, C]`.

    Args:
        y: the series.
        name: the argument's name, for the message.
        missing: whether NaN may stand for a value that nobody saw.

    Raises:
        KindError: `y` is not an array of real numbers.
        DataError: `y` has no point, more than two axes, or a value that is not finite.
    """
    array = numbers(name, y)
    faults = value_faults(name, array, missing=missing)
    if array.ndim > 2:
        faults.append(fault("evaluation.rank", name=name, shape=array.shape))
    raise_any(DataError, faults)
    return array


def whole_series(y: ArrayLike) -> NDArray[np.float64]:
    """Return one series as float64, `[T]` or `[T, C]`, its missing values filled, as every baseline reads it.

    Between two observed values by the straight line through them; before the first by the first, after the
    last by the last. Each channel by itself.

    Raises:
        KindError: `y` is not an array of real numbers.
        DataError: `y` has no point, more than two axes, an infinite value, or a channel never observed.
    """
    array = series(y, missing=True)
    missing = np.isnan(array)
    if not missing.any():
        return array
    filled, channels = array.copy().reshape(len(array), -1), missing.reshape(len(array), -1).T
    points = np.arange(len(array))
    for c, gone in enumerate(channels):
        if gone.all():
            raise DataError(fault("baseline.never-observed", points=len(array), channel=c))
        filled[gone, c] = np.interp(points[gone], points[~gone], filled[~gone, c])
    return filled.reshape(array.shape)


def pair(y_true: ArrayLike, y_pred: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both in float64; shapes never broadcast, for `[K, 1]` beside `[K]` is a mistake.

    Raises:
        KindError: one is not an array of real numbers.
        DataError: one is empty or not finite (`y_true` may have NaN), or the shapes differ.
    """
    true, pred = numbers("y_true", y_true), numbers("y_pred", y_pred)
    faults = [*value_faults("y_true", true, missing=True), *value_faults("y_pred", pred)]
    if true.shape != pred.shape:
        faults.append(fault("metric.shapes", true=true.shape, pred=pred.shape))
    raise_any(DataError, faults)
    return true, pred


def total(values: NDArray[np.float64], observed: NDArray[np.bool_], axis: Axis) -> NDArray[np.float64]:
    """Return the sum over `axis` of what was observed.

    Raises:
        ArgumentError: there is no such axis.
    """
    try:
        return np.asarray(np.where(observed, values, 0.0).sum(axis=axis))
    except (ValueError, TypeError) as wrong:
        raise ArgumentError(fault("metric.axis", got=repr(axis), shape=values.shape)) from wrong


def mean(values: NDArray[np.float64], observed: NDArray[np.bool_], axis: Axis) -> Score:
    """Return the mean over `axis` of what was observed, as a plain float where that is everything.

    NaN where nothing was observed.

    Raises:
        ArgumentError: there is no such axis.
    """
    if not observed.all():
        sums, points = total(values, observed, axis), np.asarray(observed.sum(axis=axis))
        found = np.divide(sums, points, out=np.full(sums.shape, np.nan), where=points > 0)
        return float(found) if axis is None else found
    if axis is None:
        return float(values.mean())
    try:
        return np.asarray(values.mean(axis=axis))
    except (ValueError, TypeError) as wrong:
        raise ArgumentError(fault("metric.axis", got=repr(axis), shape=values.shape)) from wrong


def count(name: str, value: object) -> int:
    """Return `value` as a whole number of at least 1.

    Raises:
        ArgumentError: it is none.
    """
    try:
        number = 0 if isinstance(value, bool) else operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = 0
    if number < 1:
        raise ArgumentError(fault("evaluation.count", name=name, got=repr(value)))
    return number
