"""From a fitted forecaster to a report that the page draws and JSON can hold."""

from __future__ import annotations

import json

import numpy as np
import pytest

from unrolled.forecaster import Forecaster
from unrolled.page import forecast_page
from unrolled.page.forecast import MOST_CHARTS
from unrolled.panel import to_panel
from unrolled.reports import comparison_report, forecast_report, numbers


def fitted(y: object, **arguments: object) -> tuple[Forecaster, object]:
    forecaster = Forecaster(4, steps=5, hidden_size=3, threads=1, **arguments).fit(y)  # type: ignore[arg-type]
    return forecaster, forecaster.predict()


def waves(count: int, length: int = 40) -> list[np.ndarray]:
    return [np.sin(np.arange(length, dtype=np.float32) + s) + s for s in range(count)]


@pytest.mark.parametrize(
    ("y", "ids"),
    [
        (waves(1)[0], ["y"]),
        (np.stack(waves(2), axis=1), ["y0", "y1"]),
        (waves(3), ["0", "1", "2"]),
        ([np.stack(waves(2), axis=1)] * 2, ["0, y0", "0, y1", "1, y0", "1, y1"]),
    ],
    ids=["vector", "matrix", "list", "list of matrices"],
)
def test_every_channel_of_every_series_is_told(y: object, ids: list[str]) -> None:
    panel = to_panel(y)
    forecaster, forecasts = fitted(panel, season=2)
    report = forecast_report(
        forecaster, panel, forecasts=forecasts, title="waves", comparison=forecaster.report_
    )
    assert [series["id"] for series in report["series"]] == ids
    assert [value for series in report["series"] for value in series["forecast"]] == pytest.approx(
        np.swapaxes(np.reshape(forecasts, (panel.n_series, 4, panel.n_channels)), 1, 2).reshape(-1).tolist()
    )
    assert len(report["series"][0]["baselines"]["seasonal_naive"]) == 4
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert "waves" in forecast_page(report)


def test_series_that_are_not_drawn_are_light() -> None:
    y = waves(MOST_CHARTS + 2)
    forecaster, forecasts = fitted(y)
    report = forecast_report(forecaster, to_panel(y), forecasts=forecasts, title="many")
    drawn, left = report["series"][MOST_CHARTS - 1], report["series"][MOST_CHARTS]
    assert (len(drawn["history"]), len(drawn["baselines"])) == (40, 4)
    assert (left["history"], left["baselines"], len(left["forecast"])) == ([], {}, 4)
    assert "Series not shown here: 2" in forecast_page(report, language="en")


def test_what_came_is_told_where_it_was_held_out() -> None:
    y = waves(1)[0]
    forecaster, forecasts = fitted(y[:36])
    report = forecast_report(forecaster, to_panel(y[:36]), forecasts=forecasts, actual=y[36:], title="one")
    assert report["series"][0]["actual"] == pytest.approx(y[36:].tolist())
    assert report["comparison"] is None


def test_facts_of_the_network() -> None:
    forecaster, forecasts = fitted(waves(1)[0], cell="gru", seed=3)
    report = forecast_report(forecaster, to_panel(waves(1)[0]), forecasts=forecasts, title="one")
    network = report["network"]
    assert (network["cell"], network["seed"], network["steps"], network["hidden_size"]) == ("gru", 3, 5, 3)
    assert network["parameters"] == forecaster.network_.spec.parameter_count


def test_facts_of_the_comparison() -> None:
    forecaster, _ = fitted(waves(3), season=2, refit=False)
    comparison = forecaster.report_
    assert comparison is not None
    report = comparison_report(comparison)
    assert {key: report[key] for key in report if key != "rows"} == {  # type: ignore[literal-required]
        "held_out": 4,
        "n_series": 3,
        "judged_by": "mase",
        "selected": True,
        "sampled_from": None,
    }
    assert report["rows"] == comparison.to_dict()["rows"]


def test_what_is_not_finite_is_none() -> None:
    assert numbers(np.array([1.5, np.nan, np.inf])) == [1.5, None, None]
