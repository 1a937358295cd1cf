"""The time column of a panel: its step is found, and every row is held against it.

Rows of a series must rise by one step, the same for all series of a panel; where gaps are allowed, by a whole
number of steps. What does not fit is named by row.
Knows NumPy only; nothing of files, frames or panels.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.errors import DataError, Fault, fault, raise_any
from unrolled.grid import month_days, most_frequent, positions
from unrolled.places import named, position
from unrolled.timestep import (
    FIXED,
    FRIDAY,
    MONTH_END,
    TimeStep,
    business_number,
    calendar,
    extend,
    fixed_step,
    in_units,
    normal,
    numbers_of,
    said,
    to_text,
    unit_of,
    weekday,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    from unrolled.places import Locate

__all__ = ["TimeStep", "examine", "extend", "find_step", "to_text"]

_MONTH_NS = 28 * FIXED["D"]


def find_step(times: ArrayLike, *, step: TimeStep | None = None) -> TimeStep:
    """Find the step of one series and check every row.

    Months win over days where both fit: 2021-02-01, 2021-03-01 is a month, not 28 days. Where every row is
    the last day of its month, the step goes from month end to month end. Days that leave out all weekends and
    nothing else are business days.

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
    times: NDArray[Any],
    offsets: NDArray[np.int64],
    *,
    place: Locate = position,
    step: TimeStep | None = None,
    gaps: bool = False,
) -> tuple[list[Fault], tuple[TimeStep, ...]]:
    """Find the steps of many series that stand one after the other, or what is wrong with their rows.

    Shapes:
        times: [N]; offsets: [S + 1], no series empty.

    Args:
        times: times as `normal` gives them.
        offsets: series s is `times[offsets[s] : offsets[s + 1]]`.
        place: names a row.
        step: the step that the rows must have, if it is known.
        gaps: whether rows may be missing: the step is then the most common difference, and every row stands
            a whole number of steps after the one before.

    Returns:
        The faults; and one step for each series, equal but for the day of the month aimed at (no faults).

    Raises:
        ArgumentError: the step that is given does not fit the unit of the times.
    """
    if times.dtype.kind == "M" and np.isnat(times).any():
        missing = np.flatnonzero(np.isnat(times))
        return [fault("time.missing", place=place(int(missing[0]), None), count=missing.size)], ()
    _fits(step, times)
    inner = np.ones(max(times.size - 1, 0), bool)
    inner[offsets[1:-1] - 1] = False
    leaps = np.diff(numbers_of(times))
    if (leaps[inner] <= 0).any():
        return _order_faults(times, offsets, np.flatnonzero(inner & (leaps <= 0)) + 1, place), ()
    if step is None and not inner.any():
        return [fault("time.one-row", place=place(0, None), time=said(times[0]))], ()
    wide = None
    for steps in _candidates(times, offsets, inner, step):
        gone, astray = positions(times, offsets, steps)
        if not astray.any():
            if (np.diff(gone)[inner] == 1).all():
                return [], steps
            wide = wide or steps
    if gaps and wide:
        return [], wide
    if gaps:
        return _astray_faults(times, offsets, inner, place, step), ()
    return _irregular_faults(times, offsets, leaps, inner, place, step), ()


def _fits(step: TimeStep | None, times: NDArray[Any]) -> None:
    """Refuse a step that the unit of the times cannot count."""
    unit = unit_of(times)
    if step is None or (step.unit in ("M", "B") and unit in FIXED):
        return
    in_units(step, unit)


def _candidates(
    times: NDArray[Any], offsets: NDArray[np.int64], inner: NDArray[np.bool_], step: TimeStep | None
) -> Iterator[tuple[TimeStep, ...]]:
    """Yield the steps that may be meant, one for each series: months, business days, a fixed length."""
    unit, n_series = unit_of(times), offsets.size - 1
    if step is not None:
        if step.unit != "M" or unit == "M":
            yield (replace(step, anchor=None),) * n_series
        else:
            days = month_days(times, offsets) if step.anchor is None else [step.anchor] * n_series
            yield tuple(TimeStep(step.count, "M", day) for day in days)
        return
    found = np.diff(numbers_of(times))[inner]
    if unit in FIXED:
        months = np.diff(calendar(times).month)[inner]
        if int(found.min()) * FIXED[unit] >= _MONTH_NS and most_frequent(months) > 0:
            yield tuple(TimeStep(most_frequent(months), "M", day) for day in month_days(times, offsets))
        if _weekends_out(times, inner):
            yield (TimeStep(1, "B"),) * n_series
    yield (fixed_step(most_frequent(found), unit),) * n_series


