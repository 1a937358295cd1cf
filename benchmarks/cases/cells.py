"""Forward and backward of one layer of each cell beside torch's, at the nine shapes, one thread each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import Case, Row, agree
from layers import SHAPES, OurLayer, Shape, operations, traffic
from peers import TORCH
from targets import Target

if TYPE_CHECKING:
    from collections.abc import Iterator

TOLERANCE = 1e-4


def cell_row(cell: str, shape: Shape) -> Row:
    """Make the row of one shape."""
    from peers.torch_side import TorchLayer

    ours = OurLayer(cell, shape)
    theirs = TorchLayer(cell, ours.network.weights, ours.x, ours.d_out)
    return Row(
        name=shape.label,
        operations=operations(cell, shape.T * shape.B, shape.I, shape.H),
        bytes=traffic(cell, shape.T * shape.B, shape.I, shape.H),
        check=lambda: agree(ours.answers(), theirs.answers(), tolerance=TOLERANCE),
        ours=ours.run,
        theirs=theirs.run,
    )


def cell_case(cell: str, *targets: Target) -> Case:
    """Make the case of one cell."""

    def rows() -> Iterator[Row]:
        return (cell_row(cell, shape) for shape in SHAPES)

    return Case(
        name=cell,
        title={
            "en": f"{cell.upper()} layer, forward + backward, nine shapes",
            "zh": f"{cell.upper()} 层，前向 + 反向，九种形状",
        },
        peer=TORCH,
        threads=1,
        rows=rows,
        targets=targets,
        needs=("torch",),
        every_isa=True,
    )


LSTM = cell_case(
    "lstm",
    Target("mean_ratio", 2.8),
    Target("least_ratio", 1.0),
    Target("ratio", 10.0, row=Shape(40, 1, 1, 50).label),
)
GRU = cell_case("gru", Target("mean_ratio", 10.0), Target("least_ratio", 2.5))
RNN = cell_case("rnn", Target("mean_ratio", 8.0))
