"""Where rows stand on the grid of a time step: how many steps after the first row of their series.

Knows NumPy and the step; nothing of files, frames or panels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.timestep import (
    FRIDAY,
    MONTH_END,
    TimeStep,
    business_number,
    calendar,
    in_units,
    numbers_of,
    unit_of,
    weekday,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def positions(
    times: NDArray[Any], offsets: NDArray[np.int64], steps: Sequence[TimeStep]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Count the steps from the first row of a series to each of its rows.

    Shapes:
        times: [N]; offsets: [S + 1]; returns [N] and [N].

    Args:
        times: times as `timestep.normal` gives them.
        offsets: series s is `times[offsets[s] : offsets[s + 1]]`, not empty.
        steps: the step of each series, equal but for the day of the month aimed at.

    Returns:
        The whole number of steps before each row, and which rows stand between two steps.

    Raises:
        ArgumentError: the step does not fit the unit of the times.
    """
    step, unit, lengths = steps[0], unit_of(times), np.diff(offsets)
    astray = np.zeros(times.size, bool)
    if step.unit in ("M", "B") and unit != step.unit:
        parts = calendar(times)
        if step.unit == "B":
            number, astray = business_number(times), weekday(times) > FRIDAY
        else:
            number = parts.month
            aims = np.repeat([own.anchor or 1 for own in steps], lengths)
            astray = parts.day != np.minimum(aims, parts.last_day)
        astray |= parts.clock != np.repeat(parts.clock[offsets[:-1]], lengths)
        count = step.count
    else:
        number, count = numbers_of(times), in_units(step, unit)
    gone = number - np.repeat(number[offsets[:-1]], lengths)
    return gone // count, astray | (gone % count != 0)


def month_days(times: NDArray[Any], offsets: NDArray[np.int64]) -> list[int]:
    """Return the day of the month that each series aims at: its latest, or 31 where all are month ends."""
    parts = calendar(times)
    lengths, at_end = np.diff(offsets), parts.day == parts.last_day
    ends = np.logical_and.reduceat(at_end, offsets[:-1]) & ((lengths > 1) | bool(at_end.all()))
    days: list[int] = np.where(ends, MONTH_END, np.maximum.reduceat(parts.day, offsets[:-1])).tolist()
    return days


def most_frequent(numbers: NDArray[np.int64]) -> int:
    """Return the number that comes most often; the smallest of them."""
    values, counts = np.unique(numbers, return_counts=True)
    return int(values[counts.argmax()])
