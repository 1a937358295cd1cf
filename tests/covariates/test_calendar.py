"""Features of the time, held against the standard library."""

from __future__ import annotations

import calendar as standard
import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.panel.helpers import fails
from unrolled.calendar import CALENDAR, calendar_features
from unrolled.errors import ArgumentError, DataError

MOMENTS = st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2200, 1, 1))


def phases(moment: dt.datetime) -> dict[str, float]:
    """Return what each feature should be, by the standard library."""
    year, week, weekday = moment.isocalendar()
    weeks = dt.date(year, 12, 28).isocalendar().week
    days = 365 + standard.isleap(moment.year)
    return {
        "minute": moment.minute / 60,
        "hour": moment.hour / 24,
        "weekday": (weekday - 1) / 7,
        "monthday": (moment.day - 1) / standard.monthrange(moment.year, moment.month)[1],
        "week": (week - 1) / weeks,
        "month": (moment.month - 1) / 12,
        "quarter": (moment.month - 1) // 3 / 4,
        "yearday": (moment.timetuple().tm_yday - 1) / days,
    }


@given(st.lists(MOMENTS, min_size=1, max_size=5), st.sampled_from(["s", "ms", "us", "ns"]))
def test_the_standard_library_agrees(moments: list[dt.datetime], unit: str) -> None:
    times = np.array(moments, "datetime64[us]").astype(f"datetime64[{unit}]")
    columns, names = calendar_features(times, CALENDAR)
    assert columns.shape == (len(moments), len(names)) == (len(moments), 17)
    for row, moment in zip(columns, moments, strict=True):
        found = dict(zip(names, row.tolist(), strict=True))
        assert found.pop("weekend") == float(moment.weekday() >= 5)
        for name, phase in phases(moment).items():
            assert found[f"{name}_sin"] == pytest.approx(np.sin(2 * np.pi * phase), abs=1e-12)
            assert found[f"{name}_cos"] == pytest.approx(np.cos(2 * np.pi * phase), abs=1e-12)


@pytest.mark.parametrize("year", [2004, 2015, 2020, 2021, 2026])
def test_weeks_at_the_turn_of_the_year(year: int) -> None:
    days = [dt.date(year, 12, 25) + dt.timedelta(days=day) for day in range(20)]
    columns, _ = calendar_features(np.array(days, "datetime64[D]"), ["week"])
    angles = [2 * np.pi * phases(dt.datetime.combine(day, dt.time()))["week"] for day in days]
    np.testing.assert_allclose(columns, np.stack([np.sin(angles), np.cos(angles)], axis=1), atol=1e-12)


def test_a_month_stands_for_its_first_day() -> None:
    months = np.array(["2024-01", "2024-06"], "datetime64[M]")
    days = np.array(["2024-01-01", "2024-06-01"], "datetime64[D]")
    assert calendar_features(months, CALENDAR)[0].tolist() == calendar_features(days, CALENDAR)[0].tolist()


def test_names_come_in_the_order_asked_for() -> None:
    columns, names = calendar_features(
        np.array(["2024-06-01T06:30"], "datetime64[m]"), ["weekend", "hour", "minute"]
    )
    assert names == ("weekend", "hour_sin", "hour_cos", "minute_sin", "minute_cos")
    np.testing.assert_allclose(columns, [[1, 1, 0, 0, -1]], atol=1e-12)


def test_no_names_are_no_features() -> None:
    assert calendar_features(np.arange(3), ())[0].shape == (3, 0)
    assert calendar_features(None, ())[1] == ()


def test_whole_numbers_have_no_calendar() -> None:
    with fails(
        DataError, "features of the calendar need dates ... int64 ... leave out calendar: month, hour"
    ):
        calendar_features(np.arange(3), ["month", "hour"])
    with fails(DataError, "features of the calendar need dates ... no times"):
        calendar_features(None, ["month"])


def test_unknown_names_are_refused_with_the_nearest() -> None:
    with fails(
        ArgumentError, "'weekdays' is no feature ... minute, hour ... try: 'weekday' ... 'month' ... twice"
    ):
        calendar_features(np.array(["2024-01-01"], "datetime64[D]"), ["weekdays", "month", "month"])
