"""Our cells of one step beside torch's."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.torch_modules.helpers import (
    assert_close,
    assert_same,
    cell_pair,
    drawn,
    every_cell,
    every_dtype,
    run,
)

pytestmark = pytest.mark.torch

SIZES = [(1, 1, 1), (7, 3, 1), (15, 8, 3), (16, 1, 16), (17, 33, 17), (33, 8, 3), (100, 3, 16), (257, 2, 3)]
"""Hidden, batch, inputs."""


def state_of(cell: str, *size: int, dtype: torch.dtype = torch.float64) -> Any:
    """Return a random state for a cell."""
    h = drawn(*size, dtype=dtype, seed=5)
    return (h, drawn(*size, dtype=dtype, seed=6)) if cell == "lstm" else h


@every_cell
@every_dtype
@pytest.mark.parametrize(("hidden", "batch", "inputs"), SIZES)
def test_odd_sizes(cell: str, hidden: int, batch: int, inputs: int, dtype: torch.dtype) -> None:
    for bias in (True, False):
        both = cell_pair(cell, inputs, hidden, bias=bias, dtype=dtype)
        x = drawn(batch, inputs, dtype=dtype)
        assert_same(both, x, state_of(cell, batch, hidden, dtype=dtype), at=("state", bias))
        assert_same(both, x, at=("no state", bias))


@every_cell
def test_without_a_batch(cell: str) -> None:
    for bias in (True, False):
        both = cell_pair(cell, 3, 7, bias=bias, dtype=torch.float64)
        assert_same(both, drawn(3), state_of(cell, 7), at=("state", bias))
        assert_same(both, drawn(3), at=("no state", bias))


@every_cell
def test_inputs_and_states_that_are_not_contiguous(cell: str) -> None:
    both = cell_pair(cell, 3, 7, dtype=torch.float64)
    state = state_of(cell, 7, 4)
    turned = tuple(s.t() for s in state) if isinstance(state, tuple) else state.t()
    for name, x in {
        "turned": drawn(3, 4).t(),
        "every second number": drawn(4, 6)[:, ::2],
        "every second row": drawn(8, 3)[::2],
        "one row for all": drawn(1, 3).expand(4, 3),
    }.items():
        assert_same(both, x, turned, at=name)


@every_cell
def test_a_sequence_step_by_step(cell: str) -> None:
    both = cell_pair(cell, 3, 7, dtype=torch.float64)
    found = []
    for module in both:
        x = drawn(6, 4, 3).requires_grad_()
        state: Any = None
        outputs = []
        for step in x:
            state = module(step, state)
            outputs.append(state[0] if isinstance(state, tuple) else state)
        total = (torch.stack(outputs) * drawn(6, 4, 7)).sum()
        found.append([total, *torch.autograd.grad(total, [x, *module.parameters()])])
    for k, (ours, theirs) in enumerate(zip(*found, strict=True)):
        assert_close(ours, theirs, to="gradient", name=str(k))


def test_the_state_of_an_lstm_may_be_used_in_parts() -> None:
    both = cell_pair("lstm", 3, 7, dtype=torch.float64)
    for part in range(2):
        found = []
        for module in both:
            x = drawn(4, 3).requires_grad_()
            h, c = (one.requires_grad_() for one in state_of("lstm", 4, 7))
            chosen = module(x, (h, c))[part].square().sum()
            found.append(torch.autograd.grad(chosen, [x, h, c, *module.parameters()]))
        for ours, theirs in zip(*found, strict=True):
            assert_close(ours, theirs, to="gradient", name=f"part {part}")


@every_cell
def test_one_percent_of_a_weight_is_noticed(cell: str) -> None:
    module, reference = cell_pair(cell, 3, 7, dtype=torch.float64)
    x, state = drawn(4, 3), state_of(cell, 4, 7)
    expected = run(reference, x, state)["output"]
    for parameter in module.parameters():
        before = parameter.detach().clone()
        parameter.data *= 1.01
        with pytest.raises(AssertionError, match="differs"):
            assert_close(run(module, x, state)["output"], expected)
        parameter.data = before
