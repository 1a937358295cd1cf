"""A trained network with all that it takes to forecast: how it reads a window, scales, reaches the horizon.

Panel tail -> (scaled) -> Network -> (fed back) -> unscaled [S, K, C, Q]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from unrolled.errors import DataError, fault

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unrolled.engine import Array, Windowing
    from unrolled.network import Network
    from unrolled.panel import Panel
    from unrolled.scaling import SeriesScaling


@dataclass(frozen=True, eq=False)
class Model:
    """A network and its use.

    Attributes:
        network: with its weights.
        windowing: how it reads a window, and how many points it forecasts at once.
        horizon: K, how many points to forecast; more than at once, and it reads its own forecasts.
        quantiles: of a quantile forecast; empty for point forecasts.
        scaler: of series that were scaled once, else None.
    """

    network: Network
    windowing: Windowing
    horizon: int
    quantiles: tuple[float, ...] = ()
    scaler: SeriesScaling | None = None

    def forecast(self, panel: Panel, *, threads: int, known_as: NDArray[np.int64] | None = None) -> Array:
        """Forecast what follows the end of every series.

        Shapes:
            the forecasts: [S, K, C, Q], Q = 1 for point forecasts; known_as: [S].

        Args:
            panel: series of at least `window` points.
            threads: at most so many.
            known_as: where series were scaled once, the number that each had when fitting; None: the same
                order.

        Raises:
            DataError: a series is shorter than the window.
        """
        self._check(panel)
        tail = panel.tails(self.windowing.window)
        scaler = self.scaler
        if scaler is not None and known_as is not None:
            scaler = scaler.of(known_as)
        values: Array = tail.values if scaler is None else scaler.apply(tail.values, tail.offsets)
        values = np.asarray(values, self.network.engine.dtype)
        known = values.reshape(panel.n_series, self.windowing.window, panel.n_channels)
        if self.windowing.horizon >= self.horizon:
            out = self._at(known, 0, threads)
        else:
            out = self._feed_back(known, threads)
        return out if scaler is None else scaler.invert(out)

    def point(self, forecasts: Array) -> Array:
        """Return the point forecasts [S, K, C] of [S, K, C, Q]: the quantile nearest to the median."""
        which = int(np.abs(np.asarray(self.quantiles) - 0.5).argmin()) if self.quantiles else 0
        return np.ascontiguousarray(forecasts[..., which])

    def _check(self, panel: Panel) -> None:
        channels = self.network.spec.input_size // self.windowing.patch
        if panel.n_channels != channels:
            raise DataError(fault("predict.channels", expected=channels, got=panel.n_channels))
        short = np.flatnonzero(panel.lengths < self.windowing.window)
        if short.size:
            first = int(short[0])
            length, window = int(panel.lengths[first]), self.windowing.window
            raise DataError(fault("predict.too-short", series=panel.ids[first], length=length, window=window))

    def _at(self, known: Array, start: int, threads: int) -> Array:
        """Forecast from the windows that start at point `start` of known [S, points, C]."""
        n_series, points, channels = known.shape
        return self.network.engine.forecast(
            known.reshape(-1, channels),
            np.arange(n_series + 1, dtype=np.int64) * points,
            np.arange(n_series, dtype=np.int64),
            np.full(n_series, start, np.int64),
            windowing=self.windowing,
            threads=threads,
        )

    def _feed_back(self, known: Array, threads: int) -> Array:
        """Forecast one point at a time, each from a window that ends with the point forecasts before it."""
        n_series, window, channels = known.shape
        path = np.empty((n_series, window + self.horizon, channels), known.dtype)
        path[:, :window] = known
        steps = []
        for k in range(self.horizon):
            out = self._at(path, k, threads)
            path[:, window + k] = self.point(out)[:, 0]
            steps.append(out)
        return np.concatenate(steps, axis=1)
