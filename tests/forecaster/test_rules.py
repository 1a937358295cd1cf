"""What is chosen by rule: its laws, not its numbers. What is given is kept; every choice has its reason."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.forecaster.helpers import small, wave, waves
from unrolled import Forecaster
from unrolled.engine import OPTIMIZERS
from unrolled.messages import speaking
from unrolled.rules import settle
from unrolled.scaling import SCALINGS
from unrolled.training import SCHEDULES
from unrolled.windows import split_windows

NOTHING = dict.fromkeys(
    (
        *("window", "patch", "hidden_size", "skip", "scaling", "optimizer", "lr", "weight_decay", "schedule"),
        *("batch_size", "steps", "epochs", "validation", "patience", "mask"),
    )
)
GIVEN = {
    "window": 24,
    "patch": 2,
    "hidden_size": 5,
    "skip": False,
    "scaling": "series",
    "optimizer": "sgd",
    "lr": 0.25,
    "weight_decay": 0.5,
    "schedule": "cosine",
    "batch_size": 3,
    "steps": 4,
    "patience": 6,
    "validation": 8,
    "mask": False,
}

lengths = st.lists(st.integers(2, 200), min_size=1, max_size=4).map(np.array)
horizons = st.integers(1, 20)
seasons = st.none() | st.integers(1, 30)


def by_rule(of, horizon, season, direct=True, **changes):
    at_once = horizon if direct else 1
    return settle({**NOTHING, **changes}, np.array(of), horizon=horizon, at_once=at_once, season=season)


@given(of=lengths, horizon=horizons, season=seasons, direct=st.booleans())
def test_the_window_leaves_room_for_its_target(of, horizon, season, direct):
    settings = by_rule(of, horizon, season, direct)
    assert settings.window >= 1
    if of.max() > horizon:
        assert settings.window + horizon <= of.max()
    if np.median(of) >= horizon + 1:  # half of the series can be learned from
        assert settings.window + horizon <= np.median(of)


@given(of=lengths, horizon=horizons, season=seasons, direct=st.booleans())
def test_without_a_mask_the_window_is_never_longer_than_the_shortest_series(of, horizon, season, direct):
    assert by_rule(of, horizon, season, direct, mask=False).window <= of.min()


@given(of=lengths, horizon=horizons, season=seasons, direct=st.booleans())
def test_missing_points_are_read_where_a_series_is_shorter_than_the_window(of, horizon, season, direct):
    settings = by_rule(of, horizon, season, direct)
    assert settings.mask == bool((of < settings.window).any())


@given(of=lengths, horizon=horizons, season=st.integers(2, 30), direct=st.booleans())
def test_the_window_is_made_of_whole_seasons_where_it_holds_one(of, horizon, season, direct):
    window = by_rule(of, horizon, season, direct).window
    assert window < season or window % season == 0


@given(of=lengths, horizon=horizons, season=seasons, window=st.none() | st.integers(1, 60))
def test_a_patch_by_rule_divides_the_window(of, horizon, season, window):
    settings = by_rule(of, horizon, season, window=window)
    assert settings.window % settings.patch == 0


@given(of=lengths, horizon=horizons, season=seasons, patch=st.integers(1, 12))
def test_a_window_by_rule_is_made_of_whole_patches(of, horizon, season, patch):
    settings = by_rule(of, horizon, season, patch=patch)
    assert settings.window < patch or settings.window % patch == 0


@given(
    of=lengths, horizon=horizons, season=seasons, direct=st.booleans(), window=st.none() | st.integers(1, 60)
)
def test_held_out_is_nothing_or_at_least_a_forecast(of, horizon, season, direct, window):
    settings = by_rule(of, horizon, season, direct, window=window)
    assert settings.held_out == 0 or settings.held_out >= horizon
    at_once = horizon if direct else 1
    train, valid = split_windows(of, window=settings.window, horizon=at_once, held_out=settings.held_out)
    assert settings.held_out == 0 or len(valid) > 0
    if np.median(of) >= horizon + 1 and window is None:
        assert len(train) > 0


@given(of=lengths, horizon=horizons, season=seasons, direct=st.booleans())
def test_every_choice_is_one_that_is_known(of, horizon, season, direct):
    settings = by_rule(of, horizon, season, direct)
    assert settings.scaling in SCALINGS
    assert settings.optimizer in OPTIMIZERS
    assert settings.schedule in SCHEDULES
    assert settings.lr > 0
    assert settings.weight_decay >= 0
    assert min(settings.hidden_size, settings.batch_size, settings.steps, settings.patch) >= 1
    assert settings.patience >= 0


@given(
    of=lengths,
    horizon=st.integers(1, 8),
    direct=st.booleans(),
    window=st.none() | st.integers(1, 40),
    validation=st.none() | st.just(0) | st.integers(8, 30),
    batch_size=st.none() | st.integers(1, 9),
    epochs=st.integers(1, 5),
)
def test_an_epoch_is_one_pass_over_the_windows(of, horizon, direct, window, validation, batch_size, epochs):
    given_ones = {"window": window, "validation": validation, "batch_size": batch_size, "epochs": epochs}
    settings = by_rule(of, horizon, None, direct, **given_ones)
    at_once = horizon if direct else 1
    sizes = {"window": settings.window, "horizon": at_once, "held_out": settings.held_out}
    train, _ = split_windows(of, **sizes, padded=settings.mask)
    if len(train):
        assert settings.steps == epochs * -(-len(train) // settings.batch_size)


def test_nothing_is_learned_from_the_values():
    a, b = (small(3, hidden_size=None).fit(y).settings_ for y in (wave(seed=1), 1e6 * wave(seed=2) ** 3))
    assert a == b


def test_what_is_given_is_kept():
    settings = by_rule([200], 4, 12, **GIVEN)
    for name, value in GIVEN.items():
        assert getattr(settings, "held_out" if name == "validation" else name) == value
    assert settings.reasons == {}


@pytest.mark.parametrize("name", GIVEN)
def test_each_given_value_is_kept_and_needs_no_reason(name):
    settings = by_rule([200], 4, 12, **{name: GIVEN[name]})
    assert getattr(settings, "held_out" if name == "validation" else name) == GIVEN[name]
    chosen = {
        "validation" if field.name == "held_out" else field.name for field in dataclasses.fields(settings)
    }
    assert set(settings.reasons) == chosen - {"reasons", "ahead", "calibration", name}


def test_falsehood_and_zero_are_values_too():
    settings = by_rule([200], 4, 12, skip=False, validation=0, patience=0, weight_decay=0.0)
    assert (settings.skip, settings.held_out, settings.patience, settings.weight_decay) == (False, 0, 0, 0.0)
    assert not {"skip", "validation", "patience", "weight_decay"} & set(settings.reasons)


def test_every_reason_names_the_choice():
    settings = by_rule([200], 4, 12)
    for name, reason in settings.reasons.items():
        value = getattr(settings, "held_out" if name == "validation" else name)
        assert re.search(rf"\b{name}\b.*{re.escape(str(value))}", reason), reason


def test_reasons_speak_chinese():
    with speaking("zh"):
        reasons = by_rule([200], 4, 12).reasons
    assert all(re.search("[\u4e00-\u9fff]", reason) for reason in reasons.values())


class TestDescribe:
    def test_one_line_for_the_network_and_one_for_each_choice(self):
        forecaster = small(3).fit(wave())
        lines = forecaster.describe().splitlines()
        assert lines[0] == f"network: lstm, 1 layer(s), {forecaster.network_.spec.parameter_count} parameters"
        assert lines[1:] == list(forecaster.settings_.reasons.values())
        assert not [line for line in lines if line.startswith(("hidden_size", "steps"))]

    def test_nothing_chosen_nothing_explained(self):
        everything = Forecaster(4, threads=1, **GIVEN).fit(wave(80))
        assert len(everything.describe().splitlines()) == 1

    def test_it_tells_of_the_network_that_was_fitted(self):
        forecaster = small(3, cell="gru").fit(wave())
        before = forecaster.describe()
        forecaster.set_params(cell="rnn", num_layers=3, hidden_size=9)
        assert forecaster.describe() == before

    def test_it_does_not_claim_points_held_out_where_none_could_be(self):
        forecaster = small(10, window=35).fit(wave(50))  # 35 + 10 + 10 points do not fit into 50
        assert forecaster.report_ is None
        assert "validation 10" not in forecaster.describe()


class TestShortSeries:
    @pytest.mark.parametrize("strategy", ["direct", "recursive"])
    @pytest.mark.parametrize(
        ("points", "horizon"), [(2, 1), (3, 1), (3, 2), (5, 2), (10, 2), (10, 5), (13, 12)]
    )
    def test_defaults_work(self, points, horizon, strategy):
        forecaster = Forecaster(horizon, strategy=strategy, steps=5).fit(wave(points))
        assert forecaster.predict().shape == (horizon,)
        assert np.isfinite(forecaster.predict()).all()

    @pytest.mark.parametrize("season", [2, 7, 12, 400])
    def test_a_season_may_be_longer_than_the_series(self, season):
        assert Forecaster(2, season=season, steps=5).fit(wave(10)).predict().shape == (2,)

    def test_all_of_it_by_rule(self):
        forecaster = Forecaster(2).fit(wave(10))
        assert forecaster.report_ is not None
        assert 0 < len(forecaster.history_.losses) <= forecaster.settings_.steps

    def test_one_short_series_among_long_ones(self):
        with pytest.warns(UserWarning, match=r"1 series are shorter than the window of 18 points.*: 1"):
            forecaster = Forecaster(4, season=6, steps=5).fit(waves(60, 7, 90))
        assert forecaster.predict().shape == (3, 4)
        assert forecaster.settings_.mask

    def test_a_series_may_be_too_short_to_learn_from(self):
        forecaster = small(4, window=8).fit(waves(60, 8))
        assert forecaster.predict().shape == (2, 4)
