"""What is measured: the network by its defaults, the statistical methods beside it, the simple baselines.

A method is a function (task, run) -> forecasts of the rows of each chunk, which keeps its seconds in the run.
"""

from __future__ import annotations

import time
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled import Forecaster
from unrolled.errors import ArgumentError
from unrolled.evaluation import ALL_BASELINES

from . import statistical

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from .tasks import Task

    Numbers = NDArray[np.float64]
    Bounds = Mapping[int, tuple[Numbers, Numbers]]

LEVELS = (20, 40, 60, 80, 95)
"""Of the intervals, in percent: the first four and the point are the quantiles 0.1, 0.2, ... 0.9."""

UNFILLED = "unfilled_seasonal_naive"
"""The last season as observed, gaps and all; missing forecasts are not scored: what archives publish."""


@dataclass
class Run:
    """One run of a method.

    Attributes:
        seed: of what is random.
        threads: at most so many.
        seconds: "fit" and "predict" -> seconds, as they were taken.
    """

    seed: int = 0
    threads: int = 2
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def clock(self, name: str) -> Iterator[None]:
        """Add the seconds of a block."""
        began = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began


@dataclass(frozen=True, eq=False)
class Forecasts:
    """Forecasts of some rows of a task.

    Shapes:
        point: `[R, K]`, NaN where there is none; bounds: level in percent -> lower and upper ends, `[R, K]`.
    """

    rows: slice
    point: Numbers
    bounds: Bounds = field(default_factory=dict)


def network(task: Task, run: Run) -> Iterator[Forecasts]:
    """Forecast by `Forecaster(K, season=m).fit(list_of_series)`, nothing else chosen."""
    return _networks(task, run)


def single(task: Task, run: Run) -> Iterator[Forecasts]:
    """Forecast by one network alone."""
    return _networks(task, run, members=1)


def auto_ets(task: Task, run: Run) -> Iterator[Forecasts]:
    """Forecast by statsforecast's AutoETS."""
    return _statistical("AutoETS", task, run, season=task.ets_season or task.season)


def auto_theta(task: Task, run: Run) -> Iterator[Forecasts]:
    """Forecast by statsforecast's AutoTheta."""
    return _statistical("AutoTheta", task, run, season=task.season)


def seasonal_naive(task: Task, run: Run) -> Iterator[Forecasts]:
    """Forecast by the last season: statsforecast's, which gives intervals, or ours of short windows alone."""
    if task.window is None:
        return _statistical("SeasonalNaive", task, run, season=task.season)
    return baseline("seasonal_naive")(task, run)


def baseline(name: str) -> Callable[[Task, Run], Iterator[Forecasts]]:
    """Return a baseline of ours as a method."""

    def forecast(task: Task, run: Run) -> Iterator[Forecasts]:
        for rows in task.chunks():
            with run.clock("predict"):
                point = _simple(name, task, rows)
            yield Forecasts(rows, point)

    return forecast


def unfilled(task: Task, run: Run) -> Iterator[Forecasts]:
    """Forecast by the last season as it was observed."""
    for rows in task.chunks():
        with run.clock("predict"):
            past = task.histories(rows)
            point = np.stack([np.resize(one[-(task.season or 1) :], task.horizon) for one in past])
        yield Forecasts(rows, point)


@dataclass(frozen=True)
class Method:
    """A row of the table.

    Attributes:
        title: what it is.
        forecast: makes the forecasts.
        seeded: whether seeds matter: it is run once for each.
        applies: whether it can do a task.
        needs: the module without which it is not run.
    """

    title: str
    forecast: Callable[[Task, Run], Iterator[Forecasts]]
    seeded: bool = False
    applies: Callable[[Task], bool] = lambda task: True
    needs: str | None = None


def _whole(task: Task) -> bool:
    """Whether forecasts may read whole series: some thousand windows are no work for a statistical method."""
    return task.window is None


METHODS: dict[str, Method] = {
    "network": Method("network, defaults", network, seeded=True),
    "single": Method("network, one member", single, seeded=True),
    "auto_ets": Method("AutoETS", auto_ets, applies=_whole, needs="statsforecast"),
    "auto_theta": Method("AutoTheta", auto_theta, applies=_whole, needs="statsforecast"),
    "seasonal_naive": Method(
        "seasonal naive", seasonal_naive, applies=lambda task: task.season is not None, needs="statsforecast"
    ),
    "naive2": Method("Naive2", baseline("naive2"), applies=lambda task: "owa" in task.metrics),
    "naive": Method("naive", baseline("naive")),
}
"""The methods, in the order of the table."""

CHECKED: dict[str, Callable[[Task, Run], Iterator[Forecasts]]] = {
    "seasonal_naive": baseline("seasonal_naive"),
    "naive2": baseline("naive2"),
    "naive": baseline("naive"),
    UNFILLED: unfilled,
}
"""What published check values are asked of: our own baselines, without statsforecast."""


def _networks(task: Task, run: Run, **more: Any) -> Iterator[Forecasts]:
    """Fit and forecast, one network for all series, or one after another for each."""
    if task.together:
        yield from _network(task, run, more)
        return
    for place, one in enumerate(task.apart()):
        first = place * task.origins
        for found in _network(one, run, more):
            rows = slice(first + found.rows.start, first + found.rows.stop)
            yield Forecasts(rows, found.point, found.bounds)


def _network(task: Task, run: Run, more: Mapping[str, Any]) -> Iterator[Forecasts]:
    given = {"window": task.window, "validation": task.validation, **more}
    model = Forecaster(
        task.horizon, season=task.season, seed=run.seed, threads=run.threads, progress=False, **given
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # such as of series that were padded
        with run.clock("fit"):
            model.fit(task.fitted())
        levels: list[int] | None = None
        for rows in task.chunks():
            histories: Any = task.histories(rows)
            if task.window is not None:
                histories = np.stack(histories)[:, :, None]
            with run.clock("predict"):
                point = model.predict(histories)
            if levels is None:
                levels = _levels(model, histories[:1])
            bounds = _bounds(model, histories, levels, task.horizon) if levels else {}
            yield Forecasts(rows, np.asarray(point, np.float64).reshape(-1, task.horizon), bounds)


def _levels(model: Forecaster, histories: Any) -> list[int]:
    """Return the levels for which enough points were held out."""
    for count in range(len(LEVELS), 0, -1):
        try:
            model.predict(histories, levels=LEVELS[:count])
        except ArgumentError:
            continue
        return list(LEVELS[:count])
    return []


def _bounds(model: Forecaster, histories: Any, levels: list[int], horizon: int) -> Bounds:
    found = model.predict(histories, levels=levels)
    return {
        level: (
            np.asarray(found.lower[level], np.float64).reshape(-1, horizon),
            np.asarray(found.upper[level], np.float64).reshape(-1, horizon),
        )
        for level in levels
    }


def _statistical(model: str, task: Task, run: Run, *, season: int | None) -> Iterator[Forecasts]:
    point, bounds = statistical.forecast(model, task, season=season or 1, levels=LEVELS, run=run)
    for rows in task.chunks():
        kept = {level: (low[rows], high[rows]) for level, (low, high) in bounds.items()}
        yield Forecasts(rows, point[rows], kept)


def _simple(name: str, task: Task, rows: slice) -> Numbers:
    forecast, past = ALL_BASELINES[name], task.histories(rows)
    if task.window is not None:  # windows of one length: each is a channel
        return forecast(np.stack(past, axis=1), task.horizon, season=task.season).T
    return np.stack([forecast(one, task.horizon, season=task.season) for one in past])
