"""A report as text: what tells most, the ledger, memory by lag, gates, errors beside baselines, the lesson.

Widths follow the terminal; colours are written only where they are asked for. Nothing is computed here that a
report does not hold. Knows rich and the shape of facts.
"""

from __future__ import annotations

import io
import statistics
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from unrolled.messages import speaking, text
from unrolled.page.document import method_name
from unrolled.page.numbers import count, is_number, number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import RenderableType

    from unrolled.explain.facts import (
        Axis,
        ForecastFacts,
        LedgerFacts,
        LessonFacts,
        MemoryFacts,
        ReportFacts,
        Said,
    )

WIDTH = 100
"""Characters of a line where no terminal says how many it has."""

_BARS = 12
"""Rows of a picture of the memory at the most."""

_LONGEST = 40
"""Characters of a bar at the most."""


# ---- the whole ---------------------------------------------------------------------------------------------


def report_text(
    facts: ReportFacts, *, language: str | None = None, width: int | None = None, colours: bool = False
) -> str:
    """Return a report for a terminal.

    Args:
        facts: of the report.
        language: "en" or "zh"; None is the language in force.
        width: characters of a line; None: `WIDTH`.
        colours: whether it holds the codes of colours.
    """
    with speaking(language):
        return written(Group(*_parts(facts)), width=width, colours=colours)


def written(what: RenderableType, *, width: int | None = None, colours: bool = False) -> str:
    """Return what rich would print, without blanks at the ends of lines."""
    paper = io.StringIO()
    console = Console(
        file=paper,
        width=width or WIDTH,
        force_terminal=colours,
        color_system="standard" if colours else None,
        highlight=False,
        markup=False,
        emoji=False,
    )
    console.print(what)
    return "\n".join(line.rstrip() for line in paper.getvalue().rstrip().splitlines())


def sentence(said: Said) -> str:
    """Return a sentence in the language in force, its numbers as a person reads them."""
    values: dict[str, str] = {}
    for name, value in said["values"].items():
        if isinstance(value, str):
            values[name] = method_name(value) if name == "method" else value
        else:
            values[name] = count(value) if isinstance(value, int) else number(value)
    return text(said["id"], **values)


def _parts(facts: ReportFacts) -> Iterator[RenderableType]:
    """Yield what is printed, one below the other."""
    yield Text(facts["title"], style="bold")
    for said in facts["sentences"]:
        yield Padding(Text(f"• {sentence(said)}"), (0, 0, 0, 1))
    if "ledger" in facts:
        yield Padding(ledger_table(facts["ledger"]), (1, 0, 0, 0))
    if "forecast" in facts:
        yield from _errors(facts["forecast"])
    if "memory" in facts:
        yield from _memory(facts["memory"])
        yield from _layers(facts["memory"])
    if "lesson" in facts:
        yield from _lesson(facts["lesson"])
    if "checkup" in facts and facts["checkup"]["findings"]:
        yield _heading(text("glass.doctor.tab"))
        for finding in facts["checkup"]["findings"]:
            told = f"{finding['id']}: {sentence(finding['wrong'])} {sentence(finding['proof'])}"
            yield Padding(Text(f"• {told}"), (0, 0, 0, 1))


def _heading(words: str) -> RenderableType:
    """Return a line that says what follows."""
    return Padding(Text(words, style="bold"), (1, 0, 0, 0))


