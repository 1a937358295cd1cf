"""The modules of `unrolled.torch` beside those of `torch.nn`: autograd's own cost is in both sides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cases.cells import TOLERANCE
from cases.lengths import SHORTEST, drawn_lengths
from harness import Case, DisagreementError, Group, Row, agree
from layers import Shape, forward_operations, operations, parameters, traffic
from targets import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy as np
    from drop_in import ModuleWork

    MakeRows = Callable[[int], Iterator[Row]]

STEPS, FEATURES = 32, 8
BATCHES, UNITS = (1, 8, 32, 128, 512), (16, 64, 256)
SINGLE = tuple(Shape(1, 1, FEATURES, units) for units in UNITS)
"""One step of one sequence: what a call costs."""

SHAPES = tuple(Shape(STEPS, batch, FEATURES, units) for batch in BATCHES for units in UNITS)
PACKED_STEPS, LARGE = 100, 128 * 256
"""Lengths vary up to so many steps; where there are so many rows times units, up to `STEPS`."""

PACKED_SHAPES = tuple(s._replace(T=STEPS if s.B * s.H >= LARGE else PACKED_STEPS) for s in SHAPES)
CELL_SHAPES = tuple(Shape(16, batch, FEATURES, units) for batch in (1, 32, 256) for units in (16, 64))
INFERENCE_SHAPES = (Shape(1, 1, FEATURES, 64), Shape(STEPS, 1, FEATURES, 64), Shape(STEPS, 32, FEATURES, 64))
THREADS = (1, 2)
TRAINED, LOSS_TOLERANCE = 5, 1e-4
"""Steps of training whose losses are compared, and by how much of itself a loss may differ."""

NEVER_SLOWER = Target("least_ratio", 0.95)
PEER = {"en": "`torch.nn`", "zh": "`torch.nn`"}
GROUP = Group(
    {
        "en": "modules of `unrolled.torch`, forward + backward with autograd, B 1 to 512, H 16 to 256",
        "zh": "`unrolled.torch` 的模块，前向 + 反向（含 autograd），B 1 到 512，H 16 到 256",
    }
)


def sides(name: str, shape: Shape, lengths: np.ndarray | None = None) -> tuple[ModuleWork, ModuleWork]:
    """Return our side and torch's: the same code with a class from another library."""
    from drop_in import CellWork, ModuleWork
    from torch import nn

    import unrolled.torch

    work = CellWork if name.endswith("Cell") else ModuleWork
    return work(unrolled.torch, name, shape, lengths), work(nn, name, shape, lengths)


def ran_native(work: ModuleWork) -> None:
    """Refuse to compare torch with itself.

    Raises:
        DisagreementError: our module handed the work to torch's own implementation.
    """
    path = work.module.last_path
    if path.name != "unrolled":
        raise DisagreementError(f"torch's own implementation ran: {path.reason}")


def trained(ours: ModuleWork, theirs: ModuleWork) -> dict[str, Any]:
    """Compare the losses of some steps of training; return the first and the last.

    Raises:
        DisagreementError: one differs.
    """
    mine, peers = ours.losses(TRAINED), theirs.losses(TRAINED)
    worst = max(abs(loss / reference - 1) for loss, reference in zip(mine, peers, strict=True))
    if not worst <= LOSS_TOLERANCE:
        raise DisagreementError(f"the losses of {TRAINED} steps differ by {worst:.1e}")
    return {
        "first_loss": mine[0],
        "loss": mine[-1],
        "peer_loss": peers[-1],
        "largest_difference_of_losses": worst,
    }


def training_row(name: str, shape: Shape, threads: int, lengths: np.ndarray | None = None) -> Row:
    """Make the row of forward and backward; only the steps that are there count as work."""
    ours, theirs = sides(name, shape, lengths)
    cell = name.removesuffix("Cell").lower()
    there = shape.T * shape.B if lengths is None else float(lengths.sum())

    def check() -> dict[str, Any]:
        compared = agree(ours.answers(), theirs.answers(), tolerance=TOLERANCE)
        ran_native(ours)
        return {**compared, **trained(ours, theirs)}

    return Row(
        name=f"{name}, {shape.label}" if name.endswith("Cell") else shape.label,
        operations=operations(cell, there, shape.I, shape.H),
        bytes=traffic(cell, there, shape.I, shape.H),
        check=check,
        ours=ours.run,
        theirs=theirs.run,
        threads=threads,
    )


