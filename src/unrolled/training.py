"""Training: passes over the windows, learning rates, early stopping on the latest windows, interrupt.

The core does the steps; everything decided between them is decided here. A training can be kept between two
stretches of steps, and goes on from there as if it had never stopped. Knows windows and the engine; must not
know the estimator, files or a terminal (whoever wants to show progress passes a watcher).
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NoReturn, Protocol

import numpy as np

from unrolled.diagnosis import Batch, refuse, targets_observed
from unrolled.errors import TrainingError, fault
from unrolled.plans import SCHEDULES, History, Plan, plan_more
from unrolled.windows import Order

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from unrolled.engine import Array, Trainer, TrainerState
    from unrolled.windows import Windows

__all__ = ["SCHEDULES", "History", "Plan", "Snapshot", "TrainingState", "Watcher", "plan_more", "train"]

_BREATH_S = 0.05
"""Training comes back from the core about this often, for progress and Ctrl-C."""


class Watcher(Protocol):
    """Is told how training goes: a progress bar, a log, a test."""

    def __call__(self, history: History, plan: Plan) -> None:
        """Look at what happened so far."""


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The weights after a step.

    Attributes:
        step: how many steps were done.
        loss: their mean loss on the validation windows; not a number where there are none.
        weights: of the network, one after another.
    """

    step: int
    loss: float
    weights: Array


@dataclass(frozen=True, eq=False)
class TrainingState:
    """A training between two stretches: all that it takes to go on as if it had never stopped.

    Attributes:
        history: what happened so far; its losses tell how many steps were done.
        weights: as they are now.
        optimizer: its step and its moments.
        best: the best weights so far; None before there are any.
        looks_since: looks at the validation windows since then.
        snapshots: the weights to average, as far as they are known by now.
    """

    history: History
    weights: Array
    optimizer: TrainerState
    best: Snapshot | None = None
    looks_since: int = 0
    snapshots: tuple[Snapshot, ...] = ()

    @property
    def steps(self) -> int:
        """How many steps were done."""
        return len(self.history.losses)


def train(
    trainer: Trainer,
    windows: Windows,
    validation: Windows | None,
    plan: Plan,
    *,
    names: Sequence[object] = (),
    watch: Watcher | None = None,
    resume: TrainingState | None = None,
    keep: Callable[[TrainingState], None] | None = None,
    keep_every_s: float = 30.0,
) -> History:
    """Train the trainer's engine, and leave it with the best weights that were seen.

    With validation windows the best are those of the lowest mean loss on them (on `Plan.watched` of them
    where there are more), else the last. Windows whose targets are all missing are not looked at. Ctrl-C
    after the first steps stops training and keeps the best so far; `History.stopped` tells.

    With `Plan.snapshots` of 2 or more, weights of one training are averaged: those of the looks with the
    lowest validation loss, and the average is kept if its loss is not above that of the best single ones;
    without validation windows those of `Plan.snapshot_steps`, and the average is kept if training finished.
    Averaging weights along one run is stochastic weight averaging (Izmailov et al. 2018), without its
    cyclical rate; to take them where the run stood well follows snapshot ensembles (Huang et al. 2017),
    which average forecasts, not weights.

    A training that goes on from a state that was kept gives the same bits as one that was never stopped:
    weights, losses, looks and best step. `keep` is called between stretches of steps, and once more when the
    plan is done or Ctrl-C stops it (but for a Ctrl-C in the middle of a stretch: then the last state kept is
    the one to go on from).

    Args:
        trainer: does the steps. To go on, a fresh one, made as the first one was.
        windows: to learn from.
        validation: to watch; None, or empty, for nothing.
        plan: how long and how fast.
        names: of the series, for errors; their numbers where it is empty.
        watch: told about every stretch of steps.
        resume: where to go on.
        keep: given the state to go on from.
        keep_every_s: seconds between two of these at the least.

    Returns:
        What happened.

    Raises:
        TrainingError: a loss is not finite, or the weights are not in the end; or no target of the validation
            windows is known.
        KeyboardInterrupt: Ctrl-C before the first steps: there is nothing to keep.

    References:
        Izmailov et al. 2018, "Averaging Weights Leads to Wider Optima and Better Generalization".
        Huang et al. 2017, "Snapshot Ensembles: Train 1, Get M for Free".
    """
    run = _Training(trainer, windows, validation, plan, names)
    try:
        run.begin(resume)
        if watch and resume is not None:
            watch(run.history, plan)
        kept_at = time.monotonic()
        while not run.done:
            run.stretch()
            if watch:
                watch(run.history, plan)
            if keep and not run.done and time.monotonic() - kept_at >= keep_every_s:
                keep(run.state())
                kept_at = time.monotonic()
    except KeyboardInterrupt:
        if not run.history.losses:
            raise  # nothing was learned that could be kept
        run.history.stopped = "interrupted"
    except BaseException:
        run.write_best()
        raise
    if keep and run.between and (resume is None or run.steps > resume.steps):
        keep(run.state())
    run.finish()
    return run.history


