"""The distributions that a network can forecast: normal, Student's t, and the negative binomial for counts.

    outputs of the head -> parameters [..., W] -> quantiles, samples, likelihood

Everything is computed in float64, number by number: an entry of a large array gives what it gives alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from unrolled.errors import ArgumentError, fault
from unrolled.special import (
    incomplete_beta,
    log_beta,
    log_power_over_beta,
    normal_cdf,
    normal_quantile,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Numbers = NDArray[np.float64]

_MOST_ROUNDS = 200
"""Rounds of a search at the most; Newton's takes about 6, a search among counts about 20."""

_COUNTS_EXACT = 1e15
"""Poisson counts above this are their mean: the deviation is below the digits of a float32 by far."""


class Distribution(ABC):
    """A family of distributions; what it is asked about stands in `params`.

    Shapes:
        params: [..., W], W = `width`; y: that broadcasts with `params` but for its last axis.

    Attributes:
        parameters: names of the last axis of `params`.
    """

    parameters: ClassVar[tuple[str, ...]]

    @property
    def width(self) -> int:
        """W, how many parameters there are."""
        return len(self.parameters)

    @abstractmethod
    def cdf(self, params: ArrayLike, y: ArrayLike) -> Numbers:
        """Return the probability of a value of at most `y`."""

    @abstractmethod
    def log_likelihood(self, params: ArrayLike, y: ArrayLike) -> Numbers:
        """Return the natural logarithm of the density, or of the probability of a count, at `y`."""

    @abstractmethod
    def mean(self, params: ArrayLike) -> Numbers:
        """Return the mean, [...]."""

    @abstractmethod
    def variance(self, params: ArrayLike) -> Numbers:
        """Return the variance, [...]."""

    @abstractmethod
    def sample(self, params: ArrayLike, generator: np.random.Generator) -> Numbers:
        """Draw one value of each distribution, [...]."""

    @abstractmethod
    def _quantile(self, params: Numbers, levels: Numbers) -> Numbers: ...

    def quantile(self, params: ArrayLike, levels: ArrayLike) -> Numbers:
        """Return the least value whose probability not to be exceeded is the level.

        Shapes:
            levels: [Q]; the result: [..., Q].

        Raises:
            ArgumentError: a level is not between 0 and 1.
        """
        asked = np.asarray(levels, np.float64)
        if asked.ndim != 1 or not ((asked > 0) & (asked < 1)).all():
            raise ArgumentError(fault("metric.quantiles", got=asked.tolist()))
        return self._quantile(np.asarray(params, np.float64), asked)

    def median(self, params: ArrayLike) -> Numbers:
        """Return the quantile at 0.5, [...]."""
        return self.quantile(params, [0.5])[..., 0]

    def _parts(self, params: ArrayLike) -> tuple[Numbers, ...]:
        """Return the parameters, each [...]."""
        return tuple(np.moveaxis(np.asarray(params, np.float64), -1, 0))


class Gaussian(Distribution):
    """The normal distribution: mu, and sigma > 0.

    Formula::

        log p(y) = -z^2 / 2 - log sigma - log(2 pi) / 2,   z = (y - mu) / sigma

    Example:
        >>> Gaussian().quantile([10.0, 2.0], [0.1, 0.5]).round(4).tolist()
        [7.4369, 10.0]
    """

    parameters = ("mu", "sigma")

    def cdf(self, params: ArrayLike, y: ArrayLike) -> Numbers:
        """Return the probability of a value of at most `y`."""
        mu, sigma = self._parts(params)
        return normal_cdf(_z(y, mu, sigma))

    def log_likelihood(self, params: ArrayLike, y: ArrayLike) -> Numbers:
        """Return the logarithm of the density."""
        mu, sigma = self._parts(params)
        return np.asarray(-0.5 * _z(y, mu, sigma) ** 2 - np.log(sigma) - 0.5 * np.log(2.0 * np.pi))

    def mean(self, params: ArrayLike) -> Numbers:
        """Return mu."""
        return self._parts(params)[0]

    def variance(self, params: ArrayLike) -> Numbers:
        """Return sigma^2."""
        return self._parts(params)[1] ** 2

    def sample(self, params: ArrayLike, generator: np.random.Generator) -> Numbers:
        """Draw mu + sigma z, z standard normal."""
        mu, sigma = self._parts(params)
        return np.asarray(mu + sigma * generator.standard_normal(mu.shape))

    def _quantile(self, params: Numbers, levels: Numbers) -> Numbers:
        mu, sigma = self._parts(params)
        return np.asarray(mu[..., None] + sigma[..., None] * normal_quantile(levels))


