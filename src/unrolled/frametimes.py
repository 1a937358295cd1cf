"""Columns of times in data frames: zones, dates, periods; taken as NumPy counts them, given back alike."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import narwhals.stable.v1 as nw

from unrolled.errors import DataError, KindError, fault
from unrolled.timestep import TimeStep, calendar, normal

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SHORT = ("h", "m", "s", "ms", "us", "ns")
"""The units of steps that go by UTC rather than by the clock on the wall."""


def read_times(column: nw.Series[Any], step: TimeStep | None = None) -> tuple[NDArray[Any], bool]:
    """Return a time column as `normal` times, and whether they are in UTC.

    With a zone, the clock on the wall counts where it always shows the same time (days, months), else UTC.
    Periods of pandas are the times at which they begin.

    Args:
        column: the column of the times, none of them missing.
        step: the step that the rows are to have, where it is given.

    Raises:
        KindError: the column does not hold times.
    """
    utc = False
    if is_period(column.to_native()):
        return normal(column.to_native().dt.to_timestamp().to_numpy()), False
    if zone_of(column) is None:
        times = _plain(column)
    else:
        times = without_zone(column, utc=False)
        short = step is not None and step.unit in _SHORT
        utc = short or bool((calendar(times).clock != calendar(times[:1]).clock).any())
        times = without_zone(column, utc=True) if utc else times
    if times.dtype.kind not in "iuM":
        raise KindError(fault("time.kind", kind=f"{column.name!r}: {column.dtype}"))
    return normal(times), utc


def zone_of(column: nw.Series[Any]) -> Any:
    """Return the time zone of a column, or `None`.

    narwhals does not know pandas' zones with an underscore in their names (America/New_York): their dtype is
    unknown to it, and pandas' own methods are called here and in the two functions below.
    """
    if isinstance(column.dtype, nw.Datetime):
        return column.dtype.time_zone
    return getattr(getattr(column.to_native(), "dtype", None), "tz", None)


def without_zone(column: nw.Series[Any], *, utc: bool) -> NDArray[Any]:
    """Return what the clocks show, in UTC or in the zone of the column."""
    if column.dtype == nw.Unknown:
        clock = column.to_native().dt
        times: NDArray[Any] = (clock.tz_convert("UTC").dt if utc else clock).tz_localize(None).to_numpy()
        return times
    return _plain((column.dt.convert_time_zone("UTC") if utc else column).dt.replace_time_zone(None))


def _with_zone(column: nw.Series[Any], template: nw.Series[Any], *, utc: bool) -> nw.Series[Any]:
    """Return the same moments in the zone of the template."""
    zone = zone_of(template)
    if template.dtype == nw.Unknown:
        native = column.to_native().dt.tz_localize("UTC" if utc else zone).dt.tz_convert(zone)
        return nw.from_native(native, series_only=True)
    return column.dt.replace_time_zone("UTC" if utc else zone).dt.convert_time_zone(zone)


def _plain(column: nw.Series[Any]) -> NDArray[Any]:
    """Return a time column as NumPy holds it; dates that came as objects are turned."""
    times = column.to_numpy()
    dates = times.dtype == object and all(type(one) is datetime.date for one in times)
    return times.astype("datetime64[D]") if dates else times


def time_column(template: nw.Series[Any], future: NDArray[Any], *, utc: bool) -> nw.Series[Any]:
    """Return future times as a column with the name and the dtype of the template.

    Raises:
        DataError: a time of day does not exist in the zone of the template.
    """
    dtype, native, backend = template.dtype, template.to_native(), template.implementation
    if dtype == nw.Object:
        return nw.new_series(template.name, future.astype(object), backend=backend)
    column = nw.new_series(template.name, future, backend=backend)
    if zone_of(template) is not None:
        try:
            column = _with_zone(column, template, utc=utc)
        except Exception as error:  # every library has its own kinds
            reason = str(error).split("\n")[0]
            raise DataError(fault("time.no-such-clock", zone=zone_of(template), reason=reason)) from error
    if dtype != nw.Unknown:
        column = column.cast(dtype)
    if hasattr(native, "astype") and column.to_native().dtype != native.dtype:  # pandas has more dtypes
        return nw.from_native(column.to_native().astype(native.dtype), series_only=True)
    return column


def is_period(native: Any) -> bool:
    """Whether a column, or a level of an index, holds periods of pandas."""
    return str(getattr(native, "dtype", "")).startswith("period[")
