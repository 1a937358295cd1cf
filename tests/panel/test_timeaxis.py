"""A column of times: its step found, every row held against it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.panel.helpers import fails
from unrolled.errors import DataError, KindError, raise_any
from unrolled.timeaxis import TimeStep, examine, extend, find_step
from unrolled.timestep import FIXED, Unit


def dates(*texts: str) -> np.ndarray[Any, Any]:
    return np.array(texts, "datetime64[D]")


def check(*series: np.ndarray[Any, Any]) -> tuple[TimeStep, ...]:
    """Examine several series and raise what is found."""
    offsets = np.concatenate([[0], np.cumsum([len(one) for one in series])])
    faults, steps = examine(np.concatenate(series), offsets)
    raise_any(DataError, faults)
    return steps


@pytest.mark.parametrize(
    ("times", "step"),
    [
        (np.arange(1949, 1961), TimeStep(1, "step")),
        ([10, 15, 20], TimeStep(5, "step")),
        (np.arange("1949-01", "1950-01", dtype="datetime64[M]"), TimeStep(1, "M")),
        (np.array(["2020-01", "2020-04", "2020-07"], "datetime64[M]"), TimeStep(3, "M")),
        (np.arange("1949", "1960", dtype="datetime64[Y]"), TimeStep(12, "M")),
        (dates("2021-02-01", "2021-03-01"), TimeStep(1, "M", 1)),
        (dates("2020-01-31", "2020-02-29", "2020-03-31"), TimeStep(1, "M", 31)),
        (dates("2020-04-30", "2020-06-30"), TimeStep(2, "M", 31)),
        (dates("2020-01-30", "2020-02-29", "2020-03-30"), TimeStep(1, "M", 30)),
        (dates("2019-12-31", "2020-03-31", "2020-06-30"), TimeStep(3, "M", 31)),
        (dates("2020-01-01", "2021-01-01", "2022-01-01"), TimeStep(12, "M", 1)),
        (dates("2020-02-29", "2021-02-28", "2022-02-28"), TimeStep(12, "M", 31)),
        (dates("2021-01-31", "2021-02-28", "2021-03-28"), TimeStep(28, "D")),
        (dates("2021-01-03", "2021-01-31", "2021-02-28"), TimeStep(28, "D")),
        (dates("2020-02-27", "2020-02-28", "2020-02-29", "2020-03-01"), TimeStep(1, "D")),
        (dates("2020-01-06", "2020-01-13", "2020-01-20"), TimeStep(7, "D")),
        (np.arange("2020-01-01T00", "2020-01-03T00", 6, dtype="datetime64[h]"), TimeStep(6, "h")),
        (
            np.arange("2020-01-01T00:00", "2020-01-02T00:00", 15, "datetime64[m]").astype("datetime64[ns]"),
            TimeStep(15, "m"),
        ),
    ],
)
def test_the_step_is_found(times: Any, step: TimeStep) -> None:
    assert find_step(times) == step


def test_a_step_may_be_given() -> None:
    assert find_step([7], step=TimeStep(2, "step")) == TimeStep(2, "step")
    assert find_step(dates("2021-02-01", "2021-03-01"), step=TimeStep(28, "D")) == TimeStep(28, "D")
    assert find_step(dates("2021-02-01", "2021-03-01"), step=TimeStep(1, "M")) == TimeStep(1, "M", 1)


def test_a_given_step_is_checked() -> None:
    with fails(DataError, "position 2 ... does not follow the row before it by steps of 2 ... 5 ... 4"):
        find_step([1, 3, 4, 5, 6, 7], step=TimeStep(2, "step"))
    with fails(DataError, "position 1 ... by 1 month ... 2020-02-01 ... 2020-03-01"):
        find_step(dates("2020-01-01", "2020-03-01", "2020-05-01"), step=TimeStep(1, "M"))
    with fails(DataError, "position 1 ... by 7 days ... 2020-01-08 ... 2020-01-02"):
        find_step(dates("2020-01-01", "2020-01-02"), step=TimeStep(7, "D"))


def test_one_row_has_no_step() -> None:
    with fails(DataError, "position 0 ... one row only ... at least two rows ... 2020-01-01"):
        find_step(dates("2020-01-01"))


def test_no_row_at_all_has_no_step() -> None:
    with fails(DataError, "there are no times"):
        find_step(np.zeros(0, np.int64))


def test_missing_times_are_named() -> None:
    with fails(DataError, "position 1 (counted from 0): the time is missing ... rows without a time: 2"):
        find_step(dates("2020-01-01", "NaT", "NaT"))


def test_text_is_no_time() -> None:
    with fails(KindError, "the times are neither whole numbers nor dates"):
        find_step(["2020-01-01", "2020-01-02"])


def test_a_time_that_comes_twice_is_named_with_both_rows() -> None:
    with fails(DataError, "position 2 ... 2020-01-02 comes twice ... already stands at position 1"):
        find_step(dates("2020-01-01", "2020-01-02", "2020-01-02", "2020-01-03"))
    with fails(DataError, "position 3 ... 1 comes twice ... already stands at position 0"):
        find_step([1, 2, 3, 1])


def test_times_out_of_order_are_named() -> None:
    with fails(DataError, "position 2 ... not in the order of time ... after 5 (position 1 ... 2"):
        find_step([1, 5, 2])


@pytest.mark.parametrize(
    ("times", "says"),
    [
        ([1, 2, 3, 5, 6], "position 3 ... by steps of 1 ... 4 ... 5"),
        ([1, 3, 4], "position 1 ... by steps of 1 ... 2 ... 3"),
        (
            dates("2020-01-01", "2020-01-02", "2020-01-04"),
            "position 2 ... by 1 day ... 2020-01-03 ... 2020-01-04",
        ),
        (
            dates("2020-01-01", "2020-02-01", "2020-04-01", "2020-05-01"),
            "position 2 ... by 1 month ... 2020-03-01 ... 2020-04-01",
        ),
        (
            dates("2020-01-31", "2020-02-29", "2020-04-30", "2020-05-31"),
            "position 2 ... by 1 month ... 2020-03-31 ... 2020-04-30",
        ),
        (
            dates("2020-01-01", "2020-02-01", "2020-03-02", "2020-04-01", "2020-05-01"),
            "position 2 ... by 1 month ... 2020-03-01 ... 2020-03-02",
        ),
        (
            dates("2020-01-02", "2020-02-01", "2020-03-01", "2020-04-01"),
            "position 1 ... by 1 month ... 2020-02-02 ... 2020-02-01",
        ),
        (
            dates("2020-01-01", "2021-01-01", "2023-01-01", "2024-01-01"),
            "position 2 ... by 1 year ... 2022-01-01 ... 2023-01-01",
        ),
        (
            np.array(["2020-01-01T00", "2020-02-01T00", "2020-03-01T06"], "datetime64[h]"),
            "position 2 ... by 1 month ... 2020-03-01T00:00 ... 2020-03-01T06:00",
        ),
        (np.array(["2020-01", "2020-02", "2020-04"], "datetime64[M]"), "by 1 month ... 2020-03 ... 2020-04"),
    ],
)
def test_an_irregular_row_is_named(times: Any, says: str) -> None:
    with fails(DataError, says):
        find_step(times)


def test_business_days_are_a_step() -> None:
    days = np.arange("2024-01-01", "2024-02-01", dtype="datetime64[D]")
    working = days[np.is_busday(days)]
    assert find_step(working) == TimeStep(1, "B")
    with fails(DataError, "position 5 ... by 1 business day ... 2024-01-08 ... 2024-01-09"):
        find_step(np.delete(working, 5))
    with fails(DataError, "position 2 ... does not follow the row before it by 1 day"):
        find_step(days[[0, 1, 3, 4, 5, 6, 7]])


def test_series_have_one_step_and_their_own_day() -> None:
    starts, middles = dates("2020-01-01", "2020-02-01"), dates("2020-01-15", "2020-02-15", "2020-03-15")
    ends, one = dates("2020-02-29", "2020-03-31"), dates("2020-02-29")
    assert [step.anchor for step in check(starts, middles, ends, one)] == [1, 15, 31, 29]
    assert [step.anchor for step in check(ends, one)] == [31, 31]
    assert {(step.count, step.unit) for step in check(starts, middles, ends, one)} == {(1, "M")}


def test_a_series_of_one_row_goes_by_the_step_of_the_others() -> None:
    assert check(np.array([1]), np.array([5, 8]), np.array([3])) == (TimeStep(3, "step"),) * 3


def test_a_series_with_another_step_is_named() -> None:
    days, weeks = (
        np.arange("2020-01-01", "2020-01-11", dtype="datetime64[D]"),
        dates("2020-01-01", "2020-01-08"),
    )
    with fails(DataError, "series that begins at position 10 ... 1 day from row to row ... 7 days"):
        check(days, weeks)


def test_the_first_fault_of_each_series_is_named_and_the_rest_counted() -> None:
    good, bad = np.arange(20), np.array([1, 2, 4, 6, 7])
    with fails(
        DataError, "position 22 ... position 27 ... position 32 ... position 37 ... position 42"
    ) as caught:
        check(good, *[bad] * 8)
    assert len(caught.value.faults) == 6
    assert "and 3 more like these" in str(caught.value)


def test_the_border_between_series_is_no_gap() -> None:
    assert check(np.array([5, 6]), np.array([1, 2]), np.array([1, 2])) == (TimeStep(1, "step"),) * 3


UNITS = st.sampled_from([unit for unit in FIXED if unit != "ns"])


@given(UNITS, st.integers(1, 27), st.integers(-(10**5), 10**5), st.integers(2, 8), st.integers(1, 8))
def test_the_future_continues_the_past(unit: Unit, count: int, start: int, known: int, horizon: int) -> None:
    times = (start + count * np.arange(known + horizon)).astype(f"datetime64[{unit}]")
    future = extend(times[known - 1], find_step(times[:known]), horizon)
    assert future.dtype == times.dtype
    assert future.tolist() == times[known:].tolist()


@given(st.integers(-(2**40), 2**40), st.integers(1, 2**40), st.integers(2, 8), st.integers(1, 8))
def test_the_future_continues_integers(start: int, count: int, known: int, horizon: int) -> None:
    times = start + count * np.arange(known + horizon)
    assert extend(times[known - 1], find_step(times[:known]), horizon).tolist() == times[known:].tolist()


@given(
    st.integers(-1000, 1000),
    st.integers(1, 24),
    st.sampled_from([*range(1, 28), 31]),
    st.integers(2, 8),
    st.integers(1, 8),
    st.sampled_from(["D", "h", "s", "us", "ns"]),
)
def test_the_future_continues_months(
    month: int, count: int, day: int, known: int, horizon: int, unit: str
) -> None:
    before = np.datetime64(month, "M").astype(f"datetime64[{unit}]")
    times = extend(before, TimeStep(count, "M", day), known + horizon)
    step = find_step(times[:known])
    assert step == TimeStep(count, "M", day)
    assert extend(times[known - 1], step, horizon).tolist() == times[known:].tolist()


@given(
    st.lists(st.tuples(st.integers(0, 500), st.integers(1, 6)), min_size=1, max_size=6), st.integers(1, 24)
)
def test_many_series_are_as_each_by_itself(series: list[tuple[int, int]], count: int) -> None:
    axes = [
        extend(np.datetime64(start, "M").astype("datetime64[D]"), TimeStep(count, "M", 31), rows + 1)
        for start, rows in series
    ]
    for axis, step in zip(axes, check(*axes), strict=True):
        assert step == find_step(axis)


@given(st.lists(st.integers(0, 6), min_size=2, max_size=8))
def test_whatever_comes_is_regular_or_named(times: list[int]) -> None:
    gaps = set(np.diff(times).tolist())
    if len(gaps) == 1 and min(gaps) > 0:
        assert find_step(times) == TimeStep(min(gaps), "step")
    else:
        with pytest.raises(DataError, match="position"):
            find_step(times)


def test_a_million_rows_take_no_time() -> None:
    import time

    times = np.tile(np.datetime64("2020-01-01", "us") + np.arange(1000) * np.timedelta64(1, "h"), 1000)
    start = time.process_time()
    assert not examine(times, np.arange(0, 10**6 + 1, 1000))[0]
    assert time.process_time() - start < 2.0
