"""Log-gamma, beta and normal functions of arrays: what the distributions are made of, NumPy and the standard
library alone.

Everything is computed in float64. Probabilities keep their relative accuracy in the tails, since the
incomplete beta function takes 1 - x by itself and its prefix is a saddle point and not a difference of large
log-gammas.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    Numbers = NDArray[np.float64]

_HALF_LOG_2PI = 0.5 * math.log(2.0 * math.pi)

_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360)
"""B_2j / (2j (2j - 1)): Stirling's series in odd powers of 1 / x."""

_SERIES_FROM = 16.0
"""From here on Stirling's series is exact to the last digit."""

_QUADRATURE_FROM = 500.0
"""Where both parameters of the incomplete beta function are larger, it is integrated: its continued fraction
would take as many terms as the root of the larger one."""

_MOST_TERMS = 20_000
"""Terms of the continued fraction at the most; a few hundred do for every pair that comes here."""


def log_gamma(x: ArrayLike) -> Numbers:
    """Return log |Gamma(x)|, each number by the standard library's `math.lgamma`.

    Shapes:
        x: any; the result: the same.

    Example:
        >>> log_gamma([1.0, 5.0]).round(6).tolist()
        [0.0, 3.178054]
    """
    return _each(math.lgamma, x)


def stirling_error(x: ArrayLike) -> Numbers:
    """Return by how much Stirling's formula misses log Gamma(x + 1), for x > 0.

    Formula::

        log Gamma(x + 1) - (x + 1/2) log x + x - 1/2 log 2 pi

    Shapes:
        x: any; the result: the same.

    References:
        C. Loader, "Fast and Accurate Computation of Binomial Probabilities" (2000).

    Example:
        >>> stirling_error([1.0, 1e9]).round(12).tolist()
        [0.081061466795, 8.3e-11]
    """
    given = np.asarray(x, np.float64)
    x = given.ravel()
    inverse = 1.0 / np.maximum(x, _SERIES_FROM)
    square = inverse * inverse
    result = np.zeros_like(x)
    for term in reversed(_STIRLING):
        result = result * square + term
    result *= inverse
    near = x < _SERIES_FROM
    if near.any():
        few = x[near]
        result[near] = log_gamma(few + 1.0) - (few + 0.5) * np.log(few) + few - _HALF_LOG_2PI
    return result.reshape(given.shape)


def log_beta(a: ArrayLike, b: ArrayLike) -> Numbers:
    """Return log B(a, b) = log (Gamma(a) Gamma(b) / Gamma(a + b)) for a, b > 0, exact for large ones too.

    Shapes:
        a, b: that broadcast.

    Example:
        >>> round(float(log_beta(2.0, 3.0)), 12) == round(-math.log(12.0), 12)
        True
    """
    a, b = _arrays(a, b)
    n = a + b
    small, large = np.minimum(a, b), np.maximum(a, b)
    bend = stirling_error(a) + stirling_error(b) - stirling_error(n)
    powers = small * np.log(small / n) - large * np.log1p(small / large)
    return np.asarray(bend + powers + _HALF_LOG_2PI + 0.5 * (np.log(n / large) - np.log(small)))


def log_power_over_beta(a: ArrayLike, b: ArrayLike, x: ArrayLike, y: ArrayLike) -> Numbers:
    """Return log (x^a y^b / B(a, b)) for y = 1 - x, by the saddle point.

    Shapes:
        a, b, x, y: that broadcast.

    References:
        C. Loader (2000), as above: D(a, n x) = a log (a / n x) + n x - a is small where the result is large.
    """
    a, b, x, y = _arrays(a, b, x, y)
    n = a + b
    bend = stirling_error(n) - stirling_error(a) - stirling_error(b)
    size = 0.5 * (np.log(np.minimum(a, b)) + np.log(np.maximum(a, b) / n)) - _HALF_LOG_2PI
    return bend + size - _deviance(a, n * x) - _deviance(b, n * y)


def incomplete_beta(a: ArrayLike, b: ArrayLike, x: ArrayLike, y: ArrayLike | None = None) -> Numbers:
    """Return the regularised incomplete beta function I_x(a, b).

    Formula::

        I_x(a, b) = 1 / B(a, b)  integral from 0 to x of  t^(a - 1) (1 - t)^(b - 1) dt

    A continued fraction; where a and b are both large an integral of 64 Gauss-Legendre points that begins at
    x and ends where nothing is left to add.

    Shapes:
        a, b, x, y: that broadcast.

    Args:
        a: above 0.
        b: above 0.
        x: 0 to 1.
        y: 1 - x, where it is known better than by subtraction.

    References:
        A. DiDonato, A. Morris, "Algorithm 708", ACM Transactions on Mathematical Software 18 (1992) 360-373:
        the continued fraction. NIST Digital Library of Mathematical Functions 8.17.

    Example:
        >>> incomplete_beta(2.0, 2.0, [0.0, 0.25, 0.5, 1.0]).round(12).tolist()
        [0.0, 0.15625, 0.5, 1.0]
    """
    x = np.asarray(x, np.float64)
    a, b, x, y = _arrays(a, b, x, 1.0 - x if y is None else y)
    turned = x > (a + 1.0) / (a + b + 2.0)
    a, b = np.where(turned, b, a), np.where(turned, a, b)
    x, y = np.where(turned, y, x), np.where(turned, x, y)
    result = np.where(np.isnan(a + b + x + y), np.nan, 0.0)
    smooth = np.minimum(a, b) > _QUADRATURE_FROM
    for where, tail in ((smooth & (x > 0), _integral), (~smooth & (x > 0), _fraction)):
        if where.any():
            few = a[where], b[where], x[where], y[where]
            with np.errstate(under="ignore"):
                result[where] = np.exp(log_power_over_beta(*few)) * tail(*few)
    return np.where(turned, 1.0 - result, result)


