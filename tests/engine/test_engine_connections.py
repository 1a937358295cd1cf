"""Ways past layers and steps: residual connections, dilated layers, a skip that reads some features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.helpers import (
    Shape,
    assert_close,
    assert_gradients,
    assert_states,
    dropout_masks,
    every_cell,
    every_dtype,
    fill,
    same_bits,
)
from unrolled import Network, NetworkSpec, _core
from unrolled.cells import CELLS, Weights, run_network, run_network_backward, run_stack, run_stack_backward
from unrolled.engine import Engine, Gradients, State
from unrolled.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable

    from unrolled.engine import Array

# Steps that no dilation divides, and one that is larger than all of them.
WAYS: dict[str, dict[str, Any]] = {
    "residual": {"residual": True},
    "dilated": {"dilations": (1, 2, 4)},
    "dilated from the first": {"dilations": (3, 1, 2)},
    "longer than the window": {"dilations": (2, 50, 7)},
    "both": {"residual": True, "dilations": (1, 3, 2)},
}
every_way = pytest.mark.parametrize("way", WAYS)
every_head = pytest.mark.parametrize("head", ["none", "last", "every", "skip"])
SHAPE = Shape(hidden=9, batch=5, steps=7, inputs=3, layers=3)


class Case(NamedTuple):
    """A network with a way, an input and the gradient of its output."""

    engine: Engine
    parameters: dict[str, Array]
    x: Array
    d_out: Array
    options: dict[str, Any]
    head: str


def make(
    cell: str, way: str, head: str, *, shape: Shape = SHAPE, dtype: str = "float64", rate: float = 0.0
) -> Case:
    """Return a random network."""
    rng = np.random.default_rng(len(way) + shape.hidden)
    skip: dict[str, Any] = {"skip_steps": shape.steps, "skip_inputs": 2} if head == "skip" else {}
    outputs = 0 if head == "none" else 2
    engine = Engine(
        cell,
        input_size=shape.inputs,
        hidden_size=shape.hidden,
        num_layers=shape.layers,
        output_size=outputs,
        head="every" if head == "every" else "last",
        dropout=rate,
        dtype=dtype,
        **skip,
        **WAYS[way],
    )
    parameters = fill(engine, rng)
    x = rng.standard_normal((shape.steps, shape.batch, shape.inputs)).astype(dtype)
    d_out = rng.standard_normal(engine.forward(x)[0].shape).astype(dtype)
    return Case(engine, parameters, x, d_out, WAYS[way], head)


def state_of(arrays: Any) -> State:
    """Return the oracle's state as the engine has it."""
    h, *others = arrays
    return State(h, np.concatenate(others, axis=-1) if others else None)


def oracle(cell: str, case: Case, masks: Array | None = None) -> tuple[Array, State, Gradients]:
    """Return output, last state and gradients by the equations of `unrolled.cells`."""
    if case.head == "none":
        layers = [Weights.of_layer(case.parameters, k) for k in range(SHAPE.layers)]
        stack = run_stack(CELLS[cell], case.x, layers, masks=masks, **case.options)
        d_x, d_first, d_layers = run_stack_backward(stack, case.d_out)
        named = {name: d for k, weights in enumerate(d_layers) for name, d in weights.named(k).items()}
        return stack.output_tbh, state_of(stack.state), Gradients(named, d_x, state_of(d_first))
    trace = run_network(
        CELLS[cell],
        case.x,
        case.parameters,
        masks=masks,
        every_step=case.head == "every",
        skip_inputs=2 if case.head == "skip" else None,
        **case.options,
    )
    named, d_x, d_first = run_network_backward(trace, case.d_out)
    return trace.y, state_of(trace.state), Gradients(named, d_x, state_of(d_first))


@every_cell
@every_way
@every_head
@every_dtype
@pytest.mark.parametrize("rate", [0.0, 0.4])
def test_the_core_computes_what_the_equations_say(
    cell: str, way: str, head: str, dtype: str, rate: float
) -> None:
    case = make(cell, way, head, dtype=dtype, rate=rate)
    masks = dropout_masks(rate, SHAPE, seed=3, dtype=dtype) if rate else None
    output, state, gradients = oracle(cell, case, masks)
    options: dict[str, Any] = {"train": rate > 0, "seed": 3}
    got, last = case.engine.forward(case.x, **options)
    assert_close(got, output, to="output", dtype=dtype)
    assert_states(last, state, to="output", dtype=dtype, name="state")
    found = case.engine.backward(case.x, case.d_out, **options)
    if "dilations" in case.options:  # no state was given, and no gradient of one is asked for
        assert not found.state.h.any()
        found, gradients = (one._replace(state=found.state) for one in (found, gradients))
    assert_gradients(found, gradients, dtype=dtype)


