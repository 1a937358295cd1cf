"""A checkup as text: what is wrong, what shows it, what to write; then what was asked.

Nothing is computed here. Knows rich and the shape of facts.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from unrolled.doctor.kinds import KINDS
from unrolled.explain.terminal import sentence, written
from unrolled.messages import speaking, text
from unrolled.page.numbers import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from unrolled.explain.facts import Axis, CheckupFacts, Finding

COLOURS = {"proved": "red", "exact": "red", "evidence": "yellow"}
"""Of a finding, by how sure it is."""


def checkup_text(
    facts: CheckupFacts,
    title: str,
    *,
    language: str | None = None,
    width: int | None = None,
    colours: bool = False,
) -> str:
    """Return a checkup for a terminal.

    Args:
        facts: of the checkup.
        title: what was examined.
        language: "en" or "zh"; None is the language in force.
        width: characters of a line; None: 100.
        colours: whether it holds the codes of colours.
    """
    with speaking(language):
        return written(Group(*_parts(facts, title)), width=width, colours=colours)


def kinds_text(*, width: int | None = None, colours: bool = False) -> str:
    """Return every kind of finding: its id, how sure it is, and what is asked."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in ("id", text("doctor.area"), text("doctor.sure"), text("doctor.asked")):
        table.add_column(Text(column), no_wrap=column == "id")
    for name, kind in KINDS.items():
        table.add_row(
            Text(name),
            Text(text(f"doctor.area.{kind.area}")),
            Text(text(f"doctor.sure.{kind.sure}")),
            Text(text(f"doctor.{name}.check")),
        )
    return written(table, width=width, colours=colours)


def _parts(facts: CheckupFacts, title: str) -> Iterator[RenderableType]:
    """Yield what is printed, one below the other."""
    found = Counter(one["sure"] for one in facts["findings"])
    results = Counter(one["result"] for one in facts["checks"])
    words = {"asked": count(results["passed"] + results["failed"]), "title": title}
    if facts["findings"]:
        certain = found["proved"] + found["exact"]
        yield Text(
            text("doctor.summary", **words, certain=count(certain), evidence=count(found["evidence"])),
            style="bold",
        )
    else:
        yield Text(text("doctor.summary-healthy", **words), style="bold green")
    for finding in facts["findings"]:
        yield Padding(Group(*_finding(finding)), (1, 0, 0, 0))
    for note in facts["notes"]:
        yield Padding(Text(sentence(note), style="dim"), (1 if note is facts["notes"][0] else 0, 0, 0, 0))
    yield from _layers(facts)
    for result in ("passed", "not_applicable"):
        asked = [one for one in facts["checks"] if one["result"] == result]
        if asked:
            yield Padding(Text(text(f"doctor.{result.replace('_', '-')}"), style="bold"), (1, 0, 0, 0))
            mark = "✓" if result == "passed" else "–"
            for one in asked:
                yield Text(f"  {mark} {one['id']}: {sentence(one['said'])}", style="dim")


def _finding(finding: Finding) -> Iterator[RenderableType]:
    """Yield one finding: what is wrong, the proof, the lines that measure it, the fix."""
    head = Text("✗ " if finding["sure"] != "evidence" else "• ", style=COLOURS[finding["sure"]])
    head.append(finding["id"], style="bold")
    place = f" · {finding['place']}" if finding["place"] else ""
    sure = text(f"doctor.sure.{finding['sure']}")
    head.append(f"{place} · {sure}", style="dim")
    yield head
    yield Padding(Text(sentence(finding["wrong"])), (0, 0, 0, 2))
    yield Padding(Text(sentence(finding["proof"])), (0, 0, 0, 2))
    for line in finding["lines"]:
        yield Padding(Text(f">>> {line}", style="cyan"), (0, 0, 0, 4))
    if finding["fix"]["before"] is not None:
        yield Padding(Text(f"- {finding['fix']['before']}", style="red"), (0, 0, 0, 4))
    yield Padding(Text(f"+ {finding['fix']['after']}", style="green"), (0, 0, 0, 4))
    if finding["mistakes"]:
        rows = ", ".join(map(str, finding["mistakes"]))
        yield Padding(Text(text("doctor.rows", rows=rows), style="dim"), (0, 0, 0, 2))


def _layers(facts: CheckupFacts) -> Iterator[RenderableType]:
    """Yield what each recurrent layer read and gave, axes by name."""
    if not facts["layers"]:
        return
    yield Padding(Text(text("doctor.layers"), style="bold"), (1, 0, 0, 0))
    for layer in facts["layers"]:
        states = ", ".join(f"{name} {_axes(axes)}" for name, axes in layer["states"].items())
        yield Text(f"  {layer['place'] or '·'}: {layer['layer']}")
        yield Text(f"    {_axes(layer['read'])} → output {_axes(layer['output'])}, {states}", style="dim")


def _axes(axes: Sequence[Axis]) -> str:
    return "[" + ", ".join(f"{axis['letter']} {axis['size']}" for axis in axes) + "]"