class _Training:
    """A training under way.

    Attributes:
        history: what happened so far.
        between: whether no stretch is begun and not ended, so that the state is whole.
    """

    def __init__(
        self,
        trainer: Trainer,
        windows: Windows,
        validation: Windows | None,
        plan: Plan,
        names: Sequence[object],
    ) -> None:
        self._trainer = trainer
        self._plan = plan
        self._names = names
        self._total = len(windows)
        self._order = Order(windows, shuffle=plan.shuffle, seed=plan.seed)
        self._watched = _watched(trainer, validation, plan)
        self._snapshot_steps = () if self._watched else plan.snapshot_steps
        self.history = History(steps_per_epoch=max(1, -(-self._total // plan.batch_size)))
        self._best: Snapshot | None = None
        self._looks_since = 0
        self._snapshots: tuple[Snapshot, ...] = ()
        self._length = 1
        self._began, self._before_s = time.perf_counter(), 0.0
        self.between = True

    def begin(self, resume: TrainingState | None) -> None:
        """Go to where a training was kept; or to its beginning."""
        if resume is not None:
            self._trainer.engine.write(resume.weights)
            self._trainer.restore(resume.optimizer)
            self.history = _copied(resume.history)
            self.history.stopped = "finished"
            self._best, self._looks_since = resume.best, resume.looks_since
            self._snapshots = resume.snapshots
            self._before_s = resume.history.seconds
        elif self._plan.first_look and self._watched:
            self._look()
        self._settle()

    @property
    def steps(self) -> int:
        """How many steps were done."""
        return len(self.history.losses)

    @property
    def done(self) -> bool:
        """Whether the plan is done, or nothing got better for long."""
        return self.steps >= self._plan.steps or self.history.stopped == "patience"

    def stretch(self) -> None:
        """Train until the next look, the end of the pass or for about `_BREATH_S`, and look if it is time."""
        plan, losses_so_far = self._plan, self.history.losses
        done = len(losses_so_far)
        upto = self._end_of_stretch(done)
        batch = self._windows_of(done, upto)
        self.between = False
        began = time.perf_counter()
        losses = self._trainer.run(*batch, plan.batch_size, plan.rates(done, upto))
        took = time.perf_counter() - began
        self._length = max(1, min(4 * self._length, int((upto - done) * _BREATH_S / max(took, 1e-6))))
        losses_so_far += losses.tolist()
        if not np.isfinite(losses[-1]):
            self._refuse(len(losses_so_far))
        if self._watched and (upto % plan.check_every == 0 or upto == plan.steps):
            self._look()
        elif upto in self._snapshot_steps:
            self._snapshots += (Snapshot(upto, np.nan, self._trainer.engine.read()),)
        self._settle()
        self.between = True

    def _end_of_stretch(self, done: int) -> int:
        """Return the step before which the stretch after `done` steps ends."""
        plan, per_epoch = self._plan, self.history.steps_per_epoch
        ends = (
            done + self._length,
            plan.steps,
            (done // per_epoch + 1) * per_epoch,
            (done // plan.check_every + 1) * plan.check_every,
            *(step for step in self._snapshot_steps if step > done),
        )
        return min(ends)

    def _windows_of(self, begin: int, end: int) -> Batch:
        """Return the windows of the steps from `begin` to before `end`, all of one pass."""
        epoch, within = divmod(begin, self.history.steps_per_epoch)
        upto = min(self._total, (within + end - begin) * self._plan.batch_size)
        passed = epoch * self._total
        return Batch(*self._order.take(passed + within * self._plan.batch_size, passed + upto))

    def _note_time(self) -> None:
        self.history.seconds = self._before_s + time.perf_counter() - self._began

    def _settle(self) -> None:
        """Note the time, and whether nothing got better for long."""
        self._note_time()
        if self._plan.patience and self._looks_since >= self._plan.patience:
            self.history.stopped = "patience"

    def _validation_loss(self) -> float:
        return float(self._trainer.evaluate(*self._watched).mean()) if self._watched else np.nan

    def _look(self) -> None:
        """Look at the validation windows; hold on to the weights where they are the best so far."""
        step, loss = len(self.history.losses), self._validation_loss()
        self.history.checks[step] = loss
        better = loss < (np.inf if self._best is None else self._best.loss)
        wanted = self._plan.snapshots if self._plan.snapshots > 1 else 0
        close = len(self._snapshots) < wanted or (wanted > 0 and loss < self._snapshots[-1].loss)
        self._looks_since = 0 if better else self._looks_since + 1
        if not np.isfinite(loss) or not (better or close):
            return
        snapshot = Snapshot(step, loss, self._trainer.engine.read())
        if better:
            self._best = snapshot
        ranked = sorted((*self._snapshots, snapshot), key=lambda one: one.loss)
        self._snapshots = tuple(ranked[:wanted])

    def state(self) -> TrainingState:
        """Return all that it takes to go on from here."""
        return TrainingState(
            history=_copied(self.history),
            weights=self._trainer.engine.read(),
            optimizer=self._trainer.state(),
            best=self._best,
            looks_since=self._looks_since,
            snapshots=self._snapshots,
        )

    def write_best(self) -> None:
        """Give the engine the best single weights, where there are any."""
        if self._best is not None:
            self._trainer.engine.write(self._best.weights)

    def finish(self) -> None:
        """Leave the engine with the weights that are kept, and say which they are."""
        history = self.history
        history.best_step = len(history.losses) if self._best is None else self._best.step
        last = self._trainer.engine.read() if self._best is None else self._best.weights
        self._trainer.engine.write(last)
        # The last update may have gone beyond all numbers without another loss that shows it.
        if self._best is None and (history.checks or not np.isfinite(last).all()):
            self._refuse(len(history.losses))
        if len(self._snapshots) > 1 and (self._watched or history.stopped == "finished"):
            self._average(last)
        self._note_time()

    def _average(self, last: Array) -> None:
        """Keep the mean of the snapshots, unless the single weights are better on the validation windows."""
        engine, history = self._trainer.engine, self.history
        chosen = sorted(self._snapshots, key=lambda one: one.step)
        mean = np.mean([one.weights for one in chosen], axis=0, dtype=np.float64).astype(engine.dtype)
        engine.write(mean)
        loss = self._validation_loss()
        history.averaged_steps = [one.step for one in chosen]
        history.averaged_loss = loss if np.isfinite(loss) else None
        history.averaged = self._best is None or loss <= self._best.loss
        if not history.averaged:
            engine.write(last)

    def _refuse(self, step: int) -> NoReturn:
        rate = float(self._plan.rates(step - 1, step)[0])
        refuse(self._trainer, self._windows_of(step - 1, step), step=step, rate=rate, names=self._names)


def _watched(trainer: Trainer, validation: Windows | None, plan: Plan) -> Batch | None:
    """Return the validation windows that are looked at, those without a known target left out."""
    if validation is None:
        return None
    batch = Batch(*validation.some(plan.watched))
    if not batch.series.size:
        return None
    known = targets_observed(trainer, *batch)
    if not known.any():
        raise TrainingError(fault("training.no-targets", count=known.size))
    return Batch(batch.series[known], batch.starts[known])


def _copied(history: History) -> History:
    return replace(history, losses=list(history.losses), checks=dict(history.checks))
