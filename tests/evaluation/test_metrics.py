"""Metrics: a contract that every line of `METRICS` keeps, values found by hand, and every error."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from unrolled.errors import ArgumentError, DataError, KindError
from unrolled.evaluation import METRICS, mae, mase, mase_scale, mse, pinball, rmse, smape

QUANTILES = [0.1, 0.5, 0.9]
GROWS = {"series": 1, "series squared": 2, "percent": 0, "none": 0}  # f(a y) = a^power f(y)
moderate = st.floats(-1e6, 1e6).map(lambda x: round(x, 3))


def score(name, y_true, y_pred, *, y_train, **more):
    """Call any metric of the table: a metric of quantiles gets the point forecast at every level."""
    if "quantiles" in METRICS[name].needs:
        y_pred = np.repeat(np.asarray(y_pred)[..., None], len(QUANTILES), axis=-1)
    return METRICS[name](y_true, y_pred, y_train=y_train, season=2, quantiles=QUANTILES, **more)


@pytest.fixture
def case():
    rng = np.random.default_rng(5)
    return {
        key: rng.normal(20.0, 5.0, size)
        for key, size in (("true", (3, 4)), ("pred", (3, 4)), ("train", (3, 9)))
    }


@pytest.mark.parametrize("name", METRICS)
class TestContract:
    def test_a_perfect_forecast_scores_zero(self, name, case):
        assert score(name, case["true"], case["true"], y_train=case["train"]) == 0.0

    def test_a_wrong_one_scores_more_and_a_worse_one_more_again(self, name, case):
        near, far = (
            score(name, case["true"], case["true"] + off, y_train=case["train"]) for off in (1.0, 3.0)
        )
        assert 0 < near < far

    def test_the_answer_is_a_plain_float(self, name, case):
        assert type(score(name, case["true"], case["pred"], y_train=case["train"])) is float

    def test_axis_leaves_the_others(self, name, case):
        each = score(name, case["true"], case["pred"], y_train=case["train"], axis=-1)
        alone = [
            score(name, row[0], row[1], y_train=row[2])
            for row in zip(case["true"], case["pred"], case["train"], strict=True)
        ]
        np.testing.assert_allclose(each, alone, rtol=1e-12)

    def test_it_follows_a_rescaled_series_as_its_unit_says(self, name, case):
        base = score(name, case["true"], case["pred"], y_train=case["train"])
        scaled = score(name, 8 * case["true"], 8 * case["pred"], y_train=8 * case["train"])
        assert scaled == pytest.approx(base * 8 ** GROWS[METRICS[name].unit], rel=1e-12)

    def test_inputs_stay_as_they_are_and_may_be_of_any_number_kind(self, name, case):
        whole = {key: value.round().astype(np.int16) for key, value in case.items()}
        copies = {key: value.copy() for key, value in whole.items()}
        from_ints = score(name, whole["true"], whole["pred"], y_train=whole["train"])
        lists = {key: value.astype(float).tolist() for key, value in whole.items()}
        assert score(name, lists["true"], lists["pred"], y_train=lists["train"]) == from_ints
        assert all((whole[key] == copies[key]).all() for key in whole)

    def test_float32_is_reckoned_in_float64(self, name):
        true = np.full(3, 16777216.0, dtype=np.float32)
        pred = np.array([16777216.0, 16777218.0, 16777216.0], dtype=np.float32)
        wide = score(name, true.astype(float), pred.astype(float), y_train=[1.0, 2.0, 4.0])
        assert score(name, true, pred, y_train=[1.0, 2.0, 4.0]) == wide

    @given(
        true=arrays(float, 4, elements=moderate),
        pred=arrays(float, 4, elements=moderate),
        train=arrays(float, 5, elements=moderate),
    )
    def test_never_negative_never_nan(self, name, true, pred, train):
        assert score(name, true, pred, y_train=train) >= 0.0

    def test_huge_and_tiny_values(self, name, case):
        for size in (1e120, 1e-120):
            big = {key: value * size for key, value in case.items()}
            assert np.isfinite(score(name, big["true"], big["pred"], y_train=big["train"]))

    def test_an_axis_that_is_not_there(self, name, case):
        for axis in (2, "K", (0, 0)):
            with pytest.raises(ArgumentError, match=r"`axis` is not an axis.*[\s\S]*shape \(3, 4\)"):
                score(name, case["true"], case["pred"], y_train=case["train"], axis=axis)

    def test_values_that_are_not_finite(self, name, case):
        case["true"][1, 2], case["pred"][0, 3] = np.inf, np.nan
        with pytest.raises(DataError, match=r"y_true\[1, 2\] = inf[\s\S]*y_pred\[0, 3"):
            score(name, case["true"], case["pred"], y_train=case["train"])

    def test_what_nobody_saw_is_not_counted(self, name, case):
        true, pred = case["true"], case["pred"]
        true[0, 1:3] = np.nan
        seen = [0, 3]
        each = score(name, true, pred, y_train=case["train"], axis=-1)
        first = score(name, true[0, seen], pred[0, seen], y_train=case["train"][0])
        assert each[0] == pytest.approx(first, rel=1e-12)
        assert each[1] == pytest.approx(score(name, true[1], pred[1], y_train=case["train"][1]), rel=1e-12)
        flat = score(name, true[0], pred[0], y_train=case["train"][0])
        assert type(flat) is float
        assert flat == pytest.approx(first, rel=1e-12)

    def test_a_row_of_which_nobody_saw_a_point_is_not_a_number(self, name, case):
        case["true"][1] = np.nan
        each = score(name, case["true"], case["pred"], y_train=case["train"], axis=-1)
        assert np.isnan(each).tolist() == [False, True, False]
        assert np.isnan(score(name, case["true"][1], case["pred"][1], y_train=case["train"][1]))
        with pytest.raises(ArgumentError, match=r"`axis` is not an axis"):
            score(name, case["true"], case["pred"], y_train=case["train"], axis=7)

    def test_shapes_do_not_broadcast(self, name, case):
        with pytest.raises(DataError, match=r"shape"):
            score(name, case["true"][:, :1], case["pred"], y_train=case["train"])

    def test_empty(self, name):
        with pytest.raises(DataError, match=r"`y_true` has no values"):
            score(name, [], [], y_train=[1.0, 2.0])

    @pytest.mark.parametrize("wrong", [["a", "b"], [[1.0], [1.0, 2.0]], 3.0, [1j, 2j], [True, False], None])
    def test_not_numbers(self, name, wrong):
        with pytest.raises(KindError, match=r"`y_true` is not an array of real numbers"):
            METRICS[name](wrong, [1.0, 2.0], y_train=[1.0], season=1, quantiles=QUANTILES)


def test_values_found_by_hand():
    true, pred = [2.0, 4.0, 6.0], [3.0, 4.0, 2.0]
    assert mae(true, pred) == pytest.approx(5 / 3)
    assert mse(true, pred) == pytest.approx(17 / 3)
    assert rmse(true, pred) == pytest.approx((17 / 3) ** 0.5)
    assert smape(true, pred) == pytest.approx(200 / 3 * (1 / 5 + 0 + 4 / 8))
    assert mase(true, pred, y_train=[1.0, 3.0, 0.0]) == pytest.approx(5 / 3 / 2.5)


def test_rmse_takes_the_root_after_the_mean():
    assert rmse([[0.0, 0.0], [0.0, 0.0]], [[3.0, 3.0], [1.0, 1.0]]) == pytest.approx(5**0.5)


def test_smape_reaches_200_and_counts_nothing_over_nothing_as_0():
    assert smape([1.0, -2.0], [-1.0, 0.0]) == 200.0
    assert smape([0.0, 0.0], [0.0, 0.0]) == 0.0


class TestMase:
    def test_a_seasonal_step_inside_the_training_part_is_1(self):
        assert mase([10.0], [12.0], y_train=[0.0, 5.0, 2.0, 3.0], season=2) == 1.0

    def test_a_constant_training_part_gives_0_or_infinity_but_never_nan(self):
        assert mase([5.0, 5.0], [5.0, 5.0], y_train=[5.0, 5.0]) == 0.0
        assert mase([5.0, 6.0], [5.0, 5.0], y_train=[5.0, 5.0]) == np.inf
        each = mase([[5.0, 6.0]], [[5.0, 5.0]], y_train=[[5.0, 5.0]], axis=0)
        assert each.tolist() == [0.0, np.inf]

    def test_a_step_of_rounding_is_no_step(self):
        assert mase_scale([0.1 + 0.2, 0.3, 0.1 + 0.2, 0.3]) == 0.0
        assert mase_scale([0.3, 0.3 + 1e-12, 0.3]) > 0.0

    def test_one_point_never_changes(self):
        assert mase_scale([7.0]) == 0.0

    @pytest.mark.parametrize("season", [3, 4, 1000])
    def test_a_season_not_shorter_than_the_training_part_falls_back_to_1(self, season):
        assert mase_scale([1.0, 2.0, 4.0], season=season) == mase_scale([1.0, 2.0, 4.0], season=1) == 1.5

    def test_series_of_their_own_lengths(self):
        assert mase_scale([[1.0, 2.0], np.array([5.0, 5.0, 8.0]), (7.0,)]).tolist() == [1.0, 1.5, 0.0]

    def test_one_training_part_serves_every_row(self):
        assert mase([[1.0], [2.0]], [[2.0], [2.0]], y_train=[0.0, 2.0], axis=-1).tolist() == [0.5, 0.0]

    def test_as_many_training_parts_as_rows(self):
        with pytest.raises(DataError, match=r"one training part for every row[\s\S]*rows of shape \(3,\)"):
            mase([[1.0], [2.0]], [[1.0], [2.0]], y_train=[[1.0, 2.0]] * 3)

    def test_series_of_unlike_axes(self):
        with pytest.raises(DataError, match=r"different leading axes"):
            mase_scale([[1.0, 2.0], [[1.0, 2.0], [3.0, 4.0]]])

    def test_an_infinite_value_is_found_in_its_series(self):
        with pytest.raises(DataError, match=r"y_train\[1\]\[2\] = inf"):
            mase_scale([[1.0, 2.0], [1.0, 2.0, np.inf]])

    def test_only_steps_between_observed_points_count(self):
        assert mase_scale([1.0, np.nan, 4.0, 6.0, np.nan]) == 2.0
        assert mase_scale([1.0, np.nan, 4.0, 6.0, np.nan], season=2) == 3.0

    def test_without_a_whole_seasonal_step_the_season_is_1(self):
        assert mase_scale([1.0, 2.0, np.nan, np.nan], season=2) == 1.0
        assert mase_scale([[1.0, 2.0, np.nan], [1.0, 2.0, 5.0]], season=2).tolist() == [1.0, 4.0]

    def test_one_observed_point_never_changes_and_none_is_not_a_number(self):
        assert mase_scale([np.nan, 3.0, np.nan]) == 0.0
        assert np.isnan(mase_scale([np.nan, np.nan]))
        assert np.isnan(mase([1.0], [2.0], y_train=[np.nan]))

    @pytest.mark.parametrize("season", [0, -1, 1.5, "12", True, None])
    def test_season(self, season):
        with pytest.raises(ArgumentError, match=r"`season` cannot be used[\s\S]*at least 1"):
            mase_scale([1.0, 2.0], season=season)


class TestPinball:
    def test_half_the_mae_at_the_median(self, case):
        half = mae(case["true"], case["pred"]) / 2
        assert pinball(case["true"], case["pred"][..., None], quantiles=[0.5]) == pytest.approx(half)

    def test_too_low_costs_q_and_too_high_costs_the_rest(self):
        assert pinball([10.0], [[8.0]], quantiles=[0.9]) == pytest.approx(1.8)
        assert pinball([10.0], [[12.0]], quantiles=[0.9]) == pytest.approx(0.2)

    def test_the_true_quantile_is_the_cheapest(self):
        draws = np.random.default_rng(0).exponential(size=4001)
        guesses = np.quantile(draws, [0.6, 0.8, 0.95])
        costs = [pinball(draws, np.full((4001, 1), guess), quantiles=[0.8]) for guess in guesses]
        assert np.argmin(costs) == 1

    @pytest.mark.parametrize("wrong", [[0.0], [1.0], [0.5, 1.5], [-0.1], [[0.5]]])
    def test_quantiles(self, wrong):
        with pytest.raises(ArgumentError, match=r"`quantiles` cannot be used[\s\S]*between 0 and 1"):
            pinball([1.0], [[1.0]], quantiles=wrong)

    def test_no_quantiles(self):
        with pytest.raises(DataError, match=r"`quantiles` has no values"):
            pinball([1.0], [[1.0]], quantiles=[])

    def test_the_last_axis_is_the_quantiles(self):
        with pytest.raises(DataError, match=r"\(2,\), and a last axis of 3[\s\S]*\(3, 2\)"):
            pinball([1.0, 2.0], np.zeros((3, 2)), quantiles=QUANTILES)
