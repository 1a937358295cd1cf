"""A trained network with all that it takes to forecast: how it reads a window, scales, reaches the horizon.

Panel tail -> (scaled) -> Network -> (fed back) -> unscaled [S, K, C, Q]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from unrolled.engine import Table
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
        if self.scaler is None and self.windowing.horizon >= self.horizon:
            # The windows are read where they lie.
            values = np.asarray(panel.values, self.network.engine.dtype)
            return self._after(values, panel.offsets, panel.lengths - self.windowing.window, threads)
        known: Array = panel.last(self.windowing.window)
        scaler = self.scaler if known_as is None or self.scaler is None else self.scaler.of(known_as)
        if scaler is not None:
            known = scaler.apply_each(known)
        out = self._feed_back(np.asarray(known, self.network.engine.dtype), threads)
        return out if scaler is None else scaler.invert(out)

    def point(self, forecasts: Array) -> Array:
        """Return the point forecasts [S, K, C] of [S, K, C, Q]: the quantile nearest to the median."""
        which = int(np.abs(np.asarray(self.quantiles) - 0.5).argmin()) if self.quantiles else 0
        return np.ascontiguousarray(forecasts[..., which])

    def _check(self, panel: Panel) -> None:
        channels = self.network.spec.input_size // self.windowing.patch
        if panel.n_channels != channels:
            raise DataError(fault("predict.channels", expected=channels, got=panel.n_channels))
        lengths, window = panel.lengths, self.windowing.window
        if (short := lengths < window).any():
            first = int(short.argmax())
            length = int(lengths[first])
            raise DataError(fault("predict.too-short", series=panel.ids[first], length=length, window=window))

    def _after(
        self, values: Array, offsets: NDArray[np.int64], starts: NDArray[np.int64], threads: int
    ) -> Array:
        """Forecast what follows one window of each series."""
        series = np.arange(len(starts), dtype=np.int64)
        return self.network.engine.forecast(
            Table(values, offsets),
            series,
            starts,
            windowing=self.windowing,
            loss="quantile" if self.quantiles else "mse",
            quantiles=self.quantiles,
            threads=threads,
        ).outputs

    def _feed_back(self, known: Array, threads: int) -> Array:
        """Forecast in as many turns as it takes, each from a window that ends with the forecasts so far."""
        n_series, window, channels = known.shape
        points, at_once = window + self.horizon, self.windowing.horizon
        path = np.empty((n_series, points, channels), known.dtype)
        path[:, :window] = known
        offsets = np.arange(n_series + 1, dtype=np.int64) * points
        steps = []
        for k in range(0, self.horizon, at_once):
            starts = np.full(n_series, k, np.int64)
            out = self._after(path.reshape(-1, channels), offsets, starts, threads)
            path[:, window + k : window + k + at_once] = self.point(out)
            steps.append(out)
        return steps[0] if len(steps) == 1 else np.concatenate(steps, axis=1)
