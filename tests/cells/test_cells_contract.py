"""What every cell of the table must do. A new cell joins by its line in `CELLS` and changes nothing here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.cells.helpers import TOLERANCES, assert_close, assert_gradients, draw_state, draw_weights
from unrolled.cells import CELLS, Cell, Weights, run, run_backward

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cells.helpers import Array

# Pairwise different primes: no two axes can be swapped unnoticed.
B, I, H = 2, 3, 5  # noqa: E741

every_cell = pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)


def every_weight_and(*names: str) -> pytest.MarkDecorator:
    """Return every cell with every name of `names` and of the weights that it has."""
    pairs = [(cell, name) for cell in CELLS.values() for name in (*names, *cell.weight_shapes(I, H))]
    return pytest.mark.parametrize(
        ("cell", "name"), pairs, ids=[f"{cell.name}-{name}" for cell, name in pairs]
    )


every_weight = every_weight_and()


def drawn(cell: Cell[Any], seed: int = 0, *, steps: int = 4, batch: int = B) -> dict[str, Array]:
    """Return random inputs, state and weights of one layer by name."""
    rng = np.random.default_rng(seed)
    state = draw_state(cell, rng, batch, H)
    return {
        "x": rng.standard_normal((steps, batch, I)),
        **dict(zip(cell.states, state, strict=True)),
        **by_name(cell, draw_weights(cell, rng, input_size=I, hidden_size=H)),
    }


def by_name(cell: Cell[Any], weights: Weights) -> dict[str, Array]:
    """Return the arrays that the cell has of its weights."""
    return {name: getattr(weights, name) for name in cell.weight_shapes(I, H)}


def parts(cell: Cell[Any], at: dict[str, Array]) -> tuple[Array, tuple[Array, ...], Weights]:
    """Take `drawn` apart: input, state, weights."""
    return at["x"], tuple(at[name] for name in cell.states), Weights.of(at)


@every_cell
def test_the_table_knows_the_cell_by_its_name(cell: Cell[Any]) -> None:
    assert CELLS[cell.name] is cell


@every_cell
def test_a_step_names_every_gate_and_state(cell: Cell[Any]) -> None:
    x, state, weights = parts(cell, drawn(cell))
    step = cell.step(x[0], state, weights)
    named = vars(step)
    assert cell.states[0] == "h"
    assert {*cell.gates, *cell.states, *(f"{name}_next" for name in cell.states)} <= named.keys()
    assert named["from_x"].shape == named["from_h"].shape == (B, len(cell.gates) * H)
    assert all(array.dtype == np.float64 for array in named.values())
    for name, before, after in zip(cell.states, state, cell.state_after(step), strict=True):
        assert named[name] is before
        assert named[f"{name}_next"] is after
        assert after.shape == (B, H)


@every_cell
def test_weights_have_one_block_of_rows_a_gate(cell: Cell[Any]) -> None:
    rows = len(cell.gates) * H
    of_x = {"weight_ih": (rows, I), "bias_ih": (rows,)}
    of_h = {"weight_hh": (rows, H), "bias_hh": (rows,)}
    assert cell.weight_shapes(I, H) == (of_x | of_h if cell.recurrent else of_x)
    weights = parts(cell, drawn(cell))[2]
    assert Weights.of_layer(weights.named(3), 3) == weights
    assert list(weights.named(3)) == [f"{name}_l3" for name in cell.weight_shapes(I, H)]


def step_loss(cell: Cell[Any], directions: tuple[Array, ...]) -> Callable[[dict[str, Array]], float]:
    """Return L = sum(direction * state after one step), as a function of everything that goes in."""

    def loss(at: dict[str, Array]) -> float:
        x, state, weights = parts(cell, at)
        after = cell.state_after(cell.step(x, state, weights))
        return float(sum(np.sum(d * s) for d, s in zip(directions, after, strict=True)))

    return loss


@every_cell
@pytest.mark.parametrize("seed", range(3))
def test_gradients_of_a_step(cell: Cell[Any], seed: int) -> None:
    at = drawn(cell, seed)
    at["x"] = at["x"][0]
    directions = draw_state(cell, np.random.default_rng(99), B, H)
    x, state, weights = parts(cell, at)
    dx, d_state, d_weights = cell.step_backward(cell.step(x, state, weights), directions, weights)
    gradients = {"x": dx, **dict(zip(cell.states, d_state, strict=True)), **by_name(cell, d_weights)}
    assert_gradients(step_loss(cell, directions), at, gradients)


@every_cell
@pytest.mark.parametrize("use", ["output", "state", "both"])
@pytest.mark.parametrize(("steps", "batch"), [(1, 1), (4, 3)])
def test_gradients_through_time(cell: Cell[Any], use: str, steps: int, batch: int) -> None:
    rng = np.random.default_rng(7)
    at = drawn(cell, steps, steps=steps, batch=batch)
    d_output = rng.standard_normal((steps, batch, H)) if use != "state" else None
    d_state = draw_state(cell, rng, batch, H) if use != "output" else None

    def loss(moved: dict[str, Array]) -> float:
        x, state, weights = parts(cell, moved)
        trace = run(cell, x, weights, state=state)
        total = 0.0 if d_output is None else np.sum(d_output * trace.output_tbh)
        if d_state is not None:
            total += sum(np.sum(d * s) for d, s in zip(d_state, trace.state, strict=True))
        return float(total)

    x, state, weights = parts(cell, at)
    trace = run(cell, x, weights, state=state)
    dx, d_state0, d_weights = run_backward(trace, d_output, d_state=d_state)
    gradients = {"x": dx, **dict(zip(cell.states, d_state0, strict=True)), **by_name(cell, d_weights)}
    assert_gradients(loss, at, gradients)


@every_cell
def test_a_sequence_is_its_steps_with_the_same_weights(cell: Cell[Any]) -> None:
    x, state, weights = parts(cell, drawn(cell))
    trace = run(cell, x, weights, state=state)
    for t, step in enumerate(trace.steps):
        alone = cell.step(x[t], state, weights)
        state = cell.state_after(alone)
        assert vars(step).keys() == vars(alone).keys()
        for name, array in vars(alone).items():
            np.testing.assert_array_equal(vars(step)[name], array)
        np.testing.assert_array_equal(trace.output_tbh[t], state[0])
    for kept, last in zip(trace.state, state, strict=True):
        np.testing.assert_array_equal(kept, last)


@every_cell
def test_no_state_means_zeros(cell: Cell[Any]) -> None:
    x, _, weights = parts(cell, drawn(cell))
    zeros = cell.zero_state(B, H)
    assert [array.shape for array in zeros] == [(B, H)] * len(cell.states)
    bare, given = run(cell, x, weights), run(cell, x, weights, state=zeros)
    np.testing.assert_array_equal(bare.output_tbh, given.output_tbh)


@every_cell
def test_no_time_changes_nothing(cell: Cell[Any]) -> None:
    _, state, weights = parts(cell, drawn(cell))
    trace = run(cell, np.empty((0, B, I)), weights, state=state)
    dx, d_state0, d_weights = run_backward(trace, d_state=state)
    assert trace.output_tbh.shape == (0, B, H)
    assert dx.shape == (0, B, I)
    for before, after, gradient in zip(state, trace.state, d_state0, strict=True):
        np.testing.assert_array_equal(after, before)
        np.testing.assert_array_equal(gradient, before)
    assert not any(gradient.any() for gradient in d_weights)


@every_cell
def test_an_empty_batch_asks_nothing_of_the_weights(cell: Cell[Any]) -> None:
    weights = parts(cell, drawn(cell))[2]
    trace = run(cell, np.empty((4, 0, I)), weights)
    assert trace.output_tbh.shape == (4, 0, H)
    assert not any(gradient.any() for gradient in run_backward(trace).d_weights)


@every_cell
def test_inputs_are_left_alone_and_the_trace_is_a_record(cell: Cell[Any]) -> None:
    at = drawn(cell)
    before = {name: array.copy() for name, array in at.items()}
    x, state, weights = parts(cell, at)
    d_output, d_state = np.ones((4, B, H)), tuple(np.ones((B, H)) for _ in cell.states)
    trace = run(cell, x, weights, state=state)
    gradients = run_backward(trace, d_output, d_state=d_state)
    for name, array in at.items():
        np.testing.assert_array_equal(array, before[name])
    assert np.all(d_output == 1.0)
    assert all(np.all(array == 1.0) for array in d_state)

    for array in at.values():
        array[...] = np.nan  # the caller goes on
    np.testing.assert_array_equal(run_backward(trace, d_output, d_state=d_state).dx_tbi, gradients.dx_tbi)


@every_cell
def test_single_precision_and_lists_are_computed_in_double(cell: Cell[Any]) -> None:
    x, _, weights = parts(cell, drawn(cell))
    rounded = x.astype(np.float32)
    trace = run(cell, rounded, weights)
    assert trace.output_tbh.dtype == np.float64
    np.testing.assert_array_equal(trace.output_tbh, run(cell, rounded.tolist(), weights).output_tbh)


@every_cell
def test_nan_stays_in_its_row_and_spreads_forward(cell: Cell[Any]) -> None:
    x, _, weights = parts(cell, drawn(cell, batch=3))
    clean = run(cell, x, weights)
    x[1, 2, 0] = np.nan
    trace = run(cell, x, weights)
    np.testing.assert_array_equal(trace.output_tbh[:, :2], clean.output_tbh[:, :2])
    np.testing.assert_array_equal(trace.output_tbh[0], clean.output_tbh[0])
    assert np.isnan(trace.output_tbh[1:, 2]).all()
    gradients = run_backward(trace, np.ones_like(trace.output_tbh))
    assert np.isnan(gradients.d_weights.weight_ih).all()
    assert np.isnan(gradients.dx_tbi[:, 2]).all()
    assert np.isfinite(gradients.dx_tbi[:, :2]).all()


@every_cell
@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e308, -1e308])
def test_the_largest_numbers_neither_warn_nor_raise(cell: Cell[Any], value: float) -> None:
    x, _, weights = parts(cell, drawn(cell))
    x[...] = value
    trace = run(cell, x, weights)
    run_backward(trace, np.full_like(trace.output_tbh, value))


@every_weight
def test_one_percent_is_noticed(cell: Cell[Any], name: str) -> None:
    x, _, weights = parts(cell, drawn(cell))
    honest = run(cell, x, weights).output_tbh
    bent = run(cell, x, weights._replace(**{name: 1.01 * getattr(weights, name)})).output_tbh
    for row in TOLERANCES:
        with pytest.raises(AssertionError, match="Not equal to tolerance"):
            assert_close(bent, honest, to=row)


@every_weight_and("x", "h")
def test_one_percent_of_a_gradient_is_noticed(cell: Cell[Any], name: str) -> None:
    at = drawn(cell)
    at["x"] = at["x"][0]
    directions = draw_state(cell, np.random.default_rng(99), B, H)
    x, state, weights = parts(cell, at)
    dx, d_state, d_weights = cell.step_backward(cell.step(x, state, weights), directions, weights)
    gradients = {"x": dx, **dict(zip(cell.states, d_state, strict=True)), **by_name(cell, d_weights)}
    gradients[name] = 1.01 * gradients[name]
    with pytest.raises(AssertionError, match=name):
        assert_gradients(step_loss(cell, directions), at, gradients)
