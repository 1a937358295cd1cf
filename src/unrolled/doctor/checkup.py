"""A checkup: what was asked and found, as text, JSON, a page, and for continuous integration.

    CheckupFacts -> Checkup -> text, JSON, the page's view, SARIF, JUnit

Knows the shape of facts and who shows them. Must not know how anything is found.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from typing import TYPE_CHECKING

from unrolled.explain.facts import FORMAT, VERSION
from unrolled.explain.report import Report

if TYPE_CHECKING:
    from unrolled.explain.facts import CheckupFacts, Finding

CERTAIN = ("proved", "exact")
"""How sure a finding is that says that something is wrong; evidence alone says nothing of the kind."""


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
