"""The LSTM layer at the nine shapes beside JAX: a scan, compiled, on one processor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cases.cells import TOLERANCE
from harness import Case, Row, agree
from layers import SHAPES, OurLayer, Shape, operations, traffic
from peers import JAX

if TYPE_CHECKING:
    from collections.abc import Iterator


def scan_row(shape: Shape) -> Row:
    """Make the row of one shape."""
    from peers.jax_side import JaxLayer

    ours = OurLayer("lstm", shape)
    theirs = JaxLayer(ours.network.weights, ours.x, ours.d_out)
    return Row(
        name=shape.label,
        operations=operations("lstm", shape.T * shape.B, shape.I, shape.H),
        bytes=traffic("lstm", shape.T * shape.B, shape.I, shape.H),
        check=lambda: agree(ours.answers(), theirs.answers(), tolerance=TOLERANCE),
        ours=ours.run,
        theirs=theirs.run,
    )


def scan_rows() -> Iterator[Row]:
    """Make all rows."""
    return (scan_row(shape) for shape in SHAPES)


JAX_LSTM = Case(
    name="jax",
    title={
        "en": "LSTM layer, forward + backward, nine shapes, beside a compiled scan",
        "zh": "LSTM 层，前向 + 反向，九种形状，对照编译后的 scan",
    },
    peer=JAX,
    threads=1,
    rows=scan_rows,
    needs=("jax",),
)
