"""Wide tables, one column a series: taken apart as one series of channels, then cut into series."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.parts import Parts, offsets_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unrolled.timestep import TimeStep


def cut(parts: Parts) -> Parts:
    """Turn the columns of a wide table into series that begin with their first value and end together.

    Shapes:
        parts.values: [T, S] of one series with S channels; returns [N, 1] of S series.

    Args:
        parts: a wide table as one series, its channels named by the columns.

    Returns:
        The parts, series by series. Of a column without any value one row is left.
    """
    length = len(parts.values)
    seen = ~np.isnan(parts.values)
    begins = np.where(seen.any(axis=0), seen.argmax(axis=0), length - 1)
    del seen
    offsets = offsets_of(length - begins)
    values = np.empty((int(offsets[-1]), 1), parts.values.dtype)
    for series, begin in enumerate(begins.tolist()):
        values[offsets[series] : offsets[series + 1], 0] = parts.values[begin:, series]

    def stacked(rows: Any) -> Any:
        return np.concatenate([rows[begin:] for begin in begins.tolist()])

    def place(row: int, channel: int | None) -> object:
        series = int(np.searchsorted(offsets, row, side="right")) - 1
        origin = row - int(offsets[series]) + int(begins[series])
        return parts.place(origin, None if channel is None else series)

    rows = np.arange(length) if parts.rows is None else parts.rows
    return parts._replace(
        values=values,
        offsets=offsets,
        ids=parts.channels,
        channels=("y",),
        times=None if parts.times is None else stacked(parts.times),
        rows=stacked(rows),
        place=place,
    )


def repeated(steps: Sequence[TimeStep], n_series: int) -> tuple[TimeStep, ...]:
    """Return the step of the table as the step of each of its series."""
    return tuple(steps) * n_series


def labels(series: Sequence[object], names: Sequence[str]) -> list[list[str]]:
    """Return the name of each series' columns in a wide answer, [S][C].

    The forecasts are called as the series itself; "y_hat_lo_80" is called "<series>_lo_80".
    """
    return [[f"{one}{name.removeprefix('y_hat')}" for name in names] for one in series]
