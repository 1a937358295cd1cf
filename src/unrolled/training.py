"""Training: passes over the windows, learning rates, early stopping on the latest windows, interrupt.

The core does the steps; everything decided between them is decided here. Knows windows and the engine; must
not know the estimator, files or a terminal (whoever wants to show progress passes a watcher).
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn, Protocol

import numpy as np

from unrolled.errors import TrainingError, fault
from unrolled.windows import Order

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from unrolled.engine import Array, Trainer
    from unrolled.windows import Windows

SCHEDULES = ("constant", "cosine", "one_cycle")
"""How the learning rate runs: constant; falling as a cosine; rising over the first tenth, then falling."""

_BREATH_S = 0.05
"""Training comes back from the core about this often, for progress and Ctrl-C."""

_LEAST_WATCHED, _WATCHED_SHARE = 256, 8
"""A look reads so many validation windows, or one for so many that were trained on since the last look."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How long and how fast to train.

    Attributes:
        steps: updates at the most.
        batch_size: windows an update.
        lr: the highest learning rate.
        schedule: a name of `SCHEDULES`.
        shuffle: False trains on the windows in order.
        seed: of the shuffling.
        check_every: steps between two looks at the validation windows.
        patience: looks without a better loss before training stops; 0 never stops early.
    """

    steps: int
    batch_size: int
    lr: float
    schedule: str = "constant"
    shuffle: bool = True
    seed: int = 0
    check_every: int = 1
    patience: int = 0

    @property
    def watched(self) -> int:
        """How many validation windows a look reads at the most.

        Of many, so many are taken evenly, the same at every look: thirty thousand series would else cost
        more to look at than to learn from. Reading a window costs a third of learning from it, so the looks
        cost a twentieth of the training, or as much as 256 windows each.
        """
        return max(_LEAST_WATCHED, self.check_every * self.batch_size // _WATCHED_SHARE)

    def rates(self, begin: int, end: int) -> NDArray[np.float64]:
        """Return the learning rates of the steps from `begin` to before `end`, [end - begin].

        Formula::

            cosine: lr (1 + cos(pi s / steps)) / 2, s = 0 .. steps - 1
        """
        done = np.arange(begin, end) / self.steps
        if self.schedule == "constant":
            return np.full(end - begin, self.lr)
        if self.schedule == "cosine":
            return self.lr * (1 + np.cos(np.pi * done)) / 2
        rising, falling = done / 0.1, (done - 0.1) / 0.9
        return self.lr * np.where(done < 0.1, 0.1 + 0.9 * rising, (1 + np.cos(np.pi * falling)) / 2)


@dataclass
class History:
    """What happened while training.

    Attributes:
        losses: of every step, before its update, [steps done].
        steps_per_epoch: steps of one pass over the windows.
        checks: the step at which the validation windows were looked at -> their mean loss.
        best_step: whose weights were kept.
        stopped: "finished", "patience" (no better for long) or "interrupted" (Ctrl-C).
        seconds: taken.
    """

    losses: list[float] = field(default_factory=list)
    steps_per_epoch: int = 1
    checks: dict[int, float] = field(default_factory=dict)
    best_step: int = 0
    stopped: str = "finished"
    seconds: float = 0.0

    @property
    def epoch_losses(self) -> list[float]:
        """The loss of the last step of every epoch."""
        return self.losses[self.steps_per_epoch - 1 :: self.steps_per_epoch]


class Watcher(Protocol):
    """Is told how training goes: a progress bar, a log, a test."""

    def __call__(self, history: History, plan: Plan) -> None:
        """Look at what happened so far."""


def both(one: Watcher | None, other: Watcher | None) -> Watcher | None:
    """Return a watcher that tells two, or the one that is there, or None."""
    if one is None or other is None:
        return one or other

    def watch(history: History, plan: Plan) -> None:
        one(history, plan)
        other(history, plan)

    return watch


@dataclass
class _Best:
    """The weights with the lowest validation loss so far."""

    weights: Array | None = None
    loss: float = np.inf
    step: int = 0
    checks_since: int = 0


def train(
    trainer: Trainer, windows: Windows, validation: Windows, plan: Plan, *, watch: Watcher | None = None
) -> History:
    """Train the trainer's engine, and leave it with the best weights that were seen.

    With validation windows the best are those of the lowest mean loss on them (on `Plan.watched` of them
    where there are more), else the last. Ctrl-C after the first steps stops training and keeps the best so
    far; `History.stopped` tells.

    Args:
        trainer: does the steps.
        windows: to learn from.
        validation: to watch; may be empty.
        plan: how long and how fast.
        watch: told about every stretch of steps.

    Returns:
        What happened.

    Raises:
        TrainingError: a loss is not finite, or the weights are not in the end.
        KeyboardInterrupt: Ctrl-C before the first steps: there is nothing to keep.
    """
    history = History(steps_per_epoch=max(1, -(-len(windows) // plan.batch_size)))
    best, watched = _Best(), validation.some(plan.watched)
    began = time.perf_counter()
    try:
        for _ in _stretches(trainer, windows, plan, history):
            history.seconds = time.perf_counter() - began
            done = len(history.losses)
            if watched[0].size and (done % plan.check_every == 0 or done == plan.steps):
                _check(trainer, watched, history, best)
            if watch:
                watch(history, plan)
            if plan.patience and best.checks_since >= plan.patience:
                history.stopped = "patience"
                break
    except KeyboardInterrupt:
        if not history.losses:
            raise  # nothing was learned that could be kept
        history.stopped = "interrupted"
    finally:
        if best.weights is not None:
            trainer.engine.write(best.weights)
    history.best_step = len(history.losses) if best.weights is None else best.step
    # The last update may have gone beyond all numbers without another loss that shows it.
    if best.weights is None and (history.checks or not np.isfinite(trainer.engine.read()).all()):
        _refuse(len(history.losses), plan)
    history.seconds = time.perf_counter() - began
    return history


def _stretches(trainer: Trainer, windows: Windows, plan: Plan, history: History) -> Iterator[None]:
    """Train in stretches that end at every check, and about every `_BREATH_S`; yield after each."""
    order = Order(windows, shuffle=plan.shuffle, seed=plan.seed)
    total, length = len(windows), 1
    per_epoch = history.steps_per_epoch
    while (done := len(history.losses)) < plan.steps:
        epoch, within = divmod(done, per_epoch)
        upto = min(done + length, plan.steps, (epoch + 1) * per_epoch)
        upto = min(upto, (done // plan.check_every + 1) * plan.check_every)
        begin = epoch * total + within * plan.batch_size
        end = epoch * total + min(total, (within + upto - done) * plan.batch_size)
        series, starts = order.take(begin, end)
        began = time.perf_counter()
        losses = trainer.run(series, starts, plan.batch_size, plan.rates(done, upto))
        took = time.perf_counter() - began
        length = max(1, min(4 * length, int((upto - done) * _BREATH_S / max(took, 1e-6))))
        history.losses += losses.tolist()
        if not np.isfinite(losses[-1]):
            _refuse(len(history.losses), plan)
        yield


def _refuse(step: int, plan: Plan) -> NoReturn:
    raise TrainingError(fault("training.not-finite", step=step, lr=plan.rates(step - 1, step)[0]))


def _check(
    trainer: Trainer, watched: tuple[NDArray[np.int64], NDArray[np.int64]], history: History, best: _Best
) -> None:
    """Look at validation windows, by series and start; keep the weights where they are the best so far."""
    loss = float(trainer.evaluate(*watched).mean())
    history.checks[len(history.losses)] = loss
    if loss < best.loss:
        best.weights, best.loss, best.step = trainer.engine.read(), loss, len(history.losses)
        best.checks_since = 0
    else:
        best.checks_since += 1
