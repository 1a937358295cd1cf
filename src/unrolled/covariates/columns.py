"""One column of covariates: numbers or categories, and how a place in it is named.

Numbers are float64, NaN where one is missing. Categories are an object array of text, `None` where one is
missing. Knows panels' names and times; must not know where columns come from.
"""

from __future__ import annotations

import numbers
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from unrolled.errors import Fault, fault
from unrolled.places import Place
from unrolled.timeaxis import extend, to_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unrolled.panel import Panel

Column = np.ndarray[Any, np.dtype[Any]]
"""float64, or an object array of str and None, [n]."""


class Strange(NamedTuple):
    """What cannot stand in a column: the id of the fault, the row and the value."""

    id: str
    row: int
    value: object


def is_categorical(column: Column) -> bool:
    """Whether a column holds categories rather than numbers."""
    return column.dtype.kind == "O"


def missing_in(column: Column) -> NDArray[np.bool_]:
    """Return where a column has no value, [n]."""
    if is_categorical(column):
        return np.fromiter((one is None for one in column), bool, len(column))
    return np.isnan(column)


def empty_column(size: int, *, categorical: bool) -> Column:
    """Return a column in which all is missing."""
    return np.full(size, None, object) if categorical else np.full(size, np.nan)


def unmasked(values: Any) -> Any:
    """Return a masked array as objects, `None` for what the mask covers; asarray would lose the mask."""
    if isinstance(values, np.ma.MaskedArray):
        return np.array(values.tolist(), dtype=object)
    return values


def as_column(values: object) -> Column | Strange:
    """Return values as a column, or the first of them that cannot stand in one.

    Args:
        values: an array or a list with one axis. Numbers stay numbers; text and truth values are categories;
            `None`, NaN and what else says so is missing.
    """
    if isinstance(values, list | tuple):  # NumPy would turn 1 beside "x" into text
        return _from_objects(list(values))
    array = np.asarray(unmasked(values))
    if array.dtype.kind in "iuf":
        return _finite(array.astype(np.float64))
    if array.dtype.kind in "bUT":
        return _categories(array.tolist())
    if array.dtype.kind == "O":
        return _from_objects(array.tolist())
    return Strange("covariates.kind", 0, array.dtype)


def _from_objects(values: list[Any]) -> Column | Strange:
    """Return objects as numbers where all are numbers, as categories where all are text or truth values."""
    kinds = [_kind(one) for one in values]
    if "other" in kinds:
        row = kinds.index("other")
        return Strange("covariates.kind", row, values[row])
    present = set(kinds) - {"missing"}
    if len(present) > 1:
        row = max(kinds.index(kind) for kind in present)
        return Strange("covariates.mixed", row, values[row])
    if present == {"label"}:
        return _categories(
            [None if kind == "missing" else one for one, kind in zip(values, kinds, strict=True)]
        )
    column = np.full(len(values), np.nan)
    for row, (one, kind) in enumerate(zip(values, kinds, strict=True)):
        if kind == "number":
            try:
                column[row] = float(one)
            except OverflowError:
                return Strange("covariates.infinite", row, "> 1.8e308")
    return _finite(column)


def _kind(one: object) -> str:
    """Return what a value is: "missing", "label", "number" or "other"."""
    if one is None or type(one).__name__ in ("NAType", "NaTType"):
        return "missing"
    if isinstance(one, str | bool | np.bool_):
        return "label"
    if isinstance(one, numbers.Real | Decimal):
        return "missing" if one != one else "number"  # NaN alone differs from itself
    return "other"


def _categories(values: list[Any]) -> Column:
    """Return labels as an object array of text."""
    column = np.empty(len(values), object)
    column[:] = [None if one is None else str(one) for one in values]
    return column


def _finite(column: Column) -> Column | Strange:
    """Return numbers, or the first that is infinite."""
    infinite = np.isinf(column)
    if infinite.any():
        row = int(infinite.argmax())
        return Strange("covariates.infinite", row, float(column[row]))
    return column


def said_time(panel: Panel, series: int, position: int) -> object:
    """Return a position of a series as its time, beyond its end too; without times as the number it is."""
    if panel.times is None:
        return panel.position(series, position)
    first, length = int(panel.offsets[series]), int(panel.lengths[series])
    if position < length:
        time = panel.times[first + position]
    else:
        time = extend(panel.times[first + length - 1], panel.steps[series], position - length + 1)[-1]
    utc = panel.columns is not None and panel.columns.utc
    return to_text(np.asarray(time).reshape(1), utc=utc)[0]


def where(panel: Panel, column: str, series: int, position: int | None = None) -> Place:
    """Return the place of a column in a series, at one position if it is given."""
    values = {"series": panel.ids[series], "column": column}
    if position is None:
        return Place("covariates.in-series", values)
    if panel.times is None:
        return Place("covariates.at-position", {**values, "position": panel.position(series, position)})
    return Place("covariates.at-time", {**values, "time": said_time(panel, series, position)})


def strange_fault(strange: Strange, place: object) -> Fault:
    """Describe a value that cannot stand in a column."""
    return fault(strange.id, place=place, value=strange.value)
