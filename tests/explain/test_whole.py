"""Whole reports of fitted networks: what is in them, what is said first, and what a forecaster hands on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.explain.samples import make_facts
from tests.explain.test_report import VALID
from unrolled import Forecaster, lesson
from unrolled.errors import ArgumentError, NotFittedError
from unrolled.explain import Report, ledger, shapes
from unrolled.explain.sentences import sentences
from unrolled.explain.terminal import sentence
from unrolled.messages import speaking

if TYPE_CHECKING:
    from collections.abc import Callable

QUICK: dict[str, Any] = {"steps": 12, "hidden_size": 4, "members": 1, "threads": 1, "progress": False}


def wave(points: int, phase: float = 0.0) -> np.ndarray[Any, np.dtype[np.float32]]:
    t = np.arange(points)
    return (50 + 0.1 * t + 5 * np.sin(2 * np.pi * t / 12 + phase)).astype(np.float32)


@pytest.fixture(scope="module")
def series() -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.stack([wave(120), wave(120, 1.0)])[..., None]


@pytest.fixture(scope="module")
def forecaster(series: np.ndarray[Any, np.dtype[np.float32]]) -> Forecaster:
    return Forecaster(6, season=12, cell="gru", **QUICK).fit(series[:, :-6])


@pytest.fixture(scope="module")
def report(forecaster: Forecaster, series: np.ndarray[Any, np.dtype[np.float32]]) -> Report:
    return forecaster.explain(series, windows=6)


def test_a_whole_report_fits_the_schema(report: Report) -> None:
    VALID.validate(json.loads(report.to_json()))
    assert Report.from_json(report.to_json()) == report
    assert set(make_facts()) - set(report.facts) == {"learning", "lesson"}


def test_it_is_of_this_network_and_these_series(
    report: Report, forecaster: Forecaster, series: np.ndarray[Any, np.dtype[np.float32]]
) -> None:
    facts = report.facts
    assert facts["network"]["parameters"] == forecaster.network_.spec.parameter_count
    assert len(facts["windows"]) == 6
    assert facts["series"][1]["values"] == pytest.approx(series[1, :, 0].tolist())
    assert facts["ledger"]["time"] == forecaster.settings_.window // forecaster.settings_.patch
    newest = [one for one in facts["forecast"]["origins"] if one["origin"] == 114]
    assert [one["seen"] for one in newest] == [False, False]
    assert newest[0]["closed"] == pytest.approx(forecaster.predict()[0, :, 0].tolist(), rel=1e-5)
    roles = {one["role"]: (one["begin"], one["end"]) for one in facts["split"]["spans"]}
    assert roles["test"] == (114, 120)


def test_other_series_are_not_called_learnt(forecaster: Forecaster) -> None:
    facts = forecaster.explain(np.stack([wave(120, 2.0), wave(120, 3.0)])[..., None], windows=2).facts
    assert "split" not in facts
    assert {one["seen"] for one in facts["forecast"]["origins"]} == {None}


def test_what_is_kept_is_enough(forecaster: Forecaster) -> None:
    facts = forecaster.explain().facts
    VALID.validate(facts)
    assert len(facts["windows"]) >= 2
    assert "memory" in facts


def test_one_series_by_name(forecaster: Forecaster, series: np.ndarray[Any, np.dtype[np.float32]]) -> None:
    facts = forecaster.explain(series, series=["1"], windows=2).facts
    assert [one["id"] for one in facts["series"]] == ["1"]
    assert facts["series"][0]["values"] == pytest.approx(series[1, :, 0].tolist())
    with pytest.raises(ArgumentError, match="no series of this name"):
        forecaster.explain(series, series=["north"])


def test_series_that_were_scaled_once(series: np.ndarray[Any, np.dtype[np.float32]]) -> None:
    """The second series alone is forecast as it is among both."""
    model = Forecaster(6, scaling="series", **QUICK).fit(series[:, :-6])
    facts = model.explain(series, series=["1"], windows=2).facts
    newest = next(one for one in facts["forecast"]["origins"] if one["origin"] == 114)
    assert newest["closed"] == pytest.approx(model.predict()[1, :, 0].tolist(), rel=1e-5)


def test_the_training_is_watched(
    forecaster: Forecaster, series: np.ndarray[Any, np.dtype[np.float32]]
) -> None:
    facts = forecaster.explain(series[:, :-6], windows=2, training=True).facts
    assert facts["learning"]["losses"][0] == pytest.approx(forecaster.history_.losses[0])
    with pytest.raises(ArgumentError, match="cannot be watched"):
        forecaster.explain(training=True)


def test_nothing_is_explained_before_it_is_fitted() -> None:
    with pytest.raises(NotFittedError):
        Forecaster(3).explain()


def test_a_ledger_is_a_report_of_its_own() -> None:
    report = shapes(ledger("lstm", input_size=1, hidden_size=50, batch=32, time=32))
    VALID.validate(json.loads(report.to_json()))
    assert "glass.report.equal-axes" in [one["id"] for one in report.facts["sentences"]]


def test_the_lesson() -> None:
    report = lesson(epochs=2, progress=False)
    VALID.validate(json.loads(report.to_json()))
    assert report.facts["kind"] == "lesson"
    assert [one["letter"] for one in report.facts["lesson"]["slips"]] == list("abcdefg")
    assert report.facts["sentences"][0]["values"] == {"parameters": 10_600, "steps": 40}
    for language in ("en", "zh"):
        assert report.text(language).count("→") == 7


def said_of(change: Callable[[Any], None]) -> dict[str, dict[str, Any]]:
    """Return the sentences of a sample that was changed, by id."""
    facts = make_facts()
    change(facts)
    return {one["id"].removeprefix("glass.report."): one["values"] for one in sentences(facts)}


def quality(network: float, naive: float, *, end: float = 1.0, **copy: Any) -> Callable[[Any], None]:
    """Return a change of the errors, and of the copy meter."""

    def change(facts: Any) -> None:
        forecast = facts["forecast"]
        forecast["strategy"], forecast["horizon"] = "recursive", 2
        forecast["errors"] = [
            {"method": "network", "rmse": [network, end], "skill": [None, None]},
            {"method": "network_open", "rmse": [network, 1.0], "skill": [None, None]},
            {"method": "naive", "rmse": [naive, None], "skill": [None, None]},
        ]
        forecast["copy"] |= copy

    return change


def test_who_is_better_is_said_plainly() -> None:
    assert said_of(quality(1.0, 0.5))["baseline-better"] == {
        "method": "naive", "baseline": 0.5, "network": 1.0, "horizon": 2,
    }  # fmt: skip
    assert "network-better" in said_of(quality(1.0, 2.0))
    assert said_of(quality(1.0, 2.0, end=3.0))["loop"] == {"point": 2, "factor": 3.0}
    assert "loop" not in said_of(quality(1.0, 2.0, end=1.05))


def test_a_copy_is_called_a_copy() -> None:
    assert said_of(quality(1, 1, flagged=True, best_lag=1))["copy"] == {"lag": 1}
    assert said_of(quality(1, 1, flagged=True, best_lag=0, skill=0.01))["near-copy"] == {"skill": 0.01}
    assert said_of(quality(1, 1, flagged=False, skill=0.75))["no-copy"] == {"share": 75}
    assert "no-copy" not in said_of(quality(1, 1, flagged=False, skill=-1.0))


def of_layer(**layer: Any) -> Callable[[Any], None]:
    """Return a change of the only layer."""
    return lambda facts: facts["memory"]["layers"][0].update(layer)


def test_what_a_layer_keeps_is_said() -> None:
    assert said_of(of_layer(jacobian=[1.0, 0.1, 1e-4]))["vanishes"]["steps"] == 2
    assert said_of(of_layer(jacobian=[1.0, 40.0]))["explodes"]["factor"] == 40.0
    assert not {"vanishes", "explodes"} & said_of(of_layer(jacobian=[1.0, 0.5])).keys()
    full = said_of(of_layer(saturation={"i": [0.1, 0.2], "f": [0.1, 0.8]}))
    assert full["saturated"] == {"layer": 1, "gate": "f", "share": 90}
    assert "dead" not in said_of(of_layer(dead=0))
    assert "half-life-patch" not in said_of(of_layer(half_life=[None]))


def of_memory(**memory: Any) -> Callable[[Any], None]:
    """Return a change of the memory."""
    return lambda facts: facts["memory"].update(memory)


def test_how_far_back_is_said() -> None:
    told = said_of(of_memory(lag95=9, window=40, patch=1, skip=[0.0], warm_up=None))
    assert told["lag"] == {"lag": 9, "window": 40}
    assert {"cold", "half-life"} <= told.keys()
    assert "lag-recurrent" not in told
    with speaking("en"):
        first = sentence({"id": "glass.report.lag", "values": told["lag"]})
    assert first == "95 % of the influence on the forecast lies in the newest 9 of 40 points."


def test_leaks_are_said() -> None:
    def change(facts: Any) -> None:
        split = facts["split"]
        split["overlap"] = 3
        split["spans"].append({"role": "test", "begin": 4, "end": 6})
        split["ranges"] = [
            {"role": "train", "least": 0.0, "greatest": 1.0},
            {"role": "test", "least": 0.5, "greatest": 2.0},
        ]

    told = said_of(change)
    assert told["overlap"] == {"count": 3}
    assert told["range"] == {"least": 0.5, "greatest": 2.0, "train_least": 0.0, "train_greatest": 1.0}
