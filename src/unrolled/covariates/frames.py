"""Covariates as columns of data frames in long format: pandas, polars, pyarrow, what else narwhals reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals.stable.v1 as nw
import numpy as np

from unrolled.covariates.beside import Covariates, from_columns, name_faults
from unrolled.covariates.columns import (
    Column,
    Strange,
    as_column,
)
from unrolled.covariates.placed import constant, numbers_of, sound, taken
from unrolled.covariates.rows import FutureRows
from unrolled.errors import ArgumentError, DataError, Fault, fault, raise_any
from unrolled.frames import in_memory, series_codes
from unrolled.frametimes import read_times, without_zone, zone_of
from unrolled.parts import arrange, likely_column
from unrolled.places import named
from unrolled.timestep import normal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from unrolled.panel import Panel
    from unrolled.parts import Columns


def from_frame(
    panel: Panel,
    frame: object,
    *,
    past_cols: Sequence[str] = (),
    known_cols: Sequence[str] = (),
    static_cols: Sequence[str] = (),
    static: object = None,
    rows: NDArray[np.int64] | None = None,
) -> Covariates:
    """Return the covariates that stand in columns of the frame that the series came from.

    Shapes:
        rows: [N]

    Args:
        panel: the series, from this frame.
        frame: the frame, in long format.
        past_cols: columns known up to the end of each series.
        known_cols: columns known ahead too; the rows beyond the ends come with `with_future`.
        static_cols: columns that never change within a series; in the long frame or in `static`.
        static: a frame with the id column and the static columns, one row a series, in any order.
        rows: the row of the frame that each row of the panel came from, -1 for one that was put in where
            the frame had none (its covariates are missing). None: the panel holds all rows, series by series.

    Returns:
        The covariates, in the order of the panel's rows.

    Raises:
        ArgumentError: the panel did not come from a table, or not from this one.
        KindError: a frame is not in memory.
        DataError: columns are missing or come twice; a static column changes within a series; a series has no
            static row or two; values are neither numbers nor categories.

    Example:
        >>> import polars
        >>> from unrolled.panel import to_panel
        >>> frame = polars.DataFrame({"unique_id": ["b", "a", "b"], "y": [1.0, 2.0, 3.0], "rain": [4, 5, 6]})
        >>> from_frame(to_panel(frame), frame, past_cols=["rain"]).past["rain"].tolist()
        [4.0, 6.0, 5.0]
    """
    columns = _columns_of(panel)
    read = in_memory(frame)
    aside = None if static is None else in_memory(static)
    faults = name_faults([*past_cols, *known_cols, *static_cols])
    faults += _absent(read, [*past_cols, *known_cols, *(() if aside is not None else static_cols)])
    if aside is not None:
        faults += _absent(aside, [*([columns.id] if columns.id is not None else []), *static_cols])
    raise_any(DataError, faults)
    if rows is None:
        rows = _rows_of(panel, read, columns)
    long = {name: _values(read[name]) for name in (*past_cols, *known_cols)}
    in_series = {name: _values((read if aside is None else aside)[name]) for name in static_cols}
    columns_of = sound({**long, **in_series})
    beside = {name: taken(columns_of[name], rows) for name in long}
    found = {name: columns_of[name] for name in in_series}
    unchanging = constant(panel, found, rows) if aside is None else _aside(panel, aside, columns.id, found)
    past = {name: beside[name] for name in past_cols}
    return from_columns(
        panel, past=past, known={name: beside[name] for name in known_cols}, static=unchanging
    )


def rows_of_future(covariates: Covariates, panel: Panel, future: object) -> FutureRows:
    """Return the rows of a frame of the future; see `with_future`.

    Raises:
        ArgumentError: the panel did not come from a table.
        DataError: columns or times are missing.
    """
    columns = _columns_of(panel)
    frame = in_memory(future)
    keys = [name for name in (columns.id, columns.time) if name is not None]
    raise_any(DataError, _absent(frame, [*keys, *covariates.known]))
    ids = times = None
    if columns.id is not None:
        codes, firsts = series_codes(frame, columns.id)
        ids = (frame[columns.id][firsts].to_list(), codes)
    if columns.time is not None and panel.times is not None:
        if frame[columns.time].is_null().any():
            count = int(frame[columns.time].is_null().sum())
            raise DataError(fault("covariates.future-no-time", column=columns.time, count=count))
        times = _same_clock(frame[columns.time], utc=columns.utc)
    return FutureRows(ids, times, sound({name: _values(frame[name]) for name in covariates.known}))


def _columns_of(panel: Panel) -> Columns:
    """Return what the columns of the panel's table were called."""
    if panel.columns is None:
        raise ArgumentError(fault("covariates.no-table"))
    return panel.columns


