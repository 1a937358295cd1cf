"""Layers on top of each other: the outputs of one, step by step, are the inputs of the next.

Knows sequences, not how a step is computed, nor what is done with the top layer's outputs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, NamedTuple, final

import numpy as np

from unrolled.cells.base import S, State, Weights
from unrolled.cells.sequence import Trace, run, run_backward
from unrolled.cells.shapes import Sizes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from unrolled.cells.activations import Array
    from unrolled.cells.base import Cell


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class StackTrace(Generic[S]):
    """All that happened in a stack of layers.

    Shapes:
        masks: [L-1, T, B, H] or None; output_tbh: [T, B, H]; each array of `state`: [L, B, H].
    """

    layers: tuple[Trace[S], ...]
    """The traces, bottom layer first."""
    masks: Array | None
    """What the outputs of every layer but the top one were multiplied by."""

    @property
    def x_tbi(self) -> Array:
        """The inputs of the bottom layer."""
        return self.layers[0].x_tbi

    @property
    def output_tbh(self) -> Array:
        """The hidden state of the top layer after each step."""
        return self.layers[-1].output_tbh

    @property
    def state(self) -> State:
        """The state of all layers after the last step, in torch's layout (h_n, c_n)."""
        return _stacked([layer.state for layer in self.layers])


class StackGradients(NamedTuple):
    """The gradients that leave a stack backwards.

    Shapes:
        dx_tbi: [T, B, I]; each array of d_state0: [L, B, H]; d_layers: of each layer's `Weights`.
    """

    dx_tbi: Array
    d_state0: State
    d_layers: tuple[Weights, ...]


@np.errstate(over="ignore", invalid="ignore")
def run_stack(
    cell: Cell[S],
    x_tbi: ArrayLike,
    layers: Sequence[Weights],
    *,
    state: State | None = None,
    masks: ArrayLike | None = None,
) -> StackTrace[S]:
    """Read a batch of sequences with layers on top of each other.

    Formula::

        y_0 = x
        y_k = run(layer k, m_{k-1} y_{k-1}),  k = 1 ... L, with m_0 = 1

    Shapes:
        x_tbi: [T, B, I]; each array of `state`: [L, B, H]; masks: [L-1, T, B, H].

    Args:
        cell: the equations, the same in every layer.
        x_tbi: the inputs of the bottom layer.
        layers: the weights, bottom layer first, at least one; above the bottom, I = H.
        state: where each layer starts, (h_0,) or (h_0, c_0) in torch's layout; zeros where not given.
        masks: dropout that was drawn beforehand, 0 or 1 / (1 - p) for every number that passes from one layer
            to the next, as torch's `dropout` has it; none where not given.

    Raises:
        ArgumentError: the arrays' shapes do not fit each other.
    """
    sizes = learn_sizes(cell, x_tbi, layers=layers, state=state, masks=masks)
    sizes.settle()
    y_tbh = np.asarray(x_tbi, dtype=np.float64)
    drop = None if masks is None else np.asarray(masks, dtype=np.float64)

    traces: list[Trace[S]] = []
    for k, weights in enumerate(layers):
        if k > 0 and drop is not None:
            y_tbh = drop[k - 1] * y_tbh
        trace = run(cell, y_tbh, weights, state=None if state is None else _of_layer(state, k))
        y_tbh = trace.output_tbh
        traces.append(trace)
    return StackTrace(layers=tuple(traces), masks=drop)


@np.errstate(over="ignore", invalid="ignore")
def run_stack_backward(
    trace: StackTrace[S], d_output_tbh: ArrayLike | None = None, *, d_state: State | None = None
) -> StackGradients:
    """Go back through the layers, top layer first, and through time in each.

    Shapes:
        d_output_tbh: [T, B, H]; each array of `d_state`: [L, B, H].

    Args:
        trace: what `run_stack` returned.
        d_output_tbh: the gradient of the top layer's outputs; zeros where not given.
        d_state: the gradient of the state after the last step; zeros where not given.

    Raises:
        ArgumentError: the arrays' shapes do not fit those of the trace.
    """
    n_layers = len(trace.layers)
    cell = trace.layers[0].cell
    if d_state is not None:
        _, batch, hidden_size = trace.output_tbh.shape
        sizes = Sizes(L=n_layers, B=batch, H=hidden_size)
        d_state = sizes.fit_state("d_state", d_state, names=cell.states, axes="L B H")
        sizes.settle()

    dy_tbh = d_output_tbh
    d_states0: list[State] = []
    d_layers: list[Weights] = []
    for k in reversed(range(n_layers)):
        d_layer_state = None if d_state is None else _of_layer(d_state, k)
        dx_tbi, d_state0, d_weights = run_backward(trace.layers[k], dy_tbh, d_state=d_layer_state)
        dy_tbh = dx_tbi if k == 0 or trace.masks is None else trace.masks[k - 1] * dx_tbi
        d_states0.insert(0, d_state0)
        d_layers.insert(0, d_weights)
    return StackGradients(dx_tbi, _stacked(d_states0), tuple(d_layers))


def learn_sizes(
    cell: Cell[S],
    x_tbi: ArrayLike,
    *,
    layers: Sequence[Weights],
    state: State | None,
    masks: ArrayLike | None,
) -> Sizes:
    """Compare the shapes of all that goes into a stack; what does not fit is raised when the sizes settle."""
    sizes = Sizes(G=len(cell.gates), L=len(layers), M=len(layers) - 1)
    sizes.fit("x", x_tbi, "T B I")
    for k, weights in enumerate(layers):
        weights.fitted(sizes, recurrent=cell.recurrent, inputs="I" if k == 0 else "H", suffix=f"_l{k}")
    if state is not None:
        sizes.fit_state("state", state, names=cell.states, axes="L B H")
    if masks is not None:
        sizes.fit("masks", masks, "M T B H")
    return sizes


def _of_layer(state: State, k: int) -> State:
    """Return layer k's part of a state in torch's layout, each [B, H]."""
    return tuple(array[k] for array in state)


def _stacked(states: Sequence[State]) -> State:
    """Return the states of the layers in torch's layout: for each name one array [L, B, H]."""
    return tuple(np.stack(arrays) for arrays in zip(*states, strict=True))
