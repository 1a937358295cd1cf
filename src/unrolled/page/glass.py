"""The glass box: one offline page that shows a report, its numbers and how they come about.

The script and the style are built from `web/` and lie in `glass/`. The page holds the report as JSON, and the
messages of every language. It is a pure function of the report. Must not know how the facts were found.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from unrolled import messages
from unrolled.page.document import part, whole

if TYPE_CHECKING:
    from collections.abc import Mapping

SPOKEN = (
    "doctor.layers",
    "doctor.not-applicable",
    "doctor.passed",
    "doctor.rows",
    "doctor.sure.",
    "glass.",
    "page.cell.",
    "page.footer",
    "page.line.",
    "page.method.",
    "page.metric.",
    "page.tutorial.title",
)
"""How the ids of the messages begin that the page speaks."""


def glass_page(report: Mapping[str, Any], *, language: str | None = None) -> str:
    """Return a report as one HTML file that opens without a connection.

    Args:
        report: the facts, `unrolled.explain.facts.ReportFacts`, as JSON can hold them.
        language: "en" or "zh", in which the page opens; `None` is the language in force.

    Returns:
        The whole file, to be written as UTF-8. The same report gives the same bytes.

    Example:
        >>> from unrolled.page.glass import glass_page
        >>> page = glass_page({"title": "a <b> c", "sentences": []}, language="en")
        >>> "<title>a &lt;b&gt; c</title>" in page, "a <b> c" in page
        (True, False)
    """
    with messages.speaking(language):
        body = "\n".join(
            [
                '<div id="glass"></div>',
                f'<script type="application/json" id="report">{_json(report)}</script>',
                f'<script type="application/json" id="messages">{_json(_spoken(report))}</script>',
            ]
        )
        style, script = part("glass/glass.css"), part("glass/glass.js")
        return whole(str(report["title"]), body, style=style, script=script)


def _spoken(report: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return the messages of the page by language: of what the doctor says, those that the report names."""
    named = _named(report.get("checkup"))
    return {
        language: {
            name: sentence
            for name, sentence in messages.catalogue(language).items()
            if name.startswith(SPOKEN) or name in named
        }
        for language in messages.LANGUAGES
    }


def _named(checkup: Any) -> set[str]:
    """Return the ids of the messages that a checkup says."""
    if checkup is None:
        return set()
    said = [one["said"] for one in checkup["checks"]] + checkup["notes"]
    said += [finding[part] for finding in checkup["findings"] for part in ("wrong", "proof")]
    return {one["id"] for one in said}


def _json(value: object) -> str:
    """Return a value as JSON that HTML reads as nothing but text."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).replace(
        "<", "\\u003c"
    )
