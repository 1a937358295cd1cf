"""Conformal intervals: what is covered, counted; what is refused; what is kept."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from unrolled.conformal import MOST_WINDOWS, Calibration, needed
from unrolled.errors import ArgumentError
from unrolled.heads import COUNTS, Head

QUANTILE = Head("quantile", (0.1, 0.5, 0.9))


def windows(head: Head, n: int, *, seed: int, steps: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw forecasts that are wrong in place and size, what came, and the scale of each window."""
    draw = np.random.default_rng(seed)
    size = np.exp(draw.normal(size=(n, 1, 1)) * 0.5) * np.sqrt(1 + np.arange(steps))[:, None]
    outputs = np.empty((n, steps, 2, head.width))
    place = draw.normal(size=(n, steps, 2)) * 5
    scale = np.exp(draw.normal(size=(n, 2)))
    if head.loss == COUNTS:
        outputs[..., 0], outputs[..., 1] = np.abs(place) + 0.1, 0.05
        counts = draw.poisson(1.7 * outputs[..., 0] * scale[:, None])
        return outputs, counts / scale[:, None], scale
    actual = place + 0.3 + size * draw.standard_t(4, size=(n, steps, 2))
    outputs[...] = place[..., None]
    if head.quantiles:
        outputs += size[..., None] * np.array([-0.6, 0.1, 0.7])
    elif head.width > 1:
        outputs[..., 1] = 1.7 * size
        outputs[..., 2:] = 5.0
    return outputs, actual, scale


HEADS = [Head("mae"), QUANTILE, Head("gaussian"), Head("student_t"), Head(COUNTS)]


@pytest.mark.parametrize("level", [50, 80, 95])
@pytest.mark.parametrize("head", HEADS, ids=lambda head: head.loss)
def test_what_is_promised_is_covered(head: Head, level: float) -> None:
    n, rounds = needed(level) + 5, 60 if head.width == 3 and not head.quantiles else 400
    hits = np.zeros((3, 2))
    for seed in range(rounds):
        outputs, actual, scale = windows(head, n + 1, seed=seed)
        calibration = Calibration(head, outputs[1:], actual[1:], scale=scale[1:])
        lower, upper = calibration.interval(outputs[:1], level, scale=scale[:1])
        assert (lower <= upper).all()
        hits += ((lower <= actual[:1] + 1e-12) & (actual[:1] <= upper + 1e-12))[0]
    # One new window for each calibration, so that rounds are independent: exact bounds, six times.
    low = stats.binom(rounds, level / 100).ppf(1e-4)
    assert (hits >= low).all(), hits / rounds
    if head.loss != COUNTS:  # counts are tied, and cover more
        high = stats.binom(rounds, min(level / 100 + 1 / (n + 1), 1)).ppf(1 - 1e-4)
        assert (hits <= high).all(), hits / rounds


def test_pooled_steps_cover_about_what_they_promise() -> None:
    head, level, n, rounds = Head("mae"), 95, 12, 400
    hits = np.zeros((3, 2))
    for seed in range(rounds):
        outputs, actual, _ = windows(head, n + 1, seed=seed)
        lower, upper = Calibration(head, outputs[1:], actual[1:]).interval(outputs[:1], level)
        hits += ((lower <= actual[:1]) & (actual[:1] <= upper))[0]
    # At least the largest of 12 scores: 12 / 13 is certain, what is promised is near.
    assert (hits >= stats.binom(rounds, 12 / 13).ppf(1e-4)).all(), hits / rounds
    assert abs(hits.mean() / rounds - 0.95) < 0.025


def test_by_hand() -> None:
    actual = np.array([0.5, -1.0, 2.0, 4.0, 3.0, -6.0, 5.0, 7.0, 8.0]).reshape(9, 1, 1)
    calibration = Calibration(Head("mse"), np.zeros((9, 1, 1, 1)), actual)
    # ceil(10 * 0.8) = 8th smallest; ceil(10 * 0.9) = 9th
    assert calibration.margin(80).tolist() == [[7.0]]
    assert calibration.margin(90).tolist() == [[8.0]]
    assert not calibration.enough_for(90.1)
    head = Head("quantile", (0.1, 0.9))
    outputs = np.tile([-3.0, 3.0], (9, 1, 1, 1))
    # max(-3 - y, y - 3): -2.5 -2 -1 1 0 3 2 4 5; the 5th smallest narrows or widens both sides
    assert Calibration(head, outputs, actual).margin(50).tolist() == [[1.0]]
    assert Calibration(head, outputs, actual).margin(10).tolist() == [[-2.5]]
    narrow = Calibration(head, outputs * 100, actual)
    lower, upper = narrow.interval(np.tile([-3.0, 4.0], (1, 1, 1, 1)), 10)
    assert lower.item() == upper.item() == 0.5  # a margin of about -300 would cross them


