"""How states depend on earlier ones: gradients by step, and Jacobians of one layer.

All windows go back through time side by side, by the derivatives of the reference's cells. Knows traces; must
not know what the numbers are shown for.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from unrolled.cells.stack import folded, unfolded
from unrolled.explain.gates import READINGS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unrolled.cells import NetworkTrace, State, Step, Trace, Weights

    Array = NDArray[np.float64]

_COST = 2e8
"""What a Jacobian may cost, in multiply-adds; of more windows or units some are taken, evenly."""

_POINTWISE = 60
"""What a number of a gate costs beside."""

_LEAST_WINDOWS = 4
"""Of so many windows all units are rather not taken than fewer windows."""


class Jacobians(NamedTuple):
    """The Jacobians of one layer.

    Shapes:
        norms: [T]; last: [E*H, E*H], E states.

    Attributes:
        norms: by lag in steps: the mean over windows of ||d h_T / d state_{T-lag}||, Frobenius / sqrt(H).
        last: d state_T / d state_{T-1}, the mean over windows.
    """

    norms: Array
    last: Array


def hidden_gradients(trace: NetworkTrace[Any], dy_bo: Array) -> list[Array]:
    """Return dL/dh_t of every layer, bottom layer first, each [T, B, H].

    It is what comes through the outputs of the step and through the gates of the next one, as backpropagation
    through time has it; what an LSTM's memory carries on is not of h.

    Shapes:
        dy_bo: [B, O].

    Args:
        trace: of a network that answers after the last step.
        dy_bo: the gradient of its answer.
    """
    stack = trace.stack
    n_steps, batch = stack.x_tbi.shape[:2]
    dy_tbh = np.zeros_like(stack.output_tbh)
    dy_tbh[-1] = dy_bo @ trace.parameters["head.weight"]
    found: list[Array] = []
    for k in reversed(range(len(stack.layers))):
        dh, dx = _through(stack.layers[k], folded(dy_tbh, stack.dilations[k]))
        found.insert(0, unfolded(dh, n_steps, batch))
        dx_tbi = unfolded(dx, n_steps, batch)
        dy_tbh = dx_tbi + dy_tbh if stack.residual and k > 0 else dx_tbi
    return found


def jacobians_of(trace: NetworkTrace[Any], layer: int) -> Jacobians:
    """Return the Jacobians of one layer.

    Where the state of a layer comes from d steps before, the norms of lags between multiples of d are 0. The
    states of "slstm" are h, the mean c/n and the logarithm of its weight, which are free of its divisor.
    In a large layer, the norms are those of some windows and units, taken evenly.
    """
    one, d = trace.stack.layers[layer], trace.stack.dilations[layer]
    n_steps, batch = trace.stack.x_tbi.shape[:2]
    last, place = divmod(n_steps - 1, d)
    hidden = one.output_tbh.shape[2]
    cost = one.weights.weight_hh.size + _POINTWISE * one.weights.bias_ih.size
    seeds = int(_COST / (cost * (last + 1)))
    windows = some(batch, max(_LEAST_WINDOWS, seeds // hidden))
    units = some(hidden, seeds // windows.size)
    norms = np.zeros(n_steps)
    norms[: last * d + 1 : d] = _norms(one, last, place * batch + windows, units)
    rows = place * batch + some(batch, int(_COST / (cost * hidden * len(one.cell.states))))
    return Jacobians(norms, _at_last(one, last, rows))


def _through(layer: Trace[Any], d_output_tbh: Array) -> tuple[Array, Array]:
    """Go back through one layer: the gradients of h after each step, [T, B, H], and of its inputs."""
    d_state = layer.cell.zero_state(*d_output_tbh.shape[1:])
    dh_tbh, dx_tbi = np.empty_like(d_output_tbh), np.empty_like(layer.x_tbi)
    for t in reversed(range(len(layer.steps))):
        dh, *others = d_state
        dh_tbh[t] = dh + d_output_tbh[t]
        dx_tbi[t], d_state, _ = layer.cell.step_backward(layer.steps[t], (dh_tbh[t], *others), layer.weights)
    return dh_tbh, dx_tbi


def _norms(layer: Trace[Any], last: int, rows: NDArray[np.int64], units: NDArray[np.int64]) -> Array:
    """Return the norms by lag in steps of the layer's own, up to the state after the first of them."""
    hidden = layer.output_tbh.shape[2]
    seeds = np.tile(np.eye(hidden)[units], (rows.size, 1))
    d_state: State = (seeds, *(np.zeros_like(seeds) for _ in layer.cell.states[1:]))
    before = READINGS[layer.cell.name].before
    found = [1.0]
    for t in range(last, 0, -1):
        step = _repeated(layer.steps[t], rows, units.size)
        d_state = layer.cell.step_backward(step, d_state, _recurrent(layer.weights)).d_state
        square = sum((part * part).sum(axis=1) for part in before(step, d_state))
        found.append(float(np.sqrt(np.reshape(square, (rows.size, -1)).mean(axis=1)).mean()))
    return np.array(found)


def _at_last(layer: Trace[Any], last: int, rows: NDArray[np.int64]) -> Array:
    """Return the Jacobian of the last step, the mean over windows."""
    cell, hidden = layer.cell, layer.output_tbh.shape[2]
    reading = READINGS[cell.name]
    parts = len(reading.before(layer.steps[last], cell.state_after(layer.steps[last])))
    seeds = np.tile(np.eye(parts * hidden), (rows.size, 1))
    step = _repeated(layer.steps[last], rows, parts * hidden)
    d_after = reading.after(step, tuple(np.split(seeds, parts, axis=1)))
    d_before = cell.step_backward(step, d_after, _recurrent(layer.weights)).d_state
    found = np.concatenate(reading.before(step, d_before), axis=1)
    mean: Array = found.reshape(rows.size, parts * hidden, parts * hidden).mean(axis=0)
    return mean


def _repeated(step: Step, rows: NDArray[np.int64], times: int) -> Step:
    """Return a step of some rows, each so many times, without its input."""
    taken = {one.name: np.repeat(getattr(step, one.name)[rows], times, axis=0) for one in fields(step)}
    return type(step)(**{**taken, "x": taken["x"][:, :0]})


def _recurrent(weights: Weights) -> Weights:
    """Return weights for steps without an input."""
    return weights._replace(weight_ih=weights.weight_ih[:, :0])


def some(count: int, most: int) -> NDArray[np.int64]:
    """Return so many of `count` numbers, at least one, taken evenly."""
    taken = max(1, min(count, most))
    return (2 * np.arange(taken) + 1) * count // (2 * taken)
