"""What a network's outputs mean: a number, quantiles, or the parameters of a distribution.

    raw outputs [..., W] -> mapped [..., W] -> point, quantiles, intervals, samples

All in the network's scaled space; a `Scaling` brings them to the units of the series.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from unrolled.distributions import DISTRIBUTIONS
from unrolled.errors import ArgumentError, fault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from unrolled.distributions import Distribution

    Numbers = NDArray[np.float64]

POINT_LOSSES = ("mse", "mae", "huber")
"""The losses whose head gives one number a target."""

COUNTS = "negative_binomial"
"""The distribution whose parameters are those of a count, whatever the scale of the window."""

_MAPPED = {"gaussian": ((1, 0.0, 1e-3),), "student_t": ((1, 0.0, 1e-3), (2, 2.0, 1e-3))}
_MAPPED[COUNTS] = ((0, 0.0, 1e-6), (1, 0.0, 1e-4))
"""Parameters that are softplus(raw) + offset + least, by distribution: (which, offset, least)."""


class Scaling(Protocol):
    """How windows are brought to the scaled space, and back.

    Shapes:
        scale: [n, C]; apply: [n, K, C] and the same back; invert: [n, K, C, ...] and the same back.
    """

    @property
    def kind(self) -> str:
        """The name of the scaling."""

    @property
    def scale(self) -> Any:
        """What a scaled value is multiplied by."""

    def apply(self, values: Any) -> Any:
        """Return values scaled."""

    def invert(self, values: Any) -> Any:
        """Return scaled values in the units of the series."""


@dataclass(frozen=True)
class Head:
    """What the outputs of a network that was trained with a loss mean.

    Shapes:
        outputs: [..., W], W = `width`, as `mapped` gives them; scale: that broadcasts with [...].

    Where `scale` is an argument only counts read it: a negative binomial's mean is scaled, its count is not,
    so a distribution in scaled space needs the scale of the window. Without one the outputs are those of
    `to_units`, and what comes back are counts.

    Attributes:
        loss: mse, mae, huber, quantile, or a name of `DISTRIBUTIONS`.
        quantiles: of loss "quantile", rising; else empty.

    Raises:
        ArgumentError: the loss is not known, or its quantiles do not rise between 0 and 1.

    Example:
        >>> head = Head("quantile", (0.1, 0.5, 0.9))
        >>> float(head.point([1.0, 2.0, 4.0])), head.quantile([1.0, 2.0, 4.0], [0.3, 0.9]).tolist()
        (2.0, [1.5, 4.0])
    """

    loss: str
    quantiles: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what is no head."""
        known = (*POINT_LOSSES, "quantile", *DISTRIBUTIONS)
        if self.loss not in known:
            raise ArgumentError(fault("head.loss", got=repr(self.loss), known=", ".join(known)))
        rising = (0.0, *self.quantiles, 1.0)
        rises = all(low < high for low, high in pairwise(rising))
        if (self.loss == "quantile") != bool(self.quantiles) or not rises:
            raise ArgumentError(fault("head.quantiles", loss=self.loss, got=self.quantiles))

    @property
    def width(self) -> int:
        """W, how many outputs there are for a target."""
        return len(self.quantiles) or (self.distribution.width if self.distribution else 1)

    @property
    def distribution(self) -> Distribution | None:
        """The distribution whose parameters the outputs are, or None."""
        return DISTRIBUTIONS.get(self.loss)

    @property
    def is_probabilistic(self) -> bool:
        """Whether the outputs tell more than one number."""
        return self.loss not in POINT_LOSSES

    @cached_property
    def anchor(self) -> int:
        """The output that is the point forecast of a quantile head: the first one nearest to 0.5."""
        return self.nearest(0.5)

    def nearest(self, level: float) -> int:
        """Return which trained quantile is the nearest to a level; 0 where there are none."""
        return int(np.abs(np.asarray(self.quantiles or (0.5,)) - level).argmin())

    def mapped(self, raw: ArrayLike) -> Numbers:
        """Return raw outputs of the network as what they mean.

        Formula::

            quantile           q_m = raw_m for the anchor m; quantiles never cross:
                               above it q_j = q_(j-1) + softplus(raw_j), below q_j = q_(j+1) - softplus(raw_j)
            gaussian           sigma = softplus(raw_1) + 1e-3
            student_t          the same, and nu = 2 + softplus(raw_2) + 1e-3
            negative_binomial  mean = softplus(raw_0) + 1e-6 (scaled), alpha = softplus(raw_1) + 1e-4
        """
        result = np.array(raw, np.float64)
        if self.quantiles:
            m, step = self.anchor, np.logaddexp(0.0, result)
            result[..., m + 1 :] = result[..., m, None] + np.cumsum(step[..., m + 1 :], axis=-1)
            below = np.cumsum(step[..., :m][..., ::-1], axis=-1)[..., ::-1]
            result[..., :m] = result[..., m, None] - below
        for which, offset, least in _MAPPED.get(self.loss, ()):
            result[..., which] = offset + np.logaddexp(0.0, result[..., which]) + least
        return result

    def point(self, outputs: ArrayLike, *, scale: ArrayLike | None = None) -> Numbers:
        """Return the point forecast, [...]: the number itself, or the median.

        The median and not the mean: forecasts are judged by absolute errors, which it makes least; it is
        there for every nu; and it is the median in the units of the series too, whatever rising function
        scaled them. Of a quantile head it is the trained quantile nearest to 0.5.
        """
        found = np.asarray(outputs, np.float64)
        if self.distribution is None:
            return found[..., self.anchor]
        return self.quantile(found, [0.5], scale=scale)[..., 0]

    def quantile(self, outputs: ArrayLike, levels: ArrayLike, *, scale: ArrayLike | None = None) -> Numbers:
        """Return quantiles: exact ones of a distribution, interpolated ones between trained quantiles.

        Shapes:
            levels: [Q]; the result: [..., Q].

        Raises:
            ArgumentError: a level is not between 0 and 1, or lies outside of the trained quantiles, where
                nothing was learned; or the head gives points.
        """
        asked = np.asarray(levels, np.float64)
        if not self.is_probabilistic:
            raise ArgumentError(fault("head.points", loss=self.loss))
        if asked.ndim != 1 or not ((asked > 0) & (asked < 1)).all():
            raise ArgumentError(fault("metric.quantiles", got=asked.tolist()))
        if self.distribution is None:
            first, last = self.quantiles[0], self.quantiles[-1]
            if ((asked < first - 1e-12) | (asked > last + 1e-12)).any():
                raise ArgumentError(fault("head.levels", got=asked.tolist(), first=first, last=last))
            found = np.asarray(outputs, np.float64)
            return self._between(found[..., None, :], np.broadcast_to(asked, (*found.shape[:-1], asked.size)))
        params, divisor = self._parameters(outputs, scale)
        return self.distribution.quantile(params, asked) / divisor[..., None]

    def interval(
        self, outputs: ArrayLike, level: float, *, scale: ArrayLike | None = None
    ) -> tuple[Numbers, Numbers]:
        """Return the head's own central interval, lower and upper [...], as it came out of training.

        Of a quantile head the trained quantiles nearest to both ends; of a point head twice the point.

        Args:
            outputs: as always.
            level: percent that the interval should cover, above 0 and below 100.
            scale: as always.
        """
        low, high = 0.5 - level / 200.0, 0.5 + level / 200.0
        if self.distribution is None:
            found = np.asarray(outputs, np.float64)
            return found[..., self.nearest(low)], found[..., self.nearest(high)]
        both = self.quantile(outputs, [low, high], scale=scale)
        return both[..., 0], both[..., 1]

    def sample(
        self, outputs: ArrayLike, generator: np.random.Generator, *, scale: ArrayLike | None = None
    ) -> Numbers:
        """Draw a value of each target, [...].

        Of a quantile head by the inverse of its distribution function, which is a straight line between
        trained quantiles. Nothing is known of what lies outside: all that probability falls on the outermost
        quantiles, so samples have tails no longer than the trained quantiles reach.

        Raises:
            ArgumentError: the head gives points.
        """
        if not self.is_probabilistic:
            raise ArgumentError(fault("head.points", loss=self.loss))
        if self.distribution is None:
            found = np.asarray(outputs, np.float64)
            return self._between(found, generator.random(found.shape[:-1]))
        params, divisor = self._parameters(outputs, scale)
        return self.distribution.sample(params, generator) / divisor

    def to_units(self, outputs: ArrayLike, scaling: Scaling) -> Numbers:
        """Return outputs whose points, quantiles and samples are in the units of the series.

        Shapes:
            outputs: [n, K, C, W], and so is the result; scaling: of n windows.

        Raises:
            ArgumentError: a normal or Student's t distribution of logarithms is none of the series itself;
                `quantile_in_units` and `sample_in_units` bring back what is taken from it.
        """
        found = np.asarray(outputs, np.float64)
        if self.distribution is None:
            return np.asarray(scaling.invert(found), np.float64)
        scale = np.asarray(scaling.scale, np.float64)[:, None]
        result = found.copy()
        if self.loss == COUNTS:
            result[..., 0] *= scale
            return result
        if scaling.kind in ("log", "asinh", "adaptive"):
            raise ArgumentError(fault("head.bent", loss=self.loss, kind=scaling.kind))
        result[..., 0] = scaling.invert(found[..., 0])
        result[..., 1] *= scale
        return result

    def point_in_units(self, outputs: ArrayLike, scaling: Scaling) -> Numbers:
        """Return the point forecasts [n, K, C] of [n, K, C, W], in the units of the series."""
        if self.loss == COUNTS:
            return self.point(self.to_units(outputs, scaling))
        return np.asarray(scaling.invert(self.point(outputs)), np.float64)

    def quantile_in_units(self, outputs: ArrayLike, levels: ArrayLike, scaling: Scaling) -> Numbers:
        """Return quantiles [n, K, C, Q] of [n, K, C, W], in the units of the series, whatever scaled them."""
        if self.loss == COUNTS:
            return self.quantile(self.to_units(outputs, scaling), levels)
        return np.asarray(scaling.invert(self.quantile(outputs, levels)), np.float64)

    def sample_in_units(
        self, outputs: ArrayLike, generator: np.random.Generator, scaling: Scaling
    ) -> Numbers:
        """Draw a value of each target, [n, K, C] of [n, K, C, W], in the units of the series."""
        if self.loss == COUNTS:
            return self.sample(self.to_units(outputs, scaling), generator)
        return np.asarray(scaling.invert(self.sample(outputs, generator)), np.float64)

    def _parameters(self, outputs: ArrayLike, scale: ArrayLike | None) -> tuple[Numbers, Numbers]:
        """Return the distribution's own parameters, and what its values are divided by to be scaled."""
        params = np.asarray(outputs, np.float64)
        divisor = np.asarray(1.0 if self.loss != COUNTS or scale is None else scale, np.float64)
        if self.loss == COUNTS:
            params = np.stack([params[..., 0] * divisor, params[..., 1]], axis=-1)
        return params, divisor

    def _between(self, outputs: Numbers, levels: Numbers) -> Numbers:
        """Return the quantile function, straight between trained quantiles and flat outside, at each level.

        Shapes:
            outputs: [..., Q], its leading axes stretched over those of the levels: [...].
        """
        trained = np.asarray(self.quantiles)
        if trained.size == 1:
            return np.broadcast_to(outputs[..., 0], levels.shape).copy()
        right = np.clip(np.searchsorted(trained, levels), 1, trained.size - 1)
        share = np.clip((levels - trained[right - 1]) / (trained[right] - trained[right - 1]), 0.0, 1.0)
        spread: Sequence[int] = (*levels.shape, trained.size)
        stretched = np.broadcast_to(outputs, spread)
        low, high = (np.take_along_axis(stretched, k[..., None], -1)[..., 0] for k in (right - 1, right))
        return np.asarray(low * (1.0 - share) + high * share)


__all__ = ["COUNTS", "POINT_LOSSES", "Head", "Scaling"]
