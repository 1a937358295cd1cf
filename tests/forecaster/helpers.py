"""What the tests of the forecaster share: series, small forecasters, and one table of tolerances."""

from __future__ import annotations

from typing import Any

import numpy as np

from unrolled import Forecaster, engine
from unrolled.scaling import SCALINGS

__all__ = ["CELLS", "SCALINGS", "STRATEGIES", "assert_close", "small", "wave", "waves"]

CELLS = tuple(engine.CELLS)
STRATEGIES = ("direct", "recursive")

TOLERANCES = {
    # The same sums in another order, forecasts near 10: a few units in the last place.
    "float32": {"rtol": 2e-6, "atol": 2e-5},
    "float64": {"rtol": 1e-12, "atol": 1e-12},
}


def wave(
    points: int = 72, *, season: int = 12, noise: float = 0.2, level: float = 10.0, seed: int = 1
) -> Any:
    """Return a season with a little noise around a level, [points]."""
    rng = np.random.default_rng(seed)
    return level + np.sin(2 * np.pi * np.arange(points) / season) + noise * rng.standard_normal(points)


def waves(*lengths: int) -> list[Any]:
    """Return one wave of each length, at different levels."""
    return [wave(points, seed=index, level=10.0 * (index + 1)) for index, points in enumerate(lengths)]


def small(horizon: int = 3, **changes: Any) -> Forecaster:
    """Return a forecaster that learns for a few milliseconds."""
    return Forecaster(horizon, **{"hidden_size": 4, "steps": 5, "threads": 1, **changes})


def assert_close(actual: Any, expected: Any, *, to: str = "float32", scale: float = 1.0) -> None:
    """Compare arrays of equal shape within one row of the table, for values about `scale` as large."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape
    tolerance = TOLERANCES[to]
    np.testing.assert_allclose(
        actual, expected, rtol=tolerance["rtol"], atol=tolerance["atol"] * scale, equal_nan=False
    )
