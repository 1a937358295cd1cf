"""First and second derivatives against finite differences, in float64."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck
from torch.func import functional_call
from torch.nn.utils.rnn import PackedSequence

from tests.torch_modules.helpers import (
    as_pair,
    as_tuple,
    assert_close,
    cell_pair,
    drawn,
    every_cell,
    pair,
    states_of,
)

pytestmark = pytest.mark.torch

LENGTHS = torch.tensor([3, 2, 1])
"""The rows that are still there at each step: lengths 3, 2, 1."""


def function_of(module: Any, *, packed: bool = False, seed: int | None = None, **more: Any) -> Any:
    """Return the module as a function of input, states and parameters, with the same masks in every call."""
    names = [name for name, _ in module.named_parameters()]
    states = 2 if "LSTM" in type(module).__name__ else 1

    def function(x: torch.Tensor, *others: torch.Tensor) -> tuple[torch.Tensor, ...]:
        if seed is not None:
            torch.manual_seed(seed)
        firsts, weights = others[:states], dict(zip(names, others[states:], strict=True))
        given = PackedSequence(x, LENGTHS) if packed else x
        result = functional_call(
            module, weights, (given, firsts if states == 2 else firsts[0]), more or None, tie_weights=False
        )
        output, state = result if isinstance(module, torch.nn.RNNBase) else as_pair(result)
        return (output.data if packed else output, *as_tuple(state))

    return function


def inputs_of(module: Any, x: torch.Tensor, state: Any) -> tuple[torch.Tensor, ...]:
    """Return input, states and parameters as tensors that want gradients."""
    tensors = [x, *as_tuple(state), *module.parameters()]
    return tuple(tensor.detach().clone().requires_grad_() for tensor in tensors)


KINDS: dict[str, dict[str, Any]] = {
    "one layer": {},
    "both ways, two layers": {"num_layers": 2, "bidirectional": True},
    "no bias": {"bias": False},
    "packed": {"num_layers": 2, "bidirectional": True, "packed": True},
    "dropout": {"num_layers": 2, "dropout": 0.5, "seed": 5},
    "packed, dropout": {"num_layers": 2, "dropout": 0.5, "seed": 5, "packed": True},
    "resets": {
        "num_layers": 2,
        "bidirectional": True,
        "resets": torch.tensor([[0, 1], [1, 0], [0, 0]]).bool(),
    },
}


def case(cell: str, kind: str) -> tuple[Any, tuple[torch.Tensor, ...]]:
    """Return a function and where it is checked."""
    options = dict(KINDS[kind])
    packed, seed = options.pop("packed", False), options.pop("seed", None)
    more = {"resets": options.pop("resets")} if "resets" in options else {}
    module, _ = pair(cell, 2, 2, dtype=torch.float64, **options)
    rows = 3 if packed else 2
    x = drawn(6, 2) if packed else drawn(3, rows, 2)
    inputs = inputs_of(module, x, states_of(module, rows))
    return function_of(module, packed=packed, seed=seed, **more), inputs


@every_cell
@pytest.mark.parametrize("kind", KINDS)
def test_gradients(cell: str, kind: str) -> None:
    function, inputs = case(cell, kind)
    assert gradcheck(function, inputs)


@every_cell
@pytest.mark.parametrize("kind", KINDS)
def test_second_derivatives(cell: str, kind: str) -> None:
    function, inputs = case(cell, kind)
    assert gradgradcheck(function, inputs, fast_mode=kind != "one layer")


@every_cell
def test_cells(cell: str) -> None:
    for bias in (True, False):
        module, _ = cell_pair(cell, 2, 3, bias=bias, dtype=torch.float64)
        h = drawn(2, 3, seed=4)
        inputs = inputs_of(module, drawn(2, 2), (h, drawn(2, 3, seed=5)) if cell == "lstm" else h)
        assert gradcheck(function_of(module), inputs)
        assert gradgradcheck(function_of(module), inputs)


@every_cell
@pytest.mark.parametrize("kind", KINDS)
def test_gradients_that_may_be_derived_again_are_the_gradients(cell: str, kind: str) -> None:
    function, inputs = case(cell, kind)
    found = []
    for again in (False, True):
        total = sum(output.square().sum() for output in function(*inputs))
        found.append(torch.autograd.grad(total, inputs, create_graph=again))
    for k, (plain, differentiable) in enumerate(zip(*found, strict=True)):
        assert differentiable.requires_grad
        assert_close(differentiable, plain, to="gradient", name=str(k))


@every_cell
def test_a_penalty_on_the_gradient_is_learned_from_as_with_torch(cell: str) -> None:
    found = []
    for module in pair(cell, 3, 5, 2, bidirectional=True, dtype=torch.float64):
        x = drawn(4, 3, 3).requires_grad_()
        (slope,) = torch.autograd.grad(module(x)[0].square().sum(), x, create_graph=True)
        (slope.square().sum() + module(x)[0].sum()).backward()
        found.append({"x": x.grad} | {name: p.grad for name, p in module.named_parameters()})
    for name, want in found[1].items():
        if want is not None:
            assert_close(found[0][name], want, to="gradient", name=name)


@every_cell
def test_tied_tensors_are_not_counted_twice(cell: str) -> None:
    found = []
    for module in pair(cell, 4, 4, 2, dtype=torch.float64):
        module.weight_ih_l0 = module.weight_hh_l0 = module.weight_ih_l1
        module.bias_ih_l0 = module.bias_hh_l0
        x = drawn(3, 2, 4).requires_grad_()
        state = x[:2] * 0.5 if cell != "lstm" else (x[:2] * 0.5, x[:2])
        tensors = [x, *module.parameters()]
        slopes = torch.autograd.grad(module(x, state)[0].square().sum(), tensors, create_graph=True)
        again = torch.autograd.grad(sum(slope.square().sum() for slope in slopes), tensors)
        found.append([*slopes, *again])
    for k, (ours, theirs) in enumerate(zip(*found, strict=True)):
        assert_close(ours, theirs, to="gradient", name=str(k))
