"""Fit on a large panel, and print what memory that takes: `python benchmarks/panel_fit.py`.

A process of its own, which has never loaded anything else: the peak of a process is that of its whole life.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from unrolled import Forecaster

SERIES, POINTS = 30_000, 2_000
WINDOW, HORIZON, HIDDEN, BATCH, STEPS = 24, 12, 64, 128, 1000
LR = 0.003


def make_series(count: int) -> np.ndarray:
    """Return series of noise, [S, T, 1]: one array, which is read where it lies."""
    return np.random.default_rng(count).standard_normal((count, POINTS, 1), dtype=np.float32)


def fit(series: np.ndarray, *, steps: int = STEPS) -> Forecaster:
    """Train one network on windows of all series, none held out: the same work, however many there are."""
    return Forecaster(
        HORIZON,
        window=WINDOW,
        hidden_size=HIDDEN,
        scaling="last",
        patch=1,
        skip=True,
        lr=LR,
        batch_size=BATCH,
        steps=steps,
        validation=0,
        refit=False,
        members=1,
        threads=2,
        progress=False,
    ).fit(series)


def resident_mb(field: str = "VmRSS") -> float:
    """Return the memory of this process now, or with field "VmHWM" the most that it ever had."""
    if not Path("/proc/self/status").exists():  # only Linux tells both
        import resource

        unit = 1e6 if sys.platform == "darwin" else 1e3
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024 / 1e6
    raise OSError(f"this system does not tell {field}")


def main() -> None:
    """Make the series, fit, and print the memory before, with the series, and at the peak."""
    fit(make_series(1), steps=1)  # so that everything is loaded
    before = resident_mb()
    series = make_series(SERIES)
    loaded = resident_mb()
    fit(series)
    peak = resident_mb("VmHWM")
    found = {
        "before_mb": before,
        "with_series_mb": loaded,
        "peak_mb": peak,
        "peak_above_before_mb": peak - before,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