def inference_row(name: str, shape: Shape, threads: int) -> Row:
    """Make the row of forward alone, under `torch.no_grad`."""
    ours, theirs = sides(name, shape)
    rows, cell = shape.T * shape.B, name.lower()

    def check() -> dict[str, Any]:
        outputs = [{"output": work.infer().numpy()} for work in (ours, theirs)]
        ran_native(ours)
        return agree(*outputs, tolerance=TOLERANCE)

    return Row(
        name=f"{name}, {shape.label}",
        operations=forward_operations(cell, rows, shape.I, shape.H),
        bytes=4.0 * (rows * (shape.I + shape.H) + parameters(cell, shape.I, shape.H)),
        check=check,
        ours=ours.infer,
        theirs=theirs.infer,
        threads=threads,
    )


def layer_rows(name: str) -> MakeRows:
    """Make the rows of a whole layer."""
    return lambda threads: (training_row(name, shape, threads) for shape in (*SINGLE, *SHAPES))


def packed_rows(threads: int) -> Iterator[Row]:
    """Make the rows of sequences of many lengths."""
    return (training_row("LSTM", shape, threads, drawn_lengths(shape)) for shape in PACKED_SHAPES)


def cell_rows(threads: int) -> Iterator[Row]:
    """Make the rows of the cells."""
    names = ("LSTMCell", "GRUCell", "RNNCell")
    return (training_row(name, shape, threads) for name in names for shape in CELL_SHAPES)


def inference_rows(threads: int) -> Iterator[Row]:
    """Make the rows of forward alone."""
    return (inference_row(name, shape, threads) for name in ("LSTM", "GRU") for shape in INFERENCE_SHAPES)


def module_case(
    name: str,
    title: dict[str, str],
    label: dict[str, str],
    make: MakeRows,
    *targets: Target,
    threads: Sequence[int] = THREADS,
) -> Case:
    """Make one case of the group: all its rows on every number of threads."""

    def rows() -> Iterator[Row]:
        import torch

        for count in threads:
            torch.set_num_threads(count)  # both sides do as torch is told
            yield from make(count)

    return Case(
        name=f"modules_{name}",
        title=title,
        peer=PEER,
        threads=max(threads),
        rows=rows,
        targets=(*targets, NEVER_SLOWER),
        needs=("torch",),
        group=GROUP,
        label=label,
    )


def layer_case(name: str, *targets: Target) -> Case:
    """Make the case of one class."""
    title = {
        "en": f"`unrolled.torch.{name}`, forward + backward with autograd",
        "zh": f"`unrolled.torch.{name}`，前向 + 反向（含 autograd）",
    }
    return module_case(name.lower(), title, {"en": name, "zh": name}, layer_rows(name), *targets)


MODULES = (
    layer_case("LSTM", Target("ratio", 1 / 0.6, row=SINGLE[0].label)),
    layer_case("GRU", Target("mean_ratio", 4.0)),
    layer_case("RNN"),
    module_case(
        "packed",
        {
            "en": f"`unrolled.torch.LSTM`, packed sequences of {SHORTEST} to {PACKED_STEPS} steps",
            "zh": f"`unrolled.torch.LSTM`，{SHORTEST} 到 {PACKED_STEPS} 步的变长序列（PackedSequence）",
        },
        {"en": "packed LSTM", "zh": "变长 LSTM"},
        packed_rows,
        Target("mean_ratio", 8.0),
    ),
    module_case(
        "cells",
        {
            "en": "`unrolled.torch.LSTMCell`, `GRUCell` and `RNNCell`, forward + backward of 16 calls",
            "zh": "`unrolled.torch.LSTMCell`、`GRUCell`、`RNNCell`，16 次调用的前向 + 反向",
        },
        {"en": "cells", "zh": "Cell"},
        cell_rows,
        threads=(1,),
    ),
    module_case(
        "inference",
        {
            "en": "`unrolled.torch.LSTM` and `GRU`, forward alone under `no_grad`",
            "zh": "`unrolled.torch.LSTM` 和 `GRU`，`no_grad` 下只算前向",
        },
        {"en": "forward alone", "zh": "只算前向"},
        inference_rows,
        threads=(1,),
    ),
)
