"""Many series as one flat buffer and offsets: what the rest of the package computes on.

Arrays, lists and data frames come in, and the answer goes out in the caller's kind. Everything that can be
wrong with the numbers and the times is found here, once. Knows nothing of files, windows or networks.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from unrolled.arrays import from_array, from_list, is_list_of_series
from unrolled.errors import ArgumentError, fault, raise_any
from unrolled.frequencies import to_step
from unrolled.parts import Columns, Kind, Origin, Parts
from unrolled.places import Place
from unrolled.series import Panel, frozen, sealed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from unrolled.timestep import TimeStep

__all__ = ["Columns", "Kind", "Panel", "answer", "as_cube", "hat_names", "modes", "sealed", "to_panel"]

_DTYPES = ("float32", "float64")


def to_panel(
    y: object,
    *,
    dtype: str = "float32",
    id_col: str | None = "unique_id",
    time_col: str | None = "ds",
    target_col: str | Sequence[str] = "y",
    layout: str = "long",
    missing: str = "refuse",
    freq: object = None,
    gaps: str = "refuse",
) -> Panel:
    """Turn what the caller has into a panel, and check all of it.

    Shapes:
        y: [T] one series; [T, C] one series of C channels; [S, T, C] S series of one length; a list of S
            series; a frame in long or wide layout, or a column of one.

    Args:
        y: an array, a list of numbers, a list of arrays, a data frame, or a panel. It is never changed, and a
            contiguous array that already has the dtype is not copied: where memory counts, [S, T, C] takes
            half of what a list takes.
        dtype: "float32" or "float64".
        id_col: frames only: the column that tells the series apart. The default may be absent: one series.
        time_col: frames only: the column of the times. Where it is absent, times in the index of pandas take
            its place; without these, the default means rows in order.
        target_col: frames only: the column to forecast, or several: channels forecast together. In wide
            layout the columns that are series; the default "y" means all columns of numbers.
        layout: frames only: "long", one row a time of a series; "wide", one column a series. A series in
            wide layout begins with its first value; all of them end with the last row.
        missing: "refuse" or "allow" values that are missing (NaN, null, empty); a series without any value is
            refused always.
        freq: the step between the rows, see `frequencies.to_step`; `None`: it is found.
        gaps: "refuse" times that are left out, or "fill" them with rows of missing values. The step is then
            the most common difference, where freq does not say it.

    Returns:
        The panel; series in the order in which they first appear.

    Raises:
        ArgumentError: the dtype, layout, missing, gaps or freq is not known, or freq does not fit the times,
            or those of a panel that has covariates already.
        KindError: y is of a kind that is not understood.
        DataError: the numbers or the times do not fit; all faults of the call, the first of them by name.

    Example:
        >>> to_panel([[1, 2, 3], [4, 5]]).lengths.tolist()
        [3, 2]
    """
    step = modes(dtype=dtype, layout=layout, missing=missing, freq=freq, gaps=gaps)
    how: dict[str, Any] = {"missing": missing, "step": step, "gaps": gaps}
    if isinstance(y, Panel):
        same = y.values.dtype == dtype
        return _again(y if same else replace(y, values=frozen(y.values.astype(dtype))), **how)
    if is_list_of_series(y):
        return sealed(from_list(cast("Sequence[object]", y), dtype), **how)
    if not isinstance(y, list | tuple | np.ndarray):
        from unrolled import frames  # narwhals is loaded only where something may be a frame

        if frames.is_frame(y):
            names: dict[str, Any] = {"id_col": id_col, "time_col": time_col, "target_col": target_col}
            return sealed(frames.read_frame(y, dtype, layout=layout, step=step, **names), **how)
        if frames.is_column(y):
            return sealed(frames.read_column(y, dtype, time_col=time_col, step=step), **how)
    return sealed(from_array(y, dtype), **how)


def modes(*, dtype: str, layout: str, missing: str, freq: object, gaps: str) -> TimeStep | None:
    """Check the arguments that all readers share, and return the step that `freq` means.

    Raises:
        ArgumentError: one of them is not known, or they do not fit each other; all faults at once.
    """
    faults = [] if dtype in _DTYPES else [fault("panel.dtype", dtype=dtype)]
    if layout not in ("long", "wide"):
        faults.append(fault("panel.layout", layout=layout))
    if missing not in ("refuse", "allow"):
        faults.append(fault("panel.missing-mode", missing=missing))
    if gaps not in ("refuse", "fill"):
        faults.append(fault("panel.gaps-mode", gaps=gaps))
    elif gaps == "fill" and missing == "refuse":
        faults.append(fault("panel.gaps-missing", missing=missing))
    step = None
    try:
        step = None if freq is None else to_step(freq)
    except ArgumentError as error:
        faults += error.faults
    raise_any(ArgumentError, faults)
    return step


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
        several channels, one column "<channel>_hat" each); in wide layout one column a series, called as it
        was. A column of pandas, polars or pyarrow: a column of its name. Times that came as an index of
        pandas are the index of the answer.

    Raises:
        ArgumentError: the forecasts are not of that shape.
        DataError: the times that follow cannot be said, in 64 bits or on the clocks of their zone.

    Example:
        >>> answer(to_panel([1.0, 2.0, 3.0]), [[[4.0], [5.0]]]).tolist()
        [4.0, 5.0]
    """
    cube = as_cube(panel, forecasts)
    if panel.columns is not None and panel.columns.template is not None:
        from unrolled import framewriting

        future = panel.future(cube.shape[1])
        return framewriting.write_frame(panel.columns, future, hat_names(panel), cube, ids=panel.ids)
    if panel.kind == "vector":
        return cube[0, :, 0]
    if panel.kind == "matrix":
        return cube[0]
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


def _again(panel: Panel, *, missing: str, step: TimeStep | None, gaps: str) -> Panel:
    """Return a panel that fits what is asked of it now: no missing values, a given step, no gaps."""
    if step is None and not (missing == "refuse" and panel.n_missing):
        return panel

    def place(row: int, channel: int | None) -> Place:
        series = int(np.searchsorted(panel.offsets, row, side="right")) - 1
        values = {"series": panel.ids[series], "position": row - int(panel.offsets[series])}
        name = (
            "panel.position-series"
            if channel is None or panel.n_channels == 1
            else "panel.position-series-channel"
        )
        return Place(name, {**values, "channel": channel})

    start = (panel.values, panel.offsets, panel.ids, panel.channels, panel.kind, panel.times)
    more = panel.origin or Origin()
    parts = Parts(*start, place=place, rows=more.rows, fetch=more.fetch, frame=more.frame)
    new = sealed(parts, missing=missing, step=step, gaps=gaps)
    if panel.covariates is not None and len(new.values) != len(panel.values):
        raise ArgumentError(fault("panel.covariates-gaps", freq=str(step)))
    beside = panel.covariates
    return replace(new, columns=panel.columns, filled=panel.filled + new.filled, covariates=beside)
