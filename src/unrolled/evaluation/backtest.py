"""A backtest: a forecaster fitted and judged at many origins, as it would have been used.

Takes any object with get_params, fit and predict. Folds run one after the other or side by side, with the
same result; Ctrl-C keeps those that are done. Must not know the forecaster.
"""

from __future__ import annotations

import importlib
import operator
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.covariates import read_series
from unrolled.errors import ArgumentError, Fault, fault, raise_any
from unrolled.evaluation.arrays import count
from unrolled.evaluation.baselines import BASELINES
from unrolled.evaluation.folds import Job, Outcome, plan_folds, run
from unrolled.evaluation.gathering import put_together
from unrolled.evaluation.named import named_baselines
from unrolled.evaluation.probabilistic import checked_level
from unrolled.messages import text
from unrolled.progress import counting_bar

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from unrolled.evaluation.folds import CanForecast, Extra
    from unrolled.evaluation.rolling import Backtest


def backtest(
    forecaster: CanForecast,
    y: Any,
    *,
    horizon: int | None = None,
    folds: int = 5,
    step: int | None = None,
    refit: bool | int = True,
    levels: Sequence[float] = (),
    baselines: Sequence[str] = tuple(BASELINES),
    season: int | None = None,
    at_least: int | None = None,
    jobs: int = 1,
    backend: Any = None,
    progress: bool | None = None,
    fit_params: Extra = None,
    predict_params: Extra = None,
) -> Backtest:
    """Fit and judge a forecaster at many origins, beside the baselines, with no look ahead.

    Fold i of F knows each series up to (F - 1 - i) * step + horizon points before its end, and forecasts the
    horizon points that follow. What it is given ends there, so nothing that `fit` does (scaling, early
    stopping, calibration) can see further. The forecaster itself stays as it is: every fit has its own copy,
    `type(forecaster)(**forecaster.get_params())`.

    Shapes:
        y: as for `to_panel`.

    Args:
        forecaster: an object with `get_params`, `fit(panel)` and `predict(panel)`; with `levels`, its
            `predict(panel, levels=[...])` answers an object with `y_hat`, `lower[level]` and `upper[level]`.
        y: the series, whole, read as the forecaster says in its arguments: columns of series and covariates,
            layout, step. NaN is missing. A fold knows its covariates of the past up to its origin, and those
            that are known ahead for all points that it forecasts.
        horizon: points to forecast from every origin, K; None is the forecaster's own.
        folds: how many origins, F.
        step: points between two origins; None is the horizon, so that every point is judged once.
        refit: True fits at every origin; False fits at the first and then only predicts from later ones;
            a number fits at every so manieth.
        levels: of intervals, in percent: (80, 95).
        baselines: by name, of `ALL_BASELINES`, at least one.
        season: points in a season; None is the forecaster's own, if it has one.
        at_least: points that a series must have before an origin to take part; None is one horizon more than
            the forecaster's window, or twice the horizon where it has none.
        jobs: fits that run side by side; -1 for one a processor. With more than one, a forecaster whose
            `threads` is None runs on one thread.
        backend: of joblib; None for threads, which the compiled core lets run side by side. "loky" for
            processes, where baselines that take long are Python.
        progress: whether to show a bar on stderr; None: where stderr is a terminal.
        fit_params: more arguments of `fit`: the same for every fold, or a function that is given the `Fold`
            (`number`, `back`, `series`) and must not look beyond its origin.
        predict_params: more arguments of `predict`, in the same way.

    Returns:
        What it found. After Ctrl-C, the folds that were done, and a warning.

    Raises:
        ArgumentError: an argument cannot work; all faults of the call are named at once.
        DataError: the series are too short for any fold, nothing was observed, or a forecast is not finite.
        KeyboardInterrupt: Ctrl-C before any fold was done.

    References:
        Tashman (2000), Out-of-sample tests of forecasting accuracy: an analysis and review. International
        Journal of Forecasting 16(4), 437-450.

    Example:
        >>> class Last:
        ...     def get_params(self):
        ...         return {}
        ...     def fit(self, panel):
        ...         return self
        ...     def predict(self, panel):
        ...         return np.repeat(panel.last(1), 2, axis=1)
        >>> found = backtest(Last(), np.arange(20.0), horizon=2, folds=3)
        >>> found.n_done, found.rows["network"]["mae"], found.comparison.best
        (3, 1.5, 'drift')
        >>> found.origins[:, 0].tolist()
        [14, 16, 18]
    """
    params = forecaster.get_params()
    ahead, season = _horizon(horizon, params), params.get("season") if season is None else season
    every = _checked(folds, step, refit, at_least, jobs, season)
    names = tuple(named_baselines(baselines))
    raise_any(ArgumentError, [] if names else [fault("backtest.no-baseline")])
    percents = tuple(checked_level(level) for level in levels)
    panel = read_series(y, params)
    plan = plan_folds(
        panel.lengths,
        horizon=ahead,
        folds=folds,
        step=step or ahead,
        refit_every=every or folds,
        at_least=at_least or ahead + (_whole(params.get("window")) or ahead),
    )
    parallel = jobs != 1 and len(plan) > 1
    job = Job(
        make=type(forecaster),
        params=_quiet(params, parallel=parallel),
        panel=panel.select(np.arange(panel.n_series)),
        folds=(),
        horizon=ahead,
        levels=percents,
        baselines=names,
        season=season,
        fit_params=fit_params,
        predict_params=predict_params,
    )
    work = [replace(job, folds=group) for group in plan]
    total = sum(map(len, plan))
    outcomes = _parallel(work, jobs, backend) if parallel else _serial(work)
    done, interrupted = _collected(outcomes, total, progress)
    if interrupted:
        warnings.warn(text("backtest.interrupted", done=len(done), total=total), stacklevel=2)
    return put_together(work, done, step=step or ahead, n_folds=folds, interrupted=interrupted)


