"""The network beside every baseline on points that none of them has seen, in one table and in plain words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled import messages
from unrolled.errors import ArgumentError, DataError, fault, raise_any
from unrolled.evaluation.arrays import count, many, numbers, series, value_faults
from unrolled.evaluation.baselines import BASELINES
from unrolled.evaluation.judging import aligned, apart, judge, lowest, mean_of, scales_of, scores
from unrolled.evaluation.metrics import METRICS
from unrolled.evaluation.named import ALL_BASELINES, named_baselines

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Comparison:
    """What every method scored on the same held-out points.

    A score is the mean over the series of each series' own score. MASE leaves out the series whose training
    part repeats itself exactly (all rows leave out the same ones); where that is all of them, MAE decides
    instead. A series never observed before the forecast, or never after it, is left out altogether.

    Args:
        rows: the scores, `rows[method][metric]`: first the models, then the baselines.
        models: the methods that are compared with the baselines.
        horizon: points held out of every series.
        season: points in a season, or `None`.
        n_series: series compared; every channel of a series counts as one, and so does every fold of it.
        n_constant: series whose training part never changes, or repeats its season exactly.
        n_short: series that are not longer than the season, whose MASE is scaled with season 1.
        wins: series on which the best model is closer than the best baseline, by MAE.
        selected: whether the models' weights were chosen on these very points.
        sampled_from: of how many series these were taken, where it is not all of them.
        n_missing: series left out because no value of theirs was observed, before the forecast or after it.
        folds: stretches of time that were forecast one after the other.

    Example:
        >>> report = compare([1.0, 2.0, 3.0, 4.0], [5.0, 6.0], {"network": [5.0, 6.5]})
        >>> report.best, report.baseline_is_better
        ('drift', True)
        >>> report.rows["network"]["mase"]
        0.25
    """

    rows: dict[str, dict[str, float]]
    models: tuple[str, ...]
    horizon: int
    season: int | None
    n_series: int
    n_constant: int
    n_short: int
    wins: int
    selected: bool = False
    sampled_from: int | None = None
    n_missing: int = 0
    folds: int = 1

    @property
    def baselines(self) -> tuple[str, ...]:
        """The methods that are not models."""
        return tuple(name for name in self.rows if name not in self.models)

    @property
    def judged_by(self) -> str:
        """The metric that decides which method is best: "mase", or "mae" where no series can be scaled."""
        return judge(self.n_constant, self.n_series)

    @property
    def best_model(self) -> str:
        """The model with the lowest score."""
        return lowest(self.rows, self.models, self.judged_by)

    @property
    def best_baseline(self) -> str:
        """The baseline with the lowest score."""
        return lowest(self.rows, self.baselines, self.judged_by)

    @property
    def best(self) -> str:
        """The method with the lowest score; where a model and a baseline share it, the simpler baseline."""
        return lowest(self.rows, (self.best_baseline, self.best_model), self.judged_by)

    @property
    def baseline_is_better(self) -> bool:
        """Whether a baseline scores lower than every model."""
        return self._score(self.best_baseline) < self._score(self.best_model)

    def sentences(self) -> list[str]:
        """Return what the table means, in the language in force: who is better, and on how much evidence."""
        model, baseline = self.best_model, self.best_baseline
        mine, theirs = self._score(model), self._score(baseline)
        outcome = "equal" if mine == theirs else "baseline-better" if theirs < mine else "model-better"
        here, there = apart(mine, theirs)
        told = [
            messages.text(
                f"comparison.{outcome}",
                model=model,
                baseline=baseline,
                metric=METRICS[self.judged_by].label,
                model_score=here,
                baseline_score=there,
            )
        ]
        if self.folds > 1:
            evidence = "comparison.wins-folds"
        else:
            evidence = "comparison.one-series" if self.n_series == 1 else "comparison.wins"
        told.append(
            messages.text(
                evidence,
                model=model,
                baseline=baseline,
                wins=self.wins,
                n_series=self.n_series,
                horizon=self.horizon,
                folds=self.folds,
            )
        )
        if self.n_constant:
            told.append(messages.text("comparison.constant", count=self.n_constant, n_series=self.n_series))
        if self.n_short:
            told.append(
                messages.text(
                    "comparison.short", count=self.n_short, n_series=self.n_series, season=self.season
                )
            )
        if self.n_missing:
            told.append(messages.text("comparison.missing", count=self.n_missing))
        if self.sampled_from:
            told.append(messages.text("comparison.sampled", n_series=self.n_series, total=self.sampled_from))
        if self.selected:
            told.append(messages.text("comparison.selected"))
        return told

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values for JSON; a score that is not finite becomes `None`."""
        return {
            "rows": {
                name: {metric: value if math.isfinite(value) else None for metric, value in row.items()}
                for name, row in self.rows.items()
            },
            "models": list(self.models),
            "baselines": list(self.baselines),
            "best": self.best,
            "baseline_is_better": self.baseline_is_better,
            "judged_by": self.judged_by,
            "horizon": self.horizon,
            "season": self.season,
            "n_series": self.n_series,
            "n_constant": self.n_constant,
            "n_short": self.n_short,
            "wins": self.wins,
            "selected": self.selected,
            "sampled_from": self.sampled_from,
            "n_missing": self.n_missing,
            "folds": self.folds,
        }

    def __str__(self) -> str:
        """Return the table, the best score of every column marked, and what it means."""
        season = messages.text("comparison.no-season") if self.season is None else self.season
        title = messages.text("comparison.title", horizon=self.horizon, n_series=self.n_series, season=season)
        return "\n".join([title, *self.table(), *self.sentences()])

    def table(self) -> list[str]:
        """Return the lines of the table, the best score of every column marked, and what the mark means."""
        metrics = list(next(iter(self.rows.values())))
        lowest = {metric: min(row[metric] for row in self.rows.values()) for metric in metrics}
        header = [messages.text("comparison.method"), *(f"{METRICS[metric].label} " for metric in metrics)]
        lines = [header]
        for name, row in self.rows.items():
            scores = (f"{row[metric]:.4g}" + (" ", "*")[row[metric] == lowest[metric]] for metric in metrics)
            lines.append([name, *scores])
        return [*aligned(lines), messages.text("comparison.legend")]

    def _score(self, method: str) -> float:
        return self.rows[method][self.judged_by]


