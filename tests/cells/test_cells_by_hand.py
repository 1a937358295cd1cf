"""Networks that can be solved on paper."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.cells.helpers import assert_close, draw_state, draw_weights
from unrolled.cells import CELLS, Weights, run, run_backward
from unrolled.cells.activations import relu, relu_slope, sigmoid, sigmoid_slope, tanh, tanh_slope

if TYPE_CHECKING:
    from tests.cells.helpers import Array

RNN, RELU, LSTM, GRU = (CELLS[name] for name in ("rnn", "rnn_relu", "lstm", "gru"))
OPEN, SHUT = 1000.0, -1000.0  # biases that saturate a gate exactly: sigmoid(1000) = 1, sigmoid(-1000) = 0

T, B, I, H = 5, 2, 3, 3  # noqa: E741


def zeros(cell: Any, *, input_size: int = I, hidden_size: int = H) -> Weights:
    """Return weights of a layer that does nothing."""
    return Weights.of({name: np.zeros(s) for name, s in cell.weight_shapes(input_size, hidden_size).items()})


def with_gates(weights: Weights, cell: Any, **biases: float) -> Weights:
    """Return weights whose gates do what their bias says, whatever the input and the state are."""
    weight_ih, weight_hh, bias_ih, _ = (array.copy() for array in weights)
    hidden = weight_hh.shape[1]
    for gate, bias in biases.items():
        block = slice(cell.gates.index(gate) * hidden, (cell.gates.index(gate) + 1) * hidden)
        weight_ih[block], weight_hh[block], bias_ih[block] = 0.0, 0.0, bias
    return Weights(weight_ih, weight_hh, bias_ih, np.zeros_like(bias_ih))


def reading(cell: Any, gate: str) -> Weights:
    """Return weights by which one gate reads feature j with unit j, and nothing else happens."""
    weights = zeros(cell)
    k = cell.gates.index(gate)
    weights.weight_ih[k * H : (k + 1) * H] = np.eye(H)
    return weights


@pytest.fixture
def x() -> Array:
    return np.random.default_rng(3).standard_normal((T, B, I))


def test_an_identity(x: Array) -> None:
    trace = run(RELU, np.abs(x), reading(RELU, "n"))
    np.testing.assert_array_equal(trace.output_tbh, np.abs(x))
    gradients = run_backward(trace, 2.0 * np.ones_like(x))
    assert np.all(gradients.dx_tbi == 2.0)
    assert not gradients.d_state0[0].any()


def test_relu_lets_nothing_below_zero_through_and_sends_nothing_back() -> None:
    x = np.array([-1.0, 0.0, 1.0]).reshape(3, 1, 1)
    one, none = np.ones((1, 1)), np.zeros(1)
    trace = run(RELU, x, Weights(one, np.zeros((1, 1)), none, none))
    assert trace.output_tbh.ravel().tolist() == [0.0, 0.0, 1.0]
    assert run_backward(trace, np.ones((3, 1, 1))).dx_tbi.ravel().tolist() == [0.0, 0.0, 1.0]


def test_a_sum_over_time(x: Array) -> None:
    weights = reading(RELU, "n")._replace(weight_hh=np.eye(H))
    trace = run(RELU, np.abs(x), weights)
    assert_close(trace.output_tbh, np.cumsum(np.abs(x), axis=0), to="order")
    last = np.zeros_like(x)
    last[-1] = 1.0
    assert np.all(run_backward(trace, last).dx_tbi == 1.0), "every input counts once in the last sum"


def test_a_memory_of_one_step() -> None:
    """Unit 0 copies the input, unit 1 copies what unit 0 held one step before."""
    x = np.arange(1.0, 6.0).reshape(5, 1, 1)
    weights = Weights(np.array([[1.0], [0.0]]), np.array([[0.0, 0.0], [1.0, 0.0]]), np.zeros(2), np.zeros(2))
    trace = run(RELU, x, weights)
    assert trace.output_tbh[:, 0, 0].tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert trace.output_tbh[:, 0, 1].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]
    last = np.zeros((5, 1, 2))
    last[-1, 0, 1] = 1.0
    assert run_backward(trace, last).dx_tbi.ravel().tolist() == [0.0, 0.0, 0.0, 1.0, 0.0]


def test_a_geometric_memory() -> None:
    """h' = h / 2 + x with x = 1 once: 1, 1/2, 1/4, ...; the last state owes the first input 2^-(T-1)."""
    x = np.array([1.0, 0.0, 0.0, 0.0]).reshape(4, 1, 1)
    trace = run(RELU, x, Weights(np.ones((1, 1)), np.full((1, 1), 0.5), np.zeros(1), np.zeros(1)))
    assert trace.output_tbh.ravel().tolist() == [1.0, 0.5, 0.25, 0.125]
    d_output = np.zeros((4, 1, 1))
    d_output[-1] = 1.0
    assert run_backward(trace, d_output).dx_tbi.ravel().tolist() == [0.125, 0.25, 0.5, 1.0]


