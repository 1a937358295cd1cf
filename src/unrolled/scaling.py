"""How series are brought to a size that a network can learn, and back again exactly.

A window can scale itself (in the core, from its own points alone): by its mean and deviation, around its
last value, or
by its mean absolute value. Or each series is scaled once, by the mean and deviation of its training part;
that is what this module computes. Nothing behind the training part has any influence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.engine import WINDOW_SCALINGS, Array

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

SCALINGS = (*WINDOW_SCALINGS, "series")
"""The names that `scaling=` takes: all but the last are per window."""

_BLOCK = 1 << 18
"""Numbers that are computed at once."""


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
        known = np.diff(offsets) - np.broadcast_to(held_out, offsets.size - 1)
        ends = offsets[:-1] + np.maximum(known, 1)
        count = (ends - offsets[:-1])[:, None]
        location, size, square = (np.zeros((count.size, values.shape[1])) for _ in range(3))
        for block in _blocks(offsets, values.shape[1]):
            rows = values[block.rows].astype(np.float64)
            location[block.series] += block.sums(rows, ends)
            size[block.series] += block.sums(np.abs(rows), ends)
        location /= count
        for block in _blocks(offsets, values.shape[1]):
            rows = values[block.rows] - block.each_row(location)
            square[block.series] += block.sums(rows * rows, ends)
        deviation = np.sqrt(square / count)
        flat = deviation <= np.finfo(values.dtype).eps * 8 * size / count
        return cls(location, np.where(flat, 1.0, deviation))

    def of(self, series: NDArray[np.int64]) -> SeriesScaling:
        """Return the scaling of some of the series, by number."""
        return SeriesScaling(self.location[series], self.scale[series])

    def apply(self, values: Array, offsets: NDArray[np.int64]) -> Array:
        """Return the series scaled, in their own dtype."""
        scaled = np.empty_like(values)
        for block in _blocks(offsets, values.shape[1]):
            rows = values[block.rows] - block.each_row(self.location)
            scaled[block.rows] = rows / block.each_row(self.scale)
        return scaled

    def apply_each(self, windows: Array) -> Array:
        """Return one window of each series scaled, in its own dtype.

        Shapes:
            windows: [S, T, C], and so is the result.
        """
        result: Array = (windows - self.location[:, None]) / self.scale[:, None]
        return result.astype(windows.dtype, copy=False)

    def invert(self, forecasts: Array) -> Array:
        """Return forecasts in the units of their series.

        Shapes:
            forecasts: [S, K, C, Q], and so is the result.
        """
        location, scale = (part[:, None, :, None] for part in (self.location, self.scale))
        result: np.ndarray[Any, Any] = forecasts * scale + location
        return result.astype(forecasts.dtype)


@dataclass(frozen=True)
class _Block:
    """A stretch of rows of a panel, and the series that have some of them.

    Many short series are so computed at once, and a long one takes no more memory than a stretch.

    Attributes:
        rows: the stretch.
        series: those that have rows in it.
        starts: where each of them begins in the stretch, [n].
        lengths: how many rows each has there, [n].
    """

    rows: slice
    series: slice
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]

    def each_row(self, of_series: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what belongs to the series of each row."""
        return np.repeat(of_series[self.series], self.lengths, axis=0)

    def sums(self, values: NDArray[np.float64], ends: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the sum of each series over its rows before its end, [n, C]."""
        stops = np.clip(ends[self.series] - self.rows.start, self.starts, self.starts + self.lengths)
        borders = np.stack([self.starts, stops], axis=1).ravel()
        borders = borders[: borders.size - (borders[-1] == len(values))]  # the end of all is not said
        # Every second sum is of the rows between an end and the next start; one of no rows at all is no sum.
        sums = np.add.reduceat(values, borders, axis=0)[::2]
        return np.where((stops > self.starts)[:, None], sums, 0.0)


def _blocks(offsets: NDArray[np.int64], channels: int) -> Iterator[_Block]:
    """Cut the rows of a panel into stretches of about `_BLOCK` numbers."""
    size = max(1, _BLOCK // channels)
    for first in range(0, int(offsets[-1]), size):
        last = min(first + size, int(offsets[-1]))
        series = slice(int(np.searchsorted(offsets, first, "right")) - 1, int(np.searchsorted(offsets, last)))
        borders = np.clip(offsets[series.start : series.stop + 1], first, last)
        yield _Block(slice(first, last), series, borders[:-1] - first, np.diff(borders))
