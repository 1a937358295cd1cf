"""Missing values are refused or kept; gaps in the times are refused or filled."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.panel.helpers import fails
from unrolled.errors import ArgumentError, DataError
from unrolled.panel import Panel, to_panel
from unrolled.timestep import TimeStep

NAN = float("nan")


def listed(panel: Panel) -> list[list[float | None]]:
    """Return the numbers of the first channel of each series, None for what is missing."""
    series = [panel.series(s)[:, 0].tolist() for s in range(panel.n_series)]
    return [[None if one != one else one for one in own] for own in series]


@pytest.mark.parametrize(
    "y",
    [
        np.array([1.0, NAN, 3.0]),
        [1.0, None, 3.0],
        np.ma.array([1, 2, 3], mask=[False, True, False]),
        pd.Series([1, None, 3], dtype="Int64"),
        pl.Series([1, None, 3]),
        pd.DataFrame({"y": [1.0, None, 3.0]}),
        pd.DataFrame({"y": [1, pd.NA, 3]}, dtype=object),
        pd.DataFrame({"y": [1, "", 3]}, dtype=object),
        pl.DataFrame({"y": [1, None, 3]}),
        pl.DataFrame({"y": [1.0, NAN, 3.0]}),
    ],
)
def test_what_is_missing_becomes_nan(y: Any) -> None:
    panel = to_panel(y, missing="allow")
    assert listed(panel) == [[1, None, 3]]
    assert panel.n_missing == 1
    assert panel.missing_series() == (1, 1, ((0, 1),))
    with fails(DataError, 'the value is missing (NaN) ... in this series: 1 ... missing="allow"'):
        to_panel(y)


def test_missing_values_are_counted_and_the_first_series_named() -> None:
    panel = to_panel([[1.0, NAN], [2.0, 3.0], [NAN, NAN, 4.0], [NAN, 1.0]], missing="allow")
    assert panel.n_missing == 4
    assert panel.missing_series(2) == (4, 3, ((0, 1), (2, 2)))
    assert panel.tails(1).missing_series() == (1, 1, ((0, 1),))
    assert to_panel([1.0]).missing_series() == (0, 0, ())


def test_infinite_values_and_empty_series_stay_faults() -> None:
    with fails(DataError, "series 2 has no observed value ... 2 rows ... series 1, position 0 ... infinite"):
        to_panel([[1.0, NAN], [np.inf, NAN], [NAN, NAN]], missing="allow")
    with fails(DataError, "the series 'b' has no observed value ... leave this series out"):
        to_panel(pd.DataFrame({"unique_id": ["a", "b"], "y": [1.0, None]}), missing="allow")
    both = to_panel(np.array([[1.0, NAN], [2.0, NAN]]), missing="allow")
    assert both.n_missing == 2, "a channel may be missing as long as the series is not"


def test_a_panel_with_missing_values_is_refused_where_they_are() -> None:
    panel = to_panel([[1.0], [2.0, NAN]], missing="allow")
    assert to_panel(panel, missing="allow") is panel
    with fails(DataError, "series 1, position 1 (counted from 0): the value is missing"):
        to_panel(panel)
    double = to_panel(panel, dtype="float64", missing="allow")
    assert (double.values.dtype, double.n_missing, double.values.flags.writeable) == (np.float64, 1, False)
    two = to_panel([[[1.0, NAN]], [[2.0, 3.0]]], missing="allow")
    with fails(DataError, "series 0, position 0, channel 1 (counted from 0): the value is missing"):
        to_panel(two)


def test_modes_are_checked_all_at_once() -> None:
    with fails(
        ArgumentError,
        "dtype is not one ... layout is not known ... missing is not known ... gaps is not ... freq is",
    ):
        to_panel([1.0], dtype="int8", layout="tall", missing="drop", gaps="leave", freq="never")
    with fails(ArgumentError, 'become missing values, but these are refused ... missing="allow"'):
        to_panel([1.0], gaps="fill")


def days(*numbers: int, first: str = "2024-01-01") -> list[dt.date]:
    return [dt.date.fromisoformat(first) + dt.timedelta(number) for number in numbers]


def fill(frame: Any, **more: Any) -> Panel:
    return to_panel(frame, missing="allow", gaps="fill", **more)


def test_gaps_are_filled_with_rows_of_missing_values() -> None:
    names = ["b"] * 3 + ["a"] * 4
    frame = pl.DataFrame({"unique_id": names, "ds": days(0, 1, 4, 7, 8, 9, 10), "y": [1, 2, 3, 4, 5, 6, 7]})
    panel = fill(frame)
    assert listed(panel) == [[1, 2, None, None, 3], [4, 5, 6, 7]]
    assert panel.times is not None
    assert panel.times.tolist() == days(0, 1, 2, 3, 4, 7, 8, 9, 10)
    assert (panel.steps, panel.filled, panel.n_missing) == ((TimeStep(1, "D"),) * 2, (("b", 2),), 2)
    assert panel.origin is not None
    assert panel.origin.rows is not None
    assert panel.origin.rows.tolist() == [0, 1, -1, -1, 2, 3, 4, 5, 6]
    with fails(DataError, "row 2 ... series 'b': the time does not follow ... by 1 day ... gaps="):
        to_panel(frame, missing="allow")


def test_rows_that_alternate_keep_their_origin() -> None:
    frame = pl.DataFrame(
        {"unique_id": list("abab"), "ds": [1, 5, 3, 6], "y": [1, 5, 3, 6], "x": [10, 50, 30, 60]}
    )
    panel = fill(frame, freq=1)
    assert panel.origin is not None
    assert panel.origin.rows is not None
    assert panel.origin.rows.tolist() == [0, -1, 2, 1, 3]
    assert panel.origin.fetch is not None
    assert panel.origin.fetch("x")[panel.origin.rows[[0, 2, 3]]].tolist() == [10, 30, 50]
    assert panel.origin.fetch("unique_id").tolist() == list("abab")
    assert panel.origin.frame is frame
    with fails(DataError, "the frame has no column 'z' ... 'x'"):
        panel.origin.fetch("z")
    assert panel.tails(2).origin is None


@pytest.mark.parametrize(
    ("times", "freq", "step", "count"),
    [
        ([1, 3, 5, 9], None, TimeStep(2, "step"), 1),
        (
            pd.to_datetime(["2024-01-01", "2024-02-01", "2024-04-01", "2024-05-01"]),
            None,
            TimeStep(1, "M", 1),
            1,
        ),
        (pd.to_datetime(["2024-01-31", "2024-02-29", "2024-04-30"]), None, TimeStep(1, "M", 31), 1),
        (pd.to_datetime(["2024-01-04", "2024-01-05", "2024-01-08", "2024-01-10"]), None, TimeStep(1, "B"), 1),
        (pd.to_datetime(["2024-01-05", "2024-01-10"]), "B", TimeStep(1, "B"), 2),
        (pd.to_datetime(["2024-01-05", "2024-01-10"]), "D", TimeStep(1, "D"), 4),
        (pd.to_datetime(["2024-01-01", "2024-01-03"]), "12h", TimeStep(12, "h"), 3),
        (pd.to_datetime(["2020-01-01", "2021-01-01"]), "QS", TimeStep(3, "M", 1), 3),
        (pd.to_datetime(["2020-12-31", "2022-12-31"]), "YE", TimeStep(12, "M", 31), 1),
    ],
)
def test_steps_are_kept_over_gaps(times: Any, freq: Any, step: TimeStep, count: int) -> None:
    panel = fill(pd.DataFrame({"ds": times, "y": np.arange(len(times))}), freq=freq)
    assert (panel.steps, panel.filled) == ((step,), ((0, count),))
    assert listed(to_panel(panel, missing="allow", freq=freq)) == listed(panel)


def test_hours_with_a_zone_are_filled_by_utc() -> None:
    times = pd.to_datetime(["2024-03-31 00:00", "2024-04-01 00:00"]).tz_localize("Europe/Berlin")
    panel = fill(pd.DataFrame({"ds": times, "y": [1, 2]}), freq="h")
    assert panel.filled == ((0, 22),)
    assert fill(pd.DataFrame({"ds": times, "y": [1, 2]}), freq="D").filled == ()


@pytest.mark.parametrize(
    ("times", "freq", "says"),
    [
        (
            [1, 3, 5, 8],
            None,
            "row 3 ... column 'ds': the time stands between two steps of steps of 2 ... 7 or 9 ... 8",
        ),
        (days(0, 7, 14, 17), None, "row 3 ... 7 days ... 2024-01-15 or 2024-01-22 ... 2024-01-18 ... freq="),
        (days(0, 1, 5), "B", "row 2 ... 1 business day ... 2024-01-05 or 2024-01-08 ... 2024-01-06"),
        (days(0, 31, 61), "MS", "row 2 ... 1 month ... 2024-03-01 or 2024-04-01 ... 2024-03-02"),
        ([1, 2, 2], None, "row 2 ... the time 2 comes twice"),
        ([1, 3, 2], None, "row 2 ... the rows are not in the order of time"),
    ],
)
def test_times_that_fit_no_step_stay_faults(times: Any, freq: Any, says: str) -> None:
    if freq == "MS":
        times = [*times[:2], dt.date(2024, 3, 2)]
    with fails(DataError, says):
        fill(pl.DataFrame({"ds": times, "y": [1.0] * len(times)}), freq=freq)


def test_a_gap_that_no_memory_holds_is_refused() -> None:
    frame = pl.DataFrame({"ds": [1, 2, 10**15], "y": [1.0] * 3})
    with fails(
        DataError, "row 2 ... the gap before this row is too wide ... 1000000 ... 999999999999997 rows"
    ):
        fill(frame)


HOLES = st.lists(
    st.tuples(st.integers(3, 15), st.sets(st.integers(1, 13), max_size=4)), min_size=1, max_size=4
)


@given(HOLES, st.sampled_from(["h", "D", "B", "MS", "ME"]))
def test_what_was_filled_can_be_taken_out_again(series: list[tuple[int, set[int]]], freq: str) -> None:
    parts = []
    for index, (length, holes) in enumerate(series):
        times = pd.date_range("2024-01-31", periods=length, freq=freq)
        keep = [row for row in range(length) if row not in holes or row == length - 1]
        parts.append(pd.DataFrame({"unique_id": index, "ds": times[keep], "y": np.array(keep, float)}))
    frame = pd.concat(parts)
    panel = fill(frame, freq=freq)
    assert panel.times is not None
    assert panel.lengths.tolist() == [length for length, _ in series]
    there = ~np.isnan(panel.values[:, 0])
    assert panel.times[there].tolist() == frame["ds"].to_numpy().tolist()
    assert panel.values[there, 0].tolist() == frame["y"].tolist()
    assert sum(count for _, count in panel.filled) == int((~there).sum()) == panel.n_missing


@given(st.permutations([0, 0, 0, 1, 1, 2, 2, 2, 2]))
def test_how_the_rows_of_series_alternate_changes_nothing(turns: list[int]) -> None:
    seen = [0, 0, 0]
    rows = []
    for series in turns:
        rows.append((f"s{series}", 2 * seen[series] + (seen[series] > 1) * 2, 10 * series + seen[series]))
        seen[series] += 1
    frame = pl.DataFrame(rows, schema=["unique_id", "ds", "y"], orient="row")
    panel, ordered = fill(frame, freq=2), fill(frame.sort("unique_id", maintain_order=True), freq=2)
    for name in ordered.ids:
        one, other = panel.ids.index(name), ordered.ids.index(name)
        np.testing.assert_array_equal(panel.series(one), ordered.series(other))
    assert dict(panel.filled) == dict(ordered.filled)  # type: ignore[call-overload]
