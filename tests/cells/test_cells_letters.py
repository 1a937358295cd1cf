"""The tutorial's letters: A..E are vectors of five equal numbers, windows of two, a batch of two.

What a batch does: AB -> C and BC -> D go through the one network together, the losses are averaged, and one
gradient comes back, which is the mean of the two gradients that the windows ask for alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.cells.helpers import assert_close, draw_parameters
from unrolled.cells import CELLS, LOSSES, Cell, run_network, run_network_backward

LETTERS = {letter: np.full(5, number) for number, letter in enumerate("ABCDE", start=1)}
WINDOWS = {"AB": "C", "BC": "D"}
OPTIONS: dict[str, dict[str, Any]] = {"pinball": {"quantiles": [0.5]}}


def spelled(words: list[str]) -> Any:
    """Return windows as an array, time first: [T=2, B, I=5]."""
    return np.stack([[LETTERS[letter] for letter in word] for word in words], axis=1)


def gradient(cell: Cell[Any], parameters: Any, words: list[str], loss: str) -> tuple[float, dict[str, Any]]:
    """Return the mean loss of some windows and its gradient, every parameter by name."""
    y_true = np.stack([LETTERS[WINDOWS[word]] for word in words])
    trace = run_network(cell, spelled(words), parameters)
    y_pred = trace.y[..., np.newaxis] if loss == "pinball" else trace.y
    value, dy = LOSSES[loss](y_true, y_pred, **OPTIONS.get(loss, {}))
    return value, run_network_backward(trace, dy.reshape(trace.y.shape)).parameters


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_a_batch_asks_for_the_mean_of_what_its_windows_ask_for(cell: Cell[Any], loss: str) -> None:
    rng = np.random.default_rng(0)
    parameters = draw_parameters(cell, rng, input_size=5, hidden_size=7, outputs=5)
    both, together = gradient(cell, parameters, ["AB", "BC"], loss)
    first, alone_first = gradient(cell, parameters, ["AB"], loss)
    second, alone_second = gradient(cell, parameters, ["BC"], loss)
    assert_close(both, (first + second) / 2, to="order")
    assert not np.allclose(alone_first["head.weight"], alone_second["head.weight"]), "windows ask differently"
    assert together.keys() == parameters.keys()
    for name in parameters:
        assert_close(together[name], (alone_first[name] + alone_second[name]) / 2, to="order", name=name)


def test_the_batch_stands_beside_time_and_features_in_its_own_axis() -> None:
    x_tbi = spelled(["AB", "BC"])
    assert x_tbi.shape == (2, 2, 5)
    assert x_tbi[:, 0, 0].tolist() == [1, 2], "window AB, step by step"
    assert x_tbi[:, 1, 0].tolist() == [2, 3], "window BC, step by step"
    assert x_tbi[0, :, 0].tolist() == [1, 2], "the first step of both windows"


def test_one_network_reads_every_step() -> None:
    """B is the last step of AB and the first of BC: the weights are the same, only the state differs."""
    cell = CELLS["lstm"]
    parameters = draw_parameters(cell, np.random.default_rng(0), input_size=5, hidden_size=7, outputs=5)
    layer = run_network(cell, spelled(["AB", "BC"]), parameters).stack.layers[0]
    np.testing.assert_allclose(layer.steps[1].from_x[0], layer.steps[0].from_x[1], rtol=1e-15)
    assert not np.allclose(layer.steps[1].h[0], layer.steps[0].h[1])