def _absent(frame: nw.DataFrame[Any], wanted: Sequence[str]) -> list[Fault]:
    """Describe each column that a frame lacks."""
    known = frame.columns
    said = ", ".join(map(repr, known))
    return [
        fault("covariates.no-column", column=name, known=said, nearest=likely_column(name, known))
        for name in dict.fromkeys(wanted)
        if name not in known
    ]


def _rows_of(panel: Panel, frame: nw.DataFrame[Any], columns: Columns) -> NDArray[np.int64]:
    """Return the row of the frame of each row of a panel that holds all of them."""
    codes, firsts = series_codes(frame, columns.id)
    same = len(frame) == len(panel.values) and len(firsts) == panel.n_series
    if not same:
        raise ArgumentError(fault("covariates.other-frame", rows=len(frame), points=len(panel.values)))
    order, _ = arrange(codes, len(firsts))
    return np.arange(len(frame), dtype=np.int64) if order is None else order


def _values(column: nw.Series[Any]) -> Column | Strange:
    """Return a column of a frame as numbers or categories."""
    if column.dtype.is_numeric():
        whole = column.dtype in (nw.Float32, nw.Float64) and not column.is_null().any()
        return as_column((column if whole else column.cast(nw.Float64)).to_numpy())
    if column.dtype.is_temporal() or column.dtype.is_nested():
        return Strange("covariates.kind", 0, column.dtype)
    present = zip(column.to_list(), column.is_null().to_list(), strict=True)
    if column.dtype not in (nw.String, nw.Boolean, nw.Categorical, nw.Enum):
        return as_column([None if missing else one for one, missing in present])
    values = np.empty(len(column), object)  # all of one kind: no need to look at each
    values[:] = [None if missing else str(one) for one, missing in present]
    return values


def _aside(
    panel: Panel, frame: nw.DataFrame[Any], id_col: str | None, columns: dict[str, Column]
) -> dict[str, Column]:
    """Return one value a series from a frame of one row a series."""
    if id_col is None:
        if len(frame) != 1:
            raise DataError(fault("covariates.static-rows", rows=len(frame)))
        return columns
    numbers = numbers_of(panel, frame[id_col].to_list())
    inside = np.flatnonzero(numbers >= 0)
    counts = np.bincount(numbers[inside], minlength=panel.n_series)
    found = [
        fault("covariates.static-twice", series=panel.ids[one], count=int(counts[one]))
        if counts[one]
        else fault("covariates.static-missing", series=panel.ids[one])
        for one in np.flatnonzero(counts != 1).tolist()
    ]
    raise_any(DataError, named(found, lambda one: one))
    order = inside[np.argsort(numbers[inside])]
    return {name: column[order] for name, column in columns.items()}


def _same_clock(column: nw.Series[Any], *, utc: bool) -> NDArray[Any]:
    """Return times by the clock that the panel goes by: UTC, or the one on the wall."""
    if zone_of(column) is None:
        return read_times(column)[0]
    return normal(without_zone(column, utc=utc))
