"""The page of the demo: the tutorial's job and a real forecast in one file."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from unrolled.messages import speaking, text
from unrolled.page import forecast, tutorial
from unrolled.page.document import document, heading, paragraphs
from unrolled.page.report import check_report

if TYPE_CHECKING:
    from unrolled.page.report import DemoReport


def demo_page(report: DemoReport, *, language: str | None = None) -> str:
    """Return the tutorial's job and a real forecast as one HTML file.

    Args:
        report: what happened.
        language: "en" or "zh"; `None` is the language in force.

    Returns:
        The whole file, to be written as UTF-8. The same report gives the same bytes.

    Raises:
        DataError: the report, or one of the two in it, is of another kind, or of a newer version.
    """
    check_report(report, "demo")
    check_report(report["tutorial"], "tutorial")
    check_report(report["real"], "forecast")
    with speaking(language):
        sine, real = report["tutorial"], report["real"]
        sections = [("tutorial", tutorial.title(sine)), ("real", real["title"])]
        links = "".join(f'<li><a href="#{key}">{escape(title)}</a></li>' for key, title in sections)
        parts = [
            heading(1, text("page.demo.title")),
            paragraphs([text("page.demo.lead")], style="lead"),
            f"<nav><ul>{links}</ul></nav>",
            *_section(*sections[0], lead=tutorial.lead(sine), body=tutorial.body(sine, level=3)),
            *_section(*sections[1], lead=forecast.lead(real), body=forecast.body(real, level=3)),
        ]
        return document(text("page.demo.title"), "\n".join(parts))


def _section(key: str, title: str, *, lead: str, body: str) -> list[str]:
    """Return one of the two parts of the page."""
    opening = [f'<section aria-labelledby="{key}">', heading(2, title, key=key)]
    return [*opening, paragraphs([lead], style="lead"), body, "</section>"]
