"""Forecasts as frames of the library of the frame that came: long, wide, or one column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals.stable.v1 as nw
import numpy as np

from unrolled.frametimes import time_column
from unrolled.indexes import into_index
from unrolled.wide import labels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from unrolled.parts import Columns


def write_frame(
    columns: Columns,
    future: NDArray[Any] | None,
    names: Sequence[str],
    cube: NDArray[Any],
    *,
    ids: Sequence[object] = (),
) -> Any:
    """Return forecasts as a frame of the caller's library; see `panel.answer`.

    Shapes:
        future: [S, K]; cube: [S, K, C]; returns S x K rows, series by series; in wide layout K rows.

    Args:
        columns: the columns of the frame that came, with its template.
        future: the times of the forecasts, or `None`.
        names: what the forecasts of each channel are called.
        cube: the forecasts.
        ids: wide layout only: the name of each series. Its forecasts are called so too; where `names` holds
            "y_hat_lo_80", that column is called "<series>_lo_80".

    Raises:
        DataError: a time of day does not exist in the zone of the frame, where the clocks change.
    """
    template: nw.DataFrame[Any] = nw.from_native(columns.template, eager_only=True)
    backend = template.implementation
    out: list[nw.Series[Any]] = []
    if columns.layout == "wide":
        cube, names = _side_by_side(cube), [name for own in labels(ids, names) for name in own]
        future = None if future is None else future[:1]
    if columns.id is not None:
        rows = np.repeat(np.arange(cube.shape[0]), cube.shape[1])
        out.append(template[columns.id][rows.tolist()])
    if columns.time is not None and future is not None:
        out.append(time_column(template[columns.time], future.reshape(-1), utc=columns.utc))
    for channel, name in enumerate(names):
        out.append(nw.new_series(name, cube[:, :, channel].reshape(-1), backend=backend))
    frame = nw.maybe_reset_index(out[0].to_frame().with_columns(*out[1:])).to_native()
    frame = into_index(frame, columns.index)
    if columns.layout != "column":
        return frame
    column = nw.from_native(frame, eager_only=True)[names[0]].to_native()
    return nw.from_native(column, series_only=True).alias(columns.name).to_native()


def _side_by_side(cube: NDArray[Any]) -> NDArray[Any]:
    """Return [S, K, C] as [1, K, S x C]."""
    return np.moveaxis(cube, 0, 1).reshape(1, cube.shape[1], -1)
