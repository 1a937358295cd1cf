"""Checks as JUnit XML, which every system of continuous integration shows: a test for each question."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from unrolled.doctor.kinds import KINDS
from unrolled.explain.terminal import sentence
from unrolled.messages import speaking

if TYPE_CHECKING:
    from unrolled.explain.facts import CheckupFacts, Finding

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
"""What XML cannot hold."""


def junit(facts: CheckupFacts, title: str, language: str | None = None) -> str:
    """Return checks as JUnit XML; evidence fails no test and is told in its output.

    Args:
        facts: of the checkup.
        title: what was examined.
        language: "en" or "zh"; None is the language in force.
    """
    with speaking(language):
        certain = {one["id"] for one in facts["findings"] if one["sure"] != "evidence"}
        skipped = sum(one["result"] == "not_applicable" for one in facts["checks"])
        suite = ElementTree.Element(
            "testsuite",
            name="unrolled doctor",
            tests=str(len(facts["checks"])),
            failures=str(len(certain)),
            errors="0",
            skipped=str(skipped),
        )
        for check in facts["checks"]:
            classname = _plain(f"{title}.{KINDS[check['id']].area}")
            case = ElementTree.SubElement(suite, "testcase", name=check["id"], classname=classname)
            found = [one for one in facts["findings"] if one["id"] == check["id"]]
            if check["id"] in certain:
                failure = ElementTree.SubElement(
                    case, "failure", type=found[0]["sure"], message=_plain(sentence(found[0]["wrong"]))
                )
                failure.text = "\n\n".join(map(_told, found))
            elif found:
                ElementTree.SubElement(case, "system-out").text = "\n\n".join(map(_told, found))
            elif check["result"] == "not_applicable":
                ElementTree.SubElement(case, "skipped", message=_plain(sentence(check["said"])))
        ElementTree.indent(suite)
        return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(suite, encoding="unicode")


def _told(finding: Finding) -> str:
    """Return a finding as lines of text."""
    fix = finding["fix"]
    before = [] if fix["before"] is None else [f"- {fix['before']}"]
    lines = [sentence(finding["wrong"]), sentence(finding["proof"]), finding["place"], *finding["lines"]]
    return _plain("\n".join([*filter(None, lines), *before, f"+ {fix['after']}"]))


def _plain(words: str) -> str:
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", words)
