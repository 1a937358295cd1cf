"""The tables of docs/accuracy.md, made from the results alone. Standard library alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import store
from .anchors import ANCHORS, COVERED, TARGETS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .anchors import Target
    from .store import Results, Row

PAGE = Path(__file__).parents[2] / "docs" / "accuracy.md"
START, END = "<!-- accuracy:start -->", "<!-- accuracy:end -->"
NETWORK = "network"
TITLES = {
    "network": "**network, defaults**",
    "single": "network, one member",
    "auto_ets": "AutoETS",
    "auto_theta": "AutoTheta",
    "seasonal_naive": "seasonal naive",
    "naive2": "Naive2",
    "naive": "naive",
}
METRICS = {
    "smape": ("sMAPE", 3),
    "mase": ("MASE", 3),
    "owa": ("OWA", 3),
    "mse": ("MSE", 3),
    "mae": ("MAE", 3),
    "wql": ("WQL", 4),
    "coverage_80": ("80 %", 1),
    "coverage_95": ("95 %", 1),
}
SECONDS = {"fit_s": "fit s", "predict_s": "predict s"}
_UNKNOWN = "–"
_SHARES = {"coverage_80": 0.80, "coverage_95": 0.95}
_MISSING = "not measured"


def tables(results: Results) -> str:
    """Return all that stands between the markers of the page."""
    if not results["rows"]:
        return f"The figures were {_MISSING} yet."
    parts = ["### Targets", targets(results), "### Coverage of the network's intervals", covered(results)]
    for name, facts in in_order(results["tasks"]):
        rows = [row for row in results["rows"] if row["task"] == name]
        parts += [f"### {facts['title']}", rows_of_task(name, facts, rows)]
    if results["checks"]:
        parts += ["### Check values", checks(results["checks"])]
    return "\n\n".join([*parts, "### The machine", machines(results["rows"])])


def in_order(tasks: Mapping[str, dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """Return tasks with their facts: those that have targets first, whatever was run when."""
    first = list(dict.fromkeys(target.task for target in TARGETS))
    return sorted(tasks.items(), key=lambda one: first.index(one[0]) if one[0] in first else len(first))


def rows_of_task(name: str, facts: Mapping[str, Any], rows: Sequence[Row], *, anchors: bool = True) -> str:
    """Return the table of one task: methods, published figures, and what is better than the network where."""
    metrics = [one for one in METRICS if one in facts["metrics"]]
    ours = next((means(row) for row in rows if row["method"] == NETWORK), {})
    ordered = sorted(rows, key=lambda row: list(TITLES).index(row["method"]))
    lines = [
        (
            TITLES[row["method"]],
            *(_figure(row["figures"].get(one), one) for one in metrics),
            *(_figure(row["figures"].get(one), one) for one in SECONDS),
            "" if row["method"] == NETWORK else better(means(row), ours),
        )
        for row in ordered
    ]
    for one in ANCHORS.get(name, ()) if anchors else ():
        shown = (_plain(one.figures[m], m) if m in one.figures else _UNKNOWN for m in metrics)
        lines.append((f"*{one.title}*", *shown, *(_UNKNOWN for _ in SECONDS), better(one.figures, ours)))
    heads = ("method", *(METRICS[one][0] for one in metrics), *SECONDS.values(), "beats the network in")
    return f"{about(facts)}\n\n{_table(heads, lines)}"


def about(facts: Mapping[str, Any]) -> str:
    """Say in one line what a task asks for."""
    least, most = facts["points"]
    points = f"{least}" if least == most else f"{least} to {most}"
    season = f"season {facts['season']}" if facts["season"] else "no season"
    rolled = f", forecast from {facts['origins']:,} origins each" if facts["origins"] > 1 else ""
    alone = "" if facts["together"] or facts["series"] == 1 else ", a forecaster for each"
    return f"{facts['series']} series of {points} points, K = {facts['horizon']}, {season}{rolled}{alone}."


def better(figures: Mapping[str, float], ours: Mapping[str, float]) -> str:
    """Name the metrics in which a method errs less than the network, or covers more nearly what it says."""
    return ", ".join(
        title
        for name, (title, _) in METRICS.items()
        if name in figures and name in ours and _error(name, figures[name]) < _error(name, ours[name])
    )


def targets(results: Results) -> str:
    """Return every target beside what was measured."""
    lines = []
    for target in TARGETS:
        facts = results["tasks"].get(target.task)
        title = facts["title"] if facts else target.task
        lines.append((title, TITLES[target.method].strip("*"), *judge(target, results)))
    return _table(("series", "method", "target", "stretch", "measured", "seconds", "reached"), lines)


def judge(target: Target, results: Results) -> tuple[str, str, str, str, str]:
    """Return target, stretch, figure, seconds, and whether they are reached."""
    label = METRICS[target.metric][0]
    within = f", {target.seconds:g} s" if target.seconds else ""
    other = _of(results, target.task, target.beside) if target.beside else None
    relative = f" x {TITLES[target.beside]}" if target.beside else ""
    asked = f"{label} <= {target.bound:.4g}{relative}{within}"
    stretch = _UNKNOWN if target.stretch is None else f"<= {target.stretch:.4g}{relative}"
    found = _of(results, target.task, target.method)
    if target.metric not in found or (target.beside and (not other or target.metric not in other)):
        return asked, stretch, _MISSING, _UNKNOWN, _UNKNOWN
    figure, took = found[target.metric], found["fit_s"] + found["predict_s"]
    scale = other[target.metric] if other else 1.0
    reached = figure <= target.bound * scale and (target.seconds is None or took <= target.seconds)
    further = target.stretch is not None and figure <= target.stretch * scale
    shown = (
        f"{_plain(figure, target.metric)} ({figure / scale:.3f} x)"
        if other
        else _plain(figure, target.metric)
    )
    answer = ("yes, stretch too" if further else "yes") if reached else "**no**"
    return asked, stretch, shown, f"{took:.1f}", answer


def covered(results: Results) -> str:
    """Return how far the coverage of the network's intervals is from what they promise."""
    lines = []
    for name, facts in in_order(results["tasks"]):
        found = _of(results, name, NETWORK)
        known = {one: found[one] for one in _SHARES if one in found}
        if not found:
            continue
        worst = max((_error(one, value) for one, value in known.items()), default=None)
        answer = _UNKNOWN
        if worst is not None:
            within = worst <= COVERED["within"]
            answer = ("yes, stretch too" if worst <= COVERED["stretch"] else "yes") if within else "**no**"
        shown = (_plain(known[one], one) if one in known else _UNKNOWN for one in _SHARES)
        lines.append((facts["title"], *shown, answer))
    heads = ("series", "80 %", "95 %", f"within {COVERED['within'] * 100:.0f} points")
    return _table(heads, lines)


