"""Two sides in turns: check the answer, warm up, alternate, and report medians with their spread."""

from __future__ import annotations

import json
import os
import platform
import resource
import statistics
import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

RESULTS = Path(__file__).parent / "results"
REPEATS = 20


@dataclass(frozen=True)
class Case:
    """One piece of work done by both sides.

    Attributes:
        name: of the case and of its file of results.
        title: what the work is, for the table, by language.
        operations: floating point operations of one run, counted.
        bytes: that one run must at least read and write.
        check: compares the answers; raises where they differ, and returns what it compared.
        ours, theirs: do the work once.
        threads: of each side.
        peer: who the other side is, with its version.
    """

    name: str
    title: dict[str, str]
    operations: float
    bytes: float
    check: Callable[[], dict[str, Any]]
    ours: Callable[[], object]
    theirs: Callable[[], object]
    threads: int
    peer: str


def measure(case: Case, repeats: int = REPEATS) -> dict[str, Any]:
    """Check the answer, then run both sides in turns, the first to go changing every time."""
    checked = case.check()
    sides = {"ours": case.ours, "theirs": case.theirs}
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for run in sides.values():
        run()
    for turn in range(repeats):
        for name in sorted(sides, reverse=bool(turn % 2)):
            began = time.perf_counter()
            sides[name]()
            seconds[name].append(time.perf_counter() - began)
    ours, theirs = (statistics.median(seconds[name]) for name in ("ours", "theirs"))
    ratios = [b / a for a, b in zip(seconds["ours"], seconds["theirs"], strict=True)]
    return {
        "case": case.name,
        "title": case.title,
        "peer": case.peer,
        "threads": case.threads,
        "operations": case.operations,
        "bytes": case.bytes,
        "checked": checked,
        "repeats": repeats,
        "ours_s": ours,
        "theirs_s": theirs,
        "ours_spread": _spread(seconds["ours"]),
        "theirs_spread": _spread(seconds["theirs"]),
        "ratio": statistics.median(ratios),
        "gflops": case.operations / ours / 1e9,
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "environment": _environment(),
    }


def save(result: dict[str, Any]) -> Path:
    """Write one result; the file is replaced at once."""
    path = RESULTS / f"{result['case']}.json"
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(result, indent=2) + "\n")
    fresh.replace(path)
    return path


def _spread(values: list[float]) -> float:
    """Half the range between the quartiles, over the median."""
    low, middle, high = statistics.quantiles(values, n=4)
    return (high - low) / 2 / middle


def _environment() -> dict[str, Any]:
    from unrolled.engine import isa

    names = [line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    revision = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return {
        "machine": names[0] if names else platform.processor(),
        "processors": os.cpu_count(),
        "isa": isa(),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "unrolled": version("unrolled"),
        "numpy": version("numpy"),
        "revision": revision.stdout.strip() or "unknown",
        "date": datetime.now(UTC).date().isoformat(),
    }


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []
