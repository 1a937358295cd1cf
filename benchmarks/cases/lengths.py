"""Sequences of many lengths in one batch beside torch's packed sequences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from cases.cells import TOLERANCE
from harness import Case, Row, agree
from layers import OurLayer, Shape, operations, traffic
from peers import TORCH
from targets import Target

if TYPE_CHECKING:
    from collections.abc import Iterator

SHAPE, SHORTEST, SEED = Shape(200, 32, 8, 64), 10, 11


def drawn_lengths(shape: Shape = SHAPE) -> np.ndarray:
    """Return the length of every sequence, uniform from the shortest to all steps."""
    return np.random.default_rng(SEED).integers(SHORTEST, shape.T, shape.B, np.int64, endpoint=True)


def lengths_rows() -> Iterator[Row]:
    """Make the row; only the steps that are there count as work."""
    from peers.torch_side import TorchLayer

    lengths = drawn_lengths()
    ours = OurLayer("lstm", SHAPE, lengths)
    theirs = TorchLayer("lstm", ours.network.weights, ours.x, ours.d_out, lengths=lengths)
    there = float(lengths.sum())
    yield Row(
        name=SHAPE.label,
        operations=operations("lstm", there, SHAPE.I, SHAPE.H),
        bytes=traffic("lstm", there, SHAPE.I, SHAPE.H),
        check=lambda: agree(ours.answers(), theirs.answers(), tolerance=TOLERANCE),
        ours=ours.run,
        theirs=theirs.run,
    )


LENGTHS = Case(
    name="lengths",
    title={
        "en": f"LSTM layer, {SHAPE.B} sequences of {SHORTEST} to {SHAPE.T} steps, beside packed sequences",
        "zh": f"LSTM 层，{SHAPE.B} 条 {SHORTEST} 到 {SHAPE.T} 步的变长序列，对照 packed sequence",
    },
    peer=TORCH,
    threads=1,
    rows=lengths_rows,
    targets=(Target("ratio", 10.0),),
    needs=("torch",),
)
