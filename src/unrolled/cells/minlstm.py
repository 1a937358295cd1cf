"""The minimal long short-term memory: two gates, which read the input alone, mix old state and new value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from unrolled.cells.activations import sigmoid
from unrolled.cells.base import Cell, State, Step, StepGradients, Weights, blocks, input_backward, joined

if TYPE_CHECKING:
    from unrolled.cells.activations import Array


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class MinLSTMStep(Step):
    """Every number of one step of the minimal LSTM."""

    f: Array
    """The forget gate, before the two gates are made to add up to 1."""
    i: Array
    """The input gate, likewise."""
    n: Array
    """The new value."""
    f_share: Array
    """f / (f + i): how much of the state is kept."""
    i_share: Array
    """i / (f + i): how much of the new value is taken."""


@final
class MinLSTM(Cell[MinLSTMStep]):
    """The minimal LSTM, one of the two cells of "Were RNNs All We Needed?", read step by step.

    Formula::

        f  = sigmoid(W_if x + b_if)
        i  = sigmoid(W_ii x + b_ii)
        n  =         W_in x + b_in
        h' = f/(f + i) h + i/(f + i) n

    No gate reads the hidden state, so there is no W_hh. The shares are computed without a division by 0 where
    both gates are shut: with m = max(-a_f, -a_i, 0), where a are the gates before the sigmoid,
    f/(f + i) = u / (u + v) with u = e^-m + e^(-a_i - m), v = e^-m + e^(-a_f - m), and u + v >= 1.
    The last line is computed as (h - n) f/(f + i) + n, with one product fewer.

    Shapes:
        x: [B, I]; everything else [B, H]; the weights' rows are three blocks of H: f, i, n.

    References:
        L. Feng, F. Tung, M. O. Ahmed, Y. Bengio, H. Hajimirsadeghi, "Were RNNs All We Needed?" (2024),
        https://arxiv.org/abs/2410.01201, section 3.2.
    """

    name = "minlstm"
    gates = ("f", "i", "n")
    states = ("h",)
    recurrent = False

    def step(self, x_bi: Array, state: State, weights: Weights) -> MinLSTMStep:
        """Return every number of one step."""
        (h,) = state
        from_x = x_bi @ weights.weight_ih.T + weights.bias_ih
        a_f, a_i, n = blocks(from_x, 3)

        m = np.maximum(np.maximum(-a_f, -a_i), 0.0)
        u = np.exp(-m) + np.exp(-a_i - m)
        v = np.exp(-m) + np.exp(-a_f - m)
        f_share = u / (u + v)
        h_next = (h - n) * f_share + n

        return MinLSTMStep(
            x=x_bi, h=h, from_x=from_x, from_h=np.zeros_like(from_x), f=sigmoid(a_f), i=sigmoid(a_i), n=n,
            f_share=f_share, i_share=v / (u + v), h_next=h_next,
        )  # fmt: skip

    def step_backward(self, step: MinLSTMStep, d_state: State, weights: Weights) -> StepGradients:
        """Return the gradients of one step, each equation of `step` read from the last to the first."""
        (dh_next,) = d_state

        dh = dh_next * step.f_share
        dn = dh_next * step.i_share
        df_share = dh_next * (step.h - step.n)
        shared = step.f_share * step.i_share
        da_f = df_share * shared * (1.0 - step.f)
        da_i = -df_share * shared * (1.0 - step.i)

        dx, d_weights = input_backward(step, weights, joined(da_f, da_i, dn))
        return StepGradients(dx, (dh,), d_weights)
