"""The search: optuna proposes, trials run in threads, what is hopeless ends early, all of it can be kept.

The only place that imports optuna, and only when something is tuned. Whoever waits for the trials is the main
thread, so that Ctrl-C is heard at once whatever they do.
"""

from __future__ import annotations

import contextlib
import contextvars
import json
import statistics
import threading
import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.errors import ArgumentError, ExtraError, UnrolledError, fault
from unrolled.tuning.journal import opened
from unrolled.tuning.space import propose

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future
    from os import PathLike

    import optuna

    from unrolled.training import History, Plan, Watcher
    from unrolled.tuning.space import Space
    from unrolled.tuning.task import Task

_UNITS = ("loss", "delta", "quantiles", "scaling")
"""Arguments that decide in which units a validation loss is counted: only losses of one kind are compared."""

_WARM_UP = 20
"""Percent of its steps that a trial does before it may be ended early."""

_ENOUGH = 5
"""Finished trials of one kind before one may be ended early."""

_LOOK_S = 0.1
"""Waiting is broken off so often: a signal that another thread took is heard too."""

_REASON, _PARAMS, _SECONDS, _TASK = "reason", "params", "seconds", "task"


class _StopError(Exception):
    """Ends a trial because the search is over."""


@dataclass
class Outcome:
    """How a trial ended: with a score, hopeless, or with an error of ours."""

    score: float | None = None
    pruned: bool = False
    reason: str | None = None
    seconds: float = 0.0


