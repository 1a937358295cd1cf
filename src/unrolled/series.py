"""The panel itself: many series as one flat buffer and offsets, checked when it is made."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.errors import ArgumentError, DataError, Fault, fault, raise_any
from unrolled.gaps import filled, filled_counts
from unrolled.observed import Missing, all_finite, missing_by_series, missing_count, number_faults
from unrolled.parts import Columns, Kind, Origin, Parts, offsets_of
from unrolled.timeaxis import examine, extend
from unrolled.wide import cut, repeated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from unrolled.timestep import TimeStep


@dataclass(frozen=True, eq=False, repr=False)
class Panel:
    """Many series, one after the other in one buffer, read-only.

    Shapes:
        values: [N, C], N points of all S series together; offsets: [S + 1]; times: [N].

    Args:
        values: the numbers, C-contiguous, float32 or float64, finite, or NaN where they are missing.
        offsets: series s is `values[offsets[s] : offsets[s + 1]]`; none is empty.
        ids: the name of each series.
        channels: the name of each channel.
        kind: what the caller gave.
        times: int64 or datetime64, rising by one step in each series; or `None`.
        steps: the step of each series, equal but for the day of the month aimed at; empty without times.
        columns: what the columns were called, where the series came from a table.
        filled: the series into which rows were put where times were missing, and how many.
        origin: what further columns of the table are brought into this order with; `None` without a table.
        covariates: what is known beside the series (`covariates.Covariates`); `None` where nothing is.
        left_out: how many points of each series lay before its first one here, [S]; `None` for none.

    Example:
        >>> from unrolled.panel import to_panel
        >>> panel = to_panel([[1.0, 2.0, 3.0], [4.0, 5.0]])
        >>> panel
        Panel(2 series, 1 channel, 5 points)
        >>> panel.series(1)[:, 0].tolist()
        [4.0, 5.0]
    """

    values: NDArray[np.floating[Any]]
    offsets: NDArray[np.int64]
    ids: tuple[object, ...]
    channels: tuple[str, ...]
    kind: Kind
    times: NDArray[Any] | None = None
    steps: tuple[TimeStep, ...] = ()
    columns: Columns | None = None
    filled: tuple[tuple[object, int], ...] = ()
    origin: Origin | None = None
    covariates: Any = None
    left_out: NDArray[np.int64] | None = None

    def __repr__(self) -> str:
        """Return the sizes."""
        channels = f"{self.n_channels} channel" + "s" * (self.n_channels != 1)
        return f"Panel({self.n_series} series, {channels}, {len(self.values)} points)"

    @property
    def n_series(self) -> int:
        """How many series, S."""
        return len(self.offsets) - 1

    @property
    def n_channels(self) -> int:
        """How many channels, C."""
        return len(self.channels)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """The number of points of each series, [S]."""
        return self.offsets[1:] - self.offsets[:-1]

    @cached_property
    def n_missing(self) -> int:
        """How many values are missing; counted once."""
        return missing_count(self.values)

    def missing_series(self, most: int = 5) -> Missing:
        """Return how much is missing, and in which series.

        Args:
            most: so many series are named.

        Example:
            >>> from unrolled.panel import to_panel
            >>> to_panel([[1.0, None], [2.0, 3.0]], missing="allow").missing_series()
            Missing(values=1, series=1, first=((0, 1),))
        """
        if not self.n_missing:
            return Missing(0, 0, ())
        counts = missing_by_series(self.values, self.offsets)
        some = np.flatnonzero(counts)
        first = tuple((self.ids[series], int(counts[series])) for series in some[:most].tolist())
        return Missing(self.n_missing, some.size, first)

    def series(self, index: int) -> NDArray[np.floating[Any]]:
        """Return one series as a view, [T, C]."""
        return self.values[self.offsets[index] : self.offsets[index + 1]]

    def last(self, points: int) -> NDArray[np.floating[Any]]:
        """Return the last points of every series, which has at least so many: a copy, [S, points, C]."""
        ends = [self.values[end - points : end] for end in self.offsets[1:].tolist()]
        return np.concatenate(ends).reshape(self.n_series, points, self.n_channels)

    def tails(self, points: int) -> Panel:
        """Return the last points of every series (all of a shorter one), still of the same kind.

        Args:
            points: how many, at least 1.

        Raises:
            ArgumentError: fewer than one point is asked for.
        """
        if points < 1:
            raise ArgumentError(fault("panel.tails", points=points))
        ends = self.offsets[1:]
        kept = np.minimum(self.lengths, points)

        def ends_of(rows: NDArray[Any]) -> NDArray[Any]:
            borders = zip((ends - kept).tolist(), ends.tolist(), strict=True)
            return np.concatenate([rows[first:end] for first, end in borders])

        times = None if self.times is None else ends_of(self.times)
        values, offsets = frozen(ends_of(self.values)), offsets_of(kept)
        beside = self.covariates and self.covariates.tails(self, points)
        before = self.lengths - kept + (0 if self.left_out is None else self.left_out)
        kept_rows = replace(self, values=values, offsets=offsets, times=times, origin=None)
        return replace(kept_rows, covariates=beside, left_out=before)

    def position(self, series: int, index: int) -> int:
        """Return the position, counted from the first point of a series as it came, of a point here."""
        return index + (0 if self.left_out is None else int(self.left_out[series]))

    def cut(self, points: int) -> Panel:
        """Return every series without its last points: what was known that many points ago.

        Covariates that are known ahead stay known.

        Args:
            points: how many, at least 0.

        Raises:
            ArgumentError: fewer than 0, or as many as the shortest series has.
        """
        if not 0 <= points < self.lengths.min():
            raise ArgumentError(fault("panel.cut", points=points, shortest=int(self.lengths.min())))
        ends = (self.offsets[1:] - points).tolist()

        def before(rows: NDArray[Any]) -> NDArray[Any]:
            borders = zip(self.offsets[:-1].tolist(), ends, strict=True)
            kept = [rows[first:end] for first, end in borders]
            return kept[0] if len(kept) == 1 else np.concatenate(kept)

        times = None if self.times is None else before(self.times)
        values, offsets = frozen(before(self.values)), offsets_of(self.lengths - points)
        beside = self.covariates and self.covariates.cut(self, points)
        return replace(self, values=values, offsets=offsets, times=times, origin=None, covariates=beside)

    def select(self, series: Sequence[int] | NDArray[np.int64]) -> Panel:
        """Return some of the series, in the order given, as a list of series.

        A frame's rows are not kept: forecasts of the series selected come as arrays.

        Args:
            series: their numbers, at least one.

        Raises:
            ArgumentError: no series, or a number that is none.
        """
        numbers = np.asarray(series, dtype=np.int64).ravel().tolist()
        if not numbers or min(numbers) < 0 or max(numbers) >= self.n_series:
            raise ArgumentError(fault("panel.select", got=numbers, n_series=self.n_series))
        borders = [(int(self.offsets[s]), int(self.offsets[s + 1])) for s in numbers]
        times = None if self.times is None else np.concatenate([self.times[a:b] for a, b in borders])
        return replace(
            self,
            values=frozen(np.concatenate([self.values[a:b] for a, b in borders])),
            offsets=offsets_of(self.lengths[numbers]),
            ids=tuple(self.ids[s] for s in numbers),
            kind="list",
            times=times,
            steps=tuple(self.steps[s] for s in numbers) if self.steps else (),
            columns=replace(self.columns, template=None) if self.columns else None,
            origin=None,
            covariates=self.covariates and self.covariates.of(self, numbers),
            left_out=None if self.left_out is None else self.left_out[numbers],
        )

    def future(self, horizon: int) -> NDArray[Any] | None:
        """Return the times that follow each series' own end, [S, K]; `None` without times."""
        if self.times is None:
            return None
        last = self.times[self.offsets[1:] - 1]
        future = np.empty((self.n_series, horizon), last.dtype)
        for step in dict.fromkeys(self.steps):
            rows = np.flatnonzero([own == step for own in self.steps])
            future[rows] = extend(last[rows], step, horizon)
        return future


