"""What a trial has to do: learn from the past of the series, forecast what follows, be scored on it.

    series    |------------------------------------------------|
    fold 2    learn                      [judged]
    fold 1    learn                              [judged]
    holdout   learn, the winner alone                    [report]

Knows the Forecaster, panels and metrics. Must not know optuna.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.errors import DataError, UnrolledError, fault
from unrolled.evaluation import METRICS, Comparison, compare, mase_scale
from unrolled.messages import text
from unrolled.panel import as_cube, to_panel
from unrolled.parts import offsets_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from unrolled.forecaster import Forecaster
    from unrolled.panel import Panel
    from unrolled.training import Watcher

_MOST_SERIES = 200
"""Series in the report at the most; of more, so many are taken evenly."""


@dataclass(frozen=True, eq=False)
class Task:
    """Series, and how a forecaster is judged on them.

    Attributes:
        base: the forecaster whose arguments are kept where a trial says nothing.
        panel: all series, whole.
        season: points of a season, of the metric and the baselines; or None.
        metric: a name of `METRICS`.
        folds: how many stretches a trial is judged on.
        fit_params: given to every `fit`.
    """

    base: Forecaster
    panel: Panel
    season: int | None
    metric: str
    folds: int
    fit_params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def horizon(self) -> int:
        """K, the points of a stretch that is judged, and of the holdout."""
        return int(self.base.horizon)

    @cached_property
    def usable(self) -> NDArray[np.int64]:
        """The numbers of the series that have something to learn from before the first fold.

        Raises:
            DataError: there is none.
        """
        needed = (self.folds + 3) * self.horizon + (self.base.window or 1)
        long_enough = self.panel.lengths >= needed
        if not long_enough.any():
            raise DataError(
                fault(
                    "tune.too-short",
                    longest=int(self.panel.lengths.max()),
                    needed=needed,
                    folds=self.folds,
                    horizon=self.horizon,
                )
            )
        return np.flatnonzero(long_enough).astype(np.int64)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """What a window must fit into: what trials learn from, or all points of a series too short for them.

        Shapes:
            [S]
        """
        lengths = self.panel.lengths.copy()
        lengths[self.usable] -= (self.folds + 1) * self.horizon
        return lengths

    def make(self, params: Mapping[str, Any], **more: Any) -> Forecaster:
        """Return a forecaster like the base, with other arguments."""
        return type(self.base)(**{**self.base.get_params(), **params, **more})

    def judge(self, params: Mapping[str, Any], watch: Watcher | None, *, threads: int | None) -> float:
        """Return the mean score of a forecaster over the folds; no point of the holdout is read.

        Args:
            params: arguments to try.
            watch: of the training on the latest fold, which comes first.
            threads: at most so many.

        Raises:
            UnrolledError: the forecaster cannot be fitted, or says what is not finite.
        """
        scores = []
        for fold in range(1, self.folds + 1):
            known = without_last(self.panel, self.usable, (fold + 1) * self.horizon)
            fitted = self.make(params, progress=False, threads=threads)
            fitted.fit(known, watch=watch, **self.fit_params)
            watch = None if fold == 1 else watch
            came = without_last(self.panel, self.usable, fold * self.horizon).last(self.horizon)
            scores.append(self._score(known, came, as_cube(known, fitted.predict())))
        return float(np.mean(scores))

    def _score(self, known: Panel, came: NDArray[Any], forecasts: NDArray[Any]) -> float:
        """Return the mean over the series; those that MASE cannot scale are left out, where not all are."""
        true, pred, metric = _by_channel(came), _by_channel(forecasts), METRICS[self.metric]
        if "y_train" not in metric.needs:
            return float(np.mean(metric(true, pred, axis=-1)))
        trained = [known.series(s)[:, c] for s in range(known.n_series) for c in range(known.n_channels)]
        period = self.season or 1
        scaled = np.asarray(mase_scale(trained, season=period)) > 0
        if not scaled.any():
            return float(np.mean(METRICS["mae"](true, pred, axis=-1)))
        return float(np.mean(np.asarray(metric(true, pred, axis=-1, y_train=trained, season=period))[scaled]))

    def report(self, params: Mapping[str, Any]) -> Comparison:
        """Return the winner beside the base forecaster and the baselines, on what no trial has seen."""
        known = without_last(self.panel, self.usable, self.horizon)
        forecasts = {"tuned": self._continued(known, params)}
        if params:
            try:
                forecasts["default"] = self._continued(known, {})
            except UnrolledError as error:  # the winner is not lost because the default cannot be fitted
                warnings.warn(text("tune.no-default", reason=error), stacklevel=2)
        total = known.n_series
        some = np.linspace(0, total - 1, min(total, _MOST_SERIES)).astype(np.int64)
        actual = np.stack([self.panel.series(s)[-self.horizon :] for s in self.usable[some].tolist()])
        found = compare(
            [known.series(s) for s in some.tolist()],
            actual,
            {name: cube[some] for name, cube in forecasts.items()},
            season=self.season,
        )
        return replace(found, sampled_from=total if some.size < total else None)

    def _continued(self, known: Panel, params: Mapping[str, Any]) -> NDArray[Any]:
        """Return forecasts, [S, K, C], by a forecaster that learned from what is known."""
        return as_cube(known, self.make(params, progress=False).fit(known, **self.fit_params).predict())


def without_last(panel: Panel, series: NDArray[np.int64], points: int) -> Panel:
    """Return some of the series of a panel as a list, each without its last points."""
    spans = [(int(panel.offsets[s]), int(panel.offsets[s + 1]) - points) for s in series.tolist()]
    rows = np.concatenate([np.arange(first, end) for first, end in spans])
    return replace(
        panel,
        values=panel.values[rows],
        offsets=offsets_of(np.array([end - first for first, end in spans])),
        ids=tuple(panel.ids[s] for s in series.tolist()),
        kind="list",
        times=None if panel.times is None else panel.times[rows],
        steps=tuple(panel.steps[s] for s in series.tolist()) if panel.steps else (),
        columns=None,
    )


def series_of(y: object, base: Forecaster) -> Panel:
    """Return the series as a panel, as the forecaster would read them."""
    return to_panel(y, dtype=base.dtype)


def _by_channel(cube: NDArray[Any]) -> NDArray[np.float64]:
    """Return [S * C, K] of [S, K, C]."""
    return np.swapaxes(cube, 1, 2).reshape(-1, cube.shape[1]).astype(np.float64)
