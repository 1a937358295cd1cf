"""Intervals that cover what they promise, on top of any head: split conformal prediction.

    held-out windows: forecasts, what came -> scores by step -> their quantile -> margin around new forecasts

The promise holds as far as new windows are like the held-out ones (exchangeable), whatever was learned.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from unrolled.errors import ArgumentError, fault
from unrolled.heads import COUNTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from unrolled.heads import Head

    Numbers = NDArray[np.float64]

MOST_WINDOWS = 1_000
"""So many held-out windows are kept, evenly among all: enough for a level of 99.9 %."""

_FOR_GROWTH = 8
"""Scores that a step needs for a median that tells how far its errors have grown."""


def needed(level: float) -> int:
    """Return how many scores an interval of this level needs: the least n with ceil((n + 1) level) <= n.

    Args:
        level: percent.

    Raises:
        ArgumentError: the level is not above 0 and below 100.

    Example:
        >>> needed(80), needed(95), needed(99)
        (4, 19, 99)
    """
    return math.ceil(1 / (1 - _share(level))) - 1


class Calibration:
    """Held-out forecasts and what came, from which intervals of any level are made.

    The score of a forecast is by how much its own interval [lo, hi] misses what came, below 0 where it does
    not; a point forecast has lo = hi, and its score is the absolute error.

    Formula::

        score    = max(lo - y, y - hi)
        margin   = the ceil((n + 1) level)-th smallest of n scores
        interval = [lo - margin, hi + margin]

    Scores are taken for each step of the horizon and each channel by itself. Where a step has too few, those
    of all steps are pooled, each divided by how far errors have grown at its step (the median of its absolute
    scores, where it has at least 8), and the margin grows back by the same; it is then at least the largest
    score of the step itself. Pooled scores of one window belong together: their promise is approximate.

    Intervals of a point head are nested: a higher level is never narrower. Those of other heads need not be,
    since every level has its own scores. Lower and upper meet in the middle where a negative margin would
    cross them. Intervals of counts do not go below 0.

    Shapes:
        outputs: [n, K, C, W]; actual: [n, K, C], NaN where nothing was observed; scale: [n, C].

    Args:
        head: of the network.
        outputs: mapped, in scaled space (of counts without `scale`: in units, `Head.to_units`).
        actual: what came, scaled likewise.
        scale: of the windows; read by a negative binomial head alone.

    Raises:
        ArgumentError: the shapes do not fit.

    References:
        V. Vovk, A. Gammerman, G. Shafer, Algorithmic Learning in a Random World (2005). Y. Romano,
        E. Patterson, E. Candes, "Conformalized Quantile Regression", NeurIPS 32 (2019).

    Example:
        >>> from unrolled.heads import Head
        >>> errors = np.array([1.0, -2.0, 3.0, -4.0]).reshape(4, 1, 1)
        >>> calibration = Calibration(Head("mae"), np.zeros((4, 1, 1, 1)), errors)
        >>> lower, upper = calibration.interval(np.full((1, 1, 1, 1), 10.0), 80)
        >>> lower.item(), upper.item()
        (6.0, 14.0)
    """

    def __init__(
        self, head: Head, outputs: ArrayLike, actual: ArrayLike, *, scale: ArrayLike | None = None
    ) -> None:
        outputs, actual = np.asarray(outputs), np.asarray(actual)
        if outputs.ndim != 4 or outputs.shape != (*actual.shape, head.width):
            expected = f"outputs [n, K, C, {head.width}], actual [n, K, C]"
            raise ArgumentError(
                fault("conformal.shape", expected=expected, outputs=outputs.shape, actual=actual.shape)
            )
        self.head = head
        seen = np.flatnonzero(~np.isnan(actual).all(axis=(1, 2)))
        if seen.size > MOST_WINDOWS:
            seen = seen[np.linspace(0, seen.size - 1, MOST_WINDOWS).round().astype(np.int64)]
        self._outputs, self._actual = outputs[seen], actual[seen]
        self._scale = None if scale is None or head.loss != COUNTS else np.asarray(scale)[seen]
        self._margins: dict[float, Numbers] = {}

    @property
    def windows(self) -> int:
        """How many held-out windows are kept."""
        return len(self._actual)

    def enough_for(self, level: float) -> bool:
        """Return whether there are scores enough for an interval of this level, pooled if need be.

        Args:
            level: percent, above 0 and below 100.
        """
        return self._fewest() >= needed(level)

    def margin(self, level: float) -> Numbers:
        """Return by how much the head's own interval is widened at both sides, [K, C]; negative: narrowed.

        Args:
            level: percent.

        Raises:
            ArgumentError: the level does not fit, or there are too few held-out windows for it.
        """
        if level not in self._margins:
            if not self.enough_for(level):
                few = {"level": level, "needed": needed(level), "windows": self.windows}
                raise ArgumentError(fault("conformal.few", got=self._fewest(), **few))
            scores = self._scores(level)
            each = [_margins_of_channel(scores[:, :, c], level) for c in range(scores.shape[2])]
            self._margins[level] = np.stack(each, axis=1)
        return self._margins[level]

    def interval(
        self, outputs: ArrayLike, level: float, *, scale: ArrayLike | None = None
    ) -> tuple[Numbers, Numbers]:
        """Return lower and upper ends of new forecasts, in the space of the calibration.

        Shapes:
            outputs: [S, K, C, W]; scale: [S, C]; both ends: [S, K, C].

        Args:
            outputs: mapped.
            level: percent that the intervals cover.
            scale: of the windows; read by a negative binomial head alone.

        Raises:
            ArgumentError: the level does not fit, or there are too few held-out windows for it.
        """
        margin = self.margin(level)
        low, high = self.head.interval(outputs, level, scale=_by_step(scale))
        middle = 0.5 * (low + high)
        lower, upper = np.minimum(low - margin, middle), np.maximum(high + margin, middle)
        if self.head.loss == COUNTS:
            return np.maximum(lower, 0.0), np.maximum(upper, 0.0)
        return lower, upper

    def to_arrays(self) -> dict[str, NDArray[np.float64]]:
        """Return what is kept, by name, for a file; `from_arrays` reads it."""
        arrays = {"outputs": self._outputs, "actual": self._actual}
        return arrays if self._scale is None else {**arrays, "scale": self._scale}

    @classmethod
    def from_arrays(cls, head: Head, arrays: Mapping[str, ArrayLike]) -> Calibration:
        """Return the calibration whose `to_arrays` these are.

        Raises:
            ArgumentError: the shapes do not fit.
        """
        return cls(head, arrays["outputs"], arrays["actual"], scale=arrays.get("scale"))

    def _fewest(self) -> int:
        """Return the number of scores, over all steps, of the channel that has the fewest."""
        return int(np.isfinite(self._actual).sum(axis=(0, 1)).min(initial=np.iinfo(np.int64).max))

    def _scores(self, level: float) -> Numbers:
        """Return the scores [n, K, C], NaN where nothing was observed."""
        low, high = self.head.interval(self._outputs, level, scale=_by_step(self._scale))
        actual = self._actual.astype(np.float64)
        return np.maximum(low - actual, actual - high)


def _share(level: float) -> Fraction:
    """Return percent as an exact share: 0.95 of a float would ask for one window too many."""
    if not 0 < level < 100:
        raise ArgumentError(fault("conformal.level", got=level))
    return Fraction(str(float(level))) / 100


def _by_step(scale: ArrayLike | None) -> Numbers | None:
    """Return scales [n, C] as they meet forecasts [n, K, C]."""
    return None if scale is None else np.asarray(scale, np.float64)[:, None]


def _finite_quantile(scores: Numbers, level: float) -> float:
    """Return the ceil((n + 1) level)-th smallest of n scores, n large enough."""
    rank = math.ceil((scores.size + 1) * _share(level))
    return float(np.partition(scores, rank - 1)[rank - 1])


def _margins_of_channel(scores: Numbers, level: float) -> Numbers:
    """Return the margin of each step, [K], of scores [n, K]."""
    steps = [column[~np.isnan(column)] for column in scores.T]
    least = needed(level)
    if all(own.size >= least for own in steps):
        return np.array([_finite_quantile(own, level) for own in steps])
    usual = float(np.median(np.abs(np.concatenate(steps)))) or 1.0
    growth = [(float(np.median(np.abs(own))) if own.size >= _FOR_GROWTH else usual) or usual for own in steps]
    pooled = np.concatenate([own / grown for own, grown in zip(steps, growth, strict=True)])
    common = _finite_quantile(pooled, level)
    return np.array(
        [
            _finite_quantile(own, level) if own.size >= least else max(common * grown, *own, -np.inf)
            for own, grown in zip(steps, growth, strict=True)
        ]
    )