def compare(
    y_train: ArrayLike,
    y_true: ArrayLike,
    forecasts: Mapping[str, ArrayLike],
    *,
    season: int | None = None,
    baselines: Sequence[str] = tuple(BASELINES),
) -> Comparison:
    """Score the forecasts of one or more models, and of every baseline, against what came.

    Shapes:
        y_train: one array is one series, `[T]` or `[T, C]`; a list or tuple of arrays is S series, each of
            its own length.
        y_true, each of forecasts: `[K]` or `[K, C]` for one series, `[S, K]` or `[S, K, C]` for S.

    Args:
        y_train: what was known before the first forecast; the baselines forecast from it. NaN is missing.
        y_true: what came. NaN is missing.
        forecasts: what each model forecast, by its name.
        season: points in a season, for the seasonal naive, the autoregression and MASE.
        baselines: by name, of `ALL_BASELINES`, at least one.

    Returns:
        The scores and what they mean.

    Raises:
        KindError: an argument is not made of arrays of numbers.
        DataError: an array is empty or not finite, the shapes do not fit together, or no series was observed
            both before and after the first forecast.
        ArgumentError: there is no forecast, one has a baseline's name, there is no such baseline, or `season`
            is not a whole number of at least 1.

    Example:
        >>> known = [[1.0, 2.0, 1.0, 3.0, 2.0, 3.0], [3.0, 3.0, 3.0]]
        >>> report = compare(known, [[1.0, 2.0], [3.0, 4.0]], {"network": [[1.0, 2.0], [3.0, 3.0]]}, season=2)
        >>> report.n_series, report.n_constant, report.judged_by
        (2, 1, 'mase')
    """
    if not forecasts:
        raise ArgumentError(fault("comparison.nothing"))
    raise_any(
        ArgumentError, [fault("comparison.name", name=name) for name in forecasts if name in ALL_BASELINES]
    )
    rivals = named_baselines(baselines)
    if not rivals:
        raise ArgumentError(fault("comparison.no-baseline", known=", ".join(ALL_BASELINES)))
    if season is not None:
        count("season", season)
    parts = many(y_train)
    known = (
        [series(y_train, name="y_train", missing=True)]
        if parts is None
        else [series(one, name=f"y_train[{s}]", missing=True) for s, one in enumerate(parts)]
    )
    true = _stacked("y_true", y_true, known, single=parts is None)
    methods = {
        name: _stacked(name, given, known, single=parts is None, like=true)
        for name, given in forecasts.items()
    }
    trained = [channel for one in known for channel in _by_channel(one)]
    seen = np.array([bool((~np.isnan(one)).any()) for one in trained]) & ~np.isnan(true).all(axis=-1)
    if not seen.any():
        raise DataError(fault("comparison.nothing-observed", n_series=len(trained)))
    trained = [one for one, observed in zip(trained, seen, strict=True) if observed]
    methods = {name: rows[seen] for name, rows in methods.items()}
    for name, rival in rivals.items():
        methods[name] = np.stack([rival(one, true.shape[1], season=season) for one in trained])
    return judged(
        true[seen],
        methods,
        scales_of(trained, season or 1),
        np.array([len(one) for one in trained]),
        models=tuple(forecasts),
        season=season,
        n_missing=int((~seen).sum()),
    )


