"""The thin Python face of the compiled core: arrays in, arrays out, parameters under torch's names.

The core knows mathematics, not policy: nothing here decides how long or on what to train.
All arrays are C-contiguous and of the engine's dtype; the core checks every shape and index again.
"""

from unrolled.engine.network import Engine, Gradients, State
from unrolled.engine.recurrence import recurrence
from unrolled.engine.tables import (
    CELLS,
    DISTRIBUTIONS,
    DTYPES,
    LOSS_WIDTHS,
    LOSSES,
    OPTIMIZERS,
    WINDOW_SCALINGS,
    Array,
    available_isas,
    default_threads,
    isa,
    loss_width,
)
from unrolled.engine.trainer import Learning, Trainer, TrainerState
from unrolled.engine.windowing import Forecasts, Table, Windowing

__all__ = [
    "CELLS",
    "DISTRIBUTIONS",
    "DTYPES",
    "LOSSES",
    "LOSS_WIDTHS",
    "OPTIMIZERS",
    "WINDOW_SCALINGS",
    "Array",
    "Engine",
    "Forecasts",
    "Gradients",
    "Learning",
    "State",
    "Table",
    "Trainer",
    "TrainerState",
    "Windowing",
    "available_isas",
    "default_threads",
    "isa",
    "loss_width",
    "recurrence",
]
