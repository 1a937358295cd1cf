"""From the outcomes of folds to what a backtest found: every number in its place, then judged.

Knows folds and the result; must not know how folds were run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.errors import DataError, fault
from unrolled.evaluation.comparison import judged
from unrolled.evaluation.folds import NETWORK, SCALED
from unrolled.evaluation.rolling import Backtest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from unrolled.evaluation.comparison import Comparison
    from unrolled.evaluation.folds import Fold, Job, Outcome
    from unrolled.panel import Panel


def put_together(
    work: Sequence[Job], done: Sequence[Outcome], *, step: int, n_folds: int, interrupted: bool
) -> Backtest:
    """Return what a backtest found.

    Args:
        work: all that was to be done.
        done: what came of the folds that were.
        step: points between two origins.
        n_folds: how many folds were asked for.
        interrupted: whether it was stopped before the end.

    Raises:
        DataError: no series was observed both before and after an origin.
    """
    job, folds = work[0], [fold for one in work for fold in one.folds]
    panel, horizon = job.panel, job.horizon
    place = {fold.number: f for f, fold in enumerate(folds)}
    table = (len(folds), panel.n_series, panel.n_channels)
    cube = (*table[:2], horizon, table[2])
    tables = {
        "forecasts": _empty([NETWORK, *job.baselines], cube),
        "lower": _empty(job.levels, cube),
        "upper": _empty(job.levels, cube),
        "scales": _empty(SCALED, table),
        "known": _empty(("last", "low", "high"), table),
    }
    actual, origins = np.full(cube, np.nan), np.full(table[:2], -1, np.int64)
    seconds = _empty(("fit", "predict"), (len(folds),))
    for outcome in done:
        f = place[outcome.number]
        _come(panel, folds[f], actual[f], origins[f])
        for name, target in tables.items():
            for key, values in getattr(outcome, name).items():
                target[key][f, folds[f].series] = values
        seconds["fit"][f], seconds["predict"][f] = outcome.fit_s, outcome.predict_s
    return Backtest(
        comparison=_judged(job, tables, actual, origins, len(done)),
        actual=actual,
        forecasts=tables["forecasts"],
        lower=tables["lower"],
        upper=tables["upper"],
        origins=origins,
        scales=tables["scales"],
        **tables["known"],
        seconds=seconds,
        ids=panel.ids,
        step=step,
        n_short=tuple(panel.n_series - fold.series.size for fold in folds),
        n_folds=n_folds,
        interrupted=interrupted,
    )


def _empty(names: Iterable[Any], shape: tuple[int, ...]) -> dict[Any, NDArray[np.float64]]:
    """Return tables in which nothing stands yet."""
    return {name: np.full(shape, np.nan) for name in names}


def _come(panel: Panel, fold: Fold, actual: NDArray[np.float64], origins: NDArray[np.int64]) -> None:
    """Write what came after the origin of one fold, and where that was."""
    for s in fold.series.tolist():
        one = panel.series(s)
        origins[s] = len(one) - fold.back
        actual[s] = one[origins[s] : origins[s] + actual.shape[1]]


def _judged(
    job: Job,
    tables: dict[str, dict[Any, NDArray[np.float64]]],
    actual: NDArray[np.float64],
    origins: NDArray[np.int64],
    n_done: int,
) -> Comparison:
    """Return the table: a row for every channel of every series in every fold that was observed."""
    there = np.repeat((origins >= 0)[:, :, None], actual.shape[3], axis=2)
    kept = ~np.isnan(tables["known"]["last"]) & (~np.isnan(actual)).any(axis=2)
    if not kept.any():
        raise DataError(fault("comparison.nothing-observed", n_series=int(there.sum())))

    def rows(cube: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(cube.transpose(0, 1, 3, 2)[kept])

    return judged(
        rows(actual),
        {name: rows(cube) for name, cube in tables["forecasts"].items()},
        {name: scale[kept] for name, scale in tables["scales"].items()},
        np.repeat(origins[:, :, None], actual.shape[3], axis=2)[kept],
        models=(NETWORK,),
        season=job.season,
        n_missing=int(there.sum() - kept.sum()),
        folds=n_done,
    )
