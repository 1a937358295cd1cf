"""The minimal gated recurrent unit: one gate, which reads the input alone, mixes old state and new value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from unrolled.cells.activations import sigmoid, sigmoid_slope
from unrolled.cells.base import Cell, State, Step, StepGradients, Weights, blocks, input_backward, joined

if TYPE_CHECKING:
    from unrolled.cells.activations import Array


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class MinGRUStep(Step):
    """Every number of one step of the minimal GRU."""

    z: Array
    """The update gate: how much of the new value is taken."""
    n: Array
    """The new value."""


@final
class MinGRU(Cell[MinGRUStep]):
    """The minimal GRU, one of the two cells of "Were RNNs All We Needed?", read step by step.

    Formula::

        z  = sigmoid(W_iz x + b_iz)
        n  =         W_in x + b_in
        h' = (1 - z) h + z n

    No gate reads the hidden state, so there is no W_hh, and the new value is not bent: h' is a weighted mean
    of all that was ever read. The last line is computed as (n - h) z + h, with one product fewer.

    Shapes:
        x: [B, I]; everything else [B, H]; the weights' rows are two blocks of H: z, n.

    References:
        L. Feng, F. Tung, M. O. Ahmed, Y. Bengio, H. Hajimirsadeghi, "Were RNNs All We Needed?" (2024),
        https://arxiv.org/abs/2410.01201, section 3.1.
    """

    name = "mingru"
    gates = ("z", "n")
    states = ("h",)
    recurrent = False

    def step(self, x_bi: Array, state: State, weights: Weights) -> MinGRUStep:
        """Return every number of one step."""
        (h,) = state
        from_x = x_bi @ weights.weight_ih.T + weights.bias_ih
        a_z, n = blocks(from_x, 2)

        z = sigmoid(a_z)
        h_next = (n - h) * z + h

        return MinGRUStep(x=x_bi, h=h, from_x=from_x, from_h=np.zeros_like(from_x), z=z, n=n, h_next=h_next)

    def step_backward(self, step: MinGRUStep, d_state: State, weights: Weights) -> StepGradients:
        """Return the gradients of one step, each equation of `step` read from the last to the first."""
        (dh_next,) = d_state

        dh = dh_next * (1.0 - step.z)
        dn = dh_next * step.z
        dz = dh_next * (step.n - step.h)
        da_z = dz * sigmoid_slope(step.z)

        dx, d_weights = input_backward(step, weights, joined(da_z, dn))
        return StepGradients(dx, (dh,), d_weights)
