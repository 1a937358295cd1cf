"""The holdout is seen by no trial, the winner wins, the same seed finds the same, the hopeless end early."""

import builtins
import json
import logging
from types import SimpleNamespace

import numpy as np
import optuna
import polars as pl
import pytest

from tests.tuning.helpers import ALONE, PLAIN, SPACE, plain, quick, wave
from unrolled import Forecaster, to_panel
from unrolled.errors import ArgumentError, DataError, ExtraError, TrainingError
from unrolled.evaluation import mae, mase
from unrolled.messages import speaking
from unrolled.tuning import tune


def test_the_winner_has_the_lowest_score_and_is_fitted_on_everything():
    found = quick(trials=6)
    scores = [one["score"] for one in found.trials if one["score"] is not None]
    assert found.best["score"] == min(scores)
    assert found.best["params"] == found.params
    again = Forecaster(3, **{**PLAIN, **found.params}).fit(wave())
    np.testing.assert_array_equal(found.forecaster.predict(), again.predict())


def test_the_first_trial_is_the_forecaster_as_it_is():
    y = wave()
    found = quick(y, trials=1, metric="mae")
    assert (found.trials[0]["params"], found.params) == ({}, {})
    fitted = Forecaster(3, **ALONE).fit(y[:-6])
    assert found.trials[0]["score"] == pytest.approx(mae(y[-6:-3], fitted.predict()), rel=1e-5)
    assert "default" not in found.report.rows
    assert "Nothing that was tried is better" in str(found)


def test_the_score_is_that_of_the_metric():
    y = wave()
    found = quick(y, trials=2)
    params = found.trials[1]["params"]
    forecast = Forecaster(3, **{**ALONE, **params}).fit(y[:-6]).predict()
    expected = mase(y[-6:-3], forecast, y_train=y[:-6], season=12)
    assert found.trials[1]["score"] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(("members", "refit"), [(2, True), (2, None), (2, False), (None, False)])
def test_a_trial_has_the_members_and_the_rehearsal_that_are_asked_for(members, refit):
    y, asked = wave(), {"members": members, "refit": refit}
    own = {"members": members or 1, **({"validation": 0} if refit is None else {"refit": refit})}
    score = mae(y[-6:-3], Forecaster(3, **PLAIN, **own).fit(y[:-6]).predict())
    assert score != pytest.approx(mae(y[-6:-3], Forecaster(3, **ALONE).fit(y[:-6]).predict()), rel=1e-3)
    by_base = quick(y, trials=1, metric="mae", base=Forecaster(3, **PLAIN, **asked))
    assert by_base.trials[0]["score"] == pytest.approx(score, rel=1e-5)
    given = {name: [value] for name, value in asked.items() if value is not None}
    assert quick(y, trials=2, metric="mae", space=given).trials[1]["score"] == pytest.approx(score, rel=1e-5)


def test_no_trial_sees_the_holdout():
    y, other = wave(), wave()
    other[-3:] += 1000.0
    assert plain(quick(y).trials) == plain(quick(other).trials)
    other[-4] += 1000.0
    assert plain(quick(y).trials) != plain(quick(other).trials)


def test_the_report_is_of_the_holdout():
    y = wave()
    found = quick(y, trials=6, metric="mae")
    assert found.params, "the default is not the winner here, so there are two models in the report"
    rows = found.report.rows
    for name, params in (("tuned", found.params), ("default", {})):
        fitted = Forecaster(3, **{**PLAIN, **params}).fit(y[:-3])
        assert rows[name]["mae"] == pytest.approx(mae(y[-3:], fitted.predict()), rel=1e-5)
    assert {"naive", "seasonal_naive", "drift", "autoregression"} <= set(rows)
    assert not found.report.selected


def test_folds_are_the_mean_over_stretches():
    y = wave()
    one = quick(y, trials=1, metric="mae").trials[0]["score"]
    fitted = Forecaster(3, **ALONE).fit(y[:-9])
    earlier = mae(y[-9:-6], fitted.predict())
    assert quick(y, trials=1, folds=2, metric="mae").trials[0]["score"] == pytest.approx(
        (one + earlier) / 2, rel=1e-5
    )


@pytest.mark.parametrize("metric", ["mase", "mae", "rmse", "mse", "smape"])
def test_metrics(metric):
    assert quick(metric=metric, trials=2).best["score"] > 0


