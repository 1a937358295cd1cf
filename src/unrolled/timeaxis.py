"""The time column of a panel: its step is found, and every row is held against it.

Rows of a series must rise by one step, the same for all series of a panel. What does not fit is named by row.
Business days are not a step yet: their weekends are gaps, and the fault says so.
Knows NumPy only; nothing of files, frames or panels.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.errors import DataError, Fault, fault, raise_any
from unrolled.places import named, position
from unrolled.timestep import (
    FIXED,
    MONTH_END,
    TimeStep,
    calendar,
    extend,
    fixed_step,
    in_units,
    normal,
    numbers_of,
    said,
    to_text,
    unit_of,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from unrolled.places import Locate

__all__ = ["TimeStep", "examine", "extend", "find_step", "to_text"]

_FRIDAY = 4
_MONTH_NS = 28 * FIXED["D"]


def find_step(times: ArrayLike, *, step: TimeStep | None = None) -> TimeStep:
    """Find the step of one series and check every row.

    Months win over days where both fit: 2021-02-01, 2021-03-01 is a month, not 28 days. Where every row is
    the last day of its month, the step goes from month end to month end.

    Shapes:
        times: [T]

    Args:
        times: whole numbers or datetime64.
        step: the step that the rows must have; needed where there is one row only.

    Returns:
        The step.

    Raises:
        KindError: the times are neither whole numbers nor dates.
        DataError: no row, or one row and no step given; or rows missing, twice, out of order or irregular.

    Example:
        >>> find_step(np.array(["2020-01-31", "2020-02-29", "2020-03-31"], "datetime64[D]"))
        TimeStep(count=1, unit='M', anchor=31)
    """
    array = normal(times)
    if not array.size:
        raise DataError(fault("time.no-rows"))
    faults, steps = examine(array, np.array([0, array.size], np.int64), step=step)
    raise_any(DataError, faults)
    return steps[0]


def examine(
    times: NDArray[Any], offsets: NDArray[np.int64], *, place: Locate = position, step: TimeStep | None = None
) -> tuple[list[Fault], tuple[TimeStep, ...]]:
    """Find the steps of many series that stand one after the other, or what is wrong with their rows.

    Shapes:
        times: [N]; offsets: [S + 1], no series empty.

    Args:
        times: times as `normal` gives them.
        offsets: series s is `times[offsets[s] : offsets[s + 1]]`.
        place: names a row.
        step: the step that the rows must have, if it is known.

    Returns:
        The faults; and one step for each series, equal but for the day of the month aimed at (no faults).
    """
    if times.dtype.kind == "M" and np.isnat(times).any():
        missing = np.flatnonzero(np.isnat(times))
        return [fault("time.missing", place=place(int(missing[0]), None), count=missing.size)], ()
    inner = np.ones(max(times.size - 1, 0), bool)
    inner[offsets[1:-1] - 1] = False
    gaps = np.diff(numbers_of(times))
    if (gaps[inner] <= 0).any():
        return _order_faults(times, offsets, np.flatnonzero(inner & (gaps <= 0)) + 1, place), ()
    if step is None and not inner.any():
        return [fault("time.one-row", place=place(0, None), time=said(times[0]))], ()
    steps = _regular(times, offsets, gaps, inner, step)
    if not steps or (step and (steps[0].count, steps[0].unit) != (step.count, step.unit)):
        return _irregular_faults(times, offsets, gaps, inner, place, step), ()
    return [], steps


def _regular(
    times: NDArray[Any],
    offsets: NDArray[np.int64],
    gaps: NDArray[np.int64],
    inner: NDArray[np.bool_],
    step: TimeStep | None,
) -> tuple[TimeStep, ...] | None:
    """Return one step for each series where all rows keep one, else None; months are tried first."""
    found, unit = gaps[inner], unit_of(times)
    if not found.size:
        return (step,) * (offsets.size - 1) if step else None
    if unit in FIXED and int(found.min()) * FIXED[unit] >= _MONTH_NS and (step is None or step.unit == "M"):
        steps = _monthly(times, offsets, inner)
        if steps:
            return steps
    if (found != found[0]).any():
        return None
    return (fixed_step(int(found[0]), unit),) * (offsets.size - 1)


def _monthly(
    times: NDArray[Any], offsets: NDArray[np.int64], inner: NDArray[np.bool_]
) -> tuple[TimeStep, ...] | None:
    """Return one step of months for each series where all rows keep to the calendar, else None."""
    parts = calendar(times)
    leaps = np.diff(parts.month)[inner]
    if (leaps != leaps[0]).any() or np.diff(parts.clock)[inner].any():
        return None
    at_end = parts.day == parts.last_day
    lengths = np.diff(offsets)
    ends = np.logical_and.reduceat(at_end, offsets[:-1]) & ((lengths > 1) | at_end.all())
    aims = np.where(ends, MONTH_END, np.maximum.reduceat(parts.day, offsets[:-1]))
    if (parts.day != np.minimum(np.repeat(aims, lengths), parts.last_day)).any():
        return None
    kinds = {aim: TimeStep(int(leaps[0]), "M", anchor=aim) for aim in set(aims.tolist())}
    return tuple(kinds[aim] for aim in aims.tolist())


def _order_faults(
    times: NDArray[Any], offsets: NDArray[np.int64], rows: NDArray[np.int64], place: Locate
) -> list[Fault]:
    """Describe the first row of each series that does not come after the row before it."""

    def describe(found: tuple[int, int]) -> Fault:
        series, row = found
        same = np.flatnonzero(times[offsets[series] : row] == times[row])
        values = {"place": place(row, None), "time": said(times[row])}
        if same.size:
            first = int(offsets[series] + same[-1])
            return fault("time.twice", **values, first=place(first, None))
        before = {"before": said(times[row - 1]), "first": place(row - 1, None)}
        return fault("time.unsorted", **values, **before)

    return named(_first_of_each(offsets, rows), describe)


def _first_of_each(offsets: NDArray[np.int64], rows: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Return (series, row) of the first of the rows in each series that has any."""
    series, first = np.unique(np.searchsorted(offsets, rows, side="right") - 1, return_index=True)
    return list(zip(series.tolist(), rows[first].tolist(), strict=True))


