"""The distributions against SciPy's, over the parameters that a network may give and far beyond."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from unrolled.distributions import DISTRIBUTIONS
from unrolled.errors import ArgumentError

LEVELS = (1e-12, 1e-4, 0.025, 0.1, 0.3, 0.4999999, 0.5, 0.6, 0.76, 0.9, 0.975, 0.9999, 1 - 1e-10)
NU = (0.3, 1.0, 2.001, 2.5, 5.0, 30.0, 1e3, 1e6, 1e10, 1e14)
COUNTS = [(m, a) for m in (1e-6, 0.01, 0.7, 3.0, 50.0, 1e4, 1e7) for a in (1e-8, 1e-4, 0.1, 1.0, 20.0)]


def oracle(name: str, params: np.ndarray) -> Any:
    """Return SciPy's distribution of the same parameters."""
    if name == "gaussian":
        return stats.norm(params[..., 0], params[..., 1])
    if name == "student_t":
        return stats.t(params[..., 2], params[..., 0], params[..., 1])
    mean, alpha = params[..., 0], params[..., 1]
    return stats.nbinom(1 / alpha, 1 / (1 + alpha * mean))


def examples(name: str) -> np.ndarray:
    if name == "gaussian":
        return np.array([[0.0, 1.0], [-3.0, 1e-3], [1e6, 1e4]])
    if name == "student_t":
        return np.array([[mu, sigma, nu] for nu in NU for mu, sigma in ((0.0, 1.0), (-2.0, 0.3))])
    return np.array(COUNTS)


def test_the_table_names_the_parameters() -> None:
    assert {name: one.width for name, one in DISTRIBUTIONS.items()} == {
        "gaussian": 2,
        "student_t": 3,
        "negative_binomial": 2,
    }


@pytest.mark.parametrize("name", ["gaussian", "student_t"])
def test_cdf_likelihood_and_quantiles_are_scipys(name: str) -> None:
    params, ours = examples(name), DISTRIBUTIONS[name]
    theirs = oracle(name, params[:, None])
    expected = theirs.ppf(np.array(LEVELS))
    got = ours.quantile(params, LEVELS)
    scale = np.abs(expected - params[:, :1]) + 1e-7 * params[:, 1:2]
    assert np.max(np.abs(got - expected) / np.maximum(scale, 1e-15 * np.abs(expected))) < 1e-8
    np.testing.assert_allclose(ours.cdf(params[:, None], expected), theirs.cdf(expected), rtol=1e-9)
    y = np.clip(expected, -1e100, 1e100)
    np.testing.assert_allclose(
        ours.log_likelihood(params[:, None], y), theirs.logpdf(y), rtol=1e-9, atol=1e-9
    )


@pytest.mark.parametrize("nu", NU)
def test_quantiles_of_students_t_go_back_to_their_levels(nu: float) -> None:
    t = DISTRIBUTIONS["student_t"]
    params = [0.0, 1.0, nu]
    levels = np.array([one for one in LEVELS if one <= 0.5])
    np.testing.assert_allclose(t.cdf(params, t.quantile(params, levels)), levels, rtol=1e-12)
    upper = 1 - levels
    np.testing.assert_array_equal(t.quantile(params, upper), -t.quantile(params, 1 - upper))


def test_counts_have_scipys_probabilities() -> None:
    params, ours = examples("negative_binomial"), DISTRIBUTIONS["negative_binomial"]
    theirs = oracle("negative_binomial", params[:, None])
    y = np.maximum(np.rint(params[:, :1] * np.array([0.0, 0.3, 0.9, 1.0, 1.3, 4.0])), 0) + np.arange(6)
    # SciPy takes 1 - p by subtraction and r from a quotient: that leaves it fewer digits than we have.
    tame = (params[:, 0] * params[:, 1] > 1e-3) & (params[:, 1] >= 1e-4)
    got, expected = ours.cdf(params[:, None], y), theirs.cdf(y)
    np.testing.assert_allclose(got[tame], expected[tame], rtol=1e-8, atol=1e-14)
    np.testing.assert_allclose(
        ours.log_likelihood(params[:, None], y)[tame], theirs.logpmf(y)[tame], rtol=1e-7, atol=1e-8
    )


def test_counts_become_poissons_where_alpha_vanishes() -> None:
    ours, mean = DISTRIBUTIONS["negative_binomial"], np.array([0.01, 1.0, 7.0, 40.0])
    params, y = np.stack([mean, np.full(4, 1e-12)], axis=-1), np.arange(60.0)
    np.testing.assert_allclose(
        ours.cdf(params[:, None], y), stats.poisson(mean[:, None]).cdf(y), rtol=1e-8, atol=1e-14
    )
    np.testing.assert_allclose(
        ours.log_likelihood(params[:, None], y), stats.poisson(mean[:, None]).logpmf(y), rtol=1e-8, atol=1e-8
    )


