"""Training steps as people write them: with a mistake, and without."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from tests.doctor.planted import Carrying, Last, windows

if TYPE_CHECKING:
    from collections.abc import Callable

    Arguments = dict[str, Any]


def given(model: nn.Module | None = None, **more: Any) -> Arguments:
    """Return a correct step, but for what is given."""
    model = Last(nn.LSTM(1, 8, batch_first=True)) if model is None else model
    rate = more.pop("lr", 1e-3)
    usual = {
        "model": model,
        "batch": (windows(), windows(32, 1)),
        "loss_fn": nn.MSELoss(),
        "optimizer": torch.optim.Adam(model.parameters(), lr=rate),
    }
    return {**usual, **more}


def careful(model: Any, batch: Any, loss_fn: Any, optimizer: Any) -> Tensor:
    optimizer.zero_grad()
    loss = loss_fn(model(batch[0]), batch[1])
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss


def forgetful(model: Any, batch: Any, loss_fn: Any, optimizer: Any) -> Tensor:
    loss = loss_fn(model(batch[0]), batch[1])
    loss.backward()
    optimizer.step()
    return loss


def emptied_after(model: Any, batch: Any, loss_fn: Any, optimizer: Any) -> Tensor:
    loss = loss_fn(model(batch[0]), batch[1])
    loss.backward()
    optimizer.step()
    optimizer.zero_grad(set_to_none=False)
    return loss


def accumulated(model: Any, batch: Any, loss_fn: Any, optimizer: Any) -> Tensor:
    optimizer.zero_grad()
    for half in (slice(0, 16), slice(16, 32)):
        loss = loss_fn(model(batch[0][half]), batch[1][half]) / 2
        loss.backward()
    optimizer.step()
    return loss


class Retained:
    """A step that keeps a state with its graph, and the graph with it."""

    def __init__(self) -> None:
        self.total: Any = 0.0

    def __call__(self, model: Any, batch: Any, loss_fn: Any, optimizer: Any) -> Tensor:
        optimizer.zero_grad()
        loss = loss_fn(model(batch[0]) + 0 * self.total, batch[1])
        self.total = self.total + loss
        loss.backward(retain_graph=True)
        return loss


def partly() -> Arguments:
    model = Last(nn.LSTM(1, 8, batch_first=True))
    return given(model, optimizer=torch.optim.SGD(model.fc.parameters(), lr=0.01))


def with_an_unused_layer() -> Arguments:
    model = Last(nn.LSTM(1, 8, batch_first=True))
    model.spare = nn.Linear(8, 1)
    return given(model)


def half_of_two_directions() -> Arguments:
    class Model(Last):
        def forward(self, x: Tensor) -> Tensor:
            return self.fc(self.lstm(x)[0][:, -1, :8])

    return given(Model(nn.LSTM(1, 8, bidirectional=True, batch_first=True), width=8))


def plain(weight: float, steps: int) -> Arguments:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn, self.fc = nn.RNN(1, 4, nonlinearity="relu", batch_first=True), nn.Linear(4, 1)
            with torch.no_grad():
                self.rnn.weight_hh_l0.copy_(weight * torch.eye(4))
                self.rnn.weight_ih_l0.fill_(0.5)

        def forward(self, x: Tensor) -> Tensor:
            return self.fc(self.rnn(x)[0][:, -1])

    return given(Model(), batch=(windows(32, steps, 1).abs(), windows(32, 1)), lr=1e-6)


PLANTED: dict[str, tuple[str, Callable[[], Arguments]]] = {
    "column_against_row": ("loss-broadcast", lambda: given(batch=(windows(), windows(32)))),
    "row_against_column_by_hand": (
        "loss-broadcast",
        lambda: given(
            nn.Sequential(nn.Flatten(), nn.Linear(40, 1), nn.Flatten(0)),
            loss_fn=lambda p, t: ((p - t) ** 2).mean(),
        ),
    ),
    "no_zero_grad": ("no-zero-grad", lambda: given(step=forgetful)),
    "no_zero_grad_with_sgd": (
        "no-zero-grad",
        lambda: given(nn.Sequential(nn.Flatten(), nn.Linear(40, 1)), step=forgetful),
    ),
    "state_kept_with_its_graph": ("graph-kept", lambda: given(Carrying(detached=False))),
    "state_kept_with_its_graph_in_an_own_step": (
        "graph-kept",
        lambda: given(Carrying(detached=False), step=careful),
    ),
    "graph_retained": ("graph-grows", lambda: given(step=Retained())),
    "nan_in_the_batch": (
        "loss-not-finite",
        lambda: given(batch=(windows(), torch.full((32, 1), float("nan")))),
    ),
    "a_spare_layer": ("parameter-unused", with_an_unused_layer),
    "half_of_two_directions": ("parameter-unused", half_of_two_directions),
    "head_alone_is_optimized": ("parameter-not-optimized", partly),
    "vanishing": ("gradient-vanishes", lambda: plain(0.1, 60)),
    "exploding": ("gradient-explodes", lambda: plain(1.5, 40)),
    "raw_passengers": (
        "gates-saturated",
        lambda: given(batch=(3e4 * windows(), windows(32, 1))),
    ),
    "learning_rate_of_ten": ("learning-rate-high", lambda: given(lr=10.0)),
    "learning_rate_of_nothing": ("learning-rate-low", lambda: given(lr=1e-12)),
    "one_giant_sequence": (
        "one-long-sequence",
        lambda: given(batch=(windows(1, 1500, 1), windows(1, 1))),
    ),
}
"""Steps with a mistake each, and the id of its finding."""

ALSO = {
    "graph_retained": {"learning-rate-low"},
    "raw_passengers": {"gradient-vanishes"},
    "one_giant_sequence": {"gradient-vanishes"},
}
"""What follows from a mistake: a step that is never taken, full gates, 1500 steps."""


def two_inputs() -> Arguments:
    class Model(Last):
        def forward(self, x: Tensor, more: Tensor) -> Any:
            return super().forward(x + more)

    model = Model(nn.LSTM(1, 8, batch_first=True))
    return given(model, batch=(windows(), windows().roll(1), windows(32, 1)))


HEALTHY: dict[str, Callable[[], Arguments]] = {
    "usual": given,
    "careful": lambda: given(step=careful),
    "emptied_after": lambda: given(step=emptied_after),
    "accumulated": lambda: given(step=accumulated),
    "gru_with_sgd": lambda: given(Last(nn.GRU(1, 8, num_layers=2, dropout=0.1, batch_first=True)), lr=1e-2),
    "plain": lambda: given(Last(nn.RNN(1, 8, batch_first=True))),
    "state_detached": lambda: given(Carrying(detached=True)),
    "two_inputs": two_inputs,
    "huber": lambda: given(loss_fn=nn.HuberLoss()),
    "of_the_same_shape": lambda: given(
        nn.Sequential(nn.Flatten(), nn.Linear(40, 12)), batch=(windows(), windows(32, 12))
    ),
    "classes": lambda: given(
        Last(nn.LSTM(1, 8, batch_first=True), 3),
        batch=(windows(), torch.arange(32) % 3),
        loss_fn=nn.CrossEntropyLoss(),
    ),
}
"""Correct steps of different make."""
