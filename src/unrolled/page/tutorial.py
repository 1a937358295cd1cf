"""The page of the tutorial's job: three pictures, the loss of every epoch, the network beside baselines."""

from __future__ import annotations

import math
from itertools import zip_longest
from typing import TYPE_CHECKING

from unrolled.messages import speaking, text
from unrolled.page.chart import Chart, Line, Span, draw
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
)
from unrolled.page.numbers import count, is_number, number, rank
from unrolled.page.report import check_report

if TYPE_CHECKING:
    from unrolled.page.report import Number, TutorialReport

ZOOM = 100
"""The third picture shows the last so many points, as the tutorial does."""

POINTS_PER_ROW = 10
BAR_WIDTH = 100


def tutorial_page(report: TutorialReport, *, language: str | None = None) -> str:
    """Return the page of the tutorial's job as one HTML file.

    Args:
        report: what happened.
        language: "en" or "zh"; `None` is the language in force.

    Returns:
        The whole file, to be written as UTF-8. The same report gives the same bytes.

    Raises:
        DataError: the report is of another kind, or of a newer version.
    """
    check_report(report, "tutorial")
    with speaking(language):
        opening = [heading(1, title(report)), paragraphs([lead(report)], style="lead")]
        return document(title(report), "\n".join([*opening, body(report, level=2)]))


def title(report: TutorialReport) -> str:
    """Return the heading of the tutorial's job."""
    return text("page.tutorial.title")


def lead(report: TutorialReport) -> str:
    """Return the sentence below the heading."""
    return text("page.tutorial.lead", points=count(len(report["series"])), held=count(report["n_test"]))


def pictures(report: TutorialReport, *, level: int) -> list[Chart]:
    """Return the tutorial's three pictures: the series, its split, the forecast of its end."""
    series, points = report["series"], len(report["series"])
    train = points - report["n_test"]
    first = max(points - ZOOM, 0)
    counts = {"points": count(points), "period": count(report["period"]), "held": count(report["n_test"])}
    whole = Chart(
        key="tutorial-1",
        title=text("page.picture.series"),
        caption=text("page.picture.series-caption", **counts),
        lines=[Line(text("page.line.series"), "history", 0, series)],
        level=level,
    )
    split = Chart(
        key="tutorial-2",
        title=text("page.picture.split"),
        caption=text("page.picture.split-caption", train=count(train), **counts),
        lines=[
            Line(text("page.line.train"), "history", 0, series[:train]),
            Line(text("page.line.test"), "test", train, series[train:], joined=series[train - 1]),
        ],
        level=level,
    )
    forecast = Chart(
        key="tutorial-3",
        title=text("page.picture.forecast"),
        caption=text("page.picture.forecast-caption", first=count(first), last=count(points - 1)),
        lines=[
            Line(text("page.line.actual"), "history", first, series[first:]),
            Line(text("page.line.forecast"), "forecast", train, report["forecast"]),
        ],
        span=Span(train, points - 1, text("page.span.held-out")),
        level=level,
    )
    return [whole, split, forecast]


def body(report: TutorialReport, *, level: int) -> str:
    """Return everything below the lead.

    Args:
        report: what happened.
        level: of its headings.
    """
    series, split, forecast = (draw(picture) for picture in pictures(report, level=level))
    return "\n".join(
        [
            _facts(report),
            paragraphs([text("page.tutorial.one-network", window=count(report["window"]))]),
            series,
            split,
            folded(text("page.table.numbers"), _points(report)),
            paragraphs(_training(report)),
            _losses(report),
            forecast,
            folded(text("page.table.numbers"), _forecasts(report)),
            heading(level, text("page.tutorial.what-happened")),
            paragraphs(_outcome(report)),
            verdict(_verdict(report)),
            _comparison(report),
        ]
    )


def better_baselines(report: TutorialReport) -> list[str]:
    """Return the names of the baselines whose error is below the network's, the best first."""
    errors = {name: baseline["mse"] for name, baseline in report["baselines"].items()}
    finite = {name: error for name, error in errors.items() if is_number(error)}
    mse = report["test_mse"]
    bound = mse if is_number(mse) else math.inf
    return sorted((name for name in finite if finite[name] < bound), key=lambda name: finite[name])


def _facts(report: TutorialReport) -> str:
    """Return the figures on top."""
    pairs = [(text("page.tutorial.fact-mse"), number(report["test_mse"]))]
    for name in better_baselines(report)[:1]:
        pairs.append(
            (
                text("page.tutorial.fact-best", name=method_name(name)),
                number(report["baselines"][name]["mse"]),
            )
        )
    return facts(
        [
            *pairs,
            (text("page.fact.parameters"), count(report["parameters"])),
            (text("page.fact.hidden_size"), count(report["hidden_size"])),
            (text("page.fact.window"), count(report["window"])),
            (text("page.fact.seed"), str(report["seed"])),
            (
                text("page.fact.seconds"),
                text("page.fact.seconds-value", seconds=number(report["seconds"], 3)),
            ),
        ]
    )


