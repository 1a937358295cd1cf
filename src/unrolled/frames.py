"""Data frames in and out: pandas, polars, pyarrow and what else narwhals reads, in long or wide layout.

The answer is a frame of the same library with the dtypes of the one that came. narwhals is imported here and
in `frametimes` only; no frame library itself is.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import narwhals.stable.v1 as nw
import numpy as np
from narwhals.exceptions import NarwhalsError

from unrolled.arrays import is_number
from unrolled.errors import DataError, Fault, KindError, fault, raise_any
from unrolled.frametimes import read_times
from unrolled.indexes import into_columns
from unrolled.parts import Columns, Parts, arrange, likely_column
from unrolled.places import Place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from unrolled.places import Locate
    from unrolled.timestep import TimeStep

DEFAULTS = ("unique_id", "ds")
"""The names of the id and the time column that a frame may lack."""


def is_frame(y: object) -> bool:
    """Whether something is a data frame, in memory or not, sound or not."""
    try:
        return isinstance(nw.from_native(y, pass_through=True), nw.DataFrame | nw.LazyFrame)
    except (TypeError, NarwhalsError):
        return True


def is_column(y: object) -> bool:
    """Whether something is one column of a data frame library."""
    try:
        return isinstance(nw.from_native(y, pass_through=True, allow_series=True), nw.Series)
    except (TypeError, NarwhalsError):
        return False


def read_frame(
    y: object,
    dtype: str,
    *,
    id_col: str | None,
    time_col: str | None,
    target_col: str | Sequence[str],
    layout: str = "long",
    step: TimeStep | None = None,
) -> Parts:
    """Take a data frame apart; see `panel.to_panel`. A wide one becomes one series of channels.

    Raises:
        KindError: the frame is not in memory, or ids or times are of a kind that is not understood.
        DataError: columns are missing; or ids, times or numbers do not fit.
    """
    frame = in_memory(y)
    native, index, time_col = into_columns(frame.to_native(), None if layout == "wide" else id_col, time_col)
    if layout == "wide" and not all(isinstance(name, str) for name in frame.columns):
        native = native.set_axis([str(name) for name in native.columns], axis="columns")
        frame = nw.from_native(native, eager_only=True)
    frame = nw.from_native(native, eager_only=True) if index else frame
    if layout == "wide":
        id_col = None
        targets = _wide_targets(frame, time_col, target_col)
    else:
        targets = (target_col,) if isinstance(target_col, str) else tuple(target_col)
    id_col, time_col = _present(frame, id_col, time_col, targets)
    gaps = [
        fault(name, place=_row(int(rows[0]), column), count=rows.size)
        for column, name in ((id_col, "panel.id-missing"), (time_col, "time.missing"))
        if column is not None and (rows := np.flatnonzero(frame[column].is_null().to_numpy())).size
    ]
    values, faults = _values(frame, targets, dtype)
    raise_any(DataError, [*gaps, *faults] if gaps else [])
    codes, firsts = series_codes(frame, id_col)
    order, offsets = arrange(codes, len(firsts))
    times, utc = (None, False) if time_col is None else read_times(frame[time_col], step)
    if order is not None:
        values = values[order]
        times = None if times is None else times[order]
    ids = (0,) if id_col is None else tuple(frame[id_col][firsts].to_list())
    kept = [name for name in (id_col, time_col, targets[0]) if name is not None]
    template = frame[firsts].select(kept).to_native()
    columns = Columns(id_col, time_col, utc, template, "wide" if layout == "wide" else "long", index)
    place = _place(offsets, order, ids, targets, time_col)
    start = (values, offsets, ids, targets, "frame", times, columns, place, faults, order)
    return Parts(*start, partial(_fetch, native), y)  # type: ignore[arg-type]


def read_column(y: object, dtype: str, *, time_col: str | None, step: TimeStep | None) -> Parts:
    """Take one column apart: one series, its times in the index where pandas has any.

    Raises:
        DataError: the column is empty, or numbers or times do not fit.
    """
    column: nw.Series[Any] = nw.from_native(y, series_only=True)
    frame = column.alias("y").to_frame().to_native()
    parts = read_frame(frame, dtype, id_col=None, time_col=time_col, target_col="y", step=step)
    assert parts.columns is not None
    columns = replace(parts.columns, layout="column", name=column.name)
    return parts._replace(kind="vector", columns=columns)


def _fetch(native: Any, name: str) -> NDArray[Any]:
    """Return a column by its name: float64, or objects; see `parts.Origin`.

    Raises:
        DataError: there is no such column.
    """
    frame: nw.DataFrame[Any] = nw.from_native(native, eager_only=True)
    if name not in frame.columns:
        known, near = ", ".join(map(repr, frame.columns)), likely_column(name, frame.columns)
        raise DataError(fault("panel.no-column", column=name, known=known, nearest=near))
    column = frame[name]
    if column.dtype.is_numeric() or column.dtype == nw.Boolean:
        numbers: NDArray[Any] = np.asarray(column.cast(nw.Float64).to_numpy(), np.float64)
        return numbers
    gone = column.is_null().to_list()
    cells = np.empty(len(frame), object)
    cells[:] = [None if null else cell for cell, null in zip(column.to_list(), gone, strict=True)]
    return cells


def _wide_targets(
    frame: nw.DataFrame[Any], time_col: str | None, target_col: str | Sequence[str]
) -> tuple[str, ...]:
    """Return the columns that are series: those that are named, or all that hold numbers.

    A column of objects is taken for one of numbers, so that what is no number in it is named; and so is one
    of which nothing is known, since every cell of it is missing.
    """
    if target_col != "y":
        return (target_col,) if isinstance(target_col, str) else tuple(target_col)
    targets = tuple(
        name
        for name in frame.columns
        if name != time_col
        and (frame[name].dtype.is_numeric() or frame[name].dtype in (nw.Object, nw.Unknown))
    )
    if not targets:
        raise DataError(fault("panel.no-wide", known=", ".join(map(repr, frame.columns))))
    return targets


def in_memory(y: object) -> nw.DataFrame[Any]:
    """Return the frame as narwhals sees it."""
    try:
        frame: nw.DataFrame[Any] = nw.from_native(nw.to_native(y, pass_through=True), eager_only=True)
        frame.columns  # noqa: B018 - two columns of one name are found out here
    except TypeError:
        raise KindError(fault("panel.lazy", kind=type(y).__name__)) from None
    except Exception as error:  # every library has its own kinds
        raise KindError(fault("panel.frame", reason=str(error).split("\n")[0])) from error
    if not len(frame):
        raise DataError(fault("panel.no-rows", columns=", ".join(map(repr, frame.columns))))
    return frame


def _present(
    frame: nw.DataFrame[Any], id_col: str | None, time_col: str | None, targets: Sequence[str]
) -> tuple[str | None, str | None]:
    """Return the id and the time column, `None` for a default that the frame lacks."""
    known = frame.columns
    optional = [
        None if name == default and name not in known else name
        for name, default in zip((id_col, time_col), DEFAULTS, strict=True)
    ]
    wanted = [name for name in (*optional, *targets) if name is not None]
    numbers = [name for name in known if frame[name].dtype.is_numeric()]
    faults = [
        fault(
            "panel.no-column",
            column=name,
            known=", ".join(map(repr, known)),
            nearest=likely_column(name, (name in targets and numbers) or known),
        )
        for name in wanted
        if name not in known
    ]
    twice = sorted({name for name in wanted if wanted.count(name) > 1})
    faults += [fault("panel.column-twice", column=name) for name in twice]
    raise_any(DataError, faults if targets else [fault("panel.no-target")])
    return optional[0], optional[1]


def series_codes(frame: nw.DataFrame[Any], id_col: str | None) -> tuple[NDArray[np.int64], list[int]]:
    """Number the series in the order in which they first appear.

    Returns:
        The number of each row's series, [N], and the first row of each series.
    """
    n = len(frame)
    if id_col is None:
        return np.broadcast_to(np.int64(0), n), [0]
    if frame[id_col].dtype.is_nested():
        raise KindError(fault("panel.id-kind", column=id_col, kind=frame[id_col].dtype))
    starts, names = _runs(frame[id_col])
    known: dict[object, int] = {}
    firsts: list[int] = []
    codes = np.empty(starts.size, np.int64)
    for index, (start, name) in enumerate(zip(starts.tolist(), names, strict=True)):
        codes[index] = known.setdefault(name, len(known))
        if len(firsts) < len(known):
            firsts.append(start)
    return np.repeat(codes, np.diff(np.append(starts, n))), firsts


def _runs(column: nw.Series[Any]) -> tuple[NDArray[np.int64], list[Any]]:
    """Return where runs of one name begin, and the name of each."""
    if column.dtype == nw.String:  # text is compared where it lies: as objects it would take its size anew
        changed = (column[1:] != column[:-1]).to_numpy()
        starts = np.flatnonzero(np.concatenate([[True], changed]))
        return starts, column[starts.tolist()].to_list()
    names = column.to_numpy()
    starts = np.flatnonzero(np.concatenate([[True], names[1:] != names[:-1]]))
    return starts, names[starts].tolist()


def _values(frame: nw.DataFrame[Any], targets: Sequence[str], dtype: str) -> tuple[NDArray[Any], list[Fault]]:
    """Return the numbers of the target columns, [N, C], and the text among them (0 stands for it)."""
    columns, faults = [], []
    for name in targets:
        column = frame[name]
        if column.dtype.is_numeric() or column.dtype == nw.Boolean:
            whole = column.dtype in (nw.Float32, nw.Float64) and not column.is_null().any()
            numbers = (column if whole else column.cast(nw.Float64)).to_numpy()
        else:
            numbers, strange = _from_objects(column.to_list(), column.is_null().to_list())
            if strange:
                row, value = strange[0]
                faults.append(fault("panel.text", place=_row(row, name), value=value, count=len(strange)))
        columns.append(numbers)
    with np.errstate(over="ignore"):  # what does not fit into float32 becomes infinite and is named later
        if len(columns) == 1:
            return np.ascontiguousarray(columns[0], dtype=dtype).reshape(-1, 1), faults
        values = np.empty((len(frame), len(columns)), dtype)
        for channel, numbers in enumerate(columns):
            values[:, channel] = numbers
    return values, faults


def _from_objects(column: list[Any], gone: list[bool]) -> tuple[NDArray[Any], list[tuple[int, Any]]]:
    """Return a column without a numeric dtype as numbers, and the values in it that are none."""
    cells = [None if null or _blank(one) else one for one, null in zip(column, gone, strict=True)]
    strange = [(row, value) for row, value in enumerate(cells) if not is_number(value)]
    for row, _ in strange:
        cells[row] = 0.0
    return np.array(cells, dtype=np.float64), strange


def _blank(cell: Any) -> bool:
    """Whether a cell is empty text."""
    return isinstance(cell, str) and not cell.strip()


def _row(row: int, column: str | None) -> Place:
    """Return the place of a row of the frame."""
    return Place("panel.row", {"row": row, "column": column})


def _place(
    offsets: NDArray[np.int64],
    order: NDArray[np.int64] | None,
    ids: Sequence[object],
    targets: Sequence[str],
    time_col: str | None,
) -> Locate:
    """Return what names a row of the panel as the row of the frame that it came from."""

    def place(row: int, channel: int | None) -> Place:
        own = row if order is None else int(order[row])
        column = time_col if channel is None else targets[channel]
        if len(ids) == 1:
            return _row(own, column)
        series = ids[int(np.searchsorted(offsets, row, side="right")) - 1]
        return Place("panel.row-series", {"row": own, "column": column, "series": series})

    return place
