"""Backtests: no look ahead, scores by hand, the same result however they run, and what is done is kept."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import threading

import numpy as np
import pandas as pd
import pytest

from tests.evaluation.forecasters import Level, Slow, Stops, StopsInside, Wild
from unrolled import Forecaster, messages
from unrolled.errors import ArgumentError, DataError
from unrolled.evaluation import BASELINES, backtest, compare, coverage, interval_width, mae, mase, msis, smape
from unrolled.evaluation.folds import plan_folds
from unrolled.panel import to_panel


def noisy(points=60, seed=1):
    return 20 + 5 * np.sin(np.arange(points) / 2) + np.random.default_rng(seed).normal(size=points)


@pytest.fixture(scope="module")
def two():
    """Two series of their own lengths, in float64."""
    return to_panel([noisy(60, 1), noisy(45, 2)], dtype="float64")


class TestFolds:
    def test_origins_by_hand(self):
        found = backtest(Level(4), np.arange(40.0), folds=3, step=5)
        assert found.origins[:, 0].tolist() == [26, 31, 36]
        assert found.actual[:, 0, :, 0].tolist() == [[26 + 5 * f + k for k in range(4)] for f in range(3)]
        assert (found.horizon, found.step, found.n_folds, found.n_done) == (4, 5, 3, 3)
        assert found.forecasts["network"][1, 0, :, 0].tolist() == [29.0] * 4

    @pytest.mark.parametrize(("refit", "fits"), [(True, 4), (1, 4), (2, 2), (3, 2), (False, 1), (9, 1)])
    def test_refit(self, refit, fits):
        log = []
        backtest(Level(2, log=log), np.arange(30.0), folds=4, refit=refit)
        fitted = [entry[1] for entry in log if entry[0] == "fit"]
        assert len(fitted) == fits
        assert [entry[1] for entry in log if entry[0] == "predict"] == [[21.0], [23.0], [25.0], [27.0]]
        assert fitted[0] == [21.0]

    def test_folds_that_share_a_fit_share_its_series(self):
        plan = plan_folds(np.array([9, 20]), horizon=2, folds=3, step=3, refit_every=3, at_least=5)
        assert [[fold.series.tolist() for fold in group] for group in plan] == [[[1], [1], [1]]]

    def test_series_too_short_are_left_out_of_a_fold_and_said(self):
        found = backtest(Level(2), [np.arange(40.0), np.arange(9.0)], folds=3)
        assert found.origins.tolist() == [[34, -1], [36, 5], [38, 7]]
        assert found.n_short == (1, 0, 0)
        assert np.isnan(found.forecasts["naive"][0, 1]).all()
        assert found.comparison.n_series == 5
        assert "left out of it, from the earliest fold to the latest: 1, 0, 0." in str(found)

    def test_a_fold_without_series_has_no_place(self):
        found = backtest(Level(2), np.arange(12.0), folds=9)
        assert found.origins[:, 0].tolist() == [6, 8, 10]
        assert (found.n_folds, found.n_done) == (9, 3)

    def test_none_left(self):
        with pytest.raises(DataError, match=r"too short for a backtest[\s\S]*at least 9 points[\s\S]*6 in"):
            backtest(Level(3), np.arange(6.0))
        assert backtest(Level(3), np.arange(6.0), at_least=3, folds=1).n_done == 1


class TestNoLookAhead:
    @pytest.mark.parametrize("refit", [True, 2, False])
    def test_what_comes_later_changes_no_forecast(self, refit):
        y, later = noisy(), noisy()
        later[50:] = 1e6
        one, other = (backtest(Level(3), series, folds=6, refit=refit) for series in (y, later))
        known = one.origins[:, 0] <= 50
        assert known.sum() == 3
        for name, cube in one.forecasts.items():
            np.testing.assert_array_equal(cube[known], other.forecasts[name][known])
        for name in ("mase", "rmsse"):
            np.testing.assert_array_equal(one.scales[name][known], other.scales[name][known])

    def test_a_fit_gets_a_panel_that_ends_at_its_origin(self):
        log = []
        backtest(Level(2, log=log), np.arange(30.0), folds=2)
        assert [entry[:2] for entry in log] == [
            (n, [end]) for end in (25.0, 27.0) for n in ("fit", "predict")
        ]

    def test_the_forecaster_stays_as_it_is(self):
        model = Level(2)
        backtest(model, np.arange(30.0))
        assert not hasattr(model, "fitted_")


class TestScores:
    def test_one_fold_is_a_comparison(self):
        y = [noisy(60, 1), noisy(60, 2)]
        found = backtest(Level(5), y, folds=1, season=6, baselines=("naive2", "drift"))
        known = [np.float32(one[:-5]) for one in y]
        pred = found.forecasts["network"][0, :, :, 0]
        same = compare(
            known,
            np.float32([one[-5:] for one in y]),
            {"network": pred},
            season=6,
            baselines=("naive2", "drift"),
        )
        assert found.rows == same.rows
        assert found.comparison == same

    @pytest.mark.parametrize("metric", ["mae", "mase", "smape", "rmsse", "mse", "rmse"])
    def test_by_step_by_series_and_by_fold(self, two, metric):
        found = backtest(Level(3), two, folds=4, season=4)
        whole = {name: row.get(metric) for name, row in found.rows.items()}
        for name in ("network", *BASELINES):
            each = found.per_fold(metric)[name], found.per_series(metric)[name]
            assert each[0].shape == (4,)
            assert each[1].shape == (2,)
            if whole[name] is not None:
                assert each[0].mean() == pytest.approx(whole[name])
                assert each[1].mean() == pytest.approx(whole[name])
            if metric in ("mae", "mase", "smape", "mse"):
                assert found.per_horizon(metric)[name].mean() == pytest.approx(whole[name])

    def test_by_hand(self, two):
        found = backtest(Level(3), two, folds=4, season=4)
        pred, true = found.forecasts["network"][..., 0], found.actual[..., 0]
        assert found.per_series("mae")["network"][1] == pytest.approx(mae(true[:, 1], pred[:, 1]))
        assert found.per_horizon("smape")["network"][2] == pytest.approx(smape(true[..., 2], pred[..., 2]))
        train = [two.series(s)[: found.origins[0, s], 0] for s in range(2)]
        by_hand = mase(true[0], pred[0], y_train=train, season=4)
        assert found.per_fold("mase")["network"][0] == pytest.approx(by_hand)

    def test_channels_count_as_series(self):
        y = np.stack([noisy(40, 1), noisy(40, 2)], axis=1)
        found = backtest(Level(3), y, folds=2)
        apart = [backtest(Level(3), one, folds=2) for one in y.T]
        assert found.comparison.n_series == 4
        assert found.rows["drift"]["mae"] == pytest.approx(
            np.mean([one.rows["drift"]["mae"] for one in apart])
        )
        assert found.per_series("mae")["network"].shape == (1,)

    def test_intervals(self, two):
        found = backtest(Level(3), two, folds=4, levels=(80, 95.0), season=4)
        assert list(found.coverage) == [80.0, 95.0]
        level = found.coverage[80.0]
        true, low, high = (
            cube[..., 0].reshape(-1, 3) for cube in (found.actual, found.lower[80], found.upper[80])
        )
        assert level.promised == 0.8
        assert level.reached == coverage(true, low, high)
        assert level.by_horizon == tuple(coverage(true, low, high, axis=0))
        assert level.width == pytest.approx(interval_width(true, low, high)) == pytest.approx(16.0)
        train = [two.series(s)[: found.origins[f, s], 0] for f in range(4) for s in range(2)]
        assert level.msis == pytest.approx(msis(true, low, high, level=80, y_train=train, season=4))
        assert found.coverage[95.0].width == pytest.approx(19.0)
        assert f"intervals of 80 % hold {level.reached:.1%} of what came; mean width 16" in str(found)

    def test_series_that_never_change_are_left_out_of_what_scales(self):
        found = backtest(Level(2), [np.full(30, 5.0), np.arange(30.0)], folds=2, levels=(80,))
        assert np.isnan(found.per_series("mase")["network"][0])
        assert found.per_series("mae")["network"][0] == 0.0
        assert found.comparison.n_constant == 2
        both = backtest(Level(2), np.full(30, 5.0), folds=2, levels=(80,))
        assert np.isnan(both.per_horizon("mase")["network"]).all()
        assert np.isnan(both.per_fold("mase")["network"]).all()
        assert np.isnan(both.coverage[80].msis)


def gaps(*holes):
    """Three series of 40 points, missing where told."""
    whole = to_panel([noisy(40, 1), noisy(40, 2), noisy(40, 3)], dtype="float64")
    values = whole.values.copy()
    for hole in holes:
        values[hole] = np.nan
    return dataclasses.replace(whole, values=values)


class TestHowItRuns:
    @pytest.mark.parametrize("jobs", [2, -1])
    @pytest.mark.parametrize("backend", [None, "threading", "loky", "sequential"])
    def test_the_same_however_it_runs(self, two, jobs, backend):
        kwargs = {
            "folds": 4,
            "season": 4,
            "levels": (80,),
            "baselines": ("naive", "naive2", "autoregression"),
        }
        one = backtest(Level(3, shift=0.5), two, **kwargs)
        other = backtest(Level(3, shift=0.5), two, jobs=jobs, backend=backend, **kwargs)
        assert one.rows == other.rows
        assert list(one.forecasts) == list(other.forecasts)
        for name, cube in one.forecasts.items():
            np.testing.assert_array_equal(cube, other.forecasts[name])
        np.testing.assert_array_equal(one.lower[80], other.lower[80])
        np.testing.assert_array_equal(one.origins, other.origins)

    def test_side_by_side_each_has_one_thread_and_no_bar(self):
        log = []
        backtest(Level(2, log=log), np.arange(30.0), folds=2, jobs=2)
        assert {entry[2:4] for entry in log if entry[0] == "fit"} == {(1, False)}
        log.clear()
        backtest(Level(2, log=log, threads=3), np.arange(30.0), folds=2, jobs=2)
        backtest(Level(2, log=log), np.arange(30.0), folds=2)
        assert [entry[2] for entry in log if entry[0] == "fit"] == [3, 3, None, None]

    def test_more_arguments_for_every_fold_or_by_fold(self):
        log = []
        backtest(
            Level(2, log=log),
            np.arange(30.0),
            folds=2,
            fit_params={"static": 7},
            predict_params=lambda fold: {"future": (fold.number, fold.back, fold.series.tolist())},
        )
        assert [entry[4] for entry in log if entry[0] == "fit"] == [{"static": 7}] * 2
        found = [entry[2] for entry in log if entry[0] == "predict"]
        assert found == [{"future": (0, 4, [0])}, {"future": (1, 2, [0])}]

    def test_a_bar(self, capsys):
        backtest(Level(2), np.arange(30.0), folds=3, progress=True)
        assert "3/3" in capsys.readouterr().err
        backtest(Level(2), np.arange(30.0), folds=3)
        assert capsys.readouterr().err == ""

    def test_frames(self):
        frame = pd.DataFrame(
            {
                "unique_id": ["a"] * 40 + ["b"] * 40,
                "ds": list(pd.date_range("2024-01-01", periods=40)) * 2,
                "y": np.concatenate([noisy(40, 1), noisy(40, 2)]),
            }
        )
        found = backtest(Level(3), frame, folds=2)
        assert found.ids == ("a", "b")
        assert found.rows == backtest(Level(3), [noisy(40, 1), noisy(40, 2)], folds=2).rows

    def test_our_own_forecaster(self):
        y = [noisy(70, 1), noisy(90, 2)]
        model = Forecaster(4, window=8, steps=15, hidden_size=4, seed=3)
        one = backtest(model, y, folds=2)
        other = backtest(model, y, folds=2, jobs=2, backend="loky")
        np.testing.assert_array_equal(one.forecasts["network"], other.forecasts["network"])
        by_hand = Forecaster(4, window=8, steps=15, hidden_size=4, seed=3).fit([a[:-4] for a in y]).predict()
        np.testing.assert_array_equal(one.forecasts["network"][1, ..., 0], by_hand)
        shared = backtest(model, y, folds=2, refit=False)
        assert shared.seconds["fit"][1] == 0.0
        assert shared.seconds["predict"][1] > 0.0


class TestInterrupt:
    @pytest.mark.parametrize("jobs", [1, 2])
    def test_what_is_done_is_kept(self, jobs):
        Stops.fits = 0
        with pytest.warns(UserWarning, match=r"Interrupted: [1-4] of 5 folds were done"):
            found = backtest(Stops(2, shift=2), np.arange(40.0), jobs=jobs)
        assert found.interrupted
        assert found.n_done == 2 if jobs == 1 else 1 <= found.n_done <= 4
        assert np.isnan(found.per_fold("mae")["network"]).sum() == 5 - found.n_done
        assert np.isnan(found.seconds["fit"][-1])
        assert f"{found.n_done} of 5 folds were done" in str(found)

    @pytest.mark.parametrize("backend", [None, "threading", "loky"])
    def test_ctrl_c_while_folds_run_side_by_side(self, backend):
        backtest(Slow(2), np.arange(20.0), folds=2, jobs=2, backend=backend)  # its processes are there now
        press = threading.Timer(0.7, lambda: os.kill(os.getpid(), signal.SIGINT))
        press.start()
        with pytest.warns(UserWarning, match=r"Interrupted: 2 of 5 folds were done") as said:
            found = backtest(Slow(2), np.arange(40.0), jobs=2, backend=backend)
        press.join()
        assert (found.interrupted, found.n_done, len(said)) == (True, 2, 1)

    @pytest.mark.parametrize("backend", ["threading", "loky"])
    @pytest.mark.parametrize("jobs", [1, 2])
    def test_a_fit_that_stopped_itself_is_not_judged(self, jobs, backend):
        with pytest.warns(UserWarning, match=r"Interrupted: 2 of 4 folds were done") as said:
            found = backtest(StopsInside(2), np.arange(34.0), folds=4, jobs=jobs, backend=backend)
        assert (found.interrupted, found.n_done, len(said)) == (True, 2, 1)

    def test_before_anything_was_done(self):
        Stops.fits = 0
        with pytest.raises(KeyboardInterrupt):
            backtest(Stops(2, shift=0), np.arange(40.0))


class TestMissing:
    def test_points_nobody_saw_are_not_counted(self):
        holes = gaps(5, 38)
        found = backtest(Level(3), holes, folds=1)
        true, pred = found.actual[0, 0, :, 0], found.forecasts["network"][0, 0, :, 0]
        assert np.isnan(true).tolist() == [False, True, False]
        assert found.per_series("mae")["network"][0] == pytest.approx(mae(true[[0, 2]], pred[[0, 2]]))

    def test_a_row_without_anything_seen_is_left_out_and_said(self):
        found = backtest(Level(3), gaps(slice(77, 80)), folds=1)
        assert (found.comparison.n_series, found.comparison.n_missing) == (2, 1)
        assert np.isnan(found.per_series("mae")["network"][1])
        assert "Left out, because no value was observed before the forecast or none after it: 1" in str(found)
        assert len(found.evidence().range_shift.by_series) == 2

    def test_nothing_seen(self):
        with pytest.raises(DataError, match=r"nothing can be compared"):
            backtest(Level(3), gaps(slice(37, 40), slice(77, 80), slice(117, 120)), folds=1)


class TestFaults:
    @pytest.mark.parametrize(
        ("wrong", "says"),
        [
            ({"folds": 0}, r"`folds` cannot be used"),
            ({"step": -1}, r"`step` cannot be used"),
            ({"at_least": 1.5}, r"`at_least` cannot be used"),
            ({"season": 0}, r"`season` cannot be used"),
            ({"refit": 0}, r"`refit` cannot be used"),
            ({"jobs": 0}, r"`jobs` cannot be used[\s\S]*or -1"),
            ({"folds": 0, "jobs": -2}, r"`folds` cannot[\s\S]*`jobs` cannot"),
            ({"horizon": 0}, r"`horizon` cannot be used"),
            ({"horizon": 9}, r"does not forecast so far[\s\S]*at least 9[\s\S]*horizon=2"),
            ({"levels": (80, 120)}, r"level of an interval"),
            ({"baselines": ()}, r"needs a baseline"),
            ({"baselines": ("naiv",)}, r"no baseline of this name[\s\S]*\"naive\""),
        ],
    )
    def test_arguments(self, wrong, says):
        with pytest.raises(ArgumentError, match=says):
            backtest(Level(2), np.arange(40.0), **wrong)

    def test_a_horizon_nobody_said(self):
        class Bare(Level):
            def get_params(self):
                return {}

            def __init__(self):
                super().__init__(2)

        with pytest.raises(ArgumentError, match=r"horizon of the backtest is not known"):
            backtest(Bare(), np.arange(40.0))
        with pytest.raises(ArgumentError, match=r"at least 3 points[\s\S]*2 points"):
            backtest(Bare(), np.arange(40.0), horizon=3)
        assert backtest(Bare(), np.arange(40.0), horizon=1).horizon == 1

    def test_a_forecast_that_is_not_finite(self):
        with pytest.raises(DataError, match=r"not finite[\s\S]*series 0 in fold 0"):
            backtest(Wild(2), np.arange(40.0))

    def test_a_metric_that_is_not_there(self, two):
        found = backtest(Level(2), two)
        for ask in (found.per_fold, found.per_series, found.per_horizon):
            with pytest.raises(
                ArgumentError, match=r"does not have this metric[\s\S]*'masee'[\s\S]*\"mase\""
            ):
                ask("masee")


@pytest.mark.parametrize("lang", messages.LANGUAGES)
def test_it_reads_well(two, lang):
    found = backtest(Level(3), two, folds=4, season=4, levels=(80,))
    with messages.speaking(lang):
        told = str(found)
    assert told.startswith("Backtest, folds: 4" if lang == "en" else "回测：4 折")
    assert ("8 stretches of 3 points, from 4 folds" in told) == (lang == "en")
    assert len(told.splitlines()) == 1 + 1 + 5 + 1 + 3


def test_to_dict_is_json(two):
    found = backtest(Level(3), two, folds=2, levels=(80,))
    told = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert told["rows"]["network"]["mae"] == pytest.approx(found.rows["network"]["mae"])
    assert (told["n_done"], told["n_folds"], told["interrupted"], told["step"]) == (2, 2, False, 3)
    assert told["per_horizon"]["drift"] == pytest.approx(found.per_horizon()["drift"].tolist())
    assert told["coverage"][0]["promised"] == 0.8
    assert len(told["seconds"]["fit"]) == 2


class TestEvidence:
    def test_it_is_that_of_the_functions(self, two):
        found = backtest(Level(3), two, folds=4)
        evidence = found.evidence(one_step=found.forecasts["network"])
        assert evidence.drift is not None
        assert evidence.drift.ratio == (1.0, 1.0, 1.0)
        moved = np.abs(found.forecasts["network"][..., 0] - found.last)
        went = np.abs(found.actual[..., 0] - found.last)
        assert evidence.copy.move_ratio_mean == pytest.approx(moved.sum() / went.sum())
        assert evidence.collapse.over_horizon == 0.0
        assert len(evidence.range_shift.by_series) == 2
        assert len(evidence.sentences()) == 4

    def test_points_beyond_what_was_known_are_counted_fold_by_fold(self):
        found = backtest(Level(2), np.concatenate([np.tile([0.0, 9.0], 14), [10, 1, 10.5, 2]]), folds=2)
        assert found.evidence().range_shift.by_series == (0.5,)

    def test_one_step_forecasts_of_another_shape(self, two):
        with pytest.raises(DataError, match=r"different shapes"):
            backtest(Level(3), two).evidence(one_step=np.zeros((2, 3)))
