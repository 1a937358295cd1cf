"""The folds of a backtest: where each begins, which series it has, and how one is run.

A fold sees a panel that ends at its origin, and nothing of what lies beyond: what is learned, scaled, held
out or calibrated inside `fit` comes from there. Knows panels; must not know the forecaster, how folds run
side by side, or the result.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeAlias

import numpy as np

from unrolled.errors import ArgumentError, DataError, fault
from unrolled.evaluation.judging import scales_of
from unrolled.evaluation.named import ALL_BASELINES
from unrolled.panel import as_cube

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from unrolled.panel import Panel

NETWORK = "network"
"""How the forecaster is called in tables."""

SCALED = ("mase", "rmsse")
"""The metrics whose scales every fold takes from its own past."""


class CanForecast(Protocol):
    """What a backtest asks of a forecaster."""

    def get_params(self) -> dict[str, Any]:  # pragma: no cover
        """Return the arguments that make another of its kind."""
        ...

    @property
    def fit(self) -> Callable[..., Any]:  # pragma: no cover
        """Learn from a panel: `fit(panel, ...)`."""
        ...

    @property
    def predict(self) -> Callable[..., Any]:  # pragma: no cover
        """Forecast the points that follow each series of a panel: `predict(panel, ...)`."""
        ...


@dataclass(frozen=True, eq=False)
class Fold:
    """One origin: the past is known, the next points are to be forecast.

    Args:
        number: from 0, the earliest.
        back: points that lie beyond the origin, at the end of each series.
        series: the numbers of the series that take part.
    """

    number: int
    back: int
    series: NDArray[np.int64]


Extra: TypeAlias = "Mapping[str, Any] | Callable[[Fold], Mapping[str, Any]] | None"
"""More arguments of `fit` or `predict`: the same for every fold, or a function that is told the fold."""


@dataclass(frozen=True, eq=False)
class Job:
    """Folds that share one fit, the earliest first, and all that they need; it can go to another process."""

    make: type[CanForecast]
    params: dict[str, Any]
    panel: Panel
    folds: tuple[Fold, ...]
    horizon: int
    levels: tuple[float, ...]
    baselines: tuple[str, ...]
    season: int | None
    fit_params: Extra
    predict_params: Extra


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of one fold.

    Shapes:
        s series of the fold: forecasts, lower, upper: `[s, K, C]`; scales, known: `[s, C]`.

    Args:
        number: of the fold.
        forecasts: by method, the network first.
        lower, upper: the ends of the network's intervals, by level.
        scales: what MASE and RMSSE divide by.
        known: by "last", "low" and "high", the last, the smallest and the largest value observed before the
            origin.
        fit_s, predict_s: seconds of the network; 0 for a fit that an earlier fold paid.
        interrupted: whether the fit was stopped by Ctrl-C; there is nothing else then.
    """

    number: int
    forecasts: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    lower: dict[float, NDArray[np.float64]] = field(default_factory=dict)
    upper: dict[float, NDArray[np.float64]] = field(default_factory=dict)
    scales: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    known: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    fit_s: float = 0.0
    predict_s: float = 0.0
    interrupted: bool = False

    @classmethod
    def stopped(cls, fold: Fold) -> Self:
        """Return the outcome of a fold whose fit was stopped."""
        return cls(fold.number, interrupted=True)


def plan_folds(
    lengths: NDArray[np.int64], *, horizon: int, folds: int, step: int, refit_every: int, at_least: int
) -> list[tuple[Fold, ...]]:
    """Return the folds, those together that share one fit.

    Fold i has its origin (folds - 1 - i) * step + horizon points before the end of each series. It takes the
    series that have at least `at_least` points before it; folds that share a fit share the series of the
    first of them. A fold without series is left out.

    Args:
        lengths: points of each series, [S].
        horizon: points to forecast, K.
        folds: how many.
        step: points between two origins.
        refit_every: folds that share one fit.
        at_least: points that a series must have before an origin.

    Raises:
        DataError: no series is long enough for the latest fold.

    Example:
        >>> plan = plan_folds(np.array([9, 20]), horizon=2, folds=3, step=3, refit_every=1, at_least=5)
        >>> [(fold.number, fold.back, fold.series.tolist()) for group in plan for fold in group]
        [(0, 8, [1]), (1, 5, [1]), (2, 2, [0, 1])]
    """
    backs = [(number, (folds - 1 - number) * step + horizon) for number in range(folds)]
    fits = {number: np.flatnonzero(lengths - back >= at_least) for number, back in backs}
    some = [(number, back) for number, back in backs if fits[number].size]
    if not some:
        longest = int(lengths.max())
        raise DataError(
            fault("backtest.too-short", longest=longest, needed=at_least + horizon, horizon=horizon)
        )
    groups = [some[first : first + refit_every] for first in range(0, len(some), refit_every)]
    return [tuple(Fold(number, back, fits[group[0][0]]) for number, back in group) for group in groups]