def _irregular_faults(
    times: NDArray[Any],
    offsets: NDArray[np.int64],
    gaps: NDArray[np.int64],
    inner: NDArray[np.bool_],
    place: Locate,
    step: TimeStep | None,
) -> list[Fault]:
    """Describe the first row of each series that is not one step after the row before it."""
    steps, wrong = _likely(times, offsets, gaps, inner, step)
    rows = np.flatnonzero(wrong) + 1

    def describe(found: tuple[int, int]) -> Fault:
        series, row = found
        own = times[offsets[series] : offsets[series + 1]]
        expected = extend(times[row - 1], steps[series], 1)[0]
        if expected == times[row]:  # the row before, the first of its series, is the one astray
            expected = extend(times[row - 1], replace(steps[series], anchor=None), 1)[0]
        values = {"place": place(row, None), "step": steps[series], "got": said(times[row])}
        if steps[series] == TimeStep(1, "D") and _over_weekend(own, row - int(offsets[series])):
            return fault("time.business-days", **values, expected=said(expected))
        if offsets.size > 2:
            faults, other = examine(own, np.array([0, own.size], np.int64))
            if not faults:
                values["place"] = place(int(offsets[series]), None)
                return fault("time.steps-differ", **values, other=other[0])
        return fault("time.irregular", **values, expected=said(expected))

    return named(_first_of_each(offsets, rows), describe)


def _likely(
    times: NDArray[Any],
    offsets: NDArray[np.int64],
    gaps: NDArray[np.int64],
    inner: NDArray[np.bool_],
    step: TimeStep | None,
) -> tuple[list[TimeStep], NDArray[np.bool_]]:
    """Return the step that each series most likely should have, and which gaps do not keep it.

    The step is the most frequent one, in months or of fixed length, whichever leaves fewer gaps wrong.
    """
    unit, n_series = unit_of(times), offsets.size - 1
    guesses: list[tuple[list[TimeStep], NDArray[np.bool_]]] = []
    if unit in FIXED and (step is None or step.unit == "M"):
        parts = calendar(times)
        leaps = np.diff(parts.month)
        count = step.count if step else _most_frequent(leaps[inner])
        aims = [_likely_day(parts.day[a:b], parts.last_day[a:b]) for a, b in pairwise(offsets.tolist())]
        astray = parts.day != np.minimum(np.repeat(aims, np.diff(offsets)), parts.last_day)
        wrong = (leaps != count) | astray[1:] | (np.diff(parts.clock) != 0)
        wrong[offsets[:-1][np.diff(offsets) > 1]] |= astray[offsets[:-1][np.diff(offsets) > 1]]
        if count > 0 and (inner & wrong).any():
            guesses.append(([TimeStep(count, "M", anchor=aim) for aim in aims], inner & wrong))
    if step is None or step.unit != "M" or not guesses:
        count = in_units(step, unit) if step else _most_frequent(gaps[inner])
        guesses.append(([fixed_step(count, unit)] * n_series, inner & (gaps != count)))
    return min(guesses, key=lambda guess: int(guess[1].sum()))


def _most_frequent(numbers: NDArray[np.int64]) -> int:
    """Return the number that comes most often; the smallest of them."""
    values, counts = np.unique(numbers, return_counts=True)
    return int(values[counts.argmax()])


def _likely_day(day: NDArray[np.int64], last_day: NDArray[np.int64]) -> int:
    """Return the day of the month that a series most likely aims at."""
    return MONTH_END if float(np.mean(day == last_day)) > 0.5 else _most_frequent(day)


def _over_weekend(times: NDArray[Any], row: int) -> bool:
    """Whether a daily series leaves out all weekends and this row comes after a Friday."""
    weekday = (times.astype("datetime64[D]").astype(np.int64) + 3) % 7
    return bool((weekday <= _FRIDAY).all() and weekday[row - 1] == _FRIDAY)
