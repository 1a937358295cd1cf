"""Features of the time itself, by name: where a point stands in its hour, day, week, month and year.

They are known ahead, as far as anybody likes. A cycle is a pair of sine and cosine, so that its end is near
its beginning. The clock is that of the panel: UTC where times with a zone were brought to UTC.
Knows NumPy and times; nothing of panels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.errors import ArgumentError, DataError, fault, nearest, raise_any
from unrolled.timestep import calendar, unit_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

Numbers = np.ndarray[Any, np.dtype[np.float64]]


def _minute(times: NDArray[Any]) -> Numbers:
    return _whole(times, "m") % 60 / 60


def _hour(times: NDArray[Any]) -> Numbers:
    return _whole(times, "h") % 24 / 24


def _weekday(times: NDArray[Any]) -> Numbers:
    return (_whole(times, "D") + 3) % 7 / 7


def _monthday(times: NDArray[Any]) -> Numbers:
    parts = calendar(times)
    return (parts.day - 1) / parts.last_day


def _month(times: NDArray[Any]) -> Numbers:
    return _whole(times, "M") % 12 / 12


def _quarter(times: NDArray[Any]) -> Numbers:
    return _whole(times, "M") % 12 // 3 / 4


def _yearday(times: NDArray[Any]) -> Numbers:
    day, days = _in_year(times.astype("datetime64[D]"))
    return day / days


def _week(times: NDArray[Any]) -> Numbers:
    """Return the week of ISO 8601, which belongs to the year of its Thursday, as a part of that year."""
    days = times.astype("datetime64[D]")
    thursday = days + (3 - (_whole(days, "D") + 3) % 7).astype("timedelta64[D]")
    day, length = _in_year(thursday)
    # The last Thursday of the year is as many weeks after this one as fit into the days that are left.
    weeks = day // 7 + 1 + (length - 1 - day) // 7
    return (day // 7) / weeks


def _in_year(days: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the day of the year, from 0, and how many days the year has."""
    year = days.astype("datetime64[Y]")
    first = year.astype("datetime64[D]")
    behind = (year + np.timedelta64(1, "Y")).astype("datetime64[D]")
    return (days - first).astype(np.float64), (behind - first).astype(np.float64)


def _whole(times: NDArray[Any], unit: str) -> NDArray[np.int64]:
    """Return how many whole units have gone by since 1970; a coarser unit begins at its first moment."""
    numbers: NDArray[np.int64] = times.astype(f"datetime64[{unit}]").astype(np.int64)
    return numbers


CYCLES: dict[str, Callable[[NDArray[Any]], Numbers]] = {
    "minute": _minute,
    "hour": _hour,
    "weekday": _weekday,
    "monthday": _monthday,
    "week": _week,
    "month": _month,
    "quarter": _quarter,
    "yearday": _yearday,
}
"""The part of its cycle that has gone by at each time, from 0 to below 1, by the name of the feature."""

CALENDAR = (*CYCLES, "weekend")
"""The names that `calendar=` takes."""


def calendar_features(
    times: NDArray[Any] | None, names: Sequence[str]
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Return features of times.

    Formula::

        minute, hour     minute of the hour / 60, hour of the day / 24
        weekday          Monday 0 ... Sunday 6, / 7
        monthday         (day - 1) / days of this month
        week             (ISO week - 1) / ISO weeks of this year
        month, quarter   from 0, / 12 and / 4
        yearday          (day of the year - 1) / days of this year
        each phase       sin(2 pi phase), cos(2 pi phase)
        weekend          1 on Saturday and Sunday, else 0

    Shapes:
        times: [n]; returns [n, F].

    Args:
        times: datetime64; a month stands for its first day.
        names: which features, each once.

    Returns:
        The features, and their names.

    Raises:
        ArgumentError: a name is unknown or comes twice.
        DataError: the times are counted steps, or there are none.

    Example:
        >>> columns, names = calendar_features(np.array(["2024-01-01", "2024-04-06"], "datetime64[D]"),
        ...                                    ["quarter", "weekend"])
        >>> names
        ('quarter_sin', 'quarter_cos', 'weekend')
        >>> columns.round(12).tolist()
        [[0.0, 1.0, 0.0], [1.0, 0.0, 1.0]]
    """
    check_calendar(names)
    if not names:
        return np.empty((0 if times is None else len(times), 0)), ()
    if times is None or times.dtype.kind != "M":
        got = "no times" if times is None else str(times.dtype)
        raise DataError(fault("calendar.no-dates", got=got, names=", ".join(names)))
    days = times.astype("datetime64[D]") if unit_of(times) == "M" else times
    columns: list[Numbers] = []
    said: list[str] = []
    for name in names:
        if name == "weekend":
            columns.append(((_whole(days, "D") + 3) % 7 >= 5).astype(np.float64))
            said.append(name)
            continue
        angle = 2 * np.pi * CYCLES[name](days)
        columns += [np.sin(angle), np.cos(angle)]
        said += [f"{name}_sin", f"{name}_cos"]
    return np.stack(columns, axis=1), tuple(said)


def check_calendar(names: Sequence[str]) -> None:
    """Refuse names of features that are unknown or come twice.

    Raises:
        ArgumentError: all of them at once.
    """
    faults = [
        fault("calendar.unknown", got=name, known=", ".join(CALENDAR), nearest=nearest(str(name), CALENDAR))
        for name in names
        if name not in CALENDAR
    ]
    twice = sorted({name for name in names if list(names).count(name) > 1})
    faults += [fault("calendar.twice", name=name) for name in twice if name in CALENDAR]
    raise_any(ArgumentError, faults)
