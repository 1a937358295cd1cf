"""Tuning reads series as the forecaster does: covariates, missing points, frames; no trial looks ahead."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from tests.tuning.helpers import ALONE, PLAIN, SPACE, plain, quick, wave
from unrolled import Forecaster
from unrolled.errors import ArgumentError, DataError
from unrolled.evaluation import METRICS
from unrolled.tuning import default_space, tune
from unrolled.tuning.task import Task

NAN = float("nan")


def holes(points: int = 96, *gone: int) -> Any:
    """Return a wave, some of its points missing."""
    y = wave(points)
    y[list(gone)] = NAN
    return y


def frame(ahead: int = 3) -> pl.DataFrame:
    """Return two series with promotions, known a while ahead, and rain."""
    n = 96 + ahead
    promo = [int(i % 5 == 0) for i in range(n)]
    y = [[*(wave(seed=s) + 3 * np.array(promo[:96])), *[None] * ahead] for s in (1, 2)]
    rain = [*map(float, range(96)), *[None] * ahead]
    columns = {"y": [*y[0], *y[1]], "promo": promo * 2, "rain": rain * 2, "kind": ["a"] * n + ["b"] * n}
    return pl.DataFrame({"unique_id": ["a"] * n + ["b"] * n, "ds": [*range(n)] * 2, **columns})


COLS: dict[str, Any] = {"known_cols": ("promo",), "past_cols": ("rain",), "static_cols": ("kind",)}


class TestMissing:
    def test_points_that_nobody_saw_are_read_and_not_judged(self):
        y = holes(96, 40, 41, 91, 94)
        found = quick(y, trials=2)
        assert all(one["state"] == "complete" for one in found.trials)
        task = Task(Forecaster(3, **PLAIN), _panel(y), 12, "mae", 1)
        known = task.panel.cut(6)
        forecasts = Forecaster(3, **ALONE).fit(known, watch=None).predict().reshape(3)
        seen = [0, 2]  # of the points 90, 91, 92
        expected = np.mean(np.abs(forecasts - y[90:93])[seen])
        assert task.judge({}, None, threads=1) == pytest.approx(expected, rel=1e-5)

    def test_a_series_that_nobody_saw_there_is_left_out(self):
        both = [holes(96, 90, 91, 92), wave(seed=2)]
        task = Task(Forecaster(3, **PLAIN), _panel(both), 12, "mase", 1)
        known, came = task.panel.cut(6), task.judged(1)
        cube = Forecaster(3, **ALONE).fit(known).predict()
        scale = METRICS["mase"](came[1, :, 0], cube[1], y_train=known.series(1)[:, 0], season=12)
        assert task.judge({}, None, threads=1) == pytest.approx(scale, rel=1e-5)

    @pytest.mark.parametrize("back", [0, 3])
    def test_nothing_to_judge(self, back):
        y = holes(96, *range(93 - back, 96 - back))
        with pytest.raises(DataError, match=rf"any of the 3 points that trials are judged on, {back} points"):
            quick(y)


def _panel(y: Any) -> Any:
    from unrolled.covariates import read_series

    return read_series(y, Forecaster(3, **PLAIN).get_params())


class TestCovariates:
    def test_frames(self):
        found = quick(frame(), base=Forecaster(3, **PLAIN, **COLS), trials=2)
        answer = found.forecaster.predict()
        assert (answer.columns, len(answer)) == (["unique_id", "ds", "y_hat"], 6)
        assert answer["ds"].to_list() == [96, 97, 98] * 2
        assert {"network"} <= set(found.report.rows) or {"tuned"} <= set(found.report.rows)

    def test_arrays_are_the_frame(self):
        table = frame(0)
        y, promo = (table[name].to_numpy().reshape(2, 96, 1) for name in ("y", "promo"))
        base = Forecaster(3, **PLAIN)
        arrays = quick([one[:, 0] for one in y], base=base, trials=2, known=[one[:, 0] for one in promo])
        columns = quick(table, base=Forecaster(3, **PLAIN, known_cols=("promo",)), trials=2)
        assert [one["score"] for one in plain(arrays.trials)] == pytest.approx(
            [one["score"] for one in plain(columns.trials)]
        )

    def test_no_trial_sees_what_it_is_judged_on(self, monkeypatch):
        """What lies behind the origin of a fold does not reach `fit`, but for what is known ahead."""
        seen: list[Any] = []
        usual = Forecaster.fit

        def fit(self: Forecaster, y: Any, **more: Any) -> Forecaster:
            seen.append(y)
            return usual(self, y, **more)

        monkeypatch.setattr(Forecaster, "fit", fit)
        table = frame()
        quick(table, base=Forecaster(3, **PLAIN, **COLS), trials=1, folds=2)
        back = [9, 6, 3]  # fold 2, fold 1, the holdout's report
        of_folds = sorted({int(96 - one.lengths[0]) for one in seen if not isinstance(one, pl.DataFrame)})
        assert of_folds == sorted(back)
        true = table["y"].to_numpy().reshape(2, 99)
        for panel in seen:
            if isinstance(panel, pl.DataFrame):
                continue
            length = int(panel.lengths[0])
            assert length <= 93
            np.testing.assert_array_equal(panel.series(1)[:, 0], true[1, :length].astype(np.float32))
            beside = panel.covariates
            assert len(beside.past["rain"]) == 2 * length
            assert beside.past["rain"].max() == length - 1
            known = beside.known["promo"].reshape(2, -1)
            np.testing.assert_array_equal(known[0], [int(i % 5 == 0) for i in range(99)])

    def test_the_holdout_does_not_change_the_trials(self):
        table = frame(0)
        other = table.with_columns(
            y=pl.when(pl.col("ds") >= 93).then(pl.col("y") * 100).otherwise(pl.col("y")),
            rain=pl.when(pl.col("ds") >= 90).then(pl.col("rain") * 100).otherwise(pl.col("rain")),
        )
        base = Forecaster(3, **PLAIN, known_cols=("promo",), past_cols=("rain",))
        first, second = (quick(one, base=base, trials=3) for one in (table, other))
        assert plain(first.trials) == plain(second.trials)

    def test_other_covariates_are_another_task(self, tmp_path):
        promo = np.zeros(96)
        more = {"trials": 1, "storage": tmp_path / "trials", "space": SPACE}
        quick(wave(), known=promo, **more)
        quick(wave(), known=promo, **more)
        with pytest.raises(ArgumentError, match="keeps the trials of another task"):
            quick(wave(), known=promo + 1, **more)


class TestSpace:
    @pytest.mark.parametrize(
        ("arguments", "gone"),
        [
            ({"memory": "all"}, {"patch", "skip", "scaling"}),
            ({"dilations": (2,)}, {"num_layers"}),
            ({"loss": "negative_binomial"}, {"scaling", "loss"}),
        ],
    )
    def test_what_does_not_fit_is_not_tried(self, arguments, gone):
        usual = default_space(np.array([120]), horizon=6, season=12)
        found = default_space(np.array([120]), horizon=6, season=12, base=Forecaster(6, **arguments))
        assert set(usual) - set(found) == gone

    def test_what_passes_layers_by_needs_two(self):
        base = Forecaster(6, residual=True)
        assert default_space(np.array([120]), horizon=6, base=base)["num_layers"] == [2, 3]

    @pytest.mark.parametrize("arguments", [{"memory": "all"}, {"loss": "gaussian"}, {"members": 2}])
    def test_the_default_space_works(self, arguments):
        found = tune(wave(), 3, season=12, trials=3, base=Forecaster(3, threads=1, steps=5, **arguments))
        assert [one["state"] for one in found.trials] == ["complete"] * 3, found.trials