class Search:
    """Trials of a task, done and to do.

    Args:
        task: what a trial has to do.
        space: what it may choose.
        jobs: trials at a time.
        storage: a file that keeps the trials; None: they are in memory alone.
        seed: of what is proposed.
        identity: what the trials are about; a file that is about something else is refused.

    Raises:
        ExtraError: optuna is not installed.
        ArgumentError: the file keeps the trials of another task.
        FileError: the file cannot be used.
    """

    def __init__(
        self,
        task: Task,
        space: Space,
        *,
        jobs: int,
        storage: str | PathLike[str] | None,
        seed: int,
        identity: str,
    ) -> None:
        self.optuna = load_optuna()
        self.task, self.space, self.jobs, self.seed = task, space, jobs, seed
        self.interrupted = False
        self._stop = threading.Event()
        with _quiet(self.optuna):
            self.study = opened(self.optuna, storage)
            known = self.study.user_attrs.get(_TASK)
            if known is not None and known != identity:
                raise ArgumentError(fault("tune.other-task", file=storage))
            if known is None:
                self.study.set_user_attr(_TASK, identity)

    def run(
        self, trials: int | None, seconds: float | None, tell: Callable[[int, int | None, str], None]
    ) -> None:
        """Do trials until there are as many, or the time is over; one at least. Ctrl-C ends it too.

        Args:
            trials: how many in all, those of an earlier run among them; None: as many as fit into the time.
            seconds: no trial begins after so many.
            tell: is told how many trials are done, of how many, and the best score.
        """
        began = time.perf_counter()
        pending: dict[Future[Outcome], optuna.Trial] = {}
        done = len(self.finished)
        tell(done, trials, "")

        def more() -> bool:
            begun = done + len(pending)
            in_time = seconds is None or time.perf_counter() - began < seconds or begun == 0
            return (trials is None or begun < trials) and in_time

        with _quiet(self.optuna), ThreadPoolExecutor(self.jobs) as pool:
            try:
                while True:
                    while len(pending) < self.jobs and more():
                        self._begin(pool, pending, done + len(pending))
                    if not pending:
                        break
                    for future in wait(pending, _LOOK_S, FIRST_COMPLETED).done:
                        self._end(pending.pop(future), future.result())
                        done += 1
                        tell(done, trials, f"{self.best_score:.4g}")
            except KeyboardInterrupt:
                self.interrupted = True
            finally:
                self._stop.set()

    def _begin(self, pool: ThreadPoolExecutor, pending: dict[Future[Outcome], Any], number: int) -> None:
        """Let a trial begin: the first is the base forecaster as it is, the others are proposed.

        What is proposed depends on the seed, the number and the finished trials alone, so that a search that
        goes on proposes what it would have proposed without a break.
        """
        seed = int(np.random.SeedSequence([self.seed, number]).generate_state(1)[0])
        self.study.sampler = self.optuna.samplers.TPESampler(seed=seed)
        trial = self.study.ask()
        params = propose(trial, self.space, self.task.base) if number else {}
        trial.set_user_attr(_PARAMS, params)
        context = contextvars.copy_context()  # the language is known in the thread too
        pending[pool.submit(context.run, self._run, trial, params)] = trial

    def _run(self, trial: optuna.Trial, params: dict[str, Any]) -> Outcome:
        """Do a trial, in its thread."""
        began, outcome = time.perf_counter(), Outcome()
        try:
            threads = 1 if self.jobs > 1 else self.task.base.threads
            outcome.score = self.task.judge(params, self._watcher(trial, params), threads=threads)
            if not np.isfinite(outcome.score):
                outcome.score, outcome.reason = None, "inf"
        except self.optuna.TrialPruned:
            outcome.pruned = True
        except UnrolledError as error:
            outcome.reason = str(error)
        except _StopError:
            pass
        outcome.seconds = time.perf_counter() - began
        return outcome

    def _end(self, trial: optuna.Trial, outcome: Outcome) -> None:
        """Keep how a trial ended."""
        states = self.optuna.trial.TrialState
        trial.set_user_attr(_SECONDS, outcome.seconds)
        if outcome.score is not None:
            self.study.tell(trial, outcome.score)
        elif outcome.pruned:
            self.study.tell(trial, state=states.PRUNED)
        else:
            trial.set_user_attr(_REASON, outcome.reason or "")
            self.study.tell(trial, state=states.FAIL)

    def _watcher(self, trial: optuna.Trial, params: dict[str, Any]) -> Watcher:
        """Return what looks at a training: it ends one that is hopeless, or that nobody waits for.

        Of several members the first that is heard of speaks for all.
        """
        base = self.task.base.get_params()
        units = json.dumps([params.get(name, base[name]) for name in _UNITS], default=str)
        trial.set_user_attr("units", units)
        seen: set[int] = set()
        followed: History | None = None

        def watch(history: History, plan: Plan) -> None:
            nonlocal followed
            if self._stop.is_set():
                raise _StopError
            followed = history if followed is None else followed
            if history is not followed or len(history.checks) == len(seen):
                return
            seen.update(history.checks)
            share = 100 * len(history.losses) // plan.steps
            best = float(min(history.checks.values()))
            trial.report(best, share)
            if share >= _WARM_UP and self._hopeless(units, share, best):
                raise self.optuna.TrialPruned

        return watch

    def _hopeless(self, units: str, share: int, best: float) -> bool:
        """Whether a training is behind the median of the others of its kind when they were as far."""
        others = []
        for one in self.study.get_trials(deepcopy=False, states=(self.optuna.trial.TrialState.COMPLETE,)):
            reached = [step for step in one.intermediate_values if step <= share]
            if reached and one.user_attrs.get("units") == units:
                others.append(one.intermediate_values[max(reached)])
        return len(others) >= _ENOUGH and best > statistics.median(others)

    @property
    def finished(self) -> list[optuna.trial.FrozenTrial]:
        """The trials that came to an end, those of an earlier run among them, in their order."""
        states = self.optuna.trial.TrialState
        over = (states.COMPLETE, states.PRUNED)
        return [
            one
            for one in self.study.get_trials(deepcopy=False)
            if one.state in over or one.user_attrs.get(_REASON) is not None
        ]

    @property
    def records(self) -> list[dict[str, Any]]:
        """The finished trials as plain values; see `Tuned.trials`."""
        names = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed"}
        return [
            {
                "number": number,
                "state": names[one.state.name],
                "score": one.value if one.state.name == "COMPLETE" else None,
                "seconds": one.user_attrs[_SECONDS],
                "params": dict(one.user_attrs[_PARAMS]),
                "reason": one.user_attrs.get(_REASON),
            }
            for number, one in enumerate(self.finished)
        ]

    @property
    def best_score(self) -> float:
        """The lowest score so far; infinite without one."""
        return min((one["score"] for one in self.records if one["score"] is not None), default=np.inf)


def load_optuna() -> Any:
    """Return optuna.

    Raises:
        ExtraError: it is not installed.
    """
    try:
        import optuna
    except ImportError as error:
        raise ExtraError(fault("extra.missing", library="optuna", extra="tune")) from error
    return optuna


@contextlib.contextmanager
def _quiet(optuna: Any) -> Iterator[None]:
    """Keep optuna from talking, and leave its logging as it was."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
