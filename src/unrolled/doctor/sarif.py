"""Findings as SARIF 2.1.0, the format of static analysis that code hosts read.

Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from unrolled.explain.terminal import sentence
from unrolled.messages import speaking, text

if TYPE_CHECKING:
    from unrolled.explain.facts import CheckupFacts, Finding

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
"""The schema that the format names."""

_LEVELS = {"proved": "error", "exact": "error", "evidence": "note"}


def sarif(facts: CheckupFacts, title: str, language: str | None = None) -> str:
    """Return findings as SARIF: one rule for each question, one result for each finding.

    Args:
        facts: of the checkup.
        title: what was examined.
        language: "en" or "zh"; None is the language in force.
    """
    with speaking(language):
        ids = [one["id"] for one in facts["checks"]]
        rules = [{"id": name, "shortDescription": {"text": text(f"doctor.{name}.check")}} for name in ids]
        log: dict[str, Any] = {
            "$schema": SCHEMA,
            "version": "2.1.0",
            "runs": [
                {
                    "tool": {
                        "driver": {"name": "unrolled doctor", "version": version("unrolled"), "rules": rules}
                    },
                    "results": [_result(one, title, ids.index(one["id"])) for one in facts["findings"]],
                }
            ],
        }
    return json.dumps(log, ensure_ascii=False, indent=2)


def _result(finding: Finding, title: str, rule: int) -> dict[str, Any]:
    """Return one finding."""
    place = f"{title}.{finding['place']}" if finding["place"] else title
    return {
        "ruleId": finding["id"],
        "ruleIndex": rule,
        "level": _LEVELS[finding["sure"]],
        "message": {"text": f"{sentence(finding['wrong'])} {sentence(finding['proof'])}"},
        "locations": [{"logicalLocations": [{"fullyQualifiedName": place, "kind": "member"}]}],
        "properties": {
            "sure": finding["sure"],
            "measured": finding["measured"],
            "lines": finding["lines"],
            "before": finding["fix"]["before"],
            "after": finding["fix"]["after"],
            "mistakes": finding["mistakes"],
        },
    }
