"""The page of a forecast: series and forecasts, the network beside the baselines, facts of the network."""

from __future__ import annotations

from dataclasses import replace
from itertools import zip_longest
from typing import TYPE_CHECKING

from unrolled.messages import speaking, text
from unrolled.page.chart import Band, Chart, Line, Span, draw
from unrolled.page.document import (
    best_of,
    data,
    document,
    facts,
    folded,
    heading,
    method_name,
    paragraphs,
    table,
    verdict,
    word,
)
from unrolled.page.numbers import apart, count, is_number, number, rank
from unrolled.page.report import check_report
from unrolled.page.scale import plain_times

if TYPE_CHECKING:
    from collections.abc import Mapping

    from unrolled.page.report import ComparisonReport, ForecastReport, SeriesReport

MOST_CHARTS = 12
"""A page draws at most so many series, and says how many are left."""

MOST_DOTS = 40
"""A forecast of at most so many steps has each of them marked."""

SHORTEST_TAIL, LONGEST_TAIL = 40, 1500
"""At least and at most so many points of history are drawn."""

METRICS = ("mase", "mae", "rmse", "mse", "smape")
"""Metrics in the order of their columns; others follow as they come."""

BASELINE_STYLES = {"naive": 1, "seasonal_naive": 2, "drift": 3, "autoregression": 4}
STYLES_OF_OTHERS = (5, 6)

FACTS = ("hidden_size", "num_layers", "window", "parameters", "epochs", "steps", "seed")
"""Facts of the network that are whole numbers, in the order in which they are shown."""


def forecast_page(report: ForecastReport, *, language: str | None = None) -> str:
    """Return the page of a forecast as one HTML file.

    Args:
        report: what was forecast.
        language: "en" or "zh"; `None` is the language in force.

    Returns:
        The whole file, to be written as UTF-8. The same report gives the same bytes.

    Raises:
        DataError: the report is of another kind, or of a newer version.
    """
    check_report(report, "forecast")
    with speaking(language):
        opening = [heading(1, report["title"]), paragraphs([lead(report)], style="lead")]
        return document(report["title"], "\n".join([*opening, body(report, level=2)]))


def lead(report: ForecastReport) -> str:
    """Return the sentence below the heading."""
    many = len(report["series"]) > 1
    values = {"horizon": count(report["horizon"]), "series": count(len(report["series"]))}
    cell = word("cell", report["network"]["cell"])
    members = report["network"].get("members", 1)
    made = text(
        "page.forecast.made-by-one" if members == 1 else "page.forecast.made-by", cell=cell, members=members
    )
    return text("page.forecast.lead-many" if many else "page.forecast.lead", made=made, **values)


def pictures(report: ForecastReport, *, level: int) -> list[Chart]:
    """Return a picture of each of the first `MOST_CHARTS` series."""
    charts = []
    for i, series in enumerate(report["series"][:MOST_CHARTS]):
        charts.append(_picture(report, series, key=f"series-{i + 1}", level=level))
    if len(report["series"]) == 1:
        name = report["series"][0]["id"]
        known = name == report["title"]
        title = text("page.forecast.series-one") if known else text("page.forecast.series-of", name=name)
        return [replace(charts[0], title=title)]
    return charts


def body(report: ForecastReport, *, level: int) -> str:
    """Return everything below the lead.

    Args:
        report: what was forecast.
        level: of its headings.
    """
    several = len(report["series"]) > 1
    parts = [_facts(report), _how_good(report, level=level)]
    if several:
        parts.append(heading(level, text("page.forecast.series")))
    for series, picture in zip(report["series"], pictures(report, level=level + several), strict=False):
        parts.append(draw(picture))
        summary = text("page.table.numbers-of", name=series["id"]) if several else text("page.table.numbers")
        parts.append(folded(summary, _numbers(series)))
    left = len(report["series"]) - MOST_CHARTS
    if left > 0:
        parts.append(paragraphs([text("page.forecast.more", count=count(left))], style="note"))
    return "\n".join(parts)


