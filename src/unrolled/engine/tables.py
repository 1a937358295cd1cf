"""What the core knows: its cells, losses, optimizers and dtypes; and the machine that it runs on."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import numpy as np

from unrolled import _core

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

LOSSES = ("mse", "mae", "huber", "quantile")
OPTIMIZERS = ("sgd", "adam", "adamw")
WINDOW_SCALINGS = ("none", "standard", "last", "mean_abs")
DTYPES = ("float32", "float64")


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
