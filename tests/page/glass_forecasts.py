"""Reports of fitted networks, small and quick, with a memory and forecasts to look at."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from unrolled import Forecaster

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from playwright.sync_api import Page

    from unrolled.explain.facts import ReportFacts

LEARNT = 100
"""Points that the networks learnt from; the others of `waves` came later."""


def waves() -> NDArray[np.float64]:
    """Return two series with a season of 8, [2, 120]."""
    t, rng = np.arange(120), np.random.default_rng(3)
    level = np.array([[5.0], [-20.0]])
    wave = np.sin(2 * np.pi * (t + np.array([[0], [3]])) / 8)
    return np.asarray(level + wave + rng.normal(scale=0.1, size=(2, 120)))


@cache
def fed_back() -> ReportFacts:
    """Return the report of one LSTM of two layers that reads its own forecasts, on one series."""
    y = waves()[0]
    forecaster = Forecaster(
        6,
        window=16,
        cell="lstm",
        hidden_size=5,
        num_layers=2,
        members=1,
        epochs=3,
        strategy="recursive",
        scaling="series",
        season=8,
        seed=1,
        progress=False,
    ).fit(y[:LEARNT])
    return forecaster.explain(y, windows=8, title="fed back").facts


@cache
def at_once() -> ReportFacts:
    """Return the report of two GRUs with a skip that forecast all points at once, on two series."""
    y = waves()[:, :LEARNT, None]
    forecaster = Forecaster(
        6, window=24, cell="gru", hidden_size=4, members=2, epochs=3, season=8, seed=1, progress=False
    ).fit(y)
    return forecaster.explain(y, windows=8, training=True, title="at once").facts


def figures(page: Page, heading: str) -> list[list[float | None]]:
    """Open the table of the picture below a heading and return its numbers by row; None: not there."""
    section = page.locator(f"section[aria-labelledby={heading}]")
    if not section.locator("table").count():
        section.locator("summary").click()
        section.locator("table").wait_for(state="attached")
    found: list[list[float | None]] = section.locator("tbody tr").evaluate_all(
        """rows => rows.map(row => [...row.querySelectorAll("td")].map(cell => {
          const value = cell.querySelector("data, button").getAttribute("value")
            ?? cell.querySelector("data, button").dataset.value;
          return value ? +value : null;
        }))"""
    )
    return found
