"""Reports drawn as one offline HTML file, and as PNG where matplotlib is installed.

Example:
    >>> from unrolled.page import VERSION, tutorial_page
    >>> page = tutorial_page({
    ...     "version": VERSION, "kind": "tutorial", "series": [0.0, 1.0, 0.0, -1.0] * 3, "period": 4,
    ...     "n_test": 4, "window": 4, "hidden_size": 2, "parameters": 43, "lr": 0.01, "epochs": 1,
    ...     "losses": [0.5], "test_mse": 0.25, "forecast": [0.5, 0.5, 0.5, -0.5], "baselines": {},
    ...     "seconds": 0.001, "seed": 42,
    ... }, language="en")
    >>> page.splitlines()[:2]
    ['<!DOCTYPE html>', '<html lang="en">']
"""

from __future__ import annotations

from unrolled.page.demo import demo_page
from unrolled.page.forecast import forecast_page
from unrolled.page.png import plot_png
from unrolled.page.report import (
    VERSION,
    ComparisonReport,
    DemoReport,
    ForecastReport,
    NetworkReport,
    Number,
    Report,
    SeriesReport,
    TutorialBaseline,
    TutorialReport,
)
from unrolled.page.tutorial import tutorial_page

__all__ = [
    "VERSION",
    "ComparisonReport",
    "DemoReport",
    "ForecastReport",
    "NetworkReport",
    "Number",
    "Report",
    "SeriesReport",
    "TutorialBaseline",
    "TutorialReport",
    "demo_page",
    "forecast_page",
    "plot_png",
    "tutorial_page",
]
