"""Rows that are missing in a time axis are put in, their values missing, so that every series is regular."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from unrolled.errors import DataError, fault
from unrolled.grid import positions
from unrolled.parts import Parts, offsets_of
from unrolled.timestep import extend

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unrolled.timestep import TimeStep

_FREE = 1_000_000
"""So many rows may always be added."""

_SHARE = 20
"""Beyond that, so many for each row that came: what is more comes from a time that is wrong."""


def filled(parts: Parts, steps: Sequence[TimeStep]) -> Parts:
    """Put in the rows that are missing; see `panel.to_panel`.

    Args:
        parts: series with times, every row a whole number of steps after the row before.
        steps: the step of each series.

    Returns:
        The parts, regular, `rows` being -1 for every row put in; the same parts where none is missing.

    Raises:
        DataError: far more rows would be added than there are.
    """
    times, offsets = parts.times, parts.offsets
    assert times is not None
    gone, _ = positions(times, offsets, steps)
    lengths = gone[offsets[1:] - 1] + 1
    count, given = int(lengths.sum()) - times.size, times.size
    if not count:
        return parts
    most = max(_FREE, _SHARE * given)
    if count > most:
        widest = int(np.argmax(np.where(np.arange(given) == 0, 0, np.diff(gone, prepend=0))))
        where = parts.place(widest, None)
        raise DataError(fault("time.too-many", place=where, count=count, most=most, step=steps[0]))
    new_offsets = offsets_of(lengths)
    at = gone + np.repeat(new_offsets[:-1], np.diff(offsets))
    source = np.full(given + count, -1, np.int64)
    source[at] = np.arange(given)
    values = np.full((given + count, parts.values.shape[1]), np.nan, parts.values.dtype)
    values[at] = parts.values
    new_times = np.empty(given + count, times.dtype)
    new_times[at] = times
    for series in np.flatnonzero(lengths > np.diff(offsets)).tolist():
        first, end = new_offsets[series : series + 2].tolist()
        new_times[first + 1 : end] = extend(times[offsets[series]], steps[series], end - first - 1)
    before = np.maximum.accumulate(source)

    def place(row: int, channel: int | None) -> object:
        return parts.place(int(before[row]), channel)

    rows = source if parts.rows is None else np.where(source < 0, -1, parts.rows[source])
    return parts._replace(values=values, offsets=new_offsets, times=new_times, rows=rows, place=place)


def filled_counts(parts: Parts) -> tuple[tuple[object, int], ...]:
    """Return the series into which rows were put, and how many."""
    if parts.rows is None:
        return ()
    counts = np.add.reduceat((parts.rows < 0).astype(np.int64), parts.offsets[:-1])
    return tuple((parts.ids[series], int(counts[series])) for series in np.flatnonzero(counts).tolist())
