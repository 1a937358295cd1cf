"""The report beside every fit: on points held out, and never silent about a better baseline."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from tests.forecaster.helpers import SCALINGS, STRATEGIES, small, wave, waves
from unrolled import Forecaster, held_out
from unrolled.evaluation import BASELINES, mae, mase
from unrolled.messages import speaking

strategies = pytest.mark.parametrize("strategy", STRATEGIES)


def walk(points=150, seed=5):
    """Return a random walk: no forecast beats the last value."""
    return np.cumsum(np.random.default_rng(seed).standard_normal(points))


def chaos(points=600):
    """Return the logistic map: each value follows from the one before, but by no linear rule."""
    y = np.empty(points)
    y[0] = 0.3
    for t in range(1, points):
        y[t] = 3.8 * y[t - 1] * (1 - y[t - 1])
    return y


class TestVerdict:
    @pytest.mark.parametrize("seed", range(5))
    def test_on_random_walks_the_network_does_not_shine(self, seed):
        walks = [walk(seed=100 * seed + index) for index in range(60)]
        report = Forecaster(4, steps=150, hidden_size=8).fit(walks).report_
        assert report.n_series == 60
        naive, network = (report.rows[name]["mase"] for name in ("naive", "network"))
        assert naive < 1.05 * network
        assert report.baseline_is_better == (report.rows[report.best_baseline]["mase"] < network)
        if report.baseline_is_better:
            assert "A baseline is better than network" in str(report)

    @strategies
    def test_a_straight_line_belongs_to_drift(self, strategy):
        report = small(3, strategy=strategy).fit(np.arange(60.0)).report_
        assert report.baseline_is_better
        assert report.best in ("drift", "autoregression")
        assert "A baseline is better than network: " in str(report)

    def test_a_season_without_noise_belongs_to_the_seasonal_naive(self):
        report = small(4, season=4, steps=50).fit(np.tile([1.0, 5.0, 3.0, 2.0], 15)).report_
        assert (report.best, report.baseline_is_better) == ("seasonal_naive", True)

    def test_where_the_rule_is_not_linear_the_network_wins(self):
        many = [chaos()[start : start + 120] for start in range(0, 480, 60)]
        report = (
            Forecaster(1, window=2, cell="gru", hidden_size=16, steps=800, lr=0.02, scaling="series")
            .fit(many)
            .report_
        )
        assert (report.best, report.baseline_is_better) == ("network", False)
        assert report.rows["network"]["mase"] < 0.3 * report.rows[report.best_baseline]["mase"]
        assert "network is better than every baseline" in str(report)

    def test_it_speaks_chinese(self):
        report = small(3).fit(np.arange(60.0)).report_
        with speaking("zh"):
            assert "基线" in str(report)


class TestWhatIsCompared:
    def test_every_baseline_stands_beside_the_network(self):
        report = small(3, season=12).fit(wave()).report_
        assert list(report.rows) == ["network", *BASELINES]
        assert set(next(iter(report.rows.values()))) == {"mae", "rmse", "mse", "smape", "mase"}
        assert (report.horizon, report.season, report.n_series) == (3, 12, 1)

    @strategies
    @pytest.mark.parametrize("scaling", SCALINGS)
    @pytest.mark.parametrize("loss", ["mae", "quantile"])
    def test_the_network_forecasts_the_last_points_from_those_before(self, strategy, scaling, loss):
        quantiles = (0.2, 0.5) if loss == "quantile" else None
        series = waves(60, 75, 90)
        forecaster = small(
            4, strategy=strategy, scaling=scaling, loss=loss, quantiles=quantiles, season=6, refit=False
        )
        row = forecaster.fit(series).report_.rows["network"]
        known, actual = [one[:-4] for one in series], np.stack([one[-4:] for one in series])
        forecast = forecaster.predict(known)
        assert row["mae"] == pytest.approx(mae(actual, forecast), rel=1e-5)
        assert row["mase"] == pytest.approx(mase(actual, forecast, y_train=known, season=6), rel=1e-5)

    def test_baselines_see_no_more_than_the_network(self):
        y = wave()
        rows = small(3, season=12).fit(y).report_.rows
        for name, baseline in BASELINES.items():
            assert rows[name]["mae"] == pytest.approx(mae(y[-3:], baseline(y[:-3], 3, season=12)), rel=1e-5)

    def test_channels_count_one_by_one(self):
        y = np.stack([wave(seed=1), 100 * wave(seed=2)], axis=1)
        forecaster = small(3, refit=False).fit(y)
        assert forecaster.report_.n_series == 2
        forecast = forecaster.predict(y[:-3])
        assert forecaster.report_.rows["network"]["mae"] == pytest.approx(mae(y[-3:], forecast), rel=1e-5)

    @strategies
    def test_more_points_held_out_than_a_forecast_has(self, strategy):
        y = wave(90)
        forecaster = small(3, strategy=strategy, validation=15).fit(y)
        assert forecaster.report_.rows["network"]["mae"] == pytest.approx(
            mae(y[-3:], forecaster.predict(y[:-3])), rel=1e-5
        )

    @strategies
    @pytest.mark.parametrize("scaling", SCALINGS)
    def test_series_too_short_to_be_divided_are_left_out(self, strategy, scaling):
        levels = (1.0, 1e4, 1.0, 1e4)
        series = [level * wave(points) for level, points in zip(levels, (13, 60, 13, 70), strict=True)]
        forecaster = small(3, window=10, strategy=strategy, scaling=scaling, validation=3)
        report = forecaster.fit(series).report_
        assert report.n_series == 2
        # Each with its own scale: the network is off by a few deviations, not by a factor of ten thousand.
        known = [one[:-3] for one in series]
        row = mae(np.stack([series[1][-3:], series[3][-3:]]), forecaster.predict(known)[[1, 3]])
        assert report.rows["network"]["mae"] == pytest.approx(row, rel=1e-4)

    def test_of_many_series_some_are_taken_evenly(self):
        report = small(1, window=4).fit([wave(20, seed=seed) for seed in range(450)]).report_
        assert report.n_series == 200

    def test_of_very_long_series_the_latest_points_are_read(self, monkeypatch):
        y = waves(60, 75)
        whole = small(3, season=6).fit(y).report_
        monkeypatch.setattr(held_out, "_MOST_POINTS", 60)
        short = small(3, season=6).fit([one[-33:] for one in y]).report_
        rows = small(3, season=6).fit(y).report_.rows
        assert rows["network"]["mae"] == whole.rows["network"]["mae"]
        assert rows["autoregression"]["mae"] == short.rows["autoregression"]["mae"]
        assert rows["network"]["mase"] != whole.rows["network"]["mase"]

    def test_whether_these_points_chose_the_weights_is_said(self):
        for refit in (True, False):
            forecaster = small(3, refit=refit).fit(wave())
            assert bool(forecaster.history_.checks) != refit
            assert forecaster.report_.selected != refit

    def test_it_is_plain_data(self):
        json.dumps(small(3).fit(wave()).report_.to_dict(), allow_nan=False)


class TestRehearsal:
    """With `refit` the report is of a network that learned from nothing of the points it is judged by."""

    @strategies
    @pytest.mark.parametrize("scaling", SCALINGS)
    def test_it_is_what_would_have_been_fitted_on_the_points_before(self, strategy, scaling):
        series = waves(60, 75, 90)
        changes = {
            "strategy": strategy,
            "scaling": scaling,
            "window": 12,
            "patch": 1,
            "steps": 20,
            "season": 6,
        }
        forecaster = small(4, **changes, members=2).fit(series)
        hidden = 3 * 4  # three horizons, less than a quarter of the 75 points of the middle series
        assert forecaster.settings_.held_out == hidden
        before = [one[:-hidden] for one in series]
        alone = small(4, **changes, members=1, refit=False, validation=0).fit(before)
        known, actual = [one[:-4] for one in series], np.stack([one[-4:] for one in series])
        row = forecaster.report_.rows["network"]["mae"]
        assert row == pytest.approx(mae(actual, alone.predict(known)), rel=1e-6)
        assert row != pytest.approx(mae(actual, forecaster.predict(known)), rel=1e-3)

    @strategies
    def test_the_members_learn_from_all_points(self, strategy):
        changes = {"strategy": strategy, "members": 2, "steps": 20, "scaling": "series"}
        one, other = (
            small(3, **changes).fit(wave()),
            small(3, **changes, refit=False, validation=0).fit(wave()),
        )
        assert one.report_ is not None
        np.testing.assert_array_equal(one.predict(), other.predict())

    @pytest.mark.parametrize(("kind", "better"), [("walks", "adaptive"), ("growing", "mean_abs")])
    def test_of_many_series_it_chooses_the_scaling_that_errs_less(self, kind, better):
        noise = np.random.default_rng(3).standard_normal((20, 60))
        rates = np.linspace(0.02, 0.1, 20)[:, None]
        series = noise.cumsum(axis=1) if kind == "walks" else np.exp(rates * np.arange(60) + 0.02 * noise)
        changes = {"window": 8, "steps": 30}
        settings = small(2, **changes).fit(list(series)).settings_
        errors = {}
        for scaling in ("adaptive", "mean_abs"):
            alone = small(2, **changes, scaling=scaling, members=1, refit=False, validation=0)
            alone.fit(list(series[:, :-2]))
            missed = np.abs(np.asarray(alone.predict()) - series[:, -2:])
            errors[scaling] = np.mean(missed / series[:, -10:-2].std(axis=1)[:, None])
        assert settings.scaling == better == min(errors, key=errors.__getitem__)
        told = dict(re.findall(r"(\w+) (\d[\d.]+\d)", settings.reasons["scaling"]))
        assert {name: float(error) for name, error in told.items()} == pytest.approx(errors, rel=1e-3)


class TestNoReport:
    @strategies
    def test_without_points_held_out(self, strategy):
        assert small(3, strategy=strategy, validation=0).fit(wave()).report_ is None

    def test_a_series_too_short_to_hold_anything_out(self):
        assert Forecaster(4, steps=3).fit(wave(9)).report_ is None

    @strategies
    def test_by_default_there_is_one(self, strategy):
        for points in (30, 72, 200):
            assert small(6, strategy=strategy).fit(wave(points)).report_ is not None

    def test_fitting_again_without_points_forgets_the_old_one(self):
        forecaster = small(3).fit(wave())
        assert forecaster.set_params(validation=0).fit(wave()).report_ is None
