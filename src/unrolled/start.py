"""Where training starts: a network whose untrained forecast is exponential smoothing with a season.

The linear skip of a direct network can hold every forecast that is a weighted sum of the window. It starts as
one that needs no training, so that a network that saw few windows stays close to a sound forecast, and one
that saw many leaves it as far as the data ask for. Knows arrays and how a window lies in steps. Must not know
training.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unrolled.engine import Array, Windowing
    from unrolled.heads import Head

_LEVEL = 0.5
"""The weight of the newest point in the level: that of the point before is half as much, and so on."""

_TREND, _DAMPING = 0.5, 0.9
"""The share of the window's slope that goes on, and what is left of it after every point."""


def smoothing(window: int, horizon: int, season: int | None) -> NDArray[np.float64]:
    """Return the weights of a window's points in each forecast of exponential smoothing with a season.

    Every row sums to 1, so forecasts move with the window. A window of less than two seasons is forecast
    without one.

    Formula::

        s_p   = mean of the points of phase p - mean of all, over the whole seasons of the window
        d_t   = y_t - s_phase(t)
        level = sum of 0.5 (1 - 0.5)^i d_(T-i), normalised
        y_k   = level + 0.5 (0.9 + .. + 0.9^k) (slope of d by least squares) + s_phase(T+k)

    Shapes:
        the weights: [K, T].

    Args:
        window: T, points read.
        horizon: K, points to forecast.
        season: points of a season, or None.

    References:
        R. J. Hyndman, A. B. Koehler, J. K. Ord, R. D. Snyder, Forecasting with Exponential Smoothing (2008).
        V. Assimakopoulos, K. Nikolopoulos, "The theta model" (2000), which goes on with half of the slope.

    Example:
        >>> smoothing(3, 2, None).sum(axis=1).round(6).tolist()
        [1.0, 1.0]
        >>> y = np.tile([1.0, 5.0, 3.0], 4)
        >>> (smoothing(12, 3, 3) @ y).round(6).tolist()
        [1.0, 5.0, 3.0]
    """
    period = season or 1
    seasons = window // period
    pattern = np.zeros((period, window))  # of each phase, that of the last point last
    if period > 1 and seasons > 1:
        used = np.arange(window - seasons * period, window)
        pattern[(used - window) % period, used] = 1 / seasons
        pattern[:, used] -= 1 / used.size
    phases = (np.arange(window) - window) % period

    def adjusted(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return weights of points as they are, of those of points less the season of their phase."""
        return weights - np.bincount(phases, weights, period) @ pattern

    newest = (1 - _LEVEL) ** np.arange(window)[::-1]
    level = adjusted(newest / newest.sum())
    from_middle = np.arange(window) - (window - 1) / 2
    slope = adjusted(from_middle / max((from_middle**2).sum(), 0.5))  # one point has none, two have 0.5
    ahead = np.arange(horizon)
    damped = _TREND * np.cumsum(_DAMPING ** (ahead + 1.0))
    result: NDArray[np.float64] = level + damped[:, None] * slope + pattern[ahead % period]
    return result


def start_smoothing(
    weights: dict[str, Array], windowing: Windowing, channels: int, head: Head, season: int | None
) -> dict[str, Array]:
    """Return weights of a direct network with a skip, changed so that it begins as `smoothing`.

    The skip forecasts each channel from its own points, in the number of the head that is its location; all
    else that leads to an output is 0. What the recurrent layers have is left as it is.

    Args:
        weights: of the network, by name.
        windowing: how it reads a window.
        channels: C.
        head: what its outputs mean.
        season: points of a season, or None.
    """
    started = dict(weights)
    for name in ("head.weight", "head.bias", "skip.weight"):
        started[name] = np.zeros_like(weights[name])
    horizon, patch = windowing.horizon, windowing.patch
    read = windowing.window // patch
    rows = smoothing(windowing.window, horizon, season).reshape(horizon, read, patch)
    # [K, C, W] outputs of [steps, inputs of a step], of which the first are P points of C values
    skip = started["skip.weight"].reshape(horizon, channels, head.width, windowing.steps, -1)
    for channel in range(channels):
        columns = slice(channel, patch * channels, channels)
        skip[:, channel, head.anchor, :read, columns] = rows
    return started
