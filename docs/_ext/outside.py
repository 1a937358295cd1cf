"""Links that lead out of `docs/`: a folder is its README; some files have a page, others are downloads."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

LINK = re.compile(r"(\]\()((?!https?:|mailto:|#)[^)\s]+)(\))")
PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "benchmarks/REPORT.md": "benchmarks.md",
    "core/README.md": "core.md",
    "docs/README.md": "index.md",
}
"""Files of the repository that a page of the site stands for."""

CODE = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)


def lead(text: str, folder: Path, docs: Path) -> str:
    """Return a text of `folder` whose links lead to pages of the site in `docs`, and to downloads."""

    def place_of(link: re.Match[str]) -> str:
        name, _, anchor = link[2].partition("#")
        path = (folder / name).resolve()
        if path.is_dir():
            path /= "README.md"
        page = PAGES.get(os.path.relpath(path, docs.parent))
        if page is not None:
            target = f"/{page}"
        elif path.is_relative_to(docs):
            target = f"/{path.relative_to(docs).as_posix()}"
        else:
            return f"{link[1]}<path:/{os.path.relpath(path, docs)}>{link[3]}"
        return f"{link[1]}{target}{'#' + anchor if anchor else ''}{link[3]}"

    parts = CODE.split(text)
    parts[::2] = [LINK.sub(place_of, part) for part in parts[::2]]
    return "".join(parts)


def read_page(app: Sphinx, name: str, source: list[str]) -> None:
    """Rewrite the links of a page."""
    docs = Path(app.srcdir)
    source[0] = lead(source[0], Path(app.env.doc2path(name)).parent, docs)


def read_included(app: Sphinx, path: Path, parent: str, source: list[str]) -> None:
    """Rewrite the links of a file that a page includes."""
    docs = Path(app.srcdir)
    source[0] = lead(source[0], (docs / path).resolve().parent, docs)


def setup(app: Sphinx) -> dict[str, Any]:
    """Join Sphinx's reading of a page."""
    app.connect("source-read", read_page)
    app.connect("include-read", read_included)
    return {"parallel_read_safe": True}
