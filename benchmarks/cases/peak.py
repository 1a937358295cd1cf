"""How much of the machine's peak the layer reaches; the peak is measured before and after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import Case, Row
from layers import OurLayer, Shape, operations, traffic
from targets import Target

if TYPE_CHECKING:
    from collections.abc import Iterator

SHAPE = Shape(100, 32, 8, 128)


def peak_rows() -> Iterator[Row]:
    """Make the row; its answers are compared by the case of the nine shapes."""
    ours = OurLayer("lstm", SHAPE)
    rows = SHAPE.T * SHAPE.B
    yield Row(
        name=SHAPE.label,
        operations=operations("lstm", rows, SHAPE.I, SHAPE.H),
        bytes=traffic("lstm", rows, SHAPE.I, SHAPE.H),
        check=dict,
        ours=ours.run,
    )


PEAK = Case(
    name="peak",
    title={
        "en": f"LSTM layer at ({SHAPE.label}): share of the multiply-add peak of one core",
        "zh": f"LSTM 层（{SHAPE.label}）：占单核乘加峰值的比例",
    },
    peer={},
    threads=1,
    rows=peak_rows,
    targets=(Target("share", 0.75),),
)
