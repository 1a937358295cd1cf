"""Intervals cover what they promise, paths spread as the series does, counts stay counts."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.forecaster.beside import LOSSES, USES, fit_for, needs
from tests.forecaster.helpers import small, wave
from unrolled.errors import ArgumentError


def process(count, points, seed, *, counts=False):
    """Return series of one process, [count, points]: a level of its own each, and noise that lasts."""
    rng = np.random.default_rng(seed)
    if counts:
        return rng.negative_binomial(2.0, 2.0 / (2.0 + 6.0), (count, points)).astype(float)
    noise = rng.standard_normal((count, points))
    for t in range(1, points):
        noise[:, t] += 0.6 * noise[:, t - 1]
    return 10.0 * rng.standard_normal((count, 1)) + noise


def bounds(scores, level, new, risk=1e-4):
    """Return how many of `new` forecasts are covered, at the least and at the most, but for the risk.

    Formula::

        share covered by the r-th smallest of n scores ~ Beta(r, n + 1 - r),  r = ceil((n + 1) level)
    """
    r = math.ceil((scores + 1) * level / 100)
    a, b = r, scores + 1 - r

    def log_beta(x, y):
        return math.lgamma(x) + math.lgamma(y) - math.lgamma(x + y)

    chances = [
        math.exp(
            math.lgamma(new + 1)
            - math.lgamma(k + 1)
            - math.lgamma(new - k + 1)
            + log_beta(k + a, new - k + b)
            - log_beta(a, b)
        )
        for k in range(new + 1)
    ]
    below = np.cumsum(chances)
    assert abs(below[-1] - 1) < 1e-9
    return int(np.searchsorted(below, risk)), int(np.searchsorted(below, 1 - risk))


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(("strategy", "memory"), USES)
def test_coverage_lies_within_the_bounds_of_chance(strategy, memory, loss):
    counts = loss == "negative_binomial"
    y = process(150, 32, 1, counts=counts)
    how = {
        "strategy": strategy,
        "memory": memory,
        "window": 8,
        "validation": 0,
        "calibration": 2,
        "steps": 60,
    }
    if memory == "all":
        how["scaling"] = "none"
    forecaster = small(2, **how, **needs(loss)).fit(list(y))
    new = process(400, 32, 2, counts=counts)
    said = forecaster.predict(list(new[:, :30]), levels=(50, 80, 95))
    for level in (50, 80, 95):
        low, high = bounds(150, level, 400)
        covered = ((said.lower[level] <= new[:, 30:]) & (new[:, 30:] <= said.upper[level])).sum(axis=0)
        assert (covered >= low).all(), (level, covered, low)
        if not counts:  # those of counts may only be wider, since many of their scores are equal
            assert (covered <= high).all(), (level, covered, high)


def test_the_bounds_are_no_wider_than_a_few_percent():
    """The law has teeth."""
    assert bounds(150, 80, 400) == (257, 368)
    assert bounds(150, 95, 400)[0] > 0.8 * 400


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(("strategy", "memory"), USES)
def test_asking_for_intervals_changes_no_point(strategy, memory, loss):
    y = fit_for(loss, wave())
    how = {"strategy": strategy, "memory": memory, "window": 8, "calibration": 12, "members": 2}
    forecaster = small(3, **how, **needs(loss)).fit(y)
    said = forecaster.predict(levels=(50, 80))
    np.testing.assert_array_equal(said.y_hat, forecaster.predict())
    assert (said.lower[50] <= said.upper[50]).all()
    assert (said.lower[80] <= said.upper[80]).all()


@pytest.mark.parametrize("loss", ["mae", "mse", "huber"])
def test_intervals_of_points_lie_around_them_and_within_each_other(loss):
    said = small(3, window=8, calibration=24, loss=loss).fit(wave()).predict(levels=(50, 80, 90))
    rows = [said.lower[90], said.lower[80], said.lower[50], said.y_hat]
    rows += [said.upper[50], said.upper[80], said.upper[90]]
    assert (np.diff(np.stack(rows), axis=0) >= 0).all()


def test_paths_of_noise_spread_as_the_noise():
    y = 2.0 * np.random.default_rng(1).standard_normal((20, 120))
    how = {
        "strategy": "recursive",
        "loss": "gaussian",
        "scaling": "none",
        "window": 6,
        "steps": 600,
        "lr": 0.02,
    }
    forecaster = small(8, **how).fit(list(y))
    paths = forecaster.sample(200)[..., 0]
    np.testing.assert_allclose(paths.std(axis=(0, 1)), 2.0, rtol=0.15)
    np.testing.assert_allclose(paths.mean(axis=(0, 1)), 0.0, atol=0.3)
    inside = np.quantile(paths, (0.1, 0.9), axis=(0, 1))
    np.testing.assert_allclose(inside[1] - inside[0], 2 * 1.2816 * 2.0, rtol=0.15)


@pytest.mark.parametrize("loss", ["gaussian", "student_t", "quantile"])
def test_paths_of_a_random_walk_spread_with_the_root_of_the_steps(loss):
    """What is fed back are samples: fed back means would give a spread that does not grow."""
    y = np.random.default_rng(2).standard_normal((20, 160)).cumsum(axis=1)
    quantiles = {"quantiles": (0.05, 0.25, 0.5, 0.75, 0.95)} if loss == "quantile" else {}
    how = {"strategy": "recursive", "loss": loss, "scaling": "last", "window": 12, "steps": 600, "lr": 0.02}
    how |= {"refit": False}  # the weights of the best check: those of the last step have learned noise
    forecaster = small(9, **how, **quantiles).fit(list(y))
    paths = forecaster.sample(200)[..., 0]
    spread = np.subtract(*np.quantile(paths, (0.75, 0.25), axis=1)).mean(axis=0)
    assert (np.diff(spread) > 0).all()
    assert 2.0 < spread[8] / spread[0] < 4.5  # 3 of a perfect random walk
    told = forecaster.predict_quantiles(quantiles=(0.25, 0.75))[:, :, 0]
    # Quantiles are told of 200 paths with the same random numbers for every series: the standard error of
    # their range is 1.57 / 1.35 / sqrt(200) = 8 %, and four of it are allowed.
    np.testing.assert_allclose((told[..., 1] - told[..., 0]).mean(axis=0), spread, rtol=0.33)


@pytest.mark.parametrize(
    "extra", [{"patch": 2}, {"skip": True}, {"scaling": "last"}, {"dilations": (2,)}], ids=str
)
def test_paths_of_networks_that_cannot_carry_a_state_on(extra):
    forecaster = small(3, strategy="recursive", loss="gaussian", window=8, **extra).fit(wave())
    paths = forecaster.sample(50)
    assert paths.shape == (1, 50, 3, 1)
    assert np.isfinite(paths).all()
    assert (paths.std(axis=1) > 0).all()
    assert (np.diff(forecaster.predict_quantiles(quantiles=(0.1, 0.5, 0.9)), axis=-1) > 0).all()


class TestCounts:
    @pytest.mark.parametrize("scaling", ["none", "mean_abs"])
    def test_they_stay_counts_and_spread_as_they_do(self, scaling):
        y = process(20, 120, 3, counts=True)  # mean 6, variance 24
        how = {"strategy": "recursive", "loss": "negative_binomial", "scaling": scaling, "window": 12}
        forecaster = small(4, **how, steps=600, lr=0.02).fit(list(y))
        paths = forecaster.sample(300)
        np.testing.assert_allclose(paths, np.round(paths), atol=1e-4)
        assert paths.min() >= 0
        np.testing.assert_allclose(paths.mean(axis=(0, 1)), 6.0, rtol=0.2)
        assert 12.0 < paths.var(axis=(0, 1)).mean() < 48.0
        for said in (np.asarray(forecaster.predict()), forecaster.predict_quantiles(quantiles=(0.1, 0.9))):
            assert said.min() >= 0

    def test_what_is_no_count_is_refused(self):
        with pytest.raises(ValueError, match="count"):
            small(3, loss="negative_binomial", window=8).fit(-wave())
        with pytest.raises(ArgumentError, match="Counts may only be divided"):
            small(3, loss="negative_binomial", scaling="last", window=8).fit(np.round(wave()))

    def test_intervals_do_not_go_below_nothing(self):
        y = process(1, 80, 4, counts=True)[0]
        forecaster = small(3, loss="negative_binomial", window=8, calibration=24).fit(y)
        assert forecaster.predict(levels=(90,)).lower[90].min() >= 0
