"""What the tests of the engine share: one table of tolerances, random networks, the oracle beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import pytest

from unrolled.cells import CELLS, run_network, run_network_backward, run_stack, run_stack_backward
from unrolled.cells.base import Weights
from unrolled.engine import Engine, Gradients, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import ArrayLike

    from unrolled.engine import Array

Head = Literal["none", "last", "every", "skip"]
HEADS: tuple[Head, ...] = ("none", "last", "every", "skip")

TOLERANCES: dict[str, dict[str, float]] = {
    # What core/activation.hpp promises of tanh and sigmoid: so much, or so many units in the last place.
    "activation": {"float64": 1e-15, "float32": 1e-7},
    "activation units": {"float64": 0.0, "float32": 4.0},
    # Sums of up to 275 terms, one after another, near 1e-16 (6e-8) each, over 200 steps; a tanh and a sigmoid
    # that are right to the line above. Single units cancel to less than 1, so 1 is the least scale here.
    "output": {"float64": 1e-13, "float32": 1e-6},
    # Where such a sum is a state as it is, no tanh having bent it, and where other states are divided by its
    # exponential: the sLSTM's m, c and n.
    "exponential": {"float64": 4e-13, "float32": 4e-6},
    # The output beside torch, whose own sums are off by as much.
    "peer output": {"float64": 2e-13, "float32": 2e-6},
    # Up to 200 products of numbers that are right to the line above, added up over steps and rows.
    "gradient": {"float64": 1e-13, "float32": 1e-5},
    # The same terms of a gradient, added up in other groups; they may cancel, so 1 is the least scale here.
    "regrouped": {"float64": 1e-12, "float32": 1e-5},
    # A loss is a mean of squares or of absolute values of differences; 1 is the least scale.
    "loss": {"float64": 1e-13, "float32": 2e-6},
    # Five updates; Adam divides by the root of a square, so where a gradient is near 0 its own error shows.
    "trained": {"float64": 1e-12, "float32": 1e-4},
    # 720 plain updates of 0.01, each with gradients that are right to 1e-6.
    "tutorial": {"float32": 1e-5},
    # A shift of 100 deviations costs every scaled number two digits.
    "rescaled": {"float64": 1e-11, "float32": 3e-4},
    # Central differences with a step of 1e-5: the third derivative leaves about 1e-10, rounding about 1e-11,
    # both of values near 1, while the largest gradient of an array may be small.
    "difference": {"float64": 1e-7},
}
"""How far the engine may be off, as a share of the largest number of the array that is compared."""

LEAST_SCALE = {"output": 1.0, "exponential": 1.0, "peer output": 1.0, "regrouped": 1.0, "loss": 1.0}

every_cell = pytest.mark.parametrize("cell", CELLS)
every_dtype = pytest.mark.parametrize("dtype", ["float64", "float32"])
every_head = pytest.mark.parametrize("head", HEADS)


def assert_close(actual: ArrayLike, expected: ArrayLike, *, to: str, dtype: str, name: str = "") -> None:
    """Compare arrays within one cell of the table; what is not finite must be the same in the same places."""
    got, want = np.asarray(actual, np.float64), np.asarray(expected, np.float64)
    assert got.shape == want.shape, f"{name}: shape {got.shape} is not {want.shape}"
    finite = np.isfinite(want)
    np.testing.assert_array_equal(got[~finite], want[~finite], err_msg=name)
    scale = float(np.max(np.abs(want[finite]), initial=LEAST_SCALE.get(to, 0.0)))
    np.testing.assert_allclose(
        got[finite], want[finite], rtol=0.0, atol=TOLERANCES[to][dtype] * scale, err_msg=name
    )


def same_bits(actual: Array, expected: Array, name: str = "") -> None:
    """Compare arrays bit for bit; NaN equals NaN."""
    assert actual.dtype == expected.dtype, name
    np.testing.assert_array_equal(actual, expected, err_msg=name)


class Shape(NamedTuple):
    """Sizes of a network and of a batch."""

    hidden: int
    batch: int
    steps: int
    inputs: int
    layers: int = 1

    def __str__(self) -> str:
        """Return a name for the test's id."""
        return f"H{self.hidden}-B{self.batch}-T{self.steps}-I{self.inputs}-L{self.layers}"


