"""The same sequence in torch's own differentiable operations: where derivatives of derivatives are asked for.

Also what computes resets wherever the core cannot: on other devices, in other dtypes, with a projection. It
has the arguments of `native.forward`; where there are resets it is a loop over time in Python.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

from unrolled.torch.shapes import geometry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unrolled.torch.shapes import Call, Network


class _Switch:
    """torch's switch for oneDNN, which is one for all threads: off while anyone is inside."""

    def __init__(self) -> None:
        self._lock, self._inside, self._before = threading.Lock(), 0, True

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._before = torch._C._get_mkldnn_enabled()
                torch._C._set_mkldnn_enabled(False)
            self._inside += 1

    def __exit__(self, *raised: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                torch._C._set_mkldnn_enabled(self._before)


without_onednn = _Switch()
"""A context in which no operator of oneDNN runs: they have no second and no forward-mode derivatives."""


def forward(
    call: Call, x: Tensor, h0: Tensor | None, c0: Tensor | None, weights: Sequence[Tensor]
) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """Run a sequence; the arguments and the answer are those of `native.forward`."""
    net, layout, rows, batch_sizes, resets, masks = call
    made = geometry(net, layout, x.shape, rows)
    y = _time_major(x, layout, batch_sizes)
    h = _states(net, h0, made.rows, net.state_size, x)
    c = _states(net, c0, made.rows, net.hidden_size, x)
    per_layer = len(weights) // net.num_layers
    last_h, last_c = [], []
    whole = resets is None and (batch_sizes is not None or torch._C._functorch.maybe_current_level() is None)
    with without_onednn:
        for layer in range(net.num_layers):
            at = slice(layer * net.directions, (layer + 1) * net.directions)
            own = weights[layer * per_layer : (layer + 1) * per_layer]
            if whole:
                y, h_n, c_n = _whole(net, y, h[at], c[at], batch_sizes, own)
            else:
                y, h_n, c_n = _stepwise(net, y, h[at], c[at], resets, own)
            last_h.append(h_n)
            last_c.append(c_n)
            if masks is not None and layer < net.num_layers - 1:
                y = y * masks[layer].view(y.shape)
    h_n = torch.cat(last_h).view(made.states)
    c_n = torch.cat(last_c).view(*made.states[:-1], net.hidden_size) if net.has_c else None
    if layout == "batch":
        y = y.transpose(0, 1)
    return y.view(made.outputs), None if layout == "cell" else h_n, c_n


def _time_major(x: Tensor, layout: str, batch_sizes: Tensor | None) -> Tensor:
    """Return the input as [T, B, I], or as it is if it is packed."""
    if batch_sizes is not None:
        return x
    if layout == "cell":
        return x.reshape(1, -1, x.shape[-1])
    if x.dim() == 2:
        return x.unsqueeze(1)
    return x.transpose(0, 1) if layout == "batch" else x


def _states(net: Network, given: Tensor | None, rows: int, size: int, like: Tensor) -> Tensor:
    """Return states as [L D, B, size], zeros where none are given."""
    if given is None:
        return like.new_zeros(net.slots, rows, size)
    return given.reshape(net.slots, rows, size)


def _whole(
    net: Network, y: Tensor, h: Tensor, c: Tensor, batch_sizes: Tensor | None, weights: Sequence[Tensor]
) -> tuple[Tensor, Tensor, Tensor]:
    """Run one layer, in both directions, by torch's own operator."""
    run = getattr(torch, {"rnn": "rnn_tanh"}.get(net.cell, net.cell))
    hx = (h, c) if net.has_c else h
    before = (y,) if batch_sizes is None else (y, batch_sizes)
    after = (False,) if batch_sizes is None else ()
    found = run(*before, hx, list(weights), net.bias, 1, 0.0, False, net.bidirectional, *after)
    return found[0], found[1], found[2] if net.has_c else found[1]


def _stepwise(
    net: Network, y: Tensor, h: Tensor, c: Tensor, resets: Tensor | None, weights: Sequence[Tensor]
) -> tuple[Tensor, Tensor, Tensor]:
    """Run one layer over [T, B, I], in both directions, with states set to zero before a reset step."""
    count = len(weights) // net.directions
    ended = None if resets is None else resets.ne(0).unsqueeze(-1)
    steps = range(y.shape[0])
    found: list[Tensor] = []
    last_h, last_c = [], []
    for direction in range(net.directions):
        own = list(weights[direction * count : (direction + 1) * count])
        projection = own.pop() if net.proj_size else None
        w_ih, w_hh, b_ih, b_hh = own if net.bias else (*own, None, None)
        projected = functional.linear(y, w_ih, b_ih)
        state_h, state_c = h[direction], c[direction]
        outputs = []
        for t in reversed(steps) if direction else steps:
            edge = t + direction
            if ended is not None and edge < y.shape[0]:
                state_h = state_h.masked_fill(ended[edge], 0)
                state_c = state_c.masked_fill(ended[edge], 0)
            hidden = functional.linear(state_h, w_hh, b_hh)
            state_h, state_c = _step(net.cell, projected[t], hidden, state_h, state_c)
            if projection is not None:
                state_h = functional.linear(state_h, projection)
            outputs.append(state_h)
        found.append(torch.stack(outputs[::-1] if direction else outputs))
        last_h.append(state_h)
        last_c.append(state_c)
    return torch.cat(found, -1), torch.stack(last_h), torch.stack(last_c)


def _step(cell: str, read: Tensor, hidden: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """Return h' and c' of one step from W_ih x + b_ih, W_hh h + b_hh and the state."""
    if cell == "lstm":
        i, f, g, o = (read + hidden).chunk(4, -1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c
    if cell == "gru":
        r_x, z_x, n_x = read.chunk(3, -1)
        r_h, z_h, n_h = hidden.chunk(3, -1)
        n = torch.tanh(n_x + torch.sigmoid(r_x + r_h) * n_h)
        return (h - n) * torch.sigmoid(z_x + z_h) + n, c
    return (torch.tanh if cell == "rnn" else torch.relu)(read + hidden), c


def gradients(
    call: Call,
    tensors: Sequence[Tensor | None],
    d_outputs: Sequence[Tensor | None],
    wanted: Sequence[bool],
) -> list[Tensor | None]:
    """Return what `native.backward` returns, differentiable in its turn.

    Args:
        call: as in `forward`.
        tensors: x, h0, c0 and the weights.
        d_outputs: of the outputs, h_n and c_n; None is zero.
        wanted: one for each of `tensors`.
    """
    again = torch.is_grad_enabled()
    with torch.enable_grad():
        # aliases: a tensor that stands in two places has a gradient for each
        x, h0, c0, *weights = (None if one is None else one.view_as(one) for one in tensors)
        outputs = forward(call, x, h0, c0, weights)
        places = [at for at, want in enumerate(wanted) if want]
        ends = [(y, d) for y, d in zip(outputs, d_outputs, strict=True) if y is not None and d is not None]
        found = torch.autograd.grad(
            [y for y, _ in ends],
            [(x, h0, c0, *weights)[at] for at in places],
            [d for _, d in ends],
            create_graph=again,
            allow_unused=True,
        )
    answer: list[Tensor | None] = [None] * len(tensors)
    for at, gradient in zip(places, found, strict=True):
        answer[at] = gradient
    return answer
