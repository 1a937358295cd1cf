"""From tensors to the core and back: everything that stands between PyTorch's memory and the engine's.

The one implementation under the autograd.Function and under the operators. Here nothing is differentiated and
nothing is decided: `paths` has made sure that the tensors fit. `shapes` says what a layout is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from unrolled.torch.shapes import known_geometry
from unrolled.torch.team import find_team

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unrolled.torch.shapes import Call, Network


_TEAM = find_team()


def new(shape: tuple[int, ...], strides: tuple[int, ...] | None, like: Tensor) -> Tensor:
    """Return memory of a shape beside another tensor; strides None is one number after the other."""
    if strides is None:
        return torch.empty(shape, dtype=like.dtype, device=like.device)
    return torch.empty_strided(shape, strides, dtype=like.dtype, device=like.device)


def dense(tensor: Tensor) -> Tensor:
    """Return a tensor whose numbers lie one after the other, as they are."""
    return tensor.resolve_neg().contiguous()


def _address(tensor: Tensor | None) -> int:
    return 0 if tensor is None else tensor.data_ptr()


def _addresses(net: Network, weights: Sequence[Tensor | None]) -> list[int]:
    """Return four addresses for each layer and direction: w_ih, w_hh, b_ih, b_hh."""
    found = [0 if w is None else w.data_ptr() for w in weights]
    if net.bias:
        return found
    return [one for at in range(0, len(found), 2) for one in (found[at], found[at + 1], 0, 0)]


def _dense_all(weights: Sequence[Tensor]) -> Sequence[Tensor]:
    for w in weights:
        if not w.is_contiguous() or w.is_neg():
            return [dense(one) for one in weights]
    return weights


def forward(
    call: Call,
    x: Tensor,
    h0: Tensor | None,
    c0: Tensor | None,
    weights: Sequence[Tensor],
    keep: bool,
    blank: bool = False,
) -> tuple[Tensor, Tensor | None, Tensor | None, Tensor | None]:
    """Run a sequence.

    Shapes:
        x: as the layout says; h0, c0: as `Geometry.states` says.

    Args:
        call: which it is; its resets and masks are contiguous.
        x: the input.
        h0, c0: the first states, or None for zeros.
        weights: of all layers, in torch's order.
        keep: whether there will be a `backward`.
        blank: whether what is kept has the same bits each time, where the core leaves room between numbers.

    Returns:
        The outputs in the layout of x; the last h, None of a cell; the last c, None without; what `backward`
        needs, None unless `keep`.
    """
    net, layout, rows, batch_sizes, resets, masks = call
    core = net.core(x.dtype)
    made = known_geometry(net, layout, x.shape, rows)
    steps, rows, total = made[:3]
    if batch_sizes is not None:
        steps = batch_sizes.shape[0]
    if ((x.stride(-1) != 1 or batch_sizes is not None) and not x.is_contiguous()) or x.is_neg():
        x = dense(x)
    x_step = x_row = x.stride(0)
    if layout == "batch":
        x_step = x.stride(1)
    elif layout == "time" and x.dim() == 3:
        x_row = x.stride(1)
    if h0 is not None:
        h0 = dense(h0)
    if c0 is not None:
        c0 = dense(c0)
    weights = _dense_all(weights)
    out = new(made.outputs, made.output_strides, x)
    h_n = None if layout == "cell" else new(made.states, None, x)
    c_n = None
    if net.has_c:
        c_n = new(made.states, None, x) if h_n is None else torch.empty_like(h_n)
    reserve = None
    if keep:
        reserve = new((total * core.row_size + rows * core.end_size,), None, x)
        if blank:
            reserve.zero_()
    core.forward(
        steps,
        rows,
        total,
        x.data_ptr(),
        x_step,
        x_row,
        _address(batch_sizes),
        _address(h0),
        _address(c0),
        _address(resets),
        _address(masks),
        _addresses(net, weights),
        out.data_ptr(),
        _address(h_n),
        _address(c_n),
        _address(reserve),
        torch.get_num_threads(),
        _TEAM,
    )
    return out, h_n, c_n, reserve


def backward(
    call: Call,
    x_shape: Sequence[int],
    from_zero: bool,
    weights: Sequence[Tensor],
    reserve: Tensor,
    d_outputs: Sequence[Tensor | None],
    wanted: Sequence[bool],
) -> list[Tensor | None]:
    """Return the gradients of x, h0, c0 and each weight, None where not `wanted`, in this order.

    Args:
        call: as in `forward`; so are weights.
        x_shape: of the input.
        from_zero: whether `forward` had no states.
        reserve: what `forward` kept.
        d_outputs: of the outputs, in their layout, and of the last h and c; None is zero.
        wanted: one for x, h0, c0 and each weight.
    """
    net, layout, rows, batch_sizes, resets, masks = call
    d_out, d_h_n, d_c_n = d_outputs
    core = net.core(reserve.dtype)
    made = known_geometry(net, layout, x_shape, rows)
    steps, rows, total = made[:3]
    if batch_sizes is not None:
        steps = batch_sizes.shape[0]
    if d_out is not None:
        d_out = dense(d_out.transpose(0, 1) if layout == "batch" else d_out)
    if d_h_n is not None:
        d_h_n = dense(d_h_n)
    if d_c_n is not None:
        d_c_n = dense(d_c_n)
    want_x, want_h0, want_c0, *want_weights = wanted
    d_x = new(made.inputs, made.input_strides, reserve) if want_x else None
    d_h0 = new(made.states, None, reserve) if want_h0 else None
    d_c0 = new(made.states, None, reserve) if want_c0 else None
    weights = _dense_all(weights)
    d_weights = [torch.empty_like(w) if want else None for w, want in zip(weights, want_weights, strict=True)]
    core.backward(
        steps,
        rows,
        total,
        _address(batch_sizes),
        from_zero,
        _address(resets),
        _address(masks),
        _addresses(net, weights),
        reserve.data_ptr(),
        _address(d_out),
        _address(d_h_n),
        _address(d_c_n),
        _address(d_x),
        _address(d_h0),
        _address(d_c0),
        _addresses(net, d_weights) if any(want_weights) else [],
        torch.get_num_threads(),
        _TEAM,
    )
    return [d_x, d_h0, d_c0, *d_weights]


def draw_masks(p: float, layers: int, total: int, width: int, like: Tensor) -> Tensor:
    """Draw the factors of dropout, in the order and by the generator of torch's own.

    torch draws a mask for the outputs of each layer but the last, when it comes to it: 0 with probability p,
    else 1 / (1 - p). Returns [L - 1, N, D H].
    """
    masks = torch.empty((layers - 1, total, width), dtype=like.dtype, device=like.device)
    if p == 1:
        return masks.zero_()
    for mask in masks:
        mask.bernoulli_(1 - p).div_(1 - p)
    return masks
