"""Layers, dropout masks, head and skip: gradients, laws, and the message of every misfit."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from tests.cells.helpers import assert_close, assert_gradients, draw_masks, draw_parameters, draw_state
from unrolled.cells import (
    CELLS,
    Cell,
    Weights,
    run,
    run_backward,
    run_network,
    run_network_backward,
    run_stack,
    run_stack_backward,
)
from unrolled.errors import ArgumentError

T, B, I, H, O = 3, 2, 5, 4, 7  # noqa: E741

every_cell = pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)

OPTIONS = {
    "last": {},
    "every-step": {"every_step": True},
    "skip": {"skip": True},
    "two-layers": {"layers": 2},
    "two-layers-dropout": {"layers": 2, "dropout": True},
    "three-layers-dropout-skip": {"layers": 3, "dropout": True, "skip": True},
    "three-layers-dropout-every-step": {"layers": 3, "dropout": True, "every_step": True},
}


class Case:
    """A network with random parameters, input, state and masks."""

    def __init__(
        self,
        cell: Cell[Any],
        *,
        layers: int = 1,
        skip: bool = False,
        dropout: bool = False,
        every_step: bool = False,
    ) -> None:
        rng = np.random.default_rng(5)
        self.cell, self.every_step = cell, every_step
        self.x = rng.standard_normal((T, B, I))
        self.state = draw_state(cell, rng, layers, B, H)
        self.masks = draw_masks(rng, layers - 1, T, B, H) if dropout else None
        self.parameters = draw_parameters(
            cell, rng, input_size=I, hidden_size=H, layers=layers, outputs=O, skip_window=T if skip else 0
        )
        self.dy = rng.standard_normal((T, B, O) if every_step else (B, O))

    def run(self, at: dict[str, Any]) -> Any:
        """Run the network at a place given by name: x, the states and every parameter."""
        parameters = {name: at[name] for name in self.parameters}
        state = tuple(at[f"{name}0"] for name in self.cell.states)
        return run_network(
            self.cell, at["x"], parameters, state=state, masks=self.masks, every_step=self.every_step
        )

    @property
    def at(self) -> dict[str, Any]:
        """All that goes in, by name."""
        state = {f"{name}0": array for name, array in zip(self.cell.states, self.state, strict=True)}
        return {"x": self.x, **state, **self.parameters}


@every_cell
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_gradients_of_the_network(cell: Cell[Any], options: dict[str, Any]) -> None:
    case = Case(cell, **options)
    trace = case.run(case.at)
    assert trace.y.shape == case.dy.shape
    d_parameters, dx, d_state0 = run_network_backward(trace, case.dy)
    states = {f"{name}0": array for name, array in zip(cell.states, d_state0, strict=True)}
    assert_gradients(
        lambda at: float(np.sum(case.dy * case.run(at).y)), case.at, {"x": dx, **states, **d_parameters}
    )


@every_cell
def test_gradients_of_a_stack_whose_outputs_and_states_are_both_used(cell: Cell[Any]) -> None:
    case = Case(cell, layers=2, dropout=True)
    rng = np.random.default_rng(6)
    d_output, d_state = rng.standard_normal((T, B, H)), draw_state(cell, rng, 2, B, H)

    def stacked(at: dict[str, Any]) -> Any:
        layers = [Weights.of_layer(at, k) for k in range(2)]
        state = tuple(at[f"{name}0"] for name in cell.states)
        return run_stack(cell, at["x"], layers, state=state, masks=case.masks)

    def loss(at: dict[str, Any]) -> float:
        trace = stacked(at)
        ends = sum(np.sum(d * s) for d, s in zip(d_state, trace.state, strict=True))
        return float(np.sum(d_output * trace.output_tbh) + ends)

    at = {name: array for name, array in case.at.items() if not name.startswith("head")}
    dx, d_state0, (first, second) = run_stack_backward(stacked(at), d_output, d_state=d_state)
    states = {f"{name}0": array for name, array in zip(cell.states, d_state0, strict=True)}
    assert_gradients(loss, at, {"x": dx, **states, **first.named(0), **second.named(1)})


@every_cell
def test_a_stack_of_one_is_a_sequence(cell: Cell[Any]) -> None:
    case = Case(cell)
    weights = Weights.of_layer(case.parameters, 0)
    one = run(cell, case.x, weights, state=tuple(array[0] for array in case.state))
    stack = run_stack(cell, case.x, [weights], state=case.state)
    np.testing.assert_array_equal(stack.output_tbh, one.output_tbh)
    np.testing.assert_array_equal([array[0] for array in stack.state], one.state)
    d_output = np.ones((T, B, H))
    np.testing.assert_array_equal(
        run_stack_backward(stack, d_output).dx_tbi, run_backward(one, d_output).dx_tbi
    )


@every_cell
def test_masks_of_ones_change_nothing_and_zeros_cut_the_layers_apart(cell: Cell[Any]) -> None:
    case = Case(cell, layers=2)
    layers = [Weights.of_layer(case.parameters, k) for k in range(2)]
    ones, zeros = np.ones((1, T, B, H)), np.zeros((1, T, B, H))
    bare, open_, shut = (run_stack(cell, case.x, layers, masks=masks) for masks in (None, ones, zeros))
    np.testing.assert_array_equal(open_.output_tbh, bare.output_tbh)
    assert not np.allclose(shut.output_tbh, bare.output_tbh)
    assert not run_stack_backward(shut, np.ones((T, B, H))).dx_tbi.any()


@every_cell
def test_the_last_state_is_the_last_of_every_step(cell: Cell[Any]) -> None:
    case = Case(cell, layers=2)
    last, every = (run_network(cell, case.x, case.parameters, every_step=every) for every in (False, True))
    np.testing.assert_array_equal(last.y, every.y[-1])
    np.testing.assert_array_equal(np.stack(last.state), np.stack(every.state))


@every_cell
def test_a_network_reads_on_from_its_own_state(cell: Cell[Any]) -> None:
    case = Case(cell, layers=2)
    whole = run_network(cell, case.x, case.parameters, every_step=True)
    first = run_network(cell, case.x[:1], case.parameters, every_step=True)
    rest = run_network(cell, case.x[1:], case.parameters, every_step=True, state=first.state)
    np.testing.assert_array_equal(np.concatenate([first.y, rest.y]), whole.y)


@every_cell
@pytest.mark.parametrize("skip", [False, True])
def test_the_first_forecast_sees_the_last_observation(cell: Cell[Any], skip: bool) -> None:
    case = Case(cell, skip=skip)
    dy = np.zeros((B, O))
    dy[:, 0] = 1.0
    dx = run_network_backward(case.run(case.at), dy).dx_tbi
    assert dx[-1].all()


def test_the_skip_reads_the_window_in_time_order() -> None:
    """Output t * I + i is exactly feature i of step t."""
    case = Case(CELLS["lstm"], skip=True)
    outputs = T * I
    parameters = case.parameters | {
        "head.weight": np.zeros((outputs, H)),
        "head.bias": np.zeros(outputs),
        "skip.weight": np.eye(outputs),
    }
    y = run_network(case.cell, case.x, parameters).y
    for t in range(T):
        np.testing.assert_array_equal(y[:, t * I : (t + 1) * I], case.x[t])


def test_the_head_is_linear() -> None:
    case = Case(CELLS["gru"])
    trace = run_network(case.cell, case.x, case.parameters)
    h = trace.stack.output_tbh[-1]
    weight, bias = case.parameters["head.weight"], case.parameters["head.bias"]
    for b in range(B):
        for k in range(O):
            assert_close(trace.y[b, k], sum(weight[k] * h[b]) + bias[k], to="order")


def test_the_tutorial_s_network_has_10651_numbers() -> None:
    parameters = draw_parameters(CELLS["lstm"], np.random.default_rng(0), input_size=1, hidden_size=50)
    assert sum(array.size for array in parameters.values()) == 10_651


@every_cell
def test_no_time_answers_from_the_state_that_was_given(cell: Cell[Any]) -> None:
    case = Case(cell)
    trace = run_network(cell, np.empty((0, B, I)), case.parameters, state=case.state)
    wanted = case.state[0][-1] @ case.parameters["head.weight"].T + case.parameters["head.bias"]
    np.testing.assert_array_equal(trace.y, wanted)
    assert run_network_backward(trace, case.dy).dx_tbi.shape == (0, B, I)


def test_nan_reaches_the_answer() -> None:
    case = Case(CELLS["gru"], layers=2, skip=True)
    case.x[0, 1, 0] = np.nan
    trace = case.run(case.at)
    assert np.isnan(trace.y[1]).all()
    assert np.isfinite(trace.y[0]).all()
    assert np.isnan(run_network_backward(trace, case.dy).parameters["weight_ih_l0"]).any()


# ---- what does not fit ----


def lstm_case() -> Case:
    return Case(CELLS["lstm"], layers=2, dropout=True)


@pytest.mark.parametrize(
    ("name", "shape", "says"),
    [
        ("weight_ih_l0", (4 * H, I + 1), r"weight_ih_l0 .*(\n.*)*\(G\*H, I\) = \(16, 5\)(\n.*)*\(16, 6\)"),
        ("weight_ih_l1", (4 * H, I), r"weight_ih_l1 .*(\n.*)*\(G\*H, H\) = \(16, 4\)(\n.*)*\(16, 5\)"),
        ("weight_hh_l0", (3 * H, H), r"weight_hh_l0 .*(\n.*)*\(G\*H, H\) = \(16, 4\)(\n.*)*\(12, 4\)"),
        ("bias_ih_l0", (1,), r"bias_ih_l0 .*(\n.*)*\(G\*H\) = \(16\)(\n.*)*\(1,\)"),
        ("bias_hh_l1", (4 * H, 1), r"bias_hh_l1 .*(\n.*)*\(G\*H\) = \(16\)(\n.*)*\(16, 1\)"),
        ("head.weight", (O, H + 1), r"head\.weight .*(\n.*)*\(O, H\) = \(7, 4\)(\n.*)*\(7, 5\)"),
        ("head.bias", (1,), r"head\.bias .*(\n.*)*\(O\) = \(7\)(\n.*)*\(1,\)"),
        ("skip.weight", (O, T), r"skip\.weight .*(\n.*)*\(O, T\*I\) = \(7, 15\)(\n.*)*\(7, 3\)"),
    ],
)
def test_a_parameter_of_another_shape_is_named(name: str, shape: tuple[int, ...], says: str) -> None:
    case = lstm_case()
    with pytest.raises(ArgumentError, match=says):
        run_network(case.cell, case.x, case.parameters | {name: np.zeros(shape)})


def test_an_input_with_the_batch_missing_is_named() -> None:
    case = lstm_case()
    with pytest.raises(ArgumentError, match=r"x has a shape(.|\n)*expected: \(T, B, I\)\n(.|\n)*\(3, 5\)"):
        run_network(case.cell, case.x[:, 0], case.parameters)


def test_a_state_is_never_stretched_over_the_batch() -> None:
    case = lstm_case()
    state = tuple(array[:, :1] for array in case.state)
    with pytest.raises(ArgumentError, match=r"state h(.|\n)*\(2, 2, 4\)(.|\n)*\(2, 1, 4\)(.|\n)*state c"):
        run_network(case.cell, case.x, case.parameters, state=state)


def test_an_lstm_s_state_has_two_arrays() -> None:
    case = lstm_case()
    with pytest.raises(ArgumentError, match=r"wrong number of arrays\n.*2: h, c\n.*got: 1"):
        run_network(case.cell, case.x, case.parameters, state=case.state[:1])


def test_masks_stand_between_the_layers() -> None:
    case = lstm_case()
    masks = np.ones((2, T, B, H))
    with pytest.raises(
        ArgumentError, match=r"masks(.|\n)*\(M, T, B, H\) = \(1, 3, 2, 4\)(.|\n)*\(2, 3, 2, 4\)"
    ):
        run_network(case.cell, case.x, case.parameters, masks=masks)


def test_all_misfits_are_named_at_once() -> None:
    case = lstm_case()
    wrong = case.parameters | {"bias_ih_l0": np.zeros(1), "head.bias": np.zeros(1)}
    with pytest.raises(ArgumentError, match=r"bias_ih_l0(.|\n)*state c(.|\n)*head\.bias") as caught:
        run_network(case.cell, case.x, wrong, state=(case.state[0], np.zeros((1, 1, 1))))
    assert len(caught.value.faults) == 3


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ({"bias_hh_l1"}, r"missing: bias_hh_l1; unknown: -"),
        ({"head.weight"}, r"missing: head\.weight"),
        ({"weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"}, r"missing: .*_l0.*; unknown: .*_l1"),
        ({"w"}, r"missing: -; unknown: w"),
        ({"weight_ih_l0_reverse"}, r"unknown: weight_ih_l0_reverse"),
    ],
)
def test_a_missing_or_unknown_name_is_named(names: set[str], says: str) -> None:
    parameters = lstm_case().parameters
    changed = {name: parameters.get(name, np.zeros(1)) for name in parameters.keys() ^ names}
    with pytest.raises(ArgumentError, match=says):
        run_network(CELLS["lstm"], np.zeros((T, B, I)), changed)


def test_no_layers_at_all() -> None:
    with pytest.raises(ArgumentError, match="missing: weight_ih_l0"):
        run_network(CELLS["lstm"], np.zeros((T, B, I)), {})


def test_a_skip_and_every_step_do_not_go_together() -> None:
    case = Case(CELLS["rnn"], skip=True)
    with pytest.raises(ArgumentError, match="every step"):
        run_network(case.cell, case.x, case.parameters, every_step=True)


@pytest.mark.parametrize("every_step", [False, True])
def test_a_gradient_of_another_shape_than_the_answer_is_named(every_step: bool) -> None:
    case = Case(CELLS["rnn"], every_step=every_step)
    with pytest.raises(ArgumentError, match=re.escape("dy has a shape")):
        run_network_backward(case.run(case.at), np.ones((*case.dy.shape[:-1], 1)))


def test_gradients_of_other_shapes_than_a_trace_s_are_named() -> None:
    case = lstm_case()
    weights = Weights.of_layer(case.parameters, 0)
    one = run(case.cell, case.x, weights)
    with pytest.raises(ArgumentError, match=r"d_output(.|\n)*d_state h(.|\n)*d_state c"):
        run_backward(one, np.ones((T, B, 1)), d_state=(np.ones((1, H)), np.ones((B, 1))))
    stack = run_stack(case.cell, case.x, [weights])
    with pytest.raises(ArgumentError, match=r"d_state h(.|\n)*\(L, B, H\) = \(1, 2, 4\)"):
        run_stack_backward(stack, d_state=(np.ones((B, H)), np.ones((1, B, H))))


@pytest.mark.parametrize("shape", [(B, I), (T, B, I + 1), (T, B, I, 1)])
def test_a_sequence_s_input_has_three_axes(shape: tuple[int, ...]) -> None:
    weights = Weights.of_layer(lstm_case().parameters, 0)
    with pytest.raises(ArgumentError, match=r"T time, B batch, I input features"):
        run(CELLS["lstm"], np.zeros(shape), weights)
