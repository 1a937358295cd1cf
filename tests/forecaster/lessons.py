"""A small training job, put together by hand: a network, a panel, its windows, a trainer."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tests.forecaster.helpers import wave
from unrolled.engine import Array, Learning, Table, Trainer, Windowing
from unrolled.network import Network, NetworkSpec, initial_weights
from unrolled.training import History, Plan, train
from unrolled.windows import Windows, split_windows


class Lesson(NamedTuple):
    """What `train` needs."""

    trainer: Trainer
    windows: Windows
    validation: Windows

    def train(self, watch: Any = None, *, going_on: Any = None, **plan: Any) -> History:
        """Train by a plan whose ordinary parts are filled in; `going_on`: what `train` is told beside it."""
        going_on = going_on or {}
        return train(self.trainer, self.windows, self.validation, planned(**plan), watch=watch, **going_on)

    def weights(self) -> Array:
        """Return all weights of the network as they are now."""
        return self.trainer.engine.read()

    def validation_loss(self) -> float:
        """Return the mean loss on the validation windows with the weights as they are now."""
        numbers = np.arange(len(self.validation), dtype=np.int64)
        return float(self.trainer.evaluate(*self.validation.at(numbers)).mean())


def planned(**changes: Any) -> Plan:
    """Return a plan whose ordinary parts are filled in."""
    return Plan(**{"steps": 40, "batch_size": 8, "lr": 0.01, "check_every": 5, **changes})


def lesson(
    *,
    held_out: int = 6,
    y: Any = None,
    cell: str = "lstm",
    scaling: str = "standard",
    optimizer: str = "adam",
    loss: str = "mse",
    dropout: float = 0.0,
    seed: int = 0,
    threads: int = 1,
) -> Lesson:
    """Return a lesson of one series (or of a list of them) and its validation windows."""
    window, horizon = 8, 2
    parts = y if isinstance(y, list) else [wave() if y is None else y]
    lengths = np.array([len(part) for part in parts])
    values = np.concatenate(parts).astype(np.float32).reshape(-1, 1)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    mask = bool(np.isnan(values).any())
    spec = NetworkSpec(
        cell=cell,
        input_size=1 + mask,
        hidden_size=4,
        num_layers=1 + (dropout > 0),
        output_size=horizon,
        dropout=dropout,
    )
    network = Network(spec, initial_weights(spec, seed))
    trainer = Trainer(
        network.engine,
        Table(values, offsets),
        windowing=Windowing(window=window, horizon=horizon, scaling=scaling, mask=mask),
        learning=Learning(loss=loss, optimizer=optimizer, momentum=0.9 if optimizer == "sgd" else 0.0),
        threads=threads,
        seed=seed,
    )
    windows = split_windows(lengths, window=window, horizon=horizon, held_out=held_out)
    return Lesson(trainer, *windows)
