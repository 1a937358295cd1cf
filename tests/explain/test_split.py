"""The split that is told is the one that the fit made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.forecaster.helpers import small, wave, waves
from unrolled import fitting
from unrolled.explain.split import Split, split_facts
from unrolled.panel import to_panel
from unrolled.scaling import SeriesScaling

if TYPE_CHECKING:
    from unrolled.jobs import Job

CASES: dict[str, dict[str, Any]] = {
    "rehearsed": {},
    "watched": {"validation": 12},
    "calibrated": {"validation": 9, "calibration": 12},
    "series": {"scaling": "series", "validation": 8},
    "series rehearsed": {"scaling": "series"},
    "recursive": {"strategy": "recursive", "window": 10, "validation": 12},
    "nothing held out": {"validation": 0},
    "none": {"scaling": "none", "window": 12},
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_what_the_training_used(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs: list[Job] = []
    trained = fitting._trained
    monkeypatch.setattr(
        fitting, "_trained", lambda given, *a, **k: jobs.extend(given) or trained(given, *a, **k)
    )
    series = [np.float32(one) for one in waves(70, 64, 22)]
    forecaster = small(3, **{"window": 12, **CASES[case]}).fit(series)
    model, panel = forecaster._model, to_panel(series)
    split = Split.of(model, forecaster.settings_, panel.lengths)
    judged, last = jobs[0], jobs[-1]
    assert split.refit == (len(jobs) > 1)
    for told, used in zip(split.windows, judged.windows[0], strict=True):
        assert told.counts.tolist() == used.counts.tolist()
        kept = told.counts > 0
        assert told.first[kept].tolist() == used.first[kept].tolist()
    learnt = last.windows[0].train
    at_once = model.windowing.horizon
    ends = learnt.first + learnt.counts - 1 + model.windowing.window + at_once
    assert split.learnt[learnt.counts > 0].tolist() == ends[learnt.counts > 0].tolist()
    for number in range(3):
        facts = split_facts(model, panel, split, series=number)
        assert facts["overlap"] == 0
        assert facts["counts"]["train"] == judged.windows[0].train.counts[number]
        assert (
            facts["count"]
            == len(series[number]) - 12 * (case != "recursive") - 10 * (case == "recursive") - at_once + 1
        )
        assert facts["spans"][0]["begin"] == 0
        assert facts["spans"][-1]["end"] == len(series[number])
        for span, told in zip(facts["spans"], facts["ranges"], strict=True):
            part = series[number][span["begin"] : span["end"]]
            assert (told["role"], told["least"], told["greatest"]) == (span["role"], part.min(), part.max())
        if model.scaler is None:
            assert facts["scaler_span"] is None
            continue
        assert facts["scaler"] == "series"
        part = series[number][slice(*facts["scaler_span"])]
        alone = SeriesScaling.fit(part[:, None], np.array([0, len(part)]))
        assert model.scaler.location[number] == alone.location[0]
        assert model.scaler.scale[number] == alone.scale[0]


def test_spans_follow_each_other_and_test_points_stand_behind_the_fit() -> None:
    y = wave(90)
    forecaster = small(3, window=12, validation=9, calibration=12).fit(y[:80])
    split = Split.of(forecaster._model, forecaster.settings_, np.array([80]))
    facts = split_facts(forecaster._model, to_panel(y), split)
    spans = [(one["role"], one["begin"], one["end"]) for one in facts["spans"]]
    assert spans == [("train", 0, 59), ("validation", 59, 68), ("calibration", 68, 80), ("test", 80, 90)]
    assert split.learnt.tolist() == [59]
    assert facts["scaler"] == "window"
    assert not facts["refit"]


def test_the_tutorial_scales_nothing_and_has_720_windows() -> None:
    y = np.sin(np.arange(760) / 6.0)
    forecaster = small(
        40, window=40, strategy="recursive", scaling="none", validation=0, members=1, patch=1, skip=False
    ).fit(y)
    split = Split.of(forecaster._model, forecaster.settings_, np.array([760]))
    facts = split_facts(forecaster._model, to_panel(y), split)
    assert (facts["count"], facts["scaler"], facts["horizon"]) == (720, "none", 1)
    assert [one["role"] for one in facts["spans"]] == ["train"]


def test_a_span_without_an_observed_point_has_no_range() -> None:
    y = wave(60)
    forecaster = small(3, window=12, validation=9).fit(y)
    split = Split.of(forecaster._model, forecaster.settings_, np.array([60]))
    y[51:] = np.nan
    ranges = split_facts(forecaster._model, to_panel(y, missing="allow"), split)["ranges"]
    assert ranges[1] == {"role": "validation", "least": None, "greatest": None}


def test_windows_that_reach_into_points_held_out_are_counted() -> None:
    y = wave(60)
    forecaster = small(3, window=12, validation=9).fit(y)
    split = Split.of(forecaster._model, forecaster.settings_, np.array([60]))
    everything = Split.of(forecaster._model, forecaster.settings_, np.array([60]))
    train = split.windows.train
    leaky = type(train)(train.first, train.counts + 4)
    object.__setattr__(everything, "windows", split.windows._replace(train=leaky))
    facts = split_facts(forecaster._model, to_panel(y), everything)
    assert facts["overlap"] == 4


def test_points_are_counted_from_the_first_of_the_series() -> None:
    y = wave(60)
    forecaster = small(3, window=12, validation=9).fit(y)
    split = Split.of(forecaster._model, forecaster.settings_, np.array([60]))
    facts = split_facts(forecaster._model, forecaster.ends_, split)
    assert facts["points"] == 60
    assert [(one["role"], one["begin"], one["end"]) for one in facts["spans"]] == [
        ("train", 0, 51),
        ("validation", 51, 60),
    ]
    seen = np.float32(y)
    assert facts["ranges"][0]["least"] == seen[48:51].min()
    assert facts["ranges"][1]["greatest"] == seen[51:].max()
