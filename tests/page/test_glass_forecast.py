"""The view of the forecasts: origins by pointer and keyboard, numbers as Python's, changes followed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.page.glass_forecasts import at_once, fed_back, figures, waves
from tests.page.reports import HOSTILE
from unrolled.cells import CELLS, run_network
from unrolled.explain.blocks import unpacked
from unrolled.messages import catalogue

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray
    from playwright.sync_api import Page

    from unrolled.explain.facts import OriginFacts, ReportFacts

pytestmark = pytest.mark.page

CHANGE = ("weight_hh_l0", 3, 1.25)


@pytest.fixture
def forecast(glass: Callable[..., Page]) -> Callable[..., Page]:
    def show(facts: object, language: str = "en", place: str = "", **how: object) -> Page:
        return glass(facts, language, hash=f"#view=forecast&lang={language}{place}", **how)

    return show


def weights_of(facts: ReportFacts, *change: Any) -> dict[str, NDArray[np.float64]]:
    """Return the weights of a report's network, some of them changed."""
    weights = {name: np.array(unpacked(one), np.float64) for name, one in facts["network"]["weights"].items()}
    if change:
        name, index, value = change
        weights[name].flat[index] = value
    return weights


def answer(facts: ReportFacts, x_ti: NDArray[np.float64], weights: Mapping[str, Any]) -> NDArray[np.float64]:
    network = facts["network"]
    y = run_network(
        CELLS[network["cell"]], x_ti[:, None], weights, skip_inputs=network["skip_inputs"] or None
    )
    return np.asarray(y.y[0], np.float64)


def shown_origin(page: Page) -> int:
    return int(str(page.locator(".loop [role=slider]").get_attribute("aria-valuenow")))


def changed_column(facts: ReportFacts) -> int:
    """Return where in the table of a forecast the changed network stands: after truth, baselines, loops."""
    return 3 + len(facts["forecast"]["origins"][0]["baselines"])


def as_table(one: OriginFacts, truth: list[float | None]) -> NDArray[np.float64]:
    bands = [end for level in ("95", "80") if level in one["intervals"] for end in one["intervals"][level]]
    columns = [truth, *one["baselines"].values(), one["open"], one["closed"], *bands]
    return np.array(columns, float).T


def test_the_origin_snaps_and_its_numbers_are_those_of_the_report(forecast: Callable[..., Page]) -> None:
    origins = fed_back()["forecast"]["origins"]
    page = forecast(fed_back())
    page.locator(".loop [role=slider]").focus()
    page.keyboard.press("Home")
    assert shown_origin(page) == origins[0]["origin"]
    assert catalogue("en")["glass.forecast.seen"] in page.inner_text("main")
    page.keyboard.press("ArrowRight")
    assert shown_origin(page) == origins[1]["origin"]
    page.keyboard.press("End")
    assert shown_origin(page) == origins[-1]["origin"]
    assert catalogue("en")["glass.forecast.here-unknown"] in page.inner_text("main")
    assert page.evaluate("() => unrolled.state.window") == origins[-1]["window"]
    box = page.locator(".loop [role=slider]").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] - 20, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 100)
    page.mouse.up()
    one = next(one for one in origins if one["origin"] == shown_origin(page))
    assert one["seen"] is False
    assert catalogue("en")["glass.forecast.unseen"] in page.inner_text("main")
    told = np.array(figures(page, "forecast-loop"), float)
    truth = fed_back()["series"][0]["values"]
    wanted = as_table(one, (truth + [None] * 6)[one["origin"] :][:6])
    np.testing.assert_allclose(told, wanted, rtol=1e-5)


def test_series_and_intervals(forecast: Callable[..., Page]) -> None:
    facts = at_once()
    page = forecast(facts)
    page.locator("select").select_option("1")
    page.locator(".loop [role=slider]").focus()
    page.keyboard.press("Home")
    one = next(one for one in facts["forecast"]["origins"] if one["series"] == 1)
    assert shown_origin(page) == one["origin"]
    truth = facts["series"][1]["values"][one["origin"] :][:6]
    np.testing.assert_allclose(
        np.array(figures(page, "forecast-loop"), float), as_table(one, truth), rtol=1e-5
    )


def test_the_forecast_follows_a_changed_weight(forecast: Callable[..., Page]) -> None:
    facts = fed_back()
    window = len(facts["windows"]) - 1
    page = forecast(facts, place=f"&window={window}")
    page.evaluate("([name, index, value]) => unrolled.state.edit(name, index, value)", list(CHANGE))
    page.wait_for_selector(".loop path.edited", state="attached")
    told = np.array([row[changed_column(facts)] for row in figures(page, "forecast-loop")], float)

    of, weights = facts["windows"][window], weights_of(facts, *CHANGE)
    x, scaled = np.array(unpacked(of["x"]), np.float64), []
    for _ in range(facts["forecast"]["horizon"]):
        scaled.append(answer(facts, x, weights)[0])
        x = np.append(x[1:], [[scaled[-1]]], axis=0)
    wanted = of["location"][0] + of["scale"][0] * np.array(scaled)
    np.testing.assert_allclose(told, wanted, rtol=1e-5)
    closed = next(one["closed"] for one in facts["forecast"]["origins"] if one["window"] == window)
    assert np.abs(told - np.array(closed, float)).max() > 1e-4


