"""Recurrences over given memory: the numbers of the engine's own networks, and what the border refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.engine.helpers import Drawn, Shape, assert_close, draw, every_dtype, same_bits
from unrolled.engine import recurrence

if TYPE_CHECKING:
    from unrolled.engine import Array

CELLS = ("rnn", "rnn_relu", "lstm", "gru")
SHAPE = Shape(hidden=19, batch=37, steps=6, inputs=3, layers=2)
NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def address(array: Array | None) -> int:
    """Return where an array begins, 0 for none."""
    return 0 if array is None else array.ctypes.data


def offsets(sizes: Array) -> Array:
    """Return where the rows of each step begin."""
    return np.concatenate([[0], np.cumsum(sizes)])


def packed(array: Array, sizes: Array) -> Array:
    """Return [T, B, n] as the rows that are there, step after step."""
    return np.concatenate([array[t, :size] for t, size in enumerate(sizes)])


class Flow:
    """A drawn network as a recurrence: forward, then backward, in arrays of exactly the size asked for."""

    def __init__(self, drawn: Drawn, sizes: Array | None = None) -> None:
        shape, dtype = drawn.shape, drawn.dtype
        steps, rows = shape.steps, shape.batch
        every = np.full(steps, rows) if sizes is None else sizes
        total = int(every.sum())
        net = recurrence(drawn.cell, shape.inputs, shape.hidden, shape.layers, 1, dtype)
        weights = [drawn.parameters[f"{name}_l{layer}"] for layer in range(shape.layers) for name in NAMES]
        x, d_out = (packed(array, every) for array in (drawn.x, drawn.d_out))
        h, c = drawn.state.h.copy(), drawn.state.c
        self.output = np.full((total, shape.hidden), np.nan, dtype)
        self.h, self.c = np.full_like(h, np.nan), None if c is None else np.full_like(c, np.nan)
        reserve = np.full(total * net.row_size + rows * net.end_size, np.nan, dtype)
        shared = [address(one) for one in weights]
        lengths = address(sizes)
        net.forward(
            steps, rows, total, address(x), rows * shape.inputs, shape.inputs, lengths, address(h),
            address(c), 0, 0, shared, address(self.output), address(self.h), address(self.c),
            address(reserve), 2, 0,
        )  # fmt: skip
        self.d_x = np.full_like(x, np.nan)
        self.d_h, self.d_c = np.full_like(h, np.nan), None if c is None else np.full_like(c, np.nan)
        self.d_weights = [np.full_like(one, np.nan) for one in weights]
        net.backward(
            steps, rows, total, lengths, False, 0, 0, shared, address(reserve), address(d_out),
            address(drawn.d_state.h), address(drawn.d_state.c), address(self.d_x), address(self.d_h),
            address(self.d_c), [address(one) for one in self.d_weights], 2, 0,
        )  # fmt: skip
        self.gradients = {
            f"{name}_l{layer}": self.d_weights[4 * layer + i]
            for layer in range(shape.layers)
            for i, name in enumerate(NAMES)
        }


@every_dtype
@pytest.mark.parametrize("rows", ["all", "fewer at every step"])
@pytest.mark.parametrize("cell", CELLS)
def test_the_numbers_are_those_of_the_network(cell: str, rows: str, dtype: str) -> None:
    drawn = draw(cell, SHAPE, head="none", dtype=dtype)
    sizes = np.array([37, 37, 20, 9, 9, 1]) if rows != "all" else np.full(SHAPE.steps, SHAPE.batch)
    lengths = (sizes[:, np.newaxis] > np.arange(SHAPE.batch)).sum(axis=0)
    flow = Flow(drawn, None if rows == "all" else sizes)
    output, state = drawn.engine.forward(drawn.x, drawn.state, lengths=lengths)
    same_bits(flow.output, packed(output, sizes))
    same_bits(flow.h, state.h)
    if flow.c is not None and state.c is not None:
        same_bits(flow.c, state.c)
    expected = drawn.engine.backward(drawn.x, drawn.d_out, drawn.state, drawn.d_state, lengths=lengths)
    assert expected.x is not None
    assert_close(flow.d_x, packed(expected.x, sizes), to="gradient", dtype=dtype)
    assert_close(flow.d_h, expected.state.h, to="gradient", dtype=dtype)
    for name, gradient in flow.gradients.items():
        assert_close(gradient, expected.parameters[name], to="regrouped", dtype=dtype, name=name)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"cell": "mingru"}, "cell does not fit"),
        ({"cell": "nope"}, "expected: one of rnn, rnn_relu, lstm, gru"),
        ({"input_size": 0}, "input_size"),
        ({"hidden_size": 0}, "hidden_size"),
        ({"hidden_size": 1 << 20}, r"fewer than 2\^40"),
        ({"num_layers": 0}, "num_layers"),
        ({"num_layers": 1025}, "num_layers"),
        ({"directions": 3}, "directions"),
    ],
    ids=str,
)
def test_recurrences_that_cannot_be(change: dict[str, Any], match: str) -> None:
    sizes = {"cell": "lstm", "input_size": 2, "hidden_size": 3, "num_layers": 1, "directions": 1}
    with pytest.raises(ValueError, match=match):
        recurrence(**{**sizes, **change}, dtype="float32")


SIZES = np.array([3, 2], np.int64)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"steps": 0}, "time steps"),
        ({"rows": 0}, "batch"),
        ({"total": 5}, "rows of all steps"),
        ({"threads": 0}, "threads"),
        ({"weights": 3}, "number of weights"),
        ({"weights": 0}, "number of weights"),
        ({"without": 0}, "weight_ih and weight_hh"),
        ({"without": 1}, "weight_ih and weight_hh"),
        ({"x": 0}, "x and out"),
        ({"out": 0}, "x and out"),
        ({"sizes": SIZES, "total": 5, "resets": 1}, "resets"),
        ({"sizes": SIZES, "total": 6}, "rows of all steps"),
        ({"sizes": np.array([2, 2]), "total": 4}, "batch size of a step"),
        ({"sizes": np.array([3, 4]), "total": 7}, "batch size of a step"),
        ({"sizes": np.array([3, 0]), "total": 3}, "batch size of a step"),
    ],
    ids=str,
)
def test_forward_refuses(change: dict[str, Any], match: str) -> None:
    memory = np.zeros(4096, np.float32)
    here = address(memory)
    call: dict[str, Any] = {
        "steps": 2,
        "rows": 3,
        "total": 6,
        "x": here,
        "out": here,
        "threads": 1,
        "resets": 0,
    }
    call |= {"weights": 4, "without": None, "sizes": None} | change
    weights = [0 if i == call["without"] else here for i in range(call["weights"])]
    net = recurrence("lstm", 2, 3, 1, 1, "float32")
    with pytest.raises(ValueError, match=match):
        net.forward(
            call["steps"], call["rows"], call["total"], call["x"], 6, 2, address(call["sizes"]), 0, 0,
            here * call["resets"], 0, weights, call["out"], 0, 0, 0,
            call["threads"], 0,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"reserve": 0}, "reserve"),
        ({"from_zero": True, "d_h": 1}, "d_h_0"),
        ({"from_zero": True, "d_c": 1}, "d_h_0"),
        ({"gradients": 3}, "number of gradients"),
    ],
    ids=str,
)
def test_backward_refuses(change: dict[str, Any], match: str) -> None:
    memory = np.zeros(4096, np.float32)
    here = address(memory)
    call: dict[str, Any] = {"reserve": here, "from_zero": False, "d_h": 0, "d_c": 0, "gradients": 4} | change
    net = recurrence("lstm", 2, 3, 1, 1, "float32")
    with pytest.raises(ValueError, match=match):
        net.backward(
            2, 3, 6, 0, call["from_zero"], 0, 0, [here] * 4, call["reserve"], here, 0, 0, 0,
            here * call["d_h"], here * call["d_c"], [here] * call["gradients"], 1, 0,
        )  # fmt: skip
