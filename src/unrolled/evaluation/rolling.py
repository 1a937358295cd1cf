"""What a backtest found: one table, and the same scores by step, by series, by fold; intervals; evidence.

Knows arrays and the comparison; must not know panels or the forecaster.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled import messages
from unrolled.errors import ArgumentError, fault, nearest
from unrolled.evaluation.evidence import (
    Collapse,
    Evidence,
    closed_loop_drift,
    collapse,
    copy_meter,
    range_shift,
)
from unrolled.evaluation.folds import NETWORK, SCALED
from unrolled.evaluation.metrics import COMPARED, METRICS
from unrolled.evaluation.probabilistic import coverage, interval_width, scaled_interval_score

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from unrolled.evaluation.comparison import Comparison

BACKTESTED = (*COMPARED, "rmsse")
"""The metrics that a backtest can be asked for."""


@dataclass(frozen=True)
class LevelCoverage:
    """How the intervals of one level did.

    Args:
        promised: the level, as a share.
        reached: the share of what came that lies inside.
        by_horizon: the same by step.
        width: the mean width, in the units of the series.
        msis: M4's mean scaled interval score, the mean over all rows whose scale is not 0; NaN without any.
    """

    promised: float
    reached: float
    by_horizon: tuple[float, ...]
    width: float
    msis: float


@dataclass(frozen=True, eq=False)
class Backtest:
    """A forecaster and the baselines at many origins, none of which has seen what it was judged on.

    A row is one series (each channel by itself) in one fold. A score of `rows` is the mean over the rows of
    each row's own score, as in a `Comparison`.

    Shapes:
        F folds, the earliest first; S series; K steps; C channels. actual, each of forecasts, lower, upper:
        `[F, S, K, C]`, NaN where a series is not in a fold or a fold was not done; origins: `[F, S]`;
        scales, last, low, high: `[F, S, C]`; seconds: `[F]`.

    Args:
        comparison: the table and who is better.
        actual: what came; NaN is missing.
        forecasts: by method, "network" first.
        lower, upper: the ends of the network's intervals, by level.
        origins: how many points of a series were known; -1 where the series is not in the fold.
        scales: what MASE and RMSSE divide by, by metric.
        last, low, high: the last, the smallest and the largest value that was known.
        seconds: by "fit" and "predict" of the network, a number for every fold; NaN where it was not done.
        ids: the names of the series.
        step: points between two origins.
        n_short: by fold, how many series were too short for it.
        n_folds: how many folds were asked for; those without a series long enough have no place in the
            arrays.
        interrupted: whether Ctrl-C stopped it; what was done is here.
    """

    comparison: Comparison
    actual: NDArray[np.float64]
    forecasts: dict[str, NDArray[np.float64]]
    lower: dict[float, NDArray[np.float64]]
    upper: dict[float, NDArray[np.float64]]
    origins: NDArray[np.int64]
    scales: dict[str, NDArray[np.float64]]
    last: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    seconds: dict[str, NDArray[np.float64]]
    ids: tuple[object, ...]
    step: int
    n_short: tuple[int, ...] = field(default=())
    n_folds: int = 1
    interrupted: bool = False

    @property
    def rows(self) -> dict[str, dict[str, float]]:
        """The scores, `rows[method][metric]`: the network, then the baselines."""
        return self.comparison.rows

    @property
    def horizon(self) -> int:
        """Points forecast from every origin, K."""
        return int(self.actual.shape[2])

    @property
    def season(self) -> int | None:
        """Points in a season, or None."""
        return self.comparison.season

    @property
    def n_done(self) -> int:
        """How many folds were done."""
        return int((self.origins >= 0).any(axis=1).sum())

    @property
    def coverage(self) -> dict[float, LevelCoverage]:
        """By level, what its intervals promised and what they reached, how wide they are, and their MSIS."""
        keep = self._kept()
        true, scale = self._taken(self.actual, keep), self.scales["mase"][keep]
        found = {}
        for level in self.lower:
            low, high = self._taken(self.lower[level], keep), self._taken(self.upper[level], keep)
            sound = scale > 0
            score = math.nan
            if sound.any():
                ends = true[sound], low[sound], high[sound]
                each = np.asarray(scaled_interval_score(*ends, scale[sound], level=level, axis=-1))
                score = float(each.mean())
            found[level] = LevelCoverage(
                promised=level / 100,
                reached=float(coverage(true, low, high)),
                by_horizon=tuple(np.asarray(coverage(true, low, high, axis=0)).tolist()),
                width=float(interval_width(true, low, high)),
                msis=score,
            )
        return found

    def per_horizon(self, metric: str = "mase") -> dict[str, NDArray[np.float64]]:
        """Return a metric step by step, over all rows: by method, `[K]`.

        A metric that scales by the training part leaves out the rows whose scale is 0.

        Raises:
            ArgumentError: there is no such metric here.
        """
        scale, keep = self._scale(metric)
        if not keep.any():
            return {name: np.full(self.horizon, np.nan) for name in self.forecasts}
        unit = 1.0 if scale is None else scale[:, None]
        true, one = self._taken(self.actual, keep) / unit, np.ones(())
        return {
            name: np.asarray(METRICS[metric].scored(true, self._taken(cube, keep) / unit, one, axis=0))
            for name, cube in self.forecasts.items()
        }

    def per_series(self, metric: str = "mase") -> dict[str, NDArray[np.float64]]:
        """Return a metric series by series, the mean over folds and channels: by method, `[S]`.

        NaN for a series that was in no fold, or whose every scale is 0.

        Raises:
            ArgumentError: there is no such metric here.
        """
        return self._means(metric, 1)

    def per_fold(self, metric: str = "mase") -> dict[str, NDArray[np.float64]]:
        """Return a metric fold by fold, the mean over series and channels: by method, `[F]`.

        NaN for a fold that was not done.

        Raises:
            ArgumentError: there is no such metric here.
        """
        return self._means(metric, 0)

    def evidence(self, *, one_step: ArrayLike | None = None) -> Evidence:
        """Return what the network's forecasts do: copy, flatten out, leave the known range.

        Args:
            one_step: forecasts of each point from the true points before it, `[F, S, K, C]`: what
                `closed_loop_drift` compares with.

        Raises:
            DataError: `one_step` is not of that shape.
        """
        keep = self._kept()
        true, pred = self._taken(self.actual, keep), self._taken(self.forecasts[NETWORK], keep)
        shifted = range_shift(*self._by_series(keep))
        drift = None
        if one_step is not None:
            stepped = np.asarray(one_step, dtype=np.float64)
            cube = stepped if stepped.shape != self.actual.shape else self._taken(stepped, keep)
            drift = closed_loop_drift(true, pred, cube)
        return Evidence(copy_meter(true, pred, self.last[keep]), self._collapse(keep), shifted, drift)

    def sentences(self) -> list[str]:
        """Return what the table means, in the language in force."""
        told = self.comparison.sentences()
        told += [
            messages.text(
                "backtest.coverage",
                level=f"{level:g}",
                reached=found.reached,
                width=found.width,
                msis=found.msis,
            )
            for level, found in self.coverage.items()
        ]
        if any(self.n_short):
            told.append(messages.text("backtest.short", counts=", ".join(map(str, self.n_short))))
        if self.interrupted:
            told.append(messages.text("backtest.interrupted", done=self.n_done, total=self.n_folds))
        return told

    def to_dict(self) -> dict[str, Any]:
        """Return all but the forecasts themselves as plain values for JSON; what is not finite is `None`."""
        judged = self.comparison.judged_by
        by = {"horizon": self.per_horizon(judged), "fold": self.per_fold(judged)}
        return {
            **self.comparison.to_dict(),
            "n_folds": self.n_folds,
            "n_done": self.n_done,
            "step": self.step,
            "interrupted": self.interrupted,
            "n_short": list(self.n_short),
            "seconds": {name: _finite(each.tolist()) for name, each in self.seconds.items()},
            **{
                f"per_{name}": {method: _finite(each.tolist()) for method, each in table.items()}
                for name, table in by.items()
            },
            "coverage": [
                {name: _finite(value) for name, value in asdict(found).items()}
                for found in self.coverage.values()
            ],
        }

    def __str__(self) -> str:
        """Return the table, the best score of every column marked, and what it means."""
        season = messages.text("comparison.no-season") if self.season is None else self.season
        title = messages.text(
            "backtest.title",
            folds=self.n_done,
            horizon=self.horizon,
            step=self.step,
            n_series=len(self.ids),
            season=season,
        )
        return "\n".join([title, *self.comparison.table(), *self.sentences()])

    def _kept(self) -> NDArray[np.bool_]:
        """Return which rows are there, `[F, S, C]`: in a fold that was done, observed before and after."""
        observed = (~np.isnan(self.actual)).any(axis=2)
        return np.asarray(observed & ~np.isnan(self.last))

    @staticmethod
    def _taken(cube: NDArray[np.float64], keep: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return rows of `[F, S, K, C]`, `[R, K]`."""
        return cube.transpose(0, 1, 3, 2)[keep]

    def _scale(self, metric: str) -> tuple[NDArray[np.float64] | None, NDArray[np.bool_]]:
        """Return the scales of the rows that a metric counts, and which they are."""
        if metric not in BACKTESTED:
            known = ", ".join(BACKTESTED)
            raise ArgumentError(
                fault("backtest.metric", name=metric, known=known, nearest=nearest(str(metric), BACKTESTED))
            )
        keep = self._kept()
        if metric not in SCALED:
            return None, keep
        keep &= self.scales[metric] > 0
        return self.scales[metric][keep], keep

    def _means(self, metric: str, axis: int) -> dict[str, NDArray[np.float64]]:
        """Return the means of the rows' scores by their place on one axis of `[F, S, C]`."""
        scale, keep = self._scale(metric)
        place, size = np.nonzero(keep)[axis], keep.shape[axis]
        counts = np.bincount(place, minlength=size)
        if not counts.any():
            return {name: np.full(size, np.nan) for name in self.forecasts}
        true = self._taken(self.actual, keep)
        found = {}
        for name, cube in self.forecasts.items():
            each = np.asarray(METRICS[metric].scored(true, self._taken(cube, keep), scale, axis=-1))
            sums = np.bincount(place, weights=each, minlength=size)
            found[name] = np.divide(sums, counts, out=np.full(size, np.nan), where=counts > 0)
        return found

    def _by_series(
        self, keep: NDArray[np.bool_]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return what came of each series in all folds, `[S, F * K * C]`: within 0 and 1 where it lay within
        what was known then, else 2; and that range, 0 and 1.
        """
        low, high = self.low[:, :, None], self.high[:, :, None]
        outside = np.where((self.actual < low) | (self.actual > high), 2.0, 0.5)
        place = np.where(np.isnan(self.actual) | ~keep[:, :, None], np.nan, outside)
        used = keep.any(axis=(0, 2))
        flat = place.transpose(1, 0, 2, 3).reshape(len(self.ids), -1)[used]
        return flat, np.zeros(len(flat)), np.ones(len(flat))

    def _collapse(self, keep: NDArray[np.bool_]) -> Collapse:
        """Return the spread of the forecasts, the windows of a series being its folds."""
        hidden = np.where(keep[:, :, None], self.actual, np.nan)
        pred = np.where(keep[:, :, None], self.forecasts[NETWORK], 0.0)

        def stacked(cube: NDArray[np.float64]) -> NDArray[np.float64]:
            folds, series, steps, channels = cube.shape
            return cube.transpose(1, 3, 0, 2).reshape(series * channels, folds, steps)

        return collapse(stacked(hidden), stacked(pred))


def _finite(value: Any) -> Any:
    """Return plain values for JSON."""
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
