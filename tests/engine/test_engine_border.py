"""Networks, inputs, states and parameters that do not fit: a ValueError or a TypeError that says what."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.engine.border import CORE, WRONG_KIND, panel
from tests.engine.helpers import Shape, draw, same_bits
from unrolled import _core
from unrolled.engine import CELLS, Engine, Learning, State, Table, Trainer, Windowing

SHAPE = Shape(hidden=5, batch=2, steps=3, inputs=7)
NETWORK = {"cell": "lstm", "input_size": 7, "hidden_size": 5}


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"cell": "nope"}, ValueError, "cell"),
        ({"input_size": 0}, ValueError, "input_size"),
        ({"hidden_size": 0}, ValueError, "hidden_size"),
        ({"hidden_size": -1}, ValueError, "hidden_size"),
        ({"hidden_size": 1 << 21}, ValueError, "hidden_size"),
        ({"hidden_size": 1 << 20}, ValueError, r"fewer than 2\^40"),
        ({"hidden_size": 1 << 70}, TypeError, WRONG_KIND),
        ({"hidden_size": 2.5}, TypeError, WRONG_KIND),
        ({"hidden_size": "5"}, TypeError, WRONG_KIND),
        ({"hidden_size": None}, TypeError, WRONG_KIND),
        ({"num_layers": 0}, ValueError, "num_layers"),
        ({"num_layers": 1025}, ValueError, "num_layers"),
        ({"output_size": -1}, ValueError, "output_size"),
        ({"output_size": 1 << 20, "skip_steps": 1 << 20}, ValueError, r"fewer than 2\^40"),
        ({"skip_steps": -1, "output_size": 1}, ValueError, "skip_steps"),
        ({"skip_steps": 3}, ValueError, "skip_steps"),
        ({"skip_steps": 3, "output_size": 1, "head": "every"}, ValueError, "skip_steps"),
        ({"dropout": -0.1}, ValueError, "dropout"),
        ({"dropout": 1.0}, ValueError, "dropout"),
        ({"dropout": np.nan}, ValueError, "dropout"),
        ({"head": "middle", "output_size": 1}, ValueError, "head"),
        ({"dtype": "float16"}, ValueError, "dtype"),
        ({"dtype": "int32"}, ValueError, "dtype"),
    ],
    ids=str,
)
def test_networks_that_cannot_be(change: dict[str, Any], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        Engine(**{**NETWORK, **change})


def test_the_core_itself_refuses_an_unknown_cell() -> None:
    with pytest.raises(ValueError, match=f"expected: one of {', '.join(CELLS)}\n  got: nope"):
        _core.NetworkF32(**{**CORE, "cell": "nope"})


@pytest.mark.parametrize(
    ("x", "error", "match"),
    [
        (np.float32(1.0), ValueError, "x does not fit"),
        (np.zeros(7), ValueError, "x does not fit"),
        (np.zeros((3, 7)), ValueError, "x does not fit"),
        (np.zeros((1, 3, 2, 7)), ValueError, "x does not fit"),
        (np.zeros((3, 2, 8)), ValueError, "x does not fit"),
        (np.zeros((3, 2, 0)), ValueError, "x does not fit"),
        (np.zeros((0, 2, 7)), ValueError, "time steps does not fit"),
        (None, ValueError, "x does not fit"),
        ("text", ValueError, "could not convert"),
        ([[["a"]]], ValueError, "could not convert"),
        ([[1.0], [1.0, 2.0]], ValueError, "inhomogeneous"),
        (object(), TypeError, "float"),
    ],
    ids=str,
)
def test_inputs_that_do_not_fit(x: Any, error: type[Exception], match: str) -> None:
    engine = Engine(**NETWORK, output_size=3)  # type: ignore[arg-type]
    with pytest.raises(error, match=match):
        engine.forward(x)
    with pytest.raises(error, match=match):
        engine.backward(x, np.zeros((2, 3)))


def states(shape: tuple[int, ...]) -> State:
    """Return a state of zeros."""
    return State(np.zeros(shape), np.zeros(shape))


@pytest.mark.parametrize(
    ("state", "match"),
    [
        (states((1, 2, 6)), "h does not fit"),
        (states((1, 3, 5)), "h does not fit"),
        (states((2, 2, 5)), "h does not fit"),
        (states((2, 5)), "h does not fit"),
        (State(np.zeros((1, 2, 5)), np.zeros((1, 2, 6))), "c does not fit"),
        (State(np.zeros((1, 2, 5)), None), "c does not fit"),
    ],
)
def test_states_that_do_not_fit(state: State, match: str) -> None:
    engine = Engine(**NETWORK)  # type: ignore[arg-type]
    x, d_out = np.zeros((3, 2, 7)), np.zeros((3, 2, 5))
    with pytest.raises(ValueError, match=match):
        engine.forward(x, state)
    with pytest.raises(ValueError, match=match):
        engine.backward(x, d_out, state)
    with pytest.raises(ValueError, match=f"d_{match}"):
        engine.backward(x, d_out, None, state)


def test_a_second_state_where_the_cell_has_none() -> None:
    engine = Engine("gru", input_size=7, hidden_size=5)
    with pytest.raises(ValueError, match="c does not fit"):
        engine.forward(np.zeros((3, 2, 7)), states((1, 2, 5)))


@pytest.mark.parametrize("shape", [(), (3,), (2, 4), (3, 2, 3), (2, 3, 1), (0, 3)])
def test_a_gradient_that_does_not_fit(shape: tuple[int, ...]) -> None:
    engine = Engine(**NETWORK, output_size=3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="d_out does not fit"):
        engine.backward(np.zeros((3, 2, 7)), np.zeros(shape))


def test_a_window_of_another_length_than_the_skip_reads() -> None:
    engine = Engine(**NETWORK, output_size=3, skip_steps=4)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="time steps does not fit"):
        engine.forward(np.zeros((3, 2, 7)))


def test_an_empty_batch() -> None:
    engine = Engine(**NETWORK, output_size=3)  # type: ignore[arg-type]
    output, last = engine.forward(np.zeros((3, 0, 7)), threads=3)
    assert output.shape == (0, 3)
    assert last.h.shape == (1, 0, 5)
    with pytest.raises(ValueError, match="batch does not fit"):
        engine.backward(np.zeros((3, 0, 7)), np.zeros((0, 3)))


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"threads": 0}, ValueError, "threads"),
        ({"threads": -1}, ValueError, "threads"),
        ({"threads": 1025}, ValueError, "threads"),
        ({"threads": 1 << 40}, TypeError, WRONG_KIND),
        ({"threads": 1.5}, TypeError, WRONG_KIND),
        ({"threads": None}, TypeError, WRONG_KIND),
        ({"seed": -1}, TypeError, WRONG_KIND),
        ({"seed": 1 << 64}, TypeError, WRONG_KIND),
        ({"train": "yes"}, TypeError, WRONG_KIND),
    ],
    ids=str,
)
def test_options_that_do_not_fit(options: dict[str, Any], error: type[Exception], match: str) -> None:
    engine = Engine(**NETWORK, output_size=3)  # type: ignore[arg-type]
    x = np.zeros((3, 2, 7))
    with pytest.raises(error, match=match):
        engine.forward(x, **options)
    with pytest.raises(error, match=match):
        engine.backward(x, np.zeros((2, 3)), **options)
    if "train" not in options:
        trained = Engine(**NETWORK, output_size=7)  # type: ignore[arg-type]
        with pytest.raises(error, match=match):
            Trainer(trained, Table(*panel(7)), windowing=Windowing(3, 1), learning=Learning(), **options)


def test_the_largest_seed() -> None:
    engine = Engine(**NETWORK, num_layers=2, dropout=0.5)  # type: ignore[arg-type]
    assert engine.forward(np.zeros((3, 2, 7)), train=True, seed=(1 << 64) - 1)[0].shape == (3, 2, 5)


@pytest.mark.parametrize("shape", [(), (3,), (1, 503), (503, 1), (504,), (0,)])
def test_parameters_that_do_not_fit(shape: tuple[int, ...]) -> None:
    engine = Engine(**NETWORK)  # type: ignore[arg-type]
    assert engine.parameter_count != 503 or shape != (503,)
    with pytest.raises(ValueError, match="flat does not fit"):
        engine.write(np.zeros(shape))


@pytest.mark.parametrize("change", ["missing", "turned", "short"])
def test_parameters_by_name_that_do_not_fit(change: str) -> None:
    drawn = draw("lstm", SHAPE)
    weights = dict(drawn.parameters)
    if change == "missing":
        del weights["bias_hh_l0"]
    else:
        array = weights["weight_ih_l0"]
        weights["weight_ih_l0"] = array.T if change == "turned" else array[1:]
    before = drawn.engine.read()
    with pytest.raises((ValueError, KeyError)):
        drawn.engine.set(weights)
    same_bits(drawn.engine.read(), before)
