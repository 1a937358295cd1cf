"""Training by the oracle: the same windows, scaled, read, scored and learned from in NumPy float64."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.engine.helpers import Head, Shape, dropout_masks, fill
from unrolled.cells import (
    CELLS,
    HEAD_LOSSES,
    LOSSES,
    OPTIMIZERS,
    clip_by_global_norm,
    run_network,
    run_network_backward,
)
from unrolled.cells.likelihoods import map_gaussian, map_negative_binomial, map_quantiles, map_student_t
from unrolled.engine import DISTRIBUTIONS, Engine, Learning, Table, Trainer, Windowing, loss_width

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unrolled.cells import Optimizer
    from unrolled.engine import Array

    Indices = NDArray[np.int64]


BENT = ("log", "asinh", "adaptive")
"""The scalings that may bend values before they are moved and divided."""


def fit_scaling(window: Array, scaling: str, dtype: str) -> Array:
    """Return pre, location and scale [3, C] of a window [W, C], from its observed points alone.

    NaN is missing. What bends the values is kept in the engine's dtype: it is inverted as it is kept.
    """
    fitted = np.array([[0.0 if scaling == "adaptive" else 1.0, 0.0, 1.0]] * window.shape[1]).T
    for c, column in enumerate(window.T):
        seen = column[~np.isnan(column)]
        if scaling == "none" or seen.size == 0:
            continue
        size = float(np.abs(seen).mean())
        if scaling == "mean_abs":
            fitted[2, c] = size if size > 0 else 1.0
            continue
        least = size
        if scaling == "adaptive":
            fitted[0, c] = smallest_in_logs(seen)
            seen = into_logs(seen, fitted[0, c])
            least = float(np.abs(seen).mean())
        if scaling in ("log", "asinh"):
            fitted[0, c] = np.dtype(dtype).type(size) if scaling == "asinh" and size > 0 else 1.0
            seen = np.log(seen) if scaling == "log" else np.arcsinh(seen / fitted[0, c])
            least = max(1.0, float(np.abs(seen).mean()))
        fitted[1, c] = seen.mean() if scaling in ("standard", "adaptive") else seen[-1]
        deviation = seen.std()
        fitted[2, c] = 1.0 if deviation <= (1e-6 if dtype == "float32" else 1e-13) * least else deviation
    return fitted.astype(dtype).astype(np.float64) if scaling in BENT else fitted


def skewness(values: Array) -> float:
    """Return the third central moment, by that of the deviation."""
    return float((((values - values.mean()) / values.std()) ** 3).mean())


MOST_IN_LOGS = 10.0
"""The largest deviation of logs that a window is read in."""


def smallest_in_logs(seen: Array) -> float:
    """Return the smallest value above 0 of values that adaptive reads in logs, and 0 of others."""
    above = seen[seen > 0]
    if (seen < 0).any() or above.size == 0 or not above.max() > 10 * above.min():
        return 0.0
    least = float(above.min())
    logs = into_logs(seen, least)
    less_skew = abs(skewness(logs)) + 1e-6 < abs(skewness(seen / seen.max()))
    return least if less_skew and logs.std() <= MOST_IN_LOGS else 0.0


def into_logs(values: Array, pre: float, high: float = np.inf) -> Array:
    """Return log(y), straight on below pre and above exp(high), or y where pre is 0."""
    if not pre:
        return values
    high = max(high, np.log(pre))
    top = np.exp(high)

    def one(v: float) -> float:
        if v > top:
            return float(high + (v - top) / top)
        return float(np.log(v) if v >= pre else np.log(pre) + (v - pre) / pre)

    return np.array([one(v) for v in values])


def out_of_logs(u: float, pre: float, high: float) -> float:
    """Return what `into_logs` came from."""
    if not pre:
        return u
    least = np.log(pre)
    high = max(high, least)
    if u > high:
        return float(np.exp(high) * (1 + (u - high)))
    return float(pre * (1 + (u - least)) if u < least else np.exp(u))


def scale(points: Array, fitted: Array, scaling: str) -> Array:
    """Return points [n, C] as the network reads them."""
    pre, location, size = fitted
    if scaling == "adaptive":
        ends = zip(points.T, pre, location + size, strict=True)
        points = np.stack([into_logs(column, low, high) for column, low, high in ends], axis=1)
    u = np.log(points) if scaling == "log" else np.arcsinh(points / pre) if scaling == "asinh" else points
    scaled: Array = (u - location) / size
    return scaled


def unscale(y: Array, fitted: Array, scaling: str) -> Array:
    """Return forecasts [K, C, W] in the units of their series."""
    pre, location, size = fitted[:, np.newaxis, :, np.newaxis]
    u: Array = y * size + location
    if scaling == "adaptive":
        return np.vectorize(out_of_logs)(u, pre, location + size)
    return np.exp(u) if scaling == "log" else pre * np.sinh(u) if scaling == "asinh" else u


def points_of(table: Table, series: int, begin: int, count: int) -> Array:
    """Return points of a series from its number `begin` on, [count, C]; NaN before its first."""
    first, last = table.offsets[series : series + 2]
    points = np.full((count, table.values.shape[1]), np.nan)
    for i in range(count):
        if begin + i >= 0:
            assert first + begin + i < last, "a point behind the series"
            points[i] = table.values[first + begin + i]
    return points


def gather_window(
    table: Table, series: int, start: int, windowing: Windowing, dtype: str
) -> tuple[Array, Array]:
    """Return the steps of one window [T, I] and its scaling [3, C], number by number as they are laid out."""
    w = windowing
    window = points_of(table, series, start, w.window)
    fitted = fit_scaling(window, w.scaling, dtype)
    scaled = scale(window, fitted, w.scaling)
    channels = range(table.values.shape[1])
    columns = range(0 if table.features is None else table.features.shape[1])
    steps = []
    for t in range(w.window // w.patch + w.ahead):
        step: list[float] = []
        ahead = t >= w.window // w.patch
        places = [t * w.patch + p for p in range(w.patch)]
        missing = [[ahead or bool(np.isnan(scaled[i, c])) for c in channels] for i in places]
        step += [
            0.0 if gone and w.mask else scaled[i, c]
            for i, row in zip(places, missing, strict=True)
            for c, gone in enumerate(row)
        ]
        if w.mask:
            step += [float(gone) for row in missing for gone in row]
        for i in places:
            for f in columns:
                unknown = ahead and (f >= table.known or i >= w.window + w.horizon)
                assert table.features is not None
                assert table.feature_offsets is not None
                row_number = table.feature_offsets[series] + start + i
                step.append(0.0 if unknown or start + i < 0 else float(table.features[row_number, f]))
        if table.static is not None:
            step += [float(number) for number in table.static[series]]
        steps.append(step)
    return np.array(steps), fitted


@dataclass(frozen=True)
class Task:
    """A network and a table to learn.

    Shapes:
        values: [N, C]; offsets: [S + 1]; series, starts: [n].

    Attributes:
        more: covariates and statics, as `Table` takes them.
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
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def table(self) -> Table:
        """What the windows are cut from."""
        return Table(self.values, self.offsets, **self.more)

    @property
    def channels(self) -> int:
        """C."""
        return int(self.values.shape[1])

    @property
    def width(self) -> int:
        """W, how many numbers the network gives for a target."""
        return loss_width(self.learning.loss, self.learning.quantiles)

    @property
    def steps(self) -> int:
        """T."""
        return self.windowing.steps

    def engine(self) -> Engine:
        """Return the network, the same random parameters at every call."""
        w = self.windowing
        engine = Engine(
            self.cell,
            input_size=self.table.input_size(w),
            hidden_size=self.hidden,
            num_layers=self.layers,
            output_size=w.horizon * self.channels * self.width,
            head="every" if self.head == "every" else "last",
            skip_steps=self.steps if self.head == "skip" else 0,
            dropout=self.dropout,
            dtype=self.dtype,
        )
        fill(engine, np.random.default_rng(self.seed))
        return engine

    def trainer(self, engine: Engine, *, threads: int = 1) -> Trainer:
        """Return what trains `engine` on the table."""
        return Trainer(
            engine,
            self.table,
            windowing=self.windowing,
            learning=self.learning,
            threads=threads,
            seed=self.seed,
        )

    def forecast(self, engine: Engine, *, threads: int = 1, unscale: bool | None = None) -> Array:
        """Return what `engine` says of the windows, in the units of the series where there are such."""
        return engine.forecast(
            self.table,
            self.series,
            self.starts,
            windowing=self.windowing,
            loss=self.learning.loss,
            quantiles=self.learning.quantiles,
            unscale=self.learning.loss not in DISTRIBUTIONS if unscale is None else unscale,
            threads=threads,
        ).outputs


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
    learning = learning or Learning()
    if learning.loss == "negative_binomial":
        windowing = replace(windowing, scaling="mean_abs")
    rng = np.random.default_rng(8)
    lengths = np.array([windowing.window + windowing.horizon, 40, 25])
    values = (3.0 + rng.standard_normal((lengths.sum(), channels)).cumsum(axis=0) / 4).astype(dtype)
    values[20:40] = 2.5
    if windowing.scaling == "log":
        values = np.exp(values / 4)
    if windowing.scaling == "adaptive":
        values = np.maximum(np.exp(values) - 4.0, 0.0)
    if learning.loss == "negative_binomial":
        values = np.floor(3 * np.abs(values)).astype(dtype)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    series = rng.integers(3, size=count)
    starts = rng.integers(lengths[series] - windowing.window - windowing.horizon + 1)
    series[:2], starts[:2] = [0, 1], [0, 11]  # a window that is its whole series, and a constant one
    return Task(
        cell=cell,
        head=head,
        windowing=windowing,
        learning=learning,
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

    def read(self, which: slice) -> tuple[Array, Array, Array]:
        """Return inputs, targets and scaling: [T, B, I], [T or 1, B, K, C], [B, 3, C]."""
        task, w = self.task, self.task.windowing
        inputs, targets, scaling = [], [], []
        for series, start in zip(task.series[which].tolist(), task.starts[which].tolist(), strict=True):
            x, fitted = gather_window(task.table, series, start, w, task.dtype)
            points = points_of(task.table, series, start, w.window + w.horizon)
            points = scale(points, fitted, w.scaling)
            ends = w.patch * np.arange(1, task.steps + 1) if task.head == "every" else [w.window]
            inputs.append(x)
            targets.append([points[end : end + w.horizon] for end in ends])
            scaling.append(fitted)
        return np.array(inputs).swapaxes(0, 1), np.array(targets).swapaxes(0, 1), np.array(scaling)

    def score(self, y_true: Array, raw: Array, size: Array) -> tuple[float, Array]:
        """Return the mean loss of the observed targets [n] of a window and its gradient by raw [n, W]."""
        learning = self.task.learning
        if learning.loss == "negative_binomial":
            return HEAD_LOSSES[learning.loss](y_true, raw, scale=size)
        if learning.loss in HEAD_LOSSES:
            options: dict[str, Any] = {"quantiles": learning.quantiles} if learning.quantiles else {}
            return HEAD_LOSSES[learning.loss](y_true, raw, **options)
        options = {"delta": learning.delta} if learning.loss == "huber" else {}
        value, gradient = LOSSES[learning.loss](y_true, raw[..., 0], **options)
        return value, gradient[..., np.newaxis]

    def losses(self, y_true: Array, y: Array, scaling: Array) -> tuple[list[float], Array]:
        """Return the loss of each window, NaN where nothing of it is observed, and its gradient by y.

        Shapes:
            y_true: [T or 1, B, K, C]; y: [T or 1, B, O], and so is the gradient.
        """
        raw = y.reshape(*y_true.shape, self.task.width)
        values, gradient = [], np.zeros_like(raw)
        for b in range(y_true.shape[1]):
            seen = ~np.isnan(y_true[:, b]) | (not self.task.windowing.mask)
            size = np.broadcast_to(scaling[b, 2], seen.shape)[seen]
            value, slopes = (
                self.score(y_true[:, b][seen], raw[:, b][seen], size) if seen.any() else (np.nan, 0.0)
            )
            values.append(value)
            gradient[:, b][seen] = slopes
        return values, gradient.reshape(y.shape)

    def step(self) -> float:
        """Take the next step; return the loss before it."""
        task = self.task
        which = slice(self._taken * task.batch, (self._taken + 1) * task.batch)
        x, y_true, scaling = self.read(which)
        masks = None
        if task.dropout:
            shape = Shape(task.hidden, x.shape[1], task.steps, 1, task.layers)
            masks = dropout_masks(task.dropout, shape, seed=task.seed, turn=self._taken, dtype=task.dtype)
        every = task.head == "every"
        trace = run_network(CELLS[task.cell], x, self.parameters, masks=masks, every_step=every)
        values, d_y = self.losses(y_true, trace.y if every else trace.y[np.newaxis], scaling)
        counted = [value for value in values if not (np.isnan(value) and task.windowing.mask)]
        d_y = (d_y if every else d_y[0]) / len(counted)
        self.gradients = run_network_backward(trace, d_y).parameters
        clip = task.learning.clip or np.inf
        clipped, self.norm = clip_by_global_norm(self.gradients, clip)
        self._optimizer.lr = float(task.rates[self._taken])
        self.parameters = self._optimizer.step(self.parameters, clipped)
        self._taken += 1
        return float(np.mean(counted))

    def run(self) -> list[float]:
        """Take all steps; return their losses."""
        return [self.step() for _ in self.task.rates]

    def answers(self) -> tuple[Array, Array, Array]:
        """Return what the network says of all windows [T or 1, B, O], their targets and their scaling."""
        x, y_true, scaling = self.read(slice(None))
        every = self.task.head == "every"
        y = run_network(CELLS[self.task.cell], x, self.parameters, every_step=every).y
        return y if every else y[np.newaxis], y_true, scaling

    def evaluate(self) -> list[float]:
        """Return the loss of every window, without dropout."""
        y, y_true, scaling = self.answers()
        return self.losses(y_true, y, scaling)[0]

    def forecast(self) -> Array:
        """Return the forecasts of every window, mapped, in the table's units where there are such."""
        learning, w = self.task.learning, self.task.windowing
        y, _, scaling = self.answers()
        raw = y[-1].reshape(-1, w.horizon, self.task.channels, self.task.width)
        if learning.loss == "quantile":
            raw = map_quantiles(raw, quantiles=learning.quantiles)
        if learning.loss in MAPS:
            return MAPS[learning.loss](raw)
        return np.stack([unscale(one, fitted, w.scaling) for one, fitted in zip(raw, scaling, strict=True)])


MAPS = {"gaussian": map_gaussian, "student_t": map_student_t, "negative_binomial": map_negative_binomial}


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
