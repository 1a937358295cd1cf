"""Arrays and lists of arrays, taken apart: one series, channels of one series, or many series.

What is not one or two axes of real numbers is named, all series of a list at once.
"""

from __future__ import annotations

import numbers
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.errors import DataError, Fault, KindError, fault, raise_any
from unrolled.parts import Kind, Parts, offsets_of
from unrolled.places import Locate, Place, named, position

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def is_list_of_series(y: object) -> bool:
    """Whether y is a list of series, rather than a list of numbers."""
    return isinstance(y, list | tuple) and not (y and all(_is_scalar(one) for one in y))


def from_array(y: object, dtype: str) -> Parts:
    """Take one series apart: an array, or a list of numbers.

    Raises:
        KindError: y is nothing that makes an array.
        DataError: y has not one or two axes, is empty, or holds what is no number.
    """
    array = _real(y, Place("panel.y"), position)
    if isinstance(array, Fault):
        raise (KindError if array.id == "panel.kind" else DataError)(array)
    kind: Kind = "vector" if array.ndim == 1 else "matrix"
    with np.errstate(over="ignore"):  # what does not fit into float32 becomes infinite and is named later
        values = np.ascontiguousarray(array, dtype=dtype).reshape(len(array), -1)

    def place(row: int, channel: int | None) -> object:
        return position(row, channel if kind == "matrix" else None)

    names = _channel_names(values.shape[1])
    return Parts(values, offsets_of(np.array([len(array)])), (0,), names, kind, place=place)


def from_list(y: Sequence[object], dtype: str) -> Parts:
    """Take a list of series apart.

    Raises:
        DataError: the list is empty, a series is no array of real numbers, or the channels differ.
    """
    arrays = _each_series(y)
    offsets = offsets_of(np.array([len(array) for array in arrays]))
    n_channels = 1 if arrays[0].ndim == 1 else arrays[0].shape[1]
    values = np.empty((int(offsets[-1]), n_channels), dtype)
    with np.errstate(over="ignore"):
        for array, start, end in zip(arrays, offsets[:-1], offsets[1:], strict=True):
            values[start:end] = array.reshape(len(array), -1)

    def place(row: int, channel: int | None) -> object:
        series = int(np.searchsorted(offsets, row, side="right")) - 1
        return _in_series(series)(row - int(offsets[series]), channel if n_channels > 1 else None)

    return Parts(values, offsets, tuple(range(len(arrays))), _channel_names(n_channels), "list", place=place)


def is_number(one: object) -> bool:
    """Whether an object can be a value: a real number, or missing."""
    return one is None or isinstance(one, numbers.Real | Decimal)


def _is_scalar(one: object) -> bool:
    """Whether an element of a list is one value rather than a series."""
    return isinstance(one, str | bytes) or not hasattr(one, "__len__")


def _channel_names(n_channels: int) -> tuple[str, ...]:
    """Return the names of the channels of an array."""
    return ("y",) if n_channels == 1 else tuple(f"y{channel}" for channel in range(n_channels))


def _each_series(y: Sequence[object]) -> list[NDArray[Any]]:
    """Return the arrays of a list, all of as many axes and channels."""
    if not y:
        raise DataError(fault("panel.no-series"))
    results = [
        _real(one, Place("panel.series", {"series": index}), _in_series(index)) for index, one in enumerate(y)
    ]
    arrays = [one for one in results if not isinstance(one, Fault)]
    wrong = [one for one in results if isinstance(one, Fault)]
    for index, one in enumerate(results):
        if not isinstance(one, Fault) and one.shape[1:] != arrays[0].shape[1:]:
            expected = str(("T", *arrays[0].shape[1:])).replace("'", "")
            wrong.append(fault("panel.channels", series=index, shape=one.shape, expected=expected))
    raise_any(DataError, named(wrong, lambda one: one))
    return arrays


def _in_series(series: int) -> Locate:
    """Return what names a place in one series of a list."""

    def place(row: int, channel: int | None) -> Place:
        values = {"series": series, "position": row, "channel": channel}
        return Place("panel.position-series" if channel is None else "panel.position-series-channel", values)

    return place


def _real(y: object, whole: Place, place: Locate) -> NDArray[Any] | Fault:
    """Return one series as an array of real numbers, 1-D or 2-D and not empty, or what is wrong with it."""
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
    if array.ndim not in (1, 2) or 0 in array.shape:
        return fault("panel.shape", place=whole, shape=array.shape)
    if array.dtype.kind in "biuf":
        return array
    values = array.ravel().tolist()
    strange = next((index for index, one in enumerate(values) if not is_number(one)), None)
    if strange is None:
        return array.astype(np.float64)
    row, channel = (strange, None) if array.ndim == 1 else divmod(strange, array.shape[1])
    return fault("panel.text", place=place(row, channel), value=values[strange])
