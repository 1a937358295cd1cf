"""The comparison: that it adds up, that it is honest, that it reads well."""

from __future__ import annotations

import doctest
import json
import unicodedata

import numpy as np
import pytest

from unrolled import messages
from unrolled.errors import ArgumentError, DataError, KindError
from unrolled.evaluation import BASELINES, compare, comparison, mae, mase, rmse, seasonal_naive


@pytest.fixture
def panel():
    """Three series of their own lengths with a season of 4, and the 4 points that came after each."""
    rng = np.random.default_rng(11)
    whole = [
        np.tile([10.0, 20.0, 30.0, 5.0], repeats) + rng.normal(size=4 * repeats) for repeats in (6, 9, 12)
    ]
    return [one[:-4] for one in whole], np.stack([one[-4:] for one in whole])


def test_every_baseline_stands_beside_the_models(panel):
    known, came = panel
    report = compare(known, came, {"network": came + 1, "other": came - 2}, season=4)
    assert list(report.rows) == ["network", "other", *BASELINES]
    assert report.models == ("network", "other")
    assert report.baselines == tuple(BASELINES)
    assert (report.horizon, report.season, report.n_series) == (4, 4, 3)


def test_scores_are_means_of_each_series_own_score(panel):
    known, came = panel
    forecast = came + np.array([[1.0], [2.0], [9.0]])
    row = compare(known, came, {"network": forecast}, season=4).rows["network"]
    assert row["mae"] == pytest.approx(4.0)
    assert row["rmse"] == pytest.approx(np.mean([rmse(y, f) for y, f in zip(came, forecast, strict=True)]))
    assert row["mase"] == pytest.approx(mase(came, forecast, y_train=known, season=4))
    assert "pinball" not in row


def test_baselines_forecast_from_the_known_part_alone(panel):
    known, came = panel
    forecasts = np.stack([seasonal_naive(one, 4, season=4) for one in known])
    report = compare(known, came, {"network": forecasts}, season=4)
    assert report.rows["seasonal_naive"] == report.rows["network"]


class TestVerdict:
    def test_a_better_network(self, panel):
        known, came = panel
        report = compare(known, came, {"network": came + 0.01}, season=4)
        assert (report.best, report.baseline_is_better, report.wins) == ("network", False, 3)
        assert "network is better than every baseline: MASE" in str(report)
        assert f"closer than {report.best_baseline} on 3 of 3 series" in str(report)

    def test_a_better_baseline_is_said_plainly(self, panel):
        known, came = panel
        report = compare(known, came, {"network": came + 50.0}, season=4)
        assert report.baseline_is_better
        assert report.best == report.best_baseline
        assert report.wins == 0
        assert f"A baseline is better than network: {report.best} has MASE" in str(report)

    def test_a_network_that_only_equals_a_baseline_is_not_the_best(self, panel):
        known, came = panel[0][:1], panel[1][:1]
        best = compare(known, came, {"network": came}, season=4).best_baseline
        copy = BASELINES[best](known[0], 4, season=4)
        report = compare(known, came, {"network": [copy]}, season=4)
        assert (report.best, report.baseline_is_better) == (best, False)
        assert f"network is no better than the best baseline, {best}: both have MASE" in str(report)

    def test_the_best_of_several_models_is_judged(self, panel):
        known, came = panel
        report = compare(known, came, {"bad": came + 99, "good": came}, season=4)
        assert (report.best_model, report.best) == ("good", "good")

    def test_scores_that_are_close_are_written_apart(self):
        report = compare([1.0, 2.0, 3.0], [5.0], {"network": [3.99999]})
        assert "drift has MASE 1, network 1.00001." in str(report)

    def test_one_series_is_thin_evidence(self):
        report = compare([1.0, 2.0, 3.0, 5.0], [4.0, 6.0], {"network": [4.0, 6.0]})
        assert "one stretch of 2 points of one series: thin evidence" in str(report)


