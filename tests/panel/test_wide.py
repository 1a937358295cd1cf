"""Wide frames: one column a series; columns and indexes of pandas; and the answer alike."""

from __future__ import annotations

import datetime as dt
import pickle
from typing import Any

import narwhals.stable.v1 as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.panel.helpers import fails
from unrolled.errors import DataError
from unrolled.panel import Panel, answer, to_panel
from unrolled.timestep import TimeStep

MAKERS: dict[str, Any] = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "pyarrow": pa.table}
DAYS = [dt.datetime(2020, 1, day) for day in (1, 2, 3)]


@pytest.fixture(params=sorted(MAKERS))
def make(request: pytest.FixtureRequest) -> Any:
    return MAKERS[request.param]


def columns(frame: Any) -> dict[str, list[Any]]:
    return {name: column.to_list() for name, column in nw.from_native(frame).to_dict().items()}


def listed(panel: Panel) -> list[list[float | None]]:
    series = [panel.series(s)[:, 0].tolist() for s in range(panel.n_series)]
    return [[None if one != one else one for one in own] for own in series]


def test_a_wide_frame_is_a_series_a_column(make: Any) -> None:
    frame = make({"b": [1, 2, 3], "ds": DAYS, "a": [4.5, 5.5, 6.5], "note": ["x", "y", "z"]})
    panel = to_panel(frame, layout="wide")
    assert (panel.ids, panel.channels, panel.kind, listed(panel)) == (
        ("b", "a"),
        ("y",),
        "frame",
        [[1, 2, 3], [4.5, 5.5, 6.5]],
    )
    assert panel.steps == (TimeStep(1, "D"),) * 2
    forecast = answer(panel, np.arange(4, dtype="f4").reshape(2, 2, 1))
    assert type(forecast) is type(frame)
    assert columns(forecast) == {
        "ds": [dt.datetime(2020, 1, 4), dt.datetime(2020, 1, 5)],
        "b": [0, 1],
        "a": [2, 3],
    }
    assert answer(panel.tails(1), np.zeros((2, 1, 1))).shape[0] == 1


def test_columns_of_a_wide_frame_may_be_named_and_times_absent(make: Any) -> None:
    frame = make({"a": [1, 2], "y": [3, 4], "b": [5, 6]})
    assert to_panel(frame, layout="wide").ids == ("a", "y", "b")
    panel = to_panel(frame, layout="wide", target_col=["b", "y"])
    assert (panel.ids, panel.times) == (("b", "y"), None)
    assert columns(answer(panel, [[[1.0]], [[2.0]]])) == {"b": [1], "y": [2]}
    assert to_panel(frame, layout="wide", target_col="b").ids == ("b",)


def test_series_begin_with_their_first_value_and_end_together(make: Any) -> None:
    frame = make({"ds": DAYS, "a": [None, 2.0, None], "b": [1.0, None, 3.0]})
    panel = to_panel(frame, layout="wide", missing="allow")
    assert listed(panel) == [[2, None], [1, None, 3]]
    assert panel.times is not None
    assert (
        panel.times[panel.offsets[1:] - 1].astype("datetime64[D]").astype(str).tolist() == ["2020-01-03"] * 2
    )
    assert panel.origin is not None
    assert panel.origin.rows is not None
    assert panel.origin.rows.tolist() == [1, 2, 0, 1, 2]
    with fails(
        DataError, "row 2 (counted from 0), column 'a': the value is missing ... row 1 ... column 'b'"
    ):
        to_panel(frame, layout="wide")
    late = make({"ds": DAYS, "a": [None, 2.0, 3.0]})
    assert listed(to_panel(late, layout="wide")) == [[2, 3]], "a series that begins later lacks nothing"


def test_gaps_of_a_wide_frame_are_filled(make: Any) -> None:
    frame = make({"ds": [1, 2, 4], "a": [1.0, 2.0, 4.0], "b": [None, None, 7.0]})
    panel = to_panel(frame, layout="wide", missing="allow", gaps="fill")
    assert (listed(panel), panel.filled) == ([[1, 2, None, 4], [7]], (("a", 1),))