def normal_cdf(z: ArrayLike) -> Numbers:
    """Return the distribution function of the standard normal, exact in both tails.

    Example:
        >>> normal_cdf([-1.959963984540054, 0.0]).round(12).tolist()
        [0.025, 0.5]
    """
    return 0.5 * _each(math.erfc, -np.asarray(z, np.float64) / math.sqrt(2.0))


def normal_quantile(level: ArrayLike) -> Numbers:
    """Return the standard normal's quantiles at levels above 0 and below 1.

    References:
        M. Wichura, "Algorithm AS 241", Applied Statistics 37 (1988) 477-484, in the standard library.

    Example:
        >>> normal_quantile([0.025, 0.5]).round(6).tolist()
        [-1.959964, 0.0]
    """
    from statistics import NormalDist

    return _each(NormalDist().inv_cdf, level)


def _each(function: Callable[[float], float], x: ArrayLike) -> Numbers:
    """Apply a function of one number to every number."""
    x = np.asarray(x, np.float64)
    return np.fromiter(map(function, x.ravel().tolist()), np.float64, x.size).reshape(x.shape)


def _arrays(*given: ArrayLike) -> tuple[Numbers, ...]:
    """Return arguments in float64, stretched to one shape."""
    return tuple(np.broadcast_arrays(*(np.asarray(one, np.float64) for one in given)))


def _deviance(x: Numbers, mean: Numbers) -> Numbers:
    """Return x log (x / mean) + mean - x, without a loss of digits where the two are near."""
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        step = (x - mean) / mean
        near = mean * ((1.0 + step) * np.log1p(step) - step)
        far = x * (np.log(x) - np.log(mean)) + mean - x
    return np.where(np.abs(step) < 0.5, near, far)


def _fraction(a: Numbers, b: Numbers, x: Numbers, y: Numbers) -> Numbers:
    """Return I_x(a, b) B(a, b) / (x^a y^b) by the continued fraction, in Lentz's order.

    Its first term is 1 + a - (a + b) x, which is taken from y where x is near 1.
    """
    result = np.empty_like(x)
    which = np.arange(x.size)
    first = 1.0 + np.where(a > b, (a + b) * y - b, a - (a + b) * x)
    value = _off_zero(first * a / (a + 1.0))
    c, d = value, np.zeros_like(value)
    for n in range(1, _MOST_TERMS):
        weight = n * (b - n) * x
        over = (a + (n - 1.0)) * (a + b + (n - 1.0)) / (a + (2.0 * n - 1.0)) ** 2 * weight * x
        under = n + weight / (a + (2.0 * n - 1.0)) + (a + n) / (a + 1.0 + 2.0 * n) * (first + n * (1.0 + y))
        d = 1.0 / _off_zero(under + over * d)
        c = _off_zero(under + over / c)
        step = c * d
        value = value * step
        going = np.abs(step - 1.0) > 1e-15
        if not going.all():
            result[which[~going]] = value[~going]
            if not going.any():
                break
            which = which[going]
            a, b, x, y, first, c, d, value = (one[going] for one in (a, b, x, y, first, c, d, value))
    else:
        result[which] = value
    return 1.0 / result


def _off_zero(x: Numbers) -> Numbers:
    """Return x, or a tiny number for what is as good as 0."""
    return np.where(np.abs(x) < 1e-300, 1e-300, x)


@functools.cache
def _points() -> tuple[Numbers, Numbers]:
    """Return the points and weights of the integral, on [0, 1]."""
    points, weights = np.polynomial.legendre.leggauss(64)
    return (points + 1.0) / 2.0, weights / 2.0


def _integral(a: Numbers, b: Numbers, x: Numbers, y: Numbers) -> Numbers:
    """Return I_x(a, b) B(a, b) / (x^a y^b), integrated from x downwards until what is left is no digit."""
    slope = np.maximum((a - 1.0) / x - (b - 1.0) / y, 0.0)
    bend = (a - 1.0) / (x * x) + (b - 1.0) / (y * y)
    # slope s + bend s^2 / 2 = 45, with a third of the bend in hand for what the terms after it take away
    bend = bend * (2.0 / 3.0)
    width = np.minimum(90.0 / (slope + np.sqrt(slope * slope + 90.0 * bend)), x)
    total = np.zeros_like(x)
    for point, weight in zip(*_points(), strict=True):
        s = point * width
        with np.errstate(under="ignore"):
            total += weight * np.exp((a - 1.0) * np.log1p(-s / x) + (b - 1.0) * np.log1p(s / y))
    return total * width / (x * y)
