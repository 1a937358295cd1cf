"""The order in which windows are trained on: passes, shuffling, and orders too long to be written down."""

from __future__ import annotations

import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.windows import Order, Windows

HUGE = [2**21, 0, 2**21, 2**22]
"""Twice as many windows as `Order` writes down as a permutation."""


def windows_of(counts, first=0) -> Windows:
    counts = np.array(counts, np.int64)
    return Windows(np.full(counts.size, first, np.int64), counts)


def drawn(order: Order, begin: int, end: int) -> list[tuple[int, int]]:
    series, starts = order.take(begin, end)
    assert series.dtype == starts.dtype == np.int64
    return list(zip(series.tolist(), starts.tolist(), strict=True))


counts = st.lists(st.integers(0, 9), min_size=1, max_size=4).filter(any)


@given(counts=counts, seed=st.integers(0, 2**32 - 1), first=st.integers(0, 5))
def test_every_pass_has_every_window_once(counts, seed, first):
    windows = windows_of(counts, first)
    order, total = Order(windows, shuffle=True, seed=seed), len(windows)
    everything = sorted(drawn(Order(windows, shuffle=False, seed=0), 0, total))
    for turn in range(3):
        assert sorted(drawn(order, turn * total, (turn + 1) * total)) == everything


@given(counts=counts, shuffle=st.booleans(), cuts=st.lists(st.integers(0, 90), max_size=6))
def test_it_does_not_matter_how_it_is_sliced(counts, shuffle, cuts):
    whole = drawn(Order(windows_of(counts), shuffle=shuffle, seed=3), 0, 90)
    order, edges = Order(windows_of(counts), shuffle=shuffle, seed=3), [0, *sorted(cuts), 90]
    assert [one for a, b in itertools.pairwise(edges) for one in drawn(order, a, b)] == whole


def test_going_back_gives_the_same_again():
    order = Order(windows_of([20]), shuffle=True, seed=1)
    first = drawn(order, 0, 20)
    drawn(order, 20, 40)
    assert drawn(order, 0, 20) == first


def test_in_order_it_is_series_by_series_oldest_first():
    order = Order(windows_of([2, 0, 3], first=5), shuffle=False, seed=9)
    once = [(0, 5), (0, 6), (2, 5), (2, 6), (2, 7)]
    assert drawn(order, 0, 12) == (once * 3)[:12]


def test_each_pass_and_each_seed_has_its_own_shuffle():
    order, other = (Order(windows_of([30, 30]), shuffle=True, seed=seed) for seed in (1, 2))
    passes = [drawn(order, 0, 60), drawn(order, 60, 120), drawn(other, 0, 60)]
    assert all(passes[a] != passes[b] for a, b in ((0, 1), (0, 2), (1, 2)))
    assert passes[0] != sorted(passes[0])


def test_the_same_seed_gives_the_same_order():
    assert drawn(Order(windows_of([50]), shuffle=True, seed=7), 0, 99) == drawn(
        Order(windows_of([50]), shuffle=True, seed=7), 0, 99
    )


def test_the_global_random_state_is_left_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - the very state that must not move
    drawn(Order(windows_of([50]), shuffle=True, seed=7), 0, 99)
    drawn(Order(windows_of(HUGE), shuffle=True, seed=7), 0, 99)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_nothing_asked_nothing_given():
    assert drawn(Order(windows_of([5]), shuffle=True, seed=0), 3, 3) == []


class TestHuge:
    @pytest.mark.parametrize("shuffle", [True, False])
    def test_it_does_not_matter_how_it_is_sliced(self, shuffle):
        whole = drawn(Order(windows_of(HUGE), shuffle=shuffle, seed=3), 0, 300)
        order, edges = Order(windows_of(HUGE), shuffle=shuffle, seed=3), [0, 1, 2, 64, 65, 129, 300]
        assert [one for a, b in itertools.pairwise(edges) for one in drawn(order, a, b)] == whole

    def test_slices_across_the_end_of_a_pass(self):
        total = sum(HUGE)
        whole = drawn(Order(windows_of(HUGE), shuffle=True, seed=3), total - 50, total + 50)
        order = Order(windows_of(HUGE), shuffle=True, seed=3)
        assert drawn(order, total - 50, total) + drawn(order, total, total + 50) == whole

    def test_windows_exist_and_are_spread_over_the_series(self):
        series, starts = Order(windows_of(HUGE), shuffle=True, seed=3).take(0, 20_000)
        assert (starts >= 0).all()
        assert (starts < np.array(HUGE)[series]).all()
        share = np.bincount(series, minlength=4) / 20_000
        np.testing.assert_allclose(share, np.array(HUGE) / sum(HUGE), atol=0.02)
        middle = np.bincount(starts[series == 3] * 4 // HUGE[3], minlength=4) / (series == 3).sum()
        np.testing.assert_allclose(middle, 0.25, atol=0.02)

    def test_little_memory(self):
        order = Order(windows_of([10**12, 10**12]), shuffle=True, seed=1)
        tracemalloc.start()
        try:
            series, starts = order.take(10**12 - 500, 10**12 + 500)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert series.size == starts.size == 1000
        assert peak < 4_000_000

    def test_seeds_and_passes_differ(self):
        order, other = (Order(windows_of(HUGE), shuffle=True, seed=seed) for seed in (1, 2))
        first = drawn(order, 0, 40)
        assert first != drawn(other, 0, 40)
        assert first != drawn(order, sum(HUGE), sum(HUGE) + 40)
