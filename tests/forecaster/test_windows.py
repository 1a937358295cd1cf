"""Which windows exist: laws of `split_windows` and of counting windows, on examples drawn by hypothesis."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.windows import Windows, split_windows

panels = st.lists(st.integers(1, 40), min_size=1, max_size=5)
sizes = st.integers(1, 8)


def pairs(windows: Windows) -> list[tuple[int, int]]:
    """Return (series, start) of every window, in order."""
    series, starts = windows.at(np.arange(len(windows)))
    return list(zip(series.tolist(), starts.tolist(), strict=True))


def split(lengths, **sizes):
    return split_windows(np.array(lengths), **sizes)


on_any_panel = given(lengths=panels, window=sizes, horizon=sizes, held_out=st.integers(0, 20))


class TestSplit:
    @on_any_panel
    def test_every_window_lies_inside_its_series(self, lengths, window, horizon, held_out):
        for part in split(lengths, window=window, horizon=horizon, held_out=held_out):
            for series, start in pairs(part):
                assert 0 <= start <= lengths[series] - window - horizon

    @on_any_panel
    def test_no_point_is_a_target_of_both_parts(self, lengths, window, horizon, held_out):
        def targets(part):
            return {(series, start + window + k) for series, start in pairs(part) for k in range(horizon)}

        train, valid = split(lengths, window=window, horizon=horizon, held_out=held_out)
        assert not targets(train) & targets(valid)

    @on_any_panel
    def test_training_sees_nothing_of_the_held_out_points(self, lengths, window, horizon, held_out):
        train, valid = split(lengths, window=window, horizon=horizon, held_out=held_out)
        divided = {series for series, _ in pairs(valid)}
        for series, start in pairs(train):
            if series in divided:
                assert start + window + horizon <= lengths[series] - held_out

    @on_any_panel
    def test_targets_of_validation_are_held_out_and_reach_the_end(self, lengths, window, horizon, held_out):
        _, valid = split(lengths, window=window, horizon=horizon, held_out=held_out)
        last = {}
        for series, start in pairs(valid):
            assert start + window >= lengths[series] - held_out
            last[series] = start + window + horizon
        assert last == {series: lengths[series] for series in last}

    @on_any_panel
    def test_validation_windows_are_the_latest(self, lengths, window, horizon, held_out):
        train, valid = split(lengths, window=window, horizon=horizon, held_out=held_out)
        latest_train = dict(pairs(train))
        for series, start in pairs(valid):
            assert latest_train[series] < start

    @on_any_panel
    def test_how_many(self, lengths, window, horizon, held_out):
        train, valid = split(lengths, window=window, horizon=horizon, held_out=held_out)
        points = window + horizon
        for series, length in enumerate(lengths):
            if length - held_out >= points and held_out >= horizon:
                assert train.counts[series] == length - held_out - points + 1
                assert valid.counts[series] == held_out - horizon + 1
            else:
                assert train.counts[series] == max(0, length - points + 1)
                assert valid.counts[series] == 0

    @on_any_panel
    def test_a_series_is_split_as_if_it_were_alone(self, lengths, window, horizon, held_out):
        together = split(lengths, window=window, horizon=horizon, held_out=held_out)
        for series, length in enumerate(lengths):
            alone = split([length], window=window, horizon=horizon, held_out=held_out)
            for part, own in zip(together, alone, strict=True):
                assert [start for s, start in pairs(part) if s == series] == [
                    start for _, start in pairs(own)
                ]

    @on_any_panel
    def test_windows_are_counted_series_by_series_oldest_first(self, lengths, window, horizon, held_out):
        for part in split(lengths, window=window, horizon=horizon, held_out=held_out):
            expected = [
                (series, int(part.first[series]) + n)
                for series in range(len(lengths))
                for n in range(int(part.counts[series]))
            ]
            assert pairs(part) == expected
            assert len(part) == len(expected)


@given(length=st.integers(1, 60), window=sizes, horizon=sizes)
def test_nothing_held_out_is_every_window(length, window, horizon):
    train, valid = split([length], window=window, horizon=horizon, held_out=0)
    assert [start for _, start in pairs(train)] == list(range(max(0, length - window - horizon + 1)))
    assert len(valid) == 0


def test_by_hand():
    train, valid = split([10, 4], window=3, horizon=2, held_out=3)
    assert pairs(train) == [(0, 0), (0, 1), (0, 2)]
    assert pairs(valid) == [(0, 4), (0, 5)]


def test_the_tutorial_has_720_windows():
    train, valid = split([760], window=40, horizon=1, held_out=0)
    assert (len(train), len(valid)) == (720, 0)


@pytest.mark.parametrize("numbers", [[], [0], [2, 0, 2]])
def test_any_windows_can_be_asked_for(numbers):
    train, _ = split([10], window=3, horizon=2, held_out=3)
    series, starts = train.at(np.array(numbers, np.int64))
    assert (series.tolist(), starts.tolist()) == ([0] * len(numbers), numbers)


@given(lengths=panels, most=st.integers(1, 60))
def test_some_windows_are_taken_evenly(lengths, most):
    train, _ = split(lengths, window=2, horizon=1, held_out=0)
    series, starts = train.some(most)
    every = pairs(train)
    numbers = [every.index(one) for one in zip(series.tolist(), starts.tolist(), strict=True)]
    assert len(numbers) == min(most, len(train))
    steps = np.diff([-1, *numbers, len(train)]) if numbers else np.array([1])
    assert steps.min() >= 1
    assert steps[1:-1].size == 0 or steps[1:-1].max() - steps[1:-1].min() <= 1
    if len(train) > most:  # as much is left out before the first as behind the last
        assert abs(steps[0] - steps[-1]) <= 1


def test_a_panel_of_a_billion_windows_costs_nothing():
    train, valid = split([10**9, 10**9], window=336, horizon=48, held_out=48)
    assert len(train) == 2 * (10**9 - 48 - 384 + 1)
    assert train.at(np.array([len(train) - 1]))[1] == 10**9 - 48 - 384
    assert len(valid) == 2
