"""The batch in the glass box: the plane that is taken for time, and the numbers beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.explain.helpers import drawn
from tests.page.reports import HOSTILE
from unrolled.explain.batches import batch_facts
from unrolled.explain.ledger import ledger
from unrolled.explain.trace import network_facts, window_facts
from unrolled.messages import speaking, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

pytestmark = pytest.mark.page

B, T = 5, 9


def make_report() -> dict[str, Any]:
    subject = drawn("lstm", steps=T, batch=B, input_size=2)
    network = network_facts(subject)
    network["input_names"] = [HOSTILE, "x1[t]"]
    windows = window_facts(subject)
    for number, window in enumerate(windows):  # of two series; the second one is not in the report
        window["series"], window["start"] = int(number == B - 1), 2 * number
    series = {"id": HOSTILE, "channel": "y", "unit": None, "first": 0, "times": None}
    return {
        "kind": "network",
        "title": "batch",
        "member": 0,
        "ledger": ledger(subject.network, batch=B, time=T),
        "network": network,
        "windows": windows,
        "series": [{**series, "values": [None, *np.sin(np.arange(20.0))]}],
        "batch": batch_facts(subject),
        "sentences": [],
    }


REPORT = make_report()
FACTS = REPORT["batch"]


@pytest.fixture
def show(glass: Callable[..., Page]) -> Callable[..., Page]:
    return lambda language="en", at="", **more: glass(REPORT, language, hash=f"#view=batch{at}", **more)


NUMBERS = """rows => rows.map(row => [...row.querySelectorAll(".num")]
  .map(one => Number(one.dataset.value ?? one.value)))"""


def numbers(page: Page, rows: str) -> list[list[float]]:
    found: list[list[float]] = page.eval_on_selector_all(rows, NUMBERS)
    return found


def plane(page: Page) -> float:
    """Return how far the plane is moved, in pixels."""
    moved: float = page.eval_on_selector(
        ".plane", "one => parseFloat(one.style.transform.match(/[\\d.]+/)[0])"
    )
    return moved


def test_the_numbers_are_those_of_python(show: Callable[..., Page]) -> None:
    page = show()
    influence, gradients = ".pair table tbody tr", ".pair ~ .table tbody tr"
    np.testing.assert_allclose(numbers(page, influence), FACTS["influence"], rtol=1e-5)
    both = np.stack([FACTS["gradient_of_mean"], FACTS["mean_of_gradients"]], axis=1)
    np.testing.assert_allclose(numbers(page, gradients), both, rtol=1e-5)
    assert numbers(page, ".losses") == [[*FACTS["losses"], FACTS["mean_loss"]]]
    assert numbers(page, "#batch-difference") == [[FACTS["largest_difference"]]]
    page.locator(gradients).first.locator(".num").first.click()
    assert page.locator(".inspector code").inner_text().endswith("layer.weight_ih_l0.grad[0, 0]")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_batch_first_forgotten(show: Callable[..., Page], language: str) -> None:
    def said(key: str, **values: object) -> str:
        with speaking(language):
            return text(f"glass.batch.{key}", **values)

    page = show(language)
    title, code = page.locator("h2"), page.locator(".pair pre")
    assert title.inner_text() == said("headline", batch=B)
    assert "batch_first=True" in code.inner_text()
    page.get_by_role("button", name=said("wrong")).click()
    assert title.inner_text() == said("headline-wrong", strange=10, places=20)
    assert "batch_first" not in code.inner_text()
    np.testing.assert_allclose(numbers(page, ".pair table tbody tr"), FACTS["swapped"], rtol=1e-5)
    page.get_by_role("button", name=said("right")).click()
    assert page.locator(".verdict").inner_text() == said("apart", places=20)


def test_the_plane_follows_the_cursor(show: Callable[..., Page]) -> None:
    page = show(at="&step=0&window=0")
    assert plane(page) == 0
    page.keyboard.press("ArrowRight")
    one = plane(page)
    page.keyboard.press("End")
    assert one == pytest.approx(plane(page) / (T - 1), abs=1e-3)  # Chromium writes six digits
    assert page.locator("svg .arrows path").count() == B
    page.get_by_role("button", name=text("glass.batch.wrong")).click()
    assert plane(page) == 0
    page.keyboard.press("w")
    below = plane(page)
    page.evaluate(f"unrolled.state.move({{window: {B - 1}}})")
    assert below == pytest.approx(plane(page) / (B - 1), abs=1e-3)
    assert page.get_by_text(text("glass.batch.no-series")).is_visible()


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_play_by_keyboard_to_the_end(show: Callable[..., Page], motion: str) -> None:
    page = show(reduced_motion=motion)
    page.clock.install()
    play = page.locator("button.play")
    play.focus()
    page.keyboard.press("Enter")
    assert play.get_attribute("aria-pressed") == "true"
    assert page.evaluate("unrolled.state.step") == 0
    page.clock.run_for(2000)
    at = page.evaluate("unrolled.state.step")
    assert 1 <= at < T - 1
    page.keyboard.press("Enter")
    page.clock.run_for(5000)
    assert page.evaluate("unrolled.state.step") == at
    page.keyboard.press("Enter")
    page.clock.run_for(12000)
    assert page.evaluate("unrolled.state.step") == T - 1
    assert play.get_attribute("aria-pressed") == "false"
    duration = page.eval_on_selector(".plane", "one => getComputedStyle(one).transitionDuration")
    assert (duration == "0s") == (motion == "reduce")


def test_a_click_moves_the_cursor(show: Callable[..., Page]) -> None:
    page = show()
    touch = page.locator(".touch")
    box = touch.bounding_box()
    assert box
    touch.click(position={"x": box["width"] * 2.5 / T, "y": box["height"] * 3.5 / B})
    assert page.evaluate("[unrolled.state.step, unrolled.state.window]") == [2, 3]
    assert HOSTILE in page.locator("#batch-value").inner_text()


def test_changed_inputs_are_drawn_and_said(show: Callable[..., Page]) -> None:
    page = show(at="&step=0&window=0&edits=x0~0~2.5")
    assert page.locator("#batch-value .num").get_attribute("data-value") == "2.5"
    assert page.get_by_text(text("glass.batch.edited")).is_visible()


@pytest.mark.parametrize("width", [390, 1280])
def test_no_scrolling_sideways(show: Callable[..., Page], width: int) -> None:
    assert show(width=width).evaluate("document.documentElement.scrollWidth <= innerWidth")
