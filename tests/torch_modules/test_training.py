"""The same seed: the same first weights, the same dropout, the same weights after steps of training."""

from __future__ import annotations

import inspect
from itertools import product
from typing import Any

import pytest
import torch
from torch import nn

from tests.torch_modules.helpers import (
    CELL_CLASSES,
    CELLS,
    CLASSES,
    assert_close,
    assert_runs_close,
    drawn,
    every_cell,
    every_dtype,
    options_of,
    padded_and_packed,
    pair,
    run,
    same_bits,
    six_classes,
    states_of,
)

pytestmark = pytest.mark.torch


def weights_of(module: nn.Module) -> dict[str, torch.Tensor]:
    """Return the parameters as numbers."""
    return {name: parameter.detach() for name, parameter in module.named_parameters()}


@six_classes
def test_the_constructor_is_torchs(our: Any, their: Any) -> None:
    assert inspect.signature(our.__init__) == inspect.signature(their.__init__)
    assert our.__name__ == their.__name__
    assert issubclass(our, their)
    assert repr(our(2, 3)) == repr(their(2, 3))
    assert repr(our(2, 3, bias=False)) == repr(their(2, 3, bias=False))


@every_cell
@pytest.mark.parametrize("seed", [0, 42, 2**32 - 1])
def test_first_weights_have_the_bits_of_torchs(cell: str, seed: int) -> None:
    for layers, two, bias, dtype in product([1, 2], [False, True], [False, True], [None, torch.float64]):
        options = {"num_layers": layers, "bidirectional": two, "bias": bias, "dtype": dtype}
        drawn_weights = []
        for kind in CLASSES[cell]:
            torch.manual_seed(seed)
            drawn_weights.append(weights_of(kind(3, 7, **options, **options_of(cell))))
            drawn_weights[-1]["what is drawn next"] = torch.rand(3)
        same_bits(*drawn_weights)
    drawn_weights = []
    for kind in CELL_CLASSES[cell]:
        torch.manual_seed(seed)
        drawn_weights.append(weights_of(kind(3, 7, **options_of(cell))))
    same_bits(*drawn_weights)


def test_first_weights_of_a_projection_and_of_positional_arguments() -> None:
    for ours, theirs, arguments in [
        (*CLASSES["lstm"], (3, 8, 2, True, True, 0.1, True, 4)),
        (*CLASSES["gru"], (3, 8, 2, True, True, 0.1, True)),
        (*CLASSES["rnn"], (3, 8, 2, "relu", False, True, 0.1, True)),
    ]:
        torch.manual_seed(7)
        expected = theirs(*arguments)
        torch.manual_seed(7)
        found = ours(*arguments)
        same_bits(weights_of(found), weights_of(expected))
        assert repr(found) == repr(expected)


class Model(nn.Module):
    """A recurrent module and a line."""

    def __init__(self, recurrent: Any) -> None:
        super().__init__()
        self.recurrent = recurrent
        self.line = nn.Linear(recurrent.hidden_size, 1, dtype=recurrent.weight_hh_l0.dtype)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return one number for each row."""
        last: torch.Tensor = self.line(self.recurrent(x)[0][-1])
        return last


OPTIMIZERS = {
    "SGD": lambda p: torch.optim.SGD(p, lr=0.1),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=0.01),
    "Adam": lambda p: torch.optim.Adam(p, lr=0.01),
    "AdamW, all at once": lambda p: torch.optim.AdamW(p, lr=0.01, foreach=True),
    "RMSprop": lambda p: torch.optim.RMSprop(p, lr=0.001),
}


@every_cell
@every_dtype
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_weights_after_steps_of_training(cell: str, optimizer: str, dtype: torch.dtype) -> None:
    found = []
    for kind in CLASSES[cell]:
        torch.manual_seed(3)
        model = Model(kind(3, 9, 2, dropout=0.3, dtype=dtype, **options_of(cell)))
        steps = OPTIMIZERS[optimizer](model.parameters())
        for turn in range(5):
            x = drawn(6, 8, 3, dtype=dtype, seed=turn)
            loss = (model(x)[:, 0] - x.sum(dim=(0, 2)).tanh()).square().mean()
            steps.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            steps.step()
        found.append(weights_of(model) | {"loss": loss.detach()})
    for name, want in found[1].items():
        assert_close(found[0][name], want, to="trained", name=name)


@pytest.mark.parametrize("dropout", [0.2, 0.5, 1.0])
@every_cell
def test_dropout_is_drawn_as_torch_draws_it(cell: str, dropout: float) -> None:
    for layers, two, batch_first, dtype in [
        (2, False, False, torch.float64),
        (2, True, True, torch.float32),
        (3, True, False, torch.float32),
        (3, False, True, torch.float64),
        (3, True, True, torch.float64),
    ]:
        options = {"bidirectional": two, "batch_first": batch_first, "dropout": dropout, "dtype": dtype}
        both = pair(cell, 3, 5, layers, **options)
        state = states_of(both[0], 4)
        packed = padded_and_packed([3, 6, 1, 6], 3, dtype=dtype)[1]
        padded = drawn(*((4, 6) if batch_first else (6, 4)), 3, dtype=dtype)
        alone = drawn(6, 3, dtype=dtype)
        for name, x, first in [("padded", padded, state), ("packed", packed, None), ("alone", alone, None)]:
            found = []
            for module in both:
                torch.manual_seed(11)
                found.append(run(module, x, first) | {"what is drawn next": torch.rand(3, dtype=dtype)})
            assert_runs_close(*found, at=(name, layers, two, batch_first, dtype))


@every_cell
def test_dropout_is_drawn_anew_in_every_call_and_never_in_evaluation(cell: str) -> None:
    module, reference = pair(cell, 3, 5, 2, dropout=0.5, dtype=torch.float64)
    x = drawn(6, 4, 3)
    assert not torch.equal(module(x)[0], module(x)[0])
    module.eval()
    reference.eval()
    before = torch.get_rng_state()
    assert_runs_close(run(module, x), run(reference, x))
    assert torch.equal(torch.get_rng_state(), before)
    module.train()
    module.dropout = 0.0
    assert_runs_close(run(module, x), run(reference, x))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.filterwarnings("ignore:dropout option adds dropout after all but last:UserWarning")
def test_dropout_of_a_single_layer_draws_nothing() -> None:
    for cell in CELLS:
        both = pair(cell, 3, 5, 1, dropout=0.5, dtype=torch.float64)
        before = torch.get_rng_state()
        assert_runs_close(*(run(module, drawn(6, 4, 3)) for module in both))
        assert torch.equal(torch.get_rng_state(), before)


def test_a_generator_in_another_state_gives_other_masks() -> None:
    module, _ = pair("gru", 3, 5, 2, dropout=0.5, dtype=torch.float64)
    found = []
    for seed in (1, 2, 1):
        torch.manual_seed(seed)
        found.append(run(module, drawn(6, 4, 3)))
    same_bits(found[0], found[2])
    assert not torch.equal(found[0]["output"], found[1]["output"])
