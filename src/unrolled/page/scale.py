"""Scales: where the ticks of an axis stand and what is written at them. Knows nothing of SVG."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from unrolled.page.numbers import SUPERSCRIPT, is_number

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from unrolled.page.report import Number

LIMIT = 1e300
"""A value beyond this is drawn as if it were missing: its span could not be computed."""

_ISO = re.compile(r"\d{4}-\d\d(-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?)?Z?")
_LEVELS = ((4, slice(0, 4)), (7, slice(0, 7)), (10, slice(0, 10)), (13, slice(5, 16)), (16, slice(5, 16)))
"""How much of an ISO time must change for a tick to stand there, and what of it is written."""


@dataclass(frozen=True)
class Tick:
    """One tick of an axis.

    Attributes:
        at: where it stands, in data units.
        label: what is written at it.
    """

    at: float
    label: str


@dataclass(frozen=True)
class Axis:
    """A linear axis.

    Attributes:
        low: the value at its start.
        high: the value at its end, above `low`.
        ticks: its ticks, all of them between the two.
    """

    low: float
    high: float
    ticks: tuple[Tick, ...]

    def share(self, value: float) -> float:
        """Return how far along the axis `value` lies, 0 at its start and 1 at its end."""
        return (value - self.low) / (self.high - self.low)


def nice_step(span: float, count: int) -> float:
    """Return the smallest of 1, 2, 5 times a power of ten that cuts `span` into at most `count` parts.

    Example:
        >>> nice_step(2.1, 5), nice_step(800.0, 8)
        (0.5, 100.0)
    """
    power = 10.0 ** math.floor(math.log10(span / count))
    return next(m * power for m in (1.0, 2.0, 5.0, 10.0, 20.0) if span / (m * power) <= count * (1 + 1e-9))


def tick_labels(values: Sequence[float], step: float) -> list[str]:
    """Return the labels of ticks that stand `step` apart: as many decimals as the step needs.

    Example:
        >>> tick_labels([-1.0, -0.5, 0.0, 0.5, 1.0], 0.5)
        ['−1.0', '−0.5', '0.0', '0.5', '1.0']
        >>> tick_labels([0.0, 2e9, 4e9], 2e9)
        ['0', '2×10⁹', '4×10⁹']
    """
    top = max(abs(value) for value in values)
    power = math.floor(math.log10(top) + 1e-9) if top else 0
    place = math.floor(math.log10(step) + 1e-9)
    if power > -4 and place < 7:
        return [f"{value:,.{max(-place, 0)}f}".replace("-", "−") for value in values]
    tail = f"×10{str(power).translate(SUPERSCRIPT)}"
    heads = (f"{value / 10.0**power:.{max(power - place, 0)}f}" for value in values)
    return [head.replace("-", "−") + tail if float(head) else "0" for head in heads]


def value_axis(values: Iterable[Number], count: int = 5) -> Axis:
    """Return the axis that holds all `values` that are there and finite, with room around them.

    Args:
        values: what will be drawn.
        count: at most about how many parts the ticks cut the axis into.
    """
    seen = [value for value in values if is_number(value) and abs(value) < LIMIT]
    low, high = (min(seen), max(seen)) if seen else (0.0, 1.0)
    constant = high - low <= 1e-12 * max(abs(low), abs(high))
    room = (0.1 * abs(low) or 1.0) if constant else 0.04 * (high - low)
    low, high = low - room, high + room
    step = nice_step(high - low, count)
    whole = range(math.ceil(low / step), math.floor(high / step) + 1)
    stops = [min(max(i * step, low), high) for i in whole]  # a product may be rounded beyond the end
    labels = tick_labels(stops, step)
    return Axis(low, high, tuple(Tick(at, label) for at, label in zip(stops, labels, strict=True)))


def index_axis(first: int, last: int, count: int = 8) -> Axis:
    """Return the axis of the whole numbers `first` to `last`."""
    high = max(last, first + 1)
    step = max(int(nice_step(high - first, count)), 1)
    stops = range(-(-first // step) * step, high + 1, step)
    return Axis(first, high, tuple(Tick(at, f"{at}") for at in stops))


def time_axis(times: Sequence[str], count: int = 8) -> Axis:
    """Return the axis of `times`, one step each, its ticks where a year, a month, a day or an hour begins.

    Times that are not ISO 8601 are written as they are, evenly spaced.

    Example:
        >>> months = [f"{month:02}-01" for month in range(1, 13)]
        >>> axis = time_axis([f"{year}-{month}" for year in (1958, 1959, 1960) for month in months])
        >>> [(tick.at, tick.label) for tick in axis.ticks]
        [(0, '1958'), (12, '1959'), (24, '1960')]
    """
    high = max(len(times) - 1, 1)
    if not all(_ISO.fullmatch(time) for time in times):
        return Axis(0, high, _even(times, count))
    for level, part in _LEVELS:
        changes = [at for at in range(1, len(times)) if times[at][:level] != times[at - 1][:level]]
        if times and _begins(times[0], level):
            changes.insert(0, 0)
        if len(changes) >= 3:
            thinned = changes[:: -(-len(changes) // count)]
            return Axis(0, high, tuple(Tick(at, times[at][part].replace("T", " ")) for at in thinned))
    return Axis(0, high, _even(times, count))


def plain_times(times: Sequence[str]) -> list[str]:
    """Return `times` without the part that says nothing: midnight everywhere, or no seconds anywhere.

    Example:
        >>> plain_times(["2020-01-01T00:00:00", "2020-01-02T00:00:00"])
        ['2020-01-01', '2020-01-02']
        >>> plain_times(["2020-01-01 06:00:00", "2020-01-01 07:00:00"])
        ['2020-01-01 06:00', '2020-01-01 07:00']
    """
    for pattern, put in ((r"([T ]00:00(:00(\.0+)?)?)$", ""), (r"(?<=\d\d:\d\d)(:00(\.0+)?)$", "")):
        if times and all(re.search(pattern, time) for time in times):
            times = [re.sub(pattern, put, time) for time in times]
    return [time.replace("T", " ") if _ISO.fullmatch(time) else time for time in times]


def shortened(label: str, longest: int = 20) -> str:
    """Return `label`, its end cut off where it is too long to stand in a picture."""
    return label if len(label) <= longest else label[: longest - 1] + "…"


def _even(times: Sequence[str], count: int) -> tuple[Tick, ...]:
    """Return ticks evenly spaced, fewer where their labels are long."""
    labels = [shortened(time) for time in times]
    fitting = count if all(len(label) <= 10 for label in labels) else count // 2
    return tuple(Tick(at, labels[at]) for at in range(0, len(times), max(-(-len(times) // fitting), 1)))


def _begins(time: str, level: int) -> bool:
    """Say whether `time` is the first moment of its year, month, day or hour."""
    rest = time[level:].strip("-T :Z")
    return all(part in ("", "01", "00") for part in re.split(r"[-T :.]", rest))
