"""The plain recurrent cell: the new state is one bent linear mixture of the input and the old state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from unrolled.cells.base import Cell, State, Step, StepGradients, Weights, linear_backward

if TYPE_CHECKING:
    from collections.abc import Callable

    from unrolled.cells.activations import Array


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class RNNStep(Step):
    """Every number of one step of the plain cell."""

    n: Array
    """The new value, which becomes the state as it is."""


@final
class RNN(Cell[RNNStep]):
    """Elman's recurrent cell, torch's `nn.RNN`.

    Formula::

        n  = act(W_ih x + b_ih + W_hh h + b_hh)
        h' = n

    Shapes:
        x: [B, I]; h, n, h': [B, H]; the weights have one block of H rows.

    Args:
        name: the cell's name in the table.
        activation: act, element by element.
        slope: the derivative of act, from act's output.

    References:
        J. L. Elman, "Finding Structure in Time", Cognitive Science 14 (1990) 179-211.
        https://pytorch.org/docs/stable/generated/torch.nn.RNN.html
    """

    gates = ("n",)
    states = ("h",)

    def __init__(
        self, name: str, *, activation: Callable[[Array], Array], slope: Callable[[Array], Array]
    ) -> None:
        """Keep the name, the activation and its slope."""
        self.name = name
        self.activation = activation
        self.slope = slope

    def step(self, x_bi: Array, state: State, weights: Weights) -> RNNStep:
        """Return every number of one step."""
        (h,) = state
        from_x = x_bi @ weights.weight_ih.T + weights.bias_ih
        from_h = h @ weights.weight_hh.T + weights.bias_hh

        n = self.activation(from_x + from_h)
        h_next = n

        return RNNStep(x=x_bi, h=h, from_x=from_x, from_h=from_h, n=n, h_next=h_next)

    def step_backward(self, step: RNNStep, d_state: State, weights: Weights) -> StepGradients:
        """Return the gradients of one step, each equation of `step` read from the last to the first."""
        (dh_next,) = d_state

        dn = dh_next
        da = dn * self.slope(step.n)

        dx, dh, d_weights = linear_backward(step, weights, d_from_x=da, d_from_h=da)
        return StepGradients(dx, (dh,), d_weights)
