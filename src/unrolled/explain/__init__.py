"""See inside a recurrent network: its shapes, its states and gates, its memory, its forecasts.

Example:
    >>> from unrolled.explain import ledger, shapes
    >>> shapes(ledger("lstm", input_size=1, hidden_size=50, batch=32, time=40))
    Report(shapes: 'layer = nn.LSTM(1, 50)', lstm 1 -> 50)
"""

from unrolled.explain.ledger import ledger
from unrolled.explain.report import Report
from unrolled.explain.structure import Structure
from unrolled.explain.whole import Fit, explain, shapes

__all__ = ["Fit", "Report", "Structure", "explain", "ledger", "shapes"]