def tail_length(horizon: int, season: int | None) -> int:
    """Return how many points of history are drawn: a few seasons, and a few times what is forecast.

    Example:
        >>> tail_length(12, 12), tail_length(48, 24), tail_length(1, None)
        (48, 144, 40)
    """
    return min(max(3 * horizon, 4 * (season or 1), SHORTEST_TAIL), LONGEST_TAIL)


def _picture(report: ForecastReport, series: SeriesReport, *, key: str, level: int) -> Chart:
    """Return the picture of one series: the end of its history, what came, what was forecast."""
    points, steps = len(series["history"]), len(series["forecast"])
    shown = min(tail_length(report["horizon"], report["season"]), points)
    history = series["history"][points - shown :]
    came, joined = series["actual"], history[-1] if history else None
    dots = steps <= MOST_DOTS
    baselines = [
        Line(method_name(name), _style(name, series), shown, values)
        for name, values in series["baselines"].items()
    ]
    truth = [Line(text("page.line.actual"), "actual", shown, came, joined=joined)] if came else []
    caption = "page.forecast.caption-all" if shown == points else "page.forecast.caption-tail"
    return Chart(
        key=key,
        title=series["id"],
        caption=text(caption, points=count(points), shown=count(shown), horizon=count(steps)),
        lines=[
            Line(text("page.line.history"), "history", 0, history),
            *truth,
            *baselines,
            Line(text("page.line.forecast"), "forecast", shown, series["forecast"], dots=dots),
        ],
        span=Span(
            shown - 0.5, shown + steps - 1, text("page.span.held-out" if came else "page.span.forecast")
        ),
        times=_times(series, shown),
        unit=report["unit"],
        level=level,
        bands=[
            Band(text("page.line.interval", level=f"{one['level']:g}"), shown, one["lower"], one["upper"])
            for one in series.get("intervals", [])
        ],
    )


def _style(name: str, series: SeriesReport) -> str:
    """Return the class of a baseline's line: its own where it is well known, else one of those left."""
    others = [other for other in series["baselines"] if other not in BASELINE_STYLES]
    known = BASELINE_STYLES.get(name)
    return f"baseline-{known or STYLES_OF_OTHERS[others.index(name) % len(STYLES_OF_OTHERS)]}"


def _times(series: SeriesReport, shown: int) -> list[str] | None:
    """Return the times of the last `shown` points and of the forecast, or `None` where they have none."""
    if series["times"] is None or series["forecast_times"] is None:
        return None
    start = len(series["times"]) - shown
    return plain_times([*series["times"][start:], *series["forecast_times"]])


def _facts(report: ForecastReport) -> str:
    """Return the facts of the network."""
    network: Mapping[str, object] = report["network"]
    pairs = [(text("page.fact.cell"), word("cell", report["network"]["cell"]))]
    pairs += [(text(f"page.fact.{key}"), _whole(key, network[key])) for key in FACTS if key in network]
    if "strategy" in report["network"]:
        pairs.insert(1, (text("page.fact.strategy"), word("strategy", report["network"]["strategy"])))
    if report["season"]:
        pairs.append((text("page.fact.season"), count(report["season"])))
    seconds = number(report["network"]["seconds"], 3)
    return facts([*pairs, (text("page.fact.seconds"), text("page.fact.seconds-value", seconds=seconds))])


def _whole(key: str, value: object) -> str:
    """Return a whole number of the network; a seed is a name, not a quantity."""
    return count(value) if isinstance(value, int) and key != "seed" else str(value)


def _how_good(report: ForecastReport, *, level: int) -> str:
    """Return the comparison: the verdict, the table, and how to read it."""
    comparison = report["comparison"]
    metrics = _metrics(comparison) if comparison else []
    if comparison is None or not metrics:
        return paragraphs([text("page.forecast.no-truth")])
    held_out = "page.forecast.held-out" if comparison["n_series"] > 1 else "page.forecast.held-out-one"
    scale = method_name("seasonal_naive" if (report["season"] or 1) > 1 else "naive")
    note = [text("page.forecast.mase", method=scale)] if "mase" in metrics else []
    return "\n".join(
        [
            heading(level, text("page.forecast.compare")),
            paragraphs([text(held_out, held=count(comparison["held_out"]))]),
            verdict([*_verdict(comparison, metrics), *_evidence(comparison)]),
            _table(comparison, metrics),
            paragraphs([text("page.forecast.marked"), *note], style="note"),
        ]
    )


