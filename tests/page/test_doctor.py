"""The view of the doctor in a browser: what was found, its proof and its fix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.doctor.test_checkup import checkup
from unrolled import Forecaster

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.page


@pytest.mark.parametrize("width", [1280, 390])
def test_findings_are_shown_with_their_proof_and_fix(glass: Callable[..., Any], width: int) -> None:
    page = glass(checkup().report.facts, width=width)
    told = page.inner_text("#view")
    for words in (
        "Wrong: 1 of 3 questions",
        "Numbers to look at: 1",
        "The layer reads the batch as the time",
        "print(0.125)",
        "nn.LSTM(1, 5, batch_first=True)",
        "docs/mistakes.md, row 1",
        "The same question has the same answer twice.",
    ):
        assert words in told
    assert page.locator("[role=tab]").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_it_is_told_in_chinese(glass: Callable[..., Any]) -> None:
    page = glass(checkup().report.facts, "zh")
    told = page.inner_text("#view")
    assert "该层把批当成了时间" in told
    assert "doctor." not in told


def test_a_finding_leads_to_the_view_that_shows_it(glass: Callable[..., Any]) -> None:
    y = np.sin(np.arange(160) * 2 * np.pi / 12) + np.random.default_rng(0).normal(size=160)
    facts: Any = dict(Forecaster(6, season=12, steps=20, seed=1).fit(y).explain(y).facts)
    page = glass(facts, hash="#view=doctor")
    told = page.inner_text("#view")
    assert "nothing is proved wrong" in told
    assert "doctor." not in told
    if facts["checkup"]["findings"]:
        page.locator("article button").first.click()
        view = facts["checkup"]["findings"][0]["cursor"]["view"]
        assert page.locator(f"#tab-{view}").get_attribute("aria-selected") == "true"
