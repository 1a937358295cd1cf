"""The engine's tables of a panel: its series with their features, and windows with room for what follows.

Knows panels, encoders and tables. Must not know networks.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from unrolled.engine import Table
from unrolled.errors import DataError, fault, warn
from unrolled.messages import text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unrolled.encoding import Encoder, Features
    from unrolled.engine import Array
    from unrolled.panel import Panel


class Cut(NamedTuple):
    """Windows of a table.

    Shapes:
        series, starts: [n].

    Attributes:
        table: what they are cut from.
        series: the number of the series of each.
        starts: the point of its series at which each begins; below 0 where it begins before the first one.
    """

    table: Table
    series: NDArray[np.int64]
    starts: NDArray[np.int64]

    def rows(self, which: slice | NDArray[np.int64]) -> Cut:
        """Return some of the windows, by number, as often as they are named."""
        return Cut(self.table, self.series[which], self.starts[which])


def check_positive(panel: Panel, scaling: str) -> None:
    """Refuse series with values that have no logarithm.

    Raises:
        DataError: naming the first of them.
    """
    wrong = np.flatnonzero((panel.values <= 0).any(axis=1))
    if wrong.size:
        series = int(np.searchsorted(panel.offsets, wrong[0], side="right")) - 1
        position = int(wrong[0] - panel.offsets[series])
        value = float(np.nanmin(panel.values[wrong[0]]))
        raise DataError(
            fault(
                "data.not-positive",
                scaling=scaling,
                series=panel.ids[series],
                position=position,
                value=value,
                count=wrong.size,
            )
        )


def with_features(table: Table, encoder: Encoder, panel: Panel, *, horizon: int) -> Table:
    """Return a table with the covariates of a panel, those known ahead for so many points behind its end."""
    features = encoder.apply(panel, panel.covariates, ahead_points=horizon)
    if features.unknown:
        told = ", ".join(f"{name} ({count})" for name, count in features.unknown.items())
        warn(text("covariates.unknown", columns=told))
    return set_beside(table, features)


def set_beside(table: Table, features: Features) -> Table:
    """Return a table with features beside its values."""
    return replace(
        table,
        features=features.features,
        feature_offsets=None if features.features is None else features.offsets,
        known=features.known,
        static=features.static,
    )


def path_of(cut: Cut, window: int, horizon: int) -> tuple[Table, Array]:
    """Return windows with room for what follows them, as series of their own, and their values.

    Covariates that are known only in the past are 0 behind the window, whatever the table holds there.

    Shapes:
        the values: [n, window + K, C], a view of those of the table returned.
    """
    table, series, starts = cut
    points, channels = window + horizon, table.values.shape[1]
    values = np.full((len(series), points, channels), np.nan, table.values.dtype)
    features = None
    if table.features is not None and table.feature_offsets is not None:
        features = np.zeros((len(series), points, table.features.shape[1]), table.features.dtype)
    for row, (s, start) in enumerate(zip(series.tolist(), starts.tolist(), strict=True)):
        first = max(start, 0)
        begin = int(table.offsets[s])
        values[row, first - start : window] = table.values[begin + first : begin + start + window]
        if features is not None:
            begin = int(table.feature_offsets[s])  # type: ignore[index]
            behind = min(start + points, int(table.feature_offsets[s + 1]) - begin)  # type: ignore[index]
            features[row, first - start : behind - start] = table.features[begin + first : begin + behind]  # type: ignore[index]
    offsets = np.arange(len(series) + 1, dtype=np.int64) * points
    path: dict[str, Any] = {}
    if features is not None:
        features[:, window:, table.known :] = 0
        path = {"features": features.reshape(len(series) * points, -1), "feature_offsets": offsets}
    static = None if table.static is None else table.static[series]
    made = Table(values.reshape(-1, channels), offsets, known=table.known, static=static, **path)
    return made, values


def ahead_of(cut: Cut, window: int, horizon: int) -> Array | None:
    """Return the features of the points that follow windows, [K, n, F]; None without features."""
    if cut.table.features is None:
        return None
    path, _ = path_of(cut, window, horizon)
    features = path.features.reshape(cut.series.size, window + horizon, -1)  # type: ignore[union-attr]
    return np.ascontiguousarray(features[:, window:].swapaxes(0, 1))