class TestSeriesThatCannotBeScaled:
    def test_a_constant_one_is_left_out_of_mase_and_said(self):
        known = [[1.0, 2.0, 4.0, 3.0], [7.0, 7.0, 7.0]]
        report = compare(known, [[3.0], [8.0]], {"network": [[4.0], [7.5]]})
        assert report.n_constant == 1
        assert report.rows["network"]["mase"] == pytest.approx(mase([3.0], [4.0], y_train=known[0]))
        assert report.rows["network"]["mae"] == pytest.approx(0.75)
        assert "repeats itself exactly: 1 of 2." in str(report)

    def test_where_all_are_constant_mae_decides(self):
        report = compare([7.0, 7.0, 7.0], [8.0], {"network": [7.9]})
        assert (report.judged_by, report.best) == ("mae", "network")
        assert report.rows["network"]["mase"] == np.inf
        assert "better than every baseline: MAE 0.1" in str(report)

    def test_one_point_is_enough_to_compare(self):
        assert compare([3.0], [4.0], {"network": [4.0]}, season=12).best == "network"

    def test_those_not_longer_than_the_season_are_counted(self):
        known = [np.arange(4.0), np.arange(5.0)]
        report = compare(known, [[9.0], [9.0]], {"network": [[9.0], [9.0]]}, season=4)
        assert report.n_short == 1
        assert "not longer than the season of 4, whose MASE is scaled with season 1: 1 of 2." in str(report)


class TestShapes:
    def test_channels_count_as_series(self):
        y = np.random.default_rng(0).normal(size=(30, 3))
        one = compare(y[:-5], y[-5:], {"network": y[-5:] + 1}, season=4)
        many = compare(list(y[:-5].T), y[-5:].T, {"network": y[-5:].T + 1}, season=4)
        assert one.n_series == 3
        for name, row in one.rows.items():
            assert row == pytest.approx(many.rows[name])

    @pytest.mark.parametrize("shape", [(3, 4), (3, 4, 1)])
    def test_a_single_channel_may_stand_on_an_axis_of_its_own(self, panel, shape):
        known, came = panel
        report = compare([one[:, None] for one in known], came.reshape(shape), {"network": came}, season=4)
        assert report == compare(known, list(came), {"network": came}, season=4)

    def test_inputs_stay_as_they_are(self, panel):
        known, came = panel
        copies = [one.copy() for one in (*known, came)]
        compare(known, came, {"network": came}, season=4)
        assert all((a == b).all() for a, b in zip((*known, came), copies, strict=True))

    def test_more_forecasts_than_series(self, panel):
        known, came = panel
        with pytest.raises(
            DataError, match=r"`network` does not have one entry for every series[\s\S]*3, as in"
        ):
            compare(known, came, {"network": came[:2]})

    def test_another_horizon(self, panel):
        known, came = panel
        with pytest.raises(DataError, match=r"`network\[0\]` does not fit[\s\S]*\(4,\)[\s\S]*\(3,\)"):
            compare(known, came, {"network": came[:, :3]})

    def test_other_channels(self):
        with pytest.raises(DataError, match=r"`y_true` does not fit[\s\S]*shape \(2, 3\)[\s\S]*\(2,\)"):
            compare(np.ones((9, 3)), [1.0, 1.0], {"network": [1.0, 1.0]})


def test_no_forecast():
    with pytest.raises(ArgumentError, match=r"no forecast to compare[\s\S]*\{\"network\": forecast\}"):
        compare([1.0, 2.0], [3.0], {})


def test_a_baselines_name():
    with pytest.raises(ArgumentError, match=r"a model has the name of a baseline[\s\S]*naive"):
        compare([1.0, 2.0], [3.0], {"naive": [3.0]})


def test_a_forecast_that_is_not_finite():
    with pytest.raises(DataError, match=r"network\[1\] = nan"):
        compare([1.0, 2.0], [3.0, 4.0], {"network": [3.0, np.nan]})