def test_probabilities_of_counts_add_up() -> None:
    ours = DISTRIBUTIONS["negative_binomial"]
    for mean, alpha in ((0.3, 5.0), (4.0, 1e-6), (12.0, 0.7)):
        sums = np.cumsum(np.exp(ours.log_likelihood([mean, alpha], np.arange(2_000.0))))
        np.testing.assert_allclose(ours.cdf([mean, alpha], np.arange(2_000.0)), sums, rtol=1e-11)
    assert ours.log_likelihood([1.0, 1.0], [-1.0, np.nan]).tolist()[0] == -np.inf
    assert ours.cdf([1.0, 1.0], [-0.5, 0.5]).tolist() == [0.0, pytest.approx(0.5, rel=1e-14)]
    assert ours.median([1.0, 1.0]) == 0.0  # P(Y <= 0) is 1/2, whatever the last digit says


def test_quantiles_of_counts_are_the_least_that_reach_the_level() -> None:
    ours = DISTRIBUTIONS["negative_binomial"]
    params, levels = examples("negative_binomial"), np.array(LEVELS)
    counts = ours.quantile(params, levels)
    assert counts.shape == (len(params), len(levels))
    assert (counts == np.floor(counts)).all()
    assert (ours.cdf(params[:, None], counts) >= levels * (1 - 1e-13)).all()
    assert (ours.cdf(params[:, None], counts - 1) < levels).all()
    np.testing.assert_array_equal(ours.quantile([3.0, 0.5], LEVELS), stats.nbinom(2, 0.4).ppf(LEVELS))


def test_mean_median_and_variance() -> None:
    for name, ours in DISTRIBUTIONS.items():
        params = examples(name)
        if name == "student_t":
            params = params[params[:, 2] > 2]
        if name == "negative_binomial":  # SciPy takes 1 - p by subtraction
            params = params[params[:, 0] * params[:, 1] > 1e-5]
        theirs = oracle(name, params)
        np.testing.assert_allclose(ours.mean(params), theirs.mean(), rtol=1e-7)
        np.testing.assert_allclose(ours.variance(params), theirs.var(), rtol=1e-6)
        if name != "negative_binomial":
            np.testing.assert_allclose(ours.median(params), theirs.median(), rtol=1e-9)
    assert DISTRIBUTIONS["negative_binomial"].median([1e4, 1e-4]) == 9_999.0  # r = 1e4, p = 1/2: symmetric
    t = DISTRIBUTIONS["student_t"]
    assert np.isnan(t.mean([0.0, 1.0, 1.0]))
    assert t.variance([0.0, 1.0, 2.0]) == np.inf


SAMPLED = [
    ("gaussian", (3.0, 2.0)),
    ("student_t", (1.0, 0.5, 2.1)),
    ("student_t", (0.0, 2.0, 1e8)),
    ("negative_binomial", (1e5, 0.3)),
    ("negative_binomial", (2e4, 1e-4)),
]


@pytest.mark.parametrize(("name", "params"), SAMPLED)
def test_samples_are_of_the_distribution(name: str, params: tuple[float, ...]) -> None:
    draws = DISTRIBUTIONS[name].sample(np.tile(params, (20_000, 1)), np.random.default_rng(7))
    assert stats.kstest(draws, oracle(name, np.array(params)).cdf).pvalue > 0.01
    assert stats.kstest(draws * 1.05, oracle(name, np.array(params)).cdf).pvalue < 0.01


@pytest.mark.parametrize("params", [(0.02, 0.5), (2.0, 1e-4), (5.0, 8.0)])
def test_small_counts_come_as_often_as_they_should(params: tuple[float, float]) -> None:
    ours = DISTRIBUTIONS["negative_binomial"]
    draws = ours.sample(np.tile(params, (20_000, 1)), np.random.default_rng(7))
    edges = np.unique(ours.quantile(params, np.linspace(0.1, 0.9, 9)))
    expected = np.diff(np.concatenate([[0.0], ours.cdf(params, edges), [1.0]])) * draws.size
    found = np.bincount(np.searchsorted(edges, draws), minlength=edges.size + 1)
    assert stats.chisquare(found, expected).pvalue > 0.01


def test_huge_counts_can_be_drawn() -> None:
    draws = DISTRIBUTIONS["negative_binomial"].sample([[1e30, 1e-4], [np.nan, 1.0]], np.random.default_rng(0))
    assert draws[0] == pytest.approx(1e30, rel=0.1)
    assert np.isnan(draws[1])


@given(
    mean=st.floats(1e-6, 1e6),
    alpha=st.floats(1e-4, 30),
    levels=st.lists(st.floats(1e-6, 1 - 1e-6), min_size=1, max_size=4),
)
@settings(max_examples=60)
def test_an_entry_gives_alone_what_it_gives_in_an_array(
    mean: float, alpha: float, levels: list[float]
) -> None:
    for name, params in (("negative_binomial", (mean, alpha)), ("student_t", (mean, alpha, 2 + alpha))):
        ours, others = DISTRIBUTIONS[name], np.tile(params, (7, 1))
        others[::2, -1] *= 3
        together = ours.quantile(others, levels)
        np.testing.assert_array_equal(together[1], ours.quantile(params, levels))
        if levels == sorted(levels):
            assert (np.diff(together, axis=-1) >= 0).all()


@pytest.mark.parametrize("levels", [[0.0], [1.0], [0.5, np.nan], [[0.5]]])
def test_levels_lie_between_0_and_1(levels: list[Any]) -> None:
    with pytest.raises(ArgumentError, match="`quantiles` cannot be used"):
        DISTRIBUTIONS["gaussian"].quantile([0.0, 1.0], levels)