class StudentT(Distribution):
    """Student's t, moved and stretched: mu, sigma > 0, nu > 0 degrees of freedom.

    Formula::

        log p(y) = -log B(1/2, nu/2) - log(nu)/2 - log sigma - (nu + 1)/2 log(1 + z^2/nu),  z = (y - mu)/sigma
        P(z > t) = I_x(nu/2, 1/2) / 2,   x = nu / (nu + t^2),   t >= 0

    The mean is mu where nu > 1 (else there is none: NaN), the variance sigma^2 nu / (nu - 2) where nu > 2,
    else infinite. Quantiles come from Newton's way, in the tails between logarithms, so they are exact there.

    References:
        N. Johnson, S. Kotz, N. Balakrishnan, Continuous Univariate Distributions 2 (1995), chapter 28.

    Example:
        >>> StudentT().quantile([0.0, 1.0, 5.0], [0.5, 0.975]).round(4).tolist()
        [0.0, 2.5706]
    """

    parameters = ("mu", "sigma", "nu")

    def cdf(self, params: ArrayLike, y: ArrayLike) -> Numbers:
        """Return the probability of a value of at most `y`."""
        mu, sigma, nu = self._parts(params)
        z, nu = np.broadcast_arrays(_z(y, mu, sigma), nu)
        above = _t_above(np.abs(z), nu)
        return np.where(z > 0, 1.0 - above, above)

    def log_likelihood(self, params: ArrayLike, y: ArrayLike) -> Numbers:
        """Return the logarithm of the density."""
        mu, sigma, nu = self._parts(params)
        return np.asarray(_t_log_density(_z(y, mu, sigma), nu) - np.log(sigma))

    def mean(self, params: ArrayLike) -> Numbers:
        """Return mu, or NaN where nu is at most 1."""
        mu, _, nu = self._parts(params)
        return np.where(nu > 1, mu, np.nan)

    def variance(self, params: ArrayLike) -> Numbers:
        """Return sigma^2 nu / (nu - 2), or infinity where nu is at most 2."""
        _, sigma, nu = self._parts(params)
        spread = np.divide(nu, nu - 2.0, out=np.full(nu.shape, np.inf), where=nu > 2)
        return np.asarray(sigma**2 * spread)

    def sample(self, params: ArrayLike, generator: np.random.Generator) -> Numbers:
        """Draw mu + sigma t, t of Student's distribution."""
        mu, sigma, nu = self._parts(params)
        return np.asarray(mu + sigma * generator.standard_t(nu, mu.shape))

    def _quantile(self, params: Numbers, levels: Numbers) -> Numbers:
        mu, sigma, nu = (part[..., None] for part in self._parts(params))
        z = np.empty(np.broadcast_shapes(nu.shape, levels.shape))
        for q, level in enumerate(levels.tolist()):
            side = np.sign(level - 0.5)
            z[..., q] = side * _t_quantile(min(level, 1.0 - level), nu[..., 0]) if side else 0.0
        return np.asarray(mu + sigma * z)


class NegativeBinomial(Distribution):
    """The negative binomial distribution of counts 0, 1, 2, ...: mean > 0 and alpha > 0.

    The variance is mean + alpha mean^2: with alpha towards 0 it becomes Poisson's distribution.

    Formula::

        r = 1 / alpha,   p = 1 / (1 + alpha mean)
        log P(y) = r log p + y log(1 - p) - log(r + y) - log B(r, y + 1)
        P(Y <= y) = I_p(r, floor(y) + 1)

    `log_likelihood` takes what lies between two counts by the same formula, as the loss does.

    References:
        A. Cameron, P. Trivedi, Regression Analysis of Count Data (2013), 3.3: "NB2".

    Example:
        >>> NegativeBinomial().quantile([3.0, 0.5], [0.1, 0.5, 0.9]).tolist()
        [0.0, 2.0, 7.0]
    """

    parameters = ("mean", "alpha")

    def cdf(self, params: ArrayLike, y: ArrayLike) -> Numbers:
        """Return the probability of a count of at most `y`."""
        mean, alpha, y = np.broadcast_arrays(*self._parts(params), np.asarray(y, np.float64))
        return np.where(y < 0, 0.0, _count_cdf(mean, alpha, np.maximum(np.floor(y), 0.0)))

    def log_likelihood(self, params: ArrayLike, y: ArrayLike) -> Numbers:
        """Return the logarithm of the probability of `y`; minus infinity below 0."""
        mean, alpha, y = np.broadcast_arrays(*self._parts(params), np.asarray(y, np.float64))
        r, odds = 1.0 / alpha, alpha * mean
        some = np.where(y > 0, y, 1.0)
        # P(y) = p^r (1 - p)^y / (y B(r, y))
        more = log_power_over_beta(r, some, 1.0 / (1.0 + odds), odds / (1.0 + odds)) - np.log(some)
        none = -np.log1p(odds) * r
        return np.where(y > 0, more, np.where(y == 0, none, np.where(y < 0, -np.inf, np.nan)))

    def mean(self, params: ArrayLike) -> Numbers:
        """Return the mean."""
        return self._parts(params)[0]

    def variance(self, params: ArrayLike) -> Numbers:
        """Return mean + alpha mean^2."""
        mean, alpha = self._parts(params)
        return np.asarray(mean + alpha * mean**2)

    def sample(self, params: ArrayLike, generator: np.random.Generator) -> Numbers:
        """Draw a rate from the gamma distribution of this mean and shape 1 / alpha, then a Poisson count."""
        mean, alpha = self._parts(params)
        rate = mean * alpha * generator.standard_gamma(1.0 / alpha)
        small = rate < _COUNTS_EXACT
        return np.where(small, generator.poisson(np.where(small, rate, 0.0)), np.rint(rate))

    def _quantile(self, params: Numbers, levels: Numbers) -> Numbers:
        mean, alpha = self._parts(params)
        shape = (*mean.shape, levels.size)
        mean, alpha, level = (
            np.broadcast_to(one, shape).ravel() for one in (mean[..., None], alpha[..., None], levels)
        )
        return _count_quantile(mean, alpha, level).reshape(shape)