def _table(columns: Sequence[str]) -> Table:
    """Return an empty table: the first column is text, the others are numbers."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for i, column in enumerate(columns):
        table.add_column(Text(column), justify="right" if i else "left", no_wrap=bool(i))
    return table


def _errors(forecast: ForecastFacts) -> Iterator[RenderableType]:
    """Yield the error of each method at the first, a middle and the last point."""
    points = sorted({0, (forecast["horizon"] - 1) // 2, forecast["horizon"] - 1})
    yield _heading(text("glass.report.errors"))
    table = _table(
        [text("glass.report.method"), *(text("glass.report.point", point=count(k + 1)) for k in points)]
    )
    for one in forecast["errors"]:
        row = [number(one["rmse"][k]) if k < len(one["rmse"]) else number(None) for k in points]
        style = "bold" if one["method"].startswith("network") else ""
        table.add_row(Text(method_name(one["method"])), *map(Text, row), style=style)
    yield table


def _memory(memory: MemoryFacts) -> Iterator[RenderableType]:
    """Yield the gradient by lag as bars, the newest points on top."""
    gradient = memory["gradient"]
    if not gradient or max(gradient) <= 0:
        return
    yield _heading(text("glass.report.memory"))
    wide = -(-len(gradient) // _BARS)
    means = [statistics.fmean(gradient[lag : lag + wide]) for lag in range(0, len(gradient), wide)]
    table = _table([text("glass.report.lags"), "", "%"])
    table.columns[1].justify = "left"
    for i, mean in enumerate(means):
        last = min((i + 1) * wide, len(gradient)) - 1
        lags = f"{i * wide}" if last == i * wide else f"{i * wide}–{last}"
        share = 100 * sum(gradient[i * wide : last + 1]) / sum(gradient)
        bar = "█" * round(_LONGEST * mean / max(means)) or "▏"
        table.add_row(Text(lags), Text(bar, style="cyan"), Text(number(share, 3)))
    yield table


def _layers(memory: MemoryFacts) -> Iterator[RenderableType]:
    """Yield what each layer keeps, and how full its gates are."""
    if not memory["layers"]:
        return
    yield _heading(text("glass.report.layers"))
    names = ("layer", "half", "rank", "radius", "dead", "saturation")
    table = _table([text(f"glass.report.layer-{name}") for name in names])
    for place, layer in enumerate(memory["layers"], 1):
        times = [time for time in layer["half_life"] if is_number(time)]
        full = ", ".join(f"{gate} {round(100 * sum(ends))}" for gate, ends in layer["saturation"].items())
        row = [
            number(statistics.median(times) if times else None, 3),
            number(layer["effective_rank"], 3),
            number(layer["spectral_radius"], 3),
            count(layer["dead"]),
            full,
        ]
        table.add_row(str(place), *map(Text, row))
    yield table


def _lesson(lesson: LessonFacts) -> Iterator[RenderableType]:
    """Yield each slip of the tutorial, and what the numbers say."""
    yield _heading(text("glass.report.slips"))
    for slip in lesson["slips"]:
        yield Padding(Text(f"{slip['letter']}) {sentence(slip['said'])}", style="dim"), (0, 0, 0, 1))
        yield Padding(Text(f"→ {sentence(slip['computed'])}"), (0, 0, 0, 4))
    yield _heading(text("glass.report.lesson-errors"))
    table = _table([text("glass.report.method"), "MSE"])
    for method, error in lesson["mse"].items():
        table.add_row(Text(method_name(method)), Text(number(error)))
    yield table


# ---- the ledger --------------------------------------------------------------------------------------------


def ledger_table(facts: LedgerFacts) -> RenderableType:
    """Return a ledger as something that rich prints: tensors, parameters, work, memory, equal axes.

    Args:
        facts: what `unrolled.explain.ledger` returned.
    """
    parts: list[RenderableType] = [Text(facts["code"], style="bold"), _tensors(facts), _parameters(facts)]
    parts += [Text(line) for line in _costs(facts)]
    parts += [Text(line, style="yellow") for line in _equal_axes(facts)]
    return Group(*parts)


def _tensors(facts: LedgerFacts) -> Table:
    """Return one row for each tensor; rows of a weight belong to gates."""
    table = Table(title=text("glass.shapes.tensors"), title_justify="left")
    table.add_column(text("glass.shapes.tensor"), no_wrap=True)
    table.add_column(text("glass.shapes.axes"))
    table.add_column(text("glass.shapes.numbers"), justify="right")
    table.add_column(text("glass.shapes.rows"))
    table.add_column(text("glass.shapes.code"))
    for tensor in facts["tensors"]:
        cells = (
            tensor["name"],
            " · ".join(map(_axis, tensor["axes"])),
            count(tensor["count"]),
            " ".join(tensor["gates"]),
            tensor["code"],
        )
        table.add_row(*map(Text, cells))  # as text: a bracket in a line of code is no style
    return table


def _axis(axis: Axis) -> str:
    return f"{axis['letter']} {axis['size']}"


def _parameters(facts: LedgerFacts) -> Table:
    """Return one row for each layer and direction, and the sums; what no layer has is no column."""
    parameters = facts["parameters"]
    layers: Sequence[Mapping[str, Any]] = parameters["layers"]
    parts = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
    columns = {name: [one[name] for one in layers] for name in parts if any(one[name] for one in layers)}
    columns[text("glass.shapes.per-gate")] = [one["per_gate"] for one in layers]
    columns[text("glass.shapes.total")] = [one["total"] for one in layers]
    table = Table(title=text("glass.shapes.parameters"), title_justify="left")
    table.add_column(text("glass.shapes.layer"))
    for name in columns:
        table.add_column(name, justify="right")
    for layer, *numbers in zip(layers, *columns.values(), strict=True):
        name = text(f"glass.shapes.{layer['direction']}", layer=layer["layer"])
        table.add_row(name, *map(count, numbers))
    blank = [""] * (len(columns) - 1)
    for name, total in (("head.*", parameters["head"]), ("skip.*", parameters["skip"])):
        if total:
            table.add_row(name, *blank, count(total))
    table.add_section()
    table.add_row(text("glass.shapes.total"), *blank, count(parameters["total"]))
    return table


def _costs(facts: LedgerFacts) -> list[str]:
    """Return the sentences on biases, work and memory."""
    parameters, work, memory = facts["parameters"], facts["work"], facts["memory"]
    lines = []
    if parameters["one_bias"] != parameters["total"]:
        words = {"total": count(parameters["total"]), "one_bias": count(parameters["one_bias"])}
        gru = facts["cell"] == "gru"
        lines.append(text("glass.shapes.biases-gru" if gru else "glass.shapes.biases", **words))
    lines.append(
        text(
            "glass.shapes.work",
            **{name: count(work[name]) for name in ("per_step", "per_sequence", "per_batch")},
            time=count(facts["time"]),
            batch=count(facts["batch"]),
        )
    )
    if work["head"]:
        lines.append(text("glass.shapes.work-head", head=count(work["head"])))
    if work["skip"]:
        lines.append(text("glass.shapes.work-skip", skip=count(work["skip"])))
    lines.append(text("glass.shapes.pointwise", pointwise=count(work["pointwise"])))
    lines.append(text("glass.shapes.sequential", steps=count(work["sequential_steps"])))
    kept = {name: count(memory[name]) for name in ("total", "gates", "states", "outputs")}
    lines.append(text("glass.shapes.memory", megabytes=number(memory["bytes"] / 1e6), **kept))
    return lines


def _equal_axes(facts: LedgerFacts) -> list[str]:
    """Return one sentence for each tensor whose axes may be swapped unnoticed."""
    return [
        text(
            "glass.shapes.equal",
            tensor=equal["tensor"],
            letters=" = ".join(equal["letters"]),
            size=equal["size"],
        )
        for equal in facts["equal_axes"]
    ]