def test_what_is_wrong_with_a_wide_frame_is_named(make: Any) -> None:
    with fails(DataError, "the series 'b' has no observed value ... 1 rows"):
        to_panel(make({"a": [1.0, 2.0], "b": np.array([np.nan, np.nan])}), layout="wide", missing="allow")
    with fails(DataError, "row 1 (counted from 0), column 'b': the value is infinite"):
        to_panel(make({"a": [1.0, 2.0], "b": [1.0, float("inf")]}), layout="wide")
    with fails(DataError, "no column holds numbers ... 'ds', 'note'"):
        to_panel(make({"ds": DAYS, "note": ["x", "y", "z"]}), layout="wide")
    with fails(DataError, "the frame has no column 'c'"):
        to_panel(make({"a": [1.0]}), layout="wide", target_col=["c"])
    with fails(DataError, "row 1 (counted from 0), column 'ds': the time 1 comes twice"):
        to_panel(make({"ds": [1, 1], "a": [1.0, 2.0]}), layout="wide")


def test_objects_in_a_wide_frame_are_looked_at() -> None:
    frame = pd.DataFrame({"a": [1, None, "x"]}, dtype=object)
    with fails(DataError, "row 2 (counted from 0), column 'a': this is not a number ... 'x'"):
        to_panel(frame, layout="wide", missing="allow")


def test_names_of_columns_that_are_no_text_become_text() -> None:
    frame = pd.DataFrame({7: [1.0, 2.0], 8: [3.0, 4.0]})
    panel = to_panel(frame, layout="wide")
    assert panel.ids == ("7", "8")
    assert columns(answer(panel, [[[5.0]], [[6.0]]])) == {"7": [5.0], "8": [6.0]}


@pytest.mark.parametrize("zone", [None, "Europe/Berlin", "America/New_York"])
def test_times_of_wide_frames_keep_their_dtype(zone: str | None) -> None:
    times = pd.date_range("2024-03-08", periods=8, freq="B", tz=zone)
    frame = pd.DataFrame({"ds": times[:6], "a": 1.0})
    forecast = answer(to_panel(frame, layout="wide"), np.zeros((1, 2, 1), "f4"))
    assert forecast["ds"].tolist() == times[6:].tolist()
    assert (forecast["ds"].dtype, forecast["a"].dtype) == (times.dtype, np.float32)


VALUES = st.lists(st.lists(st.integers(-99, 99), min_size=4, max_size=4), min_size=1, max_size=4)


@given(VALUES)
def test_long_to_wide_to_long_is_the_same(series: list[list[int]]) -> None:
    names = [f"s{index}" for index in range(len(series))]
    long = pl.DataFrame(
        {
            "unique_id": [name for name in names for _ in range(4)],
            "ds": [day for _ in names for day in range(4)],
            "y": [value for own in series for value in own],
        }
    )
    wide = long.pivot(on="unique_id", index="ds", values="y")
    one, other = to_panel(long), to_panel(wide, layout="wide")
    assert (one.ids, one.offsets.tolist()) == (other.ids, other.offsets.tolist())
    assert one.values.tolist() == other.values.tolist()
    cube = one.last(2)
    again = answer(other, cube).unpivot(index="ds", variable_name="unique_id", value_name="y_hat")
    assert again.select("unique_id", "ds", "y_hat").equals(answer(one, cube))


# The index of pandas, and columns by themselves.

INDEXES = {
    "dates": pd.date_range("2024-01-29", periods=6, freq="D"),
    "named": pd.date_range("2024-02-01", periods=6, freq="B", name="day"),
    "zone": pd.date_range("2024-10-26", periods=6, freq="h", tz="Europe/Berlin"),
    "seconds": pd.date_range("2024-10-26", periods=6, freq="s", unit="s"),
    "months": pd.period_range("2024-01", periods=6, freq="M"),
    "quarters": pd.period_range("2024Q1", periods=6, freq="Q", name="q"),
    "weeks": pd.period_range("2024-01-01", periods=6, freq="W"),
}


@pytest.mark.parametrize("name", INDEXES)
def test_a_column_of_pandas_gets_its_index_and_name_back(name: str) -> None:
    index = INDEXES[name]
    for called in ("sales", None, "y"):
        panel = to_panel(pd.Series(np.arange(4.0), index=index[:4], name=called))
        assert (panel.kind, panel.n_series) == ("vector", 1)
        forecast = answer(panel, np.array([1.0, 2.0], "f4"))
        expected = pd.Series([1.0, 2.0], index=index[4:], name=called, dtype="f4")
        pd.testing.assert_series_equal(forecast, expected, check_freq=False)


