"""The scalar LSTM of xLSTM: an exponential input gate, and a normaliser of what was ever written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from unrolled.cells.activations import sigmoid, sigmoid_slope, tanh, tanh_slope
from unrolled.cells.base import Cell, State, Step, StepGradients, Weights, blocks, joined, linear_backward

if TYPE_CHECKING:
    from unrolled.cells.activations import Array

_EMPTY = -1e30
"""What a memory counts for that nothing was written to: less than any input gate."""


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class SLSTMStep(Step):
    """Every number of one step of the sLSTM; c and n are kept divided by e^m."""

    c: Array
    """The memory before the step."""
    n: Array
    """The normaliser before the step: how much was written to the memory."""
    m: Array
    """The logarithm of what the memory and the normaliser before the step are divided by."""
    i: Array
    """The input gate, divided by e^m_next."""
    f: Array
    """The forget gate, times e^(m - m_next)."""
    z: Array
    """The candidate: what would be written."""
    o: Array
    """The output gate: how much of the memory is shown."""
    c_next: Array
    """The memory after the step."""
    n_next: Array
    """The normaliser after the step."""
    m_next: Array
    """The logarithm of what both are divided by after the step."""
    kept: Array
    """1 where m_next follows from the old memory, 0 where it is the input gate's logarithm."""


@final
class SLSTM(Cell[SLSTMStep]):
    """The sLSTM of xLSTM with a sigmoid forget gate: one head, without the blocks around it.

    Formula::

        i  =     exp(a_i),  a_i = W_ii x + b_ii + W_hi h + b_hi
        f  = sigmoid(a_f),  a_f = W_if x + b_if + W_hf h + b_hf
        z  =    tanh(W_iz x + b_iz + W_hz h + b_hz)
        o  = sigmoid(W_io x + b_io + W_ho h + b_ho)
        c' = f c + i z
        n' = f n + i
        h' = o c' / n'

    Where i would overflow, c' and n' would too, though h' is a number between -1 and 1. So c and n are kept
    divided by e^m, m a third state, which changes neither their ratio nor h'::

        m' = max(a, a_i),  a = m + min(a_f, 0) - (0 if n > 3/4 else ln 2)
        c' = f e^(m - m') c + e^(a_i - m') z
        n' = f e^(m - m') n + e^(a_i - m')

    The paper has m' = max(m + ln f, a_i); any m' gives the same h'. The one here needs no logarithm, no
    exponential is larger than 2, and n stays above 3/8 however long the sequence. Where n is 0 nothing was
    written yet, and m' = a_i.

    Shapes:
        x: [B, I]; everything else [B, H]; the weights' rows are four blocks of H: i, f, z, o.

    References:
        M. Beck et al., "xLSTM: Extended Long Short-Term Memory", NeurIPS (2024),
        https://arxiv.org/abs/2405.04517, equations 8 to 17.
    """

    name = "slstm"
    gates = ("i", "f", "z", "o")
    states = ("h", "c", "n", "m")

    def step(self, x_bi: Array, state: State, weights: Weights) -> SLSTMStep:
        """Return every number of one step."""
        h, c, n, m = state
        from_x = x_bi @ weights.weight_ih.T + weights.bias_ih
        from_h = h @ weights.weight_hh.T + weights.bias_hh
        a_i, a_f, a_z, a_o = blocks(from_x + from_h, 4)

        z = tanh(a_z)
        o = sigmoid(a_o)
        falling = np.minimum(a_f, 0.0)
        rest = np.where(n > 0.75, 0.0, np.log(2.0))
        a = np.where(n == 0.0, _EMPTY, m + falling - rest)
        kept = a >= a_i
        m_next = np.where(kept, a, a_i)
        i = np.exp(a_i - m_next)
        f = np.exp(a + rest - m_next) / (1.0 + np.exp(-np.abs(a_f)))
        c_next = f * c + i * z
        n_next = f * n + i
        h_next = o * (c_next / n_next)

        return SLSTMStep(
            x=x_bi, h=h, c=c, n=n, m=m, from_x=from_x, from_h=from_h, i=i, f=f, z=z, o=o,
            c_next=c_next, n_next=n_next, m_next=m_next, h_next=h_next, kept=kept.astype(np.float64),
        )  # fmt: skip

    def step_backward(self, step: SLSTMStep, d_state: State, weights: Weights) -> StepGradients:
        """Return the gradients of one step, each equation of `step` read from the last to the first."""
        dh_next, dc_later, dn_later, dm_later = d_state
        _, a_f, _, _ = blocks(step.from_x + step.from_h, 4)

        shown = step.c_next / step.n_next
        do = dh_next * shown
        dshown = dh_next * step.o
        dc_next = dc_later + dshown / step.n_next
        dn_next = dn_later - dshown * shown / step.n_next
        dc = dc_next * step.f
        dn = dn_next * step.f
        dz = dc_next * step.i
        by_f = (dc_next * step.c + dn_next * step.n) * step.f  # by the exponents of f and of i
        by_i = (dc_next * step.z + dn_next) * step.i
        dm_next = dm_later - by_f - by_i  # both hold -m_next
        da = np.where(step.kept > 0.0, dm_next, 0.0)
        dm = by_f + da

        da_i = by_i + np.where(step.kept > 0.0, 0.0, dm_next)
        da_f = by_f * sigmoid(-a_f) + np.where(a_f < 0.0, da, 0.0)
        da_z = dz * tanh_slope(step.z)
        da_o = do * sigmoid_slope(step.o)

        d_gates = joined(da_i, da_f, da_z, da_o)
        dx, dh, d_weights = linear_backward(step, weights, d_from_x=d_gates, d_from_h=d_gates)
        return StepGradients(dx, (dh, dc, dn, dm), d_weights)
