"""The losses of raw numbers: their maps, their gradients, and the densities of scipy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from tests.cells.helpers import assert_close, numeric_gradient
from unrolled.cells import HEAD_LOSSES
from unrolled.cells.likelihoods import (
    map_gaussian,
    map_negative_binomial,
    map_quantiles,
    map_student_t,
    softplus,
    softplus_slope,
)
from unrolled.cells.losses import pinball
from unrolled.errors import ArgumentError

CASES: dict[str, tuple[dict[str, Any], int]] = {
    "quantile": ({"quantiles": (0.1, 0.45, 0.55, 0.9)}, 4),
    "gaussian": ({}, 2),
    "student_t": ({}, 3),
    "negative_binomial": ({"scale": 2.5}, 2),
}
"""Each loss with its options and its width; a new one joins by one line."""

every_loss = pytest.mark.parametrize("name", HEAD_LOSSES)


def drawn(name: str, seed: int = 0, shape: tuple[int, ...] = (3, 4)) -> tuple[Any, Any]:
    """Return random targets, counts where they must be, and raw numbers."""
    rng = np.random.default_rng(seed)
    y_true = rng.poisson(4.0, shape) / 2.5 if name == "negative_binomial" else rng.standard_normal(shape)
    return y_true, 2.0 * rng.standard_normal((*shape, CASES[name][1]))


def test_every_loss_is_tested() -> None:
    assert CASES.keys() == HEAD_LOSSES.keys()


@every_loss
@pytest.mark.parametrize("seed", range(3))
def test_gradients(name: str, seed: int) -> None:
    y_true, raw = drawn(name, seed)
    options = CASES[name][0]
    gradient = HEAD_LOSSES[name](y_true, raw, **options).gradient
    numeric = numeric_gradient(lambda y: HEAD_LOSSES[name](y_true, y, **options).value, raw)
    assert_close(gradient, numeric, to="difference")
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        assert_close(1.01 * gradient, numeric, to="difference")


@every_loss
def test_a_loss_is_the_mean_of_the_losses_of_its_elements(name: str) -> None:
    y_true, raw = drawn(name)
    options = CASES[name][0]
    whole = HEAD_LOSSES[name](y_true, raw, **options)
    parts = [HEAD_LOSSES[name](y_true[i], raw[i], **options) for i in range(3)]
    assert_close(whole.value, np.mean([part.value for part in parts]), to="order")
    assert_close(whole.gradient, np.stack([part.gradient for part in parts]) / 3, to="order")


def test_the_densities_of_scipy() -> None:
    y, raw = drawn("gaussian")
    mu, sigma = np.moveaxis(map_gaussian(raw), -1, 0)
    expected = -scipy.stats.norm.logpdf(y, mu, sigma).mean()
    np.testing.assert_allclose(HEAD_LOSSES["gaussian"](y, raw).value, expected, rtol=1e-13)

    y, raw = drawn("student_t")
    mu, sigma, nu = np.moveaxis(map_student_t(raw), -1, 0)
    expected = -scipy.stats.t.logpdf(y, nu, mu, sigma).mean()
    np.testing.assert_allclose(HEAD_LOSSES["student_t"](y, raw).value, expected, rtol=1e-12)

    y, raw = drawn("negative_binomial")
    mean, alpha = np.moveaxis(map_negative_binomial(raw), -1, 0)
    m, r = mean * 2.5, 1.0 / alpha
    expected = -scipy.stats.nbinom.logpmf(np.round(y * 2.5), r, r / (r + m)).mean()
    value = HEAD_LOSSES["negative_binomial"](y, raw, scale=2.5).value
    np.testing.assert_allclose(value, expected, rtol=1e-11)


def test_the_variance_of_a_count_is_as_promised() -> None:
    m, alpha = 7.0, 0.3
    variance = scipy.stats.nbinom.var(1.0 / alpha, 1.0 / (1.0 + alpha * m))
    np.testing.assert_allclose(variance, m + alpha * m * m, rtol=1e-12)


@given(raw=st.lists(st.floats(-1e9, 1e9), min_size=4, max_size=4))
def test_quantiles_never_cross(raw: list[float]) -> None:
    mapped = map_quantiles(raw, quantiles=(0.1, 0.4, 0.7, 0.9))
    assert (np.diff(mapped) >= 0).all()
    assert mapped[1] == raw[1]


def test_of_two_quantiles_as_near_the_first_is_the_anchor() -> None:
    mapped = map_quantiles([1.0, 2.0], quantiles=(0.25, 0.75))
    np.testing.assert_allclose(mapped, [1.0, 1.0 + softplus(2.0)], rtol=1e-15)


def test_one_quantile_is_the_raw_number() -> None:
    y_true, raw = drawn("gaussian")
    raw = raw[..., :1]
    ours, theirs = (
        HEAD_LOSSES["quantile"](y_true, raw, quantiles=[0.8]),
        pinball(y_true, raw, quantiles=[0.8]),
    )
    assert ours.value == theirs.value
    np.testing.assert_array_equal(ours.gradient, theirs.gradient)


def test_a_softplus_far_out() -> None:
    x = np.array([-800.0, -40.0, 0.0, 40.0, 800.0])
    np.testing.assert_allclose(softplus(x), [0.0, np.exp(-40.0), np.log(2.0), 40.0, 800.0], rtol=1e-15)
    np.testing.assert_allclose(softplus_slope(x), [0.0, np.exp(-40.0), 0.5, 1.0, 1.0], rtol=1e-15)


@every_loss
def test_shapes_are_never_stretched_over_each_other(name: str) -> None:
    y_true, raw = drawn(name)
    with pytest.raises(ArgumentError, match="different shapes"):
        HEAD_LOSSES[name](y_true, raw[:, :1], **CASES[name][0])
