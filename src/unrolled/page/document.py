"""The paper that pages are written on: one HTML file, its style, its script, a policy that forbids the rest.

Everything that comes from outside passes `html.escape` on its way in. The security policy names the style and
the script by their hashes, so that nothing else runs even if something slipped through.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from html import escape
from importlib import resources
from typing import TYPE_CHECKING

from unrolled import messages
from unrolled.page.numbers import count, is_number, number

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from unrolled.page.report import Number

HTML_LANGUAGES = {"en": "en", "zh": "zh-Hans"}
"""The language that a file declares, by the language of the messages."""

MOST_ROWS = 120
"""A table shows at most so many rows, and says how many are left."""


def document(title: str, body: str) -> str:
    """Return a whole HTML file.

    Args:
        title: the title of the file, not escaped yet.
        body: the HTML between `<main>` and `</main>`.

    Returns:
        The file, in the language in force. The same arguments give the same bytes.
    """
    content = "\n".join(
        ["<main>", body, "</main>", f"<footer><p>{escape(messages.text('page.footer'))}</p></footer>"]
    )
    return whole(title, content, style=part("page.css"), script=part("readout.js"))


def whole(title: str, content: str, *, style: str, script: str) -> str:
    """Return a whole HTML file with one style and one script, and a policy that allows nothing else.

    Args:
        title: the title of the file, not escaped yet.
        content: the HTML between `<body>` and the script.
        style: the style sheet.
        script: the script, which runs when all before it is there.
    """
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return "\n".join(
        [
            "<!DOCTYPE html>",
            f'<html lang="{HTML_LANGUAGES[messages.language()]}">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            '<meta name="referrer" content="no-referrer">',
            f"<title>{escape(title)}</title>",
            f"<style>{style}</style>",
            "</head>",
            "<body>",
            content,
            f"<script>{script}</script>",
            "</body>",
            "</html>",
            "",
        ]
    )


def heading(level: int, text: str, *, key: str | None = None) -> str:
    """Return a heading, with an id where links shall reach it."""
    name = f' id="{key}"' if key else ""
    return f"<h{level}{name}>{escape(text)}</h{level}>"


def paragraphs(sentences: Iterable[str], *, style: str | None = None) -> str:
    """Return every sentence as a paragraph of its own."""
    opening = f'<p class="{style}">' if style else "<p>"
    return "\n".join(f"{opening}{escape(sentence)}</p>" for sentence in sentences)


def verdict(sentences: Iterable[str]) -> str:
    """Return the sentences that say who did better, set apart from the rest; nothing where there are none."""
    content = paragraphs(sentences)
    return f'<div class="verdict">{content}</div>' if content else ""


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Return a list of facts: what it is, and its value, both text."""
    entries = (f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in pairs)
    return f'<dl class="facts">{"".join(entries)}</dl>'


def data(value: Number, *, whole: bool = False) -> str:
    """Return a number for a person to read, with all its digits beside it for a machine.

    Example:
        >>> data(0.00889760)
        '<data value="0.0088976">0.008898</data>'
    """
    if not is_number(value):
        return number(value)
    written = count(int(value)) if whole else number(value)
    return f'<data value="{value!r}">{written}</data>'


def best_of(value: Number, best: float) -> str:
    """Return a number as `data` does, marked where it is the `best` of its column."""
    return f'<span class="best">{data(value)}</span>' if is_number(value) and value == best else data(value)


def table(caption: str, head: Sequence[str], rows: Sequence[Sequence[str]], *, own: str | None = None) -> str:
    """Return a table in a box that scrolls by itself where the screen is narrow.

    Args:
        caption: what it shows, text.
        head: the names of its columns, text; the first column names the rows.
        rows: its cells: the first of a row is text, the others are HTML.
        own: the name of the row that the table is about.
    """
    columns = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    body = []
    for first, *rest in rows[:MOST_ROWS]:
        cells = "".join(f"<td>{item}</td>" for item in rest)
        style = ' class="own"' if first == own else ""
        body.append(f'<tr{style}><th scope="row">{escape(first)}</th>{cells}</tr>')
    left = len(rows) - len(body)
    note = paragraphs([messages.text("page.table.more", count=count(left))], style="note") if left else ""
    return "\n".join(
        [
            f'<div class="table" role="region" aria-label="{escape(caption)}" tabindex="0"><table>',
            f"<caption>{escape(caption)}</caption>",
            f"<thead><tr>{columns}</tr></thead>",
            "<tbody>",
            *body,
            "</tbody></table></div>",
            note,
        ]
    )


def folded(summary: str, content: str) -> str:
    """Return content that opens on a click."""
    return f"<details><summary>{escape(summary)}</summary>\n{content}\n</details>"


def method_name(key: str) -> str:
    """Return the name of a method for a person, or the key itself where it has none."""
    return word("method", key)


def word(room: str, key: str) -> str:
    """Return the word for `key` ("lstm" of room "cell", "mase" of room "metric").

    Keys come from reports: an unknown one is no fault here, it is its own word.
    """
    return str(messages.catalogue(messages.language()).get(f"page.{room}.{key}", key))


@functools.cache
def part(name: str) -> str:
    """Return a file of this folder."""
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _hash(content: str) -> str:
    """Return the hash by which a security policy allows `content`."""
    digest = hashlib.sha256(content.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