def _horizon(horizon: int | None, params: dict[str, Any]) -> int:
    """Return the points to forecast."""
    own = _whole(params.get("horizon"))
    ahead = own if horizon is None else count("horizon", horizon)
    if ahead is None:
        raise ArgumentError(fault("backtest.horizon-unknown"))
    if own is not None and ahead > own:
        raise ArgumentError(fault("backtest.horizon", horizon=ahead, forecast=own))
    return ahead


def _whole(value: object) -> int | None:
    """Return a whole number of at least 1, or None."""
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        return None
    return number if number >= 1 and not isinstance(value, bool) else None


def _checked(
    folds: int, step: int | None, refit: bool | int, at_least: int | None, jobs: int, season: int | None
) -> int:
    """Return the folds that share one fit (0 for all), once all counts are known to be such."""
    faults: list[Fault] = []
    counts = {"folds": folds, "step": step, "at_least": at_least, "season": season}
    if not isinstance(refit, bool):
        counts["refit"] = refit
    for name, value in counts.items():
        if (value is not None or name in ("folds", "refit")) and _whole(value) is None:
            faults.append(fault("evaluation.count", name=name, got=repr(value)))
    if jobs != -1 and _whole(jobs) is None:
        faults.append(fault("backtest.jobs", got=repr(jobs)))
    raise_any(ArgumentError, faults)
    return int(refit) if not isinstance(refit, bool) else int(refit is True)


def _quiet(params: dict[str, Any], *, parallel: bool) -> dict[str, Any]:
    """Return the arguments of the copies: no bar of their own, and one thread where many run side by side."""
    changed: dict[str, Any] = {"progress": False} if params.get("progress", False) is None else {}
    if parallel and params.get("threads", 1) is None:
        changed["threads"] = 1
    return {**params, **changed}


def _serial(work: list[Job]) -> Iterator[Outcome]:
    for job in work:
        yield from run(job)


def _parallel(work: list[Job], jobs: int, backend: Any) -> Generator[Outcome]:
    """Yield the outcomes in order as they come."""
    joblib = importlib.import_module("joblib")
    prefer = "threads" if backend is None else None
    pool = joblib.Parallel(n_jobs=jobs, backend=backend, prefer=prefer, return_as="generator")
    batches = pool(joblib.delayed(_whole_job)(job) for job in work)
    try:
        for batch in batches:
            yield from batch
    finally:
        with warnings.catch_warnings():  # that work was given up is said by us, where it was
            warnings.filterwarnings("ignore", message=".*have been cancelled")
            batches.close()


def _whole_job(job: Job) -> list[Outcome]:
    """Return what came of the folds of one job; Ctrl-C, where it comes here too, ends the last of them."""
    done: list[Outcome] = []
    try:
        done.extend(run(job))
    except KeyboardInterrupt:  # raised here it would take the finished folds of others with it
        done.append(Outcome.stopped(job.folds[-1]))
    return done


def _collected(outcomes: Iterator[Outcome], total: int, progress: bool | None) -> tuple[list[Outcome], bool]:
    """Return what was done, and whether it was stopped before the end."""
    done: list[Outcome] = []
    try:
        with counting_bar(progress, total) as bar:
            for outcome in outcomes:
                if outcome.interrupted:
                    raise KeyboardInterrupt
                done.append(outcome)
                if bar is not None:
                    bar(len(done))
    except KeyboardInterrupt:
        if not done:
            raise
        return done, True
    return done, False
