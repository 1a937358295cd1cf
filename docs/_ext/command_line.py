"""The directive `command-line`: the help of every command of `unrolled`, as it prints it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from docutils import nodes
from docutils.parsers.rst import Directive

if TYPE_CHECKING:
    from sphinx.application import Sphinx

WIDTH = 84
LIST = (
    "import typer; from unrolled.cli.app import make_app; print(*typer.main.get_command(make_app()).commands)"
)


def say(*words: str) -> str:
    """Run a program of this environment in English, without colours, on a terminal of a fixed width."""
    environment = {
        **os.environ,
        "UNROLLED_LANG": "en",
        "NO_COLOR": "1",
        "TERM": "dumb",
        "COLUMNS": str(WIDTH),
    }
    done = subprocess.run(
        [sys.executable, *words], env=environment, capture_output=True, text=True, check=True
    )
    return "\n".join(line.rstrip() for line in done.stdout.strip("\n").splitlines())


class CommandLine(Directive):
    """Replaced by one section a command, `unrolled` itself first."""

    def run(self) -> list[nodes.Node]:
        """Return the sections."""
        sections: list[nodes.Node] = []
        for command in ("", *say("-c", LIST).split()):
            name = f"unrolled {command}".strip()
            section = nodes.section(ids=[name.replace(" ", "-")], names=[name])
            section += nodes.title(text=name)
            told = say("-m", "unrolled.cli", *command.split(), "--help")
            section += nodes.literal_block(told, told, language="none")
            self.state.document.note_explicit_target(section)
            sections.append(section)
        return sections


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("command-line", CommandLine)
    return {"parallel_read_safe": True}
