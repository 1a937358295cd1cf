"""The cases, by name, in the order in which they are measured and shown."""

from __future__ import annotations

from cases.cells import GRU, LSTM, RNN
from cases.fit import FIT
from cases.lengths import LENGTHS
from cases.modules import MODULES
from cases.panel import PANEL
from cases.peak import PEAK
from cases.predict import PREDICT
from cases.scan import JAX_LSTM
from cases.stream import STREAM
from cases.threads import THREADS
from cases.tutorial import TUTORIAL, TUTORIAL_TORCH

CASES = {
    case.name: case
    for case in (
        *(TUTORIAL, TUTORIAL_TORCH, LSTM, GRU, RNN, LENGTHS, *MODULES),
        *(PEAK, THREADS, FIT, PREDICT, STREAM, PANEL, JAX_LSTM),
    )
}
