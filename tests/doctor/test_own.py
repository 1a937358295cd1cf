"""What is said of our own networks, read off their reports."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import unrolled
from tests.doctor.lines import assert_lines_print
from unrolled import Forecaster, doctor
from unrolled.doctor.own import checkup_of, with_checkup
from unrolled.errors import ArgumentError
from unrolled.explain import Report
from unrolled.explain.terminal import sentence

if TYPE_CHECKING:
    from collections.abc import Callable


def season(points: int = 160) -> np.ndarray:
    steps = np.arange(points)
    noise = 0.05 * np.random.default_rng(0).normal(size=points)
    return np.asarray(np.sin(steps * 2 * np.pi / 12) + noise, np.float32)


@pytest.fixture(scope="module")
def report() -> Report:
    y = season()
    return Forecaster(6, season=12, steps=150, seed=1).fit(y).explain(y)


def changed(report: Report, change: Callable[[dict[str, Any]], None]) -> Report:
    facts: Any = copy.deepcopy(dict(report.facts))
    change(facts)
    return with_checkup(Report(facts))


def test_a_trained_network_has_a_checkup_in_its_report(report: Report) -> None:
    checkup = report.facts["checkup"]
    asked = {one["id"] for one in checkup["checks"]}
    assert {"input-ignored", "gates-saturated", "copies-last-value", "no-skill", "range-outside"} <= asked
    assert all(one["sure"] == "evidence" for one in checkup["findings"])
    for finding in checkup["findings"]:
        assert_lines_print(finding, {"report": report})


def still(facts: dict[str, Any]) -> None:
    facts["memory"]["gradient"] = [0.0] * len(facts["memory"]["gradient"])


def blind(facts: dict[str, Any]) -> None:
    facts["memory"]["gradient"][0] = 0.0


def full(facts: dict[str, Any]) -> None:
    layer = facts["memory"]["layers"][0]
    gate = next(iter(layer["saturation"]), None)
    layer["saturation"][gate or "z"] = [0.5, 0.45]


def overlapping(facts: dict[str, Any]) -> None:
    facts["split"] |= {"overlap": 5, "refit": False}
    facts["split"]["spans"] = [
        {"role": "train", "begin": 0, "end": 100},
        {"role": "validation", "begin": 100, "end": 160},
    ]


def scaled_on_all(facts: dict[str, Any]) -> None:
    overlapping(facts)
    facts["split"] |= {"overlap": 0, "scaler": "series", "scaler_span": [0, 160]}


def far(facts: dict[str, Any]) -> None:
    overlapping(facts)
    facts["split"] |= {"overlap": 0, "scaler": "none", "scaler_span": None}
    facts["split"]["ranges"] = [
        {"role": "train", "least": 0.0, "greatest": 1.0},
        {"role": "validation", "least": 0.5, "greatest": 3.0},
    ]


def copying(facts: dict[str, Any]) -> None:
    facts["forecast"]["copy"] |= {"flagged": True, "skill": -0.25, "best_lag": 1}


def errors(facts: dict[str, Any], network: float, naive: float, step: float = 0.1) -> None:
    points = facts["forecast"]["horizon"]
    facts["forecast"]["errors"] = [
        {"method": name, "rmse": [value] * points, "skill": [0.0] * points}
        for name, value in (("network", network), ("network_open", step), ("naive", naive))
    ]


def poor(facts: dict[str, Any]) -> None:
    errors(facts, 1.1, 1.0)
    facts["forecast"]["copy"]["move"] = [1.0]


def squashed(facts: dict[str, Any]) -> None:
    errors(facts, 2.0, 1.0)
    facts["forecast"]["copy"]["move"] = [0.2, None, 0.4]


def flat(facts: dict[str, Any]) -> None:
    errors(facts, 2.0, 1.0)
    facts["forecast"]["copy"]["move"] = [0.05]


def drifting(facts: dict[str, Any]) -> None:
    poor(facts)
    facts["forecast"]["strategy"] = "recursive"


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (still, "input-ignored"),
        (blind, "last-observation-unseen"),
        (full, "gates-saturated"),
        (overlapping, "targets-overlap"),
        (scaled_on_all, "scaler-saw-test"),
        (far, "range-outside"),
        (copying, "copies-last-value"),
        (poor, "no-skill"),
        (squashed, "squashed"),
        (flat, "collapses"),
        (drifting, "drifts"),
    ],
)
def test_each_kind_is_found_in_facts_that_show_it(report: Report, change: Any, kind: str) -> None:
    made = changed(report, change)
    findings = {one["id"]: one for one in made.facts["checkup"]["findings"]}
    assert kind in findings
    assert_lines_print(findings[kind], {"report": made})
    assert all("{" not in sentence(findings[kind][part]) for part in ("wrong", "proof"))
    ignored = checkup_of(made.facts, [kind])
    assert kind not in {one["id"] for one in ignored["findings"]}


def test_a_forecaster_is_examined_like_any_model() -> None:
    y = season()
    checkup = doctor.check(Forecaster(6, season=12, steps=50, seed=1).fit(y), y)
    assert checkup.healthy
    assert len(checkup.facts["checks"]) > 5
    with pytest.raises(ArgumentError, match="no finding of this id"):
        doctor.check(Forecaster(6, season=12, steps=50, seed=1).fit(y), y, ignore=["x"])


def test_the_lesson_has_a_checkup() -> None:
    report = unrolled.lesson(epochs=1, progress=False)
    checkup = report.facts["checkup"]
    assert {one["id"] for one in checkup["findings"]} >= {"no-skill"}
    for finding in checkup["findings"]:
        assert_lines_print(finding, {"report": report})
    assert "no-skill" in report.text("en")
