"""Baselines: a contract that every line of `BASELINES` keeps, values found by hand, and every error."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from unrolled.errors import ArgumentError, DataError, KindError
from unrolled.evaluation import BASELINES as DEFAULT
from unrolled.evaluation import autoregression, baselines, drift, mse, naive, naive2, seasonal_naive
from unrolled.evaluation.baselines import READ_AT_MOST, order_by_rule

BASELINES = {**DEFAULT, "naive2": naive2}


def noisy(points=90, channels=None, seed=3):
    rng = np.random.default_rng(seed)
    shape = (points,) if channels is None else (points, channels)
    wave = np.sin(np.arange(points) / 2.0) if channels is None else np.sin(np.arange(points) / 2.0)[:, None]
    return 40.0 + 6.0 * wave + rng.normal(size=shape)


@pytest.fixture(scope="module")
def tutorial():
    """The tutorial's sine in float32: 760 points known, 40 held out."""
    x = np.arange(800, dtype=np.float32)
    y = np.sin(x * np.float32(2) * np.float32(3.1416) / np.float32(40))
    assert y.dtype == np.float32
    return y[:-40], y[-40:]


@pytest.mark.parametrize("name", BASELINES)
class TestContract:
    @pytest.mark.parametrize("season", [None, 1, 7])
    def test_shapes_and_dtype(self, name, season):
        forecast = BASELINES[name](noisy().astype(np.float32), 5, season=season)
        assert forecast.shape == (5,)
        assert forecast.dtype == np.float64
        assert BASELINES[name](noisy(channels=3), 5, season=season).shape == (5, 3)
        assert BASELINES[name](noisy(channels=1), 5, season=season).shape == (5, 1)

    def test_every_channel_by_itself(self, name):
        y = noisy(channels=3)
        together = BASELINES[name](y, 9, season=6)
        alone = np.stack([BASELINES[name](channel, 9, season=6) for channel in y.T], axis=-1)
        np.testing.assert_allclose(together, alone, rtol=1e-12)

    def test_a_longer_horizon_begins_with_the_shorter(self, name):
        long, short = (BASELINES[name](noisy(), horizon, season=6) for horizon in (20, 7))
        np.testing.assert_allclose(long[:7], short, rtol=1e-12)

    @pytest.mark.parametrize(
        ("factor", "shift"), [(3.0, 0.0), (1.0, 1e4), (-2.0, 50.0), (1e30, 0.0), (1e-30, 0.0)]
    )
    def test_follows_a_rescaled_and_shifted_series(self, name, factor, shift):
        if name == "naive2" and (shift or factor < 0):
            factor, shift = abs(factor), 0.0  # a season that multiplies knows where zero is
        expected = factor * BASELINES[name](noisy(), 12, season=6) + shift
        np.testing.assert_allclose(
            BASELINES[name](factor * noisy() + shift, 12, season=6), expected, rtol=1e-7
        )

    @pytest.mark.parametrize("level", [0.0, 0.1, -7.3, 1e30, 123456789.123])
    @pytest.mark.parametrize("points", [1, 2, 30])
    def test_a_constant_series_goes_on(self, name, level, points):
        np.testing.assert_array_equal(BASELINES[name](np.full(points, level), 4, season=5), np.full(4, level))

    @given(
        y=arrays(float, st.integers(1, 30), elements=st.floats(-1e9, 1e9)),
        season=st.none() | st.integers(1, 40),
    )
    def test_any_series_gives_finite_forecasts(self, name, y, season):
        assert np.isfinite(BASELINES[name](y, 30, season=season)).all()

    def test_the_series_stays_as_it_is_and_the_forecast_is_not_a_view_of_it(self, name):
        y = noisy()
        forecast = BASELINES[name](y, 6, season=6)
        forecast[:] = 0.0
        np.testing.assert_array_equal(y, noisy())

    def test_lists_and_whole_numbers(self, name):
        assert BASELINES[name]([1, 2, 3, 4, 9], 2).shape == (2,)

    @pytest.mark.parametrize("argument", ["horizon", "season"])
    @pytest.mark.parametrize("wrong", [0, -3, 2.0, "2", True])
    def test_counts(self, name, argument, wrong):
        given_ = {"horizon": 3, "season": 2, argument: wrong}
        with pytest.raises(ArgumentError, match=rf"`{argument}` cannot be used[\s\S]*at least 1"):
            BASELINES[name](noisy(), given_["horizon"], season=given_["season"])

    def test_no_points(self, name):
        with pytest.raises(DataError, match=r"`y` has no values"):
            BASELINES[name]([], 3)

    def test_infinite_values_are_named(self, name):
        y = noisy(channels=2)
        y[4, 1] = np.inf
        with pytest.raises(DataError, match=r"y\[4, 1\] = inf"):
            BASELINES[name](y, 3)

    def test_missing_values_lie_on_the_line_between_their_neighbours_or_are_the_nearest(self, name):
        y = noisy(channels=2)
        filled, given_ = y.copy(), y.copy()
        filled[[4, 5], 1] = y[3, 1] + (y[6, 1] - y[3, 1]) * np.array([1, 2]) / 3
        filled[:3, 0], filled[-2:, 0] = y[3, 0], y[-3, 0]
        given_[[4, 5], 1] = given_[:3, 0] = given_[-2:, 0] = np.nan
        np.testing.assert_allclose(
            BASELINES[name](given_, 9, season=6), BASELINES[name](filled, 9, season=6), rtol=1e-9
        )
        assert np.isnan(given_).sum() == 7

    def test_a_channel_never_observed(self, name):
        y = noisy(channels=2)
        y[:, 1] = np.nan
        with pytest.raises(DataError, match=r"no value of channel 1 was observed[\s\S]*90 points"):
            BASELINES[name](y, 3)

    def test_too_many_axes(self, name):
        with pytest.raises(DataError, match=r"`y` has too many axes[\s\S]*\(2, 3, 4\)"):
            BASELINES[name](np.zeros((2, 3, 4)), 3)

    def test_not_numbers(self, name):
        with pytest.raises(KindError, match=r"`y` is not an array of real numbers"):
            BASELINES[name](["1", "2"], 3)


