"""The work that every library does: series, settings, and how the forecasts are judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.accuracy.methods import Forecasts
from benchmarks.accuracy.scoring import score
from benchmarks.accuracy.sets import load

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from benchmarks.accuracy.tasks import Task

    from .libraries import Library

    Numbers = NDArray[np.float64]

SAME = {"window": 24, "horizon": 12, "season": 24, "hidden": 64, "batch": 128, "steps": 1000, "lr": 1e-3}
"""The setting that all libraries can be brought to: one layer, Adam, squared errors, no scaling."""

POINTS, HELD_OUT, STRIDE, READ = 10_000, 1_000, 10, 200
MANY, MANY_POINTS = 1_000, 200
LIMIT_S = 180
"""Trainings by defaults end after so many seconds, where the library allows it."""

DEFAULTS = {"m4_hourly": "h", "tourism_monthly": "MS", "classic_airline": "MS"}
"""The tasks of defaults, by the names of benchmarks/accuracy, and the step between their points."""

SETS_OF_DEFAULTS = ("classic", "tourism_monthly", "m4_hourly")


@dataclass(frozen=True, eq=False)
class Job:
    """Work for every library.

    Attributes:
        name: of the job.
        title: what it is.
        settings: what an adapter reads.
        fitted: series to learn from.
        asked: series to forecast from.
        at_once: how many of them a timed forecast takes.
        task: of which these are the series, and which judges the forecasts; None for `truth`.
        truth: what came, `[S, K]`, judged by the mean squared error.
    """

    name: str
    title: str
    settings: dict[str, Any]
    fitted: list[Numbers]
    asked: list[Numbers]
    at_once: int
    task: Task | None = None
    truth: Numbers | None = None

    def takes(self, library: Library) -> bool:
        """Return whether a library has what the job needs."""
        return self.settings["setting"] != "same" or self.settings["cell"] in library.cells

    def figures(self, forecasts: Numbers) -> dict[str, float]:
        """Judge forecasts of all series asked for."""
        if self.task is None:
            return {"mse": float(np.mean((forecasts - self.truth) ** 2))}
        scored = score(self.task, [Forecasts(slice(0, len(forecasts)), forecasts)])
        return {name: scored[name] for name in ("smape", "mase")}


def wave(points: int, seed: int) -> Numbers:
    """Return a daily and a weekly season of hours, with noise; each seed at another hour of the week."""
    random = np.random.default_rng(seed)
    t = np.arange(points) + random.integers(168)
    y = np.sin(t * 2 * np.pi / 24) + 0.5 * np.sin(t * 2 * np.pi / 168) + 0.1 * random.standard_normal(points)
    return y.astype(np.float32)


def same_work(cell: str) -> Job:
    """One series; forecasts of 12 points from every tenth of the last 1,000."""
    y, horizon = wave(POINTS, seed=3), SAME["horizon"]
    ends = range(POINTS - HELD_OUT, POINTS - horizon + 1, STRIDE)
    return Job(
        f"same_{cell}",
        f"the same work: {cell.upper()}(1, 64), 1,000 steps of 128 windows of 24, one series of 9,000 points",
        {"setting": "same", "cell": cell, "freq": "h", "repeats": 20, **SAME},
        fitted=[y[: POINTS - HELD_OUT]],
        asked=[y[end - READ : end] for end in ends],
        at_once=1,
        truth=np.stack([y[end : end + horizon] for end in ends]),
    )


def many_series() -> Job:
    """1,000 series: one network learns them all, and forecasts all of them."""
    horizon = SAME["horizon"]
    series = [wave(MANY_POINTS, seed=n) for n in range(MANY)]
    return Job(
        "many_lstm",
        "1,000 series of 188 points: the same LSTM and 1,000 steps, then a forecast of each",
        {"setting": "same", "cell": "lstm", "freq": "h", "repeats": 5, **SAME},
        fitted=[one[:-horizon] for one in series],
        asked=[one[:-horizon] for one in series],
        at_once=MANY,
        truth=np.stack([one[-horizon:] for one in series]),
    )


def by_defaults(task: Task) -> Job:
    """Series of a competition, and what each library chooses by itself."""
    settings = {
        "setting": "defaults",
        "cell": "lstm",
        "freq": DEFAULTS[task.name],
        "horizon": task.horizon,
        "season": task.season,
        "limit_s": LIMIT_S,
        "repeats": 3,
    }
    fitted = task.fitted()
    title = f"defaults: {task.title}, {len(fitted)} series, K = {task.horizon}"
    return Job(task.name, title, settings, fitted, fitted, at_once=len(fitted), task=task)


def jobs(data: Path | None) -> tuple[list[Job], list[str]]:
    """Make all jobs, and a sentence for everything that cannot be run."""
    made, missing = [same_work("lstm"), same_work("gru"), many_series()], []
    for name in SETS_OF_DEFAULTS:
        tasks, said = load(name, data)
        made += [by_defaults(task) for task in tasks if task.name in DEFAULTS]
        missing += said
    return made, missing
