"""Many series as one flat buffer and offsets: what the rest of the package computes on.

Arrays, lists and data frames come in, and the answer goes out in the caller's kind. Everything that can be
wrong with the numbers and the times is found here, once. Knows nothing of files, windows or networks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from unrolled.arrays import from_array, from_list, is_list_of_series
from unrolled.errors import ArgumentError, DataError, Fault, fault, raise_any
from unrolled.parts import Columns, Kind, Parts, offsets_of
from unrolled.places import named
from unrolled.timeaxis import examine, extend

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from unrolled.places import Locate
    from unrolled.timestep import TimeStep

__all__ = ["Columns", "Kind", "Panel", "answer", "as_cube", "hat_names", "sealed", "to_panel"]

_DTYPES = ("float32", "float64")

_BLOCK = 1 << 20
"""Numbers that are looked at together, so that a look at a large panel takes no memory to speak of."""


@dataclass(frozen=True, eq=False, repr=False)
class Panel:
    """Many series, one after the other in one buffer, read-only.

    Shapes:
        values: [N, C], N points of all S series together; offsets: [S + 1]; times: [N].

    Args:
        values: the numbers, C-contiguous, float32 or float64, all finite.
        offsets: series s is `values[offsets[s] : offsets[s + 1]]`; none is empty.
        ids: the name of each series.
        channels: the name of each channel.
        kind: what the caller gave.
        times: int64 or datetime64, rising by one step in each series; or `None`.
        steps: the step of each series, equal but for the day of the month aimed at; empty without times.
        columns: what the columns were called, where the series came from a table.

    Example:
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
        return replace(self, values=_frozen(ends_of(self.values)), offsets=offsets_of(kept), times=times)

    def cut(self, points: int) -> Panel:
        """Return every series without its last points: what was known that many points ago.

        Args:
            points: how many, at least 0.

        Raises:
            ArgumentError: fewer than 0, or as many as the shortest series has.
        """
        if not 0 <= points < self.lengths.min():
            raise ArgumentError(fault("panel.cut", points=points, shortest=int(self.lengths.min())))

        def kept(rows: NDArray[Any]) -> NDArray[Any]:
            borders = zip(self.offsets[:-1].tolist(), self.offsets[1:].tolist(), strict=True)
            return np.concatenate([rows[first : end - points] for first, end in borders])

        times = None if self.times is None else kept(self.times)
        offsets = offsets_of(self.lengths - points)
        return replace(self, values=_frozen(kept(self.values)), offsets=offsets, times=times)

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
            values=_frozen(np.concatenate([self.values[a:b] for a, b in borders])),
            offsets=offsets_of(self.lengths[numbers]),
            ids=tuple(self.ids[s] for s in numbers),
            kind="list",
            times=times,
            steps=tuple(self.steps[s] for s in numbers) if self.steps else (),
            columns=replace(self.columns, template=None) if self.columns else None,
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


def to_panel(
    y: object,
    *,
    dtype: str = "float32",
    id_col: str | None = "unique_id",
    time_col: str | None = "ds",
    target_col: str | Sequence[str] = "y",
) -> Panel:
    """Turn what the caller has into a panel, and check all of it.

    Shapes:
        y: [T] one series; [T, C] one series of C channels; [S, T, C] S series of one length; a list of S
            series; a frame in long format.

    Args:
        y: an array, a list of numbers, a list of arrays, a data frame, or a panel. It is never changed, and a
            contiguous array that already has the dtype is not copied: where memory counts, [S, T, C] takes
            half of what a list takes.
        dtype: "float32" or "float64".
        id_col: frames only: the column that tells the series apart. The default may be absent: one series.
        time_col: frames only: the column of the times. The default may be absent: rows in order.
        target_col: frames only: the column to forecast, or several: channels forecast together.

    Returns:
        The panel; series in the order in which they first appear.

    Raises:
        ArgumentError: the dtype is neither float32 nor float64.
        KindError: y is of a kind that is not understood.
        DataError: the numbers or the times do not fit; all faults of the call, the first of them by name.

    Example:
        >>> to_panel([[1, 2, 3], [4, 5]]).lengths.tolist()
        [3, 2]
    """
    if dtype not in _DTYPES:
        raise ArgumentError(fault("panel.dtype", dtype=dtype))
    if isinstance(y, Panel):
        return y if y.values.dtype == dtype else replace(y, values=_frozen(y.values.astype(dtype)))
    if is_list_of_series(y):
        return sealed(from_list(cast("Sequence[object]", y), dtype))
    if not isinstance(y, list | tuple | np.ndarray):
        from unrolled import frames  # narwhals is loaded only where something may be a frame

        if frames.is_frame(y):
            return sealed(
                frames.read_frame(y, dtype, id_col=id_col, time_col=time_col, target_col=target_col)
            )
    return sealed(from_array(y, dtype))