@every_cell
@every_way
@pytest.mark.parametrize("head", ["none", "skip"])
def test_rows_threads_and_repeats_change_no_bit(cell: str, way: str, head: str) -> None:
    shape = SHAPE._replace(hidden=40, batch=150)
    case = make(cell, way, head, shape=shape, dtype="float32")
    output, _ = case.engine.forward(case.x)
    gradients = case.engine.backward(case.x, case.d_out)
    assert gradients.x is not None
    same_bits(case.engine.forward(case.x, threads=3)[0], output)
    threaded = case.engine.backward(case.x, case.d_out, threads=3)
    same_bits(threaded.x, gradients.x)  # type: ignore[arg-type]
    for name, gradient in gradients.parameters.items():
        same_bits(threaded.parameters[name], gradient, name)
    for rows in (slice(0, 1), slice(60, 75), slice(149, 150)):
        alone = case.engine.backward(case.x[:, rows], case.d_out[..., rows, :])
        same_bits(case.engine.forward(case.x[:, rows])[0], output[..., rows, :])
        same_bits(alone.x, gradients.x[:, rows])  # type: ignore[arg-type]
    same_bits(
        case.engine.forward(case.x[:3] if head == "none" else case.x)[0],
        output[:3] if head == "none" else output,
    )


@every_cell
@settings(max_examples=15)
@given(d=st.integers(1, 9), steps=st.integers(1, 12), hidden=st.integers(1, 20))
def test_a_dilated_layer_is_its_interleaved_sequences(cell: str, d: int, steps: int, hidden: int) -> None:
    rng = np.random.default_rng(d * 100 + steps)
    engines = [Engine(cell, input_size=2, hidden_size=hidden, dilations=one) for one in ((d,), (1,))]
    parameters = fill(engines[0], rng)
    engines[1].set(parameters)
    x = rng.standard_normal((steps, 3, 2)).astype(np.float32)
    output, last = engines[0].forward(x)
    for place in range(min(d, steps)):
        alone, end = engines[1].forward(x[place::d])
        same_bits(output[place::d], alone)
        if place == (steps - 1) % d:
            same_bits(last.h, end.h)
            if end.c is not None and last.c is not None:
                same_bits(last.c, end.c)


@every_cell
def test_residual_rows_of_different_lengths_are_computed_as_if_alone(cell: str) -> None:
    for head in ("none", "last", "every"):
        case = make(cell, "residual", head, dtype="float32")
        lengths = np.array([3, 7, 1, 7, 5])
        output, state = case.engine.forward(case.x, lengths=lengths)
        gradients = case.engine.backward(case.x, case.d_out, lengths=lengths)
        assert gradients.x is not None
        for row, length in enumerate(lengths):
            one = slice(row, row + 1)
            alone, end = case.engine.forward(case.x[:length, one])
            d_out = case.d_out[one] if head == "last" else case.d_out[:length, one]
            same_bits(output[one] if head == "last" else output[:length, one], alone)
            same_bits(state.h[:, one], end.h)
            back = case.engine.backward(case.x[:length, one], d_out)
            same_bits(gradients.x[:length, one], back.x)  # type: ignore[arg-type]


@every_cell
@pytest.mark.parametrize("head", ["none", "last", "every"])
def test_a_residual_network_step_by_step(cell: str, head: str) -> None:
    case = make(cell, "residual", head, dtype="float32")
    core = case.engine.make_stream(SHAPE.batch)
    output, _ = case.engine.forward(case.x)
    width = case.engine.output_width
    for t in range(SHAPE.steps):
        y = np.empty((SHAPE.batch, width), np.float32)
        assert core.step(case.x[t], y)
        if head != "last":
            same_bits(y, output[t])
    same_bits(y, output if head == "last" else output[-1])


def test_a_skip_reads_its_first_features_and_no_others() -> None:
    case = make("rnn", "residual", "skip")
    for name, array in case.parameters.items():
        if not name.startswith("skip"):
            array[...] = 0.0
    case.engine.set(case.parameters)
    assert case.engine.shapes["skip.weight"] == (2, SHAPE.steps * 2)
    window = case.x[..., :2].transpose(1, 0, 2).reshape(SHAPE.batch, -1)
    assert_close(
        case.engine.forward(case.x)[0],
        window @ case.parameters["skip.weight"].T,
        to="output",
        dtype="float64",
    )


