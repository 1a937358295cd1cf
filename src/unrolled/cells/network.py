"""The forecasting network in slow motion: layers, a linear head, a linear skip from the window to the answer.

This is the reference of the compiled core: the same parameters, the same numbers, every one of them kept.
Knows nothing of windows, scaling, losses or training.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, NamedTuple, final

import numpy as np

from unrolled.cells.base import S, State, Weights
from unrolled.cells.shapes import Sizes
from unrolled.cells.stack import StackGradients, StackTrace, learn_sizes, run_stack, run_stack_backward
from unrolled.errors import ArgumentError, fault

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike

    from unrolled.cells.activations import Array
    from unrolled.cells.base import Cell

_HEAD = ("head.weight", "head.bias")
_SKIP = "skip.weight"


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class NetworkTrace(Generic[S]):
    """All that happened in the network.

    Shapes:
        y: [B, O] from the last state, [T, B, O] from every step.
    """

    parameters: Mapping[str, Array]
    stack: StackTrace[S]
    every_step: bool
    skip_inputs: int
    """J, how many features of each step a skip reads."""
    y: Array
    """The answer."""

    @property
    def state(self) -> State:
        """The state of all layers after the last step, each array [L, B, H]."""
        return self.stack.state


class NetworkGradients(NamedTuple):
    """The gradients that leave the network.

    Shapes:
        parameters: as the parameters; dx_tbi: [T, B, I]; each array of d_state0 (dh_0, dc_0): [L, B, H].
    """

    parameters: dict[str, Array]
    dx_tbi: Array
    d_state0: State


@np.errstate(over="ignore", invalid="ignore")
def run_network(
    cell: Cell[S],
    x_tbi: ArrayLike,
    parameters: Mapping[str, ArrayLike],
    *,
    state: State | None = None,
    masks: ArrayLike | None = None,
    every_step: bool = False,
    skip_inputs: int | None = None,
    residual: bool = False,
    dilations: Sequence[int] = (),
) -> NetworkTrace[S]:
    """Run the network on a batch of windows.

    Formula::

        h  = what the top layer gives after the last step: its hidden state, with `residual` its input too
        y  = W_head h + b_head + W_skip [x_1 ... x_T]

    or, with `every_step`, y_t = W_head h_t + b_head for every step. With `skip_inputs` = J the skip reads the
    first J features of each step.

    Shapes:
        x_tbi: [T, B, I]; each array of `state`: [L, B, H]; masks: [L-1, T, B, H].
        weight_ih_l{k}: [G*H, I] ([G*H, H] above the bottom), weight_hh_l{k}: [G*H, H],
        bias_ih_l{k}, bias_hh_l{k}: [G*H] (those of hh only where the gates read h),
        head.weight: [O, H], head.bias: [O], skip.weight: [O, T*I], or [O, T*J].

    Args:
        cell: the equations.
        x_tbi: the windows, time first; the skip reads them in time order, all features of a step together.
        parameters: the arrays under the names above; there is a skip where `skip.weight` is given.
        state: where each layer starts; zeros where not given.
        masks: dropout between the layers, as `run_stack` has it.
        every_step: answer after every step instead of after the last.
        skip_inputs: J; all I where not given.
        residual: as `run_stack` has it.
        dilations: as `run_stack` has them.

    Raises:
        ArgumentError: a name is missing or unknown, shapes do not fit, or a skip meets `every_step`.

    Example:
        A plain cell that adds up what it reads, and a head that doubles the sum:

        >>> from unrolled.cells import CELLS
        >>> one, none = np.ones((1, 1)), np.zeros(1)
        >>> parameters = {**Weights(one, one, none, none).named(0), "head.weight": 2 * one, "head.bias": none}
        >>> run_network(CELLS["rnn_relu"], [[[1.0]], [[2.0]], [[3.0]]], parameters).y.tolist()
        [[12.0]]
    """
    floats = {name: np.array(array, dtype=np.float64) for name, array in parameters.items()}
    n_layers = _count_layers(cell, floats)
    has_skip = _SKIP in floats
    if has_skip and every_step:
        raise ArgumentError(fault("cells.skip-every-step"))

    layers = [Weights.of_layer(floats, k) for k in range(n_layers)]
    sizes = learn_sizes(cell, x_tbi, layers=layers, state=state, masks=masks)
    head_weight = sizes.fit("head.weight", floats["head.weight"], "O H")
    head_bias = sizes.fit("head.bias", floats["head.bias"], "O")
    read = sizes.suppose("J", skip_inputs, otherwise="I")
    skip_weight = (
        sizes.fit(_SKIP, floats[_SKIP], "O T*I" if skip_inputs is None else "O T*J") if has_skip else None
    )
    sizes.settle()

    stack = run_stack(cell, x_tbi, layers, state=state, masks=masks, residual=residual, dilations=dilations)
    h = stack.output_tbh if every_step else _last(stack)
    y = h @ head_weight.T + head_bias
    if skip_weight is not None:
        y = y + _window(stack.x_tbi[..., :read]) @ skip_weight.T
    return NetworkTrace(parameters=floats, stack=stack, every_step=every_step, skip_inputs=read, y=y)


@np.errstate(over="ignore", invalid="ignore")
def run_network_backward(trace: NetworkTrace[S], dy: ArrayLike) -> NetworkGradients:
    """Return the gradient of every parameter, of the windows and of the state they started from.

    Shapes:
        dy: the shape of `trace.y`.

    Args:
        trace: what `run_network` returned.
        dy: the gradient of the answer, dL/dy.

    Raises:
        ArgumentError: `dy` does not have the shape of the answer.
    """
    axes = "T B O" if trace.every_step else "B O"
    sizes = Sizes(**dict(zip(axes.split(), trace.y.shape, strict=True)))
    d_answer = sizes.fit("dy", dy, axes)
    sizes.settle()

    dh = d_answer @ trace.parameters["head.weight"]
    if trace.every_step:
        h = trace.stack.output_tbh
        dx_tbi, d_state0, d_layers = run_stack_backward(trace.stack, dh)
    else:
        h = _last(trace.stack)
        dx_tbi, d_state0, d_layers = _back_from_last(trace.stack, dh)

    gradients: dict[str, Array] = {}
    for k, d_weights in enumerate(d_layers):
        gradients |= d_weights.named(k)
    rows = d_answer.reshape(-1, d_answer.shape[-1])
    gradients["head.weight"] = rows.T @ h.reshape(-1, h.shape[-1])
    gradients["head.bias"] = rows.sum(axis=0)
    if _SKIP in trace.parameters:
        read_tbj = trace.stack.x_tbi[..., : trace.skip_inputs]
        gradients[_SKIP] = d_answer.T @ _window(read_tbj)
        dx_tbi[..., : trace.skip_inputs] += _steps(d_answer @ trace.parameters[_SKIP], read_tbj.shape)
    return NetworkGradients(gradients, dx_tbi, d_state0)


def _last(stack: StackTrace[S]) -> Array:
    """Return what the top layer gives after the last step, its first state where there is no step."""
    last: Array = stack.output_tbh[-1] if len(stack.output_tbh) else stack.state[0][-1]
    return last


def _back_from_last(stack: StackTrace[S], dh: Array) -> StackGradients:
    """Go back from the gradient of `_last`."""
    if len(stack.output_tbh):
        d_output = np.zeros_like(stack.output_tbh)
        d_output[-1] = dh
        return run_stack_backward(stack, d_output)
    d_state = tuple(map(np.zeros_like, stack.state))
    d_state[0][-1] = dh
    return run_stack_backward(stack, d_state=d_state)


def _window(x_tbi: Array) -> Array:
    """Lay the inputs of all steps of a window side by side, oldest first: [T, B, I] -> [B, T*I]."""
    n_steps, batch, n_features = x_tbi.shape
    return x_tbi.transpose(1, 0, 2).reshape(batch, n_steps * n_features)


def _steps(window: Array, shape: tuple[int, ...]) -> Array:
    """Take a window apart again, [B, T*I] -> [T, B, I]: the inverse of `_window`."""
    n_steps, batch, n_features = shape
    return window.reshape(batch, n_steps, n_features).transpose(1, 0, 2)


def _count_layers(cell: Cell[S], parameters: Mapping[str, Array]) -> int:
    """Return L, or raise where the names are not exactly those of L layers, a head and perhaps a skip."""
    names = tuple(cell.weight_shapes(1, 1))
    numbered = re.compile(rf"({'|'.join(names)})_l(\d+)")
    n_layers = len({found[2] for name in parameters if (found := numbered.fullmatch(name))}) or 1
    wanted = [f"{name}_l{k}" for k in range(n_layers) for name in names] + [*_HEAD]
    missing = [name for name in wanted if name not in parameters]
    unknown = [name for name in parameters if name not in (*wanted, _SKIP)]
    if missing or unknown:
        raise ArgumentError(
            fault(
                "cells.names",
                missing=", ".join(missing) or "-",
                unknown=", ".join(unknown) or "-",
                layers=n_layers,
            )
        )
    return n_layers
