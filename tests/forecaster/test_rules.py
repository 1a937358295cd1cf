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
from unrolled.engine import LOSSES, OPTIMIZERS
from unrolled.messages import speaking
from unrolled.rules import settle
from unrolled.scaling import SCALINGS
from unrolled.training import SCHEDULES
from unrolled.windows import split_windows

NOTHING = dict.fromkeys(
    (
        *("window", "patch", "hidden_size", "skip", "scaling", "optimizer", "lr", "weight_decay", "schedule"),
        *("batch_size", "steps", "epochs", "validation", "patience", "mask", "refit", "members", "loss"),
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
    "refit": False,
    "members": 2,
}
WATCHED = ("validation", "calibration", "patience")
"""Each of them says that the points held out choose the weights."""

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
    sizes = {"window": settings.window, "horizon": at_once, "padded": settings.mask}
    train, valid = split_windows(of, held_out=settings.held_out, **sizes)
    assert settings.held_out == 0 or len(valid) > 0
    if np.median(of) >= horizon + 1 and window is None:
        assert len(train) > 0
        assert len(split_windows(of, held_out=0, **sizes)[0]) > 0


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
    hidden = 0 if settings.refit else settings.held_out
    train, _ = split_windows(
        of, window=settings.window, horizon=at_once, held_out=hidden, padded=settings.mask
    )
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
    silent = {"reasons", "ahead", "calibration", "scalings", name}
    if settings.refit:
        silent |= {"patience"}  # nothing is watched that could stop training
    if name == "window":
        silent |= {"windows"}  # all read what was given
    assert set(settings.reasons) == chosen - silent


@given(watched=st.sets(st.sampled_from(WATCHED)), refit=st.none() | st.booleans(), direct=st.booleans())
def test_points_held_out_choose_the_weights_only_where_something_of_them_is_said(watched, refit, direct):
    settings = by_rule([200], 4, 12, direct, **dict.fromkeys(watched, 8), refit=refit)
    assert settings.refit == (not watched if refit is None else refit)
    if settings.refit:
        assert settings.patience == (8 if "patience" in watched else 0)
    elif "patience" not in watched:
        assert settings.patience == 25
    assert ("refit" in settings.reasons) == (refit is None)


@given(of=lengths, horizon=horizons, season=seasons, direct=st.booleans(), refit=st.booleans())
def test_a_rehearsal_is_hidden_up_to_three_horizons_but_a_quarter_of_the_points_at_most(
    of, horizon, season, direct, refit
):
    settings = by_rule(of, horizon, season, direct, refit=refit)
    if np.median(of) < 4 * horizon + 2:
        assert settings.held_out == 0
    elif settings.held_out:
        most = max(horizon, min(3 * horizon, int(np.median(of)) // 4))
        assert settings.held_out == (most if refit else horizon)
    else:  # no series has room for a window, its target and these points
        assert of.max() < settings.window + (horizon if direct else 1) + max(horizon, of.max() // 4)


@given(of=lengths, horizon=st.integers(2, 20), season=seasons, members=st.none() | st.integers(1, 9))
def test_members_read_the_window_three_quarters_and_half_of_it(of, horizon, season, members):
    settings = by_rule(of, horizon, season, members=members)
    assert settings.members == (members or 6)
    if settings.members == 1:
        assert settings.windows == ()
        return
    assert len(settings.windows) == settings.members
    for number, read in enumerate(settings.windows):
        share = settings.window * (1, 0.75, 0.5)[number % 3]
        assert read % settings.patch == 0
        assert max(settings.patch, share - settings.patch) <= max(read, settings.patch) <= settings.window
        assert read <= max(share, settings.patch)
    assert settings.windows[0] == settings.window


@pytest.mark.parametrize(
    ("direct", "changes"),
    [
        (False, {}),
        (True, {"window": 24}),
        (True, {"memory": "all"}),
        (True, {"loss": "gaussian"}),
        (True, {"loss": "student_t"}),
        (True, {"loss": "negative_binomial"}),
    ],
    ids=str,
)
def test_members_read_the_same_where_it_is_given_or_outputs_are_no_values(direct, changes):
    settings = by_rule([200], 4, 12, direct, members=3, **changes)
    assert settings.windows == ()
    assert "windows" not in settings.reasons


@pytest.mark.parametrize(
    ("direct", "changes", "members"), [(True, {}, 6), (False, {}, 1), (True, {"memory": "all"}, 1)], ids=str
)
def test_six_where_a_member_costs_one_call_and_one_where_it_costs_one_a_point(direct, changes, members):
    assert by_rule([200], 4, 12, direct, **changes).members == members


@pytest.mark.parametrize(
    ("horizon", "season", "direct", "members", "window"),
    [
        (6, 12, True, None, 48),  # four seasons
        (20, 12, True, None, 72),  # four horizons are 80: whole seasons
        (1, None, True, None, 8),  # eight points at the least
        (6, 12, True, 1, 36),  # one member: three seasons
        (30, 12, True, 1, 84),
        (24, 24, True, None, 336),  # two weeks of hours
        (24, 24, True, 1, 240),  # ten days
        (6, 12, False, None, 36),
        (30, 12, False, None, 60),  # two horizons
    ],
)
def test_the_window_of_long_series(horizon, season, direct, members, window):
    assert by_rule([5000], horizon, season, direct, members=members).window == window


@given(
    points=st.integers(20, 300),
    count=st.sampled_from([1, 19, 20, 40]),
    horizon=st.integers(1, 12),
    season=seasons,
)
def test_the_window_leaves_windows_to_learn_from(points, count, horizon, season):
    """As many as it has points where there are few series, half as many where there are many."""
    settings = by_rule([points] * count, horizon, season)
    if points - horizon < 2:
        return
    windows = points - horizon - settings.window + 1
    assert windows > settings.window * (1.0 if count < 20 else 0.5)


@given(
    of=st.integers(1, 60).map(lambda count: np.full(count, 80)),
    direct=st.booleans(),
    loss=st.sampled_from(LOSSES),
    refit=st.booleans(),
)
def test_a_rehearsal_chooses_between_scalings_where_there_are_series_enough(of, direct, loss, refit):
    settings = by_rule(of, 4, None, direct, loss=loss, refit=refit)
    several = of.size >= 20 and direct and loss != "negative_binomial"
    first = "adaptive" if loss in ("mae", "mse", "huber", "quantile") else "standard"
    assert settings.scalings == ((first, "mean_abs") if several and refit else ())
    if several:
        assert settings.scaling == first
    elif loss == "negative_binomial":
        assert settings.scaling == "mean_abs"
    elif direct:
        assert settings.scaling == "last"
    else:
        assert settings.scaling == ("last" if loss in ("mae", "mse", "huber") else "standard")
    assert by_rule(of, 4, None, direct, loss=loss, refit=refit, scaling="none").scalings == ()


def test_more_windows_are_learned_from_by_a_larger_network_in_more_steps():
    for count, hidden, lr, batch in ((1, 32, 0.003, 32), (20, 64, 0.003, 32), (200, 128, 0.006, 128)):
        settings = by_rule([100] * count, 4, None, window=16)
        windows = count * (100 - 16 - 4 + 1)
        assert (settings.hidden_size, settings.lr, settings.batch_size) == (hidden, lr, batch)
        assert settings.steps == round(8 * windows**0.5)
    assert by_rule([5000] * 100, 4, None).steps == 5000
    assert by_rule([5], 4, None).steps == 10


@given(of=lengths, horizon=st.integers(2, 20), season=st.integers(2, 30), direct=st.booleans())
def test_a_step_reads_whole_seasons_and_a_window_has_few_steps(of, horizon, season, direct):
    settings = by_rule(of, horizon, season, direct)
    if not direct or settings.window < 2 * season:
        assert settings.patch == 1
    else:
        assert settings.patch % season == 0
        assert settings.window // settings.patch <= 16 or settings.patch == season


def test_falsehood_and_zero_are_values_too():
    settings = by_rule([200], 4, 12, skip=False, validation=0, patience=0, weight_decay=0.0)
    assert (settings.skip, settings.held_out, settings.patience, settings.weight_decay) == (False, 0, 0, 0.0)
    assert not {"skip", "validation", "patience", "weight_decay"} & set(settings.reasons)


def test_every_reason_names_the_choice():
    settings = by_rule([200], 4, 12)
    for name, reason in settings.reasons.items():
        value = getattr(settings, "held_out" if name == "validation" else name)
        if name == "windows":
            value = ", ".join(map(str, dict.fromkeys(value)))
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
        assert "validation 0" in forecaster.describe()
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
        with pytest.warns(UserWarning, match=r"1 series are shorter than the window of 24 points.*: 1"):
            forecaster = Forecaster(4, season=6, steps=5).fit(waves(60, 7, 90))
        assert forecaster.predict().shape == (3, 4)
        assert forecaster.settings_.mask

    def test_a_series_may_be_too_short_to_learn_from(self):
        forecaster = small(4, window=8).fit(waves(60, 8))
        assert forecaster.predict().shape == (2, 4)
