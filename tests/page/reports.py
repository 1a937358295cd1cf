"""Reports as the command line fills them in, small enough to check by hand."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unrolled.page import DemoReport, ForecastReport, SeriesReport, TutorialReport

HOSTILE = "</script></style><img src=x onerror=\"document.title='broken'\"><b>$\\frac{"
"""A name that would like to be more than a name."""


def months(first_year: int, number: int) -> list[str]:
    return [f"{first_year + i // 12}-{1 + i % 12:02}-01" for i in range(number)]


def make_tutorial() -> TutorialReport:
    series: list[float | None] = [math.sin(2 * 3.1416 * i / 40) for i in range(800)]
    truth = [math.sin(2 * 3.1416 * i / 40) for i in range(760, 800)]
    return {
        "version": 1,
        "kind": "tutorial",
        "series": series,
        "period": 40,
        "n_test": 40,
        "window": 40,
        "hidden_size": 50,
        "parameters": 10651,
        "lr": 0.01,
        "epochs": 10,
        "losses": [
            *(0.09212878, 0.06506766, 0.04198049, 0.01784277, 0.00288711),
            *(0.00032008, 0.00012969, 0.00012007, 0.00012656, 0.00013195),
        ],
        "test_mse": 0.00889760,
        "forecast": [0.9 * value + 0.0011 * i for i, value in enumerate(truth)],
        "baselines": {
            "naive": {"mse": 0.5241, "forecast": [truth[0]] * 40, "parameters": 0},
            "seasonal_naive": {
                "mse": 1.078e-08,
                "forecast": [value + 0.0001 for value in truth],
                "parameters": 0,
            },
            "drift": {"mse": 0.4921, "forecast": [0.001 * i for i in range(40)], "parameters": 1},
            "autoregression": {"mse": 3.2e-25, "forecast": list(truth), "parameters": 3},
        },
        "seconds": 0.4127,
        "seed": 42,
    }


def make_series(name: str = "passengers", *, level: float = 300.0, steps: int = 12) -> SeriesReport:
    def value(i: int) -> float:
        return level * (1 + 0.008 * i) * (1 + 0.2 * math.sin(2 * math.pi * i / 12))

    history: list[float | None] = [value(i) for i in range(132)]
    times = months(1949, 132 + steps)
    return {
        "id": name,
        "history": history,
        "times": times[:132],
        "forecast": [0.97 * value(132 + i) for i in range(steps)],
        "forecast_times": times[132:],
        "actual": [value(132 + i) for i in range(steps)],
        "baselines": {
            "naive": [value(131)] * steps,
            "seasonal_naive": [value(120 + i % 12) for i in range(steps)],
            "drift": [value(131) * (1 + 0.004 * i) for i in range(steps)],
            "autoregression": [0.99 * value(132 + i) for i in range(steps)],
        },
    }


def make_forecast(count: int = 1) -> ForecastReport:
    names = ["passengers"] + [f"series {i}" for i in range(2, count + 1)]
    return {
        "version": 1,
        "kind": "forecast",
        "title": "Airline passengers",
        "unit": "thousand passengers a month",
        "season": 12,
        "horizon": 12,
        "series": [make_series(name, level=300.0 + 40 * i) for i, name in enumerate(names)],
        "comparison": {
            "rows": {
                "network": {"mae": 14.02, "rmse": 18.11, "smape": 2.981, "mase": 0.4639},
                "naive": {"mae": 76.0, "rmse": 102.9765, "smape": 15.29, "mase": 2.514},
                "seasonal_naive": {"mae": 47.83, "rmse": 50.71, "smape": 10.59, "mase": 1.582},
                "drift": {"mae": 68.91, "rmse": 94.63, "smape": 13.81, "mase": 2.279},
                "autoregression": {"mae": 13.87, "rmse": 18.9, "smape": 2.87, "mase": 0.4588},
            },
            "held_out": 12,
            "n_series": count,
            "judged_by": "mase",
        },
        "network": {
            "cell": "lstm",
            "hidden_size": 32,
            "num_layers": 1,
            "window": 24,
            "parameters": 5068,
            "seconds": 1.234,
            "strategy": "direct",
            "steps": 1500,
            "seed": 0,
        },
    }


def make_demo() -> DemoReport:
    return {"version": 1, "kind": "demo", "tutorial": make_tutorial(), "real": make_forecast()}


def make_hostile() -> DemoReport:
    """Every text of a report is hostile."""
    report = make_demo()
    real = report["real"]
    real["title"] = real["unit"] = real["network"]["cell"] = real["network"]["strategy"] = HOSTILE
    series = real["series"][0]
    series["id"] = HOSTILE
    series["times"] = [f"{HOSTILE}{i}" for i in range(len(series["history"]))]
    series["forecast_times"] = [f"{HOSTILE}{i}" for i in range(len(series["forecast"]))]
    series["baselines"][HOSTILE] = series["baselines"]["naive"]
    report["tutorial"]["baselines"][HOSTILE] = report["tutorial"]["baselines"]["drift"]
    assert real["comparison"] is not None
    real["comparison"]["rows"][HOSTILE] = {HOSTILE: 1.0}
    return report
