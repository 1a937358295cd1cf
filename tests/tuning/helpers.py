"""What the tests of tuning share: a wave to tune on, and a space that is tried in milliseconds."""

from __future__ import annotations

from typing import Any

import numpy as np

from unrolled import Forecaster
from unrolled.tuning import Tuned, tune

PLAIN: dict[str, Any] = {"season": 12, "threads": 1, "steps": 2, "hidden_size": 3}
"""The forecaster without tuning: quick, and not hard to beat."""

ALONE: dict[str, Any] = {**PLAIN, "members": 1, "validation": 0}
"""The same as a trial."""

SPACE: dict[str, Any] = {"hidden_size": [3, 4, 5], "lr": (1e-3, 1e-1, "log"), "steps": (5, 20)}


def wave(points: int = 96, *, seed: int = 1, level: float = 10.0) -> Any:
    """Return a season of 12 with a little noise, [points]."""
    noise = np.random.default_rng(seed).standard_normal(points)
    return level + np.sin(2 * np.pi * np.arange(points) / 12) + 0.2 * noise


def quick(y: Any = None, horizon: int = 3, **more: Any) -> Tuned:
    """Tune for some milliseconds."""
    usual = {"trials": 4, "space": SPACE, "base": Forecaster(horizon, **PLAIN)}
    return tune(wave() if y is None else y, horizon, **{**usual, **more})


def plain(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return records of trials without the time that they took."""
    return [{name: value for name, value in one.items() if name != "seconds"} for one in records]
