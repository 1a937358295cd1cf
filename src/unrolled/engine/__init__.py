"""The thin Python face of the compiled core: arrays in, arrays out, parameters under torch's names.

The core knows mathematics, not policy: nothing here decides how long or on what to train.
All arrays are C-contiguous and of the engine's dtype; the core checks every shape and index again.
"""

from unrolled.engine.network import Engine, Gradients, State, Windowing
from unrolled.engine.tables import (
    CELLS,
    DTYPES,
    LOSSES,
    OPTIMIZERS,
    WINDOW_SCALINGS,
    Array,
    available_isas,
    default_threads,
    isa,
)
from unrolled.engine.trainer import Learning, Trainer

__all__ = [
    "CELLS",
    "DTYPES",
    "LOSSES",
    "OPTIMIZERS",
    "WINDOW_SCALINGS",
    "Array",
    "Engine",
    "Gradients",
    "Learning",
    "State",
    "Trainer",
    "Windowing",
    "available_isas",
    "default_threads",
    "isa",
]