def _metrics(comparison: ComparisonReport) -> list[str]:
    """Return the metrics of the comparison in the order of their columns."""
    seen = {metric: None for values in comparison["rows"].values() for metric in values}
    return [metric for metric in METRICS if metric in seen] + [m for m in seen if m not in METRICS]


def _verdict(comparison: ComparisonReport, metrics: list[str]) -> list[str]:
    """Return the sentence that says whether a baseline did better, by the first metric that can tell."""
    network = comparison["rows"].get("network", {})
    judge = comparison.get("judged_by")
    for metric in sorted(metrics, key=lambda metric: metric != judge):
        own = network.get(metric)
        others = {name: row.get(metric) for name, row in comparison["rows"].items() if name != "network"}
        finite = {name: value for name, value in others.items() if is_number(value)}
        if is_number(own) and finite:
            best = min(finite, key=lambda name: finite[name])
            theirs, ours = apart(finite[best], own)
            return [
                text(
                    "page.forecast.better" if finite[best] < own else "page.forecast.best",
                    name=method_name(best),
                    metric=word("metric", metric),
                    value=theirs,
                    network=ours,
                )
            ]
    return [] if any(is_number(value) for value in network.values()) else [text("page.forecast.incomparable")]


def _evidence(comparison: ComparisonReport) -> list[str]:
    """Return the sentences that say how much the comparison is worth."""
    several, sampled_from = comparison["n_series"] > 1, comparison.get("sampled_from")
    sentences = [] if several else [text("comparison.one-series", horizon=count(comparison["held_out"]))]
    if sampled_from:
        values = {"n_series": count(comparison["n_series"]), "total": count(sampled_from)}
        sentences.append(text("comparison.sampled", **values))
    if comparison.get("selected"):
        sentences.append(text("comparison.selected"))
    return sentences


def _table(comparison: ComparisonReport, metrics: list[str]) -> str:
    """Return the table of all methods and metrics, the best of each column marked."""
    rows = comparison["rows"]
    best = {metric: min(rank(row.get(metric)) for row in rows.values()) for metric in metrics}
    cells = [
        [method_name(name), *(best_of(row.get(metric), best[metric]) for metric in metrics)]
        for name, row in sorted(rows.items(), key=lambda item: rank(item[1].get(metrics[0])))
    ]
    head = [text("page.column.method"), *(word("metric", metric) for metric in metrics)]
    several = comparison["n_series"] > 1
    caption = "page.forecast.compare-caption-many" if several else "page.forecast.compare-caption"
    return table(text(caption, series=count(comparison["n_series"])), head, cells, own=method_name("network"))


def _numbers(series: SeriesReport) -> str:
    """Return the table of every step: its time, what came, what each method forecast."""
    times = plain_times(series["forecast_times"]) if series["forecast_times"] else None
    intervals = series.get("intervals", [])
    ends = [end for one in intervals for end in (one["lower"], one["upper"])]
    bounds = [text("page.column.interval", level=f"{one['level']:g}") for one in intervals for _ in range(2)]
    columns = [series["forecast"], *ends, *series["baselines"].values()]
    if series["actual"]:
        columns.insert(0, series["actual"])
    rows = [
        [times[i] if times else str(i + 1), *(data(value) for value in values)]
        for i, values in enumerate(zip_longest(*columns))
    ]
    actual = [text("page.line.actual")] if series["actual"] else []
    first = text("page.column.time" if times else "page.column.step")
    rivals = [method_name(name) for name in series["baselines"]]
    head = [first, *actual, method_name("network"), *bounds, *rivals]
    return table(text("page.forecast.numbers-caption", name=series["id"]), head, rows)
