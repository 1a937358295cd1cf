"""The browser of the tests marked `page`, and what opens a glass box in it."""

from __future__ import annotations

import itertools
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from unrolled.page.glass import glass_page

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    known = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, known)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path)
        yield browser
        browser.close()


@pytest.fixture
def open_file(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a file; afterwards, nothing but the file was asked for and nothing was complained about."""
    complaints: list[str] = []
    opened: list[Page] = []

    def open_page(file: Path, *, hash: str = "", width: int = 1280, **context: Any) -> Page:
        page = browser.new_page(viewport={"width": width, "height": 900}, **context)

        def asked(url: str) -> None:
            if url.partition("#")[0] != file.as_uri():
                complaints.append(f"asks for {url}")

        page.on("request", lambda request: asked(request.url))
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.goto(file.as_uri() + hash)
        opened.append(page)
        return page

    yield open_page
    for page in opened:
        page.wait_for_timeout(20)
        page.close()
    assert opened
    assert not complaints


@pytest.fixture
def glass(open_file: Callable[..., Page], tmp_path: Path) -> Callable[..., Page]:
    """Opens a report."""
    numbers = itertools.count()

    def open_page(report: Mapping[str, Any], language: str = "en", **how: Any) -> Page:
        file = tmp_path / f"glass-{next(numbers)}.html"
        file.write_text(glass_page(report, language=language), encoding="utf-8")
        return open_file(file, **how)

    return open_page
