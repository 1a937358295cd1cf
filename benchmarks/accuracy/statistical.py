"""Statistical methods by the library statsforecast, with their own intervals, on several processes."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.evaluation.arrays import whole_series

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from .methods import Run
    from .tasks import Task

    Numbers = NDArray[np.float64]


def forecast(
    name: str, task: Task, *, season: int, levels: Sequence[int], run: Run
) -> tuple[Numbers, Mapping[int, tuple[Numbers, Numbers]]]:
    """Fit each series once, before its first forecast; a series that the method refuses gets seasonal naive.

    Missing values are filled by straight lines, for the library takes none. The seconds of rolled forecasts
    are all those of "fit": the library does not tell them apart.

    Shapes:
        the forecasts, and both ends of every level: `[R, K]`, all rows of the task.

    Args:
        name: of a model of statsforecast.
        task: what to forecast.
        season: points in a season, 1 for none.
        levels: of the intervals, in percent.
        run: takes threads from it, and keeps the seconds in it.
    """
    models = importlib.import_module("statsforecast.models")
    library = importlib.import_module("statsforecast").StatsForecast
    once = task.origins == 1
    table = _table(task.fitted() if once else list(task.series.values()))

    def forecaster(jobs: int) -> Any:
        return library(
            models=[getattr(models, name)(season_length=season)],
            freq=1,
            n_jobs=jobs,
            fallback_model=models.SeasonalNaive(season_length=season),
        )

    with np.errstate(all="ignore"):  # candidates that do not fit overflow, and are not taken
        _warm(forecaster(1), season)
        fitted = forecaster(min(run.threads, len(task.series)))
        if once:
            with run.clock("fit"):
                fitted.fit(table)
            with run.clock("predict"):
                found = fitted.predict(h=task.horizon, level=list(levels))
        else:
            with run.clock("fit"):
                found = fitted.cross_validation(
                    df=table,
                    h=task.horizon,
                    step_size=task.stride,
                    n_windows=task.origins,
                    refit=False,
                    level=list(levels),
                )

    def cut(column: str) -> Numbers:
        return np.asarray(found[column].to_numpy(np.float64)).reshape(task.rows, task.horizon)

    bounds = {
        level: tuple(np.sort([cut(f"{name}-lo-{level}"), cut(f"{name}-hi-{level}")], axis=0))
        for level in levels
    }
    return cut(name), {level: (low, high) for level, (low, high) in bounds.items()}


def _table(series: Sequence[Numbers]) -> Any:
    """Return the series as the library wants them, in an order that it keeps."""
    pandas = importlib.import_module("pandas")
    filled = [whole_series(one) for one in series]
    lengths = [len(one) for one in filled]
    return pandas.DataFrame(
        {
            "unique_id": np.repeat([f"{place:06d}" for place in range(len(filled))], lengths),
            "ds": np.concatenate([np.arange(length) for length in lengths]),
            "y": np.concatenate(filled),
        }
    )


def _warm(fitted: Any, season: int) -> None:
    """Let the library load and compile what it does at its first call."""
    points = np.arange(max(4 * season, 20))
    fitted.forecast(df=_table([10.0 + np.sin(points) + 0.1 * (points % season)]), h=1)