REFUSED: dict[str, Callable[[Engine, Array, State], object]] = {
    "state": lambda engine, x, zeros: engine.forward(x, zeros),
    "lengths": lambda engine, x, _: engine.forward(x, lengths=np.array([1, 2])),
    "d_state": lambda engine, x, zeros: engine.backward(x, x, None, zeros),
}


@pytest.mark.parametrize("name", REFUSED)
def test_dilated_layers_take_no_state_and_no_lengths(name: str) -> None:
    engine = Engine("lstm", input_size=2, hidden_size=2, dilations=(2,))
    with pytest.raises(ArgumentError, match=f"dilated layers takes no {name}"):
        REFUSED[name](engine, np.zeros((3, 2, 2)), engine.zero_state(2))


def test_the_core_itself_refuses_a_state_lengths_and_streams_of_dilated_layers() -> None:
    engine = Engine("rnn", input_size=2, hidden_size=2, dilations=(2,))
    x, h, out = (
        np.zeros((3, 2, 2), np.float32),
        np.ones((1, 2, 2), np.float32),
        np.zeros((3, 2, 2), np.float32),
    )
    with pytest.raises(ValueError, match="h does not fit"):
        engine.core.apply(x, h, None, out, False, 0, 1)
    with pytest.raises(ValueError, match="lengths does not fit"):
        engine.core.apply(x, 0 * h, None, out, False, 0, 1, np.array([1, 2]))
    flat = np.zeros(engine.parameter_count, np.float32)
    with pytest.raises(ValueError, match="d_h does not fit"):
        engine.core.apply_backward(x, 0 * h, None, out, h, None, flat, None, False, 0, 1)
    with pytest.raises(ValueError, match="dilations does not fit"):
        engine.make_stream(1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"skip_inputs": 3}, "skip_inputs does not fit"),
        ({"skip_inputs": -1}, "skip_inputs does not fit"),
        ({"dilations": [1]}, "number of dilations does not fit"),
        ({"dilations": [1, 0]}, "dilation does not fit"),
        ({"dilations": [1, 2**21]}, "dilation does not fit"),
    ],
)
def test_the_core_itself_refuses_connections_that_cannot_be(change: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {
        "cell": "rnn", "input_size": 2, "hidden_size": 2, "num_layers": 2, "output_size": 1,
        "every": False, "skip_steps": 3, "dropout": 0.0,
    }  # fmt: skip
    with pytest.raises(ValueError, match=message):
        _core.NetworkF32(**given | change)


SPEC: dict[str, Any] = {"cell": "gru", "input_size": 2, "hidden_size": 3, "num_layers": 2, "output_size": 1}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"skip_inputs": 0}, r"skip_inputs does not fit(.|\n)*1 to 2"),
        ({"skip_inputs": 3}, "skip_inputs does not fit"),
        ({"skip_inputs": True}, "skip_inputs does not fit"),
        ({"residual": 1}, "residual does not fit"),
        ({"dilations": (1,)}, "dilations does not fit"),
        ({"dilations": (1, 0)}, "dilations does not fit"),
        ({"dilations": (1, 2.0)}, "dilations does not fit"),
        ({"dilations": 2}, "dilations does not fit"),
        ({"residual": None, "dilations": (0, 0)}, r"residual does not fit(.|\n)*dilations does not fit"),
    ],
)
def test_a_spec_refuses_connections_that_cannot_be(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        NetworkSpec(**SPEC | change)


def test_a_spec_with_connections_makes_the_network_and_its_weights() -> None:
    spec = NetworkSpec(**SPEC, skip_steps=4, skip_inputs=1, residual=True, dilations=[1, 2])  # type: ignore[arg-type]
    assert spec.dilations == (1, 2)
    assert spec == NetworkSpec(**SPEC, skip_steps=4, skip_inputs=1, residual=True, dilations=(1, 2))
    network = Network(spec)
    assert network.engine.shapes == spec.shapes
    assert spec.shapes["skip.weight"] == (1, 4)
    assert network.engine.parameter_count == spec.parameter_count
    with pytest.raises(ArgumentError, match=r"step by step(.|\n)*dilations=\(1, 2\)"):
        Network(NetworkSpec(**SPEC, dilations=(1, 2))).stream()