def checks(found: Iterable[Mapping[str, Any]]) -> str:
    """Return the published figures of baselines beside ours."""
    lines = [
        (one["task"], one["method"], one["metric"], f"{one['published']:g}", f"{one['measured']:.5g}")
        for one in found
    ]
    return _table(("task", "baseline", "metric", "published", "ours"), lines)


def machines(rows: Iterable[Row]) -> str:
    """Say once for all rows what they were measured on."""
    notes: dict[str, None] = {}
    for row in rows:
        found = row["environment"]
        versions = ", ".join(f"{name} {number}" for name, number in found["versions"].items())
        changed = " with changes" if found["changed"] else ""
        notes[
            f"- {found['date']}, revision {found['revision'][:10]}{changed}: {found['machine']}, "
            f"{found['processors']} processors, {row['threads']} threads, {found['isa']}, Python "
            f"{found['python']}; {versions}"
        ] = None
    return "\n".join(notes)


def fresh(results: Results | None = None) -> str:
    """Return what the page should hold."""
    text = PAGE.read_text(encoding="utf-8")
    head, rest = text.split(START)
    _, tail = rest.split(END)
    content = tables(store.read(store.PATH) if results is None else results)
    return f"{head}{START}\n\n{content}\n\n{END}{tail}"


def write() -> None:
    """Write the page."""
    PAGE.write_text(fresh(), encoding="utf-8")


def means(row: Row) -> dict[str, float]:
    """Return the mean of each figure of a row."""
    return {name: one["mean"] for name, one in row["figures"].items()}


def _of(results: Results, task: str, method: str) -> dict[str, float]:
    rows = (row for row in results["rows"] if row["task"] == task and row["method"] == method)
    return next(map(means, rows), {})


def _error(name: str, value: float) -> float:
    """Return a figure that is an error as it is, and of a coverage how far it is off."""
    return round(abs(value - _SHARES[name]), 9) if name in _SHARES else value


def _figure(one: Mapping[str, Any] | None, name: str) -> str:
    """Write mean and spread; deterministic figures have no spread to speak of."""
    if one is None:
        return _UNKNOWN
    spread = f" ± {_plain(one['spread'], name)}" if len(one["each"]) > 1 and name not in SECONDS else ""
    return _plain(one["mean"], name) + spread


def _plain(value: float, name: str) -> str:
    if name in SECONDS:
        return "< 0.01" if value < 0.01 else f"{value:.2f}" if value < 10 else f"{value:.0f}"
    return f"{value * 100 if name in _SHARES else value:.{METRICS[name][1]}f}"


def _table(heads: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rule = ["---"] * len(heads)
    return "\n".join("| " + " | ".join(line) + " |" for line in (heads, rule, *lines))
