"""CRPS, weighted quantile loss, coverage, width, MSIS and OWA: by hand, by law, and every error."""

from __future__ import annotations

import math

import numpy as np
import pytest

from unrolled.errors import ArgumentError, DataError, KindError
from unrolled.evaluation import coverage, crps, interval_width, mae, mase, msis, owa, pinball, rmsse, wql

INTERVALS = {
    "coverage": coverage,
    "interval_width": interval_width,
    "msis": lambda true, low, high, **more: msis(
        true, low, high, level=80, y_train=[1.0, 2.0, 4.0, 3.0], **more
    ),
}


class TestQuantiles:
    def test_crps_at_the_median_is_the_mae(self):
        true, pred = np.random.default_rng(0).normal(size=(2, 3, 5))
        assert crps(true, pred[..., None], quantiles=[0.5]) == pytest.approx(mae(true, pred))

    def test_crps_by_many_quantiles_is_that_of_the_normal_distribution(self):
        levels = (np.arange(4000) + 0.5) / 4000
        draws = np.sort(np.random.default_rng(1).normal(size=1_000_001))
        quantiles = np.quantile(draws, levels)
        y = 0.7
        density, share = math.exp(-y * y / 2) / math.sqrt(2 * math.pi), (1 + math.erf(y / math.sqrt(2))) / 2
        exact = y * (2 * share - 1) + 2 * density - 1 / math.sqrt(math.pi)
        assert crps([y], quantiles[None], quantiles=levels) == pytest.approx(exact, rel=0.01)

    def test_wql_is_the_sum_of_losses_over_the_sum_of_sizes(self):
        true = np.array([[1.0, -3.0], [10.0, 6.0]])
        pred = np.stack([true - 1, true + 2], axis=-1)
        by_hand = 4 * 2 * (0.1 * 1 + 0.1 * 2) / 2
        assert wql(true, pred, quantiles=[0.1, 0.9]) == pytest.approx(by_hand / 20)
        assert wql(true, pred, quantiles=[0.1, 0.9], axis=-1).tolist() == pytest.approx(
            [by_hand / 2 / 4, by_hand / 2 / 16]
        )

    def test_wql_of_nothing_but_zeros(self):
        assert wql([0.0], [[0.0]], quantiles=[0.5]) == 0.0
        assert wql([0.0], [[1.0]], quantiles=[0.5]) == np.inf

    def test_an_unobserved_point_weighs_nothing(self):
        whole = wql([4.0], [[5.0]], quantiles=[0.5])
        assert wql([4.0, np.nan], [[5.0], [99.0]], quantiles=[0.5]) == whole == 0.25
        assert pinball([4.0, np.nan], [[5.0], [99.0]], quantiles=[0.5]) == 0.5

    @pytest.mark.parametrize("metric", [crps, wql])
    def test_quantiles_outside_are_refused(self, metric):
        with pytest.raises(ArgumentError, match=r"`quantiles` cannot be used"):
            metric([1.0], [[1.0]], quantiles=[1.0])
        with pytest.raises(ArgumentError, match=r"`axis` is not an axis"):
            metric([1.0], [[1.0]], quantiles=[0.5], axis=4)