def answer(panel: Panel, forecasts: ArrayLike) -> Any:
    """Return forecasts in the kind in which the caller gave the series.

    Shapes:
        forecasts: [S, K, C]; returns [K], [K, C], [S, K], [S, K, C], or a frame of S x K rows.

    Args:
        panel: the series that were forecast.
        forecasts: K values for each series and channel.

    Returns:
        A vector: (K,). A matrix: (K, C). Three axes: (S, K, C). A list: (S, K), or (S, K, C) with several
        channels. A frame: a frame of the same library with the id and time columns it had, and "y_hat" (with
        several channels, one column "<channel>_hat" each).

    Raises:
        ArgumentError: the forecasts are not of that shape.
        DataError: the times that follow cannot be said, in 64 bits or on the clocks of their zone.

    Example:
        >>> answer(to_panel([1.0, 2.0, 3.0]), [[[4.0], [5.0]]]).tolist()
        [4.0, 5.0]
    """
    cube = as_cube(panel, forecasts)
    if panel.kind == "vector":
        return cube[0, :, 0]
    if panel.kind == "matrix":
        return cube[0]
    if panel.kind == "frame" and panel.columns is not None and panel.columns.template is not None:
        from unrolled import frames

        return frames.write_frame(panel.columns, panel.future(cube.shape[1]), hat_names(panel), cube)
    return cube[:, :, 0] if panel.n_channels == 1 and panel.kind != "cube" else cube


def as_cube(panel: Panel, forecasts: ArrayLike) -> NDArray[Any]:
    """Return forecasts as [S, K, C], given so or in the shape that `answer` gives to arrays and lists."""
    given = np.asarray(forecasts)
    cube = given
    if panel.kind == "vector" and given.ndim == 1:
        cube = given[None, :, None]
    elif panel.kind == "matrix" and given.ndim == 2:
        cube = given[None]
    elif panel.n_channels == 1 and given.ndim == 2:
        cube = given[:, :, None]
    if cube.ndim != 3 or (cube.shape[0], cube.shape[2]) != (panel.n_series, panel.n_channels):
        expected = f"({panel.n_series}, K, {panel.n_channels})"
        raise ArgumentError(fault("panel.forecasts", expected=expected, shape=given.shape))
    return cube


def hat_names(panel: Panel) -> list[str]:
    """Return the name of the column of each channel's forecasts."""
    names = ["y_hat"] if panel.n_channels == 1 else [f"{channel}_hat" for channel in panel.channels]
    taken = {panel.columns.id, panel.columns.time} if panel.columns else set()
    return [name + "_" * (name in taken) for name in names]


def sealed(parts: Parts) -> Panel:
    """Check numbers and times, find the steps, and return the panel, its values read-only.

    Raises:
        DataError: all faults together, those that were found before among them.
    """
    values, offsets, times = parts.values, parts.offsets, parts.times
    faults = [*parts.faults, *_number_faults(values, offsets, parts.place)]
    steps: tuple[TimeStep, ...] = ()
    if times is not None:
        time_faults, steps = examine(times, offsets, place=parts.place)
        faults += time_faults
    raise_any(DataError, faults)
    return Panel(_frozen(values), offsets, parts.ids, parts.channels, parts.kind, times, steps, parts.columns)


def _number_faults(values: NDArray[Any], offsets: NDArray[np.int64], place: Locate) -> list[Fault]:
    """Describe, for each series, the first value that is missing and the first that is infinite."""
    size = max(1, _BLOCK // values.shape[1])
    blocks = (values[first : first + size] for first in range(0, len(values), size))
    if all(np.isfinite(block).all() for block in blocks):
        return []
    rows, channels = np.nonzero(~np.isfinite(values))
    missing = np.isnan(values[rows, channels])
    series = np.searchsorted(offsets, rows, side="right") - 1
    found: list[tuple[int, int, str]] = []  # (index into rows, how many, fault)
    for mask, name in ((missing, "panel.missing"), (~missing, "panel.infinite")):
        _, first, counts = np.unique(series[mask], return_index=True, return_counts=True)
        index = np.flatnonzero(mask)[first]
        found += [(*pair, name) for pair in zip(index.tolist(), counts.tolist(), strict=True)]

    def describe(one: tuple[int, int, str]) -> Fault:
        index, count, name = one
        return fault(
            name, place=place(int(rows[index]), int(channels[index])), count=count, dtype=values.dtype
        )

    return named(sorted(found), describe)


def _frozen(values: NDArray[Any]) -> NDArray[Any]:
    """Return a view that cannot be written to."""
    view = values.view()
    view.flags.writeable = False
    return view
