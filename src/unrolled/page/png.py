"""The pictures of a report as PNG files, where matplotlib is installed (`pip install unrolled[plot]`).

The very charts of the page are drawn, by matplotlib's objects and never by `pyplot`, so that no figure of the
caller's is touched.
"""

from __future__ import annotations

import importlib
import importlib.util
import io
import math
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unrolled.atomic import replace_file
from unrolled.messages import language, speaking
from unrolled.page import forecast, tutorial
from unrolled.page.numbers import is_number
from unrolled.page.report import check_report
from unrolled.page.scale import LIMIT, index_axis, shortened, time_axis

if TYPE_CHECKING:
    from os import PathLike

    from unrolled.page.chart import Chart, Line
    from unrolled.page.report import Report

INCHES = (12.0, 4.0)
DOTS_PER_INCH = 100

COLOURS = {
    "history": "#0072b2",
    "actual": "#0072b2",
    "test": "#d55e00",
    "forecast": "#d55e00",
    "baseline-1": "#77736a",
    "baseline-2": "#009e73",
    "baseline-3": "#b07aa0",
    "baseline-4": "#1d2430",
    "baseline-5": "#a87900",
    "baseline-6": "#3f94c8",
}
"""The colours of `page.css` on white paper."""

DASHES = {
    "baseline-1": ":",
    "baseline-3": (0, (7, 3)),
    "baseline-4": (0, (2, 2)),
    "baseline-5": "-.",
    "baseline-6": "--",
}
WIDTHS = {"actual": 3.5, "forecast": 2.0, "test": 2.0, "history": 1.6}
THIN = 1.1

CHINESE_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "PingFang SC",
    "Microsoft YaHei",
    "WenQuanYi Micro Hei",
    "Noto Sans CJK JP",
    "SimHei",
)


def plot_png(report: Report, folder: str | PathLike[str], *, language: str | None = None) -> list[Path]:
    """Write the pictures of a report as PNG files.

    Args:
        report: of any kind: a tutorial gives three pictures, a forecast one a series (the first twelve), a
            demo both.
        folder: where the files go; it must be there.
        language: "en" or "zh"; `None` is the language in force. Where no Chinese font is found, the words in
            the pictures are English.

    Returns:
        The files written: `tutorial-1.png` to `tutorial-3.png`, `series-1.png` and on. An empty list where
        matplotlib is not installed.

    Raises:
        DataError: the report is of an unknown kind, or of a newer version.
        FileError: a file cannot be written; what was there before stays as it was.
    """
    kind = report["kind"] if report.get("kind") in ("tutorial", "forecast") else "demo"
    check_report(report, kind)
    if importlib.util.find_spec("matplotlib") is None:
        return []
    fonts, spoken = _fonts(language)
    with speaking(spoken):
        charts = _charts(report)
    return [_write(chart, Path(folder) / f"{chart.key}.png", fonts=fonts) for chart in charts]


def _charts(report: Report) -> list[Chart]:
    """Return the charts of a report of any kind."""
    if report["kind"] == "tutorial":
        return tutorial.pictures(report, level=2)
    if report["kind"] == "forecast":
        return forecast.pictures(report, level=2)
    return [*_charts(report["tutorial"]), *_charts(report["real"])]


def _fonts(wanted: str | None) -> tuple[list[str], str | None]:
    """Return the fonts to draw with, and the language that they can write."""
    manager = importlib.import_module("matplotlib.font_manager")
    installed = {font.name for font in manager.fontManager.ttflist}
    chinese = [name for name in CHINESE_FONTS if name in installed][:1]
    with speaking(wanted):
        readable = language() == "en" or bool(chinese)
    return ["DejaVu Sans", *chinese], wanted if readable else "en"


def _write(chart: Chart, path: Path, *, fonts: list[str]) -> Path:
    """Draw one chart into one file."""
    matplotlib: Any = importlib.import_module("matplotlib")
    figure_module: Any = importlib.import_module("matplotlib.figure")
    with matplotlib.rc_context({"font.family": fonts, "text.usetex": False}), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a letter that no font here has: it becomes a box
        figure = figure_module.Figure(figsize=INCHES, dpi=DOTS_PER_INCH, layout="constrained")
        axes = figure.add_subplot()
        for line in chart.lines:
            _plot(axes, line)
        _furnish(axes, chart)
        picture = io.BytesIO()
        figure.savefig(picture, format="png", metadata={"Software": None})
    replace_file(path, picture.getvalue())
    return path


def _plot(axes: Any, line: Line) -> None:
    """Draw one line; a dollar sign in its name is a dollar sign."""
    values = [value if is_number(value) and abs(value) < LIMIT else math.nan for value in line.values]
    places = list(range(line.start, line.start + len(values)))
    if is_number(line.joined) and abs(line.joined) < LIMIT:
        places, values = [line.start - 1, *places], [line.joined, *values]
    axes.plot(
        places,
        values,
        color=COLOURS[line.style],
        linestyle=DASHES.get(line.style, "-"),
        linewidth=WIDTHS.get(line.style, THIN),
        alpha=0.55 if line.style == "actual" else 1.0,
        marker="o" if line.dots or len(values) == 1 else None,
        markersize=4,
        label=shortened(line.name, 24).replace("$", r"\$"),
    )


def _furnish(axes: Any, chart: Chart) -> None:
    """Add what stands around the lines: the shaded span, ticks, title, legend."""
    if chart.span is not None:
        axes.axvspan(chart.span.first, chart.span.last, color="#f3f1ea", zorder=0)
    if chart.times is not None:
        ticks = time_axis(chart.times).ticks
        axes.set_xticks([tick.at for tick in ticks])
        axes.set_xticklabels([tick.label for tick in ticks], parse_math=False)
    else:
        first = min(line.start for line in chart.lines)
        last = max(line.start + len(line.values) - 1 for line in chart.lines)
        axes.set_xticks([tick.at for tick in index_axis(first, last).ticks])
    axes.set_title(shortened(chart.title, 80), loc="left", parse_math=False)
    axes.set_ylabel(shortened(chart.unit or "", 40), parse_math=False)
    axes.grid(axis="y", color="#e3e1da")
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.margins(x=0.01)
    if len(chart.lines) > 1:
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