DISTRIBUTIONS: dict[str, Distribution] = {
    "gaussian": Gaussian(),
    "student_t": StudentT(),
    "negative_binomial": NegativeBinomial(),
}
"""The distributions by the name of their loss; another joins by a class and one line."""


def _z(y: ArrayLike, mu: Numbers, sigma: Numbers) -> Numbers:
    """Return y without its place and size."""
    return (np.asarray(y, np.float64) - mu) / sigma


def _t_sides(t: Numbers, nu: Numbers) -> tuple[Numbers, Numbers]:
    """Return nu / (nu + t^2) and t^2 / (nu + t^2), neither by subtraction."""
    square = np.minimum(t / np.sqrt(nu), 1e150) ** 2
    return 1.0 / (1.0 + square), square / (1.0 + square)


def _t_above(t: Numbers, nu: Numbers) -> Numbers:
    """Return P(T > t) for t >= 0."""
    x, y = _t_sides(t, nu)
    return 0.5 * incomplete_beta(0.5 * nu, 0.5, x, y)


def _t_log_density(t: Numbers, nu: Numbers) -> Numbers:
    return -log_beta(0.5, 0.5 * nu) - 0.5 * np.log(nu) - 0.5 * (nu + 1.0) * np.log1p(t / nu * t)


def _t_quantile(above: float, nu: Numbers) -> Numbers:
    """Return the t > 0 with P(T > t) = `above` < 1/2.

    log P(T > t) is a falling, concave function of log t, and P(0 < T < t) a rising, concave one of t: all
    Newton's steps but the first come near from one side. The second is exact where t is near 0.
    """
    shape, nu = nu.shape, nu.ravel()
    central = above > 0.25
    z = abs(float(normal_quantile(above)))
    t = np.zeros_like(nu) if central else np.full_like(nu, z)
    going = np.arange(nu.size)
    for _ in range(_MOST_ROUNDS):
        now, few = t[going], nu[going]
        with np.errstate(over="ignore", under="ignore"):
            density = np.exp(_t_log_density(now, few))
            if central:
                x, y = _t_sides(now, few)
                new = now + (0.5 - above - 0.5 * incomplete_beta(0.5, 0.5 * few, y, x)) / density
            else:
                tail = _t_above(now, few)
                new = now * np.exp(np.clip(np.log(tail / above) * tail / (now * density), -700.0, 700.0))
        t[going] = new
        going = going[np.abs(new - now) > 1e-14 * new]
        if not going.size:
            break
    return t.reshape(shape)


def _count_cdf(mean: Numbers, alpha: Numbers, count: Numbers) -> Numbers:
    """Return P(Y <= count) for counts of at least 0."""
    odds = alpha * mean
    return incomplete_beta(1.0 / alpha, count + 1.0, 1.0 / (1.0 + odds), odds / (1.0 + odds))


def _count_quantile(mean: Numbers, alpha: Numbers, level: Numbers) -> Numbers:
    """Return the least count with P(Y <= count) >= level: a bracket around a guess, then halved.

    A probability that is the level but for rounding has reached it.
    """
    level = level * (1.0 - 1e-13)
    deviation = np.sqrt(mean + alpha * mean * mean)
    guess = np.maximum(np.floor(mean + deviation * normal_quantile(level)), 0.0)
    low, high = np.full_like(mean, -1.0), guess  # P(Y <= low) < level <= P(Y <= high), once it is found
    reach = np.maximum(np.ceil(0.125 * deviation), 1.0)
    going = np.arange(mean.size)
    for _ in range(_MOST_ROUNDS):
        short = _count_cdf(mean[going], alpha[going], high[going]) < level[going]
        going = going[short]
        if not going.size:
            break
        low[going] = high[going]
        high[going] += reach[going]
        reach[going] *= 2.0
    for _ in range(_MOST_ROUNDS):
        going = np.flatnonzero(high - low > np.maximum(1.0, 4e-16 * high))
        if not going.size:
            break
        middle = np.floor(0.5 * (low[going] + high[going]))
        enough = _count_cdf(mean[going], alpha[going], middle) >= level[going]
        high[going] = np.where(enough, middle, high[going])
        low[going] = np.where(enough, low[going], middle)
    return high