def test_few_windows_are_pooled_over_the_steps() -> None:
    actual = np.array([[1.0, 2.0], [3.0, 6.0]])[..., None]  # 2 windows of 2 steps
    calibration = Calibration(Head("mae"), np.zeros((2, 2, 1, 1)), actual)
    # 4 scores, too few windows for a growth: the largest for 80 %, and never less than the step's own largest
    assert calibration.margin(80).tolist() == [[6.0], [6.0]]
    assert calibration.margin(60).tolist() == [[3.0], [6.0]]
    with pytest.raises(
        ArgumentError, match=r"interval of 95 %.*\n?.*at least 19.*\n?.*2 windows, 4 observed"
    ):
        calibration.margin(95)


def test_errors_that_grow_with_the_step_keep_growing_where_they_are_pooled() -> None:
    draw = np.random.default_rng(0)
    growth = np.array([1.0, 3.0, 9.0])
    actual = (draw.normal(size=(10, 3)) * growth)[..., None]
    margin = Calibration(Head("mae"), np.zeros((10, 3, 1, 1)), actual).margin(95)[:, 0]
    assert 1.5 < margin[1] / margin[0] < 6
    assert 1.5 < margin[2] / margin[1] < 6


def test_missing_values_have_no_score() -> None:
    outputs, actual, _ = windows(Head("mae"), 30, seed=0)
    actual[5:, 1, 0] = np.nan
    actual[7] = np.nan
    calibration = Calibration(Head("mae"), outputs, actual)
    assert calibration.windows == 29
    kept = np.abs(actual - outputs[..., 0])
    whole = np.sort(kept[~np.isnan(kept[:, 2, 1]), 2, 1])
    assert calibration.margin(80)[2, 1] == whole[int(np.ceil(30 * 0.8)) - 1]
    assert calibration.margin(80)[1, 0] == np.sort(kept[:5, 1, 0])[4]
    assert np.isfinite(calibration.margin(95)).all()  # five are too few at one step: pooled
    actual[:, 1, 0] = np.nan
    assert np.isfinite(Calibration(Head("mae"), outputs, actual).margin(80)).all()


def test_nothing_observed_is_too_few() -> None:
    calibration = Calibration(Head("mae"), np.zeros((3, 2, 1, 1)), np.full((3, 2, 1), np.nan))
    assert calibration.windows == 0
    with pytest.raises(ArgumentError, match="Too few held-out forecasts"):
        calibration.interval(np.zeros((1, 2, 1, 1)), 50)


@given(
    n=st.integers(1, 60), seed=st.integers(0, 99), levels=st.lists(st.floats(1, 99), min_size=2, max_size=5)
)
@settings(max_examples=60)
def test_intervals_of_points_are_nested(n: int, seed: int, levels: list[float]) -> None:
    outputs, actual, _ = windows(Head("mae"), n, seed=seed)
    calibration = Calibration(Head("mae"), outputs, actual)
    margins = [calibration.margin(one) for one in sorted(levels) if calibration.enough_for(one)]
    assert all((low <= high).all() for low, high in pairwise(margins))


def test_a_file_keeps_the_calibration() -> None:
    for head in HEADS:
        outputs, actual, scale = windows(head, 40, seed=1)
        first = Calibration(head, outputs, actual, scale=scale)
        second = Calibration.from_arrays(head, first.to_arrays())
        np.testing.assert_array_equal(first.margin(90), second.margin(90))
        assert ("scale" in first.to_arrays()) == (head.loss == COUNTS)


def test_many_windows_are_thinned_evenly() -> None:
    actual = np.arange(5_000.0).reshape(-1, 1, 1)
    kept = Calibration(Head("mae"), np.zeros((5_000, 1, 1, 1)), actual).to_arrays()["actual"][:, 0, 0]
    assert kept.size == MOST_WINDOWS
    assert kept[0] == 0
    assert kept[-1] == 4_999
    assert set(np.diff(kept)) == {5.0, 6.0}


def test_intervals_of_counts_begin_at_0() -> None:
    outputs = np.tile([0.5, 0.1], (20, 1, 1, 1))
    actual = np.full((20, 1, 1), 9.0)
    lower, upper = Calibration(Head(COUNTS), outputs, actual).interval(outputs[:1], 80)
    assert lower.item() == 0.0
    assert upper.item() == 9.0


@pytest.mark.parametrize(("level", "windows_"), [(80, 4), (90, 9), (95, 19), (99, 99), (99.9, 999), (50, 1)])
def test_how_many_windows_a_level_needs(level: float, windows_: int) -> None:
    assert needed(level) == windows_


@pytest.mark.parametrize("level", [0, 100, -5, float("nan"), 101])
def test_levels_are_percent(level: float) -> None:
    with pytest.raises(ArgumentError, match="level does not fit"):
        needed(level)


def test_shapes_must_fit() -> None:
    with pytest.raises(ArgumentError, match="do not fit together"):
        Calibration(Head("mae"), np.zeros((4, 2, 1, 2)), np.zeros((4, 2, 1)))
