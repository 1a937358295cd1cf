"""Draw the pictures of the READMEs anew, into docs/pictures: `make pictures`."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import FloatRect, ViewportSize, sync_playwright

from unrolled import lesson
from unrolled.demo import real
from unrolled.page import plot_png

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "pictures"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SIZE: ViewportSize = {"width": 1000, "height": 860}
CLIP: FloatRect = {"x": 0, "y": 285, "width": 1000, "height": 840}
"""What is below the findings: the views, the cursor, the equations of a step, the gates of a window."""


def main() -> None:
    """Write `forecast.png`, of the demo's real series, and `glass-box.png`, of the lesson's gates."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        (drawn,) = plot_png(real("co2_monthly").report, folder, language="en")
        shutil.copy(drawn, FOLDER / "forecast.png")
        page = Path(folder, "lesson.html")
        lesson().save(page)
        photograph(page, FOLDER / "glass-box.png")


def photograph(page: Path, picture: Path) -> None:
    """Take a picture of the view of gates."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program)
        try:
            tab = browser.new_page(viewport=SIZE, locale="en-GB")
            tab.goto(f"{page.as_uri()}#view=gates")
            tab.wait_for_selector("svg")
            tab.screenshot(path=picture, full_page=True, clip=CLIP)
        finally:
            browser.close()


if __name__ == "__main__":
    main()
