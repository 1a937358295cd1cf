"""Check a built site: every link inside it leads somewhere, and no page loads anything from elsewhere.

usage: python tools/check_site.py FOLDER
"""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {"img": "src", "script": "src", "link": "href", "iframe": "src", "source": "src"}
"""What a browser fetches by itself."""

NOT_FETCHED = {"canonical", "next", "prev", "search", "index", "author", "help"}
"""Relations of `link` that a browser does not follow."""


class Page(HTMLParser):
    """The links and the anchors of one page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what a tag links to, loads, or names."""
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if given.get(name)}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        target = given.get(LOADED.get(tag, ""), "")
        if target and not (tag == "link" and given.get("rel") in NOT_FETCHED):
            self.loaded.append(target)


def faults(folder: Path) -> list[str]:
    """Return a sentence for everything that is wrong with a site."""
    pages = {
        path.resolve(): Page(path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.html"))
    }
    if not pages:
        return [f"expected pages in {folder}; got none"]
    found = []
    for path, page in pages.items():
        here = path.relative_to(folder.resolve()).as_posix()
        found += [f"{here}: loads {one} from elsewhere" for one in page.loaded if is_elsewhere(one)]
        for link in dict.fromkeys([*page.links, *(one for one in page.loaded if not is_elsewhere(one))]):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.exists():
                found.append(f"{here}: {link} leads nowhere")
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].anchors:
                found.append(f"{here}: {link} names no place of that page")
    return found


def is_elsewhere(address: str) -> bool:
    """Return whether an address is outside of the site; what stands in the page itself is not."""
    parts = urlsplit(address)
    return bool(parts.netloc) or parts.scheme in {"http", "https"}


def main(arguments: list[str]) -> int:
    """Print all faults; 0 where there is none, 1 where there are some, 2 for misuse."""
    if len(arguments) != 1:
        print(__doc__.strip().splitlines()[-1], file=sys.stderr)
        return 2
    found = faults(Path(arguments[0]))
    print("\n".join(found) if found else "every link leads somewhere, nothing is loaded from elsewhere")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
