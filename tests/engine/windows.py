"""Training by the oracle: the same windows, scaled, read, scored and learned from in NumPy float64."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.engine.helpers import Head, Shape, dropout_masks, fill
from unrolled.cells import CELLS, LOSSES, OPTIMIZERS, clip_by_global_norm, run_network, run_network_backward
from unrolled.engine import Engine, Learning, Trainer, Windowing

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unrolled.cells import Optimizer
    from unrolled.engine import Array

    Indices = NDArray[np.int64]


def fit_scaling(window: Array, scaling: str, dtype: str) -> tuple[Array, Array]:
    """Return location and scale, [C] each, of a window [W, C], from its own points alone."""
    channels = window.shape[1]
    location, scale = np.zeros(channels), np.ones(channels)
    if scaling == "none":
        return location, scale
    size = np.abs(window).mean(axis=0)
    if scaling == "mean_abs":
        return location, np.where(size > 0, size, 1.0)
    deviation = window.std(axis=0)
    flat = deviation <= (1e-6 if dtype == "float32" else 1e-13) * size
    location = window[-1] if scaling == "last" else window.mean(axis=0)
    return location, np.where(flat, 1.0, deviation)


@dataclass(frozen=True)
class Task:
    """A network and a panel to learn.

    Shapes:
        values: [N, C]; offsets: [S + 1]; series, starts: [n].
    """

    cell: str
    head: Head
    windowing: Windowing
    learning: Learning
    values: Array
    offsets: Indices
    series: Indices
    starts: Indices
    batch: int
    rates: NDArray[np.float64]
    hidden: int = 6
    layers: int = 2
    dropout: float = 0.0
    dtype: str = "float64"
    seed: int = 4

    @property
    def channels(self) -> int:
        """C."""
        return int(self.values.shape[1])

    @property
    def quantiles(self) -> int:
        """Q, 1 where the loss is not that of quantiles."""
        return max(1, len(self.learning.quantiles))

    @property
    def steps(self) -> int:
        """T."""
        return self.windowing.window // self.windowing.patch

    def engine(self) -> Engine:
        """Return the network, the same random parameters at every call."""
        w = self.windowing
        engine = Engine(
            self.cell,
            input_size=w.patch * self.channels,
            hidden_size=self.hidden,
            num_layers=self.layers,
            output_size=w.horizon * self.channels * self.quantiles,
            head="every" if self.head == "every" else "last",
            skip_steps=self.steps if self.head == "skip" else 0,
            dropout=self.dropout,
            dtype=self.dtype,
        )
        fill(engine, np.random.default_rng(self.seed))
        return engine

    def trainer(self, engine: Engine, *, threads: int = 1) -> Trainer:
        """Return what trains `engine` on the panel."""
        return Trainer(
            engine,
            self.values,
            self.offsets,
            windowing=self.windowing,
            learning=self.learning,
            threads=threads,
            seed=self.seed,
        )


def make_task(
    cell: str = "gru",
    head: Head = "last",
    *,
    windowing: Windowing | None = None,
    learning: Learning | None = None,
    channels: int = 2,
    count: int = 14,
    batch: int = 3,
    dtype: str = "float64",
    **others: Any,
) -> Task:
    """Return a task on three series of different lengths, one of them with a constant stretch."""
    windowing = windowing or Windowing(window=8, horizon=3, patch=2, scaling="standard")
    rng = np.random.default_rng(8)
    lengths = np.array([windowing.window + windowing.horizon, 40, 25])
    values = (3.0 + rng.standard_normal((lengths.sum(), channels)).cumsum(axis=0) / 4).astype(dtype)
    values[20:40] = 2.5
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    series = rng.integers(3, size=count)
    starts = rng.integers(lengths[series] - windowing.window - windowing.horizon + 1)
    series[:2], starts[:2] = [0, 1], [0, 11]  # a window that is its whole series, and a constant one
    return Task(
        cell=cell,
        head=head,
        windowing=windowing,
        learning=learning or Learning(),
        values=values,
        offsets=offsets,
        series=series.astype(np.int64),
        starts=starts.astype(np.int64),
        batch=batch,
        rates=0.02 / np.arange(1.0, 1.0 + -(-count // batch)),
        dtype=dtype,
        **others,
    )


class OracleTraining:
    """The same steps as `Trainer`, by `unrolled.cells` alone."""

    def __init__(self, task: Task) -> None:
        """Start from the parameters of the task's engine."""
        self.task = task
        self.parameters: dict[str, Array] = {
            name: array.astype(np.float64) for name, array in task.engine().get().items()
        }
        self.gradients: dict[str, Array] = {}
        self.norm = 0.0
        self._optimizer = _optimizer(task.learning)
        self._taken = 0

    def read(self, which: slice) -> tuple[Array, Array, Array, Array]:
        """Return inputs, targets, location and scale: [T, B, I], [(T,) B, K, C], [B, C], [B, C]."""
        task, w = self.task, self.task.windowing
        inputs, targets, locations, scales = [], [], [], []
        for series, start in zip(task.series[which], task.starts[which], strict=True):
            begin = task.offsets[series] + start
            points = task.values[begin : begin + w.window + w.horizon].astype(np.float64)
            location, scale = fit_scaling(points[: w.window], w.scaling, task.dtype)
            points = (points - location) / scale
            inputs.append(points[: w.window].reshape(task.steps, w.patch * task.channels))
            ends = w.patch * np.arange(1, task.steps + 1) if task.head == "every" else [w.window]
            targets.append([points[end : end + w.horizon] for end in ends])
            locations.append(location)
            scales.append(scale)
        y_true = np.array(targets).swapaxes(0, 1)
        y_true = y_true if task.head == "every" else y_true[0]
        return np.array(inputs).swapaxes(0, 1), y_true, np.array(locations), np.array(scales)

    def loss(self, y_true: Array, y: Array) -> tuple[float, Array]:
        """Return the mean loss of the network's answers y [..., O], and its gradient by them."""
        learning = self.task.learning
        y_pred = y.reshape(*y_true.shape, self.task.quantiles)
        if learning.loss == "quantile":
            value, gradient = LOSSES["pinball"](y_true, y_pred, quantiles=learning.quantiles)
        else:
            options = {"delta": learning.delta} if learning.loss == "huber" else {}
            value, gradient = LOSSES[learning.loss](y_true, y_pred[..., 0], **options)
        return value, gradient.reshape(y.shape)

    def step(self) -> float:
        """Take the next step; return the loss before it."""
        task = self.task
        which = slice(self._taken * task.batch, (self._taken + 1) * task.batch)
        x, y_true, _, _ = self.read(which)
        masks = None
        if task.dropout:
            shape = Shape(task.hidden, x.shape[1], task.steps, 1, task.layers)
            masks = dropout_masks(task.dropout, shape, seed=task.seed, turn=self._taken, dtype=task.dtype)
        every = task.head == "every"
        trace = run_network(CELLS[task.cell], x, self.parameters, masks=masks, every_step=every)
        value, d_y = self.loss(y_true, trace.y)
        self.gradients = run_network_backward(trace, d_y).parameters
        clip = task.learning.clip or np.inf
        clipped, self.norm = clip_by_global_norm(self.gradients, clip)
        self._optimizer.lr = float(task.rates[self._taken])
        self.parameters = self._optimizer.step(self.parameters, clipped)
        self._taken += 1
        return value

    def run(self) -> list[float]:
        """Take all steps; return their losses."""
        return [self.step() for _ in self.task.rates]

    def evaluate(self) -> list[float]:
        """Return the loss of every window, without dropout."""
        x, y_true, _, _ = self.read(slice(None))
        every = self.task.head == "every"
        y = run_network(CELLS[self.task.cell], x, self.parameters, every_step=every).y
        axis = 1 if every else 0  # of the windows
        windows = zip(np.moveaxis(y_true, axis, 0), np.moveaxis(y, axis, 0), strict=True)
        return [self.loss(one_true, one)[0] for one_true, one in windows]

    def forecast(self) -> Array:
        """Return the forecasts of every window in the panel's units, [n, K, C, Q]."""
        task = self.task
        x, _, location, scale = self.read(slice(None))
        every = task.head == "every"
        y = run_network(CELLS[task.cell], x, self.parameters, every_step=every).y
        y = (y[-1] if every else y).reshape(-1, task.windowing.horizon, task.channels, task.quantiles)
        forecasts: Array = y * scale[:, np.newaxis, :, np.newaxis] + location[:, np.newaxis, :, np.newaxis]
        return forecasts


def _optimizer(learning: Learning) -> Optimizer:
    """Return the oracle's optimizer for the same settings."""
    options: dict[str, Any] = {"lr": 0.0, "weight_decay": learning.weight_decay}
    if learning.optimizer == "sgd":
        options["momentum"] = learning.momentum
    else:
        options |= {"betas": (learning.beta1, learning.beta2), "eps": learning.eps}
    return OPTIMIZERS[learning.optimizer](**options)


def learning_for(loss: str, optimizer: str = "sgd", **others: Any) -> Learning:
    """Return a loss and an optimizer with settings that are nobody's default."""
    quantiles = (0.1, 0.5, 0.8) if loss == "quantile" else ()
    momentum = 0.8 if optimizer == "sgd" else 0.0
    learning = Learning(
        loss=loss,
        delta=0.4,
        quantiles=quantiles,
        optimizer=optimizer,
        momentum=momentum,
        beta1=0.85,
        beta2=0.97,
        eps=1e-6,
        weight_decay=0.02,
        clip=0.2,
    )
    return replace(learning, **others)
