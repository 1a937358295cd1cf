"""How a sequence is run: with gradients through one autograd.Function, without them, or as an operator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.autograd import forward_ad

from unrolled.torch import composed, native, operators

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unrolled.torch.shapes import Call, Network


class Recurrence(torch.autograd.Function):  # type: ignore[misc]
    """One sequence, with gradients: of x, h0, c0 and each weight.

    What came in is saved through `save_for_backward`, so that torch notices what was changed in place since.
    """

    @staticmethod
    def forward(
        ctx: Any, call: Call, x: Tensor, h0: Tensor | None, c0: Tensor | None, *weights: Tensor
    ) -> tuple[Tensor | None, ...]:
        """Run the core and keep what `backward` needs."""
        out, h_n, c_n, reserve = native.forward(call, x, h0, c0, weights, True)
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(reserve, x, h0, c0, *weights)
        ctx.call = call
        return out, h_n, c_n

    @staticmethod
    def backward(ctx: Any, *d_outputs: Tensor | None) -> tuple[Tensor | None, ...]:
        """Return the gradients; where they are differentiated in their turn, by torch's operations."""
        reserve, x, h0, c0, *weights = ctx.saved_tensors
        _, *wanted = ctx.needs_input_grad
        if torch.is_grad_enabled() or _transformed(*d_outputs):
            return None, *composed.gradients(ctx.call, (x, h0, c0, *weights), d_outputs, wanted)
        return None, *native.backward(ctx.call, x.shape, h0 is None, weights, reserve, d_outputs, wanted)


_apply = super(torch.autograd.Function, Recurrence).apply
"""`Recurrence.apply` without its care for tensors of torch.func, which never come here (`paths.choose`)."""


def _transformed(*d_outputs: Tensor | None) -> bool:
    """Return whether these gradients are differentiated forwards or stand for many at once."""
    functorch = torch._C._functorch
    if forward_ad._current_level >= 0 or functorch.maybe_current_level() is not None:
        return True
    return any(one is not None and functorch.is_legacy_batchedtensor(one) for one in d_outputs)


def run(
    call: Call,
    x: Tensor,
    states: Sequence[Tensor] | None,
    weights: Sequence[Tensor],
    *,
    native_path: bool,
    traced: bool,
) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """Return the outputs, the last h, None of a cell, and the last c, None without.

    Args:
        call: which it is; x and weights are as in `native.forward`.
        x: the input.
        states: h0, or h0 and c0, where some are given.
        weights: of all layers.
        native_path: whether the core computes them; else torch's differentiable operations do.
        traced: whether operators are recorded rather than run.
    """
    h0, c0 = (None, None) if states is None else (*states, None)[:2]
    if not native_path:
        return composed.forward(call, x, h0, c0, weights)
    learns = torch.is_grad_enabled() and _any_requires_grad(x, states, weights)
    if traced:
        return operators.recurrent(call, learns, x, h0, c0, weights)
    if learns:
        return _apply(call, x, h0, c0, *weights)  # type: ignore[no-any-return]
    return native.forward(call, x, h0, c0, weights, False)[:3]


def draw(net: Network, p: float, x: Tensor, traced: bool) -> Tensor | None:
    """Return the factors of dropout, None where there is nothing between layers to drop."""
    if net.num_layers == 1:
        return None
    count = x.numel() // x.shape[-1]
    if traced:  # masks have no gradients, whatever x has
        x = x.detach()
        return torch.ops.unrolled.dropout_masks(p, net.num_layers, count, net.width, x)
    return native.draw_masks(p, net.num_layers, count, net.width, x)


def _any_requires_grad(x: Tensor, states: Sequence[Tensor] | None, weights: Sequence[Tensor]) -> bool:
    for w in weights:
        if w.requires_grad:
            return True
    return x.requires_grad or any(state.requires_grad for state in states or ())
