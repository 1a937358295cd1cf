"""Trained networks with all that it takes to forecast: how a window is read, scaled, and the horizon reached.

    panel -> Table -> windows -> networks -> outputs, scaled -> Outcome -> points, quantiles, intervals, paths

Everything about the future goes through `Outcome`, so that what is on top of the networks (members put
together, quantiles, intervals, the way back to the user's units) is the same for every strategy.
Knows engines, encoders and heads. Must not know training or the estimator.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from unrolled.codes import PARTS
from unrolled.engine import Table
from unrolled.errors import ArgumentError, DataError, fault, raise_any
from unrolled.heads import Head
from unrolled.outcome import Outcome
from unrolled.sampling import sample_paths
from unrolled.scaling import WindowScaling
from unrolled.spans import check_spans
from unrolled.tables import Cut, ahead_of, check_positive, path_of, with_features

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unrolled.conformal import Calibration
    from unrolled.encoding import Encoder
    from unrolled.engine import Array, Forecasts, Windowing
    from unrolled.network import Network
    from unrolled.panel import Panel
    from unrolled.scaling import SeriesScaling

_PATHS = 200
"""Sample paths by which the quantiles of a recursive forecast are told, of all members together."""

_PATH_NUMBERS = 4_000_000
"""Numbers of windows that paths are drawn from side by side."""

_LEVELS = tuple(level / 100 for level in (1, 2.5, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50)) + tuple(
    1 - level / 100 for level in (45, 40, 35, 30, 25, 20, 15, 10, 5, 2.5, 1)
)
"""The quantiles that are told of sample paths."""


@dataclass(frozen=True, eq=False)
class Model:
    """Networks and their use.

    Attributes:
        networks: the members, each with its weights.
        windowing: how they read a window, and how many points they forecast at once.
        horizon: K, how many points to forecast; more than at once, and they read their own forecasts.
        head: what their outputs mean.
        scaler: of series that were scaled once, else None.
        encoder: of covariates, else None.
        combine: "median" or "mean": how the outputs of the members become one.
        memory: "window" reads the last window of a series; "all" reads it from its first point on.
        calibration: what intervals are measured by; None where nothing was held out.
        windows: of how many points each member reads the last, where they differ: none more than
            `windowing.window`; empty where all read the same. They forecast all points at once.
    """

    networks: tuple[Network, ...]
    windowing: Windowing
    horizon: int
    head: Head
    scaler: SeriesScaling | None = None
    encoder: Encoder | None = None
    combine: str = "mean"
    memory: str = "window"
    calibration: Calibration | None = None
    windows: tuple[int, ...] = ()

    @property
    def network(self) -> Network:
        """The first member."""
        return self.networks[0]

    @cached_property
    def windowings(self) -> tuple[Windowing, ...]:
        """How each member reads its window."""
        if not self.windows:
            return (self.windowing,) * len(self.networks)
        return tuple(replace(self.windowing, window=length) for length in self.windows)

    @property
    def recursive(self) -> bool:
        """Whether forecasts are fed back."""
        return self.windowing.horizon < self.horizon

    @property
    def samples(self) -> bool:
        """Whether quantiles are told of sample paths: forecasts are fed back, and their spread is known."""
        return self.recursive and self.head.is_probabilistic

    @property
    def carries(self) -> bool:
        """Whether a state can be carried on from point to point.

        A skip reads a whole window, a patch several points, and a scaling around the last value moves on
        with every point, which a state that was reached with another one cannot.
        """
        spec, windowing = self.network.spec, self.windowing
        step_by_step = windowing.patch == 1 and not spec.skip_steps and not spec.dilated
        return step_by_step and windowing.scaling not in ("last", "log", "asinh", "adaptive")

    def scaler_of(self, known_as: NDArray[np.int64] | None) -> SeriesScaling | None:
        """Return the scaling of series that were scaled once; None where each window scales itself.

        Args:
            known_as: the number that each series had when fitting; None: the same order.
        """
        return self.scaler if self.scaler is None or known_as is None else self.scaler.of(known_as)

    def forecast(self, panel: Panel, *, threads: int, known_as: NDArray[np.int64] | None = None) -> Array:
        """Return point forecasts of what follows the end of every series, in its units.

        Shapes:
            the forecasts: [S, K, C]; known_as: [S].

        Args:
            panel: series of at least `window` points, or shorter ones where missing points are read.
            threads: at most so many.
            known_as: where series were scaled once, the number that each had when fitting; None: the same
                order.

        Raises:
            DataError: a series cannot be read by these networks.
        """
        self.check(panel)
        single = len(self.networks) == 1 and self.head.distribution is None and self.memory == "window"
        if single and not self.recursive and self.scaler is None:
            # The windows are read where they lie, and the core brings the forecasts back to their units.
            outputs = self._said(0, self.last_windows(panel), threads, unscale=True).outputs
            return np.ascontiguousarray(outputs[..., self.head.anchor])
        return self._outcome(panel, threads=threads, known_as=known_as).point()

    def outcome(
        self,
        panel: Panel,
        *,
        threads: int,
        known_as: NDArray[np.int64] | None = None,
        probabilistic: bool = False,
    ) -> Outcome:
        """Return what the networks say of the points that follow the end of every series.

        Args:
            panel: as for `forecast`.
            threads: at most so many.
            known_as: as for `forecast`.
            probabilistic: whether quantiles will be asked for; a recursive forecast is sampled then.

        Raises:
            DataError: as for `forecast`.
        """
        self.check(panel)
        return self._outcome(panel, threads=threads, known_as=known_as, probabilistic=probabilistic)

    def _outcome(
        self,
        panel: Panel,
        *,
        threads: int,
        known_as: NDArray[np.int64] | None = None,
        probabilistic: bool = False,
    ) -> Outcome:
        """Return what the networks say, of a panel that was checked."""
        scaler = self.scaler_of(known_as)
        cut = self.last_windows(panel, scaler)
        outcome = self.after(cut, threads=threads, probabilistic=probabilistic)
        return replace(outcome, scaler=scaler)

    def last_windows(self, panel: Panel, scaler: SeriesScaling | None = None) -> Cut:
        """Return the last window of each series, of a table of what the networks read of a panel."""
        window, dtype = self.windowing.window, self.network.engine.dtype
        if self.encoder is not None:  # positions are told as the caller counts them, from the first point on
            check_spans(panel, self.encoder, panel.covariates, horizon=self.horizon)
        if self.memory == "window" and (scaler is not None or self.encoder is not None):
            panel = panel.tails(window)
        values = np.asarray(panel.values, dtype)
        if scaler is not None:
            values = scaler.apply(values, panel.offsets)
        table = Table(values, panel.offsets)
        if self.encoder is not None:
            table = with_features(table, self.encoder, panel, horizon=self.horizon)
        return Cut(table, np.arange(panel.n_series, dtype=np.int64), panel.lengths - window)

    def after(
        self,
        cut: Cut,
        *,
        threads: int,
        probabilistic: bool = False,
    ) -> Outcome:
        """Return what the networks say of the points that follow windows of a table."""
        members = range(len(self.networks))
        if self.recursive and probabilistic:
            return self._sampled(cut)
        if self.recursive:
            scaling = self.scaling_of(cut)
            points = [scaling.apply(self._fed_back(number, cut, threads))[..., None] for number in members]
            return Outcome(Head("mae"), self.together(points), scaling)
        say = self._carried if self.memory == "all" else self._direct
        each = [say(number, cut, threads) for number in members]
        common = each[0][1]
        if self.windows:  # each scaled itself; what they say meets in the scaling of the longest window
            outputs = [common.apply(by.invert(one)) for one, by in each]
        else:
            outputs = [one for one, _ in each]
        return Outcome(self.head, self.together(outputs), common)

    def paths(
        self,
        cut: Cut,
        *,
        count: int,
        seed: int,
        numbers: NDArray[np.int64],
    ) -> tuple[Array, WindowScaling]:
        """Return sample paths of what follows windows, scaled, and the scaling of each window.

        The members take turns: the paths are of all of them together.

        Shapes:
            numbers: [n]; the paths: [n, count, K, C].

        Args:
            cut: the windows.
            count: paths of each window.
            seed: of the samples.
            numbers: the random numbers of each window follow from the seed and its own number.

        Raises:
            ArgumentError: the loss says nothing of the spread, or the network cannot carry on from a state.
        """
        if not self.head.is_probabilistic:
            raise ArgumentError(fault("predict.no-distribution", loss=self.head.loss))
        if not self.recursive:
            raise ArgumentError(fault("predict.paths-direct"))
        members = len(self.networks)
        shares = [(count - number + members - 1) // members for number in range(min(members, count))]
        draw = self._carried_paths if self.carries else self._rewound_paths
        parts = [
            draw(number, cut, n=n, seed=(seed + number) % 2**32, numbers=numbers)
            for number, n in enumerate(shares)
        ]
        return np.concatenate(parts, axis=1), self.scaling_of(cut)

    def _carried_paths(
        self,
        number: int,
        cut: Cut,
        *,
        n: int,
        seed: int,
        numbers: NDArray[np.int64],
    ) -> Array:
        """Draw paths from the state after each window, which is read once: [S, n, K, C], scaled."""
        engine, static = self.networks[number].engine, cut.table.static
        context = replace(self.windowing, ahead=0)
        x, rows = engine.gather(*cut, windowing=context)
        ahead = None
        if self.windowing.ahead:
            ahead = ahead_of(cut, self.windowing.window, self.horizon)
        return sample_paths(
            engine,
            self.head,
            context=x,
            ahead=ahead,
            static=None if static is None else static[cut.series],
            horizon=None if ahead is not None else self.horizon,
            channels=cut.table.values.shape[1],
            mask=self.windowing.mask,
            n=n,
            seed=seed,
            scale=WindowScaling.of(self.windowing.scaling, rows).scale,
            series=numbers,
        )

    def _rewound_paths(
        self,
        number: int,
        cut: Cut,
        *,
        n: int,
        seed: int,
        numbers: NDArray[np.int64],
    ) -> Array:
        """Draw paths, each point forecast from a window that ends before it: [S, n, K, C], scaled."""
        window, channels = self.windowing.window, cut.table.values.shape[1]
        size = max(1, _PATH_NUMBERS // (n * channels * (window + self.horizon)))
        parts = []
        for first in range(0, cut.series.size, size):
            some = numbers[first : first + size].tolist()
            repeated = cut.rows(first + np.repeat(np.arange(len(some)), n))
            path, values = path_of(repeated, window, self.horizon)
            generators = [np.random.default_rng([seed, one]) for one in some]
            rows = np.arange(len(some) * n, dtype=np.int64)
            for k in range(self.horizon):
                said = Outcome(self.head, *self._direct(number, Cut(path, rows, np.full(rows.size, k)), 1))
                drawn = [
                    self.head.sample(
                        said.outputs[i * n : (i + 1) * n],
                        generator,
                        scale=said.scaling.scale[i * n : (i + 1) * n, None],
                    )
                    for i, generator in enumerate(generators)
                ]
                values[:, window + k : window + k + 1] = said.units(np.concatenate(drawn))
            scaled = self.scaling_of(repeated).apply(values[:, window:])
            parts.append(scaled.reshape(len(some), n, self.horizon, channels))
        return np.concatenate(parts)

    def together(self, members: list[Array]) -> Array:
        """Return the outputs of all members as one, in the dtype of the networks."""
        whole = members[0]
        if len(members) > 1:
            whole = (np.median if self.combine == "median" else np.mean)(np.stack(members), axis=0)
        return np.ascontiguousarray(whole, self.network.engine.dtype)

    def _direct(
        self,
        number: int,
        cut: Cut,
        threads: int,
    ) -> tuple[Array, WindowScaling]:
        """Forecast what follows windows with one call of the core, scaled."""
        said = self._said(number, cut, threads, unscale=False)
        return said.outputs, WindowScaling.of(self.windowing.scaling, said.scaling)

    def _said(
        self,
        number: int,
        cut: Cut,
        threads: int,
        *,
        unscale: bool,
    ) -> Forecasts:
        """Return what the core says of windows, of whose points a member reads its own, the last."""
        windowing = self.windowings[number]
        return self.networks[number].engine.forecast(
            cut.table,
            cut.series,
            cut.starts + (self.windowing.window - windowing.window),
            windowing=windowing,
            loss=self.head.loss,
            quantiles=self.head.quantiles,
            unscale=unscale,
            threads=threads,
        )

    def _carried(
        self,
        number: int,
        cut: Cut,
        threads: int,
    ) -> tuple[Array, WindowScaling]:
        """Forecast from the state after all points of a series up to the end of its window."""
        windowing, engine = self.windowing, self.networks[number].engine
        table, series, starts = cut
        ends = starts + windowing.window
        outputs, rows = [], []
        order = np.argsort(ends, kind="stable")
        for same in np.split(order, np.flatnonzero(np.diff(ends[order])) + 1):
            length = int(ends[same[0]]) // windowing.patch * windowing.patch
            whole = replace(windowing, window=length)
            x, own = engine.gather(table, series[same], ends[same] - length, windowing=whole)
            outputs.append(engine.forward(x, threads=threads)[0])
            rows.append(own)
        back = np.argsort(order, kind="stable")
        scaling = WindowScaling.of(windowing.scaling, np.concatenate(rows)[back])
        return self.mapped(np.concatenate(outputs)[back]), scaling

    def mapped(self, raw: Array) -> Array:
        """Return what a network's head gives, [n, O], as outputs [n, K, C, W]."""
        shape = (len(raw), self.windowing.horizon, -1, self.head.width)
        return self.head.mapped(raw.reshape(shape))

    def scaling_of(self, cut: Cut, kind: str | None = None) -> WindowScaling:
        """Return how each window scales itself, or would by another kind of scaling."""
        alone = replace(self.windowing, scaling=kind or self.windowing.scaling, ahead=0)
        _, rows = self.network.engine.gather(*cut, windowing=alone)
        return WindowScaling.of(alone.scaling, rows)

    def _fed_back(
        self,
        number: int,
        cut: Cut,
        threads: int,
    ) -> Array:
        """Forecast in as many turns as it takes, each from a window that ends with the forecasts so far."""
        window, at_once = self.windowing.window, self.windowing.horizon
        path, values = path_of(cut, window, self.horizon)
        rows = np.arange(cut.series.size, dtype=np.int64)
        for k in range(0, self.horizon, at_once):
            said = self._direct(number, Cut(path, rows, np.full(rows.size, k)), threads)
            values[:, window + k : window + k + at_once] = Outcome(self.head, *said).point()
        return values[:, window:]

    def sample(self, panel: Panel, n: int, *, seed: int, known_as: NDArray[np.int64] | None = None) -> Array:
        """Return sample paths of what follows the end of every series, in its units.

        Shapes:
            the paths: [S, n, K, C].

        Args:
            panel: as for `forecast`.
            n: paths for each series.
            seed: of the samples. A series' own follow from it and from the name of the series.
            known_as: as for `forecast`.

        Raises:
            ArgumentError: the loss says nothing of the spread, or forecasts are not fed back.
            DataError: as for `forecast`.
        """
        self.check(panel)
        scaler = self.scaler_of(known_as)
        cut = self.last_windows(panel, scaler)
        numbers = np.array([zlib.crc32(str(name).encode()) for name in panel.ids], np.int64)
        paths, scaling = self.paths(cut, count=n, seed=seed, numbers=numbers)
        dtype = self.network.engine.dtype
        outcome = Outcome(self.head, paths.astype(dtype), scaling, scaler)
        return np.moveaxis(outcome.units(np.moveaxis(paths, 1, 3)), 3, 1)

    def _sampled(self, cut: Cut) -> Outcome:
        """Return the quantiles of sample paths as the outputs of a quantile head.

        Every series has the same random numbers, so that it is forecast alone as it is among others.
        """
        numbers = np.zeros_like(cut.series)
        paths, scaling = self.paths(cut, count=_PATHS, seed=0, numbers=numbers)
        told = np.moveaxis(np.quantile(paths, _LEVELS, axis=1), 0, -1)
        return Outcome(Head("quantile", _LEVELS), told.astype(self.network.engine.dtype), scaling)

    def check(self, panel: Panel) -> None:
        """Refuse series that the networks cannot read.

        Raises:
            DataError: another number of channels, missing points, too few points, not all positive, or
                covariates that were never learned from.
        """
        if self.encoder is None and panel.covariates is not None:
            unknown = [
                fault("encoding.new", column=name, part=part)
                for part in PARTS
                for name in getattr(panel.covariates, part)
            ]
            raise_any(DataError, unknown)
        spec, windowing = self.network.spec, self.windowing
        channels = spec.output_size // (windowing.horizon * self.head.width)
        if panel.n_channels != channels:
            raise DataError(fault("predict.channels", expected=channels, got=panel.n_channels))
        lengths, window = panel.lengths, windowing.window
        if not windowing.mask:
            if panel.n_missing:
                found = panel.missing_series()
                raise DataError(fault("predict.missing", series=found.first[0][0], count=found.values))
            if self.memory == "window" and (short := lengths < window).any():
                first_short = int(short.argmax())
                length = int(lengths[first_short])
                raise DataError(
                    fault("predict.too-short", series=panel.ids[first_short], length=length, window=window)
                )
        if windowing.scaling == "log":
            check_positive(panel, "log")
