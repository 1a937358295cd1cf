"""The tables of docs/comparison.md and of the READMEs, from the results. Standard library alone."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from . import store
from .libraries import BY_NAME, LIBRARIES, OURS

PAGE = Path(__file__).parents[2] / "docs" / "comparison.md"
START, END = "<!-- peers:start -->", "<!-- peers:end -->"
NOT_THERE = "–"
SAME, DEFAULTS = ("same_lstm", "same_gru", "many_lstm"), ("classic_airline", "tourism_monthly", "m4_hourly")
HEADS = {
    "en": (
        "",
        "LSTM, start to forecast",
        "GRU",
        "1,000 series",
        "warm predict",
        "M4 Hourly MASE, defaults, 180 s at most",
        "installed",
        "better than ours at",
    ),
    "zh": (
        "",
        "LSTM，启动到预测",
        "GRU",
        "1,000 条序列",
        "再次预测",
        "M4 Hourly MASE（默认设置，最多 180 秒）",
        "安装体积",
        "强于我们之处",
    ),
}
BETTER_ZH = {
    "unrolled": "",
    "darts": "约 40 种各类模型同一接口，含经典方法；异常检测、SHAP、层次调和、GPU",
    "neuralforecast": "30 多种网络，含在长期预测上领先的 Transformer 与 MLP；GPU、Spark、Ray",
    "gluonts": "多种概率模型（Transformer、流、深度状态空间）和分布；DeepAR 的参考实现；GPU",
    "pytorch-forecasting": "带注意力与变量重要性的 TFT；N-HiTS；丰富的类别嵌入；GPU",
}


def figure(results: dict[str, Any], job: str, library: str, name: str) -> float | None:
    """Return one figure; None where it was not measured."""
    for row in results["rows"]:
        if row["job"] == job and row["library"] == library and "figures" in row:
            found = row["figures"].get(name)
            return found["value"] if found else None
    return None


def shown(value: float | None, unit: str = "") -> str:
    """Write a figure with three digits."""
    if value is None:
        return NOT_THERE
    places = 0 if value == 0 else max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{places}f}{unit}"


def seconds(value: float | None) -> str:
    """Write a time."""
    if value is None:
        return NOT_THERE
    return shown(value, " s") if value >= 1 else shown(value * 1e3, " ms")


def table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Write a table."""
    lines = [heads, ("---",) * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def beside(results: dict[str, Any], job: str, library: str, name: str) -> str:
    """Write a time, and how many times ours it is."""
    value, ours = figure(results, job, library, name), figure(results, job, OURS.name, name)
    if value is None or ours is None:
        return seconds(value)
    return seconds(value) if library == OURS.name else f"{seconds(value)} ({value / ours:.1f}x)"


def brief(language: str) -> str:
    """Return the table of a README: one row a library, its strengths in it."""
    results = store.read()
    rows = []
    sizes = {row["library"]: row for row in results["installed"]}
    for library in LIBRARIES:
        name = library.name
        size = sizes.get(name)
        better = library.better if language == "en" else BETTER_ZH[name]
        rows.append(
            (
                f"**{library.title}**"
                if library is OURS
                else f"{library.title} {size['version'] if size else ''}".strip(),
                *(beside(results, job, name, "start_to_forecast_s") for job in SAME),
                seconds(figure(results, "same_lstm", name, "warm_predict_s")),
                shown(figure(results, "m4_hourly", name, "mase")),
                f"{size['installed_mb']:,.0f} MB" if size else NOT_THERE,
                better or NOT_THERE,
            )
        )
    return table(HEADS[language], rows)


def whole() -> str:
    """Return all tables of the page."""
    results = store.read()
    if not results["rows"]:
        return "The figures were not measured yet."
    parts = ["## The verdict", verdict(results), "## The same work"]
    parts += [
        f"### {heading(results, job)}\n\n{same(results, job)}" for job in SAME if job in results["jobs"]
    ]
    parts.append("## Each by its own defaults")
    parts += [
        f"### {heading(results, job)}\n\n{defaults(results, job)}"
        for job in DEFAULTS
        if job in results["jobs"]
    ]
    parts += [
        "## Installed",
        installed(results),
        "## Where the others are better",
        strengths(),
        "## Machine",
        machine(results),
    ]
    return "\n\n".join(parts)


def heading(results: dict[str, Any], job: str) -> str:
    """Return the title of a job as a heading."""
    title: str = results["jobs"][job]["title"]
    return title[:1].upper() + title[1:]


def verdict(results: dict[str, Any]) -> str:
    """Say how many times ours the fastest other takes, from start to forecast, and how accurate both are."""
    lines = []
    for job in SAME:
        others = {
            library.title: (time, figure(results, job, library.name, "mse"))
            for library in LIBRARIES
            if library is not OURS
            and (time := figure(results, job, library.name, "start_to_forecast_s")) is not None
        }
        ours = figure(results, job, OURS.name, "start_to_forecast_s")
        error = figure(results, job, OURS.name, "mse")
        if not others or ours is None or error is None:
            continue
        name, (time, theirs) = min(others.items(), key=lambda one: one[1][0])
        best = min(others, key=lambda one: others[one][1] or float("inf"))
        reached = "reached" if time / ours >= 10 else "**not reached**"
        lines.append(
            f"- {results['jobs'][job]['title']}: {seconds(ours)} from start to forecast; the fastest other, "
            f"{name}, {seconds(time)}: **{time / ours:.1f}x** (target 10x: {reached}). "
            f"Mean squared error {shown(error)}, {name} {shown(theirs)}; "
            f"the smallest of the others is {best}'s, {shown(others[best][1])}."
        )
    return "\n".join(lines)


def same(results: dict[str, Any], job: str) -> str:
    """Write the table of one job of the same work."""
    times = ("start_to_forecast_s", "import_s", "fit_s", "first_predict_s", "warm_predict_s")
    rows = []
    for library in LIBRARIES:
        name = library.name
        if said := failure(results, job, name):
            rows.append((library.title, said, *[NOT_THERE] * 6))
        elif figure(results, job, name, "fit_s") is not None:
            rows.append(
                (
                    library.title,
                    beside(results, job, name, times[0]),
                    *(seconds(figure(results, job, name, time)) for time in times[1:]),
                    shown(figure(results, job, name, "peak_mb"), " MB"),
                    shown(figure(results, job, name, "mse")),
                )
            )
    heads = (
        "library",
        "start to forecast",
        "import",
        "fit",
        "first predict",
        "warm predict",
        "peak memory",
        "MSE",
    )
    return table(heads, rows)


def defaults(results: dict[str, Any], job: str) -> str:
    """Write the table of one set, each library by its defaults."""
    limit = results["jobs"][job]["settings"]["limit_s"]
    rows = []
    for library in LIBRARIES:
        name = library.name
        fit = figure(results, job, name, "fit_s")
        if said := failure(results, job, name):
            rows.append((library.title, said, *[NOT_THERE] * 5))
        elif fit is not None:
            ended = " (ended)" if fit >= limit else ""
            rows.append(
                (
                    library.title,
                    beside(results, job, name, "start_to_forecast_s"),
                    seconds(fit) + ended,
                    seconds(figure(results, job, name, "first_predict_s")),
                    shown(figure(results, job, name, "peak_mb"), " MB"),
                    shown(figure(results, job, name, "smape")),
                    shown(figure(results, job, name, "mase")),
                )
            )
    return table(("library", "start to forecast", "fit", "predict", "peak memory", "sMAPE", "MASE"), rows)


def failure(results: dict[str, Any], job: str, library: str) -> str:
    """Return what went wrong, in a table's cell."""
    for row in results["rows"]:
        if row["job"] == job and row["library"] == library and "failed" in row:
            return "failed: " + str(row["failed"]).replace("|", "/")
    return ""


def installed(results: dict[str, Any]) -> str:
    """Write what each environment holds."""
    rows = []
    for row in sorted(
        results["installed"], key=lambda one: [library.name for library in LIBRARIES].index(one["library"])
    ):
        size, torch = f"{row['installed_mb']:,.0f} MB", row["torch"] or NOT_THERE
        rows.append((BY_NAME[row["library"]].title, row["version"], str(row["packages"]), size, torch))
    return table(("library", "version", "packages", "installed", "PyTorch in it"), rows)


def strengths() -> str:
    """Write what each of the others has or does better, and how it was asked."""
    rows = [
        (library.title, library.better[:1].upper() + library.better[1:], library.model, library.defaults)
        for library in LIBRARIES
        if library is not OURS
    ]
    return table(("library", "better at", "the same work in it", "its defaults"), rows)


def machine(results: dict[str, Any]) -> str:
    """Say where and when it was measured."""
    lines = {}
    for job in results["jobs"].values():
        found = job["environment"]
        changed = " with changes" if found["changed"] else ""
        lines[
            f"- {found['date']}: {found['machine']}, {found['processors']} processors, {found['isa']}; "
            f"Python {found['python']}; revision {found['revision'][:10]}{changed}."
        ] = None
    return "\n".join(lines)
