"""Naive2: M4's test of seasonality and its decomposition, by hand and against a plain loop."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.evaluation import naive, naive2
from unrolled.evaluation.naive2 import is_seasonal, seasonal_figure


def plain_figure(y, season, *, multiplicative):
    """Classical decomposition as textbooks write it: a loop over points."""
    half, gathered = season // 2, [[] for _ in range(season)]
    for t in range(half, len(y) - half):
        around = y[t - half : t + half + 1]
        trend = around.mean() if season % 2 else (around.sum() - (around[0] + around[-1]) / 2) / season
        gathered[t % season].append(y[t] / trend if multiplicative else y[t] - trend)
    figure = np.array([np.mean(one) for one in gathered])
    return figure / figure.mean() if multiplicative else figure - figure.mean()


def plain_test(y, season):
    """M4's test, term by term."""
    n, mean = len(y), sum(y) / len(y)
    spread = sum((one - mean) ** 2 for one in y)
    r = [sum((y[t] - mean) * (y[t + k] - mean) for t in range(n - k)) / spread for k in range(season + 1)]
    return abs(r[season]) > 1.645 * ((1 + 2 * sum(one**2 for one in r[1:season])) / n) ** 0.5


@pytest.mark.parametrize("multiplicative", [True, False])
@pytest.mark.parametrize(("points", "season"), [(30, 4), (31, 5), (24, 12), (50, 7), (9, 2)])
def test_the_figure_is_that_of_the_plain_loop(points, season, multiplicative):
    y = 50 + np.random.default_rng(points).normal(size=points).cumsum()
    np.testing.assert_allclose(
        seasonal_figure(y, season, multiplicative=multiplicative),
        plain_figure(y, season, multiplicative=multiplicative),
        rtol=1e-9,
        atol=1e-9,
    )


@given(seed=st.integers(0, 2**32 - 1), season=st.integers(2, 9), strength=st.floats(0, 3))
def test_the_test_is_that_of_the_formula(seed, season, strength):
    rng = np.random.default_rng(seed)
    y = rng.normal(size=season * 5) + strength * np.sin(np.arange(season * 5) * 2 * np.pi / season)
    assert is_seasonal(y, season) == plain_test(y.tolist(), season)


def test_a_season_that_multiplies_a_level():
    y = np.outer([1.0] * 5, [10.0, 20.0, 60.0]).ravel()
    np.testing.assert_allclose(naive2(y[:-1], 5, season=3), [60, 10, 20, 60, 10], rtol=1e-12)


def test_a_season_is_added_where_a_value_is_not_positive():
    y = np.outer([1.0] * 5, [0.0, 10.0, 50.0]).ravel()
    np.testing.assert_allclose(naive2(y, 4, season=3), [0, 10, 50, 0], atol=1e-12)
    np.testing.assert_allclose(naive2(y - 100, 4, season=3), [-100, -90, -50, -100], rtol=1e-12)


@pytest.mark.parametrize("season", [None, 1, 4])
def test_without_a_season_that_shows_it_is_naive(season):
    y = np.random.default_rng(2).normal(size=40).cumsum()
    assert naive2(y, 6, season=season).tolist() == naive(y, 6).tolist()


def test_below_three_seasons_nothing_is_tested():
    y = np.tile([1.0, 9.0], 6)
    assert not is_seasonal(y[:5], 2)
    assert is_seasonal(y, 2)
    assert not is_seasonal(y, 5)
