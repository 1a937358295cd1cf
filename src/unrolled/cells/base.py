"""What every cell shares: its weights, the record of one step, and the contract of a `Cell`.

A *cell* is a set of equations for one time step. It owns no numbers: weights and state are handed in, so one
cell serves every layer and every step. Knows nothing of time, layers, losses or training.

The letters: `x` input, `h` hidden state, `c` memory; `B` batch, `I` input features, `H` hidden units, `G`
gates. A row of an array is one sequence of the batch, so the books' `W x` stands here as `x @ W.T`. `dv` is
always dL/dv, the gradient of one number L with respect to v, and has the shape of v.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeAlias, TypeVar

import numpy as np

from unrolled.cells.activations import Array

if TYPE_CHECKING:
    from collections.abc import Mapping

    from unrolled.cells.shapes import Sizes

State: TypeAlias = tuple[Array, ...]
"""What a step hands to the next: (h,), (h, c), ..., each [B, H]; `Cell.states` names them."""

NOTHING: Array = np.empty((0, 0))
"""What stands for weights that a cell does not have."""


class Weights(NamedTuple):
    """The learned numbers of one layer, under torch's names and in torch's shapes. Their gradients too.

    The rows are G blocks of H, one block a gate, in the order of `Cell.gates`. A cell whose gates do not read
    the hidden state has no weight_hh and no bias_hh: both are empty.

    Shapes:
        weight_ih: [G*H, I]; weight_hh: [G*H, H]; bias_ih, bias_hh: [G*H].
    """

    weight_ih: Array
    weight_hh: Array
    bias_ih: Array
    bias_hh: Array

    @classmethod
    def of(cls, arrays: Mapping[str, Array]) -> Weights:
        """Return weights from arrays by name; those that are not there are empty."""
        return cls(*(arrays.get(name, NOTHING) for name in cls._fields))

    @classmethod
    def of_layer(cls, parameters: Mapping[str, Array], layer: int) -> Weights:
        """Return the weights of one layer out of `parameters`, where layer 0's are `weight_ih_l0`, ..."""
        return cls.of({name: parameters.get(f"{name}_l{layer}", NOTHING) for name in cls._fields})

    def fitted(self, sizes: Sizes, *, recurrent: bool = True, inputs: str = "I", suffix: str = "") -> Weights:
        """Return float64 copies of the arrays, their shapes compared with `sizes` and each other."""
        weight_hh = bias_hh = NOTHING
        if recurrent:
            weight_hh = sizes.fit(f"weight_hh{suffix}", self.weight_hh, "G*H H")  # first, because it shows H
            bias_hh = sizes.fit(f"bias_hh{suffix}", self.bias_hh, "G*H")
        else:
            sizes.divide("H", np.shape(self.weight_ih)[:1], by="G")
        weight_ih = sizes.fit(f"weight_ih{suffix}", self.weight_ih, f"G*H {inputs}")
        bias_ih = sizes.fit(f"bias_ih{suffix}", self.bias_ih, "G*H")
        return Weights(weight_ih, weight_hh, bias_ih, bias_hh)

    def named(self, layer: int) -> dict[str, Array]:
        """Return the arrays that are there, layer 0's under torch's names `weight_ih_l0`, ..."""
        return {
            f"{name}_l{layer}": array
            for name, array in self._asdict().items()
            if np.shape(array) != NOTHING.shape
        }


@dataclass(frozen=True, eq=False, kw_only=True)
class Step:
    """Every number of one time step, by name; each cell adds its gates and states.

    The contract that lets an explanation read any cell: for a gate "i" there is a field `i`; for a state "c"
    there are `c` (before the step) and `c_next` (after it). `vars(step)` is all of it as a dictionary.

    Shapes:
        x: [B, I]; h, h_next: [B, H]; from_x, from_h: [B, G*H]; everything else [B, H].
    """

    x: Array
    """The input."""
    h: Array
    """The hidden state before the step."""
    from_x: Array
    """W_ih x + b_ih: what the input says to every gate."""
    from_h: Array
    """W_hh h + b_hh: what the hidden state says to every gate; zeros where no gate reads it."""
    h_next: Array
    """The hidden state after the step, which is also the layer's output."""


