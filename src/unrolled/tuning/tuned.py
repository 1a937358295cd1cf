"""Tuning: many forecasters tried on the past, the best one judged on points that no trial has seen."""

from __future__ import annotations

import hashlib
import json
import time
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.checks import check_parameters
from unrolled.covariates import pack, read_series
from unrolled.errors import ArgumentError, Fault, TrainingError, fault, nearest, raise_any
from unrolled.evaluation import METRICS, Comparison
from unrolled.forecaster import Forecaster
from unrolled.messages import text
from unrolled.network import is_number, is_whole
from unrolled.progress import search_bar
from unrolled.tuning.search import Search, load_optuna
from unrolled.tuning.space import Space, check_space, default_space
from unrolled.tuning.task import Task

if TYPE_CHECKING:
    from os import PathLike

_BESIDE = ("past", "known", "static")
"""Arguments of `fit` that are read once, for all trials."""

_SHOWN = 10
"""Trials that the table shows."""


@dataclass(frozen=True, eq=False)
class Tuned:
    """What `tune` found.

    Attributes:
        forecaster: the winner, fitted on all points of all series.
        params: what it has other than the base forecaster; empty where nothing that was tried is better.
        trials: one record for every finished trial, in their order: "number", "state" ("complete", "pruned",
            "failed"), "score" (None unless complete), "seconds", "params", "reason" (of a failed one). The
            first is the base forecaster as it is.
        report: the winner, the base forecaster ("default") and the baselines on the last K points of each
            series, which no trial has seen.
        metric: what the scores are.
        interrupted: whether Ctrl-C ended the search.
        seconds: of this run, all fits included.
    """

    forecaster: Forecaster
    params: dict[str, Any]
    trials: list[dict[str, Any]]
    report: Comparison
    metric: str
    interrupted: bool
    seconds: float

    @property
    def best(self) -> dict[str, Any]:
        """The record of the winner."""
        return _best_of(self.trials)

    def sentences(self) -> list[str]:
        """Return what was found, in the language in force."""
        states = [one["state"] for one in self.trials]
        counts = {state: states.count(state) for state in ("complete", "pruned", "failed")}
        label = METRICS[self.metric].label
        first = self.trials[0]["score"]
        told = [text("tune.counts", trials=len(states), seconds=self.seconds, **counts)]
        if self.params:
            change = ", ".join(f"{name}={value!r}" for name, value in self.params.items())
            told.append(text("tune.winner", params=change, metric=label, score=self.best["score"]))
            if first is not None:
                told.append(text("tune.default", metric=label, score=first))
        else:
            told.append(text("tune.nothing-better", metric=label, score=self.best["score"]))
        told.append(text("tune.unseen", points=self.report.horizon))
        rows, judge = self.report.rows, self.report.judged_by
        if "default" in rows and rows["default"][judge] < rows["tuned"][judge]:
            told.append(text("tune.default-better"))
        return told

    def table(self) -> str:
        """Return the best trials as a table, the lowest score first."""
        complete = [one for one in self.trials if one["score"] is not None]
        ranked = sorted(complete, key=lambda one: float(one["score"]))[:_SHOWN]
        names = list(dict.fromkeys(name for one in ranked for name in one["params"]))
        lines = [["trial", METRICS[self.metric].label, "s", *names]]
        for one in ranked:
            values = [_shown(one["params"][name]) if name in one["params"] else "" for name in names]
            lines.append([str(one["number"]), f"{one['score']:.4g}", f"{one['seconds']:.2f}", *values])
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join(
            "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        )

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the forecaster as plain values for JSON."""
        return {
            "params": self.params,
            "metric": self.metric,
            "score": self.best["score"],
            "trials": self.trials,
            "report": self.report.to_dict(),
            "interrupted": self.interrupted,
            "seconds": self.seconds,
        }

    def __str__(self) -> str:
        """Return the best trials, what they mean, and how good the winner is on points no trial has seen."""
        return "\n".join([self.table(), *self.sentences(), str(self.report)])


def tune(
    y: object,
    horizon: int,
    *,
    season: int | None = None,
    trials: int | None = 50,
    seconds: float | None = None,
    space: Space | None = None,
    metric: str = "mase",
    folds: int = 1,
    jobs: int = 1,
    storage: str | PathLike[str] | None = None,
    seed: int = 0,
    progress: bool | None = None,
    base: Forecaster | None = None,
    **fit_params: Any,
) -> Tuned:
    """Try forecasters on the past of the series, and return the best one, fitted on all of it.

    The last K points of each series are kept away from all trials: on them the winner is compared with the
    baselines and with the forecaster as it is without tuning. A trial learns from what lies before `folds`
    stretches of K points and is scored on these; where points are held out to choose its weights, one whose
    losses there stay behind those of the others is ended early. The first trial is the base forecaster as it
    is, so the winner is never worse there.
    Where nothing is said of members, validation, calibration, patience and `refit`, a trial is one member of
    the forecaster, without a rehearsal; the winner and the report are fitted as a forecaster always is.
    Series too short for that take part in the last fit alone.

    Ctrl-C ends the search; the best of the finished trials is the winner then, and a warning tells.

    Shapes:
        y: as for `Forecaster.fit`.

    Args:
        y: series to learn from, read as the base forecaster reads them: columns, missing points. Points that
            nobody saw are not judged.
        horizon: K, how many points to forecast.
        season: points of a season; None: that of the base forecaster.
        trials: how many, those that `storage` already keeps among them; None: as many as fit into `seconds`.
        seconds: no trial begins after so many; None: no limit.
        space: what is tried: a mapping of an argument to a list of values, to (low, high) or to
            (low, high, "log"); or a function that takes an optuna trial and returns arguments. None: the
            usual arguments, in ranges that suit the series: see `default_space`.
        metric: what is to be low: "mase", "mae", "rmse", "mse" or "smape".
        folds: stretches of K points that a trial is scored on.
        jobs: trials at a time, each on one thread where it is more than one.
        storage: a file that keeps the trials, so that a search that was ended goes on where it was; it is
            made if it is not there. One task a file, one search at a time.
        seed: of what is tried. With one job the same seed finds the same.
        progress: whether to show a bar on stderr; None: where stderr is a terminal.
        base: a forecaster whose other arguments are kept; what it sets itself is not tried by default.
        fit_params: given to every fit: past, known and static of the series, as for `Forecaster.fit`.

    Returns:
        The winner, fitted, and everything that was tried.

    Raises:
        ExtraError: optuna is not installed: `pip install 'unrolled[tune]'`.
        ArgumentError: an argument cannot work, or `storage` keeps trials of another task.
        DataError: the series cannot be learned from.
        FileError: `storage` cannot be used.
        TrainingError: every trial failed.
        KeyboardInterrupt: Ctrl-C before a trial was finished.

    Example:
        >>> y = np.sin(np.arange(120) * 2 * np.pi / 12)
        >>> tuned = tune(y, 3, season=12, trials=3, space={"hidden_size": [4, 8], "steps": [20]})
        >>> len(tuned.trials), tuned.forecaster.predict().shape
        (3, (3,))
    """
    began = time.perf_counter()
    base = _base(base, horizon, season)
    _check(trials, seconds, metric, folds, jobs, seed)
    check_parameters(base.get_params())
    load_optuna()  # one that is missing is told before anything is read
    beside = {name: fit_params[name] for name in _BESIDE if name in fit_params}
    others = {name: value for name, value in fit_params.items() if name not in _BESIDE}
    panel = read_series(y, base.get_params(), **beside)
    task = Task(base, panel, base.season, metric, folds, others)
    lengths = task.lengths  # series that are too short are told before any trial
    task.check()
    if space is None:
        space = default_space(lengths, horizon=task.horizon, season=task.season, base=base)
    check_space(space, base)
    identity = _identity(task, space, seed)
    search = Search(task, space, jobs=jobs, storage=storage, seed=seed, identity=identity)
    with search_bar(progress) as tell:
        search.run(trials, seconds, tell)
    records = search.records
    winner = _winner(records, interrupted=search.interrupted)
    if search.interrupted:
        warnings.warn(text("tune.interrupted", done=len(records)), stacklevel=2)
    report = task.report(winner["params"])
    forecaster = task.make(winner["params"]).fit(y, **fit_params)
    took = time.perf_counter() - began
    return Tuned(forecaster, winner["params"], records, report, metric, search.interrupted, took)


def _base(base: Forecaster | None, horizon: int, season: int | None) -> Forecaster:
    """Return a forecaster of that horizon and season."""
    base = Forecaster(horizon) if base is None else type(base)(**base.get_params())
    base.set_params(horizon=horizon)
    return base if season is None else base.set_params(season=season)


def _check(trials: int | None, seconds: float | None, metric: str, folds: int, jobs: int, seed: int) -> None:
    """Refuse what cannot work, all of it at once.

    Raises:
        ArgumentError: at least one argument cannot work.
    """
    faults: list[Fault] = []
    numbers: dict[str, tuple[Any, int]] = {"folds": (folds, 1), "jobs": (jobs, 1), "seed": (seed, 0)}
    if trials is not None:
        numbers["trials"] = (trials, 1)
    for name, (value, least) in numbers.items():
        if not (is_whole(value) and least <= value < 2**31):
            faults.append(fault("argument.whole", name=name, got=repr(value), least=least, most=2**31 - 1))
    if seconds is not None and not (is_number(seconds) and 0 < seconds < np.inf):
        faults.append(fault("argument.number", name="seconds", got=repr(seconds), low="0", high="inf"))
    if trials is None and seconds is None:
        faults.append(fault("tune.endless"))
    known = [name for name, one in METRICS.items() if "quantiles" not in one.needs]
    if metric not in known:
        faults.append(
            fault(
                "argument.choice",
                name="metric",
                got=repr(metric),
                known=", ".join(known),
                nearest=nearest(str(metric), known),
            )
        )
    raise_any(ArgumentError, faults)


def _identity(task: Task, space: Space, seed: int) -> str:
    """Return what trials are about, as text: the series, how they are judged, what is tried."""
    panel = task.panel
    found = hashlib.blake2b(panel.values.tobytes() + panel.offsets.tobytes(), digest_size=16)
    if panel.covariates is not None:
        arrays, header = pack(panel.covariates)
        found.update(json.dumps(header, sort_keys=True).encode())
        for one in arrays.values():
            found.update(one.tobytes())
    digest = found.hexdigest()
    kept = {
        name: value for name, value in task.base.get_params().items() if name not in ("progress", "threads")
    }
    tried = getattr(space, "__qualname__", "function") if callable(space) else dict(space)
    facts = {"series": digest, "metric": task.metric, "folds": task.folds, "seed": seed}
    return json.dumps({**facts, "base": kept, "space": tried}, default=repr, sort_keys=True)


def _winner(records: list[dict[str, Any]], *, interrupted: bool) -> dict[str, Any]:
    """Return the record with the lowest score, the first of those that share it.

    Raises:
        KeyboardInterrupt: the search was ended before there was one.
        TrainingError: every trial failed.
    """
    if any(one["score"] is not None for one in records):
        return _best_of(records)
    if interrupted:
        raise KeyboardInterrupt
    reason = next(one["reason"] for one in records if one["reason"] is not None)
    raise TrainingError(fault("tune.all-failed", count=len(records), reason=reason))


def _best_of(records: list[dict[str, Any]]) -> dict[str, Any]:
    complete = [one for one in records if one["score"] is not None]
    return min(complete, key=lambda one: float(one["score"]))


def _shown(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
