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
from unrolled.torch.shapes import Call, geometry, network

if TYPE_CHECKING:
    from collections.abc import Sequence

_NETWORK = "str cell, int input_size, int hidden_size, int num_layers, bool bidirectional"
_INPUTS = "str layout, SymInt rows, Tensor? batch_sizes, Tensor? resets, Tensor? masks"

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


def _spoken(call: Call) -> tuple[Any, ...]:
    """Return a call as the ten arguments with which both operators begin."""
    net = call.net
    sizes = net.cell, net.input_size, net.hidden_size, net.num_layers, net.bidirectional
    return *sizes, *call[1:]


def _heard(arguments: tuple[Any, ...], weights: Sequence[Tensor]) -> Call:
    """Return the call that these ten arguments speak of; the weights tell whether there are biases."""
    cell, input_size, hidden_size, num_layers, bidirectional, *others = arguments
    bias = len(weights) == 4 * num_layers * (2 if bidirectional else 1)
    return Call(network(cell, input_size, hidden_size, num_layers, bidirectional, bias), *others)


@torch.library.impl("unrolled::recurrent", "cpu")  # type: ignore[untyped-decorator]
def _recurrent(*arguments: Any) -> tuple[Tensor, ...]:
    *ten, keep, x, h0, c0, weights = arguments
    found = native.forward(_heard(tuple(ten), weights), x, h0, c0, weights, keep, blank=True)
    return tuple(x.new_empty(0) if one is None else one for one in found)


@torch.library.register_fake("unrolled::recurrent")  # type: ignore[untyped-decorator]
def _recurrent_fake(*arguments: Any) -> tuple[Tensor, ...]:
    *ten, keep, x, _, _, weights = arguments
    call = _heard(tuple(ten), weights)
    core = call.net.core(x.dtype)
    made = geometry(call.net, call.layout, x.shape, call.rows)
    kept = made.total * core.row_size + made.rows * core.end_size
    return (
        native.new(made.outputs, made.output_strides, x),
        x.new_empty(0 if call.layout == "cell" else made.states),
        x.new_empty(made.states if call.net.has_c else 0),
        x.new_empty(kept if keep else 0),
    )


def _setup(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
    *ten, _, x, h0, c0, weights = inputs
    call = _heard(tuple(ten), weights)
    ctx.call = call._replace(batch_sizes=None, resets=None, masks=None)  # which are saved as tensors are
    ctx.x_shape = x.shape
    ctx.save_for_backward(output[3], *call[3:], x, h0, c0, *weights)
    ctx.set_materialize_grads(False)


def _recurrent_gradients(ctx: Any, *d_outputs: Tensor | None) -> tuple[Any, ...]:
    reserve, batch_sizes, resets, masks, _, h0, c0, *weights = ctx.saved_tensors
    call = ctx.call._replace(batch_sizes=batch_sizes, resets=resets, masks=masks)
    *_, needs_x, needs_h0, needs_c0, needs_weights = ctx.needs_input_grad
    wanted = [needs_x, h0 is not None and needs_h0, c0 is not None and needs_c0, *needs_weights]
    d_out, d_h_n, d_c_n, _ = d_outputs
    there = d_out, None if call.layout == "cell" else d_h_n, d_c_n if call.net.has_c else None
    found = iter(
        torch.ops.unrolled.recurrent_backward(
            *_spoken(call), ctx.x_shape, h0 is None, wanted, weights, reserve, *there
        )
    )
    d_x, d_h0, d_c0, *d_weights = (next(found) if want else None for want in wanted)
    return (*[None] * 11, d_x, d_h0, d_c0, d_weights)


torch.library.register_autograd("unrolled::recurrent", _recurrent_gradients, setup_context=_setup)


@torch.library.impl("unrolled::recurrent_backward", "cpu")  # type: ignore[untyped-decorator]
def _recurrent_backward(*arguments: Any) -> list[Tensor]:
    *ten, x_shape, from_zero, wanted, weights, reserve, d_out, d_h_n, d_c_n = arguments
    call, d_outputs = _heard(tuple(ten), weights), (d_out, d_h_n, d_c_n)
    found = native.backward(call, torch.Size(x_shape), from_zero, weights, reserve, d_outputs, wanted)
    return [one for one in found if one is not None]


@torch.library.register_fake("unrolled::recurrent_backward")  # type: ignore[untyped-decorator]
def _recurrent_backward_fake(*arguments: Any) -> list[Tensor]:
    *ten, x_shape, _, wanted, weights, reserve, _, _, _ = arguments
    call = _heard(tuple(ten), weights)
    made = geometry(call.net, call.layout, x_shape, call.rows)
    everything = [
        native.new(made.inputs, made.input_strides, reserve),
        *(reserve.new_empty(made.states) for _ in range(2)),
        *(reserve.new_empty(shape) for shape in call.net.shapes),
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
    call: Call, keep: bool, x: Tensor, h0: Tensor | None, c0: Tensor | None, weights: Sequence[Tensor]
) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """Return what `native.forward` returns but what it keeps, by the operator."""
    out, h_n, c_n, _ = torch.ops.unrolled.recurrent(*_spoken(call), keep, x, h0, c0, weights)
    return out, None if call.layout == "cell" else h_n, c_n if call.net.has_c else None
