"""A small training job, put together by hand: a network, a panel, its windows, a trainer."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tests.forecaster.helpers import wave
from unrolled.engine import Array, Learning, Table, Trainer, Windowing
from unrolled.network import Network, NetworkSpec
from unrolled.training import History, Plan, train
from unrolled.windows import Windows, split_windows


class Lesson(NamedTuple):
    """What `train` needs."""

    trainer: Trainer
    windows: Windows
    validation: Windows

    def train(self, watch: Any = None, **plan: Any) -> History:
        """Train by a plan whose ordinary parts are filled in."""
        settled = Plan(**{"steps": 40, "batch_size": 8, "lr": 0.01, "check_every": 5, **plan})
        return train(self.trainer, self.windows, self.validation, settled, watch=watch)

    def weights(self) -> Array:
        """Return all weights of the network as they are now."""
        return self.trainer.engine.read()

    def validation_loss(self) -> float:
        """Return the mean loss on the validation windows with the weights as they are now."""
        numbers = np.arange(len(self.validation), dtype=np.int64)
        return float(self.trainer.evaluate(*self.validation.at(numbers)).mean())


def lesson(
    *,
    held_out: int = 6,
    y: Any = None,
    cell: str = "lstm",
    scaling: str = "standard",
    optimizer: str = "adam",
    loss: str = "mse",
) -> Lesson:
    """Return a lesson of one series and its validation windows."""
    window, horizon = 8, 2
    values = np.asarray(wave() if y is None else y, np.float32).reshape(-1, 1)
    network = Network(NetworkSpec(cell=cell, input_size=1, hidden_size=4, output_size=horizon))
    trainer = Trainer(
        network.engine,
        Table(values, np.array([0, len(values)])),
        windowing=Windowing(window=window, horizon=horizon, scaling=scaling),
        learning=Learning(loss=loss, optimizer=optimizer),
    )
    windows = split_windows(np.array([len(values)]), window=window, horizon=horizon, held_out=held_out)
    return Lesson(trainer, *windows)
