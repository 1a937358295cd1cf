"""What is known of a call before any number is: the weights of a module, the shapes of what goes in and out.

A layout says how the axes of the input lie: "time" [T, B, I], or [T, I] without a batch; "batch" [B, T, I];
"cell" [B, I] or [I], one step; "packed" [N, I], the rows of a PackedSequence.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from unrolled.engine import CELLS, recurrence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

DTYPES = {torch.float32: "float32", torch.float64: "float64"}
"""What the core computes in."""


class Network:
    """What the weights of a module are.

    Args:
        cell: one of the values of `unrolled.network.TORCH_MODES`.
        input_size: I.
        hidden_size: H.
        num_layers: L.
        bidirectional: whether D is 2.
        bias: whether each layer has two.
        proj_size: P of a projected LSTM, 0 without; the core has none with.
    """

    def __init__(
        self,
        cell: str,
        input_size: int,
        hidden_size: int,
        num_layers: int,
        bidirectional: bool,
        bias: bool,
        proj_size: int,
    ) -> None:
        self.cell, self.bias = cell, bias
        self.input_size, self.hidden_size, self.proj_size = input_size, hidden_size, proj_size
        self.num_layers, self.bidirectional = num_layers, bidirectional
        self.directions = 2 if bidirectional else 1
        self.slots = num_layers * self.directions
        self.state_size = proj_size or hidden_size
        self.width = self.directions * self.state_size
        sizes = CELLS[cell]
        self.has_c = sizes.states > 0
        gates = sizes.gates * hidden_size
        shapes: list[tuple[int, ...]] = []
        for layer in range(num_layers):
            one: list[tuple[int, ...]] = [
                (gates, self.width if layer else input_size),
                (gates, self.state_size),
            ]
            one += [(gates,), (gates,)] if bias else []
            one += [(proj_size, hidden_size)] if proj_size else []
            shapes += one * self.directions
        self.shapes = tuple(shapes)
        self._cores: dict[torch.dtype, Any] = {}

    def core(self, dtype: torch.dtype) -> Any:
        """Return the core's object for float32 or float64."""
        found = self._cores.get(dtype)
        if found is None:
            found = self._cores[dtype] = recurrence(
                self.cell,
                self.input_size,
                self.hidden_size,
                self.num_layers,
                self.directions,
                DTYPES[dtype],
            )
        return found


@functools.lru_cache(maxsize=1024)
def network(
    cell: str,
    input_size: int,
    hidden_size: int,
    num_layers: int,
    bidirectional: bool,
    bias: bool,
    proj_size: int = 0,
) -> Network:
    """Return the one `Network` of these sizes."""
    return Network(cell, input_size, hidden_size, num_layers, bidirectional, bias, proj_size)


class Call(NamedTuple):
    """What a call is beside the tensors that have gradients.

    Args:
        net: of the module.
        layout: of the input.
        rows: B of packed rows.
        batch_sizes: of packed rows, int64 [T].
        resets: uint8 [T, B]; not 0 where the state is set to zero before a step.
        masks: factors of dropout, [L - 1, N, D H].
    """

    net: Network
    layout: str
    rows: int = 0
    batch_sizes: Tensor | None = None
    resets: Tensor | None = None
    masks: Tensor | None = None


class Geometry(NamedTuple):
    """Shapes of one call: T (0 of packed rows), B, the number N of their pairs, and what is made.

    Shapes:
        states: of h and c: [L D, B, H]; [L D, H] without a batch; of a cell [B, H] or [H];
        outputs, inputs: [..., D H] and [..., I] in the layout of the input, their memory always time-major.
    """

    steps: int
    rows: int
    total: int
    states: tuple[int, ...]
    outputs: tuple[int, ...]
    output_strides: tuple[int, ...] | None
    inputs: tuple[int, ...]
    input_strides: tuple[int, ...] | None


def geometry(net: Network, layout: str, shape: Sequence[int], rows: int) -> Geometry:
    """Return the shapes of a call.

    Args:
        net: of the module.
        layout: of the input.
        shape: of the input.
        rows: B of packed rows.
    """
    size, slots = net.state_size, net.slots
    states: tuple[int, ...]
    outer = tuple(shape[:-1])
    if layout == "packed":
        steps, total, states = 0, shape[0], (slots, rows, size)
    elif layout == "cell":
        steps, rows, states = 1, shape[0] if len(shape) == 2 else 1, (*outer, size)
        total = rows
    elif len(shape) == 2:
        steps, rows, total, states = shape[0], 1, shape[0], (slots, size)
    else:
        steps, rows = (shape[1], shape[0]) if layout == "batch" else (shape[0], shape[1])
        total, states = steps * rows, (slots, rows, size)
    width, inputs = net.width, net.input_size
    transposed = layout == "batch"
    return Geometry(
        steps,
        rows,
        total,
        states,
        (*outer, width),
        (width, rows * width, 1) if transposed else None,
        (*outer, inputs),
        (inputs, rows * inputs, 1) if transposed else None,
    )


known_geometry = functools.lru_cache(maxsize=4096)(geometry)
"""The same, remembered; not for symbolic sizes."""
