"""What is known ahead, for the points after each series' end: as arrays, or as rows found by id and time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from unrolled.covariates.arrays import block_of, is_single
from unrolled.covariates.columns import (
    Column,
    Strange,
    as_column,
    empty_column,
    is_categorical,
    missing_in,
    said_time,
    strange_fault,
    where,
)
from unrolled.covariates.placed import numbers_of
from unrolled.covariates.rows import FutureRows
from unrolled.errors import ArgumentError, DataError, Fault, KindError, fault, nearest, raise_any
from unrolled.parts import offsets_of
from unrolled.places import named
from unrolled.timestep import said

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from unrolled.covariates.beside import Covariates
    from unrolled.panel import Panel


def with_future(covariates: Covariates, panel: Panel, future: object, *, horizon: int) -> Covariates:
    """Return the covariates with the known columns of the points that follow each series' end.

    What the known columns hold beyond the ends is replaced; `None` leaves it as it is.

    Shapes:
        future: beside one series [K] or [K, F]; beside several [S, K] for one column, [S, K, F], a list of S
        arrays, or [K] for all of them alike; K at least the horizon. Columns in the order of
        `covariates.known`.

    Args:
        covariates: what is known up to the ends.
        panel: the series that they stand beside.
        future: arrays as above; a dictionary name -> such an array of one column; or a table, as a data frame
            or as `files.read_future` gives it, with the columns of id and time that the series had and every
            known column. Its rows may stand in any order; rows of other series and of other times are left
            alone, but no step may be missing. Where it has no ids, its rows are of every series.
        horizon: the points that must be known in each series.

    Returns:
        The covariates, each series with exactly `horizon` known rows beyond its end.

    Raises:
        ArgumentError: no column is known ahead, or the horizon is below 1.
        KindError: the times of the table are of another kind than those of the series.
        DataError: columns, rows or values are missing or do not fit; all by series, column and time.

    Example:
        >>> from unrolled.covariates import from_arrays
        >>> from unrolled.panel import to_panel
        >>> panel = to_panel([1.0, 2.0])
        >>> found = with_future(from_arrays(panel, known=[10.0, 20.0]), panel, [30.0, 40.0], horizon=2)
        >>> found.known["known_0"].tolist()
        [10.0, 20.0, 30.0, 40.0]
    """
    if future is None:
        return covariates
    if horizon < 1:
        raise ArgumentError(fault("covariates.horizon", horizon=horizon))
    if not covariates.known:
        raise ArgumentError(fault("covariates.no-known"))
    if isinstance(future, FutureRows):
        return _with(covariates, panel, _matched(panel, _checked(covariates, panel, future), horizon))
    if not isinstance(future, list | tuple | np.ndarray | Mapping):
        from unrolled import frames  # narwhals is loaded only where something may be a frame

        if frames.is_frame(future):
            from unrolled.covariates.frames import rows_of_future

            rows = rows_of_future(covariates, panel, future)
            return _with(covariates, panel, _matched(panel, _checked(covariates, panel, rows), horizon))
    return _with(covariates, panel, _from_arrays(covariates, panel, future, horizon))


def _with(covariates: Covariates, panel: Panel, ahead: dict[str, tuple[Column | Strange, int]]) -> Covariates:
    """Return the covariates with the columns ahead, `horizon` rows a series, in place of what was there."""
    faults: list[Fault] = []
    known: dict[str, Column] = {}
    size, horizon = panel.n_series, 0
    length = panel.lengths
    for name, (column, rows) in ahead.items():
        horizon, old = rows, covariates.known[name]
        if isinstance(column, Strange):
            series, step = divmod(column.row, rows)
            place = where(panel, name, series, int(length[series]) + step)
            faults.append(strange_fault(column, place))
            continue
        old, new = alike(old, column)
        if is_categorical(old) != is_categorical(new):
            faults.append(
                fault("covariates.kind-changed", column=name, was=said_kind(old), got=said_kind(new))
            )
            continue
        parts: list[Column] = []
        for series, first in enumerate(covariates.known_offsets[:-1].tolist()):
            parts += [old[first : first + length[series]], new[series * rows : (series + 1) * rows]]
        known[name] = np.concatenate(parts)
        known[name].flags.writeable = False
    raise_any(DataError, faults)
    return replace(covariates, known=known, known_offsets=offsets_of(length + np.full(size, horizon)))


def alike(one: Column, other: Column) -> tuple[Column, Column]:
    """Return two columns of one kind where one of them has no value that says its kind."""
    if is_categorical(one) != is_categorical(other):
        if missing_in(one).all():
            return empty_column(len(one), categorical=is_categorical(other)), other
        if missing_in(other).all():
            return one, empty_column(len(other), categorical=is_categorical(one))
    return one, other


def said_kind(column: Column) -> str:
    """Return what a column holds, for a message."""
    return "text" if is_categorical(column) else "numbers"


def _from_arrays(
    covariates: Covariates, panel: Panel, future: object, horizon: int
) -> dict[str, tuple[Column | Strange, int]]:
    """Return each known column ahead, S x horizon rows."""
    faults: list[Fault] = []
    names = list(covariates.known)
    columns: dict[str, list[NDArray[Any]]] = {}
    if isinstance(future, Mapping):
        given = {str(name): one for name, one in future.items()}
        faults += [fault("covariates.future-column", column=name) for name in names if name not in given]
        faults += [
            fault("covariates.future-other", column=name, nearest=nearest(name, names))
            for name in given
            if name not in names
        ]
        for name in (one for one in names if one in given):
            blocks = _each(panel, name, given[name], 1, horizon, faults)
            columns[name] = [block[:, 0] for block in blocks]
    else:
        blocks = _each(panel, "future", future, len(names), horizon, faults)
        columns = {name: [block[:, index] for block in blocks] for index, name in enumerate(names)}
    raise_any(DataError, faults)
    mixed = {
        name: np.concatenate(
            [part.astype(object) if part.dtype.kind not in "iuf" else part for part in parts]
        )
        for name, parts in columns.items()
    }
    return {name: (as_column(column), horizon) for name, column in mixed.items()}


def _each(
    panel: Panel, part: str, given: object, width: int, horizon: int, faults: list[Fault]
) -> list[NDArray[Any]]:
    """Return [horizon, F] for each series, or none at all and say why."""
    size = panel.n_series
    each: Sequence[object] = [given] * size
    if not is_single(panel) and not _is_flat(given):
        each = cast("Sequence[object]", given)
        if len(each) != size:
            faults.append(fault("covariates.series", part=part, size=size, got=len(each)))
            return []
    blocks: list[NDArray[Any]] = []
    found: list[Fault] = []
    for series, one in enumerate(each):
        block = block_of(one)
        who = {"part": part, "series": panel.ids[series]}
        if block is None:
            found.append(fault("covariates.shape", **who, got=type(one).__name__))
        elif block.shape[1] != width:
            found.append(fault("covariates.width", **who, expected=width, got=block.shape[1]))
        elif len(block) < horizon:
            time = said_time(panel, series, int(panel.lengths[series]) + len(block))
            found.append(fault("covariates.future-short", **who, needed=horizon, got=len(block), time=time))
        else:
            blocks.append(block[:horizon])
    faults += named(found, lambda one: one)
    return [] if found else blocks


def _is_flat(given: object) -> bool:
    """Whether something is one row of values rather than one array a series."""
    if isinstance(given, np.ndarray):
        return given.ndim < 2
    if not hasattr(given, "__len__") or not hasattr(given, "__getitem__"):
        return True
    return all(isinstance(one, str) or not hasattr(one, "__len__") for one in cast("Sequence[object]", given))


def _checked(covariates: Covariates, panel: Panel, rows: FutureRows) -> FutureRows:
    """Return the rows of a table of the future that fits the series.

    Raises:
        KindError: the times are of another kind than those of the series.
        DataError: a column is missing.
    """
    absent = [name for name in covariates.known if name not in rows.columns]
    raise_any(DataError, [fault("covariates.future-column", column=name) for name in absent])
    own, given = panel.columns, rows.times
    if given is None or panel.times is None:
        return rows
    utc = own is not None and own.utc
    if given.dtype.kind != panel.times.dtype.kind or rows.utc not in (None, utc):
        zones = {True: ", UTC", False: "", None: ""}
        said_kinds = {
            "expected": f"{panel.times.dtype}{zones[utc]}",
            "got": f"{given.dtype}{zones[rows.utc]}",
        }
        raise KindError(fault("covariates.future-times", column=own.time if own else "time", **said_kinds))
    return rows


def _matched(panel: Panel, rows: FutureRows, horizon: int) -> dict[str, tuple[Column | Strange, int]]:
    """Return the rows of the steps after each series' end, found by series and time."""
    wanted = panel.future(horizon)
    every = np.arange(len(next(iter(rows.columns.values()))))
    if rows.ids is not None:
        whose = numbers_of(panel, rows.ids[0])[rows.ids[1]]
        order = np.argsort(whose, kind="stable")
        borders = np.searchsorted(whose[order], np.arange(panel.n_series + 1))
    index = np.zeros((panel.n_series, horizon), np.int64)
    faults: list[Fault] = []
    for series in range(panel.n_series):
        own = every if rows.ids is None else order[borders[series] : borders[series + 1]]
        if wanted is None or rows.times is None:
            if own.size < horizon:
                values = {"needed": horizon, "got": own.size, "time": int(panel.lengths[series]) + own.size}
                faults.append(
                    fault("covariates.future-short", part="future", series=panel.ids[series], **values)
                )
            else:
                index[series] = own[:horizon]
            continue
        found = _steps_of(panel, series, wanted[series], own, rows.times)
        if isinstance(found, Fault):
            faults.append(found)
        else:
            index[series] = found
    raise_any(DataError, named(faults, lambda one: one))
    chosen = index.ravel()
    return {name: (rows.columns[name][chosen], horizon) for name in rows.columns}


