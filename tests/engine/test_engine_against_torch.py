"""The engine beside PyTorch: the same numbers from the same weights, the same weights from the same seed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import nn

from tests.engine.helpers import (
    Drawn,
    Shape,
    arrays_of,
    assert_close,
    assert_gradients,
    assert_states,
    draw,
    every_dtype,
    same_bits,
    state_of,
)
from unrolled.engine import Engine, Gradients, Learning, State, Table, Trainer, Windowing
from unrolled.network import NetworkSpec, initial_weights

if TYPE_CHECKING:
    from collections.abc import Iterator

    from unrolled.engine import Array

pytestmark = pytest.mark.torch

every_cell = pytest.mark.parametrize("cell", ["rnn", "rnn_relu", "lstm", "gru"])
"""The cells that PyTorch has too."""

SHAPES = [
    Shape(1, 1, 1, 1),
    Shape(7, 3, 5, 1, 2),
    Shape(15, 8, 2, 3),
    Shape(16, 1, 5, 16, 2),
    Shape(17, 33, 1, 17),
    Shape(31, 3, 5, 3, 3),
    Shape(33, 8, 5, 17, 2),
    Shape(100, 8, 5, 1),
    Shape(257, 3, 2, 3, 2),
]


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """Keep torch from using all processors, and give them back."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def module_of(cell: str, *sizes: int, **options: Any) -> nn.RNNBase:
    """Return torch's module for a cell."""
    if cell.startswith("rnn"):
        return nn.RNN(*sizes, nonlinearity="relu" if cell == "rnn_relu" else "tanh", **options)
    kind: Any = {"lstm": nn.LSTM, "gru": nn.GRU}[cell]
    module: nn.RNNBase = kind(*sizes, **options)
    return module


def gradient_of(tensor: torch.Tensor) -> Array:
    """Return the gradient that a backward pass left."""
    assert tensor.grad is not None
    return tensor.grad.numpy()


def run_torch(drawn: Drawn) -> tuple[Array, State, Gradients]:
    """Return output, last state and gradients of torch's module with the drawn weights."""
    shape = drawn.shape
    dtype = torch.float64 if drawn.dtype == "float64" else torch.float32
    module = module_of(drawn.cell, shape.inputs, shape.hidden, shape.layers, dtype=dtype)
    module.load_state_dict({name: torch.from_numpy(array) for name, array in drawn.parameters.items()})
    x = torch.from_numpy(drawn.x).requires_grad_()
    first = [torch.from_numpy(array).requires_grad_() for array in arrays_of(drawn.state)]
    output, last = module(x, tuple(first) if len(first) > 1 else first[0])
    lasts = last if isinstance(last, tuple) else (last,)
    total = (torch.from_numpy(drawn.d_out) * output).sum()
    for d, state in zip(arrays_of(drawn.d_state), lasts, strict=True):
        total = total + (torch.from_numpy(d) * state).sum()
    total.backward()
    parameters = {name: gradient_of(parameter) for name, parameter in module.named_parameters()}
    last = state_of(tensor.detach().numpy() for tensor in lasts)
    d_first = state_of(gradient_of(tensor) for tensor in first)
    return output.detach().numpy(), last, Gradients(parameters, gradient_of(x), d_first)


@every_cell
@every_dtype
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_outputs_states_and_all_gradients(cell: str, shape: Shape, dtype: str) -> None:
    drawn = draw(cell, shape, dtype=dtype)
    output, last, gradients = run_torch(drawn)
    got, got_last = drawn.engine.forward(drawn.x, drawn.state)
    assert_close(got, output, to="peer output", dtype=dtype)
    assert_states(got_last, last, to="peer output", dtype=dtype, name="state")
    found = drawn.engine.backward(drawn.x, drawn.d_out, drawn.state, drawn.d_state)
    assert_gradients(found, gradients, dtype=dtype)


@every_cell
@every_dtype
def test_one_percent_of_a_weight_is_noticed(cell: str, dtype: str) -> None:
    drawn = draw(cell, SHAPES[1], dtype=dtype)
    output = run_torch(drawn)[0]
    for name, array in drawn.parameters.items():
        other = drawn.with_parameters({**drawn.parameters, name: 1.01 * array})
        with pytest.raises(AssertionError, match="Not equal to tolerance"):
            assert_close(other.forward(drawn.x, drawn.state)[0], output, to="peer output", dtype=dtype)