@dataclass(frozen=True)
class Drawn:
    """A random network, its engine, and everything that goes through it forward and backward.

    Every array has the engine's dtype, so that the oracle sees the very numbers that the engine sees.
    """

    cell: str
    head: Head
    shape: Shape
    engine: Engine
    parameters: dict[str, Array]
    x: Array
    state: State
    d_out: Array
    d_state: State

    @property
    def dtype(self) -> str:
        """The name of the engine's dtype."""
        return str(self.engine.dtype)

    def with_parameters(self, parameters: Mapping[str, Array]) -> Engine:
        """Return another engine of the same shape, with these parameters."""
        engine = make_engine(self.cell, self.shape, head=self.head, dtype=self.dtype)
        engine.set(parameters)
        return engine


def make_engine(
    cell: str,
    shape: Shape,
    *,
    head: Head = "none",
    dtype: str = "float64",
    dropout: float = 0.0,
    outputs: int = 3,
) -> Engine:
    """Return an engine whose parameters are zero."""
    return Engine(
        cell,
        input_size=shape.inputs,
        hidden_size=shape.hidden,
        num_layers=shape.layers,
        output_size=0 if head == "none" else outputs,
        head="every" if head == "every" else "last",
        skip_steps=shape.steps if head == "skip" else 0,
        dropout=dropout,
        dtype=dtype,
    )


def fill(engine: Engine, rng: np.random.Generator) -> dict[str, Array]:
    """Give the engine random parameters, large enough to bend the gates and small enough not to shut them."""
    parameters = {}
    for name, shape in engine.shapes.items():
        fan_in = shape[1] if len(shape) == 2 else 4
        parameters[name] = (rng.uniform(-1.0, 1.0, shape) / np.sqrt(fan_in)).astype(engine.dtype)
    engine.set(parameters)
    return parameters


def draw_state(cell: str, shape: Shape, rng: np.random.Generator, dtype: str) -> State:
    """Return a random state of all layers."""
    size = (shape.layers, shape.batch, shape.hidden)
    drawn = {name: 0.5 * rng.standard_normal(size) for name in CELLS[cell].states}
    if "n" in drawn:
        drawn["n"] = 0.5 + np.abs(drawn["n"])  # a sum of positive numbers
    return state_of(array.astype(dtype) for array in drawn.values())


def draw(
    cell: str,
    shape: Shape,
    *,
    head: Head = "none",
    dtype: str = "float64",
    dropout: float = 0.0,
    outputs: int = 3,
    seed: int = 0,
) -> Drawn:
    """Return a random network with inputs, state and gradients."""
    rng = np.random.default_rng([seed, *shape])
    engine = make_engine(cell, shape, head=head, dtype=dtype, dropout=dropout, outputs=outputs)
    parameters = fill(engine, rng)
    out = {
        "none": (shape.steps, shape.batch, shape.hidden),
        "every": (shape.steps, shape.batch, outputs),
    }.get(head, (shape.batch, outputs))
    return Drawn(
        cell=cell,
        head=head,
        shape=shape,
        engine=engine,
        parameters=parameters,
        x=rng.standard_normal((shape.steps, shape.batch, shape.inputs)).astype(dtype),
        state=draw_state(cell, shape, rng, dtype),
        d_out=rng.standard_normal(out).astype(dtype),
        d_state=draw_state(cell, shape, rng, dtype),
    )


