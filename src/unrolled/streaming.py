"""A forecast that goes on with every point that arrives.

    push(value) -> the last window, or the state after all points -> Model -> the next K points

What a stream says after some points is what `Forecaster.predict` says of the same history. Knows models and
panels. Must not know where the points come from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.answers import interval_answer
from unrolled.engine import State
from unrolled.errors import ArgumentError, DataError, fault
from unrolled.outcome import Outcome
from unrolled.panel import answer
from unrolled.scaling import WindowScaling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from unrolled.conformal import Calibration
    from unrolled.engine import Array
    from unrolled.model import Model
    from unrolled.panel import Kind, Panel


class ForecastStream:
    """One series that grows while it is forecast; `Forecaster.stream` makes it.

    With memory "window" the last window is kept, and read at every point. With memory "all" the hidden state
    is carried: a point costs one step of the network, however long the series has become.

    Args:
        model: fitted.
        panel: the history of one series.
        known_as: where series were scaled once, the number that this one had when fitting.
        threads: at most so many.
        levels: of intervals in percent; none for points alone.
        calibration: what the intervals are measured by.

    Raises:
        DataError: there are several series, or covariates that would have to arrive with the points.

    Example:
        >>> from unrolled import Forecaster
        >>> y = np.sin(np.arange(100) * 2 * np.pi / 12)
        >>> model = Forecaster(3, season=12, steps=20).fit(y)
        >>> stream = model.stream(y[:90])
        >>> forecasts = [stream.push(value) for value in y[90:]]
        >>> bool(np.array_equal(forecasts[-1], model.predict(y)))
        True
    """

    def __init__(
        self,
        model: Model,
        panel: Panel,
        *,
        known_as: NDArray[np.int64] | None = None,
        threads: int = 1,
        levels: Sequence[float] = (),
        calibration: Calibration | None = None,
    ) -> None:
        if panel.n_series != 1:
            raise DataError(fault("stream.series", got=panel.n_series))
        codes = () if model.encoder is None else model.encoder.codes
        if codes:
            raise DataError(fault("stream.covariates", columns=", ".join(code.name for code in codes)))
        self._model, self._known_as, self._threads = model, known_as, threads
        self._levels, self._calibration = tuple(levels), calibration
        kind: Kind = "vector" if panel.n_channels == 1 else "matrix"
        self._panel = replace(panel.tails(panel.lengths[0]), kind=kind, columns=None)
        self._states: list[State] = []
        model.check(panel)
        if model.memory == "all":
            self._outcome = self._carry(len(panel.values))
        self._keep()

    def predict(self) -> Any:
        """Return the forecast of what follows the points so far.

        Shapes:
            [K], or [K, C]; with levels an `Intervals` of such.
        """
        model, panel = self._model, self._panel
        how: dict[str, Any] = {"threads": self._threads, "known_as": self._known_as}
        calibration = self._calibration if self._levels else None
        if model.memory == "all":
            outcome = self._outcome
            point = outcome.point()
        else:
            point = model.forecast(panel, **how)
            if calibration is not None:
                outcome = model.outcome(panel, probabilistic=model.samples, **how)
        if calibration is None:
            return answer(panel, point)
        bounds = {level: outcome.interval(level, calibration) for level in self._levels}
        return interval_answer(panel, point, bounds)

    def push(self, value: ArrayLike) -> Any:
        """Take the next point, and return the forecast of those that follow it.

        Shapes:
            value: one number, or [C].

        Args:
            value: NaN where the point is missing and the network reads missing points.

        Raises:
            DataError: the value is not one point of the series; the stream is as it was.
        """
        panel = self._panel
        values = np.concatenate([panel.values, self._point(value)[None]])
        times = None
        if panel.times is not None:
            times = np.concatenate([panel.times, panel.future(1)[0]])  # type: ignore[index]
        offsets = np.array([0, len(values)], np.int64)
        grown = replace(panel, values=values, times=times, offsets=offsets)
        self._model.check(grown)
        self._panel = grown
        if self._model.memory == "all":
            self._outcome = self._carry(1)
        self._keep()
        return self.predict()

    def _point(self, value: ArrayLike) -> Array:
        """Return one point of the series, [C].

        Raises:
            DataError: it is none.
        """
        panel = self._panel
        try:
            given = np.asarray(value)
        except ValueError:  # lists of unequal length
            given = np.empty(0, object)
        if given.dtype == object and given.size and all(one is None for one in given.flat):
            given = np.full(given.shape, np.nan)
        if given.dtype.kind not in "biuf" or given.reshape(-1).shape != (panel.n_channels,):
            raise DataError(
                fault(
                    "stream.point",
                    channels=panel.n_channels,
                    got=f"{type(value).__name__} of shape {given.shape}",
                )
            )
        with np.errstate(over="ignore"):
            point = given.reshape(-1).astype(panel.values.dtype)
        seen = np.isfinite(point) | (np.isnan(point) if self._model.windowing.mask else False)
        if not seen.all():
            raise DataError(fault("stream.point-value", got=value))
        return point

    @property
    def state(self) -> dict[str, Array]:
        """All that the stream remembers, as arrays that can be saved: the points kept, times, and states."""
        kept = {"values": np.array(self._panel.values)}
        if self._panel.times is not None:
            kept["times"] = self._panel.times.astype(np.int64)
        for number, state in enumerate(self._states):
            kept[f"h.{number}"] = state.h.copy()
            if state.c is not None:
                kept[f"c.{number}"] = state.c.copy()
        if self._model.memory == "all":
            kept["outputs"] = self._outcome.outputs.copy()
        return kept

    def restore(self, state: Mapping[str, Array]) -> None:
        """Take back what `state` gave, of a stream of the same forecaster.

        Raises:
            ArgumentError: it is not the state of such a stream; the stream is as it was.
        """
        if not self._fits(state):
            got = ", ".join(map(str, state)) if isinstance(state, Mapping) else type(state).__name__
            raise ArgumentError(fault("stream.restore", expected=", ".join(self.state), got=got))
        values = np.array(state["values"], self._panel.values.dtype)
        times = None
        if self._panel.times is not None:
            times = np.asarray(state["times"], np.int64).view(self._panel.times.dtype)
        offsets = np.array([0, len(values)], np.int64)
        self._panel = replace(self._panel, values=values, times=times, offsets=offsets)
        self._states = [
            State(np.array(state[f"h.{n}"]), np.array(state[f"c.{n}"]) if f"c.{n}" in state else None)
            for n in range(len(self._states))
        ]
        if self._model.memory == "all":
            self._outcome = replace(self._outcome, outputs=np.array(state["outputs"]))

    def _fits(self, state: object) -> bool:
        """Return whether these are the arrays of such a stream, with numbers that it can go on from."""
        own = self.state
        if not isinstance(state, Mapping) or set(state) != set(own):
            return False
        points = len(own["values"]) if not self._model.windowing.mask else 1
        for name, array in own.items():
            given = state[name]
            if not isinstance(given, np.ndarray) or given.dtype != array.dtype or given.ndim != array.ndim:
                return False
            rows = name in ("values", "times")
            if given.shape[rows:] != array.shape[rows:]:
                return False
            missing = name == "values" and self._model.windowing.mask
            if not (np.isfinite(given) | (np.isnan(given) if missing else False)).all():
                return False
        rows_of = {len(state[name]) for name in ("values", "times") if name in own}
        return len(rows_of) == 1 and rows_of.pop() >= points

    def _keep(self) -> None:
        """Forget what no forecast will read again."""
        points = 1 if self._model.memory == "all" else self._model.windowing.window
        self._panel = self._panel.tails(points)

    def _carry(self, points: int) -> Outcome:
        """Read the last points of the series on from the states, and return what follows them."""
        model = self._model
        scaler = model.scaler_of(self._known_as)
        table = model.last_windows(self._panel.tails(points), scaler).table
        windowing = replace(model.windowing, window=points)
        zeros = np.zeros(1, np.int64)
        outputs, states = [], []
        for number, network in enumerate(model.networks):
            engine = network.engine
            x, rows = engine.gather(table, zeros, zeros, windowing=windowing)
            state = self._states[number] if self._states else None
            out, after = engine.forward(x[:points], state)
            if windowing.ahead:
                out, _ = engine.forward(x[points:], after)
            outputs.append(model.mapped(out))
            states.append(after)
        self._states = states
        scaling = WindowScaling.of(windowing.scaling, rows)
        return Outcome(model.head, model.together(outputs), scaling, scaler)
