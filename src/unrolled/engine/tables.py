"""What the core knows: its cells, losses, optimizers and dtypes; and the machine that it runs on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from unrolled import _core
from unrolled.errors import ArgumentError, fault, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

Array = np.ndarray[Any, np.dtype[Any]]
"""A float32 or float64 array of the engine's dtype."""


class CellSizes(NamedTuple):
    """What a cell is to those who only need its sizes.

    Attributes:
        gates: G, how many blocks of rows the weights have.
        states: E, how many states it keeps beside h.
        recurrent: whether its gates read h, through weight_hh and bias_hh.
    """

    gates: int
    states: int
    recurrent: bool


CELLS: dict[str, CellSizes] = {
    name: CellSizes(gates, states, recurrent) for name, gates, states, recurrent in _core.cells()
}
"""The cells that the core knows, by name."""

LOSS_WIDTHS: dict[str, int] = dict(_core.losses())
"""The losses -> how many numbers the network gives for a target; 0 for "quantile": one for each quantile."""

LOSSES = tuple(LOSS_WIDTHS)
DISTRIBUTIONS = ("gaussian", "student_t", "negative_binomial")
"""The losses whose outputs are the parameters of a distribution, of the scaled series."""

OPTIMIZERS = ("sgd", "adam", "adamw")
WINDOW_SCALINGS = tuple(_core.scalings())
DTYPES = ("float32", "float64")


def loss_width(loss: str, quantiles: Sequence[float] = ()) -> int:
    """Return W, how many numbers the network gives for one target.

    Raises:
        ArgumentError: there is no such loss, or quantiles are given where they are not used.

    Example:
        >>> loss_width("mae"), loss_width("student_t"), loss_width("quantile", [0.1, 0.5, 0.9])
        (1, 3, 3)
    """
    if loss not in LOSS_WIDTHS:
        close = nearest(str(loss), LOSSES)
        raise ArgumentError(fault("engine.loss", got=repr(loss), known=", ".join(LOSSES), nearest=close))
    if (loss == "quantile") != (len(quantiles) > 0):
        raise ArgumentError(fault("engine.quantiles", loss=loss, got=list(quantiles)))
    return LOSS_WIDTHS[loss] or len(quantiles)


def isa() -> str:
    """Return the instruction set whose kernels run; the variable `UNROLLED_ISA` forces one."""
    return _core.isa()


def available_isas() -> list[str]:
    """Return the instruction sets that were built and that this machine runs, best first."""
    return _core.available_isas()


def default_threads() -> int:
    """Return how many threads are used by default: `UNROLLED_THREADS`, else the processors we may use."""
    asked = os.environ.get("UNROLLED_THREADS", "")
    if asked.isdigit() and int(asked) > 0:
        return int(asked)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
