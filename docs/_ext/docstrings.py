"""Docstrings are written to be read in a terminal; here they become what Sphinx reads, ahead of napoleon.

Formulas, shapes and units keep their lines, as literal blocks. Elsewhere bars, stars and the ends of
addresses are text, not markup.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

KEPT = re.compile(r"(Formula|Shapes|Units)::?$")
ADDRESS = re.compile(r"(https?://[^\s,)>]+[^\s,.)>])")
QUOTED = re.compile(r"(`[^`]*`)")
MARKUP = re.compile(r"([|*\\])")


def as_text(line: str) -> str:
    """Escape what would be markup outside of backticks, and make links of addresses."""
    parts = QUOTED.split(line)
    for place in range(0, len(parts), 2):
        pieces = ADDRESS.split(parts[place])
        pieces[::2] = [MARKUP.sub(r"\\\1", piece) for piece in pieces[::2]]
        pieces[1::2] = [f"`{piece} <{piece}>`__" for piece in pieces[1::2]]
        parts[place] = "".join(pieces)
    return "".join(parts)


def indent_of(line: str) -> int:
    """Return how far a line is indented."""
    return len(line) - len(line.lstrip())


def to_markup(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Rewrite the lines of one docstring."""
    found: list[str] = []
    kept: int | None = None
    for line in lines:
        if kept is not None and line.strip() and indent_of(line) <= kept:
            kept = None
        if kept is not None or line.lstrip().startswith((">>>", "...")):
            found.append(line)
        elif heading := KEPT.match(line.strip()):
            kept = indent_of(line)
            found += [f"{' ' * kept}**{heading[1]}**", "", f"{' ' * kept}::", ""]
        elif line.rstrip().endswith("::"):
            kept = indent_of(line)
            found.append(line)
        else:
            found.append(as_text(line))
    lines[:] = found


def setup(app: Sphinx) -> dict[str, Any]:
    """Join autodoc, ahead of napoleon."""
    app.connect("autodoc-process-docstring", to_markup, priority=400)
    return {"parallel_read_safe": True}
