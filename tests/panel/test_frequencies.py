"""The words for a step of time, and business days as a step."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.panel.helpers import fails
from unrolled.errors import ArgumentError, DataError, raise_any
from unrolled.frequencies import to_step
from unrolled.grid import positions
from unrolled.panel import to_panel
from unrolled.timeaxis import examine, find_step
from unrolled.timestep import TimeStep, business_number, extend, weekday


@pytest.mark.parametrize(
    ("freq", "step"),
    [
        ("ns", TimeStep(1, "ns")),
        ("us", TimeStep(1, "us")),
        ("ms", TimeStep(1, "ms")),
        ("s", TimeStep(1, "s")),
        ("S", TimeStep(1, "s")),
        ("min", TimeStep(1, "m")),
        ("T", TimeStep(1, "m")),
        ("m", TimeStep(1, "m")),
        ("15min", TimeStep(15, "m")),
        ("15m", TimeStep(15, "m")),
        ("1h30min", TimeStep(90, "m")),
        ("120min", TimeStep(2, "h")),
        ("h", TimeStep(1, "h")),
        ("H", TimeStep(1, "h")),
        ("hourly", TimeStep(1, "h")),
        ("D", TimeStep(1, "D")),
        ("7D", TimeStep(7, "D")),
        ("B", TimeStep(1, "B")),
        ("business day", TimeStep(1, "B")),
        ("Business days", TimeStep(1, "B")),
        ("W", TimeStep(7, "D")),
        ("2W", TimeStep(14, "D")),
        ("W-SUN", TimeStep(7, "D")),
        ("M", TimeStep(1, "M")),
        ("1mo", TimeStep(1, "M")),
        ("3 months", TimeStep(3, "M")),
        ("MS", TimeStep(1, "M", 1)),
        ("ME", TimeStep(1, "M", 31)),
        ("month end", TimeStep(1, "M", 31)),
        ("Q", TimeStep(3, "M")),
        ("QS", TimeStep(3, "M", 1)),
        ("QS-OCT", TimeStep(3, "M", 1)),
        ("QE-DEC", TimeStep(3, "M", 31)),
        ("Y", TimeStep(12, "M")),
        ("YS", TimeStep(12, "M", 1)),
        ("2YE", TimeStep(24, "M", 31)),
        ("monthly", TimeStep(1, "M")),
        ("5i", TimeStep(5, "step")),
        (5, TimeStep(5, "step")),
        (np.int32(5), TimeStep(5, "step")),
        (dt.timedelta(hours=6), TimeStep(6, "h")),
        (np.timedelta64(90, "m"), TimeStep(90, "m")),
        (np.timedelta64(1, "Y"), TimeStep(12, "M")),
        (pd.offsets.MonthEnd(), TimeStep(1, "M", 31)),
        (TimeStep(3, "h"), TimeStep(3, "h")),
    ],
)
def test_a_frequency_is_a_step(freq: Any, step: TimeStep) -> None:
    assert to_step(freq) == step


@pytest.mark.parametrize(
    "freq", ["", "fortnight", "0D", "-1D", "1.5h", "BMS", "bh", "1h1M", 0, -3, 1.5, True, dt.timedelta(0), []]
)
def test_what_is_no_frequency_is_refused(freq: Any) -> None:
    with fails(ArgumentError, f'freq is not a step of time ... "15min" ... got: {freq!r} ... try: freq='):
        to_step(freq)


@pytest.mark.parametrize(
    "freq", ["15min", "h", "6h", "D", "7D", "B", "W", "MS", "ME", "QS", "QE", "YS", "YE", "3s", "2ME"]
)
@pytest.mark.parametrize("start", ["2019-12-27", "2020-02-28", "2023-06-01"])
def test_steps_found_are_steps_given_and_pandas_goes_on_alike(freq: str, start: str) -> None:
    times = pd.date_range(start, periods=40, freq=freq)
    found = find_step(times[:20].to_numpy())
    assert found == find_step(times[:20].to_numpy(), step=to_step(freq))
    assert (found.count, found.unit) == (to_step(freq).count, to_step(freq).unit)
    assert extend(times[19].to_numpy(), found, 20).tolist() == times[20:].to_numpy().tolist()


def test_business_days_are_said_and_have_a_season() -> None:
    assert str(TimeStep(1, "B")) == "1 business day"
    assert str(TimeStep(2, "B")) == "2 business days"
    assert (TimeStep(1, "B").season, TimeStep(2, "B").season) == (5, None)


def test_a_weekend_is_followed_by_monday() -> None:
    days = np.array(["2024-01-05", "2024-01-06", "2024-01-07", "2024-01-08"], "datetime64[D]")
    assert weekday(days).tolist() == [4, 5, 6, 0]
    after = extend(days, TimeStep(1, "B"), 1)[:, 0]
    assert after.astype(str).tolist() == ["2024-01-08"] * 3 + ["2024-01-09"]


@given(st.integers(-(10**5), 10**5), st.integers(0, 400))
def test_business_days_are_counted_as_numpy_does(start: int, span: int) -> None:
    first, last = np.datetime64(start, "D"), np.datetime64(start + span, "D")
    if np.is_busday(first) and np.is_busday(last):
        numbers = business_number(np.array([first, last]))
        assert int(np.diff(numbers)[0]) == np.busday_count(first, last)


def test_weekdays_within_one_week_are_days_and_mondays_are_weeks() -> None:
    week = np.arange("2024-01-01", "2024-01-06", dtype="datetime64[D]")
    assert find_step(week) == TimeStep(1, "D")
    assert find_step(week, step=TimeStep(1, "B")) == TimeStep(1, "B")
    assert find_step(week[:1] + 7 * np.arange(9)) == TimeStep(7, "D")
    hours = week.astype("datetime64[h]") + np.timedelta64(16, "h")
    friday_on = np.append(hours[3:], hours[:1] + np.timedelta64(168, "h"))
    assert find_step(friday_on) == TimeStep(1, "B")


@pytest.mark.parametrize(
    ("times", "freq", "says"),
    [
        (["2024-01-05", "2024-01-06"], "B", "position 1 ... by 1 business day ... 2024-01-08 ... 2024-01-06"),
        (["2024-01-05", "2024-01-09"], "B", "position 1 ... by 1 business day ... 2024-01-08 ... 2024-01-09"),
        (
            ["2024-01-06", "2024-01-08"],
            "B",
            "position 0 ... 1 business day ... 2024-01-05 or 2024-01-08 ... 01-06",
        ),
        (["2024-01-15", "2024-02-15"], "MS", "position 1 ... by 1 month ... 2024-02-01 ... 2024-02-15"),
        (
            ["2024-01-15"],
            "MS",
            "position 0 ... 1 month ... 2024-01-01 or 2024-02-01 ... 2024-01-15 ... freq=",
        ),
        (["2024-01-01", "2024-01-02", "2024-01-04"], "D", "position 2 ... by 1 day ... 2024-01-03"),
    ],
)
def test_times_beside_the_given_step_are_named(times: list[str], freq: str, says: str) -> None:
    with fails(DataError, says):
        find_step(np.array(times, "datetime64[D]"), step=to_step(freq))


@pytest.mark.parametrize(
    ("times", "freq"),
    [
        ([1, 2, 3], "D"),
        ([1, 2, 3], "B"),
        ([1, 2, 3], "MS"),
        (np.array(["2024-01-01", "2024-01-02"], "datetime64[D]"), "h"),
        (np.array(["2024-01-01", "2024-01-02"], "datetime64[D]"), 1),
        (np.array(["2024-01", "2024-02"], "datetime64[M]"), "B"),
    ],
)
def test_a_frequency_of_another_kind_is_refused(times: Any, freq: Any) -> None:
    with fails(ArgumentError, "the step does not fit the times"):
        find_step(times, step=to_step(freq))


def test_a_frequency_lets_one_row_be_enough() -> None:
    frame = pd.DataFrame({"ds": pd.to_datetime(["2024-01-31"]), "y": [1.0]})
    assert to_panel(frame, freq="ME").steps == (TimeStep(1, "M", 31),)
    with fails(DataError, 'one row only ... freq="D"'):
        to_panel(frame)


def test_a_frequency_without_times_is_refused() -> None:
    with fails(ArgumentError, "freq is given, but the series have no times ... '1 day'"):
        to_panel([1.0, 2.0], freq="D")


STEPS = st.sampled_from(
    [TimeStep(1, "h"), TimeStep(15, "m"), TimeStep(1, "D"), TimeStep(7, "D"), TimeStep(1, "B")]
    + [TimeStep(count, "M", day) for count in (1, 3, 12) for day in (1, 15, 31)]
)


@given(STEPS, st.integers(0, 20000), st.lists(st.integers(1, 3), min_size=1, max_size=9))
def test_positions_are_what_the_times_were_made_of(step: TimeStep, day: int, leaps: list[int]) -> None:
    gone = np.cumsum([0, *leaps])
    start = extend(np.datetime64(day, "D").astype("datetime64[m]"), step, 1)[0]
    axis = np.concatenate([[start], extend(start, step, int(gone[-1]))])
    found, astray = positions(axis[gone], np.array([0, gone.size]), [step])
    assert found.tolist() == gone.tolist()
    assert not astray.any()


@given(STEPS, st.integers(0, 20000), st.sets(st.integers(2, 38), max_size=8))
def test_steps_found_with_gaps_are_steps_given(step: TimeStep, day: int, holes: set[int]) -> None:
    start = extend(np.datetime64(day, "D").astype("datetime64[m]"), step, 1)[0]
    axis = np.concatenate([[start], extend(start, step, 39)])
    kept = axis[[row for row in range(40) if row not in holes]]
    faults, steps = examine(kept, np.array([0, kept.size]), gaps=True)
    raise_any(DataError, faults)
    assert steps == (find_step(axis),)
