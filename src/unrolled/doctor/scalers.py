"""From which part of a series a scaler has its statistics.

Knows the usual statistics: mean and spread, extremes, median and quartiles, the largest size. Must not know
windows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.errors import KindError, fault

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

_CLOSE = 1e-5
"""Statistics that differ by less than this share of the spread are one."""


def map_of(scaler: Any) -> tuple[float, float]:
    """Return loc and scale of a scaler's first column: x = (s - loc) / scale.

    Args:
        scaler: like those of scikit-learn, or a pair (loc, scale).

    Raises:
        KindError: it is neither.
    """
    if isinstance(scaler, tuple | list) and len(scaler) == 2 and all(np.isscalar(one) for one in scaler):
        return float(scaler[0]), float(scaler[1])
    if hasattr(scaler, "transform"):
        width = int(getattr(scaler, "n_features_in_", 1))
        ends = np.repeat([[0.0], [1.0]], width, axis=1)
        low, high = np.asarray(scaler.transform(ends), np.float64)[:, 0]
        scale = 1.0 / (high - low)
        return float(-low * scale), float(scale)
    raise KindError(fault("doctor.scaler", got=type(scaler).__name__))


def ends_of(series: Numbers, loc: float, scale: float) -> NDArray[np.int64]:
    """Return of how many first points the statistics are these; none: they are not the usual ones."""
    n = np.arange(1, len(series) + 1)
    mean = np.cumsum(series) / n
    variance = np.maximum(np.cumsum(np.square(series)) / n - mean**2, 0.0)
    spread = np.sqrt(variance)
    sample = np.sqrt(variance * n / np.maximum(n - 1, 1))
    low, high = np.minimum.accumulate(series), np.maximum.accumulate(series)
    size = np.maximum.accumulate(np.abs(series))
    pairs = [
        (mean, spread),
        (mean, sample),
        (low, high - low),
        ((high + low) / 2, (high - low) / 2),
        (np.zeros_like(mean), size),
        (mean, np.ones_like(mean)),
    ]
    near = _CLOSE * (float(series.std()) or 1.0)
    matching = [(np.abs(a - loc) < near) & (np.abs(b - scale) < near) for a, b in pairs]
    found = np.flatnonzero(np.any(matching, axis=0)) + 1
    return found if found.size else _quartiles(series, loc, scale, near)


def _quartiles(series: Numbers, loc: float, scale: float, near: float) -> NDArray[np.int64]:
    """Return the same for the median and the quartiles, which are slow to follow: at twenty places."""
    ends = np.unique(np.linspace(2, len(series), min(len(series) - 1, 400)).astype(np.int64))
    kept = []
    for end in ends:
        first, middle, third = np.quantile(series[:end], [0.25, 0.5, 0.75])
        if abs(middle - loc) < near and abs(third - first - scale) < near:
            kept.append(end)
    return np.array(kept, np.int64)
