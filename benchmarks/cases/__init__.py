"""The cases, by name, in the order in which they are measured and shown."""

from __future__ import annotations

from cases.cells import GRU, LSTM, RNN
from cases.fit import FIT
from cases.lengths import LENGTHS
from cases.panel import PANEL
from cases.peak import PEAK
from cases.predict import PREDICT
from cases.scan import JAX_LSTM
from cases.stream import STREAM
from cases.threads import THREADS
from cases.tutorial import TUTORIAL

CASES = {
    case.name: case
    for case in (TUTORIAL, LSTM, GRU, RNN, LENGTHS, PEAK, THREADS, FIT, PREDICT, STREAM, PANEL, JAX_LSTM)
}
