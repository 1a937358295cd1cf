"""Forecasts of a series from many origins: closed loop, open loop, intervals, baselines.

    panel, origins -> windows -> all members -> forecasts, intervals     (closed loop)
                   -> windows that end later -> their first points       (open loop)

Knows models, panels and the baselines; must not know how good a forecast is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from unrolled.engine import Table
from unrolled.evaluation import BASELINES
from unrolled.explain.subject import room_ahead
from unrolled.tables import Cut, set_beside

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unrolled.model import Model
    from unrolled.outcome import Outcome
    from unrolled.panel import Panel
    from unrolled.scaling import SeriesScaling

    Numbers = NDArray[np.float64]

LEVELS = (80, 95)
"""The intervals that are told where enough was held out for them, in percent."""

_FROM_TRUTH = 100
"""Points of a series that are forecast from the true points before them at least, where there are so many."""


@dataclass(frozen=True, eq=False)
class Reader:
    """A model and a table of some series of a panel, from which it forecasts.

    Attributes:
        series: their numbers in the panel.
        table: them, scaled, with their features.
        last: the last origin that can be forecast from, of each.
        scaler: of all series of the panel where they were scaled once.
    """

    model: Model
    series: tuple[int, ...]
    table: Table
    last: NDArray[np.int64]
    scaler: SeriesScaling | None
    threads: int

    @classmethod
    def of(
        cls,
        model: Model,
        panel: Panel,
        series: tuple[int, ...],
        *,
        known_as: NDArray[np.int64] | None,
        threads: int,
    ) -> Reader:
        """Make the table."""
        some, scaler = panel.select(series), model.scaler_of(known_as)
        values = np.asarray(some.values, model.network.engine.dtype)
        if scaler is not None:
            values = scaler.of(np.array(series)).apply(values, some.offsets)
        table, last = Table(values, some.offsets), some.lengths
        if model.encoder is not None:
            room = room_ahead(some, model.horizon)
            table = set_beside(table, model.encoder.apply(some, some.covariates, ahead_points=room))
            last = last + room - model.horizon
        return cls(model, series, table, last, scaler, threads)

    def outcome(
        self, place: int, origins: NDArray[np.int64], *, horizon: int, probabilistic: bool = False
    ) -> Outcome:
        """Return what the networks say of the points from some origins of one series on."""
        rows = np.full(origins.size, place, np.int64)
        cut = Cut(self.table, rows, origins - self.model.windowing.window)
        model = replace(self.model, horizon=horizon)
        outcome = model.after(cut, threads=self.threads, probabilistic=probabilistic)
        scaler = None if self.scaler is None else self.scaler.of(np.full(origins.size, self.series[place]))
        return replace(outcome, scaler=scaler)

    def intervals(self, place: int, origins: NDArray[np.int64]) -> dict[int, tuple[Numbers, Numbers]]:
        """Return the intervals of every level that enough was held out for, each end [R, K, C]."""
        model, calibration = self.model, self.model.calibration
        levels = [] if calibration is None else [one for one in LEVELS if calibration.enough_for(one)]
        if calibration is None or not levels:
            return {}
        outcome = self.outcome(place, origins, horizon=model.horizon, probabilistic=model.samples)
        return {level: outcome.interval(level, calibration) for level in levels}


@dataclass(frozen=True, eq=False)
class Forecasts:
    """All forecasts of one channel of one series.

    Shapes:
        y_t: [T]; origins: [R]; closed_rk and each of baselines: [R, K]; of intervals: [2, R, K];
        firsts_t: [T + 1], the point after the last one too; NaN where there is none.

    Attributes:
        firsts_t: of each point, the forecast from the true points before it.
    """

    series: int
    channel: int
    y_t: Numbers
    origins: NDArray[np.int64]
    closed_rk: Numbers
    firsts_t: Numbers
    baselines: dict[str, Numbers]
    intervals: dict[int, Numbers]

    @property
    def truth_rk(self) -> Numbers:
        """What came after each origin; NaN where it is not known."""
        return self._after(self.y_t)

    @property
    def open_rk(self) -> Numbers:
        """The forecasts of the same points from the true points before each; NaN where they are not known."""
        return self._after(self.firsts_t)

    def _after(self, values_t: Numbers) -> Numbers:
        """Return the values of the K points from each origin on."""
        horizon = self.closed_rk.shape[1]
        padded = np.append(values_t, np.full(horizon + 1, np.nan))
        found: Numbers = padded[self.origins[:, None] + np.arange(horizon)]
        return found


def forecasts(
    reader: Reader,
    place: int,
    y_tc: Numbers,
    origins: NDArray[np.int64],
    first: int,
    season: int | None,
) -> list[Forecasts]:
    """Forecast one series from its origins, each channel by itself."""
    model, points = reader.model, len(y_tc)
    closed = reader.outcome(place, origins, horizon=model.horizon).point()
    intervals = reader.intervals(place, origins)
    from_truth = np.arange(
        max(first, min(int(origins[0]), points - _FROM_TRUTH)), int(reader.last[place]) + 1
    )
    firsts_tc = np.full((points + 1, y_tc.shape[1]), np.nan)
    # The first point of a forecast does not depend on how many follow it.
    ahead = min(model.horizon, model.windowing.horizon + 1)
    firsts_tc[from_truth] = reader.outcome(place, from_truth, horizon=ahead).point()[:, 0]
    baselines = {
        name: np.stack([baseline(y_tc[:origin], model.horizon, season=season) for origin in origins.tolist()])
        for name, baseline in BASELINES.items()
    }
    return [
        Forecasts(
            series=reader.series[place],
            channel=channel,
            y_t=y_tc[:, channel],
            origins=origins,
            closed_rk=np.asarray(closed[..., channel], np.float64),
            firsts_t=firsts_tc[:, channel],
            baselines={name: one[..., channel] for name, one in baselines.items()},
            intervals={level: np.stack(ends)[..., channel] for level, ends in intervals.items()},
        )
        for channel in range(y_tc.shape[1])
    ]
