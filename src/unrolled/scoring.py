"""How well a fitted model forecasts what came after the series that it was fitted on.

    ends of the fitted series + what came -> origins 0, K, 2K, ... -> forecasts -> mean absolute error

Every forecast reads only what lies before its origin. Knows models and panels.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.errors import DataError, fault
from unrolled.parts import offsets_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unrolled.model import Model
    from unrolled.panel import Panel


def rolling_error(model: Model, ends: Panel, later: Panel, *, threads: int) -> float:
    """Return the mean absolute error of forecasts of `later`, from an origin every K points.

    Of the last forecast of a series, those points count that are there; missing points count nowhere.

    Args:
        model: fitted.
        ends: of the series that it was fitted on.
        later: what came after these ends, each point once.
        threads: at most so many.

    Raises:
        DataError: these are other series, or do not go on where the fitted ones end.
    """
    whole, numbers = _joined(ends, later)
    size, total = 0, 0.0
    known = ends.lengths[numbers]
    for origin in range(0, int(later.lengths.max()), model.horizon):
        rows = np.flatnonzero(later.lengths > origin)
        before = _until(whole, rows, known[rows] + origin)
        forecasts = model.forecast(before, threads=threads, known_as=numbers[rows])
        for row, forecast in zip(rows.tolist(), forecasts, strict=True):
            came = later.series(row)[origin : origin + model.horizon]
            errors = np.abs(forecast[: len(came)].astype(np.float64) - came)
            seen = ~np.isnan(came)
            size, total = size + int(seen.sum()), total + float(errors[seen].sum())
    return total / size


def _joined(ends: Panel, later: Panel) -> tuple[Panel, NDArray[np.int64]]:
    """Return what came behind the ends of the same series, and the number of each series in the ends."""
    names = {str(name): number for number, name in enumerate(ends.ids)}
    found = [names.get(str(name)) for name in later.ids]
    by_order = later.kind != "frame" and later.n_series != ends.n_series
    if None in found or by_order or later.n_channels != ends.n_channels:
        expected, got = ((one.n_series, one.n_channels) for one in (ends, later))
        raise DataError(
            fault("score.series", series=expected[0], channels=expected[1], got=got[0], got_channels=got[1])
        )
    numbers = np.array(found, np.int64)
    behind = _until(ends, numbers, ends.lengths[numbers])
    times = None
    if behind.times is not None and later.times is not None:
        _check_times(behind, later, later.times[later.offsets[:-1]])
        times = _mixed(behind, later, behind.times, later.times)
    values = _mixed(behind, later, behind.values, later.values)
    offsets = offsets_of(behind.lengths + later.lengths)
    return replace(behind, values=values, offsets=offsets, times=times), numbers


def _check_times(ends: Panel, later: Panel, first: NDArray[Any]) -> None:
    """Refuse series whose first times do not follow the ends of the same series."""
    follow = ends.future(1)
    wrong = np.flatnonzero(first != follow[:, 0]) if follow is not None else np.empty(0, np.int64)
    if follow is not None and wrong.size:
        row = int(wrong[0])
        raise DataError(fault("score.times", series=later.ids[row], expected=follow[row, 0], got=first[row]))


def _mixed(ends: Panel, later: Panel, first: NDArray[Any], second: NDArray[Any]) -> NDArray[Any]:
    """Return the rows of each series in the ends and behind them those that came."""
    parts = []
    for s in range(ends.n_series):
        parts += [
            first[ends.offsets[s] : ends.offsets[s + 1]],
            second[later.offsets[s] : later.offsets[s + 1]],
        ]
    return np.concatenate(parts)


def _until(panel: Panel, rows: NDArray[np.int64], points: NDArray[np.int64]) -> Panel:
    """Return the first points of some of the series."""
    own = panel.select(rows)
    cuts = [
        slice(start, start + count)
        for start, count in zip(own.offsets[:-1].tolist(), points.tolist(), strict=True)
    ]
    times = None if own.times is None else np.concatenate([own.times[cut] for cut in cuts])
    values = np.concatenate([own.values[cut] for cut in cuts])
    return replace(own, values=values, offsets=offsets_of(points), times=times, covariates=None)
