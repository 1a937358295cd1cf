"""Arrays and lists of arrays, taken apart: one series, channels of one series, or many series.

What is no array of real numbers is named, all series of a list at once. An array that is as it should be is
not copied: a hundred million points stand in memory once.
"""

from __future__ import annotations

import numbers
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from unrolled.errors import DataError, Fault, KindError, fault, raise_any
from unrolled.parts import Kind, Parts, offsets_of
from unrolled.places import Place, named, position

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

_WHOLE = Place("panel.y")

_KINDS: dict[int, Kind] = {1: "vector", 2: "matrix", 3: "cube"}
"""What an array of so many axes is."""


def is_list_of_series(y: object) -> bool:
    """Whether y is a list of series, rather than a list of numbers."""
    return isinstance(y, list | tuple) and not (y and all(_is_scalar(kind) for kind in set(map(type, y))))


def from_array(y: object, dtype: str) -> Parts:
    """Take an array, or a list of numbers, apart: one series, or series of one length.

    Raises:
        KindError: y is nothing that makes an array.
        DataError: y has not one to three axes, is empty, or holds what is no number.
    """
    array = y if _is_plain(y, axes=3) else _real(y, _WHOLE, _in_whole, axes=3)
    if isinstance(array, Fault):
        raise (KindError if array.id == "panel.kind" else DataError)(array)
    kind = _KINDS[array.ndim]
    n_series, length = array.shape[:2] if kind == "cube" else (1, len(array))
    if array.dtype != dtype or not array.flags.c_contiguous:
        with np.errstate(over="ignore"):  # what does not fit into float32 becomes infinite and is named later
            array = np.ascontiguousarray(array, dtype=dtype)
    values = array.reshape(n_series * length, -1)
    names = _channel_names(values.shape[1])

    def place(row: int, channel: int | None) -> Place:
        if kind == "cube":
            return _in_series(row // length)(row % length, channel if len(names) > 1 else None)
        return position(row, channel if kind == "matrix" else None)

    offsets = np.arange(0, len(values) + 1, length, dtype=np.int64)
    return Parts(values, offsets, tuple(range(n_series)), names, kind, place=place)


def from_list(y: Sequence[object], dtype: str) -> Parts:
    """Take a list of series apart.

    Raises:
        DataError: the list is empty, a series is no array of real numbers, or the channels differ.
    """
    arrays = _each_series(y)
    offsets = offsets_of(np.fromiter(map(len, arrays), np.int64, len(arrays)))
    n_channels = 1 if arrays[0].ndim == 1 else arrays[0].shape[1]
    values = _as_they_lie(arrays, dtype)
    if values is None:
        with np.errstate(over="ignore"):
            values = np.concatenate(arrays, dtype=dtype, casting="unsafe")
    values = values.reshape(-1, n_channels)

    def place(row: int, channel: int | None) -> object:
        series = int(np.searchsorted(offsets, row, side="right")) - 1
        return _in_series(series)(row - int(offsets[series]), channel if n_channels > 1 else None)

    return Parts(values, offsets, tuple(range(len(arrays))), _channel_names(n_channels), "list", place=place)


def _as_they_lie(arrays: Sequence[NDArray[Any]], dtype: str) -> NDArray[Any] | None:
    """Return arrays that lie in one buffer, one behind the other, as one array; None where they do not.

    So the rows of a matrix, given as a list, are not copied.
    """
    first, behind = arrays[0], arrays[0].ctypes.data
    for one in arrays:
        fits = one.base is first.base is not None and one.dtype == dtype and one.flags.c_contiguous
        if not fits or one.ctypes.data != behind:
            return None
        behind += one.nbytes
    shape = (sum(map(len, arrays)), *first.shape[1:])
    # The strides of an axis of one element mean nothing, so they are made anew.
    strides = (first.nbytes // len(first), first.itemsize)[: first.ndim]
    return np.lib.stride_tricks.as_strided(first, shape, strides, writeable=False)


def is_number(one: object) -> bool:
    """Whether an object can be a value: a real number, or missing."""
    return one is None or isinstance(one, numbers.Real | Decimal)


def _is_scalar(kind: type) -> bool:
    """Whether an element of this kind in a list is one value rather than a series."""
    return issubclass(kind, str | bytes) or not hasattr(kind, "__len__")


def _channel_names(n_channels: int) -> tuple[str, ...]:
    """Return the names of the channels of an array."""
    return ("y",) if n_channels == 1 else tuple(f"y{channel}" for channel in range(n_channels))


def _each_series(y: Sequence[object]) -> list[NDArray[Any]]:
    """Return the arrays of a list, all of as many axes and channels."""
    if not y:
        raise DataError(fault("panel.no-series"))
    results = [
        one
        if _is_plain(one, axes=2)
        else _real(one, Place("panel.series", {"series": index}), _in_series(index), axes=2)
        for index, one in enumerate(y)
    ]
    arrays = [one for one in results if not isinstance(one, Fault)]
    wrong = [one for one in results if isinstance(one, Fault)]
    for index, one in enumerate(results):
        if not isinstance(one, Fault) and one.shape[1:] != arrays[0].shape[1:]:
            expected = str(("T", *arrays[0].shape[1:])).replace("'", "")
            wrong.append(fault("panel.channels", series=index, shape=one.shape, expected=expected))
    raise_any(DataError, named(wrong, lambda one: one))
    return arrays


def _is_plain(y: object, *, axes: int) -> TypeGuard[NDArray[Any]]:
    """Whether y needs no more than one look: an array of real numbers with as many axes at the most."""
    return type(y) is np.ndarray and y.dtype.kind in "biuf" and 1 <= y.ndim <= axes and y.size > 0


def _in_series(series: int) -> Callable[..., Place]:
    """Return what names a place in one of many series."""

    def place(row: int, channel: int | None = None) -> Place:
        values = {"series": series, "position": row, "channel": channel}
        return Place("panel.position-series" if channel is None else "panel.position-series-channel", values)

    return place


def _in_whole(*index: int) -> Place:
    """Return the place of one element of an array that is given by itself."""
    series, *rest = index
    return _in_series(series)(*rest) if len(index) == 3 else position(*index)


def _real(y: object, whole: Place, place: Callable[..., Place], *, axes: int) -> NDArray[Any] | Fault:
    """Return y as an array of real numbers, not empty, of 1 to so many axes, or what is wrong with it."""
    if isinstance(y, np.ma.MaskedArray):  # asarray would lose the mask; what it covers is missing
        y = np.ma.filled(y.astype(np.float64), np.nan)
    try:
        array = np.asarray(y)
        if array.dtype.kind not in "biuf" and isinstance(y, list | tuple):
            array = np.asarray(y, dtype=object)  # so that 1 beside "x" stays a number
    except (ValueError, TypeError, RuntimeError) as error:
        return fault("panel.not-array", place=whole, reason=str(error).split("\n")[0])
    if array.ndim == 0 and array.dtype.kind not in "biuf":
        return fault("panel.kind", kind=type(y).__name__)
    if not 1 <= array.ndim <= axes or 0 in array.shape:
        name = "panel.shape" if axes == 2 else "panel.shape-whole"
        return fault(name, place=whole, shape=array.shape)
    if array.dtype.kind in "biuf":
        return array
    values = array.ravel().tolist()
    strange = next((index for index, one in enumerate(values) if not is_number(one)), None)
    if strange is None:
        return array.astype(np.float64)
    index = map(int, np.unravel_index(strange, array.shape))
    return fault("panel.text", place=place(*index), value=values[strange])