def judged(
    true: NDArray[np.float64],
    methods: Mapping[str, NDArray[np.float64]],
    scales: Mapping[str, NDArray[np.float64]],
    lengths: NDArray[np.int64],
    *,
    models: tuple[str, ...],
    season: int | None,
    n_missing: int = 0,
    folds: int = 1,
) -> Comparison:
    """Score forecasts that are rows already, those of the models first, then those of the baselines.

    Shapes:
        true, each of methods: `[R, K]`; each of scales, lengths: `[R]`.

    Args:
        true: what came; of every row something was observed.
        methods: what each method forecast, by its name.
        scales: what MASE divides by in each row, as `judging.scales_of` gives it.
        lengths: points known before the first forecast of each row, of which something was observed.
        models: the methods that are compared with the others.
        season: points in a season, or None.
        n_missing: rows that were left out because nothing was observed.
        folds: stretches of time that the rows come from.
    """
    period = season or 1
    constant = scales["mase"] == 0
    scored = {name: scores(true, pred, scales) for name, pred in methods.items()}
    rows = {
        name: {key: mean_of(key, each, constant) for key, each in by_metric.items()}
        for name, by_metric in scored.items()
    }
    decides = judge(int(constant.sum()), len(true))
    model = lowest(rows, models, decides)
    rival = lowest(rows, (name for name in methods if name not in models), decides)
    return Comparison(
        rows=rows,
        models=models,
        horizon=true.shape[1],
        season=season,
        n_series=len(true),
        n_constant=int(constant.sum()),
        n_short=0 if period == 1 else int((lengths <= period).sum()),
        wins=int((scored[model]["mae"] < scored[rival]["mae"]).sum()),
        n_missing=n_missing,
        folds=folds,
    )


def _stacked(
    name: str,
    given: ArrayLike,
    known: list[NDArray[np.float64]],
    *,
    single: bool,
    like: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return `[S * C, K]`, a row for every channel of every series, from any shape that `compare` takes."""
    parts = [given] if single else many(given) or list(numbers(name, given))
    if len(parts) != len(known):
        raise DataError(fault("comparison.count", name=name, got=len(parts), n_series=len(known)))
    labels = [name if single else f"{name}[{s}]" for s in range(len(parts))]
    arrays = [numbers(labels[s], one) for s, one in enumerate(parts)]
    horizon = len(arrays[0]) if like is None else like.shape[1]
    for label, one, past in zip(labels, arrays, known, strict=True):
        wanted = (horizon, *past.shape[1:])
        faults = value_faults(label, one, missing=like is None)  # of what came alone
        if len(one) != horizon or one.ndim > 2 or one.size * len(past) != past.size * horizon:
            faults.append(fault("comparison.shape", name=label, wanted=wanted, got=one.shape))
        raise_any(DataError, faults)
    return np.concatenate([_by_channel(one) for one in arrays])


def _by_channel(one: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return `[C, T]` of one series `[T]` or `[T, C]`."""
    return one.reshape(len(one), -1).T
