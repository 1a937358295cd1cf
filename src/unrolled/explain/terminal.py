"""Facts for a terminal. The only room of the explanations that knows rich.

Computes nothing: every number is a fact, every sentence is the catalogue's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from unrolled.messages import text
from unrolled.page.numbers import count, number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType

    from unrolled.explain.facts import Axis, LedgerFacts

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