class StepGradients(NamedTuple):
    """The gradients that leave a step backwards.

    Shapes:
        dx: [B, I]; d_state: the state before the step, each [B, H]; d_weights: those of `Weights`.
    """

    dx: Array
    d_state: State
    d_weights: Weights


S = TypeVar("S", bound=Step)


class Cell(ABC, Generic[S]):
    """The equations of one time step and their derivatives.

    Attributes:
        name: the cell's name in the table `CELLS`.
        gates: the names of the weights' blocks of rows, in torch's order.
        states: the names of what one step hands to the next; the first is always "h".
        recurrent: whether the gates read the hidden state, through weight_hh and bias_hh.
    """

    name: str
    gates: tuple[str, ...]
    states: tuple[str, ...]
    recurrent: bool = True

    @abstractmethod
    def step(self, x_bi: Array, state: State, weights: Weights) -> S:
        """Return every number of one step from the input, the state before it and the weights."""

    @abstractmethod
    def step_backward(self, step: S, d_state: State, weights: Weights) -> StepGradients:
        """Return the gradients of what went into `step`, given those of the state that came out of it."""

    def state_after(self, step: S) -> State:
        """Return the state that `step` hands on: (h_next,) or (h_next, c_next)."""
        return tuple(getattr(step, f"{name}_next") for name in self.states)

    def zero_state(self, batch: int, hidden_size: int) -> State:
        """Return the state that torch starts from: zeros, one [B, H] array for each name in `states`."""
        return tuple(np.zeros((batch, hidden_size)) for _ in self.states)

    def weight_shapes(self, input_size: int, hidden_size: int) -> dict[str, tuple[int, ...]]:
        """Return the shape of each array of a layer's `Weights` that the cell has.

        Example:
            >>> from unrolled.cells import CELLS
            >>> CELLS["lstm"].weight_shapes(1, 50)
            {'weight_ih': (200, 1), 'weight_hh': (200, 50), 'bias_ih': (200,), 'bias_hh': (200,)}
        """
        rows = len(self.gates) * hidden_size
        shapes: tuple[tuple[int, ...], ...] = ((rows, input_size), (rows, hidden_size), (rows,), (rows,))
        every = dict(zip(Weights._fields, shapes, strict=True))
        return {name: shape for name, shape in every.items() if self.recurrent or name.endswith("_ih")}


def blocks(a: Array, count: int) -> list[Array]:
    """Cut [B, G*H] into `count` = G blocks [B, H], one a gate."""
    return np.split(a, count, axis=-1)


def joined(*gates: Array) -> Array:
    """Set blocks [B, H] side by side, [B, G*H]: the inverse of `blocks`."""
    return np.concatenate(gates, axis=-1)


def linear_backward(
    step: Step, weights: Weights, *, d_from_x: Array, d_from_h: Array
) -> tuple[Array, Array, Weights]:
    """Go back through from_x = W_ih x + b_ih and from_h = W_hh h + b_hh, the only places where weights act.

    Shapes:
        d_from_x, d_from_h: [B, G*H].

    Returns:
        dx [B, I], dh [B, H] (the part that came through W_hh) and the gradients of the weights.
    """
    dx = d_from_x @ weights.weight_ih
    dh = d_from_h @ weights.weight_hh
    d_weights = Weights(
        weight_ih=d_from_x.T @ step.x,
        weight_hh=d_from_h.T @ step.h,
        bias_ih=d_from_x.sum(axis=0),
        bias_hh=d_from_h.sum(axis=0),
    )
    return dx, dh, d_weights


def input_backward(step: Step, weights: Weights, d_from_x: Array) -> tuple[Array, Weights]:
    """Go back through from_x = W_ih x + b_ih, where no gate reads the hidden state.

    Shapes:
        d_from_x: [B, G*H].

    Returns:
        dx [B, I] and the gradients of the weights.
    """
    d_weights = Weights(d_from_x.T @ step.x, NOTHING, d_from_x.sum(axis=0), NOTHING)
    return d_from_x @ weights.weight_ih, d_weights
