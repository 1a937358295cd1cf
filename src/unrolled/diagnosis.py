"""Why a loss is not finite: the batch is looked at once more, window by window, and what is measured is said.

Knows the engine and how windows lie in a table; must not know how training goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import numpy as np

from unrolled.errors import TrainingError, fault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from unrolled.engine import Trainer

_LARGE_INPUT = 1e3
"""An input beyond this is not one that a window's own scaling makes: it gives at most the window's length."""

_LARGE_LOSS = 1e6
"""A loss beyond this, in scaled units, comes from weights that ran away."""

_NAMED = 5
"""So many windows of a batch are named; a batch may have thousands."""


class Batch(NamedTuple):
    """The windows of one step.

    Shapes:
        series, starts: [n]
    """

    series: NDArray[np.int64]
    starts: NDArray[np.int64]


def targets_observed(
    trainer: Trainer, series: NDArray[np.int64], starts: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return for each window whether a value is known among the points that follow it, [n]."""
    table, windowing = trainer.table, trainer.windowing
    first = table.offsets[series] + starts + windowing.window
    known = np.zeros(series.size, np.bool_)
    for ahead in range(windowing.horizon):
        known |= ~np.isnan(table.values[first + ahead]).all(axis=1)
    return known


def refuse(trainer: Trainer, batch: Batch, *, step: int, rate: float, names: Sequence[object]) -> NoReturn:
    """Raise the error that says what is known of a step whose loss, gradient or update is not finite.

    Measured are the loss of every window of the batch with the weights as they are (the core leaves those of
    before the step), the largest input that the network reads there, and the norm of the gradients. The
    cause named is what they point to:

    * an input beyond 1000: large numbers that nobody scaled ("none"), else a value that is huge beside the
      rest of its window;
    * losses that are not finite for some windows alone: a value there;
    * else the learning rate.

    Args:
        trainer: as the step left it.
        batch: the windows of the step.
        step: its number, from 1.
        rate: its learning rate.
        names: of the series, in order; their numbers where it is empty.

    Raises:
        TrainingError: always.
    """
    losses = trainer.evaluate(*batch)
    inputs = _largest_inputs(trainer, batch)
    failing = ~np.isfinite(losses) & targets_observed(trainer, *batch)
    worst = _worst(losses, inputs, failing)
    windows = [_named(names, *one) for one in zip(*(part[:_NAMED].tolist() for part in batch), strict=True)]
    rest = ", ..." if batch.series.size > _NAMED else ""
    raise TrainingError(
        fault(
            f"training.not-finite-{_cause(trainer.windowing.scaling, losses, inputs, failing)}",
            step=step,
            lr=rate,
            less=rate / 10,
            norm=trainer.gradient_norm,
            largest=float(inputs.max()),
            scaling=trainer.windowing.scaling,
            worst=_named(names, int(batch.series[worst]), int(batch.starts[worst])),
            loss=float(losses[worst]),
            count=batch.series.size,
            windows=", ".join(windows) + rest,
        )
    )


def _cause(
    scaling: str, losses: NDArray[np.float64], inputs: NDArray[np.float64], failing: NDArray[np.bool_]
) -> str:
    """Return what the measured facts point to: "scaling", "value" or "rate"."""
    if inputs.max() > _LARGE_INPUT:
        return "scaling" if scaling == "none" else "value"
    others = losses[np.isfinite(losses)]
    if failing.any() and others.size and np.median(others) < _LARGE_LOSS:
        return "value"
    return "rate"


def _worst(losses: NDArray[np.float64], inputs: NDArray[np.float64], failing: NDArray[np.bool_]) -> int:
    """Return which window to name: of those that fail the largest input, else the largest loss."""
    if failing.any():
        return int(np.argmax(np.where(failing, inputs, -1.0)))
    if np.isfinite(losses).any():
        return int(np.nanargmax(losses))
    return int(np.argmax(inputs))


def _largest_inputs(trainer: Trainer, batch: Batch) -> NDArray[np.float64]:
    """Return the largest absolute number that the network reads of each window, infinite beyond all, [n]."""
    x: NDArray[Any] = trainer.engine.gather(trainer.table, *batch, windowing=trainer.windowing)[0]
    sizes = np.abs(x).max(axis=(0, 2)).astype(np.float64)
    return np.where(np.isnan(sizes), np.inf, sizes)


def _named(names: Sequence[object], series: int, start: int) -> str:
    """Return a window as it is written: the name of its series and its first point."""
    return f"{names[series] if names else series}[{start}:]"