def test_series_that_repeat_themselves_are_left_out_of_mase():
    alone, beside = quick([wave()], trials=2), quick([wave(), np.full(96, 5.0)], trials=1)
    assert np.isfinite([one["score"] for one in (*alone.trials, *beside.trials)]).all()
    constant = quick(np.full(96, 5.0), trials=1)
    forecast = Forecaster(3, **PLAIN).fit(np.full(90, 5.0)).predict()
    assert constant.best["score"] == pytest.approx(mae(np.full(3, 5.0), forecast), rel=1e-5)


@pytest.mark.parametrize("jobs", [1, 3])
def test_jobs_finish_all_trials(jobs):
    found = quick(jobs=jobs, trials=7)
    assert [one["number"] for one in found.trials] == [*range(7)]
    assert np.isfinite(found.forecaster.predict()).all()


def test_the_same_seed_finds_the_same():
    one, two, other = quick(trials=14, seed=3), quick(trials=14, seed=3), quick(trials=14, seed=4)
    assert plain(one.trials) == plain(two.trials)
    np.testing.assert_array_equal(one.forecaster.predict(), two.forecaster.predict())
    assert plain(one.trials) != plain(other.trials)


def test_optuna_searches_where_it_was_good():
    def score(self, params, watch, *, threads):
        return (params.get("lr", 1.0) - 0.02) ** 2

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("unrolled.tuning.task.Task.judge", score)
        found = quick(trials=60, space={"lr": (1e-4, 1.0, "log"), "steps": [5], "hidden_size": [3]})
    assert found.params["lr"] == pytest.approx(0.02, rel=0.15)
    late = [one["params"]["lr"] for one in found.trials[30:]]
    assert np.median(np.abs(np.log(np.array(late) / 0.02))) < 1.0


def test_hopeless_trials_end_early_and_only_beside_their_own_kind():
    space = {"lr": [1e-6, 0.02], "steps": [200], "hidden_size": [8], "loss": ["mae", "mse"]}
    found = quick(trials=40, space=space, base=Forecaster(3, **PLAIN, patience=0, skip=False))
    pruned = [one["params"] for one in found.trials if one["state"] == "pruned"]
    assert pruned
    assert all(params["lr"] == 1e-6 for params in pruned)
    assert found.params["lr"] == 0.02


def test_a_time_is_kept_and_one_trial_is_done_at_least(monkeypatch):
    assert len(quick(trials=None, seconds=1e-6).trials) == 1
    clock = iter(range(0, 10**6, 10))
    monkeypatch.setattr(
        "unrolled.tuning.search.time", SimpleNamespace(perf_counter=lambda: float(next(clock)))
    )
    assert 1 < len(quick(trials=None, seconds=200).trials) < 20


def test_kinds_of_series_come_back_in_kind():
    frame = pl.DataFrame({"unique_id": ["a"] * 96, "ds": np.arange(96), "y": wave()})
    predicted = quick(frame).forecaster.predict()
    assert isinstance(predicted, pl.DataFrame)
    assert predicted["ds"].to_list() == [96, 97, 98]
    two = quick(np.stack([wave(), wave(seed=2)], axis=1)).forecaster.predict()
    assert two.shape == (3, 2)
    assert quick([wave(), wave(80, seed=2)]).forecaster.predict().shape == (2, 3)


def test_short_series_take_part_in_the_last_fit_alone():
    with pytest.warns(UserWarning, match="shorter than the window"):
        found = quick([wave(), wave(12, seed=2)], space=None, trials=3)
    assert found.forecaster.predict().shape == (2, 3)
    assert found.report.n_series == 1


def test_many_series_are_sampled_for_the_report(monkeypatch):
    monkeypatch.setattr("unrolled.tuning.task._MOST_SERIES", 2)
    found = quick([wave(seed=s) for s in range(5)], trials=1)
    assert (found.report.n_series, found.report.sampled_from) == (2, 5)


def test_the_base_is_kept_and_not_changed():
    base = Forecaster(7, cell="gru", season=4, dtype="float64", threads=1)
    found = tune(wave(), 3, trials=2, space=SPACE, base=base)
    assert (base.horizon, base.cell) == (7, "gru")
    kept = found.forecaster.get_params()
    assert (kept["horizon"], kept["cell"], kept["season"], kept["dtype"]) == (3, "gru", 4, "float64")


def test_fit_params_reach_every_fit(monkeypatch):
    calls = []
    usual = Forecaster.fit

    def fit(self, y, *, watch=None, colour=None):
        calls.append(colour)
        return usual(self, y, watch=watch)

    monkeypatch.setattr(Forecaster, "fit", fit)
    quick(trials=2, colour="red")
    assert set(calls) == {"red"}
    assert len(calls) >= 4