def test_without_a_change_the_page_feeds_back_as_python_does(forecast: Callable[..., Page]) -> None:
    facts = fed_back()
    window = len(facts["windows"]) - 1
    page = forecast(facts, place=f"&window={window}")
    name, index, _ = CHANGE
    same = weights_of(facts)[name].flat[index]
    page.evaluate("([name, index, value]) => unrolled.state.edit(name, index, value)", [name, index, same])
    column = changed_column(facts)
    told = [row[column - 1 : column + 1] for row in figures(page, "forecast-loop")]
    own, edited = np.array(told, float).T
    np.testing.assert_allclose(edited, own, rtol=1e-5)


@pytest.mark.parametrize("report", [at_once, fed_back])
def test_the_parts_add_up_and_follow_changes(
    forecast: Callable[..., Page], report: Callable[[], ReportFacts]
) -> None:
    facts = report()
    page = forecast(facts)
    first = next(one for one in facts["forecast"]["contributions"] if one["window"] == 0)
    parts = np.array([first["bias"], first["skip"], first["recurrent"]]).T
    told = np.array(figures(page, "forecast-parts"), float)
    np.testing.assert_allclose(told[:, :3], parts, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(told[:, 3], parts.sum(axis=1), rtol=1e-5, atol=1e-7)
    page.evaluate("([name, index, value]) => unrolled.state.edit(name, index, value)", list(CHANGE))
    x = np.array(unpacked(facts["windows"][0]["x"]), np.float64)
    wanted = answer(facts, x, weights_of(facts, *CHANGE))[: len(parts)]
    followed = np.array(figures(page, "forecast-parts"), float)
    np.testing.assert_allclose(followed[:, 3], wanted, rtol=1e-5, atol=1e-7)
    assert not np.allclose(followed[:, 3], told[:, 3], rtol=1e-4)


def test_errors_by_how_far_ahead(forecast: Callable[..., Page]) -> None:
    errors = fed_back()["forecast"]["errors"]
    page = forecast(fed_back())
    for button, measure in (("RMSE", "rmse"), ("Skill", "skill")):
        page.get_by_role("button", name=button, exact=True).click()
        wanted = np.array([one[measure] for one in errors], float).T  # type: ignore[literal-required]
        np.testing.assert_allclose(np.array(figures(page, "forecast-errors"), float), wanted, rtol=1e-5)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"best_lag": 1, "skill": -0.5, "flagged": True}, "It looks like a copy"),
        ({"best_lag": 0, "skill": 0.5, "flagged": False}, "No: the first forecast"),
        ({"best_lag": 1, "skill": 0.5, "flagged": False}, "but it is better than repeating it"),
        ({"best_lag": 4, "skill": 0.5, "flagged": False}, "the value 4 points back"),
        ({"best_lag": None, "skill": None, "flagged": False}, "This cannot be told"),
    ],
)
def test_the_copy_meter_in_words(forecast: Callable[..., Page], change: dict[str, Any], says: str) -> None:
    facts = fed_back()
    copy = {**facts["forecast"]["copy"], **change}
    page = forecast({**facts, "forecast": {**facts["forecast"], "copy": copy}})
    assert says in page.inner_text("section[aria-labelledby=forecast-copy]")


def test_the_output_drops_into_the_window(forecast: Callable[..., Page]) -> None:
    page = forecast(fed_back(), reduced_motion="no-preference")
    section = page.locator("section[aria-labelledby=forecast-feedback]")
    assert section.locator(".value.own").count() == 1
    section.get_by_role("slider").focus()
    page.keyboard.press("ArrowRight")
    assert "15 points are true and 1 are its own" in section.inner_text()
    assert section.locator(".value.own").count() == 2
    section.get_by_role("button", name="Play").click()
    page.wait_for_selector(".dropping", state="attached")
    section.get_by_role("button", name="Pause").click()
    assert not section.locator(".dropping").count()
    still = forecast(fed_back(), reduced_motion="reduce")
    assert not still.get_by_role("button", name="Play").count()
    assert "Nothing is fed back" in forecast(at_once()).inner_text("main")


@pytest.mark.parametrize("width", [390, 1280])
def test_both_languages_and_hostile_names_at_any_width(forecast: Callable[..., Page], width: int) -> None:
    facts = at_once()
    series = [{**one, "id": HOSTILE, "channel": HOSTILE, "unit": HOSTILE} for one in facts["series"]]
    page = forecast({**facts, "series": series}, "zh", width=width)
    text = page.inner_text("main")
    assert "glass." not in text
    assert HOSTILE in text
    assert catalogue("zh")["glass.forecast.errors"] in text
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="English").click()
    assert catalogue("en")["glass.forecast.errors"] in page.inner_text("main")


def test_the_series_are_those_that_were_fitted() -> None:
    told = [one["values"] for one in at_once()["series"]]
    np.testing.assert_allclose(np.array(told, float), waves()[:, :100], rtol=1e-6)
