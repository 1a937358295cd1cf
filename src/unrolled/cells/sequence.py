"""The time loop: one cell and one set of weights, used again at every step.

The pictures that show a row of networks side by side show this loop: there is one network, and the row is its
inputs and states at successive times. Knows nothing of layers above or below, of heads or of losses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, NamedTuple, final

import numpy as np

from unrolled.cells.base import S, State, Weights
from unrolled.cells.shapes import Sizes

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from unrolled.cells.activations import Array
    from unrolled.cells.base import Cell


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class Trace(Generic[S]):
    """All that happened while a sequence was read: enough to explain it, and to go back through it.

    Shapes:
        x_tbi: [T, B, I]; output_tbh: [T, B, H]; each array of state0 and state: [B, H]; steps: T of them.
    """

    cell: Cell[S]
    weights: Weights
    x_tbi: Array
    state0: State
    """The state before the first step."""
    steps: tuple[S, ...]
    """Every number of every step."""
    output_tbh: Array
    """The hidden state after each step."""
    state: State
    """The state after the last step."""


class SequenceGradients(NamedTuple):
    """The gradients that leave a sequence backwards.

    Shapes:
        dx_tbi: [T, B, I]; d_state0: the state before the first step, each [B, H]; d_weights: of `Weights`.
    """

    dx_tbi: Array
    d_state0: State
    d_weights: Weights


@np.errstate(over="ignore", invalid="ignore")
def run(cell: Cell[S], x_tbi: ArrayLike, weights: Weights, *, state: State | None = None) -> Trace[S]:
    """Read a batch of sequences step by step, each step starting from the state that the one before left.

    Formula::

        state_t = step(x_t, state_{t-1}),  t = 1 ... T

    Shapes:
        x_tbi: [T, B, I], time first, T may be 0; each array of `state`: [B, H].

    Args:
        cell: the equations.
        x_tbi: the inputs.
        weights: one layer's, the same at every step.
        state: where to start, one array for each name in `cell.states`; zeros where not given.

    Returns:
        Every number of every step. What is not finite is computed on as IEEE 754 says, without a warning.

    Raises:
        ArgumentError: the arrays' shapes do not fit each other; all misfits are named at once.

    Example:
        A plain cell that adds up what it reads:

        >>> from unrolled.cells import CELLS
        >>> one, none = np.ones((1, 1)), np.zeros(1)
        >>> trace = run(CELLS["rnn_relu"], [[[1.0]], [[2.0]], [[3.0]]], Weights(one, one, none, none))
        >>> trace.output_tbh.ravel().tolist()
        [1.0, 3.0, 6.0]
    """
    sizes = Sizes(G=len(cell.gates))
    inputs_tbi = sizes.fit("x", x_tbi, "T B I")
    weights = weights.fitted(sizes, recurrent=cell.recurrent)
    if state is not None:
        state = sizes.fit_state("state", state, names=cell.states, axes="B H")
    sizes.settle()
    state0 = cell.zero_state(sizes["B"], sizes["H"]) if state is None else state

    state = state0
    steps: list[S] = []
    output_tbh = np.empty((sizes["T"], sizes["B"], sizes["H"]))
    for t, x_bi in enumerate(inputs_tbi):
        step = cell.step(x_bi, state, weights)
        state = cell.state_after(step)
        output_tbh[t] = step.h_next
        steps.append(step)

    return Trace(
        cell=cell,
        weights=weights,
        x_tbi=inputs_tbi,
        state0=state0,
        steps=tuple(steps),
        output_tbh=output_tbh,
        state=state,
    )


@np.errstate(over="ignore", invalid="ignore")
def run_backward(
    trace: Trace[S], d_output_tbh: ArrayLike | None = None, *, d_state: State | None = None
) -> SequenceGradients:
    """Go back through time, from the last step to the first; add up what each step asks of the one network.

    Formula::

        d_state_T     = d_state
        d_state_{t-1} = step_backward(t, d_state_t + d_output_t),  t = T ... 1
        d_weights     = the sum over t of what step t asks

    Shapes:
        d_output_tbh: [T, B, H]; each array of `d_state`: [B, H].

    Args:
        trace: what `run` returned.
        d_output_tbh: the gradient of every output; zeros where not given.
        d_state: the gradient of the state after the last step, beyond what comes through its output; zeros
            where not given.

    Raises:
        ArgumentError: the arrays' shapes do not fit those of the trace.

    References:
        P. J. Werbos, "Backpropagation Through Time", Proceedings of the IEEE 78 (1990) 1550-1560.
    """
    cell, weights = trace.cell, trace.weights
    n_steps, batch, hidden_size = trace.output_tbh.shape
    sizes = Sizes(T=n_steps, B=batch, H=hidden_size)
    nothing = np.zeros_like(trace.output_tbh)
    dy_tbh = nothing if d_output_tbh is None else sizes.fit("d_output", d_output_tbh, "T B H")
    if d_state is None:
        d_state = cell.zero_state(batch, hidden_size)
    d_state = sizes.fit_state("d_state", d_state, names=cell.states, axes="B H")
    sizes.settle()

    dx_tbi = np.empty_like(trace.x_tbi)
    d_weights = Weights(*map(np.zeros_like, weights))
    for t in reversed(range(n_steps)):
        dh, *others = d_state
        d_state = (dh + dy_tbh[t], *others)
        dx_tbi[t], d_state, asked = cell.step_backward(trace.steps[t], d_state, weights)
        d_weights = Weights(*map(np.add, d_weights, asked))
    return SequenceGradients(dx_tbi, d_state, d_weights)
