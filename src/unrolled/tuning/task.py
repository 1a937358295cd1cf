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
from unrolled.panel import as_cube

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from unrolled.forecaster import Forecaster
    from unrolled.panel import Panel
    from unrolled.training import Watcher

_WATCHES = ("validation", "calibration", "patience", "refit")
"""Arguments that say what is held out, and for what."""

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

        Where nothing is said of members or of what is held out, one member is tried, which learns from all
        points before the fold, as those of the winner do; the rehearsal, which would only measure it, is left
        out.

        Args:
            params: arguments to try.
            watch: of the training on the latest fold, which comes first.
            threads: at most so many.

        Raises:
            UnrolledError: the forecaster cannot be fitted, or says what is not finite.
        """
        scores = []
        given = {**self.base.get_params(), **params}
        alone: dict[str, Any] = {} if given["members"] else {"members": 1}
        if all(given[name] is None for name in _WATCHES):
            alone["validation"] = 0
        for fold in range(1, self.folds + 1):
            known = self._known((fold + 1) * self.horizon)
            fitted = self.make({**params, **alone}, progress=False, threads=threads)
            fitted.fit(known, watch=watch, **self.fit_params)
            watch = None if fold == 1 else watch
            came = self.judged(fold)
            scores.append(self._score(known, came, as_cube(known, fitted.predict())))
        return float(np.mean(scores))

    def _known(self, points: int) -> Panel:
        """Return the usable series without their last points; what is known ahead goes on behind them."""
        return self.panel.select(self.usable).cut(points)

    def judged(self, fold: int) -> NDArray[Any]:
        """Return the points that a fold is judged on, NaN where nobody saw any; fold 0 is the holdout.

        Shapes:
            [s, K, C] of the s usable series.
        """
        end = fold * self.horizon
        ends = [self.panel.series(s) for s in self.usable.tolist()]
        return np.stack([one[len(one) - end - self.horizon : len(one) - end] for one in ends])

    def check(self) -> None:
        """See that in every stretch that is judged something was observed.

        Raises:
            DataError: nobody saw any point of one.
        """
        for fold in range(self.folds + 1):
            if np.isnan(self.judged(fold)).all():
                raise DataError(fault("tune.nothing-judged", back=fold * self.horizon, horizon=self.horizon))

    def _score(self, known: Panel, came: NDArray[Any], forecasts: NDArray[Any]) -> float:
        """Return the mean over the series of which points were seen.

        Those that MASE cannot scale are left out, where not all are.
        """
        true, pred, metric = _by_channel(came), _by_channel(forecasts), METRICS[self.metric]
        seen = np.asarray(np.isfinite(true).any(axis=-1))
        true, pred = true[seen], pred[seen]
        if "y_train" not in metric.needs:
            return float(np.mean(metric(true, pred, axis=-1)))
        channels = [known.series(s)[:, c] for s in range(known.n_series) for c in range(known.n_channels)]
        trained = [one for one, some in zip(channels, seen.tolist(), strict=True) if some]
        period = self.season or 1
        scaled = np.asarray(mase_scale(trained, season=period)) > 0
        if not scaled.any():
            return float(np.mean(METRICS["mae"](true, pred, axis=-1)))
        return float(np.mean(np.asarray(metric(true, pred, axis=-1, y_train=trained, season=period))[scaled]))

    def report(self, params: Mapping[str, Any]) -> Comparison:
        """Return the winner beside the base forecaster and the baselines, on what no trial has seen."""
        known = self._known(self.horizon)
        forecasts = {"tuned": self._continued(known, params)}
        if params:
            try:
                forecasts["default"] = self._continued(known, {})
            except UnrolledError as error:  # the winner is not lost because the default cannot be fitted
                warnings.warn(text("tune.no-default", reason=error), stacklevel=2)
        total = known.n_series
        some = np.linspace(0, total - 1, min(total, _MOST_SERIES)).astype(np.int64)
        actual = self.judged(0)[some]
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


def _by_channel(cube: NDArray[Any]) -> NDArray[np.float64]:
    """Return [S * C, K] of [S, K, C]."""
    return np.swapaxes(cube, 1, 2).reshape(-1, cube.shape[1]).astype(np.float64)
