"""Paths that the future may take: each point is drawn from the forecast, and read before the next one.

    context -> state, once -> n copies -> output -> draw y_1 -> step [y_1] -> output -> draw y_2 -> ...

What is fed back are samples, never means: only so do the paths spread as the doubts of many steps add up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from unrolled.engine import State
from unrolled.errors import ArgumentError, DataError, Fault, fault, raise_any
from unrolled.heads import COUNTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from unrolled.engine import Array, Engine
    from unrolled.heads import Head

    Numbers = NDArray[np.float64]

MOST_ROWS = 20_000
"""Paths that run side by side at the most: their states are all the memory that sampling takes."""


def sample_paths(
    engine: Engine,
    head: Head,
    *,
    context: Array,
    channels: int,
    n: int,
    seed: int,
    ahead: Array | None = None,
    static: Array | None = None,
    mask: bool = False,
    horizon: int | None = None,
    scale: NDArray[np.float64] | None = None,
    series: Sequence[int] | NDArray[np.int64] | None = None,
    point: bool = False,
    threads: int = 1,
) -> Numbers:
    """Draw n paths of the next K points of every series, in scaled space.

    The context is read once; its state is copied for every path. Without `ahead` the output that follows a
    step is the forecast of the next point. With it the network was trained with one step ahead: from the
    state so far it reads one step of the next point's features alone, with its values missing; that gives the
    forecast, the state of that step is dropped, and the drawn point is then read in its place.

    Every series has random numbers of its own, which follow from `seed` and its number: alone it takes the
    paths that it takes among others.

    Shapes:
        context: [T, B, I]; ahead: [K, B, F]; static: [B, E]; scale: [B, C]; series: [B]; the paths:
        [B, n, K, C].

    Args:
        engine: a network without a skip, that forecasts one point at once and reads one a step.
        head: what its outputs mean.
        context: the steps of each window: values, flags if `mask`, features, statics.
        channels: C.
        n: paths of a series.
        seed: of all random numbers, 0 or more.
        ahead: features of the next points, known ones as they will be and others 0. None: nothing is known
            ahead, and features that the context has are 0 from here on.
        static: numbers of each series that do not change, the last E of every step.
        mask: whether a step has flags of missing values.
        horizon: K, where `ahead` does not tell.
        scale: of the windows, for a negative binomial head: its counts are divided by it to be read.
        series: the number of each series, 0 or more; None: 0, 1, 2, ...
        point: feed back point forecasts in place of samples; all paths are then the same.
        threads: at most so many.

    Returns:
        Paths in scaled space; counts are divided by their scale.

    Raises:
        ArgumentError: the network has a skip, a shape does not fit, or the head gives points only and `point`
            is not set.
        DataError: a path has left all finite numbers.

    Example:
        >>> from unrolled import Network, NetworkSpec
        >>> from unrolled.heads import Head
        >>> network = Network(NetworkSpec(cell="gru", input_size=1, hidden_size=4, output_size=2))
        >>> context = np.zeros((12, 3, 1))
        >>> engine, head = network.engine, Head("gaussian")
        >>> sample_paths(engine, head, context=context, channels=1, n=5, seed=0, horizon=7).shape
        (3, 5, 7, 1)
    """
    _check(engine, head, context, channels, ahead, static, mask, horizon, scale, series, point)
    batch = context.shape[1]
    steps = len(ahead) if ahead is not None else int(horizon or 0)
    numbers = range(batch) if series is None else np.asarray(series).tolist()
    generators = [np.random.default_rng([seed, number]) for number in numbers]
    outputs, state = engine.forward(context, threads=threads)
    result = np.empty((batch, n, steps, channels))
    for rows, paths in _blocks(batch, n):
        width = paths.stop - paths.start
        block = _Block(
            engine,
            head,
            tuple(generators[rows]),
            width,
            None if ahead is None else np.repeat(ahead[:, rows], width, axis=1),
            None if static is None else np.repeat(static[rows], width, axis=0),
            None if scale is None else np.repeat(np.asarray(scale, np.float64)[rows], width, axis=0),
            channels,
            mask,
            point,
            threads,
        )
        first = np.repeat(outputs[rows], width, axis=0)
        drawn = block.run(first, _tiled(state, rows, width), steps, rows.start)
        result[rows, paths] = drawn.reshape(-1, width, steps, channels)
    return result


@dataclass(frozen=True)
class _Block:
    """Some paths of some series, side by side: R rows, the paths of a series one after another."""

    engine: Engine
    head: Head
    generators: tuple[np.random.Generator, ...]
    width: int
    ahead: Array | None
    static: Array | None
    scale: Numbers | None
    channels: int
    mask: bool
    point: bool
    threads: int

    def run(self, outputs: Array, state: State, steps: int, first_series: int) -> Numbers:
        """Return the rows' paths, [R, K, C]."""
        path = np.empty((len(outputs), steps, self.channels))
        for k in range(steps):
            if self.ahead is not None:
                outputs, _ = self._step(None, k, state)
            if not np.isfinite(outputs).all():
                row, which = np.argwhere(~np.isfinite(outputs))[0].tolist()
                series, value = first_series + row // self.width, outputs[row, which]
                raise DataError(fault("sampling.diverged", step=k + 1, series=series, value=value))
            path[:, k] = self._draw(outputs)
            if k + 1 < steps:
                outputs, state = self._step(path[:, k], k, state)
        return path

    def _step(self, values: Numbers | None, k: int, state: State) -> tuple[Array, State]:
        """Read the step of point k: its values, or their absence."""
        rows = state.h.shape[1]
        x = np.zeros((1, rows, self.engine.input_size), self.engine.dtype)
        if values is not None:
            with np.errstate(over="ignore"):  # what does not fit into float32 is told of at the next point
                x[0, :, : self.channels] = values
        at = self.channels
        if self.mask:
            x[0, :, at : at + self.channels] = values is None
            at += self.channels
        if self.ahead is not None:
            x[0, :, at : at + self.ahead.shape[2]] = self.ahead[k]
        if self.static is not None:
            x[0, :, self.engine.input_size - self.static.shape[1] :] = self.static
        return self.engine.forward(x, state, threads=self.threads)

    def _draw(self, raw: Array) -> Numbers:
        """Return one point of every row, [R, C]; each series draws with its own generator."""
        outputs = self.head.mapped(raw.reshape(len(raw), self.channels, self.head.width))
        if self.point:
            return self.head.point(outputs, scale=self.scale)
        drawn = np.empty(outputs.shape[:-1])
        for i, generator in enumerate(self.generators):
            rows = slice(i * self.width, (i + 1) * self.width)
            scale = None if self.scale is None else self.scale[rows]
            drawn[rows] = self.head.sample(outputs[rows], generator, scale=scale)
        return drawn


