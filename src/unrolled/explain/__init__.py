"""See inside a recurrent network: its shapes, its states and gates, its memory, its forecasts."""

from unrolled.explain.ledger import ledger
from unrolled.explain.structure import Structure

__all__ = ["Structure", "ledger"]
