"""One job in one library's environment, in a process of its own: begins, fits, forecasts, tells its seconds.

usage: python benchmarks/peers/child.py ADAPTER JOB.json SERIES.npz OUTPUT BEGAN

BEGAN is the time (seconds since the epoch) at which the process was asked for. OUTPUT.json and OUTPUT.npz
hold what came of it.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

WARM_S = 5.0
"""Warm forecasts are repeated for so many seconds, or as often as the job says."""


def main(adapter: str, job_path: str, series_path: str, output: str, began: str) -> None:
    """Do the job."""
    job = json.loads(Path(job_path).read_text(encoding="utf-8"))
    sys.path.insert(0, str(Path(__file__).parent))
    imported, module = timed(lambda: importlib.import_module(f"adapters.{adapter}"))
    import numpy as np

    given = np.load(series_path)
    fitted = [given[f"fitted_{n}"] for n in range(job["fitted"])]
    asked = [given[f"asked_{n}"] for n in range(job["asked"])]
    side = module.Side(job)
    fit, _ = timed(lambda: side.fit(fitted))
    first, _ = timed(lambda: side.predict(asked[: job["at_once"]]))
    start_to_forecast = time.time() - float(began)
    warm = repeated(lambda: side.predict(asked[: job["at_once"]]), job["repeats"])
    forecasts = side.predict(asked)
    facts = {
        "import_s": imported,
        "fit_s": fit,
        "first_predict_s": first,
        "warm_predict_s": sorted(warm)[len(warm) // 2],
        "start_to_forecast_s": start_to_forecast,
        "peak_mb": peak_mb(),
    }
    np.savez(f"{output}.npz", forecasts=forecasts)
    Path(f"{output}.json").write_text(json.dumps(facts), encoding="utf-8")


def peak_mb() -> float:
    """Return the most memory that this process had; getrusage would count what its parent had before it."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds of some work, and what it gives."""
    began = time.perf_counter()
    found = work()
    return time.perf_counter() - began, found


def repeated(work: Callable[[], np.ndarray], repeats: int) -> list[float]:
    """Return the seconds of each repeat; no more repeats once `WARM_S` are over."""
    found: list[float] = []
    while len(found) < repeats and sum(found) < WARM_S:
        found.append(timed(work)[0])
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
