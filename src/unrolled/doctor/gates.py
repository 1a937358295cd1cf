"""How full the gates of torch's layers are, worked out again from weights and what was read.

Knows the equations of torch's LSTM and GRU. Must not know what is wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from torch import Tensor

FULL = 0.01
"""A gate nearer to 0 or 1 than this is full: hardly any gradient passes its sigmoid."""


def saturation_of(layer: Any, x: Tensor) -> float | None:
    """Return the share of the first layer's gate values that are full; None for a layer without gates.

    Args:
        layer: an LSTM or GRU; not changed.
        x: [B, T, I] or [T, B, I], as the layer reads it.
    """
    if layer.mode not in ("LSTM", "GRU"):
        return None
    x = x[:, None] if x.ndim == 2 else x
    x_tbi = x.transpose(0, 1) if layer.batch_first and x.ndim == 3 else x
    weight_ih, weight_hh = layer.weight_ih_l0, layer.weight_hh_l0
    bias_ih, bias_hh = (layer.bias_ih_l0, layer.bias_hh_l0) if layer.bias else (0.0, 0.0)
    recurrent = layer.weight_hr_l0 if layer.proj_size else None
    h = x_tbi.new_zeros(x_tbi.shape[1], layer.proj_size or layer.hidden_size)
    c = x_tbi.new_zeros(x_tbi.shape[1], layer.hidden_size)
    full = total = 0
    for x_bi in x_tbi:
        from_input, from_state = x_bi @ weight_ih.T + bias_ih, h @ weight_hh.T + bias_hh
        if layer.mode == "LSTM":
            i, f, g, o = (from_input + from_state).chunk(4, dim=1)
            gates = torch.sigmoid(torch.stack([i, f, o]))
            c = gates[1] * c + gates[0] * torch.tanh(g)
            h = gates[2] * torch.tanh(c)
            h = h if recurrent is None else h @ recurrent.T
        else:
            (ri, zi, ni), (rh, zh, nh) = from_input.chunk(3, dim=1), from_state.chunk(3, dim=1)
            gates = torch.sigmoid(torch.stack([ri + rh, zi + zh]))
            h = (1 - gates[1]) * torch.tanh(ni + gates[0] * nh) + gates[1] * h
        full += int(((gates < FULL) | (gates > 1 - FULL)).sum())
        total += gates.numel()
    return full / max(total, 1)
