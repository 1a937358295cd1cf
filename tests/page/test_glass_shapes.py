"""The shapes in the glass box: the ledger is Python's, and all that is shown follows the chosen sizes."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from unrolled.explain.ledger import ledger
from unrolled.messages import speaking, text

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from unrolled.explain.facts import LedgerFacts

pytestmark = pytest.mark.page

CELLS = ("rnn", "rnn_relu", "lstm", "gru")
HEADS: list[dict[str, Any]] = [
    {},
    {"output_size": 3},
    {"output_size": 3, "head": "every", "head_bias": False},
    {"output_size": 2, "skip_steps": 7},
    {"output_size": 2, "skip_steps": 7, "skip_inputs": 2},
]


def report_of(facts: LedgerFacts) -> dict[str, Any]:
    return {"kind": "shapes", "title": "<b>shapes</b>", "member": 0, "ledger": facts, "sentences": []}


LSTM = report_of(ledger("lstm", input_size=1, hidden_size=50, output_size=1, batch=32, time=40))


def value(page: Page, selector: str) -> float:
    found: float = page.eval_on_selector(f"{selector} .num", "one => Number(one.value || one.dataset.value)")
    return found


def test_ledgers_are_those_of_python(glass: Callable[..., Page]) -> None:
    asked = [
        {
            "cell": cell,
            "input_size": 3,
            "hidden_size": 5,
            "num_layers": layers,
            "bidirectional": bidirectional,
            "batch_first": batch_first,
            "proj_size": proj_size,
            "bias": bias,
            "batch": 5,
            "time": 7,
            **head,
        }
        for cell, layers, bidirectional, batch_first, proj_size, bias, head in product(
            CELLS, (1, 2), (False, True), (False, True), (0, 2), (False, True), HEADS
        )
        if cell == "lstm" or not proj_size
    ]
    found = glass(LSTM).evaluate("asked => asked.map(unrolled.ledger)", asked)
    for sizes, answer in zip(asked, found, strict=True):
        numbers = dict(sizes)
        assert answer == ledger(numbers.pop("cell"), **numbers), sizes


def test_sizes_that_cannot_work_are_refused(glass: Callable[..., Page]) -> None:
    wrong = [{"cell": "mingru"}, {"cell": "gru", "proj_size": 2}, {"proj_size": 8}, {"skip_steps": 3}]
    asked = [{"input_size": 1, "hidden_size": 8, "batch": 2, "time": 4, **one} for one in wrong]
    answer = "sizes => { try { unrolled.ledger(sizes) } catch (error) { return error.name } }"
    assert glass(LSTM).evaluate(f"asked => asked.map({answer})", asked) == ["RangeError"] * len(wrong)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_everything_follows_a_size_that_is_typed(glass: Callable[..., Page], language: str) -> None:
    page = glass(LSTM, language)
    assert page.locator("h1").inner_text() == "<b>shapes</b>"
    with speaking(language):
        title, reset = text("glass.shapes.headline", total="10,651"), text("glass.shapes.reset")
    assert page.locator("h2").inner_text() == title
    page.get_by_role("spinbutton", name="hidden_size").fill("64")
    page.get_by_role("spinbutton", name="batch").fill("16")
    page.get_by_role("checkbox", name="bidirectional").check()
    facts = ledger("lstm", input_size=1, hidden_size=64, bidirectional=True, output_size=1, batch=16, time=40)
    assert page.locator("pre.made").inner_text() == facts["code"]
    assert value(page, "#shapes-total") == facts["parameters"]["total"]
    assert value(page, "#shapes-one-bias") == facts["parameters"]["one_bias"]
    costs = {**facts["work"], **facts["memory"]}
    names = page.eval_on_selector_all("[data-cost]", "all => all.map(one => one.dataset.cost)")
    assert names
    assert [value(page, f"[data-cost={name}]") for name in names] == [costs[name] for name in names]
    shown = page.eval_on_selector_all("[data-tensor]", "all => all.map(one => one.dataset.tensor)")
    for tensor in facts["tensors"]:
        if tensor["name"].endswith("_reverse"):  # of the shapes of the forward ones
            continue
        assert value(page, f"[data-tensor='{tensor['name']}']") == tensor["count"]
        shown.remove(tensor["name"])
    assert not shown
    page.get_by_role("button", name=reset).click()
    assert value(page, "#shapes-total") == 10651


def test_the_lamp_is_lit_where_axes_are_equal(glass: Callable[..., Page]) -> None:
    page = glass(LSTM)
    lamp = page.locator(".lamp")
    assert "lit" not in (lamp.get_attribute("class") or "")
    page.get_by_role("spinbutton", name="time").fill("32")
    assert "lit" in (lamp.get_attribute("class") or "")
    named = text("glass.shapes.lamp", letters="T = B", size=32, tensors="input, output")
    assert lamp.locator("p").first.inner_text() == named
    assert page.locator("[data-tensor=input] .equal").count() == 2
    assert page.locator("[data-tensor=h_n] .equal").count() == 0


def test_sliders_by_keyboard_alone(glass: Callable[..., Page]) -> None:
    page = glass(LSTM)
    slider = page.get_by_role("slider", name="num_layers")
    slider.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.get_by_role("spinbutton", name="num_layers").input_value() == "3"
    assert page.locator("[data-tensor=weight_ih_l1]").count() == 1
    assert page.locator("[data-kind=weights]").count() == 2
    page.keyboard.press("Home")
    assert page.locator("[data-kind=weights]").count() == 1


def test_a_projection_goes_with_an_lstm_alone(glass: Callable[..., Page]) -> None:
    page = glass(LSTM)
    proj_size = page.get_by_role("spinbutton", name="proj_size")
    proj_size.fill("8")
    assert page.locator("[data-tensor=weight_hr_l0]").count() == 1
    page.get_by_role("spinbutton", name="hidden_size").fill("4")
    assert proj_size.input_value() == "3"
    page.get_by_role("combobox").select_option("gru")
    assert page.locator("pre.made").inner_text().startswith("layer = nn.GRU(1, 4)\n")
    assert proj_size.is_disabled()


def test_a_number_says_where_it_comes_from(glass: Callable[..., Page]) -> None:
    page = glass(LSTM)
    page.locator("[data-cost=per_sequence] .num").click()
    assert page.locator(".inspector pre").all_inner_texts()[:2] == [
        "T · step + head",
        "408,000 + 50 = 408,050",
    ]
    page.keyboard.press("Escape")
    for number in page.locator("button.num").all():
        number.evaluate("one => one.click()")
        title, filled = page.locator(".inspector h2 data"), page.locator(".inspector .filled")
        if "=" in filled.inner_text():
            assert filled.inner_text().endswith(f"= {int(title.get_attribute('value') or ''):,}")


def test_another_cell_is_shown_as_the_report_has_it(glass: Callable[..., Page]) -> None:
    facts = ledger("mingru", input_size=1, hidden_size=8, output_size=1, batch=2, time=5)
    page = glass(report_of(facts))
    assert page.locator("pre.made").inner_text() == facts["code"]
    assert page.get_by_text(text("glass.shapes.foreign")).is_visible()
    page.get_by_role("combobox").select_option("gru")
    expected = ledger("gru", input_size=1, hidden_size=8, output_size=1, batch=2, time=5)
    assert value(page, "#shapes-total") == expected["parameters"]["total"]


@pytest.mark.parametrize("width", [390, 1280])
def test_no_scrolling_sideways(glass: Callable[..., Page], width: int) -> None:
    largest = ledger(
        "lstm", input_size=512, hidden_size=1024, num_layers=8, bidirectional=True, batch=2048, time=2048
    )
    page = glass(report_of(largest), width=width)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