def test_one_step_of_the_plain_cell() -> None:
    weights = Weights(np.array([[2.0, -1.0]]), np.array([[0.5]]), np.array([0.25]), np.array([-0.5]))
    trace = run(RNN, [[[1.0, 3.0]]], weights, state=(np.array([[2.0]]),))
    assert trace.steps[0].from_x.item() == 2.0 - 3.0 + 0.25
    assert trace.steps[0].from_h.item() == 1.0 - 0.5
    assert trace.output_tbh.item() == np.tanh(-0.25)


def test_one_step_of_the_lstm() -> None:
    """Rows in torch's order i, f, g, o, each with a pre-activation of its own."""
    weights = Weights(np.array([[1.0], [2.0], [3.0], [4.0]]), np.zeros((4, 1)), np.zeros(4), np.zeros(4))
    step = run(LSTM, [[[0.5]]], weights, state=(np.zeros((1, 1)), np.array([[2.0]]))).steps[0]
    i, f, g, o = 1 / (1 + np.exp(-0.5)), 1 / (1 + np.exp(-1.0)), np.tanh(1.5), 1 / (1 + np.exp(-2.0))
    assert_close([step.i.item(), step.f.item(), step.g.item(), step.o.item()], [i, f, g, o], to="order")
    assert_close(step.c_next.item(), 2.0 * f + i * g, to="order")
    assert_close(step.h_next.item(), o * np.tanh(2.0 * f + i * g), to="order")


def test_one_step_of_the_gru() -> None:
    """Rows in torch's order r, z, n; the reset gate acts on W_hn h + b_hn, the bias included."""
    weights = Weights(
        np.array([[1.0], [2.0], [3.0]]),
        np.array([[0.0], [0.0], [4.0]]),
        np.zeros(3),
        np.array([0.0, 0.0, 5.0]),
    )
    step = run(GRU, [[[0.5]]], weights, state=(np.array([[2.0]]),)).steps[0]
    r, z = 1 / (1 + np.exp(-0.5)), 1 / (1 + np.exp(-1.0))
    n = np.tanh(1.5 + r * (4.0 * 2.0 + 5.0))
    assert_close([step.r.item(), step.z.item(), step.n.item()], [r, z, n], to="order")
    assert_close(step.h_next.item(), (1.0 - z) * n + z * 2.0, to="order")


def test_an_lstm_without_weights_forgets_half_at_every_step(x: Array) -> None:
    """Zero weights leave every gate half open, so a fresh LSTM forgets within a few steps."""
    c0 = np.full((B, H), 8.0)
    trace = run(LSTM, x, zeros(LSTM), state=(np.zeros((B, H)), c0))
    for t, step in enumerate(trace.steps):
        np.testing.assert_array_equal(step.c_next, c0 * 0.5 ** (t + 1))
        np.testing.assert_array_equal(step.h_next, 0.5 * np.tanh(step.c_next))


def test_an_lstm_with_a_shut_input_keeps_its_memory_for_ever(x: Array) -> None:
    rng = np.random.default_rng(0)
    weights = draw_weights(LSTM, rng, input_size=I, hidden_size=H)
    weights = with_gates(weights, LSTM, i=SHUT, f=OPEN, o=OPEN)
    h0, c0 = draw_state(LSTM, rng, B, H)
    trace = run(LSTM, x, weights, state=(h0, c0))
    np.testing.assert_array_equal(trace.state[1], c0)
    np.testing.assert_array_equal(trace.output_tbh, np.broadcast_to(np.tanh(c0), trace.output_tbh.shape))

    back = run_backward(trace, d_state=(np.ones((B, H)), np.zeros((B, H))))
    assert not back.dx_tbi.any()
    assert not back.d_state0[0].any()
    np.testing.assert_array_equal(back.d_state0[1], 1.0 - np.tanh(c0) ** 2)
    assert not any(gradient.any() for gradient in back.d_weights), "saturated gates learn nothing"


def test_an_lstm_with_all_gates_open_adds_up(x: Array) -> None:
    weights = with_gates(reading(LSTM, "g"), LSTM, i=OPEN, f=OPEN, o=OPEN)
    trace = run(LSTM, x, weights)
    assert_close([step.c_next for step in trace.steps], np.cumsum(np.tanh(x), axis=0), to="order")


def test_an_lstm_that_shows_nothing_still_remembers(x: Array) -> None:
    weights = with_gates(reading(LSTM, "g"), LSTM, i=OPEN, f=OPEN, o=SHUT)
    trace = run(LSTM, x, weights)
    assert not trace.output_tbh.any()
    assert_close(trace.state[1], np.tanh(x).sum(axis=0), to="order")


