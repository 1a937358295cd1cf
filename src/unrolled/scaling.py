"""How series are brought to a size that a network can learn, and back again exactly.

A window can scale itself (in the core, from its own observed points alone): by its mean and deviation, around
its last value, by its mean absolute value, by its growth, or in logs only where they suit its values. Or each
series is scaled once, by the mean and deviation of its training part; this module computes that. Nothing
behind the training part has any influence.
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

        NaN is a missing value, and is left out. A series without any other gets location 0 and scale 1.

        Shapes:
            values: [N, C]; offsets: [S + 1]; held_out: one number, or [S].
        """
        known = np.diff(offsets) - np.broadcast_to(held_out, offsets.size - 1)
        ends = offsets[:-1] + np.maximum(known, 1)
        location, size, square, count = (np.zeros((ends.size, values.shape[1])) for _ in range(4))
        for block in _blocks(offsets, values.shape[1]):
            rows, seen = _observed(values[block.rows].astype(np.float64))
            location[block.series] += block.sums(rows, ends)
            size[block.series] += block.sums(np.abs(rows), ends)
            count[block.series] += block.sums(seen, ends)
        count = np.maximum(count, 1.0)
        location /= count
        for block in _blocks(offsets, values.shape[1]):
            rows, _ = _observed(values[block.rows] - block.each_row(location))
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

    def invert(self, forecasts: Array) -> Array:
        """Return forecasts in the units of their series.

        Shapes:
            forecasts: [S, K, C, Q], and so is the result.
        """
        location, scale = (part[:, None, :, None] for part in (self.location, self.scale))
        result: np.ndarray[Any, Any] = forecasts * scale + location
        return result.astype(forecasts.dtype)


@dataclass(frozen=True)
class WindowScaling:
    """How windows scaled themselves in the core, so that their forecasts can be scaled and brought back here.

    Formula::

        u      = log(y) | asinh(y / pre) | y      (kind log, asinh, any other)
        scaled = (u - location) / scale

        kind adaptive, pre > 0, top = exp(location + scale), or pre where that is larger:
        u = log(pre) + (y - pre) / pre   below pre
            log(y)                       from pre to top
            log(top) + (y - top) / top   above top
        pre = 0:  u = y

    Shapes:
        pre, location, scale: [n, C]

    Attributes:
        kind: a name of `WINDOW_SCALINGS`.

    Example:
        >>> one = np.array([[1.0]])
        >>> growth = WindowScaling("log", pre=one, location=np.log([[8.0]]), scale=np.log(2.0) * one)
        >>> growth.apply(np.array([[[16.0]]])).round(6).item()
        1.0
        >>> growth.invert(np.array([[[-1.0]]])).round(6).item()
        4.0
    """

    kind: str
    pre: NDArray[np.float64]
    location: NDArray[np.float64]
    scale: NDArray[np.float64]

    @classmethod
    def of(cls, kind: str, scaling: Array) -> WindowScaling:
        """Return the scaling of windows as `Engine.forecast` and `Engine.gather` give it, [n, 3, C]."""
        pre, location, scale = np.asarray(scaling, np.float64).swapaxes(0, 1)
        return cls(kind, pre, location, scale)

    def apply(self, values: Array) -> Array:
        """Return values scaled, in float64.

        Shapes:
            values: [n, K, C, ...], and so is the result.
        """
        u = np.asarray(values, np.float64)
        pre, location, scale = self._beside(u)
        with np.errstate(divide="ignore", invalid="ignore"):  # what cannot be scaled becomes infinite or NaN
            if self.kind == "log":
                u = np.log(u)
            elif self.kind == "asinh":
                u = np.arcsinh(u / pre)
            elif self.kind == "adaptive":
                u = _into_logs(u, pre, location + scale)
        result: Array = (u - location) / scale
        return result

    def invert(self, values: Array) -> Array:
        """Return scaled values in the units of their series, in float64; the inverse of `apply`.

        Shapes:
            values: [n, K, C, ...], and so is the result.
        """
        scaled = np.asarray(values, np.float64)
        pre, location, scale = self._beside(scaled)
        with np.errstate(over="ignore"):
            u: Array = scaled * scale + location
            if self.kind == "log":
                u = np.exp(u)
            elif self.kind == "asinh":
                u = np.sinh(u) * pre
            elif self.kind == "adaptive":
                u = _out_of_logs(u, pre, location + scale)
        return u

    def _beside(self, values: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        """Return pre, location and scale as they meet values [n, K, C, ...]."""
        return tuple(
            part.reshape(len(part), 1, -1, *[1] * (values.ndim - 3))
            for part in (self.pre, self.location, self.scale)
        )


def _into_logs(
    values: NDArray[np.float64], pre: NDArray[np.float64], high: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the logarithms of values where pre > 0, straight on below it and above exp(high)."""
    least, low, top, high = _ends(pre, high)
    logs = np.log(np.maximum(values, least))
    straight = np.where(values < least, low + (values - least) / least, high + (values - top) / top)
    logs = np.where((values < least) | (values > top), straight, logs)
    return np.where(pre > 0, logs, values)


def _out_of_logs(
    u: NDArray[np.float64], pre: NDArray[np.float64], high: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the values that `_into_logs` came from."""
    least, low, top, high = _ends(pre, high)
    straight = np.where(u > high, top * (1.0 + (u - high)), least * (1.0 + (u - low)))
    values = np.where((u < low) | (u > high), straight, np.exp(u))
    return np.where(pre > 0, values, u)


def _ends(pre: NDArray[np.float64], high: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Return between which values u is a logarithm: the least and its log, the top and its log."""
    least = np.where(pre > 0, pre, 1.0)
    low = np.log(least)
    high = np.where(pre > 0, np.maximum(high, low), 0.0)
    with np.errstate(over="ignore"):
        return least, low, np.exp(high), high


def _observed(rows: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return rows with 0 where a value is missing, and 1 where it is not."""
    seen = ~np.isnan(rows)
    return np.where(seen, rows, 0.0), seen.astype(np.float64)


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
