"""Line charts as inline SVG: axes, lines, shaded spans, labels at the ends of the lines, a legend.

The lines lie in an inner drawing of 1000 x 1000 that stretches with the page, their strokes do not; axes and
labels stand at percentages of the outer drawing, so that text keeps its size from a telephone to a poster. No
element carries a style of its own: `page.css` holds all of them, as the page's security policy asks.

Every line keeps the values it was drawn from (`data-values`), exactly: for the read-out, and for whoever
checks.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING

from unrolled import messages
from unrolled.page.numbers import is_number
from unrolled.page.scale import LIMIT, Axis, index_axis, shortened, time_axis, value_axis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unrolled.page.report import Number

SIDE = 1000
"""The inner drawing is this many units wide and high."""

LABEL_GAP = 0.068
"""Labels at the ends of lines keep this share of the height apart."""

NARROW_EVERY = ((7, 2), (11, 3), (99, 4))
"""On a narrow screen only every so many ticks of the x axis keep their label, by the longest one."""


@dataclass(frozen=True)
class Line:
    """One line of a chart.

    Attributes:
        name: what its label says.
        style: its class in `page.css`: "history", "actual", "forecast", "test", "baseline-1" to "baseline-6".
        start: index of its first value on the x axis.
        values: its values, one an index; the line has a gap where one is missing.
        joined: the value just before `start` that the line comes from, where it continues another.
        dots: whether each value is marked.
    """

    name: str
    style: str
    start: int
    values: Sequence[Number]
    joined: Number = None
    dots: bool = False


@dataclass(frozen=True)
class Band:
    """What lies between two lines, shaded.

    Attributes:
        name: what the read-out and a screen reader call it.
        start: index of its first values on the x axis.
        lower, upper: its ends, one an index; it has a gap where one is missing.
    """

    name: str
    start: int
    lower: Sequence[Number]
    upper: Sequence[Number]


@dataclass(frozen=True)
class Span:
    """A shaded part of the x axis, between two indices, and what its label says."""

    first: float
    last: float
    name: str


@dataclass(frozen=True)
class Chart:
    """A line chart.

    Attributes:
        key: its name among the charts of the page, of letters, digits and dashes.
        title: its heading.
        caption: a sentence that says what is seen.
        lines: drawn in this order, the last on top.
        span: what is shaded, or `None`.
        times: a label for every index from 0 on, or `None` where the index itself is the label.
        unit: what the values count, or `None`.
        level: of the heading in the page, 2 to 6.
        bands: drawn below the lines, the widest first.
    """

    key: str
    title: str
    caption: str
    lines: Sequence[Line]
    span: Span | None = None
    times: Sequence[str] | None = None
    unit: str | None = None
    level: int = 3
    bands: Sequence[Band] = ()


def draw(chart: Chart) -> str:
    """Return the figure of `chart`: heading, caption, legend, drawing, and a line for the read-out.

    Example:
        >>> figure = draw(Chart("one", "A line", "It rises.", [Line("up", "history", 0, [1.0, 2.0])]))
        >>> 'd="M0 962.96L1000 37.04"' in figure
        True
    """
    lines = [line for line in chart.lines if len(line.values)]
    ends = [value for band in chart.bands for value in (*band.lower, *band.upper)]
    y = value_axis([value for line in lines for value in (line.joined, *line.values)] + ends)
    x = _x_axis(lines, chart.times)
    wide = max((len(tick.label) for tick in y.ticks), default=1)
    several = " several" if len(lines) > 1 else ""
    return "\n".join(
        [
            f'<figure class="chart left-{min(max(wide, 2), 16)}{several}">',
            f"<figcaption><h{chart.level}>{escape(chart.title)}</h{chart.level}>"
            f"<p>{escape(chart.caption)}</p></figcaption>",
            _legend(lines),
            f'<p class="unit">{escape(chart.unit or "")}</p>',
            f'<div class="plot" data-first="{x.low}" data-last="{x.high}"{_times(chart.times)}>',
            '<svg role="img" width="100%" height="100%" '
            f'aria-labelledby="{chart.key}-title" aria-describedby="{chart.key}-desc">',
            f'<title id="{chart.key}-title">{escape(chart.title)}</title>',
            f'<desc id="{chart.key}-desc">{escape(_description(chart, lines))}</desc>',
            _span(chart.span, x),
            _axes(x, y),
            f'<svg class="lines" viewBox="0 0 {SIDE} {SIDE}" preserveAspectRatio="none" '
            'width="100%" height="100%" overflow="visible">',
            *(_band(band, x, y) for band in chart.bands),
            *(_line(line, x, y) for line in lines),
            "</svg>",
            '<line class="rule" x1="0" x2="0" y1="0" y2="100%" visibility="hidden"/>',
            *(_names(lines, x, y) if several else []),
            "</svg>",
            "</div>",
            '<p class="readout" aria-hidden="true"></p>',
            "</figure>",
        ]
    )


def _x_axis(lines: Sequence[Line], times: Sequence[str] | None) -> Axis:
    """Return the axis of times where there are any, else of the indices that the lines span."""
    if times is not None:
        return time_axis(times)
    first = min((line.start for line in lines), default=0)
    return index_axis(first, max((line.start + len(line.values) - 1 for line in lines), default=1))


def _times(times: Sequence[str] | None) -> str:
    """Return the attribute that keeps the label of every index."""
    if times is None:
        return ""
    return f' data-times="{escape(json.dumps(list(times), ensure_ascii=False))}"'


def _description(chart: Chart, lines: Sequence[Line]) -> str:
    """Return what a screen reader says of the drawing."""
    return messages.text(
        "page.chart.desc",
        caption=chart.caption,
        names=", ".join([*(line.name for line in lines), *(band.name for band in chart.bands)]),
    )


def _legend(lines: Sequence[Line]) -> str:
    """Return the legend: a list of the lines, each with a piece of it."""
    entries = (
        f'<li><svg class="swatch" width="24" height="10" aria-hidden="true">'
        f'<path class="line {line.style}" d="M2 5H22"/></svg>{escape(line.name)}</li>'
        for line in lines
    )
    return f'<ul class="legend">{"".join(entries)}</ul>'


def _axes(x: Axis, y: Axis) -> str:
    """Return the grid lines and the labels of both axes."""
    parts = []
    for tick in y.ticks:
        at = _percent(1 - y.share(tick.at))
        zero = " zero" if tick.at == 0 else ""
        parts.append(f'<line class="grid{zero}" x1="0" x2="100%" y1="{at}" y2="{at}"/>')
        parts.append(f'<text class="tick y" x="0" y="{at}" dx="-8" dy="4">{escape(tick.label)}</text>')
    longest = max((len(tick.label) for tick in x.ticks), default=0)
    every = next(every for letters, every in NARROW_EVERY if longest <= letters)
    for i, tick in enumerate(x.ticks):
        at, share = _percent(x.share(tick.at)), x.share(tick.at)
        side = " last" if share > 0.95 else " first" if share < 0.05 and longest > 8 else ""
        side += " extra" if i % every else ""
        parts.append(f'<text class="tick x{side}" x="{at}" y="100%" dy="20">{escape(tick.label)}</text>')
    return "\n".join(parts)


def _span(span: Span | None, x: Axis) -> str:
    """Return the shaded span and its label."""
    if span is None:
        return ""
    left, right = (min(max(x.share(at), 0.0), 1.0) for at in (span.first, span.last))
    return (
        f'<rect class="span" x="{_percent(left)}" y="0" width="{_percent(right - left)}" height="100%"/>'
        f'<text class="span-name" x="{_percent((left + right) / 2)}" y="0" dy="-7">{escape(span.name)}</text>'
    )


def _line(line: Line, x: Axis, y: Axis) -> str:
    """Return the path of one line, and of its dots where it has them."""
    shown = [_inside(value, x.share(line.start + i), y) for i, value in enumerate(line.values)]
    before = _inside(line.joined, x.share(line.start - 1), y)
    values = " ".join(repr(float(value)) if is_number(value) else "NaN" for value in line.values)
    path = (
        f'<path class="line {line.style}" data-name="{escape(line.name)}" data-start="{line.start}" '
        f'data-values="{values}" d="{_path([before, *shown])}"/>'
    )
    if line.dots:
        marks = "".join(f"M{point}h0" for point in shown if point)
        path += f'\n<path class="dots {line.style}" d="{marks}"/>'
    return path


def _band(band: Band, x: Axis, y: Axis) -> str:
    """Return the path of a band: along its upper end and back along its lower one, stretch by stretch."""
    pairs = [
        [_inside(value, x.share(band.start + i), y) for value in ends]
        for i, ends in enumerate(zip(band.upper, band.lower, strict=True))
    ]
    parts: list[str] = []
    for whole, stretch in groupby(pairs, key=lambda ends: None not in ends):
        if whole:
            upper, lower = zip(*stretch, strict=True)
            parts.append("M" + "L".join(map(str, (*upper, *reversed(lower)))) + "Z")
    return f'<path class="band" data-name="{escape(band.name)}" d="{"".join(parts)}"/>'


def _inside(value: Number, across: float, y: Axis) -> str | None:
    """Return the place of a value in the inner drawing, or `None` where it cannot be drawn."""
    if not is_number(value) or abs(value) >= LIMIT:
        return None
    return f"{_short(SIDE * across)} {_short(SIDE * (1 - y.share(value)))}"


def _path(points: Sequence[str | None]) -> str:
    """Return a path through `points`, interrupted where one is missing; a point alone becomes a dot."""
    parts = []
    previous = None
    for i, point in enumerate(points):
        if point is not None:
            alone = previous is None and (i + 1 == len(points) or points[i + 1] is None)
            parts.append(("L" if previous else "M") + point + ("h0" if alone else ""))
        previous = point
    return "".join(parts)


def _names(lines: Sequence[Line], x: Axis, y: Axis) -> list[str]:
    """Return the names of the lines: at their ends, moved apart; above the chart where a line ends early."""
    ends, names = [], []
    for line in lines:
        last = next((v for v in reversed(line.values) if is_number(v) and abs(v) < LIMIT), None)
        end = line.start + len(line.values) - 1
        if end < x.high - 1:
            middle = _percent(x.share((line.start + end) / 2))
            names.append(
                f'<text class="name" x="{middle}" y="0" dy="-7">{escape(shortened(line.name))}</text>'
            )
        elif last is not None:
            ends.append((1 - y.share(last), line))
    ends.sort(key=lambda end: end[0])
    places = _apart([place for place, _ in ends])
    return names + [
        f'<svg class="end" x="100%" y="{_percent(place)}" width="1" height="1" overflow="visible">'
        f'<path class="line {line.style}" d="M10 0H30"/>'
        f'<text x="36" y="4">{escape(shortened(line.name))}</text></svg>'
        for place, (_, line) in zip(places, ends, strict=True)
    ]


def _apart(places: Sequence[float], gap: float = LABEL_GAP) -> list[float]:
    """Return rising `places` moved so that none is nearer than `gap` to the next, inside 0 to 1 if room."""
    moved: list[float] = []
    for place in places:
        moved.append(max(place, moved[-1] + gap) if moved else place)
    limit = 1.0
    for i in reversed(range(len(moved))):
        moved[i] = min(moved[i], limit)
        limit = moved[i] - gap
    return moved


def _percent(share: float) -> str:
    """Return a share as a percentage with at most three decimals."""
    return f"{_short(100 * share, 3)}%"


def _short(value: float, decimals: int = 2) -> str:
    """Return `value` with at most `decimals` decimals, and no more than it needs."""
    written = f"{value:.{decimals}f}".rstrip("0").rstrip(".")
    return "0" if written in ("-0", "") else written
