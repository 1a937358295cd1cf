"""The minimal cells and the sLSTM with round numbers, and where their plain formulas would fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.cells.helpers import assert_close
from unrolled.cells import CELLS, Weights, run, run_backward

if TYPE_CHECKING:
    from tests.cells.helpers import Array

MINGRU, MINLSTM, SLSTM = (CELLS[name] for name in ("mingru", "minlstm", "slstm"))
ZERO_X = np.zeros((1, 1, 1))


def biased(cell: Any, *biases: float) -> Weights:
    """Return one unit's weights, whose gates before any bending are these numbers whatever is read."""
    shapes = cell.weight_shapes(1, 1)
    return Weights.of(
        {name: np.zeros(shape) for name, shape in shapes.items()} | {"bias_ih": np.array(biases)}
    )


def state(*numbers: float) -> tuple[Array, ...]:
    """Return the state of one unit."""
    return tuple(np.array([[number]]) for number in numbers)


def gates_of(x: Array) -> Weights:
    """Return weights of one sLSTM unit whose input and forget gates are what it reads, z and o constant."""
    weight_ih = np.zeros((4, 2))
    weight_ih[0, 0] = weight_ih[1, 1] = 1.0
    bias = np.array([0.0, 0.0, np.arctanh(0.5), 0.0])
    assert x.shape[2] == 2
    return Weights(weight_ih, np.zeros((4, 1)), bias, np.zeros(4))


def unstabilised(x: Array, z: Array) -> Array:
    """Return the hidden states of one unit by equations 8 to 10 as they stand, o = 1/2."""
    c = n = 0.0
    shown = []
    for (i, f), z_t in zip(x[:, 0], z, strict=True):
        forget = 1.0 / (1.0 + np.exp(-f))
        c, n = forget * c + np.exp(i) * z_t, forget * n + np.exp(i)
        shown.append(0.5 * c / n)
    return np.array(shown)


def test_one_step_of_the_minimal_gru() -> None:
    trace = run(MINGRU, ZERO_X, biased(MINGRU, 0.0, 4.0), state=state(2.0))
    assert trace.output_tbh.item() == 3.0, "half of 2 and half of 4"
    d = run_backward(trace, np.ones((1, 1, 1)))
    assert d.d_state0[0].item() == 0.5
    assert d.d_weights.bias_ih.tolist() == [(4.0 - 2.0) / 4.0, 0.5], "the slope of the sigmoid at 0 is 1/4"


def test_one_step_of_the_minimal_lstm() -> None:
    trace = run(MINLSTM, ZERO_X, biased(MINLSTM, np.log(3.0), 0.0, 5.0), state=state(10.0))
    (step,) = trace.steps
    assert_close([step.f.item(), step.i.item()], [0.75, 0.5], to="order")
    assert_close([step.f_share.item(), step.i_share.item()], [0.6, 0.4], to="order")
    assert_close(trace.output_tbh.item(), 0.6 * 10.0 + 0.4 * 5.0, to="order")


@pytest.mark.parametrize(
    ("forget", "write", "kept"),
    [
        (-1000.0, -1000.0, 0.5),
        (-1000.0, -1001.0, 1.0 / (1.0 + np.exp(-1.0))),
        (1000.0, 1000.0, 0.5),
        (1000.0, -1000.0, 1.0),
        (-1000.0, 1000.0, 0.0),
        (-1000.0, 0.0, 0.0),
    ],
)
def test_the_shares_of_the_minimal_lstm_add_up_where_both_gates_are_shut(
    forget: float, write: float, kept: float
) -> None:
    trace = run(MINLSTM, ZERO_X, biased(MINLSTM, forget, write, 3.0), state=state(1.0))
    assert_close(trace.steps[0].f_share.item(), kept, to="order")
    assert_close(trace.output_tbh.item(), kept * 1.0 + (1.0 - kept) * 3.0, to="order")
    assert all(np.isfinite(d).all() for d in run_backward(trace, np.ones((1, 1, 1))).d_weights)


def test_one_step_of_the_slstm() -> None:
    weights = biased(SLSTM, np.log(2.0), 0.0, np.arctanh(0.5), 0.0)
    trace = run(SLSTM, ZERO_X, weights, state=state(0.0, 6.0, 2.0, 0.0))
    h, c, n, m = (array.item() for array in trace.state)
    assert_close(c * np.exp(m), 0.5 * 6.0 + 2.0 * 0.5, to="order")
    assert_close(n * np.exp(m), 0.5 * 2.0 + 2.0, to="order")
    assert_close(h, 0.5 * 4.0 / 3.0, to="order")


@pytest.mark.parametrize("gate", [-800.0, -200.0, 0.0, 80.0, 800.0])
def test_the_first_step_of_the_slstm_shows_what_it_reads_however_small_or_large_the_gate(gate: float) -> None:
    trace = run(SLSTM, ZERO_X, biased(SLSTM, gate, -100.0, np.arctanh(0.5), 0.0))
    assert_close(trace.output_tbh.item(), 0.5 * 0.5, to="order")


@pytest.mark.parametrize("drift", [0.0, 1.0, -30.0])
def test_any_divisor_of_the_slstm_gives_the_same_hidden_state(drift: float) -> None:
    weights = biased(SLSTM, -1.0, 0.5, 0.3, 0.2)
    plain = run(SLSTM, np.zeros((4, 1, 1)), weights, state=state(0.1, 0.4, 1.5, 0.7))
    moved = np.exp(-drift)
    other = run(SLSTM, np.zeros((4, 1, 1)), weights, state=state(0.1, 0.4 * moved, 1.5 * moved, 0.7 + drift))
    assert_close(other.output_tbh, plain.output_tbh, to="order")


def test_huge_and_very_negative_gates_of_the_slstm_are_those_of_its_plain_formula() -> None:
    x = np.array([[1.0, 2.0], [80.0, -100.0], [-3.0, 1.0], [-60.0, 300.0], [79.0, -0.5]])[:, np.newaxis]
    trace = run(SLSTM, x, gates_of(x))
    assert_close(trace.output_tbh.ravel(), unstabilised(x, np.full(5, 0.5)), to="order")
    beyond = run(SLSTM, 20.0 * x, gates_of(x))
    assert all(np.isfinite(array).all() for array in beyond.state)
    assert all(np.isfinite(d).all() for d in run_backward(beyond, np.ones((5, 1, 1))).d_weights)


def test_a_normaliser_never_runs_dry() -> None:
    """Half of the memory is forgotten at each of 300 steps, and next to nothing is written."""
    x = np.tile([[[-50.0, 0.0]]], (300, 1, 1))
    x[0, 0, 0] = 0.0
    weights = gates_of(x)._replace(weight_ih=np.array([[1.0, 0.0], [0.0, 1.0], [0.02, 0.0], [0.0, 0.0]]))
    trace = run(SLSTM, x, weights)
    z = np.tanh(np.arctanh(0.5) + 0.02 * x[:, 0, 0])
    assert_close(trace.output_tbh.ravel(), unstabilised(x, z), to="order")
    assert min(step.n_next.item() for step in trace.steps) >= 3.0 / 8.0
