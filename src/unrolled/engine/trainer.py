"""Steps of training: one network of the core on the windows of one panel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from unrolled import _core

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unrolled.engine.network import Engine
    from unrolled.engine.tables import Array
    from unrolled.engine.windowing import Table, Windowing


class TrainerState(NamedTuple):
    """What the optimizer keeps between steps, in the order of `Engine.shapes`.

    Attributes:
        step: how many updates were made.
        first: the momentum of "sgd", the mean gradients of "adam" and "adamw"; empty where there are none.
        second: the mean squared gradients of "adam" and "adamw"; empty for "sgd".

    Shapes:
        first, second: [parameter_count], or [0].
    """

    step: int
    first: Array
    second: Array


@dataclass(frozen=True)
class Learning:
    """The loss and the optimizer of a training, as the core needs them."""

    loss: str = "mse"
    delta: float = 1.0
    quantiles: tuple[float, ...] = ()
    optimizer: str = "sgd"
    momentum: float = 0.0
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 0.0
    clip: float = 0.0


class Trainer:
    """Training steps of one engine on one table. The table is read where it lies: it is not copied.

    Args:
        engine: the network whose parameters are trained.
        table: series, and what is known of them.
        windowing: what a window is.
        learning: loss and optimizer.
        threads: at most so many; the results do not depend on it.
        seed: of the dropout masks.

    Raises:
        ValueError: the network does not fit the windowing, or a number is out of its range.
    """

    def __init__(
        self,
        engine: Engine,
        table: Table,
        *,
        windowing: Windowing,
        learning: Learning,
        threads: int = 1,
        seed: int = 0,
    ) -> None:
        self.engine = engine
        self.table = table
        self.windowing = windowing
        kind = _core.TrainerF32 if engine.dtype == np.float32 else _core.TrainerF64
        self._core = kind(
            engine.core,
            table.to_core(engine.dtype),
            windowing.to_core(),
            loss=learning.loss,
            delta=learning.delta,
            quantiles=list(learning.quantiles),
            optimizer=learning.optimizer,
            momentum=learning.momentum,
            beta1=learning.beta1,
            beta2=learning.beta2,
            eps=learning.eps,
            weight_decay=learning.weight_decay,
            clip=learning.clip,
            threads=threads,
            seed=seed,
        )

    def run(
        self,
        series: NDArray[np.int64],
        starts: NDArray[np.int64],
        batch: int,
        rates: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Train on windows in the order given, `batch` at a time.

        Shapes:
            series, starts: [n]; rates: [ceil(n / batch)].

        Args:
            series: of each window.
            starts: its first point, counted from the start of its series.
            batch: windows a step; the last step takes what is left.
            rates: the learning rate of each step.

        Returns:
            The loss of each step before its update: the mean over the windows that have an observed
            target. A step without any such window has the loss 0 and changes nothing. Where a loss or a
            gradient is not finite, training stops before that update: the parameters are as they were, and
            the last loss returned is NaN.

        Raises:
            ValueError: a window lies outside its series.
        """
        losses = np.empty(rates.size, np.float64)
        done = self._core.run(series, starts, batch, rates, losses)
        return losses if done == rates.size else np.append(losses[:done], np.nan)

    def evaluate(self, series: NDArray[np.int64], starts: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the loss of each window, without learning from it; NaN where all its targets are missing.

        Shapes:
            series, starts: [n]; the losses: [n].
        """
        losses = np.empty(series.size, np.float64)
        self._core.evaluate(series, starts, losses)
        return losses

    def gradients(self) -> dict[str, Array]:
        """Return the gradients of the last step, before clipping, by parameter."""
        flat = np.empty(self.engine.parameter_count, self.engine.dtype)
        self._core.gradients(flat)
        return self.engine.split(flat)

    def state(self) -> TrainerState:
        """Return what the optimizer keeps, as a copy."""
        first, second = (np.empty(size, self.engine.dtype) for size in self._core.state_sizes())
        return TrainerState(int(self._core.read_state(first, second)), first, second)

    def restore(self, state: TrainerState) -> None:
        """Go on from where `state` was read: with the same parameters, the next steps have the same bits.

        The engine's parameters are not part of it: `Engine.write` restores them.

        Raises:
            ValueError: the state is one of another network or optimizer.
        """
        first, second = (np.ascontiguousarray(part, self.engine.dtype) for part in state[1:])
        self._core.restore_state(state.step, first, second)

    @property
    def gradient_norm(self) -> float:
        """The norm of the last step's gradients over all parameters, before clipping."""
        return float(self._core.gradient_norm)