@every_cell
@pytest.mark.parametrize("seed", [0, 1, 42, 2**31, 2**32 - 1])
@pytest.mark.parametrize(
    ("inputs", "hidden", "outputs", "layers"), [(1, 50, 1, 1), (3, 7, 12, 2), (17, 33, 5, 3), (1, 1, 1, 1)]
)
def test_a_seed_means_the_weights_of_torch(
    cell: str, seed: int, inputs: int, hidden: int, outputs: int, layers: int
) -> None:
    spec = NetworkSpec(
        cell=cell, input_size=inputs, hidden_size=hidden, output_size=outputs, num_layers=layers, skip_steps=5
    )
    torch.manual_seed(seed)
    recurrent = module_of(cell, inputs, hidden, layers)
    head, skip = nn.Linear(hidden, outputs), nn.Linear(5 * inputs, outputs, bias=False)
    expected = {name: parameter.detach().numpy() for name, parameter in recurrent.named_parameters()}
    expected |= {f"head.{name}": parameter.detach().numpy() for name, parameter in head.named_parameters()}
    expected["skip.weight"] = skip.weight.detach().numpy()
    weights = initial_weights(spec, seed)
    assert list(weights) == list(expected)
    for name, array in weights.items():
        same_bits(array, expected[name], name)


def test_another_seed_means_other_weights() -> None:
    spec = NetworkSpec(cell="gru", input_size=2, hidden_size=3, output_size=1)
    one, other = (
        np.concatenate([w.ravel() for w in initial_weights(spec, seed).values()]) for seed in (1, 2)
    )
    assert (one != other).all()


class Tutorial(nn.Module):
    """The network of the tutorial, as the tutorial writes it."""

    def __init__(self, input_size: int = 1, hidden_size: int = 50, out_size: int = 1) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.lstm = nn.LSTM(input_size, hidden_size)
        self.linear = nn.Linear(hidden_size, out_size)
        self.hidden = (torch.zeros(1, 1, hidden_size), torch.zeros(1, 1, hidden_size))

    def forward(self, seq: torch.Tensor) -> torch.Tensor:
        """Return the forecast of the point behind a window."""
        lstm_out, self.hidden = self.lstm(seq.view(len(seq), 1, -1), self.hidden)
        pred: torch.Tensor = self.linear(lstm_out.view(len(seq), -1))
        return pred[-1]

    def named(self) -> dict[str, Array]:
        """Return a copy of the weights under the engine's names."""
        weights = {name: p.detach().numpy().copy() for name, p in self.lstm.named_parameters()}
        return weights | {f"head.{n}": p.detach().numpy().copy() for n, p in self.linear.named_parameters()}


def test_an_epoch_of_the_tutorial() -> None:
    """720 windows of 40 points of a sine, a step of 0.01 each, in order, from the same seed."""
    x = torch.linspace(0, 799, 800)
    y = torch.sin(x * 2 * 3.1416 / 40)
    train_set, window_size = y[:-40], 40
    train_data = [
        (train_set[i : i + window_size], train_set[i + window_size : i + window_size + 1])
        for i in range(len(train_set) - window_size)
    ]
    torch.manual_seed(42)
    model = Tutorial()
    criterion = nn.MSELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    expected = []
    for seq, y_train in train_data:
        optimizer.zero_grad()
        model.hidden = (torch.zeros(1, 1, model.hidden_size), torch.zeros(1, 1, model.hidden_size))
        loss = criterion(model(seq), y_train)
        loss.backward()
        optimizer.step()
        expected.append(loss.item())

    spec = NetworkSpec(cell="lstm", input_size=1, hidden_size=50, output_size=1)
    engine = Engine("lstm", input_size=1, hidden_size=50, output_size=1)
    engine.set(initial_weights(spec, 42))
    trainer = Trainer(
        engine,
        Table(train_set.numpy()[:, np.newaxis], np.array([0, 760])),
        windowing=Windowing(window=40, horizon=1),
        learning=Learning(),
    )
    starts = np.arange(720)
    losses = trainer.run(np.zeros_like(starts), starts, 1, np.full(720, 0.01))

    assert f"{expected[-1]:.6f}" == "0.092129"  # what the tutorial prints
    np.testing.assert_allclose(losses[-1], expected[-1], rtol=1e-4)
    np.testing.assert_allclose(losses, expected, rtol=1e-4, atol=1e-6)
    for name, array in model.named().items():
        assert_close(engine.get()[name], array, to="tutorial", dtype="float32", name=name)