@pytest.mark.parametrize("name", INDEXES)
@pytest.mark.parametrize("layout", ["long", "wide"])
def test_an_index_of_times_stands_for_a_column(name: str, layout: str) -> None:
    index = INDEXES[name]
    frame = pd.DataFrame({"y": np.arange(4.0)}, index=index[:4])
    before = frame.copy()
    forecast = answer(to_panel(frame, layout=layout), np.zeros((1, 2, 1)))
    called = "y" if layout == "wide" else "y_hat"
    pd.testing.assert_frame_equal(
        forecast, pd.DataFrame({called: [0.0, 0.0]}, index=index[4:]), check_freq=False
    )
    pd.testing.assert_frame_equal(frame, before)


def test_levels_of_an_index_are_ids_and_times() -> None:
    levels = [["a", "a", "b", "b"], pd.to_datetime(["2024-01-01", "2024-01-02"] * 2)]
    for names in (["unique_id", "ds"], ["unique_id", None]):
        frame = pd.DataFrame(
            {"y": [1.0, 2.0, 3.0, 4.0]}, index=pd.MultiIndex.from_arrays(levels, names=names)
        )
        panel = to_panel(frame)
        assert panel.ids == ("a", "b")
        forecast = answer(panel, [[[5.0]], [[6.0]]])
        assert list(forecast.index.names) == names
        assert [name for name, _ in forecast.index.tolist()] == ["a", "b"]
        assert forecast["y_hat"].tolist() == [5.0, 6.0]


def test_another_index_is_no_time() -> None:
    frame = pd.DataFrame({"y": [1.0, 2.0]}, index=[7, 5])
    assert to_panel(frame).times is None
    assert to_panel(frame.rename_axis("ds").iloc[::-1], time_col="ds").times is not None
    by_name = pd.Series([1.0, 2.0], index=[7, 5], name="sales")
    forecast = answer(to_panel(by_name), [3.0])
    assert (forecast.tolist(), forecast.index.tolist(), forecast.name) == ([3.0], [0], "sales")
    dated = pd.DataFrame({"y": [1.0, 2.0]}, index=pd.to_datetime(["2024-01-02", "2024-01-01"]))
    assert to_panel(dated, time_col=None).times is None


def test_columns_of_polars_and_pyarrow_come_back() -> None:
    forecast = answer(to_panel(pl.Series("sales", [1.0, 2.0])), np.array([3.0], "f4"))
    assert forecast.equals(pl.Series("sales", [3.0], dtype=pl.Float32))
    assert forecast.name == "sales"
    back = answer(to_panel(pa.chunked_array([[1.0], [2.0]])), np.array([3.0]))
    assert isinstance(back, pa.ChunkedArray)
    assert back.to_pylist() == [3.0]


def test_columns_of_periods_are_times() -> None:
    frame = pd.DataFrame({"ds": pd.period_range("2024-01", periods=3, freq="M"), "y": [1.0, 2.0, 3.0]})
    forecast = answer(to_panel(frame), np.zeros((1, 1, 1)))
    assert forecast["ds"].tolist() == [pd.Period("2024-04", "M")]
    assert forecast["ds"].dtype == frame["ds"].dtype


def test_categories_stay_categories_and_objects_are_fetched() -> None:
    frame = pd.DataFrame({"unique_id": pd.Categorical(["b", "a"]), "y": [1.0, 2.0], "x": ["u", None]})
    panel = to_panel(frame)
    assert answer(panel, np.zeros((2, 1, 1)))["unique_id"].dtype == frame["unique_id"].dtype
    assert panel.origin is not None
    assert panel.origin.fetch is not None
    assert panel.origin.fetch("x").tolist() == ["u", None]


def test_a_panel_with_its_origin_can_be_sent_elsewhere() -> None:
    panel = to_panel(pd.DataFrame({"y": [1.0, 2.0], "x": [3, 4]}))
    again = pickle.loads(pickle.dumps(panel))
    assert again.values.tolist() == panel.values.tolist()
    assert again.origin.fetch("x").tolist() == [3, 4]
