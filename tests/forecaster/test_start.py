"""Before a step is learned, a direct network with a skip is exponential smoothing with a season."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.forecaster.beside import told
from tests.forecaster.helpers import CELLS, assert_close, small, wave, waves
from unrolled.covariates import read_series
from unrolled.jobs import prepare, reach
from unrolled.network import initial_weights
from unrolled.rules import settle
from unrolled.scaling import WindowScaling
from unrolled.start import smoothing

AFFINE = ("none", "standard", "last", "mean_abs", "adaptive", "series")

windows = st.integers(1, 40)
horizons = st.integers(1, 15)
seasons = st.none() | st.integers(1, 12)


def by_loops(y, horizon, season):
    """Return the forecasts of exponential smoothing with a season as a person would write them."""
    period = season or 1
    whole = len(y) // period * period
    pattern = dict.fromkeys(range(period), 0.0)
    if period > 1 and whole >= 2 * period:
        used = list(range(len(y) - whole, len(y)))
        mean = sum(y[t] for t in used) / whole
        for phase in range(period):
            own = [y[t] for t in used if (t - len(y)) % period == phase]
            pattern[phase] = sum(own) / len(own) - mean
    rest = [y[t] - pattern[(t - len(y)) % period] for t in range(len(y))]
    level, weight, total = 0.0, 1.0, 0.0
    for value in reversed(rest):
        level, total, weight = level + weight * value, total + weight, weight * 0.5
    level /= total
    middle = (len(y) - 1) / 2
    above = sum((t - middle) * value for t, value in enumerate(rest))
    slope = above / sum((t - middle) ** 2 for t in range(len(y))) if len(y) > 1 else 0.0
    forecasts, carried = [], 0.0
    for k in range(1, horizon + 1):
        carried += 0.5 * 0.9**k
        forecasts.append(level + carried * slope + pattern[(k - 1) % period])
    return np.array(forecasts)


def untrained(y, horizon=4, beside=None, **changes):
    """Return a job as `fit` makes it, whose networks have not taken a step, and its panel.

    First weights are numbers of float32, and so far forecasts hold to their formula.
    """
    changes = {"dtype": "float64", "validation": 0, **changes}
    arguments = small(horizon, **changes).get_params()
    panel = read_series(y, arguments, **(beside or {}))
    settings = settle(
        arguments,
        panel.lengths,
        horizon=horizon,
        at_once=reach(arguments),
        season=arguments["season"],
        missing=panel.n_missing > 0,
        known_ahead=bool(panel.covariates and panel.covariates.known),
    )
    return prepare(panel, arguments, settings), panel


def smoothed(y, window, horizon, season):
    """Return what smoothing says after the last window of series [T, C] or [T]: [S, K, C]."""
    parts = [np.asarray(one, float).reshape(len(one), -1)[-window:] for one in y]
    return np.stack([smoothing(window, horizon, season) @ part for part in parts])


@given(window=windows, horizon=horizons, season=seasons, seed=st.integers(0, 99))
def test_it_is_its_formula(window, horizon, season, seed):
    y = 5.0 + np.random.default_rng(seed).standard_normal(window)
    assert_close(smoothing(window, horizon, season) @ y, by_loops(y, horizon, season), to="float64", scale=10)


@given(window=windows, horizon=horizons, season=seasons)
def test_forecasts_move_with_the_window(window, horizon, season):
    weights = smoothing(window, horizon, season)
    assert weights.shape == (horizon, window)
    assert_close(weights.sum(axis=1), np.ones(horizon), to="float64")


@given(season=st.integers(1, 12), times=st.integers(2, 4), more=st.integers(0, 11), horizon=horizons)
def test_a_season_is_continued_to_the_end_of_time(season, times, more, horizon):
    window = season * times + more % season
    pattern = np.random.default_rng(season).standard_normal(season)
    y = np.tile(pattern, times + 20)[: window + horizon]
    assert_close(smoothing(window, horizon, season) @ y[:window], y[window:], to="float64")


def test_a_line_goes_on_with_half_of_its_slope_which_is_damped():
    line = np.arange(200.0)
    forecasts = smoothing(200, 3, None) @ line
    # The level lags behind the last value by the mean age of its weights, which is one point.
    assert_close(np.diff(forecasts), [0.5 * 0.9**2, 0.5 * 0.9**3], to="float64", scale=100)
    assert forecasts[0] == pytest.approx(199 - 1 + 0.45)


@pytest.mark.parametrize("scaling", AFFINE)
@pytest.mark.parametrize(
    ("window", "patch", "season"), [(24, 12, 12), (24, 1, 12), (15, 3, 5), (10, 2, 12), (7, 1, None)]
)
@pytest.mark.parametrize("channels", [1, 3])
def test_an_untrained_network_forecasts_so_in_units(scaling, window, patch, season, channels):
    y = [
        np.stack([wave(points, seed=seed, level=20.0) for seed in range(channels)], 1) for points in (50, 61)
    ]
    changes = {"window": window, "patch": patch, "season": season, "scaling": scaling}
    job, panel = untrained(y, **changes)
    forecasts = job.model.forecast(panel, threads=1)
    assert_close(forecasts, smoothed(y, window, 4, season))


@pytest.mark.parametrize("scaling", ["log", "asinh", "adaptive"])
def test_what_is_scaled_by_logarithms_is_smoothed_in_them(scaling):
    y = np.exp(wave(60, level=3.0, noise=2.0))
    job, panel = untrained(y, window=24, season=12, scaling=scaling)
    _, rows = job.model.network.engine.gather(*job.model.last_windows(panel), windowing=job.model.windowing)
    by = WindowScaling.of(scaling, rows)
    inside = by.apply(y[None, -24:, None])
    expected = by.invert(smoothing(24, 4, 12) @ inside)
    assert_close(job.model.forecast(panel, threads=1), expected)
    assert np.abs(expected - smoothed([y], 24, 4, 12)).max() > 0.1  # values themselves give something else


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("loss", ["mae", "mse", "huber", "gaussian", "student_t"])
def test_for_every_cell_and_loss(cell, loss):
    job, panel = untrained(wave(), window=24, season=12, cell=cell, loss=loss, num_layers=2)
    assert_close(job.model.forecast(panel, threads=1), smoothed([wave()], 24, 4, 12))


def test_of_quantiles_the_median_begins_so_and_the_others_around_it():
    levels = (0.1, 0.4, 0.5, 0.9)
    job, panel = untrained(
        wave(), window=24, season=12, loss="quantile", quantiles=levels, scaling="standard"
    )
    told_ = job.model.outcome(panel, threads=1, probabilistic=True).quantiles(levels)
    expected = smoothed([wave()], 24, 4, 12)
    assert_close(told_[..., 2], expected)
    # log(1 + e^0) deviations from one to the next
    step = np.log(2.0) * wave()[-24:].std()
    assert_close(np.diff(told_, axis=-1), np.full((1, 4, 1, 3), step))


def test_the_quantiles_of_a_normal_distribution_lie_around_it_alike():
    job, panel = untrained(wave(), window=24, season=12, loss="gaussian")
    low, high = np.moveaxis(
        job.model.outcome(panel, threads=1, probabilistic=True).quantiles((0.2, 0.8)), -1, 0
    )
    assert_close((low + high) / 2, smoothed([wave()], 24, 4, 12))
    assert (np.ptp(high - low, axis=1) < 1e-9).all()


@pytest.mark.parametrize("patch", [1, 4])
@pytest.mark.parametrize("parts", [("past",), ("known",), ("static",), ("past", "known", "static")], ids=str)
def test_what_stands_beside_a_series_is_not_listened_to_yet(parts, patch):
    panel = told(60, 72, ahead=4)
    beside = {name: part for name, part in panel.beside().items() if name in parts}
    job, series = untrained(panel.series, beside=beside, window=12, patch=patch)
    forecasts = job.model.forecast(series, threads=1)
    assert_close(forecasts, smoothed(panel.series, 12, 4, None))


def test_a_mask_where_nothing_is_missing_changes_nothing():
    y = waves(50, 60)
    job, panel = untrained(y, window=12, patch=3, mask=True, season=3)
    assert_close(job.model.forecast(panel, threads=1), smoothed(y, 12, 4, 3))


def test_every_member_begins_with_its_own_window():
    y = wave(200)
    job, panel = untrained(y, season=6, members=3)
    assert len(set(job.model.windows)) == 3
    parts = [smoothed([y], window, 4, 6) for window in job.model.windows]
    assert_close(job.model.forecast(panel, threads=1), np.mean(parts, axis=0))
    assert np.abs(parts[0] - parts[2]).max() > 1e-3


def test_the_recurrent_layers_begin_as_they_always_do():
    job, _ = untrained(wave(), window=24, season=12, members=2)
    for network, seed in zip(job.model.networks, job.seeds, strict=True):
        first = initial_weights(network.spec, seed)
        for name, values in network.weights.items():
            same = np.array_equal(values, np.asarray(first[name], np.float64))
            assert same != (name in ("head.weight", "head.bias", "skip.weight")), name


@pytest.mark.parametrize(
    "changes",
    [{"loss": "negative_binomial", "scaling": "mean_abs"}, {"skip": False}, {"strategy": "recursive"}],
    ids=str,
)
def test_counts_and_networks_without_a_skip_begin_at_random(changes):
    job, _ = untrained(np.round(wave()), window=12, **changes)
    for network, seed in zip(job.model.networks, job.seeds, strict=True):
        first = initial_weights(network.spec, seed)
        for name, values in network.weights.items():
            np.testing.assert_array_equal(values, np.asarray(first[name], np.float64))
