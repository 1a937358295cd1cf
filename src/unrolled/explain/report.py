"""A report: the facts of one network, kept as JSON, told in a terminal, shown in a notebook and on a page.

    facts -> Report -> JSON, text, an iframe, a page, a page on this machine's own address

Knows the shape of facts and who shows them. Must not know how a fact is found.
"""

from __future__ import annotations

import json
import webbrowser
from dataclasses import dataclass
from html import escape
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Self

from unrolled.atomic import replace_file
from unrolled.errors import ArgumentError, DataError, FileError, fault
from unrolled.explain.checking import check_facts
from unrolled.page.server import PageServer

if TYPE_CHECKING:
    from unrolled.explain.facts import ReportFacts

SUFFIXES = (".json", ".html")
"""What a report can be saved as."""

HEIGHT = 860
"""Pixels of a report in a notebook."""

_PATIENCE_S = 10.0
"""So long `open` waits for a browser to fetch the page."""


@dataclass(frozen=True, repr=False)
class Report:
    """What can be said about a network, with every number.

    Args:
        facts: as `facts.py` writes them down; not to be changed.

    Example:
        >>> from unrolled.explain import ledger, shapes
        >>> report = shapes(ledger("lstm", input_size=1, hidden_size=50, batch=32, time=40))
        >>> Report.from_json(report.to_json()) == report
        True
    """

    facts: ReportFacts

    def __repr__(self) -> str:
        """Return what it is about, in one line."""
        about = f"{self.facts['kind']}: {self.facts['title']!r}"
        if "ledger" not in self.facts:
            return f"Report({about})"
        ledger = self.facts["ledger"]
        return f"Report({about}, {ledger['cell']} {ledger['input_size']} -> {ledger['hidden_size']})"

    def to_json(self) -> str:
        """Return the facts as JSON; `report.schema.json` is its schema."""
        return json.dumps(self.facts, ensure_ascii=False, allow_nan=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, source: str | PathLike[str]) -> Self:
        """Return the report that was written as JSON.

        Args:
            source: the JSON itself, or the path of a file: what begins with "{" is JSON.

        Raises:
            FileError: the file cannot be read.
            DataError: it is no report, or of a newer version, or has another shape; the place is named.
        """
        written, name = source, "JSON"
        if isinstance(source, PathLike) or not source.lstrip().startswith("{"):
            written, name = _read(source), str(source)
        try:
            facts = json.loads(str(written))
        except (ValueError, RecursionError) as error:
            raise DataError(fault("glass.report-json", source=name, reason=error)) from error
        return cls(check_facts(facts))

    def save(self, path: str | PathLike[str], *, language: str | None = None) -> None:
        """Write the facts as `.json`, or the page as `.html`: one file that needs no network.

        Args:
            path: of the file; it is replaced at once or not at all.
            language: of the page, "en" or "zh"; None is the language in force.

        Raises:
            ArgumentError: the file has another suffix.
            FileError: it cannot be written.
        """
        suffix = check_suffix(path)
        replace_file(path, self.to_json() + "\n" if suffix == ".json" else self.page(language))

    def text(self, language: str | None = None, *, width: int | None = None) -> str:
        """Return the report for a terminal, without colours.

        Args:
            language: "en" or "zh"; None is the language in force.
            width: of the terminal, in characters; None: 100.
        """
        from unrolled.explain.terminal import report_text

        return report_text(self.facts, language=language, width=width)

    def page(self, language: str | None = None) -> str:
        """Return the page as one HTML file.

        Args:
            language: that it begins in, "en" or "zh"; None is the language in force.
        """
        from unrolled.page.glass import glass_page

        return glass_page(self.facts, language=language)

    def _repr_html_(self) -> str:
        """Return the page in a frame of its own, for a notebook: it stays alive in an exported one."""
        return (
            f'<iframe title="{escape(self.facts["title"])}" sandbox="allow-scripts" width="100%" '
            f'height="{HEIGHT}" style="border:0" srcdoc="{escape(self.page())}"></iframe>'
        )

    def open(self, language: str | None = None) -> PageServer:
        """Show the page in a browser, from this machine's own address.

        Args:
            language: as for `page`.

        Returns:
            The server, as soon as the browser has the page, or after ten seconds. It runs until it is
            closed, or Python ends.
        """
        server = PageServer(self.page(language))
        if webbrowser.open(server.address):
            server.wait_until_delivered(_PATIENCE_S)
        return server


def check_suffix(path: str | PathLike[str]) -> str:
    """Return what a report is saved as, by the name of its file.

    Raises:
        ArgumentError: it is none of `SUFFIXES`.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise ArgumentError(fault("glass.report-kind", file=path, known=", ".join(SUFFIXES)))
    return suffix


def _read(path: str | PathLike[str]) -> str:
    """Return the text of a file.

    Raises:
        FileError: it cannot be read.
        DataError: it is no text.
    """
    try:
        return Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DataError(fault("glass.report-json", source=path, reason=error.reason)) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise FileError(fault("file.unreadable", file=path, reason=reason)) from error
