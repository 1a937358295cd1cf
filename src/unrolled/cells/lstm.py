"""The long short-term memory: a memory that gates write to, keep and read from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from unrolled.cells.activations import sigmoid, sigmoid_slope, tanh, tanh_slope
from unrolled.cells.base import Cell, State, Step, StepGradients, Weights, blocks, joined, linear_backward

if TYPE_CHECKING:
    from unrolled.cells.activations import Array


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class LSTMStep(Step):
    """Every number of one step of the LSTM."""

    c: Array
    """The memory before the step."""
    i: Array
    """The input gate: how much of `g` is written."""
    f: Array
    """The forget gate: how much of the memory is kept."""
    g: Array
    """The candidate: what would be written."""
    o: Array
    """The output gate: how much of the memory is shown."""
    c_next: Array
    """The memory after the step."""
    tanh_c: Array
    """tanh(c_next), the memory as it is shown."""


@final
class LSTM(Cell[LSTMStep]):
    """The LSTM with a forget gate, torch's `nn.LSTM`.

    Formula::

        i  = sigmoid(W_ii x + b_ii + W_hi h + b_hi)
        f  = sigmoid(W_if x + b_if + W_hf h + b_hf)
        g  =    tanh(W_ig x + b_ig + W_hg h + b_hg)
        o  = sigmoid(W_io x + b_io + W_ho h + b_ho)
        c' = f c + i g
        h' = o tanh(c')

    Shapes:
        x: [B, I]; everything else [B, H]; the weights' rows are four blocks of H: i, f, g, o.

    References:
        S. Hochreiter, J. Schmidhuber, "Long Short-Term Memory", Neural Computation 9 (1997) 1735-1780.
        F. A. Gers, J. Schmidhuber, F. Cummins, "Learning to Forget", Neural Computation 12 (2000) 2451-2471.
        https://pytorch.org/docs/stable/generated/torch.nn.LSTM.html
    """

    name = "lstm"
    gates = ("i", "f", "g", "o")
    states = ("h", "c")

    def step(self, x_bi: Array, state: State, weights: Weights) -> LSTMStep:
        """Return every number of one step."""
        h, c = state
        from_x = x_bi @ weights.weight_ih.T + weights.bias_ih
        from_h = h @ weights.weight_hh.T + weights.bias_hh
        a_i, a_f, a_g, a_o = blocks(from_x + from_h, 4)

        i = sigmoid(a_i)
        f = sigmoid(a_f)
        g = tanh(a_g)
        o = sigmoid(a_o)
        c_next = f * c + i * g
        tanh_c = tanh(c_next)
        h_next = o * tanh_c

        return LSTMStep(
            x=x_bi, h=h, c=c, from_x=from_x, from_h=from_h,
            i=i, f=f, g=g, o=o, c_next=c_next, tanh_c=tanh_c, h_next=h_next,
        )  # fmt: skip

    def step_backward(self, step: LSTMStep, d_state: State, weights: Weights) -> StepGradients:
        """Return the gradients of one step, each equation of `step` read from the last to the first."""
        dh_next, dc_later = d_state

        do = dh_next * step.tanh_c
        dtanh_c = dh_next * step.o
        dc_next = dc_later + dtanh_c * tanh_slope(step.tanh_c)
        df = dc_next * step.c
        dc = dc_next * step.f
        di = dc_next * step.g
        dg = dc_next * step.i

        da_i = di * sigmoid_slope(step.i)
        da_f = df * sigmoid_slope(step.f)
        da_g = dg * tanh_slope(step.g)
        da_o = do * sigmoid_slope(step.o)

        da = joined(da_i, da_f, da_g, da_o)
        dx, dh, d_weights = linear_backward(step, weights, d_from_x=da, d_from_h=da)
        return StepGradients(dx, (dh, dc), d_weights)
