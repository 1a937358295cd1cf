"""The lesson and the windows of the glass box in a real Chromium, on the tutorial's own job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from unrolled.demo import lesson
from unrolled.messages import catalogue

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    Glass = Callable[..., Page]

pytestmark = pytest.mark.page

NUMBERS = "selector => [...document.querySelectorAll(selector)].map(one => +(one.dataset.value ?? one.value))"
WIDE = "document.documentElement.scrollWidth > innerWidth"


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    return dict(lesson(epochs=1, progress=False).facts)


def said(message: dict[str, Any], language: str) -> str:
    """The first words of a sentence, up to its first value."""
    return str(catalogue(language)[message["id"]]).split("{")[0]


def last_window(report: dict[str, Any]) -> int:
    """The number of the latest window that the network learnt from."""
    ends = [one["start"] + one["points"] for one in report["windows"]]
    return max(k for k, end in enumerate(ends) if end <= report["lesson"]["known"])


def numbers(page: Page, selector: str) -> list[float]:
    found: list[float] = page.evaluate(NUMBERS, f"{selector} [data-value], {selector} data[value]")
    return found


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_lesson_opens_first_and_tells_every_step(
    glass: Glass, report: dict[str, Any], language: str
) -> None:
    page = glass(report, language)
    steps = report["lesson"]["steps"]
    for chapter, step in enumerate(steps):
        assert page.locator("#chapter").inner_text().startswith(said(step["title"], language))
        assert page.locator(".text").inner_text().startswith(said(step["text"], language))
        assert page.locator("[aria-current=step]").inner_text() == str(chapter + 1)
        page.locator(".turns .next").click()
    slips = page.locator("[data-slip]")
    assert slips.count() == len(report["lesson"]["slips"])
    assert page.locator(".turns .next").count() == 0


def test_a_guess_shows_the_answer_and_a_button_hides_it(glass: Glass, report: dict[str, Any]) -> None:
    page = glass(report)
    assert page.locator(".answer").count() == 0
    page.get_by_role("button", name="40", exact=True).click()
    reveal = page.locator(".reveal")
    assert reveal.get_attribute("aria-expanded") == "true"
    assert page.locator(".answer b").inner_text() == catalogue("en")["glass.lesson.not-quite"]
    assert "One." in page.locator(".answer").inner_text()
    assert page.locator(".choice.right").inner_text().startswith("1")
    reveal.click()
    assert reveal.get_attribute("aria-expanded") == "false"
    assert page.locator(".answer").count() == 0


def test_chapters_are_turned_by_keys_and_kept_in_the_address(glass: Glass, report: dict[str, Any]) -> None:
    page = glass(report)
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    assert "chapter=2" in page.evaluate("location.hash")
    assert page.evaluate("document.activeElement.id") == "chapter"
    page.evaluate("history.back()")
    page.wait_for_timeout(100)
    assert page.evaluate("unrolled.state.chapter") == 3
    page.keyboard.press("End")
    assert page.evaluate("unrolled.state.chapter") == len(report["lesson"]["steps"])


def test_a_chapter_of_the_address_is_brought_within(glass: Glass, report: dict[str, Any]) -> None:
    page = glass(report, hash="#chapter=99")
    assert page.evaluate("unrolled.state.chapter") == len(report["lesson"]["steps"])


def test_a_step_leads_to_its_view_with_the_cursor_set(glass: Glass, report: dict[str, Any]) -> None:
    page = glass(report, hash="#view=lesson&chapter=1")
    page.locator(".look").click()
    where = page.evaluate("[unrolled.state.view, unrolled.state.window, unrolled.state.step]")
    window = last_window(report)
    assert where == ["one", window, 2]
    page.evaluate("history.back()")
    page.wait_for_timeout(100)
    assert page.evaluate("[unrolled.state.view, unrolled.state.chapter]") == ["lesson", 1]


def test_the_states_of_the_loop_are_those_of_the_network(glass: Glass, report: dict[str, Any]) -> None:
    page = glass(report, hash="#view=lesson&chapter=1")
    window = last_window(report)
    h = page.evaluate(f"Array.from(unrolled.compute({window}).layers[0].values.h)")
    size = report["network"]["hidden_size"]
    assert numbers(page, ".equation") == pytest.approx([h[0], h[size], h[2 * size]], abs=1e-12)


def test_products_and_gradients_are_those_of_python(glass: Glass, report: dict[str, Any]) -> None:
    facts = report["lesson"]
    page = glass(report, hash="#view=lesson&chapter=5")
    known = sorted(value for product in facts["products"] for value in product["values"])
    assert sorted(numbers(page, ".flow")) == pytest.approx(known, abs=1e-12)

    page = glass(report, hash="#view=lesson&chapter=7")
    batch = facts["letter_batch"]
    assert numbers(page, ".batch") == pytest.approx([*batch["losses"], batch["mean_loss"]], abs=1e-12)
    assert page.locator("#view td").count() == 0
    page.get_by_role("button", name="No", exact=True).click()
    shown = numbers(page, "td")
    assert shown[::2] == pytest.approx(batch["gradient_of_mean"], abs=1e-12)
    assert shown[1::2] == pytest.approx(batch["mean_of_gradients"], abs=1e-12)


def test_the_window_of_letters_slides(glass: Glass, report: dict[str, Any]) -> None:
    page = glass(report, hash="#view=lesson&chapter=2")
    page.get_by_role("button", name="CD → E").click()
    label = page.locator(".letters").get_attribute("aria-label") or ""
    assert "CD" in label
    assert label.endswith("E")


def test_windows_are_counted_and_followed(glass: Glass, report: dict[str, Any]) -> None:
    split = report["split"]
    page = glass(report, hash="#view=windows&window=3&step=20")
    assert numbers(page, ".equation") == [720, 760, 40, 1]
    start = report["windows"][3]["start"]
    assert page.locator(".knows[data-known]").get_attribute("data-known") == str(start + 20)
    page.get_by_role("slider", name=str(catalogue("en")["glass.windows.map-label"])).focus()
    page.keyboard.press("ArrowRight")
    assert page.locator(".knows[data-known]").get_attribute("data-known") == str(start + 21)
    assert page.evaluate("unrolled.state.window") == 3
    page.evaluate("unrolled.state.move({window: 5})")
    assert page.locator(".map").get_attribute("aria-valuenow") == str(report["windows"][5]["start"])
    least = [one["least"] for one in split["ranges"]]
    assert numbers(page, "td:nth-child(6)") == pytest.approx(least, abs=1e-5)


def test_windows_cut_before_the_split_are_marked(glass: Glass, report: dict[str, Any]) -> None:
    page = glass(report, hash="#view=windows")
    assert page.locator("path.leak").count() == 0
    page.get_by_role("button", name=str(catalogue("en")["glass.windows.cut-first"])).click()
    assert page.locator("path.leak").count() == 1
    assert "40 windows" in page.locator(".warning").inner_text()


def test_windows_that_leak_are_told_unasked(glass: Glass, report: dict[str, Any]) -> None:
    split = {**report["split"], "overlap": 7, "counts": {**report["split"]["counts"], "train": 727}}
    page = glass({**report, "split": split}, hash="#view=windows")
    assert page.locator("path.leak").count() == 1
    assert "7 training windows" in page.locator("#view .lead").inner_text()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_nothing_is_wider_than_a_telephone(glass: Glass, report: dict[str, Any], language: str) -> None:
    page = glass(report, language, width=390)
    for chapter in range(len(report["lesson"]["steps"]) + 1):
        page.evaluate(f"unrolled.state.move({{chapter: {chapter}}})")
        assert not page.evaluate(WIDE), chapter
    page.evaluate("unrolled.state.view = 'windows'")
    assert not page.evaluate(WIDE)
