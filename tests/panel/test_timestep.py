"""One step of the time axis: in words, continued, written."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.panel.helpers import fails
from unrolled import messages
from unrolled.errors import ArgumentError, DataError, KindError
from unrolled.timestep import FIXED, TimeStep, Unit, calendar, extend, fixed_step, normal, to_text


def dates(*texts: str, unit: str = "D") -> np.ndarray[Any, Any]:
    return np.array(texts, f"datetime64[{unit}]")


@pytest.mark.parametrize(
    ("step", "words", "chinese"),
    [
        (TimeStep(1, "M"), "1 month", "1 个月"),
        (TimeStep(3, "M", anchor=31), "3 months", "3 个月"),
        (TimeStep(12, "M"), "1 year", "1 年"),
        (TimeStep(24, "M"), "2 years", "2 年"),
        (TimeStep(1, "D"), "1 day", "1 天"),
        (TimeStep(7, "D"), "7 days", "7 天"),
        (TimeStep(1, "h"), "1 hour", "1 小时"),
        (TimeStep(6, "h"), "6 hours", "6 小时"),
        (TimeStep(1, "m"), "1 minute", "1 分钟"),
        (TimeStep(15, "m"), "15 minutes", "15 分钟"),
        (TimeStep(1, "s"), "1 second", "1 秒"),
        (TimeStep(2, "s"), "2 seconds", "2 秒"),
        (TimeStep(20, "ms"), "20 ms", "20 毫秒"),
        (TimeStep(1, "us"), "1 µs", "1 微秒"),
        (TimeStep(5, "ns"), "5 ns", "5 纳秒"),
        (TimeStep(1, "step"), "steps of 1", "步长 1"),
        (TimeStep(5, "step"), "steps of 5", "步长 5"),
    ],
)
def test_a_step_is_said_in_words(step: TimeStep, words: str, chinese: str) -> None:
    assert str(step) == words
    with messages.speaking("zh"):
        assert str(step) == chinese


@pytest.mark.parametrize(
    ("step", "season"),
    [
        (TimeStep(1, "M"), 12),
        (TimeStep(3, "M"), 4),
        (TimeStep(5, "M"), None),
        (TimeStep(12, "M"), None),
        (TimeStep(1, "D"), 7),
        (TimeStep(7, "D"), 52),
        (TimeStep(2, "D"), None),
        (TimeStep(1, "h"), 24),
        (TimeStep(6, "h"), 4),
        (TimeStep(30, "m"), 48),
        (TimeStep(1, "s"), None),
        (TimeStep(1, "step"), None),
    ],
)
def test_a_step_has_its_usual_season(step: TimeStep, season: int | None) -> None:
    assert step.season == season


@pytest.mark.parametrize(
    ("last", "step", "future"),
    [
        ("2020-01-31", TimeStep(1, "M", 31), ["2020-02-29", "2020-03-31", "2020-04-30"]),
        ("2021-02-28", TimeStep(1, "M", 31), ["2021-03-31", "2021-04-30", "2021-05-31"]),
        ("2021-02-28", TimeStep(1, "M", 28), ["2021-03-28", "2021-04-28", "2021-05-28"]),
        ("2021-02-28", TimeStep(1, "M", 30), ["2021-03-30", "2021-04-30", "2021-05-30"]),
        ("2021-01-30", TimeStep(1, "M"), ["2021-02-28", "2021-03-30", "2021-04-30"]),
        ("2019-12-31", TimeStep(3, "M", 31), ["2020-03-31", "2020-06-30", "2020-09-30"]),
        ("2020-02-29", TimeStep(12, "M", 31), ["2021-02-28", "2022-02-28", "2023-02-28"]),
        ("1969-12-31", TimeStep(1, "D"), ["1970-01-01", "1970-01-02", "1970-01-03"]),
        ("2020-02-27", TimeStep(7, "D"), ["2020-03-05", "2020-03-12", "2020-03-19"]),
        ("2020-02", TimeStep(1, "M", 31), ["2020-03", "2020-04", "2020-05"]),
        ("2020-02-29T18", TimeStep(6, "h"), ["2020-03-01T00:00", "2020-03-01T06:00", "2020-03-01T12:00"]),
        (
            "1952-01-31T12:30:00",
            TimeStep(1, "M", 31),
            ["1952-02-29T12:30:00", "1952-03-31T12:30:00", "1952-04-30T12:30:00"],
        ),
    ],
)
def test_dates_are_continued(last: str, step: TimeStep, future: list[str]) -> None:
    assert to_text(extend(np.datetime64(last), step, 3)) == future


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_the_unit_is_kept(unit: str) -> None:
    future = extend(np.datetime64("2020-01-31", unit), TimeStep(1, "M", 31), 2)
    assert future.dtype == f"datetime64[{unit}]"
    assert to_text(future) == ["2020-02-29T00:00:00", "2020-03-31T00:00:00"]


def test_integers_and_many_series_are_continued() -> None:
    assert extend(1960, TimeStep(1, "step"), 2).tolist() == [1961, 1962]
    assert extend(np.array([5, 7]), TimeStep(10, "step"), 2).tolist() == [[15, 25], [17, 27]]
    both = extend(dates("2020-01-31", "2020-02-15"), TimeStep(1, "M"), 1)
    assert to_text(both.ravel()) == ["2020-02-29", "2020-03-15"]
    assert extend(np.array([5, 7]), TimeStep(10, "step"), 0).shape == (2, 0)


def test_years_and_weeks_become_months_and_days() -> None:
    assert to_text(normal(dates("1949", "1950", unit="Y"))) == ["1949-01", "1950-01"]
    assert to_text(normal(dates("2020-01-02", unit="W"))) == ["2020-01-02"]
    assert normal(np.array([1, 2], np.uint8)).dtype == np.int64
    assert normal(np.array(["2020-01-01T00:15"], "datetime64[15m]")).dtype == "datetime64[m]"


def test_times_are_not_copied_in_vain() -> None:
    times = np.arange(10)
    assert np.shares_memory(normal(times), times)


@pytest.mark.parametrize(
    "times",
    [
        ["January"],
        [1.5],
        [True],
        [None],
        np.array(["2020"], "datetime64[as]"),
        np.array([3], "timedelta64[D]"),
    ],
)
def test_what_is_no_time_is_refused(times: Any) -> None:
    with fails(KindError, "the times are neither whole numbers nor dates"):
        normal(times)


def test_integers_beyond_64_bits_are_refused() -> None:
    with fails(KindError, "the times are neither whole numbers nor dates ... uint64"):
        normal(np.array([2**63], np.uint64))


@pytest.mark.parametrize(
    ("last", "step"),
    [
        (np.datetime64("2020-01-01"), TimeStep(1, "h")),
        (np.datetime64("2020-01"), TimeStep(1, "D")),
        (np.datetime64("2020-01-01"), TimeStep(1, "step")),
        (5, TimeStep(1, "M")),
        (5, TimeStep(1, "D")),
    ],
)
def test_a_step_of_another_kind_is_refused(last: Any, step: TimeStep) -> None:
    with fails(ArgumentError, "the step does not fit the times ... multiples of the unit of the times"):
        extend(last, step, 2)


@pytest.mark.parametrize(
    ("last", "step"),
    [
        (2**63 - 3, TimeStep(1, "step")),
        (np.datetime64("2262-04-11", "ns"), TimeStep(1, "h")),
        (np.datetime64("2262-01-31", "ns"), TimeStep(1, "M", 31)),
    ],
)
def test_a_future_that_does_not_fit_is_refused(last: Any, step: TimeStep) -> None:
    with fails(DataError, "the future does not fit into the unit of the times ... 50 times"):
        extend(last, step, 50)


def test_times_are_written_in_the_resolution_in_which_they_came() -> None:
    assert to_text(np.array([1949, 1950])) == [1949, 1950]
    assert to_text(dates("1949-01", unit="M"), utc=True) == ["1949-01"]
    assert to_text(dates("1949-01-31"), utc=True) == ["1949-01-31"]
    assert to_text(dates("2020-01-01T05", unit="h")) == ["2020-01-01T05:00"]
    assert to_text(dates("2020-01-01T05:06", unit="m"), utc=True) == ["2020-01-01T05:06Z"]
    assert to_text(dates("2020-01-01T05:06:07", unit="ns")) == ["2020-01-01T05:06:07"]
    mixed = dates("2020-01-01T05:06:07", "2020-01-01T05:06:07.5", unit="us")
    assert to_text(mixed) == ["2020-01-01T05:06:07.000", "2020-01-01T05:06:07.500"]


def test_dates_are_taken_apart_before_1970_too() -> None:
    parts = calendar(dates("1969-02-28T23:59:59", "2020-02-29T00:00:01", unit="s"))
    assert parts.month.tolist() == [-11, 601]
    assert parts.day.tolist() == [28, 29]
    assert parts.last_day.tolist() == [28, 29]
    assert parts.clock.tolist() == [86399, 1]


@given(st.integers(1, 10**6), st.sampled_from(list(FIXED)))
def test_a_length_is_said_in_the_longest_unit(count: int, unit: Unit) -> None:
    step = fixed_step(count, unit)
    assert step.count * FIXED[step.unit] == count * FIXED[unit]
    longer = [size for size in FIXED.values() if size > FIXED[step.unit]]
    assert all(count * FIXED[unit] % size for size in longer)


@given(st.integers(-2000, 4000), st.integers(1, 31), st.integers(1, 40), st.integers(1, 30))
def test_months_never_skip(start: int, anchor: int, count: int, horizon: int) -> None:
    first = np.datetime64(start, "M").astype("datetime64[D]")
    parts = calendar(extend(first, TimeStep(count, "M", anchor), horizon))
    assert parts.month.tolist() == [start + count * k for k in range(1, horizon + 1)]
    assert (parts.day == np.minimum(anchor, parts.last_day)).all()


@given(st.integers(1, 12), st.integers(0, 30), st.integers(0, 30), st.integers(0, 20000))
def test_to_go_twice_is_to_go_once_further(count: int, k: int, more: int, day: int) -> None:
    for step in (TimeStep(count, "M", 31), TimeStep(count, "D")):
        start = np.datetime64("1960-01-01") + np.timedelta64(day, "D")
        whole = extend(start, step, k + more + 1)
        again = extend(whole[k], step, more)
        assert again.tolist() == whole[k + 1 :].tolist()
