"""Recurrences: stacked layers over memory and weights that the caller names by their addresses."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from unrolled import _core

if TYPE_CHECKING:
    from unrolled._core import Recurrence

_CLASSES: dict[str, type[Recurrence]] = {"float32": _core.RecurrenceF32, "float64": _core.RecurrenceF64}


@lru_cache(maxsize=256)
def recurrence(
    cell: str, input_size: int, hidden_size: int, num_layers: int, directions: int, dtype: str
) -> Recurrence:
    """Return the core's recurrence of these sizes; it keeps no numbers, so all who ask share one.

    Args:
        cell: "rnn", "rnn_relu", "lstm" or "gru".
        input_size: I, features of a step.
        hidden_size: H.
        num_layers: L.
        directions: 1, or 2 where other weights read the sequences from their ends.
        dtype: "float32" or "float64".

    Returns:
        Its `forward` and `backward` take sizes and addresses, as core/bindings/recurrence.cpp says. There
        must be as much memory behind every address as the sizes ask for: the core cannot see it.

    Raises:
        ValueError: a size that is too small or too large, a cell that is not one of the four.
    """
    return _CLASSES[dtype](
        cell=cell,
        input_size=input_size,
        hidden_size=hidden_size,
        num_layers=num_layers,
        directions=directions,
    )