def _tiled(state: State, rows: slice, width: int) -> State:
    """Return the state of some series, copied for each of their paths."""
    c = None if state.c is None else np.repeat(state.c[:, rows], width, axis=1)
    return State(np.repeat(state.h[:, rows], width, axis=1), c)


def _blocks(batch: int, n: int) -> Iterator[tuple[slice, slice]]:
    """Cut series and paths into blocks; how a series is cut does not depend on the others."""
    series = max(1, MOST_ROWS // max(n, 1))
    for first in range(0, batch, series):
        for path in range(0, n, MOST_ROWS):
            yield slice(first, min(first + series, batch)), slice(path, min(path + MOST_ROWS, n))


def _check(
    engine: Engine,
    head: Head,
    context: Array,
    channels: int,
    ahead: Array | None,
    static: Array | None,
    mask: bool,
    horizon: int | None,
    scale: NDArray[np.float64] | None,
    series: Sequence[int] | NDArray[np.int64] | None,
    point: bool,
) -> None:
    """Refuse what does not fit together, all of it at once."""
    faults: list[Fault] = []

    def expect(name: str, got: object, expected: object) -> None:
        if got != expected:
            faults.append(fault("sampling.shape", name=name, expected=str(expected), got=str(got)))

    if "skip.weight" in engine.shapes:
        faults.append(fault("sampling.skip"))
    if not point and not head.is_probabilistic:
        faults.append(fault("head.points", loss=head.loss))
    if head.loss == COUNTS and scale is None:
        faults.append(fault("sampling.scale"))
    expect("context", np.ndim(context), 3)
    expect("head", engine.output_width, channels * head.width)
    expect("horizon", (ahead is None) != (horizon is None), True)
    raise_any(ArgumentError, faults)
    batch, size = context.shape[1:]
    expect("context", size, engine.input_size)
    own = channels * (2 if mask else 1) + (0 if static is None else static.shape[1])
    if ahead is not None:
        expect("ahead", (ahead.ndim, *ahead.shape[1:]), (3, batch, size - own))
    elif own > size:
        expect("static", own, size)
    for name, given in (("static", static), ("series", series)):
        if given is not None:
            expect(name, len(given), batch)
    if scale is not None:
        expect("scale", np.shape(scale), (batch, channels))
    raise_any(ArgumentError, faults)
