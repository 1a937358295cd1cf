"""One network of the core: arrays in, arrays out, parameters under torch's names."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from unrolled import _core
from unrolled.engine.tables import CELLS, DISTRIBUTIONS, DTYPES, Array, loss_width
from unrolled.engine.windowing import Forecasts
from unrolled.errors import ArgumentError, fault, nearest, raise_any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from unrolled.engine.windowing import Table, Windowing


class State(NamedTuple):
    """The state of all layers after a step.

    Shapes:
        h: [L, B, H]; c: [L, B, E*H], the E states that a cell keeps beside h, side by side: c of "lstm"; c, n
        and m of "slstm". It is None for cells that keep none.
    """

    h: Array
    c: Array | None


class Gradients(NamedTuple):
    """What a backward pass returns.

    Shapes:
        parameters: each as its parameter; x: [T, B, I]; state: as the state given.
    """

    parameters: dict[str, Array]
    x: Array | None
    state: State


def _whole(lengths: NDArray[np.int64] | None) -> NDArray[np.int64] | None:
    """Return lengths as the core reads them; it checks them again."""
    return None if lengths is None else np.ascontiguousarray(lengths, np.int64)


class Engine:
    """One network in the core: stacked recurrent layers, a linear head, an optional linear skip.

    Args:
        cell: a name of `CELLS`.
        input_size: I, features of a step.
        hidden_size: H.
        num_layers: L.
        output_size: O; 0 leaves the head out, and the output is the top layer's state at every step.
        head: "last" reads the last state, "every" every state.
        skip_steps: T of the linear skip from the whole window to the outputs; 0 for none.
        dropout: share of each layer's outputs set to zero while training, but for the last layer's.
        skip_inputs: the skip reads the first so many features of each step; all where it is None.
        residual: a layer above the first gives the sum of its state and its own input to what is above it.
        dilations: of each layer, how many steps back its state comes from; () is 1 of every layer. Where
            one is larger, no state, no lengths and no stream can be taken.
        dtype: "float32" or "float64".
    """

    def __init__(
        self,
        cell: str,
        *,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        output_size: int = 0,
        head: Literal["last", "every"] = "last",
        skip_steps: int = 0,
        dropout: float = 0.0,
        skip_inputs: int | None = None,
        residual: bool = False,
        dilations: Sequence[int] = (),
        dtype: str = "float32",
    ) -> None:
        faults = []
        if cell not in CELLS:
            close = nearest(str(cell), CELLS)
            faults.append(fault("network.cell", got=cell, known=", ".join(CELLS), nearest=close))
        if head not in ("last", "every"):
            faults.append(fault("network.head", got=repr(head)))
        if dtype not in DTYPES:
            faults.append(fault("engine.dtype", got=repr(dtype), known=", ".join(DTYPES)))
        raise_any(ArgumentError, faults)
        self.dtype = np.dtype(dtype)
        self._extra = CELLS[cell].states
        self.input_size = input_size
        self._states = (num_layers, hidden_size)
        self._output_size, self._every = output_size, head == "every"
        kind = _core.NetworkF32 if self.dtype == np.float32 else _core.NetworkF64
        self.core = kind(
            cell=cell,
            input_size=input_size,
            hidden_size=hidden_size,
            num_layers=num_layers,
            output_size=output_size,
            every=self._every,
            skip_steps=skip_steps,
            dropout=dropout,
            skip_inputs=skip_inputs or 0,
            residual=residual,
            dilations=list(dilations),
        )
        self._dilations = tuple(dilations)
        self._dilated = any(d > 1 for d in self._dilations)
        self.shapes: dict[str, tuple[int, ...]] = {
            name: (rows, columns) if columns else (rows,) for name, rows, columns in self.core.parameters()
        }

    @property
    def parameter_count(self) -> int:
        """How many numbers are learned."""
        return int(self.core.parameter_count)

    @property
    def output_width(self) -> int:
        """How many numbers a step gives: O, or H without a head."""
        return self._output_size or self._states[1]

    def split(self, flat: Array) -> dict[str, Array]:
        """Cut an array of all parameters into views by name."""
        parts, start = {}, 0
        for name, shape in self.shapes.items():
            size = math.prod(shape)
            parts[name] = flat[start : start + size].reshape(shape)
            start += size
        return parts

    def read(self) -> Array:
        """Return a copy of all parameters, one after another in the order of `shapes`."""
        flat = np.empty(self.parameter_count, self.dtype)
        self.core.read(flat)
        return flat

    def write(self, flat: Array) -> None:
        """Replace all parameters by those of `flat`, in the order of `shapes`."""
        self.core.write(np.ascontiguousarray(flat, self.dtype))

    def get(self) -> dict[str, Array]:
        """Return a copy of all parameters by name."""
        return self.split(self.read())

    def set(self, weights: Mapping[str, Array]) -> None:
        """Replace all parameters by those of `weights`.

        Raises:
            ArgumentError: a parameter is missing or has another shape.
        """
        for name, shape in self.shapes.items():
            got = np.shape(weights[name]) if name in weights else None
            if got != shape:
                raise ArgumentError(fault("engine.shape", name=name, expected=list(shape), got=got))
        self.write(np.concatenate([np.asarray(weights[name], self.dtype).ravel() for name in self.shapes]))

    def zero_state(self, batch: int) -> State:
        """Return the state before anything was read: zeros."""
        layers, hidden = self._states
        h = np.zeros((layers, batch, hidden), self.dtype)
        return State(h, np.zeros((layers, batch, self._extra * hidden), self.dtype) if self._extra else None)

    def _copy(self, state: State | None, batch: int) -> State:
        if state is None:
            return self.zero_state(batch)
        c = None if state.c is None else np.array(state.c, self.dtype, order="C")
        return State(np.array(state.h, self.dtype, order="C"), c)

    def forward(
        self,
        x: Array,
        state: State | None = None,
        *,
        lengths: NDArray[np.int64] | None = None,
        train: bool = False,
        seed: int = 0,
        threads: int = 1,
    ) -> tuple[Array, State]:
        """Run the network over a batch.

        Shapes:
            x: [T, B, I]; the output: [B, O], with a head on every step [T, B, O], without a head [T, B, H];
            lengths: [B].

        Args:
            x: the inputs.
            state: the state to start from; zeros where it is None.
            lengths: how many steps each row has, 1 to T; None where all have T. What follows a row's last
                step is not read, and its output there is 0.
            train: apply dropout, with masks that follow from `seed`.
            seed: of the dropout masks.
            threads: at most so many.

        Returns:
            The output and the state after the last step of each row.

        Raises:
            ArgumentError, ValueError: a shape does not fit, or a state or lengths meet dilated layers.
        """
        if self._dilated:
            self._refuse(state=state, lengths=lengths)
        x = self._sequence(x)
        end = self._copy(state, x.shape[1])
        out = np.empty(self._output_shape(x), self.dtype)
        self.core.apply(x, end.h, end.c, out, train, seed, threads, _whole(lengths))
        return out, end

    def backward(
        self,
        x: Array,
        d_out: Array,
        state: State | None = None,
        d_state: State | None = None,
        *,
        lengths: NDArray[np.int64] | None = None,
        want_x: bool = True,
        train: bool = False,
        seed: int = 0,
        threads: int = 1,
    ) -> Gradients:
        """Run the network again and take gradients back through it.

        Shapes:
            x: [T, B, I]; d_out as the output of `forward`.

        Args:
            x: the inputs, as for `forward`.
            d_out: gradient of the output.
            state: as for `forward`.
            d_state: gradient of the state after the last step; zeros where it is None.
            lengths: as for `forward`; `d_out` after a row's last step is not read, and the gradient of x
                there is 0.
            want_x: also return the gradient of x.
            train: as for `forward`; the same seed gives the same masks.
            seed: of the dropout masks.
            threads: at most so many.

        Returns:
            The gradients of parameters, inputs and first state.

        Raises:
            ArgumentError, ValueError: a shape does not fit, or a state or lengths meet dilated layers.
        """
        if self._dilated:
            self._refuse(state=state, d_state=d_state, lengths=lengths)
        x = self._sequence(x)
        start = self._copy(state, x.shape[1])
        d_start = self._copy(d_state, x.shape[1])
        flat = np.empty(self.parameter_count, self.dtype)
        d_x = np.empty_like(x) if want_x else None
        d_out = np.ascontiguousarray(d_out, self.dtype)
        self.core.apply_backward(
            x,
            start.h,
            start.c,
            d_out,
            d_start.h,
            d_start.c,
            flat,
            d_x,
            train,
            seed,
            threads,
            _whole(lengths),
        )
        return Gradients(self.split(flat), d_x, d_start)

    def _refuse(self, **given: object) -> None:
        """Refuse what dilated layers cannot take: their state is not one step's."""
        names = [name for name, value in given.items() if value is not None]
        raise_any(
            ArgumentError, [fault("engine.dilated", name=name, dilations=self._dilations) for name in names]
        )

    def _sequence(self, x: Array) -> Array:
        """Return x as the core reads it; it checks the sizes again."""
        found = np.asarray(x, self.dtype, order="C")
        if found.ndim != 3:
            raise ArgumentError(fault("engine.shape", name="x", expected="[T, B, I]", got=list(found.shape)))
        return found

    def _output_shape(self, x: Array) -> tuple[int, ...]:
        steps, batch = x.shape[:2]
        if self._output_size == 0:
            return (steps, batch, self._states[1])
        return (steps, batch, self._output_size) if self._every else (batch, self._output_size)

    def make_stream(self, batch: int) -> Any:
        """Return the core's stream of `batch` rows; `stream.Stream` is its face."""
        kind = _core.StreamF32 if self.dtype == np.float32 else _core.StreamF64
        return kind(self.core, batch)

    def forecast(
        self,
        table: Table,
        series: NDArray[np.int64],
        starts: NDArray[np.int64],
        *,
        windowing: Windowing,
        loss: str = "mse",
        quantiles: Sequence[float] = (),
        unscale: bool = True,
        threads: int = 1,
    ) -> Forecasts:
        """Forecast what follows windows of a table.

        Shapes:
            series, starts: [n]; the forecasts: [n, K, C, W].

        Args:
            table: what the windows are cut from.
            series: of each window.
            starts: its first point, counted from the start of its series; where missing values are masked
                down to 1 - window.
            windowing: how the network reads a window.
            loss: what the network was trained for: its outputs are mapped to what they mean.
            quantiles: of the loss "quantile", rising.
            unscale: whether forecasts are brought back to the units of the series. The parameters of a
                distribution cannot be; they stay those of the scaled series.
            threads: at most so many.

        Returns:
            The mapped outputs, and how each window was scaled.

        Raises:
            ArgumentError: the outputs do not fit the loss, or those of a distribution are to be unscaled.
            ValueError: a window lies outside its series, or the network does not fit the windowing.
        """
        width = loss_width(loss, quantiles)
        if unscale and loss in DISTRIBUTIONS:
            raise ArgumentError(fault("engine.unscale", loss=loss))
        read = table.to_core(self.dtype)
        channels, horizon, outputs = table.values.shape[1], windowing.horizon, self._output_size
        if horizon < 1 or channels < 1 or outputs != horizon * channels * width:
            shape = {"horizon": horizon, "channels": channels, "width": width}
            raise ArgumentError(fault("engine.outputs", outputs=outputs, **shape))
        out = np.empty((series.size, horizon, channels, width), self.dtype)
        scaling = np.empty((series.size, 3, channels), self.dtype)
        self.core.forecast(
            read, windowing.to_core(), loss, list(quantiles), unscale, series, starts, out, scaling, threads
        )
        return Forecasts(out, scaling)

    def gather(
        self, table: Table, series: NDArray[np.int64], starts: NDArray[np.int64], *, windowing: Windowing
    ) -> tuple[Array, Array]:
        """Return what a network reads of windows, step by step, and how each window was scaled.

        Shapes:
            series, starts: [n]; the inputs: [T, n, I]; the scaling: [n, 3, C], pre, location and scale.

        Args:
            table: what the windows are cut from.
            series: of each window.
            starts: its first point, as for `forecast`.
            windowing: how a window is read.

        Raises:
            ArgumentError, ValueError: as for `forecast`.
        """
        read, how = table.to_core(self.dtype), windowing.to_core()
        steps = windowing.steps if windowing.patch else 0
        x = np.empty((max(0, steps), series.size, max(0, table.input_size(windowing))), self.dtype)
        scaling = np.empty((series.size, 3, table.values.shape[1]), self.dtype)
        read.gather(how, series, starts, x, scaling)
        return x, scaling
