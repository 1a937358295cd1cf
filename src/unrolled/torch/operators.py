"""The sequence as operators of PyTorch, which torch.compile, torch.export and dispatch modes see as one step.

    unrolled::recurrent             native.forward, with gradients
    unrolled::recurrent_backward    native.backward
    unrolled::dropout_masks         native.draw_masks, by torch's generator

All are functional: what `recurrent_backward` needs travels in a tensor, `reserve`. Each has a fake
implementation that tells shapes from shapes. Outputs that are not there have no elements.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from unrolled.torch import native
from unrolled.torch.shapes import Network, geometry, network

if TYPE_CHECKING:
    from collections.abc import Sequence

_NETWORK = "str cell, int input_size, int hidden_size, int num_layers, bool bidirectional"
_INPUTS = "str layout, Tensor? batch_sizes, SymInt rows, Tensor? resets, Tensor? masks"

torch.library.define(
    "unrolled::recurrent",
    f"({_NETWORK}, {_INPUTS}, bool keep, Tensor x, Tensor? h0, Tensor? c0, Tensor[] weights)"
    " -> (Tensor, Tensor, Tensor, Tensor)",
    tags=(torch.Tag.pt2_compliant_tag,),
)
torch.library.define(
    "unrolled::recurrent_backward",
    f"({_NETWORK}, {_INPUTS}, SymInt[] x_shape, bool from_zero, bool[] wanted, Tensor[] weights,"
    " Tensor reserve, Tensor? d_out, Tensor? d_h_n, Tensor? d_c_n) -> Tensor[]",
    tags=(torch.Tag.pt2_compliant_tag,),
)
torch.library.define(
    "unrolled::dropout_masks",
    "(float p, SymInt layers, SymInt total, SymInt width, Tensor like) -> Tensor",
    tags=(torch.Tag.pt2_compliant_tag, torch.Tag.nondeterministic_seeded),
)


def _network(
    cell: str,
    input_size: int,
    hidden_size: int,
    num_layers: int,
    bidirectional: bool,
    weights: Sequence[Tensor],
) -> Network:
    bias = len(weights) == 4 * num_layers * (2 if bidirectional else 1)
    return network(cell, input_size, hidden_size, num_layers, bidirectional, bias)


@torch.library.impl("unrolled::recurrent", "cpu")  # type: ignore[untyped-decorator]
def _recurrent(
    cell: str,
    input_size: int,
    hidden_size: int,
    num_layers: int,
    bidirectional: bool,
    layout: str,
    batch_sizes: Tensor | None,
    rows: int,
    resets: Tensor | None,
    masks: Tensor | None,
    keep: bool,
    x: Tensor,
    h0: Tensor | None,
    c0: Tensor | None,
    weights: Sequence[Tensor],
) -> tuple[Tensor, ...]:
    net = _network(cell, input_size, hidden_size, num_layers, bidirectional, weights)
    found = native.forward(
        net, layout, x, h0, c0, batch_sizes, rows, resets, masks, weights, keep, blank=True
    )
    return tuple(x.new_empty(0) if one is None else one for one in found)


@torch.library.register_fake("unrolled::recurrent")  # type: ignore[untyped-decorator]
def _recurrent_fake(
    cell: str,
    input_size: int,
    hidden_size: int,
    num_layers: int,
    bidirectional: bool,
    layout: str,
    batch_sizes: Tensor | None,
    rows: int,
    resets: Tensor | None,
    masks: Tensor | None,
    keep: bool,
    x: Tensor,
    h0: Tensor | None,
    c0: Tensor | None,
    weights: Sequence[Tensor],
) -> tuple[Tensor, ...]:
    net = _network(cell, input_size, hidden_size, num_layers, bidirectional, weights)
    core = net.core(x.dtype)
    made = geometry(net, layout, x.shape, rows)
    kept = made.total * core.row_size + made.rows * core.end_size
    return (
        native.new(made.outputs, made.output_strides, x),
        x.new_empty(0 if layout == "cell" else made.states),
        x.new_empty(made.states if net.has_c else 0),
        x.new_empty(kept if keep else 0),
    )


def _setup(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
    *sizes, layout, batch_sizes, rows, resets, masks, _, x, h0, c0, weights = inputs
    ctx.made = sizes, layout, rows, x.shape
    ctx.save_for_backward(output[3], batch_sizes, resets, masks, x, h0, c0, *weights)
    ctx.set_materialize_grads(False)


def _recurrent_gradients(ctx: Any, *d_outputs: Tensor | None) -> tuple[Any, ...]:
    reserve, batch_sizes, resets, masks, _, h0, c0, *weights = ctx.saved_tensors
    sizes, layout, rows, x_shape = ctx.made
    *_, needs_x, needs_h0, needs_c0, needs_weights = ctx.needs_input_grad
    wanted = [needs_x, h0 is not None and needs_h0, c0 is not None and needs_c0, *needs_weights]
    d_out, d_h_n, d_c_n, _ = d_outputs
    found = iter(
        torch.ops.unrolled.recurrent_backward(
            *sizes,
            layout,
            batch_sizes,
            rows,
            resets,
            masks,
            x_shape,
            h0 is None,
            wanted,
            weights,
            reserve,
            d_out,
            None if layout == "cell" else d_h_n,
            d_c_n if sizes[0] == "lstm" else None,
        )
    )
    d_x, d_h0, d_c0, *d_weights = (next(found) if want else None for want in wanted)
    return (*[None] * 11, d_x, d_h0, d_c0, d_weights)


torch.library.register_autograd("unrolled::recurrent", _recurrent_gradients, setup_context=_setup)


@torch.library.impl("unrolled::recurrent_backward", "cpu")  # type: ignore[untyped-decorator]
def _recurrent_backward(
    cell: str,
    input_size: int,
    hidden_size: int,
    num_layers: int,
    bidirectional: bool,
    layout: str,
    batch_sizes: Tensor | None,
    rows: int,
    resets: Tensor | None,
    masks: Tensor | None,
    x_shape: Sequence[int],
    from_zero: bool,
    wanted: Sequence[bool],
    weights: Sequence[Tensor],
    reserve: Tensor,
    d_out: Tensor | None,
    d_h_n: Tensor | None,
    d_c_n: Tensor | None,
) -> list[Tensor]:
    net = _network(cell, input_size, hidden_size, num_layers, bidirectional, weights)
    found = native.backward(
        net,
        layout,
        torch.Size(x_shape),
        batch_sizes,
        rows,
        from_zero,
        resets,
        masks,
        weights,
        reserve,
        d_out,
        d_h_n,
        d_c_n,
        wanted,
    )
    return [one for one in found if one is not None]


@torch.library.register_fake("unrolled::recurrent_backward")  # type: ignore[untyped-decorator]
def _recurrent_backward_fake(
    cell: str,
    input_size: int,
    hidden_size: int,
    num_layers: int,
    bidirectional: bool,
    layout: str,
    batch_sizes: Tensor | None,
    rows: int,
    resets: Tensor | None,
    masks: Tensor | None,
    x_shape: Sequence[int],
    from_zero: bool,
    wanted: Sequence[bool],
    weights: Sequence[Tensor],
    reserve: Tensor,
    d_out: Tensor | None,
    d_h_n: Tensor | None,
    d_c_n: Tensor | None,
) -> list[Tensor]:
    net = _network(cell, input_size, hidden_size, num_layers, bidirectional, weights)
    made = geometry(net, layout, x_shape, rows)
    everything = [
        native.new(made.inputs, made.input_strides, reserve),
        *(reserve.new_empty(made.states) for _ in range(2)),
        *(reserve.new_empty(shape) for shape in net.shapes),
    ]
    return [one for one, want in zip(everything, wanted, strict=True) if want]


def _no_second_gradients(ctx: Any, *gradients: Any) -> tuple[Any, ...]:
    raise NotImplementedError(
        "unrolled::recurrent_backward has no derivative; differentiate outside torch.compile"
    )


torch.library.register_autograd("unrolled::recurrent_backward", _no_second_gradients)


@torch.library.impl("unrolled::dropout_masks", "cpu")  # type: ignore[untyped-decorator]
def _dropout_masks(p: float, layers: int, total: int, width: int, like: Tensor) -> Tensor:
    return native.draw_masks(p, layers, total, width, like)


@torch.library.register_fake("unrolled::dropout_masks")  # type: ignore[untyped-decorator]
def _dropout_masks_fake(p: float, layers: int, total: int, width: int, like: Tensor) -> Tensor:
    return like.new_empty((layers - 1, total, width))


def recurrent(
    net: Network,
    layout: str,
    batch_sizes: Tensor | None,
    rows: int,
    resets: Tensor | None,
    masks: Tensor | None,
    keep: bool,
    x: Tensor,
    h0: Tensor | None,
    c0: Tensor | None,
    weights: Sequence[Tensor],
) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """Return what `native.forward` returns but what it keeps, by the operator."""
    out, h_n, c_n, _ = torch.ops.unrolled.recurrent(
        net.cell,
        net.input_size,
        net.hidden_size,
        net.num_layers,
        net.bidirectional,
        layout,
        batch_sizes,
        rows,
        resets,
        masks,
        keep,
        x,
        h0,
        c0,
        weights,
    )
    return out, None if layout == "cell" else h_n, c_n if net.has_c else None
