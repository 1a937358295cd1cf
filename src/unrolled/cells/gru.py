"""The gated recurrent unit: one gate mixes the old state with a new value, one limits what that reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from unrolled.cells.activations import sigmoid, sigmoid_slope, tanh, tanh_slope
from unrolled.cells.base import Cell, State, Step, StepGradients, Weights, blocks, joined, linear_backward

if TYPE_CHECKING:
    from unrolled.cells.activations import Array


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class GRUStep(Step):
    """Every number of one step of the GRU."""

    r: Array
    """The reset gate: how much of the old state the new value reads."""
    z: Array
    """The update gate: how much of the old state is kept."""
    n: Array
    """The new value."""
    from_h_n: Array
    """W_hn h + b_hn, the last block of `from_h`: what the reset gate acts on."""


@final
class GRU(Cell[GRUStep]):
    """The GRU whose reset gate acts after the product, torch's `nn.GRU`.

    Formula::

        r  = sigmoid(W_ir x + b_ir + W_hr h + b_hr)
        z  = sigmoid(W_iz x + b_iz + W_hz h + b_hz)
        n  =    tanh(W_in x + b_in + r (W_hn h + b_hn))
        h' = (h - n) z + n

    The last line is the usual h' = (1 - z) n + z h, with one product fewer. The paper's final version resets
    before the product, W_hn (r h); its first version, cuDNN and torch reset after it, as here.

    Shapes:
        x: [B, I]; everything else [B, H]; the weights' rows are three blocks of H: r, z, n.

    References:
        K. Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder for Statistical Machine
        Translation", EMNLP (2014), https://arxiv.org/abs/1406.1078
        https://pytorch.org/docs/stable/generated/torch.nn.GRU.html
    """

    name = "gru"
    gates = ("r", "z", "n")
    states = ("h",)

    def step(self, x_bi: Array, state: State, weights: Weights) -> GRUStep:
        """Return every number of one step."""
        (h,) = state
        from_x = x_bi @ weights.weight_ih.T + weights.bias_ih
        from_h = h @ weights.weight_hh.T + weights.bias_hh
        from_x_r, from_x_z, from_x_n = blocks(from_x, 3)
        from_h_r, from_h_z, from_h_n = blocks(from_h, 3)

        r = sigmoid(from_x_r + from_h_r)
        z = sigmoid(from_x_z + from_h_z)
        n = tanh(from_x_n + r * from_h_n)
        h_next = (h - n) * z + n

        return GRUStep(
            x=x_bi, h=h, from_x=from_x, from_h=from_h, r=r, z=z, n=n, from_h_n=from_h_n, h_next=h_next
        )

    def step_backward(self, step: GRUStep, d_state: State, weights: Weights) -> StepGradients:
        """Return the gradients of one step, each equation of `step` read from the last to the first."""
        (dh_next,) = d_state

        dh_kept = dh_next * step.z
        dz = dh_next * (step.h - step.n)
        dn = dh_next * (1.0 - step.z)

        da_n = dn * tanh_slope(step.n)
        dr = da_n * step.from_h_n
        dfrom_h_n = da_n * step.r
        da_z = dz * sigmoid_slope(step.z)
        da_r = dr * sigmoid_slope(step.r)

        d_from_x = joined(da_r, da_z, da_n)
        d_from_h = joined(da_r, da_z, dfrom_h_n)
        dx, dh_mixed, d_weights = linear_backward(step, weights, d_from_x=d_from_x, d_from_h=d_from_h)
        return StepGradients(dx, (dh_kept + dh_mixed,), d_weights)