def arrays_of(state: State) -> tuple[Array, ...]:
    """Return the state as the oracle has it: (h,), (h, c) or (h, c, n, m)."""
    if state.c is None:
        return (state.h,)
    return (state.h, *np.split(state.c, state.c.shape[-1] // state.h.shape[-1], axis=-1))


def state_of(arrays: Iterable[Array]) -> State:
    """Return the oracle's state as the engine has it."""
    h, *others = arrays
    return State(h, np.concatenate(others, axis=-1) if others else None)


def oracle(
    drawn: Drawn, *, state: State | None, d_state: State | None, masks: Array | None = None
) -> tuple[Array, State, Gradients]:
    """Return output, last state and gradients of the network, by the equations of `unrolled.cells`."""
    cell, parameters = CELLS[drawn.cell], drawn.parameters
    first = None if state is None else arrays_of(state)
    d_last = None if d_state is None else arrays_of(d_state)
    if drawn.head == "none":
        layers = [Weights.of_layer(parameters, k) for k in range(drawn.shape.layers)]
        stack = run_stack(cell, drawn.x, layers, state=first, masks=masks)
        d_x, d_first, d_layers = run_stack_backward(stack, drawn.d_out, d_state=d_last)
        named = {name: d for k, weights in enumerate(d_layers) for name, d in weights.named(k).items()}
        return stack.output_tbh, state_of(stack.state), Gradients(named, d_x, state_of(d_first))

    every = drawn.head == "every"
    trace = run_network(cell, drawn.x, parameters, state=first, masks=masks, every_step=every)
    gradients, d_x, d_first = run_network_backward(trace, drawn.d_out)
    if d_last is not None:  # gradients add up: those through the output, those through the last state
        more_x, more_first, d_layers = run_stack_backward(trace.stack, d_state=d_last)
        d_x = d_x + more_x
        d_first = tuple(a + b for a, b in zip(d_first, more_first, strict=True))
        for k, weights in enumerate(d_layers):
            gradients |= {name: gradients[name] + d for name, d in weights.named(k).items()}
    return trace.y, state_of(trace.state), Gradients(gradients, d_x, state_of(d_first))


def assert_states(actual: State, expected: State, *, to: str, dtype: str, name: str) -> None:
    """Compare two states."""
    assert (actual.c is None) == (expected.c is None)
    exponential = len(arrays_of(expected)) > 2 and to == "output"
    for letter, got, want in zip("hcnm", arrays_of(actual), arrays_of(expected), strict=False):
        to = "exponential" if exponential and letter != "h" else to
        assert_close(got, want, to=to, dtype=dtype, name=f"{name} {letter}")


def assert_gradients(actual: Gradients, expected: Gradients, *, dtype: str, to: str = "gradient") -> None:
    """Compare all gradients of a backward pass."""
    assert list(actual.parameters) == list(expected.parameters)
    for name, want in expected.parameters.items():
        assert_close(actual.parameters[name], want, to=to, dtype=dtype, name=name)
    assert actual.x is not None
    assert expected.x is not None
    assert_close(actual.x, expected.x, to=to, dtype=dtype, name="dx")
    assert_states(actual.state, expected.state, to=to, dtype=dtype, name="d_state")


def gradients_as_dict(gradients: Gradients) -> dict[str, Array]:
    """Return every array of `gradients` by a name."""
    named: dict[str, Any] = {**gradients.parameters, "x": gradients.x, "h": gradients.state.h}
    return named if gradients.state.c is None else {**named, "c": gradients.state.c}


def _mix(state: Array) -> Array:
    """SplitMix64, one step for every element."""
    state = state + np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: Array = state ^ (state >> np.uint64(31))
    return mixed


def dropout_masks(rate: float, shape: Shape, *, seed: int, turn: int = 0, dtype: str) -> Array:
    """Return the masks that the core draws from its counter: [L-1, T, B, H], 0 or 1 / (1 - rate)."""
    with np.errstate(over="ignore"):
        key = _mix(_mix(np.array([seed], np.uint64)) ^ np.uint64(turn))
        layer = np.arange(1, shape.layers, dtype=np.uint64)[:, None, None]
        step = np.arange(shape.steps, dtype=np.uint64)[:, None]
        row = np.arange(shape.batch, dtype=np.uint64)
        state = _mix(_mix(key ^ layer) ^ (step << np.uint64(32) | row))
        masks = np.empty((*state.shape, shape.hidden))
        for unit in range(shape.hidden):
            state = _mix(state)
            dropped = (state >> np.uint64(32)) < np.uint64(int(rate * 2.0**32))
            masks[..., unit] = np.where(dropped, 0.0, np.dtype(dtype).type(1.0 / (1.0 - rate)))
    return masks