def _weekends_out(times: NDArray[Any], inner: NDArray[np.bool_]) -> bool:
    """Whether rows go from one business day to the next, mostly, and leave out at least one weekend.

    Some of them follow the day before: a Friday and a Monday alone may as well be three days apart.
    """
    days = np.diff(times.astype("datetime64[D]").astype(np.int64))[inner]
    if (weekday(times) > FRIDAY).any() or not (days == 1).any():
        return False
    number = business_number(times)
    weeks = np.diff(number // 5)[inner]
    return bool(weeks.any()) and most_frequent(np.diff(number)[inner]) == 1


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
    leaps: NDArray[np.int64],
    inner: NDArray[np.bool_],
    place: Locate,
    step: TimeStep | None,
) -> list[Fault]:
    """Describe the first row of each series that is not one step after the row before it."""
    steps, wrong = _likely(times, offsets, leaps, inner, step) if inner.any() else ([], inner)
    rows = np.flatnonzero(wrong) + 1
    if not rows.size:  # the rows are one step apart, but not on the days that the step aims at
        return _astray_faults(times, offsets, inner, place, step)

    def describe(found: tuple[int, int]) -> Fault:
        series, row = found
        own = times[offsets[series] : offsets[series + 1]]
        expected = extend(times[row - 1], steps[series], 1)[0]
        if expected == times[row]:  # the row before, the first of its series, is the one astray
            expected = extend(times[row - 1], replace(steps[series], anchor=None), 1)[0]
        values = {"place": place(row, None), "step": steps[series], "got": said(times[row])}
        if offsets.size > 2 and step is None:
            faults, other = examine(own, np.array([0, own.size], np.int64))
            if not faults:
                values["place"] = place(int(offsets[series]), None)
                return fault("time.steps-differ", **values, other=other[0])
        return fault("time.irregular", **values, expected=said(expected))

    return named(_first_of_each(offsets, rows), describe)


def _astray_faults(
    times: NDArray[Any],
    offsets: NDArray[np.int64],
    inner: NDArray[np.bool_],
    place: Locate,
    step: TimeStep | None,
) -> list[Fault]:
    """Describe the first row of each series that stands between two steps."""
    tried = [(own, positions(times, offsets, own)[1]) for own in _candidates(times, offsets, inner, step)]
    steps, wrong = min(tried, key=lambda one: int(one[1].sum()))

    def describe(found: tuple[int, int]) -> Fault:
        series, row = found
        own = steps[series]
        before = times[max(row - 1, int(offsets[series]))]
        pair = np.array([before, times[row]], times.dtype)
        gone = int(positions(pair, np.array([0, 2], np.int64), [own])[0][1])
        around = [extend(before, replace(own, count=own.count * far), 1)[0] for far in (gone, gone + 1)]
        values = {"place": place(row, None), "step": own, "got": said(times[row])}
        return fault("time.astray", **values, before=said(around[0]), after=said(around[1]))

    return named(_first_of_each(offsets, np.flatnonzero(wrong)), describe)


def _likely(
    times: NDArray[Any],
    offsets: NDArray[np.int64],
    leaps: NDArray[np.int64],
    inner: NDArray[np.bool_],
    step: TimeStep | None,
) -> tuple[list[TimeStep], NDArray[np.bool_]]:
    """Return the step that each series most likely should have, and which gaps do not keep it.

    The step is the most frequent one, in months or of fixed length, whichever leaves fewer gaps wrong.
    """
    unit, n_series = unit_of(times), offsets.size - 1
    guesses: list[tuple[list[TimeStep], NDArray[np.bool_]]] = []
    clocks = np.diff(calendar(times).clock) != 0 if unit in FIXED else leaps < 0
    if unit in FIXED and (step is None or step.unit == "M"):
        parts = calendar(times)
        months = np.diff(parts.month)
        count = step.count if step else most_frequent(months[inner])
        aims = [_likely_day(parts.day[a:b], parts.last_day[a:b]) for a, b in pairwise(offsets.tolist())]
        if step and step.anchor is not None:
            aims = [step.anchor] * n_series
        astray = parts.day != np.minimum(np.repeat(aims, np.diff(offsets)), parts.last_day)
        wrong = (months != count) | astray[1:] | clocks
        wrong[offsets[:-1][np.diff(offsets) > 1]] |= astray[offsets[:-1][np.diff(offsets) > 1]]
        if count > 0 and (inner & wrong).any():
            guesses.append(([TimeStep(count, "M", anchor=aim) for aim in aims], inner & wrong))
    if unit in FIXED and (step.unit == "B" if step else _weekends_out(times, inner)):
        count = step.count if step else 1
        wrong = (np.diff(business_number(times)) != count) | (weekday(times) > FRIDAY)[1:] | clocks
        guesses.append(([TimeStep(count, "B")] * n_series, inner & wrong))
    if step is None or step.unit not in ("M", "B") or not guesses:
        fixed = step is not None and (step.unit not in ("M", "B") or unit == step.unit)
        count = in_units(step, unit) if step and fixed else most_frequent(leaps[inner])
        guesses.append(([fixed_step(count, unit)] * n_series, inner & (leaps != count)))
    return min(guesses, key=lambda guess: int(guess[1].sum()))


def _likely_day(day: NDArray[np.int64], last_day: NDArray[np.int64]) -> int:
    """Return the day of the month that a series most likely aims at."""
    return MONTH_END if float(np.mean(day == last_day)) > 0.5 else most_frequent(day)
