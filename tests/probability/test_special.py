"""The special functions against SciPy's; what they must be where SciPy itself loses digits, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import special as scipy_special

from unrolled.special import (
    incomplete_beta,
    log_beta,
    log_gamma,
    log_power_over_beta,
    normal_cdf,
    normal_quantile,
    stirling_error,
)

RELATIVE = 1e-10
"""What is promised; most are exact to 1e-14."""


def parameters(lowest: float, highest: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw pairs of parameters over many sizes, and a point of each that is neither 0 nor 1 to rounding."""
    draw = np.random.default_rng(0)
    a, b = 10 ** draw.uniform(lowest, highest, (2, 20_000))
    x = scipy_special.betaincinv(a, b, draw.uniform(0, 1, a.size) ** draw.choice([1, 5, 20], a.size))
    fits = (x > 1e-290) & (x < 1 - 1e-9)
    return a[fits], b[fits], x[fits]


def test_log_gamma_is_scipys() -> None:
    x = 10 ** np.random.default_rng(0).uniform(-8, 12, 5_000)
    np.testing.assert_allclose(log_gamma(x), scipy_special.gammaln(x), rtol=1e-13, atol=1e-14)


def test_stirlings_error_has_no_step_where_the_series_begins() -> None:
    x = np.array([15.999999, 16.000001])
    direct = [math.lgamma(v + 1) - (v + 0.5) * math.log(v) + v - 0.5 * math.log(2 * math.pi) for v in x]
    np.testing.assert_allclose(stirling_error(x), direct, atol=2e-14)
    assert float(stirling_error(1e12)) == pytest.approx(1 / 12e12, rel=1e-12)


def test_log_beta_is_scipys_where_scipy_is_exact() -> None:
    a, b, _ = parameters(-6, 2)
    np.testing.assert_allclose(log_beta(a, b), scipy_special.betaln(a, b), rtol=1e-12, atol=1e-13)


def test_log_beta_of_a_large_and_a_small_number() -> None:
    # B(a, 1) = 1 / a and B(a, 2) = 1 / (a (a + 1)), where log-gammas of 1e12 would leave four digits.
    a = 10.0 ** np.arange(13)
    np.testing.assert_allclose(log_beta(a, 1.0), -np.log(a), rtol=1e-14, atol=1e-14)
    np.testing.assert_allclose(log_beta(2.0, a), -np.log(a) - np.log1p(a), rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize(("lowest", "highest"), [(-6, 0), (-2, 3), (2, 5), (-6, 9), (4, 9)])
def test_the_incomplete_beta_function_is_scipys(lowest: float, highest: float) -> None:
    a, b, x = parameters(lowest, highest)
    assert x.size > 4_000
    np.testing.assert_allclose(
        incomplete_beta(a, b, x), scipy_special.betainc(a, b, x), rtol=RELATIVE, atol=5e-15
    )


def test_the_complement_is_taken_as_it_is_given() -> None:
    # 1 - 1e-20 is 1, but what lies beyond it can be told: I_x(1, b) = 1 - y^b.
    assert float(incomplete_beta(0.5, 1.0, 1e-40)) == pytest.approx(1e-20, rel=1e-13)
    assert float(incomplete_beta(1.0, 0.5, 1e-20, 1.0)) == pytest.approx(0.5e-20, rel=1e-13)
    left = incomplete_beta(3.0, 7.0, 0.2, 0.8)
    assert float(left + incomplete_beta(7.0, 3.0, 0.8, 0.2)) == pytest.approx(1.0, rel=1e-14)


def test_the_ends_of_the_incomplete_beta_function() -> None:
    assert incomplete_beta([2.0, 0.1, 5e3], 3e3, 0.0).tolist() == [0.0] * 3
    assert incomplete_beta([2.0, 0.1, 5e3], 3e3, 1.0).tolist() == [1.0] * 3
    assert np.isnan(incomplete_beta(np.nan, 1.0, 0.5))


def test_the_prefix_is_what_it_says() -> None:
    a, b, x = parameters(-2, 2)
    expected = a * np.log(x) + b * np.log1p(-x) - scipy_special.betaln(a, b)
    np.testing.assert_allclose(log_power_over_beta(a, b, x, 1 - x), expected, rtol=1e-11, atol=1e-12)


def test_the_normal_distribution_is_scipys() -> None:
    z = np.linspace(-37, 9, 2_000)
    np.testing.assert_allclose(normal_cdf(z), scipy_special.ndtr(z), rtol=1e-12)
    level = np.concatenate([10.0 ** np.arange(-300, 0), np.linspace(0.001, 0.999, 999)])
    np.testing.assert_allclose(normal_quantile(level), scipy_special.ndtri(level), rtol=1e-13, atol=1e-15)
