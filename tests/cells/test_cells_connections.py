"""Residual connections, dilated layers and skips of some features: by hand, by laws, by slopes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.cells.helpers import assert_close, assert_gradients, draw_parameters, draw_state, draw_weights
from unrolled.cells import (
    CELLS,
    Weights,
    run,
    run_network,
    run_network_backward,
    run_stack,
    run_stack_backward,
)
from unrolled.errors import ArgumentError

T, B, I, H, J = 5, 2, 3, 4, 2  # noqa: E741
WAYS: dict[str, dict[str, Any]] = {
    "residual": {"residual": True},
    "dilated": {"dilations": (2, 3)},
    "both": {"residual": True, "dilations": (1, 2)},
}
every_way = pytest.mark.parametrize("way", WAYS)
every_cell = pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)


@every_cell
@every_way
@pytest.mark.parametrize("every_step", [True, False])
def test_gradients(cell: Any, way: str, every_step: bool) -> None:
    rng = np.random.default_rng(3)
    at = draw_parameters(cell, rng, input_size=I, hidden_size=H, layers=2, outputs=2)
    skip: dict[str, Any] = {}
    if not every_step:
        at["skip.weight"] = rng.standard_normal((2, T * J))
        skip = {"skip_inputs": J}
    at["x"] = rng.standard_normal((T, B, I))
    direction = rng.standard_normal((T, B, 2) if every_step else (B, 2))

    def trace(moved: dict[str, Any]) -> Any:
        rest = {name: array for name, array in moved.items() if name != "x"}
        return run_network(cell, moved["x"], rest, every_step=every_step, **skip, **WAYS[way])

    d_parameters, dx, _ = run_network_backward(trace(at), direction)
    assert_gradients(lambda moved: float(np.sum(direction * trace(moved).y)), at, {**d_parameters, "x": dx})


@every_cell
@pytest.mark.parametrize("d", [1, 2, 3, T, 9])
def test_a_dilated_layer_is_its_interleaved_sequences(cell: Any, d: int) -> None:
    rng = np.random.default_rng(d)
    weights = draw_weights(cell, rng, input_size=I, hidden_size=H)
    x = rng.standard_normal((T, B, I))
    stack = run_stack(cell, x, [weights], dilations=(d,))
    assert stack.output_tbh.shape == (T, B, H)
    for place in range(min(d, T)):
        alone = run(cell, x[place::d], weights)
        assert_close(stack.output_tbh[place::d], alone.output_tbh, to="order")
        if place == (T - 1) % d:
            for got, want in zip(stack.state, alone.state, strict=True):
                assert_close(got[0], want, to="order")


@every_cell
def test_a_layer_that_says_nothing_lets_its_input_pass(cell: Any) -> None:
    rng = np.random.default_rng(0)
    first = draw_weights(cell, rng, input_size=I, hidden_size=H)
    silent = Weights.of({name: np.zeros(shape) for name, shape in cell.weight_shapes(H, H).items()})
    x = rng.standard_normal((T, B, I))
    below = run_stack(cell, x, [first]).output_tbh
    stack = run_stack(cell, x, [first, silent], residual=True)
    np.testing.assert_array_equal(stack.output_tbh, below)
    assert not stack.state[0][1].any(), "the state stays h"
    np.testing.assert_array_equal(run_stack(cell, x, [first], residual=True).output_tbh, below)


def test_residual_by_hand() -> None:
    """Two plain layers that copy: the first gives x, the second gives x + x."""
    one, none = np.ones((1, 1)), np.zeros(1)
    copy = Weights(one, 0 * one, none, none)
    x = np.array([1.0, 2.0, 3.0]).reshape(3, 1, 1)
    stack = run_stack(CELLS["rnn_relu"], x, [copy, copy], residual=True)
    assert stack.output_tbh.ravel().tolist() == [2.0, 4.0, 6.0]
    assert run_stack_backward(stack, np.ones((3, 1, 1))).dx_tbi.ravel().tolist() == [2.0, 2.0, 2.0]


def test_dilation_by_hand() -> None:
    """A plain layer that adds up, every second step on its own."""
    one, none = np.ones((1, 1)), np.zeros(1)
    x = np.arange(1.0, 6.0).reshape(5, 1, 1)
    stack = run_stack(CELLS["rnn_relu"], x, [Weights(one, one, none, none)], dilations=(2,))
    assert stack.output_tbh.ravel().tolist() == [1.0, 2.0, 1.0 + 3.0, 2.0 + 4.0, 1.0 + 3.0 + 5.0]
    assert stack.state[0].item() == 9.0


def test_an_empty_batch_and_no_time() -> None:
    weights = draw_weights(CELLS["gru"], np.random.default_rng(0), input_size=I, hidden_size=H)
    for steps, batch in ((0, 2), (4, 0)):
        stack = run_stack(CELLS["gru"], np.zeros((steps, batch, I)), [weights], dilations=(3,))
        assert stack.output_tbh.shape == (steps, batch, H)
        assert stack.state[0].shape == (1, batch, H)


def test_what_does_not_fit() -> None:
    rng = np.random.default_rng(0)
    cell = CELLS["gru"]
    weights = draw_weights(cell, rng, input_size=I, hidden_size=H)
    x, state = np.zeros((T, B, I)), draw_state(cell, rng, 1, B, H)
    for wrong in ((1, 2), (0,)):
        with pytest.raises(ArgumentError, match="dilations does not fit the layers"):
            run_stack(cell, x, [weights], dilations=wrong)
    with pytest.raises(ArgumentError, match=r"begin at zeros(.|\n)*no state with dilations"):
        run_stack(cell, x, [weights], state=state, dilations=(2,))
    stack = run_stack(cell, x, [weights], dilations=(2,))
    with pytest.raises(ArgumentError, match=r"begin at zeros(.|\n)*no d_state with dilations"):
        run_stack_backward(stack, d_state=state)
    parameters = draw_parameters(cell, rng, input_size=I, hidden_size=H, skip_window=T)
    with pytest.raises(ArgumentError, match=r"skip.weight(.|\n)*\(1, 10\)"):
        run_network(cell, x, parameters, skip_inputs=J)