def _steps_of(
    panel: Panel, series: int, wanted: NDArray[Any], own: NDArray[np.int64], times: NDArray[Any]
) -> NDArray[np.int64] | Fault:
    """Return the rows of one series at the wanted times, or what is wrong with them."""
    who = {"series": panel.ids[series]}
    end = cast("Any", panel.times)[panel.offsets[series + 1] - 1]
    own = own[(times[own] > end) & (times[own] <= wanted[-1])]
    own = own[np.argsort(times[own], kind="stable")]
    there = times[own]
    if there.size == wanted.size and (there == wanted).all():
        return own
    twice = np.flatnonzero(there[1:] == there[:-1])
    if twice.size:
        return fault("covariates.future-twice", **who, time=said(there[twice[0]]), count=twice.size)
    absent = np.flatnonzero(~np.isin(wanted, there))
    if absent.size:
        values = {"time": said(wanted[absent[0]]), "last": said(wanted[-1]), "count": absent.size}
        return fault("covariates.future-missing", **who, **values, needed=wanted.size)
    strange = np.flatnonzero(~np.isin(there, wanted))
    if strange.size:
        step = panel.steps[series]
        return fault(
            "covariates.future-off", **who, time=said(there[strange[0]]), step=step, count=strange.size
        )
    return own
