"""What a training is to do, and what it did: plain data, without a network.

Knows nothing of the core: whoever trains reads a `Plan` and fills a `History`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SCHEDULES = ("constant", "cosine", "one_cycle")
"""How the learning rate runs: constant; falling as a cosine; rising over the first tenth, then falling."""

_LEAST_WATCHED, _WATCHED_SHARE = 256, 8
"""A look reads so many validation windows, or one for so many that were trained on since the last look."""

_MORE_RATE = 0.1
"""The rate at which a fitted network goes on, as a share of the highest rate that it was fitted with."""

_LOOKS = 50
"""So many looks at the validation windows in a training that goes on."""


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
        snapshots: how many weights of the training are averaged at its end; fewer than 2 averages none.
        first_look: whether the weights before the first step are looked at too, and are kept where no later
            ones are better.
    """

    steps: int
    batch_size: int
    lr: float
    schedule: str = "constant"
    shuffle: bool = True
    seed: int = 0
    check_every: int = 1
    patience: int = 0
    snapshots: int = 0
    first_look: bool = False
    together: int = 0

    @property
    def watched(self) -> int:
        """How many validation windows a look reads at the most.

        Of many, so many are taken evenly, the same at every look: thirty thousand series would else cost
        more to look at than to learn from. Reading a window costs a third of learning from it, so the looks
        cost a twentieth of the training, or as much as 256 windows each.
        """
        return max(_LEAST_WATCHED, self.check_every * self.batch_size // _WATCHED_SHARE)

    @property
    def snapshot_steps(self) -> tuple[int, ...]:
        """The steps whose weights are averaged where there is nothing to choose them by.

        They are equally far apart, lie in the last quarter of the training, and end with its last step.

        Example:
            >>> Plan(steps=80, batch_size=1, lr=0.1, snapshots=4).snapshot_steps
            (65, 70, 75, 80)
        """
        if self.snapshots < 2:
            return ()
        gap = max(1, self.steps // 4 // self.snapshots)
        return tuple(range(self.steps, 0, -gap))[: self.snapshots][::-1]

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


def plan_more(plan: Plan, *, steps: int) -> Plan:
    """Return how a network that was fitted by `plan` goes on learning, from more series or later points.

    It goes on at a constant rate, a tenth of the highest one of its fit. A schedule has no meaning here:
    nobody knows when the last point will have come. The rate is lower because the optimizer begins anew: the
    first updates of Adam move every weight by about the rate, however small its gradient, and at the full
    rate they would undo what was learned; a tenth is where "one_cycle" begins, too. The weights from before
    are looked at first and kept where none that come after are better on the validation windows.

    Args:
        plan: how the network was fitted.
        steps: updates to add.

    Returns:
        The plan for a new trainer of the same network; its optimizer's state is fresh.

    Example:
        >>> more = plan_more(Plan(steps=500, batch_size=32, lr=0.003, schedule="one_cycle"), steps=100)
        >>> more.schedule, f"{more.lr:.4f}", more.check_every
        ('constant', '0.0003', 2)
    """
    return replace(
        plan,
        steps=steps,
        lr=_MORE_RATE * plan.lr,
        schedule="constant",
        check_every=max(1, steps // _LOOKS),
        snapshots=0,
        first_look=True,
    )


@dataclass
class History:
    """What happened while training.

    Attributes:
        losses: of every step, before its update, [steps done].
        steps_per_epoch: steps of one pass over the windows.
        checks: the step at which the validation windows were looked at -> their mean loss.
        best_step: whose weights were kept; of averaged weights, the best single one's.
        stopped: "finished", "patience" (no better for long) or "interrupted" (Ctrl-C).
        seconds: taken.
        averaged_steps: the steps whose weights were averaged; empty where none were.
        averaged_loss: the mean loss of the averaged weights on the validation windows; None where there are
            none, or where it is not finite.
        averaged: whether the averaged weights were kept.
    """

    losses: list[float] = field(default_factory=list)
    steps_per_epoch: int = 1
    checks: dict[int, float] = field(default_factory=dict)
    best_step: int = 0
    stopped: str = "finished"
    seconds: float = 0.0
    averaged_steps: list[int] = field(default_factory=list)
    averaged_loss: float | None = None
    averaged: bool = False

    @property
    def epoch_losses(self) -> list[float]:
        """The loss of the last step of every epoch."""
        return self.losses[self.steps_per_epoch - 1 :: self.steps_per_epoch]
