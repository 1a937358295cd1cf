"""Forecasts taken apart: equal to those of the forecaster and of the baselines, from every origin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.explain.helpers import assert_close, drawn
from tests.forecaster.helpers import small, wave, waves
from unrolled.cells import CELLS
from unrolled.covariates import read_series
from unrolled.errors import DataError
from unrolled.evaluation import BASELINES
from unrolled.explain import anatomy
from unrolled.explain.anatomy import contributions, forecast_facts
from unrolled.explain.loops import LEVELS
from unrolled.explain.subject import subject_of
from unrolled.panel import to_panel

if TYPE_CHECKING:
    from unrolled import Forecaster
    from unrolled.explain.facts import ForecastFacts

MANNERS: dict[str, dict[str, Any]] = {
    "direct": {"scaling": "last", "members": 3},
    "windows of their own": {"season": 4},
    "recursive": {"strategy": "recursive", "members": 2, "window": 10},
    "series": {"scaling": "series", "window": 10},
    "quantiles": {"loss": "quantile", "quantiles": (0.1, 0.5, 0.9), "window": 10},
    "sampled": {"strategy": "recursive", "loss": "gaussian", "window": 10},
    "all": {"memory": "all", "window": 10},
}


def facts_of(forecaster: Forecaster, y: Any, **how: Any) -> ForecastFacts:
    return forecast_facts(forecaster._model, to_panel(y, missing="allow"), **how)


def rows(facts: ForecastFacts, name: str) -> Any:
    return np.array([one[name] for one in facts["origins"]], np.float64)  # type: ignore[literal-required]


@pytest.mark.parametrize("manner", MANNERS)
def test_both_loops_are_what_the_forecaster_says(manner: str) -> None:
    series = waves(60, 48)
    forecaster = small(3, **MANNERS[manner]).fit(series)
    facts = facts_of(forecaster, series)
    for one in facts["origins"]:
        y, origin = series[one["series"]], one["origin"]
        known = [other if number != one["series"] else y[:origin] for number, other in enumerate(series)]
        said = forecaster.predict(known)[one["series"]]
        assert_close(one["closed"], said, to="core")
        for k in range(3):
            if origin + k > len(y):
                assert one["open"][k] is None
                continue
            known[one["series"]] = y[: origin + k]
            first = forecaster.predict(known)[one["series"]][0]
            assert_close(one["open"][k], first, to="core")
    assert {one["series"] for one in facts["origins"]} == {0, 1}
    assert facts["strategy"] == MANNERS[manner].get("strategy", "direct")


@pytest.mark.parametrize("manner", ["direct", "quantiles", "sampled"])
def test_intervals_are_the_forecasters(manner: str) -> None:
    y = wave(90)
    forecaster = small(2, calibration=30, **MANNERS[manner]).fit(y)
    for one in facts_of(forecaster, y)["origins"][::6]:
        said = forecaster.predict(y[: one["origin"]], levels=LEVELS)
        for level in LEVELS:
            lower, upper = one["intervals"][str(level)]
            assert_close(lower, said.lower[level], to="core")
            assert_close(upper, said.upper[level], to="core")


def test_there_are_no_intervals_where_nothing_was_held_out() -> None:
    y = wave(60)
    assert facts_of(small(2, validation=0).fit(y), y)["origins"][0]["intervals"] == {}


def test_the_baselines_are_those_of_the_evaluation() -> None:
    y = wave(70)
    facts = facts_of(small(4, season=12).fit(y), y, season=12)
    for one in facts["origins"]:
        for name, baseline in BASELINES.items():
            given = np.asarray(y, np.float32)[: one["origin"]]
            assert one["baselines"][name] == baseline(given, 4, season=12).tolist()


def test_errors_are_means_over_the_origins_whose_truth_is_known() -> None:
    y = wave(70).astype(np.float32)
    facts = facts_of(small(4).fit(y), y)
    origins = np.array([one["origin"] for one in facts["origins"]])
    found = {one["method"]: one for one in facts["errors"]}
    assert list(found) == ["network", "network_open", *BASELINES]
    lines = {"network": rows(facts, "closed"), "network_open": rows(facts, "open")}
    lines |= {name: np.array([one["baselines"][name] for one in facts["origins"]]) for name in BASELINES}
    for k in range(4):
        known = origins + k < len(y)
        assert 0 < known.sum() < len(origins)
        squares = {
            name: np.mean((line[known, k] - y[origins[known] + k]) ** 2) for name, line in lines.items()
        }
        for name, square in squares.items():
            assert found[name]["rmse"][k] == pytest.approx(square**0.5)
            assert found[name]["skill"][k] == pytest.approx(1 - square / squares["naive"], abs=1e-12)


def test_the_origins_reach_back_two_horizons_and_hold_the_border_of_what_was_learnt() -> None:
    y = wave(200)
    forecaster = small(20, window=24).fit(y[:137])
    facts = facts_of(forecaster, y, learnt=[137])
    origins = [one["origin"] for one in facts["origins"]]
    assert len(origins) == anatomy.ORIGINS + 1
    assert origins == sorted(origins)
    assert max(origins) == 200
    assert 137 in origins
    assert sorted(origins)[1] <= 160
    assert {one["origin"]: one["seen"] for one in facts["origins"]} == {at: at < 137 for at in origins}


def test_a_copy_is_flagged_and_a_sound_forecast_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    walk = np.cumsum(np.random.default_rng(3).standard_normal(300)) + 50
    forecaster = small(2, window=8, members=1, scaling="none", skip=True).fit(walk)
    network = forecaster.network_
    weights = {name: np.zeros_like(one) for name, one in network.weights.items()}
    weights["skip.weight"][:, -1 if not forecaster.settings_.mask else 0] = 1.0
    network.weights = weights
    meter = facts_of(forecaster, walk)["copy"]
    assert meter["flagged"]
    assert meter["best_lag"] == 1
    assert meter["skill"] == pytest.approx(0.0, abs=1e-6)
    assert meter["slope"] == pytest.approx(1.0, abs=1e-6)
    assert meter["correlations"][1] == pytest.approx(1.0, abs=1e-6)
    assert meter["move"] == pytest.approx([0.0, 0.0], abs=1e-5)
    y = wave(300, noise=0.05)
    sound = facts_of(small(2, season=12, steps=100).fit(y), y)["copy"]
    assert not sound["flagged"]
    assert sound["best_lag"] == 0


def test_too_few_points_say_nothing_of_copies() -> None:
    y = wave(29)
    meter = facts_of(small(2, window=6, mask=False).fit(y), y)["copy"]
    assert (meter["best_lag"], meter["skill"], meter["flagged"]) == (None, None, False)
    assert meter["correlations"] == [None] * 11
    longer = wave(30)
    assert facts_of(small(2, window=6, mask=False).fit(longer), longer)["copy"]["best_lag"] is not None


def test_a_constant_series_has_no_correlations() -> None:
    meter = facts_of(small(2, window=6).fit(np.full(40, 2.0)), np.full(40, 2.0))["copy"]
    assert (meter["best_lag"], meter["slope"], meter["skill"]) == (None, None, None)
    assert not meter["flagged"]


@pytest.mark.parametrize("cell", CELLS)
def test_contributions_add_up_to_what_the_core_says(cell: str) -> None:
    for more in ({}, {"skip_steps": 6}, {"skip_steps": 6, "input_size": 3, "skip_inputs": 2}):
        subject = drawn(cell, num_layers=2, residual=True, dilations=(1, 2), **more)
        said = subject.network.engine.forward(subject.x_tbi)[0]
        parts = contributions(subject)
        total = [np.add(np.add(one["bias"], one["skip"]), one["recurrent"]) for one in parts]
        assert_close(total, said, to="order")
        assert any(np.any(one["skip"]) for one in parts) == bool(more)


def test_contributions_of_a_forecaster_are_its_forecast_scaled() -> None:
    two = np.stack([wave(60), 5 * wave(60, seed=4)], axis=1)
    forecaster = small(3, window=9, loss="quantile", quantiles=(0.1, 0.5, 0.9), members=1, skip=True).fit(two)
    panel = to_panel(two)
    subject = subject_of(forecaster._model, panel)
    parts = [one for one in contributions(subject) if one["window"] == len(subject.starts) - 1]
    total = np.array([np.add(np.add(one["bias"], one["skip"]), one["recurrent"]) for one in parts])
    units = subject.scaling.scale[-1][:, None] * total + subject.scaling.location[-1][:, None]
    assert_close(units.T, forecaster.predict(), to="core")
    facts = forecast_facts(forecaster._model, panel, subject=subject)
    assert {one["channel"] for one in facts["origins"]} == {0, 1}
    assert [one["window"] for one in facts["origins"] if one["origin"] == 60] == [len(subject.starts) - 1] * 2


def test_origins_are_counted_from_the_first_point_of_the_series() -> None:
    forecaster = small(3, window=9).fit(waves(60, 45))
    subject = subject_of(forecaster._model, forecaster.ends_)
    facts = forecast_facts(forecaster._model, forecaster.ends_, subject=subject, learnt=[60, 45])
    last = {one["series"]: one for one in facts["origins"]}
    assert [(one["origin"], one["seen"]) for one in last.values()] == [(60, False), (45, False)]
    for number, one in last.items():
        assert_close(one["closed"], forecaster.predict()[number], to="core")
        assert subject.series[one["window"]] == number  # type: ignore[index]


def test_missing_points_are_neither_truth_nor_an_error() -> None:
    y = wave(80)
    y[[50, 70, 75]] = np.nan
    facts = facts_of(small(3, window=8).fit(y), y)
    assert np.isfinite(rows(facts, "closed")).all()
    assert all(np.isfinite(one["rmse"]).all() for one in facts["errors"])


def test_no_origin_lies_where_covariates_are_not_known() -> None:
    y, known = wave(60), np.arange(60.0)
    forecaster = small(3, window=8).fit(y, known=known)
    panel = read_series(y, forecaster.get_params(), known=known)
    facts = forecast_facts(forecaster._model, panel)
    assert max(one["origin"] for one in facts["origins"]) == 57
    said = forecaster.predict(y[:57], known=known[:57], future=known[57:])
    assert_close(facts["origins"][-1]["closed"], said, to="core")


def test_series_too_short_are_refused() -> None:
    y, known = wave(60), np.arange(60.0)
    forecaster = small(3, window=8).fit(y, known=known)
    short = read_series(y[:3], forecaster.get_params(), known=known[:3])
    with pytest.raises(DataError, match="window"):
        forecast_facts(forecaster._model, short)
