"""What every function of this room asks of the arrays and counts it is given.

Knows the shapes of nothing: a metric or a baseline checks its own. All arithmetic here is float64, which
holds squares of values up to about 1e150.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

import numpy as np

from unrolled.errors import ArgumentError, DataError, Fault, KindError, fault, raise_any

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


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


def value_faults(name: str, array: NDArray[np.float64]) -> list[Fault]:
    """Return what is wrong with the values of `array`: it has none, or one of them is not finite."""
    if array.size == 0:
        return [fault("evaluation.empty", name=name, shape=array.shape)]
    finite = np.isfinite(array)
    if finite.all():
        return []
    first = tuple(int(axis) for axis in np.argwhere(~finite)[0])
    bad = array.size - int(np.count_nonzero(finite))
    position = ", ".join(map(str, first))
    return [fault("evaluation.not-finite", name=name, position=position, value=array[first], count=bad)]


def series(y: ArrayLike, *, name: str = "y") -> NDArray[np.float64]:
    """Return one series as float64, `[T]` or `[T, C]`.

    Args:
        y: the series.
        name: the argument's name, for the message.

    Raises:
        KindError: `y` is not an array of real numbers.
        DataError: `y` has no point, more than two axes, or a value that is not finite.
    """
    array = numbers(name, y)
    faults = value_faults(name, array)
    if array.ndim > 2:
        faults.append(fault("evaluation.rank", name=name, shape=array.shape))
    raise_any(DataError, faults)
    return array


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
