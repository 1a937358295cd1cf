"""Data frames in and out: pandas, polars, pyarrow and what else narwhals reads, in long format.

One row a time of a series. The answer is a frame of the same library with the dtypes of the one that came.
The only place that imports narwhals; it imports no frame library itself.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import narwhals.stable.v1 as nw
import numpy as np
from narwhals.exceptions import NarwhalsError

from unrolled.arrays import is_number
from unrolled.errors import DataError, Fault, KindError, fault, raise_any
from unrolled.parts import Columns, Parts, arrange, likely_column
from unrolled.places import Place
from unrolled.timestep import calendar, normal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from unrolled.places import Locate

DEFAULTS = ("unique_id", "ds")
"""The names of the id and the time column that a frame may lack."""


def is_frame(y: object) -> bool:
    """Whether something is a data frame, in memory or not, sound or not."""
    try:
        return isinstance(nw.from_native(y, pass_through=True), nw.DataFrame | nw.LazyFrame)
    except (TypeError, NarwhalsError):
        return True


def read_frame(
    y: object, dtype: str, *, id_col: str | None, time_col: str | None, target_col: str | Sequence[str]
) -> Parts:
    """Take a data frame apart; see `panel.to_panel`.

    Raises:
        KindError: the frame is not in memory, or ids or times are of a kind that is not understood.
        DataError: columns are missing; or ids, times or numbers do not fit.
    """
    frame = _in_memory(y)
    targets = (target_col,) if isinstance(target_col, str) else tuple(target_col)
    id_col, time_col = _present(frame, id_col, time_col, targets)
    gaps = [
        fault(name, place=_row(int(rows[0]), column), count=rows.size)
        for column, name in ((id_col, "panel.id-missing"), (time_col, "time.missing"))
        if column is not None and (rows := np.flatnonzero(frame[column].is_null().to_numpy())).size
    ]
    values, faults = _values(frame, targets, dtype)
    raise_any(DataError, [*gaps, *faults] if gaps else [])
    codes, firsts = _codes(frame, id_col)
    order, offsets = arrange(codes, len(firsts))
    times, utc = (None, False) if time_col is None else _times(frame[time_col])
    if order is not None:
        values = values[order]
        times = None if times is None else times[order]
    ids = (0,) if id_col is None else tuple(frame[id_col][firsts].to_list())
    kept = [name for name in (id_col, time_col, targets[0]) if name is not None]
    columns = Columns(id_col, time_col, utc, frame[firsts].select(kept).to_native())
    place = _place(offsets, order, ids, targets, time_col)
    return Parts(values, offsets, ids, targets, "frame", times, columns, place, faults)


def write_frame(
    columns: Columns, future: NDArray[Any] | None, names: Sequence[str], cube: NDArray[Any]
) -> Any:
    """Return forecasts as a frame of the caller's library; see `panel.answer`.

    Shapes:
        future: [S, K]; cube: [S, K, C]; returns S x K rows, series by series.

    Args:
        columns: the columns of the frame that came, with its template.
        future: the times of the forecasts, or `None`.
        names: what the forecasts of each channel are called.
        cube: the forecasts.

    Raises:
        DataError: a time of day does not exist in the zone of the frame, where the clocks change.
    """
    template: nw.DataFrame[Any] = nw.from_native(columns.template, eager_only=True)
    backend = template.implementation
    out: list[nw.Series[Any]] = []
    if columns.id is not None:
        rows = np.repeat(np.arange(cube.shape[0]), cube.shape[1])
        out.append(template[columns.id][rows.tolist()])
    if columns.time is not None and future is not None:
        out.append(_time_column(template[columns.time], future.reshape(-1), utc=columns.utc))
    for channel, name in enumerate(names):
        out.append(nw.new_series(name, cube[:, :, channel].reshape(-1), backend=backend))
    return nw.maybe_reset_index(out[0].to_frame().with_columns(*out[1:])).to_native()


def _in_memory(y: object) -> nw.DataFrame[Any]:
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
    faults = [
        fault(
            "panel.no-column",
            column=name,
            known=", ".join(map(repr, known)),
            nearest=likely_column(name, known),
        )
        for name in wanted
        if name not in known
    ]
    twice = sorted({name for name in wanted if wanted.count(name) > 1})
    faults += [fault("panel.column-twice", column=name) for name in twice]
    raise_any(DataError, faults if targets else [fault("panel.no-target")])
    return optional[0], optional[1]


def _codes(frame: nw.DataFrame[Any], id_col: str | None) -> tuple[NDArray[np.int64], list[int]]:
    """Number the series in the order in which they first appear.

    Returns:
        The number of each row's series, [N], and the first row of each series.
    """
    n = len(frame)
    if id_col is None:
        return np.zeros(n, np.int64), [0]
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
            numbers, strange = _from_objects(column.to_list())
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


def _from_objects(column: list[Any]) -> tuple[NDArray[Any], list[tuple[int, Any]]]:
    """Return a column without a numeric dtype as numbers, and the values in it that are none."""
    strange = [(row, value) for row, value in enumerate(column) if not is_number(value)]
    for row, _ in strange:
        column[row] = 0.0
    return np.array(column, dtype=np.float64), strange


def _times(column: nw.Series[Any]) -> tuple[NDArray[Any], bool]:
    """Return a time column as `normal` times, and whether they are in UTC.

    With a zone, the clock on the wall counts where it always shows the same time (days, months), else UTC.
    """
    utc = False
    if _zone(column) is None:
        times = _plain(column)
    else:
        times = _without_zone(column, utc=False)
        utc = bool((calendar(times).clock != calendar(times[:1]).clock).any())
        times = _without_zone(column, utc=True) if utc else times
    if times.dtype.kind not in "iuM":
        raise KindError(fault("time.kind", kind=f"{column.name!r}: {column.dtype}"))
    return normal(times), utc


def _zone(column: nw.Series[Any]) -> Any:
    """Return the time zone of a column, or `None`.

    narwhals does not know pandas' zones with an underscore in their names (America/New_York): their dtype is
    unknown to it, and pandas' own methods are called here and in the two functions below.
    """
    if isinstance(column.dtype, nw.Datetime):
        return column.dtype.time_zone
    return getattr(getattr(column.to_native(), "dtype", None), "tz", None)


def _without_zone(column: nw.Series[Any], *, utc: bool) -> NDArray[Any]:
    """Return what the clocks show, in UTC or in the zone of the column."""
    if column.dtype == nw.Unknown:
        clock = column.to_native().dt
        times: NDArray[Any] = (clock.tz_convert("UTC").dt if utc else clock).tz_localize(None).to_numpy()
        return times
    return _plain((column.dt.convert_time_zone("UTC") if utc else column).dt.replace_time_zone(None))


def _with_zone(column: nw.Series[Any], template: nw.Series[Any], *, utc: bool) -> nw.Series[Any]:
    """Return the same moments in the zone of the template."""
    zone = _zone(template)
    if template.dtype == nw.Unknown:
        native = column.to_native().dt.tz_localize("UTC" if utc else zone).dt.tz_convert(zone)
        return nw.from_native(native, series_only=True)
    return column.dt.replace_time_zone("UTC" if utc else zone).dt.convert_time_zone(zone)


def _plain(column: nw.Series[Any]) -> NDArray[Any]:
    """Return a time column as NumPy holds it; dates that came as objects are turned."""
    times = column.to_numpy()
    dates = times.dtype == object and all(type(one) is datetime.date for one in times)
    return times.astype("datetime64[D]") if dates else times


def _time_column(template: nw.Series[Any], future: NDArray[Any], *, utc: bool) -> nw.Series[Any]:
    """Return future times as a column with the name and the dtype of the template."""
    dtype, native, backend = template.dtype, template.to_native(), template.implementation
    if dtype == nw.Object:
        return nw.new_series(template.name, future.astype(object), backend=backend)
    column = nw.new_series(template.name, future, backend=backend)
    if _zone(template) is not None:
        try:
            column = _with_zone(column, template, utc=utc)
        except Exception as error:  # every library has its own kinds
            reason = str(error).split("\n")[0]
            raise DataError(fault("time.no-such-clock", zone=_zone(template), reason=reason)) from error
    if dtype != nw.Unknown:
        column = column.cast(dtype)
    if hasattr(native, "astype") and column.to_native().dtype != native.dtype:  # pandas has more dtypes
        return nw.from_native(column.to_native().astype(native.dtype), series_only=True)
    return column


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
