"""The view of the memory: its numbers are those of the report, and a lag moves the cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.page.glass_forecasts import at_once, fed_back, figures
from unrolled.messages import catalogue
from unrolled.page.numbers import number

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

pytestmark = pytest.mark.page

STEP = "() => unrolled.state.step"


@pytest.fixture
def memory(glass: Callable[..., Page]) -> Callable[..., Page]:
    def show(facts: object, language: str = "en", **how: object) -> Page:
        return glass(facts, language, hash=f"#view=memory&lang={language}", **how)

    return show


def test_numbers_are_those_of_the_report(memory: Callable[..., Page]) -> None:
    facts = at_once()["memory"]
    page = memory(at_once())
    assert f"in the last {facts['lag95']} of {facts['window']} points" in page.inner_text(".headline")
    told = np.array(figures(page, "memory-gradient"), float)
    parts = np.transpose([facts["gradient"], facts["recurrent"], facts["skip"]])
    np.testing.assert_allclose(told, parts, rtol=1e-5)
    truncated = np.array(figures(page, "memory-truncation"), float)
    np.testing.assert_allclose(truncated, np.array(facts["truncation"])[:, 1:], rtol=1e-5)
    layer = facts["layers"][0]
    kept = np.array(figures(page, "memory-half-lives"), float)
    np.testing.assert_allclose(kept, np.transpose([layer["half_life"], layer["keep"]]), rtol=1e-5)
    values = np.array(figures(page, "memory-eigenvalues"), float)
    np.testing.assert_allclose(values[:, :2], layer["eigenvalues"], rtol=1e-5, atol=1e-12)
    assert number(layer["effective_rank"]) in page.inner_text("section[aria-labelledby=memory-rank]")


@pytest.mark.parametrize("report", [at_once, fed_back])
def test_a_lag_moves_the_cursor(memory: Callable[..., Page], report: Callable[[], object]) -> None:
    page = memory(report())
    steps = page.evaluate("() => unrolled.state.steps")
    plot = page.locator("section[aria-labelledby=memory-gradient] [role=slider]")
    plot.focus()
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(STEP) == steps - 2
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(STEP) == steps - 1
    box = plot.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 0.12 * box["width"], box["y"] + 60)
    assert page.evaluate(STEP) == 0
    window, patch = (page.evaluate(f"() => unrolled.report.memory.{name}") for name in ("window", "patch"))
    said = page.locator("section[aria-labelledby=memory-gradient] > p").inner_text()
    assert (f"{window} back" if patch == 1 else f"{window - patch + 1} to {window} back") in said


def test_layers_follow_the_cursor_and_the_keys(memory: Callable[..., Page]) -> None:
    facts = fed_back()["memory"]
    page = memory(fed_back())
    page.keyboard.press("l")
    assert "layer 2 of 2" in page.inner_text("main")
    radius = page.locator("section[aria-labelledby=memory-eigenvalues] .lead .num")
    shown = radius.get_attribute("data-value")
    assert shown is not None
    assert float(shown) == pytest.approx(facts["layers"][1]["spectral_radius"], rel=1e-5)
    radius.click()
    assert "torch.linalg.eigvals(J)" in page.inner_text(".inspector")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="1", exact=True).click()
    assert page.evaluate("() => unrolled.state.layer") == 0
    page.keyboard.press("u")
    assert "Unit 1, at the cursor" in page.inner_text("section[aria-labelledby=memory-half-lives]")


def test_moments_of_the_training(memory: Callable[..., Page]) -> None:
    facts = at_once()["learning"]
    page = memory(at_once())
    section = page.locator("section[aria-labelledby=memory-learning]")
    section.locator("[role=slider]").focus()
    page.keyboard.press("ArrowLeft")
    before = facts["moments"][-2]
    assert f"after step {before['step']}" in section.locator("h3").nth(1).inner_text()
    told = np.array(figures(page, "memory-learning"), float)
    wanted = [[one["loss"], one["norms"][0], one["norms"][-1]] for one in facts["moments"]]
    np.testing.assert_allclose(told, np.array(wanted, float), rtol=1e-5)


def test_what_is_not_known_is_said(memory: Callable[..., Page]) -> None:
    silent = {**fed_back()["memory"], "lag95": 0, "truncation": [], "warm_up": None}
    plain = {"half_life": [None] * 5, "keep": [None] * 5, "saturation": {}}
    silent["layers"] = [{**layer, **plain} for layer in silent["layers"]]
    report = {**fed_back(), "memory": silent, "network": {**fed_back()["network"], "cell": "rnn"}}
    text = memory(report).inner_text("main")
    for name in ("headline-none", "truncation-unknown", "no-keep", "saturation-unknown", "learning-none"):
        assert catalogue("en")[f"glass.memory.{name}"] in text


@pytest.mark.parametrize("width", [390, 1280])
def test_both_languages_at_any_width(memory: Callable[..., Page], width: int) -> None:
    page = memory(at_once(), "zh", width=width)
    text = page.inner_text("main")
    assert "glass." not in text
    assert catalogue("zh")["glass.memory.gradient"] in text
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="English").click()
    assert catalogue("en")["glass.memory.gradient"] in page.inner_text("main")
