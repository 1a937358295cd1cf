"""What the head's numbers mean where a forecast is more than one number, and what such a forecast costs.

The head gives W raw numbers for a target. A map turns them into quantiles that never cross, or into
parameters of a distribution that lie where they must; the loss is the quantile loss of the one, the mean
negative log-likelihood (natural logarithm, all constants included) of the other. Its gradient is by the raw
numbers.
Knows nothing of networks.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from unrolled.cells.losses import Loss, pinball
from unrolled.errors import ArgumentError, fault

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike

    from unrolled.cells.activations import Array

LEAST_SIGMA, LEAST_NU, LEAST_MEAN, LEAST_ALPHA = 1e-3, 2.0 + 1e-3, 1e-6, 1e-4
"""What is added to the softplus of a raw number."""


def softplus(x: ArrayLike) -> Array:
    """Return log(1 + e^x), elementwise; it never overflows.

    Example:
        >>> softplus([-1000.0, 0.0, 1000.0]).round(6).tolist()
        [0.0, 0.693147, 1000.0]
    """
    x = np.asarray(x, dtype=np.float64)
    value: Array = np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))
    return value


def softplus_slope(x: ArrayLike) -> Array:
    """Return the slope of `softplus`, the sigmoid of x."""
    x = np.asarray(x, dtype=np.float64)
    small = np.exp(-np.abs(x))
    slope: Array = np.where(x > 0.0, 1.0, small) / (1.0 + small)
    return slope


def anchor_of(quantiles: Sequence[float]) -> int:
    """Return which quantile the others stand on: the one nearest to 0.5, the first of two."""
    return int(np.abs(np.asarray(quantiles, dtype=np.float64) - 0.5).argmin())


def map_quantiles(raw: ArrayLike, *, quantiles: Sequence[float]) -> Array:
    """Return quantiles that never cross.

    Formula::

        q_m = raw_m                         m: the quantile nearest to 0.5
        q_j = q_j-1 + softplus(raw_j)       j > m
        q_j = q_j+1 - softplus(raw_j)       j < m

    Shapes:
        raw: [..., Q], and so is the result.

    Example:
        >>> map_quantiles([0.0, 5.0, 0.0], quantiles=[0.1, 0.5, 0.9]).round(4).tolist()
        [4.3069, 5.0, 5.6931]
    """
    raw = np.asarray(raw, dtype=np.float64)
    m, up = anchor_of(quantiles), softplus(raw)
    above = raw[..., m : m + 1] + np.cumsum(up[..., m + 1 :], axis=-1)
    below = raw[..., m : m + 1] - np.cumsum(up[..., :m][..., ::-1], axis=-1)[..., ::-1]
    return np.concatenate([below, raw[..., m : m + 1], above], axis=-1)


def map_gaussian(raw: ArrayLike) -> Array:
    """Return mu and sigma of a normal distribution.

    Formula::

        mu = raw_0,  sigma = softplus(raw_1) + 0.001

    Shapes:
        raw: [..., 2], and so is the result.
    """
    raw = np.asarray(raw, dtype=np.float64)
    return np.stack([raw[..., 0], softplus(raw[..., 1]) + LEAST_SIGMA], axis=-1)


def map_student_t(raw: ArrayLike) -> Array:
    """Return mu, sigma and nu of Student's t distribution; nu is above 2, so that its variance exists.

    Formula::

        mu = raw_0,  sigma = softplus(raw_1) + 0.001,  nu = 2 + softplus(raw_2) + 0.001

    Shapes:
        raw: [..., 3], and so is the result.
    """
    raw = np.asarray(raw, dtype=np.float64)
    spread, tail = softplus(raw[..., 1]) + LEAST_SIGMA, softplus(raw[..., 2]) + LEAST_NU
    return np.stack([raw[..., 0], spread, tail], axis=-1)


def map_negative_binomial(raw: ArrayLike) -> Array:
    """Return the mean, in scaled units, and alpha of a negative binomial distribution.

    Formula::

        mean = softplus(raw_0) + 0.000001,  alpha = softplus(raw_1) + 0.0001

    Shapes:
        raw: [..., 2], and so is the result.
    """
    raw = np.asarray(raw, dtype=np.float64)
    return np.stack([softplus(raw[..., 0]) + LEAST_MEAN, softplus(raw[..., 1]) + LEAST_ALPHA], axis=-1)


def quantile(y_true: ArrayLike, raw: ArrayLike, *, quantiles: Sequence[float]) -> Loss:
    """Return the quantile loss of the quantiles that `map_quantiles` makes of raw numbers.

    Shapes:
        y_true: [...]; raw: [..., Q].

    Args:
        y_true: what came.
        raw: what the head gave.
        quantiles: Q rising numbers between 0 and 1.

    Raises:
        ArgumentError: as for `pinball`.

    References:
        R. Koenker, G. Bassett, "Regression Quantiles", Econometrica 46 (1978) 33-50.

    Example:
        >>> quantile([10.0], [[8.0]], quantiles=[0.25]).value
        0.5
    """
    raw = np.asarray(raw, dtype=np.float64)
    value, slope = pinball(y_true, map_quantiles(raw, quantiles=quantiles), quantiles=quantiles)
    m, d_raw = anchor_of(quantiles), np.empty_like(raw)
    rising = softplus_slope(raw)
    d_raw[..., m] = slope.sum(axis=-1)
    d_raw[..., m + 1 :] = np.cumsum(slope[..., m + 1 :][..., ::-1], axis=-1)[..., ::-1] * rising[..., m + 1 :]
    d_raw[..., :m] = -np.cumsum(slope[..., :m], axis=-1) * rising[..., :m]
    return Loss(value, d_raw)


@np.errstate(over="ignore", invalid="ignore")
def gaussian(y_true: ArrayLike, raw: ArrayLike) -> Loss:
    """Return the mean negative log-likelihood of normal distributions.

    Formula::

        z     = (y - mu) / sigma
        L     = 1/N sum log(2 pi) / 2 + log(sigma) + z^2 / 2
        dL/dmu = -1/N z / sigma,  dL/dsigma = 1/N (1 - z^2) / sigma

    Shapes:
        y_true: [...]; raw: [..., 2].

    Raises:
        ArgumentError: the shapes do not fit.

    Example:
        >>> round(gaussian([1.0], [[1.0, 0.0]]).value, 6)
        0.553867
    """
    y, raw = _pair(y_true, raw, width=2)
    mu, sigma = np.moveaxis(map_gaussian(raw), -1, 0)
    z = (y - mu) / sigma
    cost = 0.5 * math.log(2.0 * math.pi) + np.log(sigma) + 0.5 * z * z
    d_mu = -z / sigma
    d_sigma = (1.0 - z * z) / sigma
    return _mean(cost, d_mu, d_sigma * softplus_slope(raw[..., 1]))


@np.errstate(over="ignore", invalid="ignore")
def student_t(y_true: ArrayLike, raw: ArrayLike) -> Loss:
    """Return the mean negative log-likelihood of Student's t distributions.

    Formula::

        z = (y - mu) / sigma
        L = 1/N sum log(gamma(nu / 2)) - log(gamma((nu + 1) / 2)) + log(nu pi) / 2 + log(sigma)
                    + (nu + 1) / 2 log(1 + z^2 / nu)

    Shapes:
        y_true: [...]; raw: [..., 3].

    Raises:
        ArgumentError: the shapes do not fit.

    References:
        Student, "The Probable Error of a Mean", Biometrika 6 (1908) 1-25.

    Example:
        >>> round(student_t([1.0], [[1.0, 0.0, 0.0]]).value, 6)
        0.644792
    """
    y, raw = _pair(y_true, raw, width=3)
    mu, sigma, nu = np.moveaxis(map_student_t(raw), -1, 0)
    z = (y - mu) / sigma
    far = np.log1p(z * z / nu)
    share = z * z / (nu + z * z)
    constant = _log_gamma(nu / 2.0) - _log_gamma((nu + 1.0) / 2.0) + 0.5 * np.log(nu * math.pi)
    cost = constant + np.log(sigma) + 0.5 * (nu + 1.0) * far
    d_mu = -(nu + 1.0) * z / (nu + z * z) / sigma
    d_sigma = (1.0 - (nu + 1.0) * share) / sigma
    d_constant = 0.5 * (_digamma(nu / 2.0) - _digamma((nu + 1.0) / 2.0) + 1.0 / nu)
    d_nu = d_constant + 0.5 * far - 0.5 * (nu + 1.0) / nu * share
    return _mean(cost, d_mu, d_sigma * softplus_slope(raw[..., 1]), d_nu * softplus_slope(raw[..., 2]))


@np.errstate(over="ignore", invalid="ignore")
def negative_binomial(y_true: ArrayLike, raw: ArrayLike, *, scale: ArrayLike = 1.0) -> Loss:
    """Return the mean negative log-likelihood of counts whose variance is m + alpha m^2.

    Formula::

        y = y_true scale,  m = mean scale,  r = 1 / alpha
        L = 1/N sum log(gamma(y + 1)) + log(gamma(r)) - log(gamma(y + r))
                    + r log((r + m) / r) - y log(m / (r + m))

    Shapes:
        y_true: [...]; raw: [..., 2]; scale: as y_true, or what NumPy stretches to it.

    Args:
        y_true: the counts that came, scaled: divided by `scale`.
        raw: what the head gave.
        scale: by which the counts were divided.

    Raises:
        ArgumentError: the shapes do not fit.

    References:
        D. Salinas, V. Flunkert, J. Gasthaus, T. Januschowski, "DeepAR: Probabilistic forecasting with
        autoregressive recurrent networks", Int. J. Forecasting 36 (2020) 1181-1191.

    Example:
        >>> round(negative_binomial([2.0], [[0.0, 0.0]]).value, 6)
        2.250338
    """
    y, raw = _pair(y_true, raw, width=2)
    mean, alpha = np.moveaxis(map_negative_binomial(raw), -1, 0)
    unit = np.asarray(scale, dtype=np.float64)
    y, m, r = y * unit, mean * unit, 1.0 / alpha
    ways = _log_gamma(y + 1.0) + _log_gamma(r) - _log_gamma(y + r)
    cost = ways + r * np.log1p(m / r) - y * (np.log(m) - np.log(r + m))
    d_mean = (m - y) / m * r / (r + m) * unit
    d_r = _digamma(r) - _digamma(y + r) + np.log1p(m / r) - (m - y) / (r + m)
    d_alpha = -r * r * d_r
    return _mean(cost, d_mean * softplus_slope(raw[..., 0]), d_alpha * softplus_slope(raw[..., 1]))


HEAD_LOSSES: dict[str, Callable[..., Loss]] = {
    "quantile": quantile,
    "gaussian": gaussian,
    "student_t": student_t,
    "negative_binomial": negative_binomial,
}
"""The losses of raw numbers; another joins by one line."""


def _pair(y_true: ArrayLike, raw: ArrayLike, *, width: int) -> tuple[Array, Array]:
    """Return both as float64; each target has its `width` raw numbers."""
    true, given = np.asarray(y_true, dtype=np.float64), np.asarray(raw, dtype=np.float64)
    if given.shape != (*true.shape, width):
        raise ArgumentError(fault("cells.loss-shape", expected=(*true.shape, width), got=given.shape))
    return true, given


def _mean(cost: Array, *slopes: Array) -> Loss:
    """Return the mean of all costs and its gradient by the raw numbers."""
    n = np.float64(cost.size)
    return Loss(float(cost.sum() / n), np.stack(slopes, axis=-1) / n)


def _log_gamma(x: Array) -> Array:
    """Return log(gamma(x)) for x > 0, elementwise; NaN elsewhere."""
    values = [math.lgamma(one) if one > 0.0 else math.nan for one in np.ravel(x).tolist()]
    return np.array(values, dtype=np.float64).reshape(np.shape(x))


def _digamma(x: Array) -> Array:
    """Return the slope of log(gamma(x)) for x > 0: digamma(x) = digamma(x + 1) - 1 / x, moved to x > 10."""
    x = np.array(x, dtype=np.float64)
    moved = np.zeros_like(x)
    for _ in range(10):
        small = x < 10.0
        moved -= np.where(small, 1.0 / x, 0.0)
        x += small
    s = 1.0 / (x * x)
    series = s * (1 / 12 - s * (1 / 120 - s * (1 / 252 - s * (1 / 240 - s * (1 / 132 - s * 691 / 32760)))))
    slope: Array = moved + np.log(x) - 0.5 / x - series
    return slope