def run(job: Job) -> Iterator[Outcome]:
    """Fit once on the past of the first fold, forecast every fold, and yield what came of each.

    Raises:
        ArgumentError: the forecaster forecasts fewer points than the horizon.
        DataError: a forecast is not finite, or the forecaster cannot learn from the series.
    """
    forecaster: CanForecast | None = None
    for fold in job.folds:
        known = job.panel.select(fold.series).cut(fold.back)
        began, fitted = time.perf_counter(), 0.0
        if forecaster is None:
            forecaster = job.make(**job.params)
            forecaster.fit(known, **_extra(job.fit_params, fold))
            if getattr(getattr(forecaster, "history_", None), "stopped", None) == "interrupted":
                yield Outcome.stopped(fold)
                return
            fitted = time.perf_counter() - began
        began = time.perf_counter()
        point, lower, upper = _predicted(forecaster, known, job, fold)
        predicted = time.perf_counter() - began
        yield _outcome(job, fold, known, point, lower, upper, fitted, predicted)


def _predicted(
    forecaster: CanForecast, known: Panel, job: Job, fold: Fold
) -> tuple[NDArray[np.float64], dict[float, NDArray[np.float64]], dict[float, NDArray[np.float64]]]:
    """Return the network's forecasts of one fold, and both ends of its intervals by level."""
    more = _extra(job.predict_params, fold)
    if not job.levels:
        return _cube(forecaster.predict(known, **more), known, job, fold), {}, {}
    given = forecaster.predict(known, levels=list(job.levels), **more)
    lower = {level: _cube(given.lower[level], known, job, fold) for level in job.levels}
    upper = {level: _cube(given.upper[level], known, job, fold) for level in job.levels}
    return _cube(given.y_hat, known, job, fold), lower, upper


def _cube(given: Any, known: Panel, job: Job, fold: Fold) -> NDArray[np.float64]:
    """Return what a forecaster answered as `[s, K, C]`, and see that it can be judged."""
    cube = as_cube(known, given).astype(np.float64)
    if cube.shape[1] < job.horizon:
        raise ArgumentError(fault("backtest.horizon", horizon=job.horizon, forecast=cube.shape[1]))
    cube = cube[:, : job.horizon]
    if not np.isfinite(cube).all():
        bad = int(np.argwhere(~np.isfinite(cube))[0][0])
        raise DataError(fault("backtest.not-finite", fold=fold.number, series=known.ids[bad]))
    return cube


def _outcome(
    job: Job,
    fold: Fold,
    known: Panel,
    point: NDArray[np.float64],
    lower: dict[float, NDArray[np.float64]],
    upper: dict[float, NDArray[np.float64]],
    fit_s: float,
    predict_s: float,
) -> Outcome:
    """Return the forecasts of one fold beside those of the baselines, and what its past says."""
    channels = [known.series(s)[:, c] for s in range(known.n_series) for c in range(known.n_channels)]
    past = [np.asarray(one, dtype=np.float64) for one in channels]
    shape = (known.n_series, known.n_channels)
    seen = [one[~np.isnan(one)] for one in past]
    scales = {name: each.reshape(shape) for name, each in scales_of(past, job.season or 1, SCALED).items()}

    def of_each(one: Callable[[NDArray[np.float64]], float]) -> NDArray[np.float64]:
        return np.array([one(values) if values.size else np.nan for values in seen]).reshape(shape)

    forecasts = {NETWORK: point}
    for name in job.baselines:
        rows = [
            ALL_BASELINES[name](one, job.horizon, season=job.season)
            if values.size
            else np.full(job.horizon, np.nan)
            for one, values in zip(past, seen, strict=True)
        ]
        forecasts[name] = np.stack(rows).reshape(*shape, job.horizon).transpose(0, 2, 1)
    return Outcome(
        fold.number,
        forecasts,
        lower,
        upper,
        scales,
        {
            "last": of_each(lambda values: float(values[-1])),
            "low": of_each(lambda values: float(values.min())),
            "high": of_each(lambda values: float(values.max())),
        },
        fit_s,
        predict_s,
    )


def _extra(more: Extra, fold: Fold) -> dict[str, Any]:
    """Return the further arguments of a call for one fold."""
    return dict(more(fold) if callable(more) else more or {})
