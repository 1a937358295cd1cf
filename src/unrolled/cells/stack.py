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
from unrolled.errors import ArgumentError, fault

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
        x_tbi: [T, B, I]; masks: [L-1, T, B, H] or None; output_tbh: [T, B, H]; each array of `state`:
        [L, B, H].
    """

    layers: tuple[Trace[S], ...]
    """The traces, bottom layer first; that of a layer with dilation d has ceil(T / d) steps of d B rows."""
    masks: Array | None
    """What the outputs of every layer but the top one were multiplied by."""
    x_tbi: Array
    """The inputs of the bottom layer."""
    output_tbh: Array
    """What the top layer gave after each step: its hidden state, and with `residual` its input too."""
    residual: bool
    """Whether each layer above the bottom added its input to its state for what is above it."""
    dilations: tuple[int, ...]
    """From how many steps before each layer's state came."""

    @property
    def state(self) -> State:
        """The state of all layers after the last step, in torch's layout (h_n, c_n)."""
        n_steps, batch = self.x_tbi.shape[:2]
        return _stacked(
            [_last_state(*one, n_steps, batch) for one in zip(self.layers, self.dilations, strict=True)]
        )


class StackGradients(NamedTuple):
    """The gradients that leave a stack backwards.

    Shapes:
        dx_tbi: [T, B, I]; each array of d_state0: [L, B, H], the state before the first step alone;
        d_layers: of each layer's `Weights`.
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
    residual: bool = False,
    dilations: Sequence[int] = (),
) -> StackTrace[S]:
    """Read a batch of sequences with layers on top of each other.

    Formula::

        y_0 = x
        y_k = run(layer k, m_{k-1} y_{k-1}),  k = 1 ... L, with m_0 = 1

    With `residual`, y_k = run(layer k, x_k) + x_k for k > 1, where layer k reads x_k = m_{k-1} y_{k-1}.
    In a layer with dilation d, state_t = step(x_t, state_{t-d}).

    Shapes:
        x_tbi: [T, B, I]; each array of `state`: [L, B, H]; masks: [L-1, T, B, H].

    Args:
        cell: the equations, the same in every layer.
        x_tbi: the inputs of the bottom layer.
        layers: the weights, bottom layer first, at least one; above the bottom, I = H.
        state: where each layer starts, (h_0,) or (h_0, c_0) in torch's layout; zeros where not given.
        masks: dropout that was drawn beforehand, 0 or 1 / (1 - p) for every number that passes from one layer
            to the next, as torch's `dropout` has it; none where not given.
        residual: each layer above the bottom adds what it reads to what it gives.
        dilations: from how many steps before the state of each layer comes; 1 of all where not given.

    Raises:
        ArgumentError: the arrays' shapes do not fit each other, or a state meets a dilation above 1.

    References:
        S. Chang et al., "Dilated Recurrent Neural Networks", NeurIPS (2017), https://arxiv.org/abs/1710.02224
    """
    dilations = _checked(dilations, len(layers), state=state)
    sizes = learn_sizes(cell, x_tbi, layers=layers, state=state, masks=masks)
    sizes.settle()
    inputs_tbi = y_tbh = np.array(x_tbi, dtype=np.float64)
    drop = None if masks is None else np.asarray(masks, dtype=np.float64)

    traces: list[Trace[S]] = []
    for k, weights in enumerate(layers):
        if k > 0 and drop is not None:
            y_tbh = drop[k - 1] * y_tbh
        own = None if state is None else _of_layer(state, k)
        trace = run(cell, folded(y_tbh, dilations[k]), weights, state=own)
        h_tbh = unfolded(trace.output_tbh, *y_tbh.shape[:2])
        y_tbh = h_tbh + y_tbh if residual and k > 0 else h_tbh
        traces.append(trace)
    return StackTrace(
        layers=tuple(traces),
        masks=drop,
        x_tbi=inputs_tbi,
        output_tbh=y_tbh,
        residual=residual,
        dilations=dilations,
    )


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
        ArgumentError: the arrays' shapes do not fit those of the trace, or `d_state` meets a dilation
            above 1.
    """
    n_layers = len(trace.layers)
    _checked(trace.dilations, n_layers, d_state=d_state)
    cell = trace.layers[0].cell
    if d_state is not None:
        _, batch, hidden_size = trace.output_tbh.shape
        sizes = Sizes(L=n_layers, B=batch, H=hidden_size)
        d_state = sizes.fit_state("d_state", d_state, names=cell.states, axes="L B H")
        sizes.settle()

    n_steps, batch = trace.x_tbi.shape[:2]
    sizes = Sizes(**dict(zip("TBH", trace.output_tbh.shape, strict=True)))
    dy_tbh = np.zeros_like(trace.output_tbh)
    if d_output_tbh is not None:
        dy_tbh = sizes.fit("d_output", d_output_tbh, "T B H")
    sizes.settle()
    d_states0: list[State] = []
    d_layers: list[Weights] = []
    for k in reversed(range(n_layers)):
        d_layer_state = None if d_state is None else _of_layer(d_state, k)
        d_folded = folded(dy_tbh, trace.dilations[k])
        dx_folded, d_state0, d_weights = run_backward(trace.layers[k], d_folded, d_state=d_layer_state)
        dx_tbi = unfolded(dx_folded, n_steps, batch)
        if trace.residual and k > 0:
            dx_tbi = dx_tbi + dy_tbh
        dy_tbh = dx_tbi if k == 0 or trace.masks is None else trace.masks[k - 1] * dx_tbi
        d_states0.insert(0, tuple(array[:batch] for array in d_state0))
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


def _checked(dilations: Sequence[int], n_layers: int, **states: State | None) -> tuple[int, ...]:
    """Return one dilation a layer, or raise where they do not fit or where a state meets one above 1."""
    every = tuple(dilations) or (1,) * n_layers
    if len(every) != n_layers or min(every, default=1) < 1:
        raise ArgumentError(fault("cells.dilations", layers=n_layers, got=every))
    for name, state in states.items():
        if state is not None and max(every, default=1) > 1:
            raise ArgumentError(fault("cells.dilated-state", name=name, dilations=every))
    return every


def folded(a_tbi: Array, d: int) -> Array:
    """Lay d steps of B rows beside each other as one of d B rows, the last filled up with zeros.

    A layer whose state comes from d steps before then is one whose state comes from the step before.
    """
    n_steps, batch, n_features = a_tbi.shape
    if d == 1:
        return a_tbi
    folded_steps = -(-n_steps // d)
    filled = np.zeros((folded_steps * d, batch, n_features))
    filled[:n_steps] = a_tbi
    return filled.reshape(folded_steps, d * batch, n_features)


def unfolded(a: Array, n_steps: int, batch: int) -> Array:
    """Return the T steps of B rows out of what `folded` laid together."""
    return a.reshape(-1, batch, a.shape[-1])[:n_steps] if batch else a.reshape(n_steps, batch, a.shape[-1])


def _last_state(layer: Trace[S], d: int, n_steps: int, batch: int) -> State:
    """Return the state of a layer after step T."""
    if d == 1 or n_steps == 0:
        return tuple(array[:batch] for array in layer.state)
    step, place = divmod(n_steps - 1, d)
    rows = slice(place * batch, (place + 1) * batch)
    return tuple(array[rows] for array in layer.cell.state_after(layer.steps[step]))