def sealed(
    parts: Parts, *, missing: str = "refuse", step: TimeStep | None = None, gaps: str = "refuse"
) -> Panel:
    """Check numbers and times, find the steps, fill the gaps, and return the panel, its values read-only.

    Args:
        parts: what the caller's data was taken apart into.
        missing: "refuse" or "allow", see `to_panel`.
        step: the step that the rows must have; `None`: it is found.
        gaps: "refuse" or "fill", see `to_panel`.

    Raises:
        ArgumentError: a step is given, but no times; or it does not fit their unit.
        DataError: all faults together, those that were found before among them.
    """
    steps: tuple[TimeStep, ...] = ()
    late: list[Fault] = []
    if parts.times is not None:
        late, steps = examine(parts.times, parts.offsets, place=parts.place, step=step, gaps=gaps == "fill")
        if gaps == "fill" and not late:
            parts = filled(parts, steps)
    elif step is not None:
        raise ArgumentError(fault("time.freq-alone", freq=str(step)))
    if parts.columns is not None and parts.columns.layout == "wide":
        parts = cut(parts)
        steps = repeated(steps, len(parts.ids))
    values, offsets, allow = parts.values, parts.offsets, missing == "allow"
    finite = all_finite(values)
    faults = [*parts.faults, *late]
    if not finite:
        numbers = number_faults(values, offsets, parts.place, allow=allow, ids=parts.ids)
        faults = [*parts.faults, *numbers, *late]
    raise_any(DataError, faults)
    origin = None if parts.fetch is None else Origin(parts.rows, parts.fetch, parts.frame)
    sizes = filled_counts(parts) if gaps == "fill" else ()
    start = (frozen(values), offsets, parts.ids, parts.channels, parts.kind, parts.times, steps)
    panel = Panel(*start, parts.columns, sizes, origin)
    if finite:
        vars(panel)["n_missing"] = 0  # what would be counted when first asked for
    return panel


def frozen(values: NDArray[Any]) -> NDArray[Any]:
    """Return a view that cannot be written to."""
    view = values.view()
    view.flags.writeable = False
    return view