def test_what_is_told(monkeypatch):
    found = quick(trials=6)
    shown = str(found)
    for word in (
        "6 trials in",
        "The winner: ",
        "MASE",
        "without tuning",
        "seen by no trial",
        "seasonal_naive",
    ):
        assert word in shown
    assert found.table().splitlines()[0].split()[:3] == ["trial", "MASE", "s"]
    facts = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert facts["score"] == found.best["score"]
    assert len(facts["trials"]) == 6
    with speaking("zh"):
        assert "试验 6 次" in str(found)


def test_the_winner_that_is_worse_on_the_holdout_is_told():
    y = wave()
    y[-3:] = y[-15:-12]
    found = quick(y, trials=6)
    rows = found.report.rows
    worse = rows["default"]["mase"] < rows["tuned"]["mase"]
    assert ("did not last" in str(found)) == worse
    rows["tuned"]["mase"], rows["default"]["mase"] = 2.0, 1.0
    assert "did not last" in str(found)


def test_a_default_that_cannot_be_fitted_is_left_out_of_the_report():
    base = Forecaster(3, threads=1, window=12, patch=5)
    with pytest.warns(UserWarning, match="left out of the report"):
        found = quick(base=base, space={"patch": [4], "steps": [5], "hidden_size": [3]}, trials=2)
    assert [one["state"] for one in found.trials] == ["failed", "complete"]
    assert "default" not in found.report.rows


def test_nothing_is_printed_and_logging_is_as_it_was(capfd, caplog):
    optuna.logging.set_verbosity(optuna.logging.INFO)
    handlers = [*logging.getLogger("optuna").handlers]
    with caplog.at_level(logging.DEBUG):
        quick()
    assert optuna.logging.get_verbosity() == optuna.logging.INFO
    assert logging.getLogger("optuna").handlers == handlers
    assert capfd.readouterr() == ("", "")
    assert not caplog.records


def test_a_bar_where_one_is_wanted(capsys):
    quick(progress=True)
    assert "4/4" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"trials": 0}, "trials does not fit"),
        ({"trials": True}, "trials does not fit"),
        ({"folds": 0}, "folds does not fit"),
        ({"jobs": 1.5}, "jobs does not fit"),
        ({"seed": -1}, "seed does not fit"),
        ({"seconds": 0}, "seconds does not fit"),
        ({"seconds": float("nan")}, "seconds does not fit"),
        ({"metric": "pinball"}, "metric is not known"),
        ({"metric": ["mae"]}, "metric is not known"),
        ({"trials": None}, "The search would never end"),
        ({"season": 0}, "season does not fit"),
        ({"horizon": 0}, "horizon does not fit"),
    ],
)
def test_arguments_that_cannot_work(more, says):
    with pytest.raises(ArgumentError, match=says):
        quick(**more)


@pytest.mark.parametrize(("points", "folds"), [(12, 1), (15, 2)])
def test_too_short_by_one_point(points, folds):
    with pytest.raises(DataError, match=f"at least {points + 1} points"):
        quick(wave(points), folds=folds)
    assert quick(wave(points + 1), folds=folds, trials=1).forecaster.predict().shape == (3,)


def test_a_panel_and_its_times_are_cut():
    frame = pl.DataFrame({"unique_id": ["a"] * 96, "ds": np.arange(96), "y": wave()})
    assert plain(quick(to_panel(frame)).trials) == plain(quick(wave()).trials)


def test_a_score_that_is_not_finite_is_a_failed_trial(monkeypatch):
    monkeypatch.setattr("unrolled.tuning.task.Task.judge", lambda self, params, watch, threads: float("inf"))
    with pytest.raises(TrainingError, match="None of the trials"):
        quick()


def test_an_error_that_nobody_meant_comes_out(monkeypatch):
    def broken(self, params, watch, threads):
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr("unrolled.tuning.task.Task.judge", broken)
    with pytest.raises(RuntimeError, match="a mistake of ours"):
        quick()


def test_without_optuna(monkeypatch):
    usual = builtins.__import__

    def without(name, *more, **others):
        if name.split(".")[0] == "optuna":
            raise ModuleNotFoundError(name)
        return usual(name, *more, **others)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ExtraError, match=r"pip install 'unrolled\[tune\]'"):
        quick()


def test_where_every_trial_fails():
    base = Forecaster(3, window=12, patch=5, threads=1)
    with pytest.raises(TrainingError, match="None of the trials came to a score: 3"):
        quick(base=base, space={"patch": [5, 7]}, trials=3)