def test_a_gru_with_a_full_update_gate_keeps_its_state_for_ever(x: Array) -> None:
    rng = np.random.default_rng(0)
    weights = with_gates(draw_weights(GRU, rng, input_size=I, hidden_size=H), GRU, z=OPEN)
    (h0,) = draw_state(GRU, rng, B, H)
    trace = run(GRU, x, weights, state=(h0,))
    assert_close(trace.output_tbh, np.broadcast_to(h0, trace.output_tbh.shape), to="order")
    back = run_backward(trace, d_state=(np.ones((B, H)),))
    assert not back.dx_tbi.any()
    assert np.all(back.d_state0[0] == 1.0)


def test_a_gru_with_reset_open_and_update_shut_is_the_plain_cell(x: Array) -> None:
    rng = np.random.default_rng(0)
    plain = draw_weights(RNN, rng, input_size=I, hidden_size=H)
    nothing = zeros(GRU)
    weights = Weights(*(np.concatenate([a[: 2 * H], b]) for a, b in zip(nothing, plain, strict=True)))
    weights.bias_ih[: 2 * H] = [OPEN] * H + [SHUT] * H
    trace, wanted = run(GRU, x, weights), run(RNN, x, plain)
    assert_close(trace.output_tbh, wanted.output_tbh, to="order")
    ours, theirs = (run_backward(one, x).d_weights for one in (trace, wanted))
    for name in Weights._fields:
        assert_close(getattr(ours, name)[2 * H :], getattr(theirs, name), to="order", name=name)


def test_a_gru_that_resets_everything_reads_only_the_input(x: Array) -> None:
    rng = np.random.default_rng(0)
    weights = draw_weights(GRU, rng, input_size=I, hidden_size=H)
    weights = with_gates(weights, GRU, r=SHUT, z=SHUT)
    trace = run(GRU, x, weights, state=draw_state(GRU, rng, B, H))
    wanted = np.tanh(x @ weights.weight_ih[2 * H :].T + weights.bias_ih[2 * H :])
    assert_close(trace.output_tbh, wanted, to="order")


@pytest.mark.parametrize("cell", [RNN, LSTM, GRU], ids=["rnn", "lstm", "gru"])
@pytest.mark.parametrize("bias", [np.inf, -np.inf])
def test_gates_pushed_to_infinity_saturate(cell: Any, bias: float, x: Array) -> None:
    weights = draw_weights(cell, np.random.default_rng(0), input_size=I, hidden_size=H)
    trace = run(cell, x, weights._replace(bias_ih=np.full_like(weights.bias_ih, bias)))
    assert np.isfinite(trace.output_tbh).all()
    assert np.isfinite(trace.state).all()


@pytest.mark.parametrize(("cell", "between"), [(RNN, ""), (RELU, ""), (LSTM, ""), (GRU, "n")])
def test_two_biases_are_one_except_where_a_gate_stands_between(cell: Any, between: str, x: Array) -> None:
    """Both biases of a gate are added, so their gradients are equal; the GRU's reset gate acts on one."""
    weights = draw_weights(cell, np.random.default_rng(0), input_size=I, hidden_size=H)
    d_weights = run_backward(run(cell, x, weights), np.ones((T, B, H))).d_weights
    for k, gate in enumerate(cell.gates):
        block = slice(k * H, (k + 1) * H)
        equal = np.array_equal(d_weights.bias_ih[block], d_weights.bias_hh[block])
        assert equal == (gate != between), gate


def test_the_tutorial_s_lstm_has_10600_numbers() -> None:
    shapes = LSTM.weight_shapes(input_size=1, hidden_size=50)
    assert sum(int(np.prod(shape)) for shape in shapes.values()) == 10_600


def test_sigmoid_is_exact_and_silent_everywhere() -> None:
    a = np.array([-np.inf, -1e308, -800.0, -40.0, 0.0, 40.0, 800.0, np.inf])
    assert sigmoid(a)[[0, 1, 4, 6, 7]].tolist() == [0.0, 0.0, 0.5, 1.0, 1.0]
    small = np.exp([-700.0, -40.0, -1.0])
    np.testing.assert_allclose(sigmoid(np.array([-700.0, -40.0, -1.0])), small / (1.0 + small), rtol=1e-15)
    assert np.isnan(sigmoid(np.array([np.nan]))).all()
    fine = np.linspace(-30.0, 30.0, 1001)
    np.testing.assert_allclose(sigmoid(fine) + sigmoid(-fine), 1.0, rtol=1e-15)
    assert np.all(np.diff(sigmoid(fine)) > 0)


@pytest.mark.parametrize(
    ("function", "slope"), [(sigmoid, sigmoid_slope), (tanh, tanh_slope), (relu, relu_slope)]
)
def test_slopes(function: Any, slope: Any) -> None:
    a = np.array([-3.0, -0.7, 0.2, 1.9])
    numeric = (function(a + 1e-6) - function(a - 1e-6)) / 2e-6
    np.testing.assert_allclose(slope(function(a)), numeric, rtol=1e-8, atol=1e-10)
    assert np.isnan(function(np.array([np.nan]))).all()
    assert np.isnan(slope(np.array([np.nan]))).all()