class TestIntervals:
    def test_the_ends_belong_to_the_interval(self):
        assert coverage([1.0, 2.0, 3.0], [1.0, 1.0, 1.0], [2.0, 2.0, 2.0]) == pytest.approx(2 / 3)

    def test_coverage_of_a_normal_interval_is_what_it_promises(self):
        y = np.random.default_rng(3).normal(size=20000)
        assert coverage(y, np.full(20000, -1.2816), np.full(20000, 1.2816)) == pytest.approx(0.8, abs=0.01)

    def test_msis_by_hand_inside_below_and_above(self):
        true, low, high = [5.0, 1.0, 12.0], [4.0, 3.0, 7.0], [8.0, 6.0, 10.0]
        costs = [4.0, 3.0 + 2 / 0.05 * 2, 3.0 + 2 / 0.05 * 2]
        found = msis(true, low, high, level=95, y_train=[0.0, 2.0, 6.0])
        assert found == pytest.approx(np.mean(costs) / 3)

    def test_msis_scales_by_the_season_and_by_the_row(self):
        train = [[0.0, 5.0, 2.0, 3.0], [1.0, 1.0, 1.0, 1.0]]
        each = msis([[1.0], [1.0]], [[0.0], [1.0]], [[2.0], [1.0]], level=50, y_train=train, season=2, axis=1)
        assert each.tolist() == [1.0, 0.0]

    def test_the_right_width_costs_least(self):
        y = np.random.default_rng(4).normal(size=(1, 20000))
        costs = [
            msis(y, np.full_like(y, -z), np.full_like(y, z), level=80, y_train=[0.0, 1.0])
            for z in (0.8, 1.2816, 2.0)
        ]
        assert np.argmin(costs) == 1

    @pytest.mark.parametrize("name", INTERVALS)
    def test_unobserved_points_are_not_counted(self, name):
        metric, true = INTERVALS[name], np.array([[1.0, np.nan, 5.0], [np.nan, np.nan, np.nan]])
        low, high = np.zeros((2, 3)), np.full((2, 3), 2.0)
        high[:, 1] = 50.0
        each = metric(true, low, high, axis=-1)
        assert each[0] == pytest.approx(metric([1.0, 5.0], [0.0, 0.0], [2.0, 2.0]))
        assert np.isnan(each[1])
        assert metric(true, low, high) == pytest.approx(each[0])

    @pytest.mark.parametrize("name", INTERVALS)
    def test_what_does_not_fit(self, name):
        metric = INTERVALS[name]
        with pytest.raises(DataError, match=r"different shapes[\s\S]*lower \(1,\), upper \(2,\)"):
            metric([1.0, 2.0], [1.0], [1.0, 2.0])
        with pytest.raises(DataError, match=r"below its lower end[\s\S]*1 intervals"):
            metric([1.0, 2.0], [1.0, 3.0], [1.0, 2.0])
        with pytest.raises(DataError, match=r"upper\[0\] = nan"):
            metric([1.0], [1.0], [np.nan])
        with pytest.raises(KindError, match=r"`lower` is not an array"):
            metric([1.0], "low", [1.0])
        with pytest.raises(ArgumentError, match=r"`axis` is not an axis"):
            metric([1.0], [1.0], [1.0], axis=3)

    @pytest.mark.parametrize("level", [0, 100, -5, "80", None, True, np.nan])
    def test_levels(self, level):
        with pytest.raises(ArgumentError, match=r"level of an interval[\s\S]*80 or 95"):
            msis([1.0], [1.0], [1.0], level=level, y_train=[1.0, 2.0])

    def test_a_training_part_for_every_row(self):
        with pytest.raises(DataError, match=r"one training part for every row"):
            msis([[1.0]], [[1.0]], [[1.0]], level=80, y_train=[[1.0, 2.0], [1.0, 2.0]])


def test_owa_is_the_mean_of_two_ratios():
    assert owa(13.912, 1.193, naive2_smape=18.383, naive2_mase=2.395) == pytest.approx(0.627, abs=5e-4)
    assert owa(2.0, 3.0, naive2_smape=2.0, naive2_mase=3.0) == 1.0
    with pytest.raises(ArgumentError, match=r"`naive2_smape` cannot be used[\s\S]*`naive2_mase`"):
        owa(1.0, 1.0, naive2_smape=0.0, naive2_mase=math.inf)


def test_rmsse_by_hand():
    assert rmsse([1.0, 5.0], [4.0, 9.0], y_train=[0.0, 1.0, 3.0]) == pytest.approx(5**0.5)
    assert rmsse([1.0], [1.0], y_train=[2.0, 2.0]) == 0.0
    assert rmsse([1.0], [2.0], y_train=[2.0, 2.0]) == np.inf
    same = rmsse([7.0], [9.0], y_train=[0.0, 5.0, 1.0, 6.0], season=2)
    assert same == mase([7.0], [9.0], y_train=[0.0, 5.0, 1.0, 6.0], season=2) == 2.0