def test_a_known_part_that_is_not_finite_or_has_too_many_axes():
    with pytest.raises(DataError, match=r"y_train\[1\]\[0\] = inf"):
        compare([[1.0], [np.inf]], [[1.0], [1.0]], {"network": [[1.0], [1.0]]})
    with pytest.raises(DataError, match=r"`y_train` has too many axes"):
        compare(np.ones((2, 2, 2)), [1.0], {"network": [1.0]})


def test_not_numbers():
    with pytest.raises(KindError, match=r"`network` is not an array"):
        compare([1.0, 2.0], [3.0], {"network": "up"})


@pytest.mark.parametrize("season", [0, -12, 1.5])
def test_season(season):
    with pytest.raises(ArgumentError, match=r"`season` cannot be used"):
        compare([1.0, 2.0], [3.0], {"network": [3.0]}, season=season)


def test_to_dict_is_json_without_infinities():
    report = compare([7.0, 7.0, 7.0], [8.0], {"network": [7.9]})
    told = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert told["rows"]["network"]["mase"] is None
    assert told["rows"]["network"]["mae"] == pytest.approx(mae([8.0], [7.9]))
    assert told["baselines"] == list(BASELINES)
    assert (told["best"], told["baseline_is_better"], told["judged_by"]) == ("network", False, "mae")


@pytest.mark.parametrize("lang", messages.LANGUAGES)
def test_the_table_is_aligned_and_marks_the_lowest(panel, lang):
    known, came = panel
    report = compare(known, came, {"网络": came + 0.5, "network": came + 50}, season=4)
    with messages.speaking(lang):
        _, header, *rows = str(report).splitlines()[: 3 + len(report.rows) - 1]
    columns = [
        sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in row) for row in (header, *rows)
    ]
    marked = [row for row in rows if row.endswith("*")]
    assert len(marked) == 1
    assert marked[0].startswith(report.best)
    assert max(columns) - min(columns) <= 1  # the star that most rows do not have
    assert header.split()[1:] == ["MAE", "RMSE", "MSE", "sMAPE", "MASE"]


def test_the_verdict_speaks_chinese(panel):
    known, came = panel
    with messages.speaking("zh"):
        assert "有基线优于 network" in str(compare(known, came, {"network": came + 50}, season=4))
        assert "季节周期：无" in str(compare([1.0, 2.0], [3.0], {"network": [3.0]}))


def test_examples():
    assert doctest.testmod(comparison).failed == 0


class TestMissing:
    def test_points_nobody_saw_are_not_counted(self):
        known = [[1.0, np.nan, 3.0, 4.0], [3.0, 1.0, 2.0]]
        came = [[5.0, np.nan], [1.0, 4.0]]
        row = compare(known, came, {"network": [[6.0, 99.0], [1.0, 6.0]]}).rows["network"]
        assert row["mae"] == pytest.approx((1 + 1) / 2)
        assert row["mase"] == pytest.approx((1 / 1 + 1 / 1.5) / 2)

    def test_a_series_never_seen_on_one_side_is_left_out_and_said(self):
        known = [[1.0, 2.0, 4.0], [np.nan, np.nan], [1.0, 2.0, 4.0]]
        came = [[5.0], [5.0], [np.nan]]
        report = compare(known, came, {"network": [[5.0], [5.0], [5.0]]})
        assert (report.n_series, report.n_missing) == (1, 2)
        assert report.to_dict()["n_missing"] == 2
        assert "or none after it: 2 series." in str(report)

    def test_nothing_seen(self):
        with pytest.raises(DataError, match=r"nothing can be compared[\s\S]*1 series"):
            compare([1.0, 2.0], [np.nan], {"network": [3.0]})


def test_baselines_by_name(panel):
    known, came = panel
    report = compare(known, came, {"network": came}, season=4, baselines=("naive2", "auto_theta", "naive"))
    assert report.baselines == ("naive2", "auto_theta", "naive")
    with pytest.raises(ArgumentError, match=r"no baseline to compare with"):
        compare(known, came, {"network": came}, baselines=())
    with pytest.raises(ArgumentError, match=r"no baseline of this name"):
        compare(known, came, {"network": came}, baselines=("best",))
