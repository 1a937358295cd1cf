"""One task: series, what is forecast from where, and how it is judged. Knows no file and no method."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

COMPETITION = ("smape", "mase", "owa", "wql", "coverage_80", "coverage_95")
"""What is measured of most tasks."""

UNSEASONAL = ("smape", "mase", "wql", "coverage_80", "coverage_95")
"""Without a season Naive2 is the naive forecast, and OWA says no more than MASE."""

SQUARED = ("mse", "mae", "wql", "coverage_80", "coverage_95")
"""What papers on standardised series report."""

_CHUNK = 4_000_000
"""Forecasts are made and judged so many numbers at a time."""


@dataclass(frozen=True, eq=False)
class Task:
    """Forecasts of the end of each series, from `origins` places, `stride` apart; the last one ends it.

        | what is fitted           | K | K | K |       origins 3, stride K
                                   ^ first

    Args:
        name: of the task; the set's own where it has one task only.
        title: what it is.
        series: S series `[T]` by name, the test part included; NaN is missing.
        horizon: K.
        season: points in a season, as the methods are told it; None for none.
        scaled_by: the season of the scale of MASE.
        origins: forecasts of each series.
        stride: points between two of them.
        together: whether one network learns all series; else each gets its own, and seconds are summed.
        window: points before the origin that a forecast may read; None for all.
        validation: points before the first origin by which weights are chosen; None for the default.
        ets_season: the season that AutoETS is told instead.
        metrics: what is measured.
    """

    name: str
    title: str
    series: Mapping[str, Numbers]
    horizon: int
    season: int | None
    scaled_by: int
    origins: int = 1
    stride: int = 1
    together: bool = True
    window: int | None = None
    validation: int | None = None
    ets_season: int | None = None
    metrics: tuple[str, ...] = COMPETITION

    def __post_init__(self) -> None:
        for name, one in self.series.items():
            if self._first(one) < 2:
                needed = self.reach + 2
                raise ValueError(f"{self.name}: expected at least {needed} points; {name} has {len(one)}")

    @property
    def reach(self) -> int:
        """Points of the test part."""
        return (self.origins - 1) * self.stride + self.horizon

    @property
    def rows(self) -> int:
        """All forecasts: those of the first series, then those of the second, ..."""
        return len(self.series) * self.origins

    def fitted(self) -> list[Numbers]:
        """Return what lies before the first forecast of each series."""
        return [one[: self._first(one)] for one in self.series.values()]

    def chunks(self) -> Iterator[slice]:
        """Cut the rows into parts of bounded size."""
        step = max(1, _CHUNK // self.horizon)
        return (slice(first, min(first + step, self.rows)) for first in range(0, self.rows, step))

    def truth(self, rows: slice) -> Numbers:
        """Return what came, `[R, K]`."""
        return np.stack([one[end : end + self.horizon] for one, end in self._places(rows)])

    def histories(self, rows: slice) -> list[Numbers]:
        """Return what each forecast may read, R series."""
        reads = self.window
        return [one[0 if reads is None else end - reads : end] for one, end in self._places(rows)]

    def trained(self) -> Task:
        """Return the same task on the training part alone: its end is forecast in place of the test part."""
        kept = {name: one[: self._first(one)] for name, one in self.series.items()}
        return replace(self, series=kept)

    def apart(self) -> list[Task]:
        """Return one task for each series."""
        return [replace(self, series={name: one}) for name, one in self.series.items()]

    def _first(self, one: Numbers) -> int:
        return len(one) - self.reach

    def _places(self, rows: slice) -> Iterator[tuple[Numbers, int]]:
        series = list(self.series.values())
        for row in range(rows.start, rows.stop):
            one = series[row // self.origins]
            yield one, self._first(one) + row % self.origins * self.stride
