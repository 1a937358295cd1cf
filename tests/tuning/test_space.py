"""What is tried by rule fits the series; what the caller says is checked and kept to."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tuning.helpers import quick, wave
from unrolled import Forecaster
from unrolled.errors import ArgumentError
from unrolled.tuning import default_space


@given(
    lengths=st.lists(st.integers(3, 3000), min_size=1, max_size=5),
    horizon=st.integers(1, 60),
    season=st.none() | st.integers(1, 200),
    window=st.none() | st.integers(1, 60),
)
def test_every_patch_fits_every_window_and_every_window_every_series(lengths, horizon, season, window):
    base = Forecaster(horizon, window=window)
    space = default_space(np.array(lengths), horizon=horizon, season=season, base=base)
    windows = [window] if window else space.get("window", [])
    assert window is None or "window" not in space
    assert all(points % size == 0 for points in windows for size in space.get("patch", []))
    assert max(space.get("window", [0])) <= min(lengths)
    assert space.get("window", []) == sorted(set(space.get("window", [])))
    if "patch" in space:
        assert windows
        assert (space["patch"][0], len(space["patch"]) <= 6) == (1, True)
        assert window or space["patch"][-1] == season


def test_a_year_of_months():
    space = default_space(np.array([144]), horizon=12, season=12)
    assert space["window"] == [12, 24, 36, 48]
    assert list(space) == [
        *("cell", "window", "patch", "hidden_size", "num_layers", "dropout"),
        *("lr", "batch_size", "steps", "scaling", "skip", "loss"),
    ]


def test_what_the_base_sets_itself_is_not_tried():
    base = Forecaster(6, cell="gru", window=24, loss="huber", epochs=3, strategy="recursive")
    space = default_space(np.array([200]), horizon=6, season=12, base=base)
    assert not {"cell", "window", "loss", "steps", "patch"} & set(space)
    assert {"hidden_size", "lr", "skip", "scaling"} <= set(space)


def test_many_windows_are_learned_from_with_more():
    few, many = (default_space(np.full(count, 100), horizon=6) for count in (1, 50))
    assert few["hidden_size"][1] < many["hidden_size"][1]
    assert max(few["batch_size"]) < max(many["batch_size"])


def test_dropout_only_where_there_are_layers_to_drop_between():
    space = {"num_layers": [1, 2], "dropout": [0.2, 0.4], "steps": [5], "hidden_size": [3]}
    found = quick(space=space, trials=8).trials
    layers = [one["params"].get("num_layers") for one in found]
    assert {1, 2} <= set(layers)
    assert all(("dropout" in one["params"]) == (one["params"].get("num_layers") == 2) for one in found)
    kept = quick(space=space, trials=3, base=Forecaster(3, threads=1, num_layers=2))
    assert all(one["state"] != "failed" for one in kept.trials)


def test_a_range_of_whole_numbers_a_range_and_values_of_any_kind():
    space = {"steps": (5, 9), "lr": (0.001, 0.1, "log"), "skip": [True, False, None], "clip": (0.5, 1.0)}
    space |= {"quantiles": [(0.1, 0.5, 0.9), (0.2, 0.5)], "hidden_size": [3]}
    base = Forecaster(3, loss="quantile", quantiles=(0.5,), threads=1)
    for one in quick(space=space, base=base, trials=6).trials[1:]:
        params = one["params"]
        assert (type(params["steps"]), 5 <= params["steps"] <= 9) == (int, True)
        assert 0.001 <= params["lr"] <= 0.1
        assert params["skip"] in (True, False, None)
        assert 0.5 <= params["clip"] <= 1.0
        assert params["quantiles"] in ([0.1, 0.5, 0.9], [0.2, 0.5])


def test_a_function_may_say_it():
    def space(trial):
        window = trial.suggest_categorical("window", [12, 24])
        return {"window": window, "patch": window // 2, "steps": np.int64(5), "hidden_size": 3}

    found = quick(space=space, trials=5)
    assert all(one["params"]["patch"] * 2 == one["params"]["window"] for one in found.trials[1:])
    assert found.forecaster.settings_.steps == found.params.get("steps", found.forecaster.settings_.steps)


@pytest.mark.parametrize(
    ("space", "says"),
    [
        ({"hidden_sise": [1]}, "There is no argument hidden_sise"),
        ({"horizon": [1, 2]}, "There is no argument horizon"),
        ({"threads": [1, 2]}, "There is no argument threads"),
        (lambda trial: {"cel": "gru"}, "There is no argument cel"),
        ({"cell": []}, "The space says nothing for cell"),
        ({"cell": "gru"}, "The space says nothing for cell"),
        ({"cell": ("gru", "lstm")}, "The space says nothing for cell"),
        ({"lr": 0.1}, "The space says nothing for lr"),
        ({"lr": (0.1, 0.01)}, "The range for lr is empty"),
        ({"lr": (0.0, 0.01, "log")}, "The range for lr is empty"),
        ({"lr": (0.0, float("inf"))}, "The space says nothing for lr"),
        ({}, "There is nothing to try"),
    ],
)
def test_a_space_that_cannot_be_tried(space, says):
    with pytest.raises(ArgumentError, match=says):
        quick(space=space)


def test_all_faults_of_a_space_at_once():
    with pytest.raises(ArgumentError) as caught:
        quick(space={"cel": [1], "lr": (1.0, 0.1), "steps": []})
    assert len(caught.value.faults) == 3


def test_what_cannot_be_fitted_is_a_failed_trial_and_no_more():
    space = {"window": [12], "patch": [5, 6], "steps": [5], "hidden_size": [3]}
    found = quick(wave(), space=space, trials=8)
    failed = [one for one in found.trials if one["state"] == "failed"]
    assert failed
    assert all(one["params"]["patch"] == 5 and "patch" in one["reason"] for one in failed)
    assert found.params.get("patch") != 5