def _training(report: TutorialReport) -> list[str]:
    """Return the sentences on training."""
    losses, done = report["losses"], len(report["losses"])
    windows = len(report["series"]) - report["n_test"] - report["window"]
    sentences = [
        text(
            "page.tutorial.training",
            steps=count(windows * done),
            windows=count(windows),
            epochs=count(done),
            lr=f"{report['lr']:g}",
            seconds=number(report["seconds"], 3),
        )
    ]
    if done < report["epochs"]:
        sentences.append(text("page.tutorial.stopped", done=count(done), epochs=count(report["epochs"])))
    finite = [(loss, i + 1) for i, loss in enumerate(losses) if is_number(loss)]
    if finite:
        best, epoch = min(finite)
        values = {"first": number(losses[0]), "last": number(losses[-1]), "best": number(best)}
        sentences.append(text("page.tutorial.losses", epoch=epoch, **values))
    return sentences


def _outcome(report: TutorialReport) -> list[str]:
    """Return the sentences on the forecast."""
    if not is_number(report["test_mse"]):
        return [text("page.tutorial.failed")]
    return [
        text("page.tutorial.recursive", held=count(report["n_test"]), mse=number(report["test_mse"])),
    ]


def _verdict(report: TutorialReport) -> list[str]:
    """Return the sentences that say which methods did better than the network, and why."""
    better = better_baselines(report)
    if not better:
        return [text("page.tutorial.unbeaten")] if is_number(report["test_mse"]) else []
    methods = text("page.tutorial.list-comma").join(_method(report, name) for name in better)
    sentences = [text("page.tutorial.beaten", methods=methods)]
    if {"seasonal_naive", "autoregression"} & set(better):
        values = {"period": count(report["period"]), "parameters": count(report["parameters"])}
        sentences.append(text("page.tutorial.why", **values))
    return sentences


def _method(report: TutorialReport, name: str) -> str:
    """Return a baseline's name, its error, and how many numbers it learnt where that is known."""
    baseline = report["baselines"][name]
    values = {"name": method_name(name), "mse": number(baseline["mse"])}
    if "parameters" in baseline:
        return text("page.tutorial.method-parameters", parameters=count(baseline["parameters"]), **values)
    return text("page.tutorial.method", **values)


def _losses(report: TutorialReport) -> str:
    """Return the table of the loss of every epoch, each with a bar on a logarithmic scale."""
    logs = [math.log10(loss) if is_number(loss) and loss > 0 else None for loss in report["losses"]]
    seen = [log for log in logs if log is not None]
    low, high = (math.floor(min(seen)), math.ceil(max(seen))) if seen else (0, 1)
    rows = []
    for i, (loss, log) in enumerate(zip(report["losses"], logs, strict=True)):
        width = 0.0 if log is None else BAR_WIDTH * (log - low) / max(high - low, 1)
        bar = (
            f'<svg class="bar" viewBox="0 0 {BAR_WIDTH} 6" preserveAspectRatio="none" aria-hidden="true">'
            f'<rect width="{width:.2f}" height="6"/></svg>'
        )
        rows.append([str(i + 1), data(loss), bar])
    head = [text("page.column.epoch"), text("page.column.loss"), text("page.column.loss-bar")]
    return table(text("page.tutorial.losses-caption"), head, rows)


def _comparison(report: TutorialReport) -> str:
    """Return the table of the network beside the baselines, the best first."""
    parameters: dict[str, int | None] = {
        name: baseline.get("parameters") for name, baseline in report["baselines"].items()
    }
    errors: dict[str, Number] = {name: baseline["mse"] for name, baseline in report["baselines"].items()}
    errors["network"], parameters["network"] = report["test_mse"], report["parameters"]
    ranked = sorted(errors, key=lambda name: rank(errors[name]))
    best = min(rank(error) for error in errors.values())
    rows = [
        [method_name(name), best_of(errors[name], best), data(parameters[name], whole=True)]
        for name in ranked
    ]
    head = [text("page.column.method"), text("page.metric.mse"), text("page.column.parameters")]
    caption = text("page.tutorial.compare-caption", held=count(report["n_test"]))
    return table(caption, head, rows, own=method_name("network"))


def _points(report: TutorialReport) -> str:
    """Return the table of all points of the series."""
    series = report["series"]
    rows = []
    for start in range(0, len(series), POINTS_PER_ROW):
        row = [data(value) for value in series[start : start + POINTS_PER_ROW]]
        rows.append([str(start), *row, *[""] * (POINTS_PER_ROW - len(row))])
    head = [text("page.column.point"), *(f"+{i}" for i in range(POINTS_PER_ROW))]
    return table(text("page.tutorial.points-caption"), head, rows)


def _forecasts(report: TutorialReport) -> str:
    """Return the table of the held-out points and of every method's forecast of them."""
    train = len(report["series"]) - report["n_test"]
    columns = [report["series"][train:], report["forecast"]]
    columns += [baseline["forecast"] for baseline in report["baselines"].values()]
    rows = [
        [str(train + i), *(data(value) for value in values)] for i, values in enumerate(zip_longest(*columns))
    ]
    methods = [method_name(name) for name in ("network", *report["baselines"])]
    head = [text("page.column.point"), text("page.line.actual"), *methods]
    return table(text("page.tutorial.forecast-caption"), head, rows)
