"""The pages in a real Chromium, opened by `file://` as a double click does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.page.reports import HOSTILE, make_demo, make_forecast, make_hostile, make_tutorial
from unrolled.page import demo_page, forecast_page, tutorial_page

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.page

PAGES: dict[str, Callable[[str], str]] = {
    "tutorial": lambda language: tutorial_page(make_tutorial(), language=language),
    "forecast": lambda language: forecast_page(make_forecast(15), language=language),
    "demo": lambda language: demo_page(make_demo(), language=language),
    "hostile": lambda language: demo_page(make_hostile(), language=language),
}
LINES = """figure => [...figure.querySelectorAll("[data-values]")].map(
  path => [path.dataset.name, path.dataset.values.split(" ").length, path.getTotalLength() > 0])"""
TOUCHING = """kind => [...document.querySelectorAll(".plot")].flatMap(plot => {
  const boxes = [...plot.querySelectorAll(kind)].map(one => [one.textContent, one.getBoundingClientRect()]);
  return boxes.flatMap(([name, a], i) => boxes.slice(i + 1)
    .filter(([, b]) => a.width && b.width)
    .filter(([, b]) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom)
    .map(([other]) => [name, other]));
})"""
CONTRAST = """() => [...document.querySelectorAll("p, dt, dd, th, td, h1, h2, h3, summary, .chart text")]
  .filter(one => one.checkVisibility() && one.textContent.trim())
  .map(one => {
    const style = getComputedStyle(one);
    const rgb = text => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
    const light = colour => rgb(colour).map(c => c / 255)
      .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
      .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const ink = light(one instanceof SVGElement ? style.fill : style.color);
    const paper = light(getComputedStyle(document.body).backgroundColor);
    return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
  })"""


@pytest.fixture
def show(open_file: Callable[..., Page], tmp_path: Path) -> Callable[..., Page]:
    """Opens a page by its name."""

    def open_page(name: str, language: str = "en", **how: Any) -> Page:
        file = tmp_path / f"{name}-{language}.html"
        file.write_text(PAGES[name](language), encoding="utf-8")
        return open_file(file, **how)

    return open_page


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_tutorial_has_three_charts(show: Callable[..., Page], language: str) -> None:
    page = show("tutorial", language)
    figures = page.locator("figure.chart")
    found = [figures.nth(i).evaluate(LINES) for i in range(figures.count())]
    assert [[(points, drawn) for _, points, drawn in lines] for lines in found] == [
        [(800, True)],
        [(760, True), (40, True)],
        [(100, True), (40, True)],
    ]
    assert page.locator("html").get_attribute("lang") == {"en": "en", "zh": "zh-Hans"}[language]
    assert (
        page.locator("h1").inner_text()
        == {
            "en": "A sine, learnt by one LSTM",
            "zh": "一个 LSTM 学一条正弦",
        }[language]
    )
    assert page.locator("table").nth(1).locator("tbody tr").count() == 10
    assert "0.008898" in page.locator("main").inner_text()


def test_lines_lie_where_their_values_are(show: Callable[..., Page]) -> None:
    page = show("tutorial")
    plot = page.locator(".plot").first.bounding_box()
    line = page.locator("[data-values]").first.bounding_box()
    assert plot is not None
    assert line is not None
    assert line["x"] == pytest.approx(plot["x"], abs=2)
    assert line["width"] == pytest.approx(plot["width"], abs=4)
    assert 0.85 * plot["height"] < line["height"] < plot["height"]


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_nothing_is_wider_than_the_screen(
    show: Callable[..., Page], name: str, language: str, width: int
) -> None:
    page = show(name, language, width=width)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("name", ["tutorial", "forecast"])
@pytest.mark.parametrize("width", [390, 768, 1280])
def test_labels_do_not_touch(show: Callable[..., Page], name: str, width: int) -> None:
    page = show(name, width=width)
    for kind in (".tick.x", ".tick.y", ".end text", ".name, .span-name"):
        assert page.evaluate(TOUCHING, kind) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["demo", "forecast"])
def test_words_can_be_read_in_light_and_dark(show: Callable[..., Page], scheme: str, name: str) -> None:
    page = show(name, color_scheme=scheme)
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == {"light": "rgb(255, 254, 251)", "dark": "rgb(20, 23, 28)"}[scheme]
    ratios = page.evaluate(CONTRAST)
    assert len(ratios) > 50
    assert min(ratios) >= 4.5


def test_letters_keep_their_size_on_a_telephone(show: Callable[..., Page]) -> None:
    heights = []
    for width in (390, 1280):
        box = show("tutorial", width=width).locator(".tick.x").first.bounding_box()
        assert box is not None
        heights.append(box["height"])
    assert heights[0] == heights[1] >= 12


def test_names_stand_at_the_lines_or_in_the_legend(show: Callable[..., Page]) -> None:
    wide = show("demo")
    assert wide.locator(".end").last.is_visible()
    assert not wide.locator(".several .legend").first.is_visible()
    narrow = show("demo", width=390)
    assert not narrow.locator(".end").last.is_visible()
    assert narrow.locator(".several .legend").last.inner_text().split("\n")[0] == "history"


def test_the_pointer_reads_the_values(show: Callable[..., Page]) -> None:
    page = show("tutorial")
    figure = page.locator("figure").nth(2)
    figure.scroll_into_view_if_needed()
    box = figure.locator(".plot").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 70 / 99, box["y"] + box["height"] / 2)
    assert figure.locator(".readout").inner_text() == "770 · truth 1 · network 0.911"
    assert figure.locator(".rule").get_attribute("visibility") == "visible"
    page.mouse.move(2, 2)
    assert figure.locator(".readout").inner_text() == ""


def test_the_pointer_reads_times(show: Callable[..., Page]) -> None:
    page = show("demo")
    figure = page.locator("figure").last
    figure.scroll_into_view_if_needed()
    box = figure.locator(".plot").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] - 1, box["y"] + 20)
    assert figure.locator(".readout").inner_text().startswith("1960-12-01 · truth ")


def test_a_page_lives_without_its_script(show: Callable[..., Page]) -> None:
    page = show("demo", java_script_enabled=False)
    assert page.locator("figure.chart").count() == 4
    page.locator("summary").first.click()
    assert page.locator("details table").first.is_visible()


def test_hostile_names_do_nothing(show: Callable[..., Page]) -> None:
    page = show("hostile")
    assert page.title() == "unrolled: two forecasts"
    assert page.locator("img, b").count() == 0
    assert page.locator("script").count() == page.locator("style").count() == 1
    assert page.locator("h2").nth(1).inner_text() == HOSTILE


def test_the_policy_stops_what_slips_through(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "slipped.html"
    slipped = "<main><script>document.title = 'broken'</script><img src='http://127.0.0.1:9/x' onerror='x()'>"
    file.write_text(PAGES["tutorial"]("en").replace("<main>", slipped, 1), encoding="utf-8")
    page = browser.new_page()
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text))
    page.goto(file.as_uri())
    assert page.title() != "broken"
    assert sum("Content Security Policy" in text for text in refused) >= 2
    page.close()


def test_a_page_prints(show: Callable[..., Page]) -> None:
    page = show("demo", color_scheme="dark")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.locator("nav").is_visible()
    assert len(page.pdf(format="A4")) > 10_000
