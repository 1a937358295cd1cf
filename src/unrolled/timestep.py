"""One step of the time axis: what it is, how it is said in words, how it is continued into the future.

Times are int64 (counted steps, years) or datetime64 of any unit from months to nanoseconds, without a zone.
A step is a fixed length (3 hours, 7 days), a number of business days (Monday to Friday), or a number of
months that aims at a day of the month. The last day of the month is aimed at by 31, so that 2020-01-31 is
followed by 2020-02-29, and that by 2020-03-31.
Knows NumPy only; nothing of files, frames or panels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

import numpy as np

from unrolled import messages
from unrolled.errors import ArgumentError, DataError, KindError, fault

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Unit = Literal["step", "M", "B", "D", "h", "m", "s", "ms", "us", "ns"]

MONTH_END = 31
"""The day aimed at by a step from month end to month end."""

FIXED: dict[Unit, int] = {
    "D": 86_400_000_000_000,
    "h": 3_600_000_000_000,
    "m": 60_000_000_000,
    "s": 1_000_000_000,
    "ms": 1_000_000,
    "us": 1_000,
    "ns": 1,
}
"""The units of fixed length, from long to short, in nanoseconds."""

FRIDAY = 4
"""The weekday of a Friday, Monday being 0."""

_WORDS = {"M": "month", "B": "business-day", "D": "day", "h": "hour", "m": "minute", "s": "second"}
_INT64 = np.iinfo(np.int64)


@dataclass(frozen=True)
class TimeStep:
    """The distance from one row to the next.

    Args:
        count: how many units, at least 1.
        unit: "step" for integers, "M" for months, "B" for business days (Monday to Friday), else a fixed
            length: "D", "h", "m", "s", "ms", "us", "ns".
        anchor: with "M", the day of the month aimed at (31: the last day); a shorter month ends earlier.
            `None`: the day of the row that is continued.

    Example:
        >>> str(TimeStep(12, "M", anchor=31))
        '1 year'
    """

    count: int
    unit: Unit
    anchor: int | None = None

    def __str__(self) -> str:
        """Return the step in words."""
        count, word = self.count, _WORDS.get(self.unit, self.unit)
        if self.unit == "M" and count % 12 == 0:
            count, word = count // 12, "year"
        plural = "s" if count != 1 and len(word) > 2 else ""
        return messages.text(f"time.{word}{plural}", count=count)

    @property
    def season(self) -> int | None:
        """The usual period, in steps: a year of months, a week of days, a day of hours; `None` if unknown."""
        if self.unit in ("D", "B"):
            return {"D": {1: 7, 7: 52}, "B": {1: 5}}[self.unit].get(self.count)
        whole = {"M": 12, "h": 24, "m": 1440}.get(self.unit, 0)
        return whole // self.count if whole > self.count and whole % self.count == 0 else None


def unit_of(times: NDArray[Any]) -> Unit:
    """Return the unit in which a time axis counts."""
    return cast("Unit", np.datetime_data(times.dtype)[0]) if times.dtype.kind == "M" else "step"


def normal(times: ArrayLike) -> NDArray[Any]:
    """Return times as int64 or datetime64 of a unit that this module knows; years become months, weeks days.

    Args:
        times: whole numbers or datetime64 of any unit.

    Returns:
        The times themselves, without a copy where they are already as they should be.

    Raises:
        KindError: the times are neither whole numbers nor dates.
    """
    array = np.asarray(times)
    if array.dtype.kind in "iu":
        if array.dtype.kind == "u" and array.size and int(array.max()) > _INT64.max:
            raise KindError(fault("time.kind", kind="uint64 > 2^63"))
        return array.astype(np.int64, copy=False)
    if array.dtype.kind == "M":
        unit = {"Y": "M", "W": "D"}.get(unit_of(array), unit_of(array))
        if unit == "M" or unit in FIXED:
            return array.astype(f"datetime64[{unit}]", copy=False)
    raise KindError(fault("time.kind", kind=array.dtype))


def numbers_of(times: NDArray[Any]) -> NDArray[np.int64]:
    """Return `normal` times as the integers that they are counted by, without a copy."""
    numbers: NDArray[np.int64] = times.view(np.int64)
    return numbers


class Calendar(NamedTuple):
    """Times taken apart: month (from 1970), day of the month (from 1), its last day, and the time of day."""

    month: NDArray[np.int64]
    day: NDArray[np.int64]
    last_day: NDArray[np.int64]
    clock: NDArray[np.int64]


def calendar(times: NDArray[Any]) -> Calendar:
    """Take datetime64 times of unit day or finer apart."""
    month = times.astype("datetime64[M]")
    date = times.astype("datetime64[D]")
    day = (date - month.astype("datetime64[D]")).astype(np.int64) + 1
    clock = (times - date.astype(times.dtype)).astype(np.int64)
    return Calendar(month.astype(np.int64), day, _last_days(month), clock)


def _last_days(month: NDArray[Any]) -> NDArray[np.int64]:
    """Return the number of days of each datetime64[M]."""
    length = (month + np.timedelta64(1, "M")).astype("datetime64[D]") - month.astype("datetime64[D]")
    days: NDArray[np.int64] = length.astype(np.int64)
    return days


def weekday(times: NDArray[Any]) -> NDArray[np.int64]:
    """Return the weekday of datetime64 times, Monday being 0."""
    days: NDArray[np.int64] = (times.astype("datetime64[D]").astype(np.int64) + 3) % 7
    return days


def business_number(times: NDArray[Any]) -> NDArray[np.int64]:
    """Return datetime64 times counted in business days, Monday to Friday; a weekend counts as its Friday."""
    days = times.astype("datetime64[D]").astype(np.int64) + 3  # from Monday, 1969-12-29
    number: NDArray[np.int64] = days // 7 * 5 + np.minimum(days % 7, FRIDAY)
    return number


def fixed_step(count: int, unit: Unit) -> TimeStep:
    """Return a step of `count` units, said in the longest unit that divides it: 7200 s is 2 h."""
    if unit not in FIXED:
        return TimeStep(count, unit)
    length = count * FIXED[unit]
    longest = next(name for name, size in FIXED.items() if length % size == 0)
    return TimeStep(length // FIXED[longest], longest)


def extend(last: ArrayLike, step: TimeStep, horizon: int) -> NDArray[Any]:
    """Continue a time axis.

    `last + step, last + 2 step, ..., last + K step`; months are counted on the calendar and aim at the
    step's anchor every time, so that a short month does not shift the ones after it.

    Shapes:
        last: any shape; returns that shape and one axis more, of length K.

    Args:
        last: the last time of a series, or of several series.
        step: the step, from `find_step` or given.
        horizon: how many times to add, K.

    Returns:
        The times, of the kind and unit of `last`.

    Raises:
        ArgumentError: the step does not fit the times: it is finer than their unit, or of another kind.
        DataError: the future does not fit into 64 bits of that unit.

    Example:
        >>> extend(np.datetime64("2020-01-31"), TimeStep(1, "M", anchor=31), 2).astype(str).tolist()
        ['2020-02-29', '2020-03-31']
    """
    start = normal(last)
    unit = unit_of(start)
    counts = np.arange(1, horizon + 1, dtype=np.int64)
    if step.unit in ("M", "B") and unit != step.unit:
        return _extend_dates(start, step, counts)
    gap = in_units(step, unit)
    numbers = numbers_of(start)
    if start.size and horizon and int(numbers.max()) + gap * horizon > _INT64.max:
        raise DataError(fault("time.overflow", time=said(start.max()), step=step, horizon=horizon, unit=unit))
    future: NDArray[Any] = (numbers[..., None] + gap * counts).view(start.dtype)
    return future


def in_units(step: TimeStep, unit: Unit) -> int:
    """Return the length of a step in the unit of the times."""
    if step.unit == unit:
        return step.count
    if step.unit in FIXED and unit in FIXED and step.count * FIXED[step.unit] % FIXED[unit] == 0:
        return step.count * FIXED[step.unit] // FIXED[unit]
    raise ArgumentError(fault("time.step-kind", step=step, unit=unit))


def _extend_dates(start: NDArray[Any], step: TimeStep, counts: NDArray[np.int64]) -> NDArray[Any]:
    """Continue dates by whole months, or by business days."""
    if unit_of(start) not in FIXED:
        raise ArgumentError(fault("time.step-kind", step=step, unit=unit_of(start)))
    parts = calendar(start)
    if step.unit == "B":
        number = business_number(start)[..., None] + step.count * counts
        date = (number // 5 * 7 + number % 5 - 3).astype("datetime64[D]")
    else:
        month = (parts.month[..., None] + step.count * counts).astype("datetime64[M]")
        aim = parts.day[..., None] if step.anchor is None else step.anchor
        day = np.minimum(aim, _last_days(month))
        date = month.astype("datetime64[D]") + (day - 1).astype("timedelta64[D]")
    clock = parts.clock.astype(f"timedelta64[{unit_of(start)}]")

    def beyond() -> DataError:
        values = {"step": step, "horizon": len(counts), "unit": unit_of(start)}
        return DataError(fault("time.overflow", time=said(start.max()), **values))

    try:
        future: NDArray[Any] = date.astype(start.dtype) + clock[..., None]
    except OverflowError as error:  # NumPy before 2.5 wraps around instead
        raise beyond() from error
    if not np.array_equal(future.astype("datetime64[D]"), date):
        raise beyond()
    return future


def to_text(times: NDArray[Any], *, utc: bool = False) -> list[Any]:
    """Return times as a person writes them: integers as they are, dates as ISO text.

    Dates keep the resolution in which they came; fractions of a second are shown where one of them has any.

    Args:
        times: times of any kind that `normal` gives, 1-D.
        utc: whether the times came with a zone and were brought to UTC; dates with a time of day end in Z.
    """
    unit = unit_of(times)
    if unit == "step":
        numbers: list[int] = times.tolist()
        return numbers
    if unit == "h":
        unit = "m"  # an hour without minutes is no ISO text
    elif unit in ("ms", "us", "ns"):
        coarser: tuple[Unit, ...] = ("s", "ms", "us", "ns")
        unit = next(name for name in coarser if np.array_equal(times.astype(f"datetime64[{name}]"), times))
    zone = "Z" if utc and unit not in ("M", "D") else ""
    return [text + zone for text in np.datetime_as_string(times, unit=cast("Any", unit)).tolist()]


def said(time: Any) -> Any:
    """Return one time as `to_text` writes it, for a message."""
    return to_text(np.asarray(time).reshape(1))[0]
