"""How series are brought to a size that a network can learn, and back again exactly.

A window can scale itself (in the core, from its own points alone): by its mean and deviation, around its
last value, or
by its mean absolute value. Or each series is scaled once, by the mean and deviation of its training part;
that is what this module computes. Nothing behind the training part has any influence.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.engine import WINDOW_SCALINGS, Array

if TYPE_CHECKING:
    from numpy.typing import NDArray

SCALINGS = (*WINDOW_SCALINGS, "series")
"""The names that `scaling=` takes: all but the last are per window."""


@dataclass(frozen=True)
class SeriesScaling:
    """Mean and deviation of each series and channel.

    Formula::

        scaled = (y - location) / scale

    Shapes:
        location, scale: [S, C]
    """

    location: NDArray[np.float64]
    scale: NDArray[np.float64]

    @classmethod
    def fit(
        cls, values: Array, offsets: NDArray[np.int64], *, held_out: int | NDArray[np.int64] = 0
    ) -> SeriesScaling:
        """Measure each series but for its last `held_out` points; a constant one gets scale 1.

        Shapes:
            values: [N, C]; offsets: [S + 1]; held_out: one number, or [S].
        """
        shape = (offsets.size - 1, values.shape[1])
        location, scale = np.zeros(shape), np.ones(shape)
        left_out = np.broadcast_to(held_out, shape[0])
        tiny = np.finfo(values.dtype).eps * 8
        for series, (begin, end) in enumerate(pairwise(offsets.tolist())):
            known = values[begin : max(end - int(left_out[series]), begin + 1)].astype(np.float64)
            location[series] = known.mean(axis=0)
            deviation = known.std(axis=0)
            flat = deviation <= tiny * np.abs(known).mean(axis=0)
            scale[series] = np.where(flat, 1.0, deviation)
        return cls(location, scale)

    def of(self, series: NDArray[np.int64]) -> SeriesScaling:
        """Return the scaling of some of the series, by number."""
        return SeriesScaling(self.location[series], self.scale[series])

    def apply(self, values: Array, offsets: NDArray[np.int64]) -> Array:
        """Return the series scaled, in their own dtype."""
        lengths = np.diff(offsets)
        location, scale = (np.repeat(part, lengths, axis=0) for part in (self.location, self.scale))
        return np.ascontiguousarray((values - location) / scale, values.dtype)

    def invert(self, forecasts: Array) -> Array:
        """Return forecasts in the units of their series.

        Shapes:
            forecasts: [S, K, C, Q], and so is the result.
        """
        location, scale = (part[:, None, :, None] for part in (self.location, self.scale))
        result: np.ndarray[Any, Any] = forecasts * scale + location
        return result.astype(forecasts.dtype)
