"""The equations of recurrent networks, to be read: NumPy, float64, one equation a line.

They are the oracle that the compiled core is held against, and the source of every explanation.
The README of this folder says which file holds what.
"""

from __future__ import annotations

from typing import Any

from unrolled.cells.activations import relu, relu_slope, tanh, tanh_slope
from unrolled.cells.base import Cell, State, Step, StepGradients, Weights
from unrolled.cells.gru import GRU
from unrolled.cells.likelihoods import HEAD_LOSSES
from unrolled.cells.losses import LOSSES, Loss
from unrolled.cells.lstm import LSTM
from unrolled.cells.mingru import MinGRU
from unrolled.cells.minlstm import MinLSTM
from unrolled.cells.network import NetworkGradients, NetworkTrace, run_network, run_network_backward
from unrolled.cells.optimizers import OPTIMIZERS, Optimizer, clip_by_global_norm
from unrolled.cells.rnn import RNN
from unrolled.cells.sequence import SequenceGradients, Trace, run, run_backward
from unrolled.cells.slstm import SLSTM
from unrolled.cells.stack import StackGradients, StackTrace, run_stack, run_stack_backward

CELLS: dict[str, Cell[Any]] = {
    "rnn": RNN("rnn", activation=tanh, slope=tanh_slope),
    "rnn_relu": RNN("rnn_relu", activation=relu, slope=relu_slope),
    "lstm": LSTM(),
    "gru": GRU(),
    "mingru": MinGRU(),
    "minlstm": MinLSTM(),
    "slstm": SLSTM(),
}
"""The table of cells; another joins by one file beside these and one line here."""

__all__ = [
    "CELLS",
    "HEAD_LOSSES",
    "LOSSES",
    "OPTIMIZERS",
    "Cell",
    "Loss",
    "NetworkGradients",
    "NetworkTrace",
    "Optimizer",
    "SequenceGradients",
    "StackGradients",
    "StackTrace",
    "State",
    "Step",
    "StepGradients",
    "Trace",
    "Weights",
    "clip_by_global_norm",
    "run",
    "run_backward",
    "run_network",
    "run_network_backward",
    "run_stack",
    "run_stack_backward",
]
