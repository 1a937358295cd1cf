"""A checkup: what was asked and found, as text, JSON, a page, and for continuous integration.

    CheckupFacts -> Checkup -> text, JSON, the page's view, SARIF, JUnit

Knows the shape of facts and who shows them. Must not know how anything is found.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from unrolled.atomic import replace_file
from unrolled.doctor.kinds import KINDS
from unrolled.errors import ArgumentError, fault
from unrolled.explain.facts import FORMAT, VERSION
from unrolled.explain.report import Report

if TYPE_CHECKING:
    import os

    from unrolled.explain.facts import CheckupFacts, Finding
    from unrolled.page.server import PageServer

CERTAIN = ("proved", "exact")
"""How sure a finding is that says that something is wrong; evidence alone says nothing of the kind."""

SUFFIXES = (".txt", ".json", ".html", ".sarif", ".xml")
"""What a checkup can be saved as."""


@dataclass(frozen=True, repr=False)
class Checkup:
    """What the doctor asked, and what was found.

    Args:
        facts: as `explain/facts.py` writes them down; not to be changed.
        title: what was examined.
    """

    facts: CheckupFacts
    title: str

    def __repr__(self) -> str:
        """Return what was examined, and the ids of what was found."""
        asked = sum(one["result"] != "not_applicable" for one in self.facts["checks"])
        found = ", ".join(dict.fromkeys(one["id"] for one in self.findings)) or "no findings"
        return f"Checkup({self.title!r}: {asked} checks, {found})"

    def __str__(self) -> str:
        """Return the checkup for a terminal, in the language in force."""
        return self.text()

    def __add__(self, other: Checkup) -> Checkup:
        """Return both checkups as one: of a model and of its training step, for example."""
        order = list(KINDS)
        asked = {one["id"]: one for one in self.facts["checks"]}
        for one in other.facts["checks"]:
            known = asked.get(one["id"])
            if known is None or _RANK[one["result"]] > _RANK[known["result"]]:
                asked[one["id"]] = one
        findings = [*self.findings, *other.findings]
        notes = [
            *self.facts["notes"],
            *(one for one in other.facts["notes"] if one not in self.facts["notes"]),
        ]
        both: CheckupFacts = {
            "checks": sorted(asked.values(), key=lambda one: order.index(one["id"])),
            "findings": sorted(findings, key=lambda one: order.index(one["id"])),
            "layers": [*self.facts["layers"], *other.facts["layers"]],
            "notes": notes,
        }
        return Checkup(both, " + ".join(dict.fromkeys([self.title, other.title])))

    @property
    def findings(self) -> list[Finding]:
        """What was found."""
        return self.facts["findings"]

    @property
    def healthy(self) -> bool:
        """Whether nothing was found that is proved or exact; evidence alone is no verdict."""
        return not any(one["sure"] in CERTAIN for one in self.findings)

    @cached_property
    def report(self) -> Report:
        """The checkup as a report: JSON of the published schema, and the page."""
        return Report(
            {
                "format": FORMAT,
                "version": VERSION,
                "kind": "checkup",
                "title": self.title,
                "unrolled": version("unrolled"),
                "member": 0,
                "checkup": self.facts,
                "sentences": [],
            }
        )

    def text(self, language: str | None = None, *, width: int | None = None, colours: bool = False) -> str:
        """Return the checkup for a terminal.

        Args:
            language: "en" or "zh"; None is the language in force.
            width: of the terminal, in characters; None: 100.
            colours: whether it holds the codes of colours.
        """
        from unrolled.doctor.terminal import checkup_text

        return checkup_text(self.facts, self.title, language=language, width=width, colours=colours)

    def to_json(self) -> str:
        """Return the facts as JSON, of the same schema as a report."""
        return self.report.to_json()

    def to_sarif(self, language: str | None = None) -> str:
        """Return the findings as SARIF 2.1.0, which code hosts show beside the code.

        Args:
            language: of its sentences, "en" or "zh"; None is the language in force.
        """
        from unrolled.doctor.sarif import sarif

        return sarif(self.facts, self.title, language)

    def to_junit(self, language: str | None = None) -> str:
        """Return the checks as JUnit XML: a test for each, with its failure.

        Args:
            language: of its sentences, "en" or "zh"; None is the language in force.
        """
        from unrolled.doctor.junit import junit

        return junit(self.facts, self.title, language)

    def page(self, language: str | None = None) -> str:
        """Return the page as one HTML file.

        Args:
            language: that it begins in, "en" or "zh"; None is the language in force.
        """
        return self.report.page(language)

    def save(self, path: str | os.PathLike[str], *, language: str | None = None) -> None:
        """Write the checkup: `.txt`, `.json`, `.html`, `.sarif`, or `.xml` for JUnit.

        Args:
            path: of the file; it is replaced at once or not at all.
            language: of what it says, "en" or "zh"; None is the language in force.

        Raises:
            ArgumentError: the file has another suffix.
            FileError: it cannot be written.
        """
        suffix = check_suffix(path)
        if suffix == ".html":
            replace_file(path, self.page(language))
        elif suffix == ".json":
            replace_file(path, self.to_json() + "\n")
        elif suffix == ".sarif":
            replace_file(path, self.to_sarif(language) + "\n")
        elif suffix == ".xml":
            replace_file(path, self.to_junit(language) + "\n")
        else:
            replace_file(path, self.text(language) + "\n")

    def _repr_html_(self) -> str:
        """Return the page in a frame of its own, for a notebook."""
        return self.report._repr_html_()

    def open(self, language: str | None = None) -> PageServer:
        """Show the page in a browser, from this machine's own address.

        Args:
            language: as for `page`.
        """
        return self.report.open(language)


_RANK = {"not_applicable": 0, "passed": 1, "failed": 2}
"""Of two outcomes of one question, the higher one is told."""


def check_suffix(path: str | os.PathLike[str]) -> str:
    """Return what a checkup is saved as, by the name of its file.

    Raises:
        ArgumentError: it is none of `SUFFIXES`.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise ArgumentError(fault("glass.report-kind", file=path, known=", ".join(SUFFIXES)))
    return suffix
