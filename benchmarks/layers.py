"""One recurrent layer, forward and backward: the shapes, what they cost, and our side of it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from unrolled import NetworkSpec
from unrolled.engine import CELLS, Array
from unrolled.network import Network

SEED = 7


class Shape(NamedTuple):
    """Steps, rows, features of a step, units."""

    T: int
    B: int
    I: int  # noqa: E741 - the axes have these names everywhere
    H: int

    @property
    def label(self) -> str:
        """The four sizes."""
        return ", ".join(map(str, self))


SHAPES = (
    Shape(40, 1, 1, 50),
    Shape(40, 16, 1, 50),
    Shape(40, 32, 1, 50),
    Shape(40, 128, 1, 50),
    Shape(40, 720, 1, 50),
    Shape(100, 32, 8, 128),
    Shape(24, 256, 8, 64),
    Shape(168, 64, 4, 200),
    Shape(200, 1, 8, 128),
)
"""The nine shapes: one window and many, few features and several, states that fit a near cache and not."""


def parameters(cell: str, inputs: int, hidden: int) -> int:
    """Return the numbers that a layer learns, both bias vectors counted."""
    gates, _, recurrent = CELLS[cell]
    return gates * hidden * (inputs + 1 + recurrent * (hidden + 1))


def forward_operations(cell: str, rows: float, inputs: int, hidden: int) -> float:
    """Return the operations of forward over so many rows (sequences times steps), two a multiply-add."""
    gates, _, recurrent = CELLS[cell]
    return 2.0 * rows * gates * hidden * (recurrent * hidden + inputs)


def operations(cell: str, rows: float, inputs: int, hidden: int) -> float:
    """Return the operations of forward and backward over so many rows.

    Backward makes the gradients of h, of W_hh and of W_ih; nobody asks for that of x.
    """
    gates, _, recurrent = CELLS[cell]
    backward = 2.0 * rows * gates * hidden * (2 * recurrent * hidden + inputs)
    return forward_operations(cell, rows, inputs, hidden) + backward


def traffic(cell: str, rows: float, inputs: int, hidden: int) -> float:
    """Return the bytes of forward and backward in float32.

    x and the gradient of the output are read, the output and the gradients of the parameters written, the
    parameters read twice; the gates and the states beside h are written by forward and read by backward.
    """
    gates, states, _ = CELLS[cell]
    kept = (gates + states) * hidden
    return 4.0 * (rows * (inputs + 2 * hidden + 2 * kept) + 3 * parameters(cell, inputs, hidden))


class OurLayer:
    """One layer in our engine, with its inputs.

    Args:
        cell: a name of the table of cells.
        shape: of the work.
        lengths: of the sequences; all T where None.
    """

    def __init__(self, cell: str, shape: Shape, lengths: np.ndarray | None = None) -> None:
        spec = NetworkSpec(cell=cell, input_size=shape.I, hidden_size=shape.H, output_size=0)
        random = np.random.default_rng(SEED)
        self.network = Network(spec)
        self.engine = self.network.engine
        self.x: Array = random.standard_normal((shape.T, shape.B, shape.I)).astype(np.float32)
        self.d_out: Array = random.standard_normal((shape.T, shape.B, shape.H)).astype(np.float32)
        self.lengths = lengths

    def run(self, threads: int = 1) -> dict[str, Array]:
        """Run forward and backward; return the gradients of the parameters."""
        gradients = self.engine.backward(
            self.x, self.d_out, lengths=self.lengths, want_x=False, threads=threads
        )
        return gradients.parameters

    def answers(self) -> dict[str, Array]:
        """Return the output and the gradients of the parameters."""
        output, _ = self.engine.forward(self.x, lengths=self.lengths)
        return {"output": output, **self.run()}