class TestSeasonalNaive:
    def test_repeats_the_last_season_over_and_over(self):
        assert seasonal_naive([0, 1, 2, 3], 7, season=3).tolist() == [1, 2, 3, 1, 2, 3, 1]

    @pytest.mark.parametrize("season", [None, 1, 5, 99])
    def test_without_a_whole_season_it_is_naive(self, season):
        assert seasonal_naive([0, 1, 2, 3], 2, season=season).tolist() == naive([0, 1, 2, 3], 2).tolist()

    def test_one_season_is_enough(self):
        assert seasonal_naive([1, 2, 3], 3, season=3).tolist() == [1, 2, 3]

    def test_on_the_tutorials_sine(self, tutorial):
        known, came = tutorial
        assert mse(came, seasonal_naive(known, 40, season=40)) == pytest.approx(1.587e-10, rel=0.01)


def test_drift_goes_on_along_the_line():
    assert drift([[0.0, 3.0], [9.0, 9.0], [4.0, 1.0]], 2).tolist() == [[6.0, 0.0], [8.0, -1.0]]
    assert drift([5.0], 2).tolist() == [5.0, 5.0]


class TestAutoregression:
    def test_two_lags_hold_the_tutorials_sine(self, tutorial):
        known, came = tutorial
        assert mse(came, autoregression(known, 40, order=2)) == pytest.approx(5.7e-11, rel=0.1)

    @pytest.mark.parametrize("season", [None, 40])
    def test_the_rule_holds_it_too(self, tutorial, season):
        known, came = tutorial
        assert mse(came, autoregression(known, 40, season=season)) < 1e-10

    def test_finds_the_equation_of_a_noiseless_series(self):
        y = [1.0, 2.0]
        for _ in range(60):
            y.append(3.0 + 0.5 * y[-1] - 0.4 * y[-2])
        np.testing.assert_allclose(autoregression(y[:30], 32, order=2), y[30:], rtol=1e-9)

    def test_a_straight_line_whose_lags_are_one_another_copies(self):
        np.testing.assert_allclose(autoregression(np.arange(40.0), 8), np.arange(40.0, 48.0), rtol=1e-9)

    def test_agrees_with_the_normal_equations(self):
        y, lags = noisy(), 3
        rows = np.array([[1.0, *y[t - lags : t]] for t in range(lags, len(y))])
        weights = np.linalg.solve(rows.T @ rows, rows.T @ y[lags:])
        first = weights[0] + y[-lags:] @ weights[1:]
        second = weights[0] + np.array([*y[-2:], first]) @ weights[1:]
        np.testing.assert_allclose(autoregression(y, 2, order=lags), [first, second], rtol=1e-9)

    @pytest.mark.parametrize(("points", "order"), [(12, 5), (400, 25), (700, 169)])
    @pytest.mark.parametrize("level", [0.0, 1e6])
    def test_elimination_finds_what_least_squares_find(self, monkeypatch, points, order, level):
        for y in (level + noisy(points), level + np.cumsum(noisy(points) - 40)):
            fast = autoregression(y, 3, order=order)
            monkeypatch.setattr(baselines, "_MOST_ELIMINATED", 0)
            scale = np.ptp(y)
            np.testing.assert_allclose(fast / scale, autoregression(y, 3, order=order) / scale, atol=1e-8)
            monkeypatch.undo()

    def test_the_normal_equations_are_those_of_the_rows(self):
        z = noisy(50)
        rows = np.lib.stride_tricks.sliding_window_view(z, 5)
        columns = np.column_stack([rows[:, :4], np.ones(46), rows[:, 4]])
        np.testing.assert_allclose(baselines._normal_equations(z, 4), columns.T @ columns, rtol=1e-12)

    def test_an_unstable_fit_cannot_run_away(self):
        y = 1.5 ** np.arange(20.0)
        forecast = autoregression(y, 500, order=1)
        assert forecast[0] == pytest.approx(1.5**20, rel=1e-9)
        assert forecast.max() == pytest.approx(2 * y.max() - y.min())

    def test_reads_only_the_last_points(self):
        y = noisy(READ_AT_MOST + 500)
        np.testing.assert_array_equal(autoregression(y, 5), autoregression(y[-READ_AT_MOST:], 5))

    def test_too_short_for_the_rule_is_naive(self):
        assert autoregression([1.0, 5.0, 2.0], 2).tolist() == [2.0, 2.0]

    def test_too_short_for_the_order_that_is_asked(self):
        with pytest.raises(
            DataError, match=r"order 5[\s\S]*at least 11 points[\s\S]*10 points[\s\S]*order=4"
        ):
            autoregression(noisy(10), 2, order=5)
        assert np.isfinite(autoregression(noisy(11), 2, order=5)).all()

    @pytest.mark.parametrize("order", [0, -1, 1.5])
    def test_order(self, order):
        with pytest.raises(ArgumentError, match=r"`order` cannot be used"):
            autoregression(noisy(), 2, order=order)

    @pytest.mark.parametrize(
        ("length", "season", "order"),
        [(3, 12, 0), (4, 12, 1), (48, 12, 12), (132, 12, 13), (760, 40, 41), (760, None, 19), (100, 1, 12)],
    )
    def test_order_by_rule(self, length, season, order):
        assert order_by_rule(length, season=season) == order
