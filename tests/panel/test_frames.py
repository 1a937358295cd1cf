"""Data frames in and out, of every library that is installed."""

from __future__ import annotations

import datetime as dt
import importlib.util
from typing import Any

import narwhals
import narwhals.stable.v1 as nw
import numpy as np
import pandas as pd
import polars as pl
import pytest

from tests.panel.helpers import fails
from unrolled.errors import DataError, KindError
from unrolled.panel import answer, to_panel
from unrolled.timestep import TimeStep

MAKERS: dict[str, Any] = {"pandas": pd.DataFrame, "polars": pl.DataFrame}
if importlib.util.find_spec("pyarrow"):
    import pyarrow as pa

    MAKERS["pyarrow"] = pa.table

DAYS = [dt.datetime(2020, 1, day) for day in (1, 2, 3)]
MONTH_ENDS = [dt.datetime(2020, 1, 31), dt.datetime(2020, 2, 29), dt.datetime(2020, 3, 31)]


@pytest.fixture(params=sorted(MAKERS))
def make(request: pytest.FixtureRequest) -> Any:
    return MAKERS[request.param]


def columns(frame: Any) -> dict[str, list[Any]]:
    return {name: column.to_list() for name, column in nw.from_native(frame).to_dict().items()}


def test_a_long_frame_is_many_series(make: Any) -> None:
    frame = make({"unique_id": ["b", "b", "a", "a", "a"], "ds": [1, 2, 5, 6, 7], "y": [1, 2, 3, 4, 5]})
    panel = to_panel(frame)
    assert (panel.kind, panel.ids, panel.channels) == ("frame", ("b", "a"), ("y",))
    assert panel.lengths.tolist() == [2, 3]
    assert panel.values.dtype == np.float32
    assert panel.times is not None
    assert panel.times.tolist() == [1, 2, 5, 6, 7]
    assert panel.steps == (TimeStep(1, "step"),) * 2
    forecast = answer(panel, np.array([[[0.5], [1.5]], [[2.5], [3.5]]], "f4"))
    assert type(forecast) is type(frame)
    assert columns(forecast) == {
        "unique_id": ["b", "b", "a", "a"],
        "ds": [3, 4, 8, 9],
        "y_hat": [0.5, 1.5, 2.5, 3.5],
    }


def test_rows_of_several_series_may_alternate(make: Any) -> None:
    frame = make({"unique_id": ["b", "a", "b", "a"], "ds": [1, 5, 2, 6], "y": [1, 3, 2, 4]})
    panel = to_panel(frame)
    assert panel.ids == ("b", "a")
    assert panel.values[:, 0].tolist() == [1, 2, 3, 4]
    assert panel.times is not None
    assert panel.times.tolist() == [1, 2, 5, 6]


def test_a_frame_without_ids_and_times_is_one_series_in_order(make: Any) -> None:
    panel = to_panel(make({"y": [1.0, 2.0]}))
    assert (panel.n_series, panel.times, panel.kind) == (1, None, "frame")
    assert columns(answer(panel, np.array([[[3.0], [4.0]]]))) == {"y_hat": [3.0, 4.0]}


def test_dates_are_continued_from_each_series_own_end(make: Any) -> None:
    frame = make({"unique_id": [2, 2, 1, 1, 1], "ds": [*MONTH_ENDS[1:], *MONTH_ENDS], "y": [1.0] * 5})
    forecast = columns(answer(to_panel(frame).tails(1), np.zeros((2, 1, 1))))
    assert forecast["unique_id"] == [2, 1]
    assert [time.date() for time in forecast["ds"]] == [dt.date(2020, 4, 30)] * 2


def test_columns_may_have_other_names(make: Any) -> None:
    frame = make({"shop": ["x", "x"], "when": DAYS[:2], "sales": [1, 2], "visits": [3, 4]})
    names = {"id_col": "shop", "time_col": "when"}
    panel = to_panel(frame, target_col=["visits", "sales"], **names)
    assert panel.channels == ("visits", "sales")
    assert panel.values.tolist() == [[3, 1], [4, 2]]
    forecast = columns(answer(panel, np.array([[[5.0, 6.0]]])))
    assert list(forecast) == ["shop", "when", "visits_hat", "sales_hat"]
    one = to_panel(frame, target_col="sales", id_col=None, time_col=None)
    assert columns(answer(one, np.array([[[6.0]]]))) == {"y_hat": [6.0]}


def test_a_column_of_that_name_is_not_overwritten(make: Any) -> None:
    panel = to_panel(make({"y_hat": [1, 2], "y": [1, 2]}), time_col="y_hat")
    assert columns(answer(panel, np.zeros((1, 1, 1)))) == {"y_hat": [3], "y_hat_": [0.0]}


def test_a_float32_column_is_not_copied() -> None:
    column = np.arange(3, dtype="f4")
    frame = pl.DataFrame({"y": column})
    assert np.shares_memory(to_panel(frame).values, frame["y"].to_numpy())


PANDAS_TIMES = {
    "ns": pd.Series(pd.to_datetime(DAYS)).dt.as_unit("ns"),
    "s": pd.Series(pd.to_datetime(DAYS)).dt.as_unit("s"),
    "zone": pd.Series(pd.to_datetime(DAYS)).dt.tz_localize("Europe/Berlin"),
    "dates": pd.Series([day.date() for day in DAYS], dtype=object),
    "Int32": pd.Series([1, 2, 3], dtype="Int32"),
    "uint8": pd.Series([1, 2, 3], dtype="uint8"),
}
PANDAS_IDS = {
    "object": pd.Series(["a"] * 3, dtype=object),
    "string": pd.Series(["a"] * 3, dtype="string"),
    "category": pd.Series(["a"] * 3, dtype="category"),
    "Int64": pd.Series([7] * 3, dtype="Int64"),
    "dates": pd.Series([DAYS[0]] * 3),
}


@pytest.mark.parametrize("times", PANDAS_TIMES)
@pytest.mark.parametrize("ids", PANDAS_IDS)
def test_pandas_keeps_its_dtypes(times: str, ids: str) -> None:
    frame = pd.DataFrame({"unique_id": PANDAS_IDS[ids], "ds": PANDAS_TIMES[times], "y": [1.0, 2.0, 3.0]})
    frame.index = pd.Index([5, 5, 7])
    forecast = answer(to_panel(frame), np.zeros((1, 2, 1)))
    assert forecast.dtypes[["unique_id", "ds"]].tolist() == frame.dtypes[["unique_id", "ds"]].tolist()
    assert forecast.index.tolist() == [0, 1]
    assert forecast["unique_id"].tolist() == frame["unique_id"].tolist()[:2]
    step = frame["ds"].iloc[1] - frame["ds"].iloc[0]
    assert forecast["ds"].tolist() == [frame["ds"].iloc[2] + step, frame["ds"].iloc[2] + 2 * step]


POLARS_TIMES = {
    "date": pl.Series([day.date() for day in DAYS]),
    "ms": pl.Series(DAYS, dtype=pl.Datetime("ms")),
    "ns": pl.Series(DAYS, dtype=pl.Datetime("ns")),
    "zone": pl.Series(DAYS, dtype=pl.Datetime("us")).dt.replace_time_zone("America/New_York"),
    "int16": pl.Series([1, 2, 3], dtype=pl.Int16),
}
POLARS_IDS = {
    "string": pl.Series(["a"] * 3),
    "category": pl.Series(["a"] * 3, dtype=pl.Categorical),
    "uint8": pl.Series([7] * 3, dtype=pl.UInt8),
}


@pytest.mark.parametrize("times", POLARS_TIMES)
@pytest.mark.parametrize("ids", POLARS_IDS)
def test_polars_keeps_its_dtypes(times: str, ids: str) -> None:
    frame = pl.DataFrame({"unique_id": POLARS_IDS[ids], "ds": POLARS_TIMES[times], "y": [1.0, 2.0, 3.0]})
    forecast = answer(to_panel(frame), np.zeros((1, 2, 1)))
    assert forecast.dtypes[:2] == frame.dtypes[:2]
    assert forecast["unique_id"].to_list() == frame["unique_id"].to_list()[:2]
    assert (forecast["ds"] - frame["ds"].tail(2)).n_unique() == 1
    assert forecast["ds"][0] > frame["ds"][2]


ZONES = ["Europe/Berlin", "America/New_York", "UTC", "+05:30", dt.timezone(dt.timedelta(hours=-3))]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("freq", ["D", "W", "ME", "MS", "h", "15min"])
@pytest.mark.parametrize("start", ["2024-03-08", "2024-10-25", "2024-11-02"])
def test_pandas_continues_times_of_every_zone(zone: Any, freq: str, start: str) -> None:
    times = pd.date_range(start, periods=60, freq=freq, tz=zone)
    forecast = answer(to_panel(pd.DataFrame({"ds": times[:30], "y": [1.0] * 30})), np.zeros((1, 30, 1)))
    assert forecast["ds"].tolist() == times[30:].tolist()
    assert forecast["ds"].dtype == times.dtype


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "UTC"])
@pytest.mark.parametrize("every", ["1d", "1w", "1mo", "1h", "15m"])
def test_polars_continues_times_of_every_zone(zone: str, every: str) -> None:
    start, end = dt.datetime(2024, 3, 8), dt.datetime(2030, 1, 1)
    times = pl.datetime_range(start, end, every, time_zone=zone, eager=True).head(60)
    frame = pl.DataFrame({"ds": times.head(30), "y": [1.0] * 30})
    forecast = answer(to_panel(frame), np.zeros((1, 30, 1)))
    assert forecast["ds"].to_list() == times.tail(30).to_list()


def test_days_on_the_wall_are_days_when_the_clocks_change() -> None:
    days = pd.date_range("2024-03-29", "2024-04-01", tz="Europe/Berlin")
    panel = to_panel(pd.DataFrame({"ds": days, "y": [1.0] * 4}))
    assert panel.steps == (TimeStep(1, "D"),)
    forecast = answer(panel, np.zeros((1, 1, 1)))
    assert forecast["ds"].tolist() == [pd.Timestamp("2024-04-02", tz="Europe/Berlin")]


def test_hours_go_by_utc_when_the_clocks_change() -> None:
    hours = pd.date_range("2024-10-27", periods=5, freq="h", tz="Europe/Berlin")
    panel = to_panel(pd.DataFrame({"ds": hours[:4], "y": [1.0] * 4}))
    assert panel.steps == (TimeStep(1, "h"),)
    assert answer(panel, np.zeros((1, 1, 1)))["ds"].tolist() == [hours[4]]


def test_months_on_the_wall_are_months() -> None:
    months = pd.date_range("2024-01-31", periods=4, freq="ME", tz="Asia/Shanghai")
    panel = to_panel(pd.DataFrame({"ds": months[:3], "y": [1.0] * 3}))
    assert panel.steps == (TimeStep(1, "M", 31),)
    assert answer(panel, np.zeros((1, 1, 1)))["ds"].tolist() == [months[3]]


if "pyarrow" in MAKERS:

    @pytest.mark.parametrize("dtype", ["date32[pyarrow]", "timestamp[us][pyarrow]", "int16[pyarrow]"])
    def test_pandas_keeps_arrow_dtypes(dtype: str) -> None:
        times = pd.Series([1, 2, 3] if "int" in dtype else [day.date() for day in DAYS]).astype(dtype)
        forecast = answer(to_panel(pd.DataFrame({"ds": times, "y": [1, 2, 3]})), np.zeros((1, 1, 1)))
        assert forecast["ds"].dtype == times.dtype
        assert len(forecast) == 1


@pytest.mark.parametrize(
    "y", [pd.Series([1, 2, 3]), pl.Series([1, 2, 3]), pd.Series([1, 2, 3], dtype="Int64")]
)
def test_a_column_is_a_vector(y: Any) -> None:
    panel = to_panel(y)
    assert panel.kind == "vector"
    assert panel.values.tolist() == [[1], [2], [3]]


@pytest.mark.parametrize(
    "y",
    [
        pl.Series([1, 2, 3], dtype=pl.Decimal(10, 2)),
        pl.Series([True, False, True]),
        pd.array([1, 2, 3], dtype="Int64"),
        np.array([1, 2, 3], dtype=object),
    ],
)
def test_numbers_of_every_dtype_are_read(y: Any) -> None:
    frame = pl.DataFrame({"y": y}) if isinstance(y, pl.Series) else pd.DataFrame({"y": y})
    assert to_panel(frame).values[0, 0] == 1


def test_a_frame_of_narwhals_is_read_as_what_it_holds(make: Any) -> None:
    frame = make({"y": [1.0, 2.0]})
    for wrapped in (narwhals.from_native(frame), nw.from_native(frame)):
        assert type(answer(to_panel(wrapped), np.zeros((1, 1, 1)))) is type(frame)


def test_the_frame_is_not_changed() -> None:
    frame = pd.DataFrame({"y": ["1", None]}, dtype=object)
    before = frame.copy()
    with fails(DataError, "row 0 (counted from 0), column 'y': this is not a number ... '1'"):
        to_panel(frame)
    pd.testing.assert_frame_equal(frame, before)


# What can be wrong.


def test_a_time_that_no_clock_shows_is_refused(make: Any) -> None:
    zone = "America/Sao_Paulo"  # where 2018-11-04 began at one o'clock
    frame = nw.from_native(make({"ds": [dt.datetime(2018, 11, day) for day in (1, 2, 3)], "y": [1.0] * 3}))
    frame = frame.with_columns(nw.col("ds").dt.replace_time_zone(zone)).to_native()
    with fails(DataError, f"a time of day that the clocks of {zone} do not show ... times that exist once"):
        answer(to_panel(frame), np.zeros((1, 1, 1)))


def test_ids_of_another_kind_are_refused() -> None:
    with fails(KindError, "the column 'unique_id' cannot name series ... List"):
        to_panel(pl.DataFrame({"unique_id": [[1], [1]], "y": [1.0, 2.0]}))


@pytest.mark.parametrize("frame", [pl.LazyFrame({"y": [1.0]}), nw.from_native(pl.LazyFrame({"y": [1.0]}))])
def test_a_lazy_frame_is_refused(frame: Any) -> None:
    with fails(KindError, "the frame is not in memory ... LazyFrame ... collect"):
        to_panel(frame)


def test_two_columns_of_one_name_are_refused() -> None:
    frame = pd.DataFrame([[1.0, 2.0]], columns=["y", "y"])
    with fails(KindError, "the frame cannot be read ... columns with different names"):
        to_panel(frame)


def test_a_frame_without_rows_is_refused(make: Any) -> None:
    with fails(DataError, "the frame has no rows ... 'y'"):
        to_panel(make({"y": np.zeros(0)}))


def test_missing_columns_are_all_named(make: Any) -> None:
    frame = make({"shop": [1], "Sales": [1.0]})
    with fails(
        DataError, "no column 'shops' ... 'shop', 'Sales' ... try: 'shop' ... no column 'sales' ... 'Sales'"
    ):
        to_panel(frame, id_col="shops", target_col="sales")
    with fails(DataError, "the frame has no column 'y' ... target_col"):
        to_panel(frame)


def test_a_column_for_two_things_is_refused(make: Any) -> None:
    with fails(DataError, "the column 'y' is asked for twice"):
        to_panel(make({"y": [1.0]}), time_col="y")


def test_no_target_is_refused(make: Any) -> None:
    with fails(DataError, "no target column is named"):
        to_panel(make({"y": [1.0]}), target_col=[])


def test_missing_values_are_named(make: Any) -> None:
    frame = make({"unique_id": ["b", "a", "a"], "y": [1.0, None, float("nan")]})
    with fails(
        DataError, "row 1 (counted from 0), column 'y', series 'a': the value is missing ... series: 2"
    ):
        to_panel(frame)
    with fails(DataError, "row 1 (counted from 0), column 'y': the value is missing"):
        to_panel(make({"y": [1, None]}))


def test_rows_are_counted_as_the_frame_has_them(make: Any) -> None:
    frame = make({"unique_id": ["b", "a", "b"], "y": [1.0, float("inf"), float("-inf")]})
    with fails(
        DataError, "row 2 ... series 'b': the value is infinite ... row 1 ... series 'a': the value is"
    ):
        to_panel(frame)


def test_text_is_named_with_every_other_fault(make: Any) -> None:
    frame = make({"ds": [1, 2, 4], "y": ["1", "x", None], "z": [1.0, 2.0, float("nan")]})
    with fails(DataError, "row 0 (counted from 0), column 'y': this is not a number ... '1'") as caught:
        to_panel(frame, target_col=["y", "z"])
    assert [one.id for one in caught.value.faults] == ["panel.text", "panel.missing", "time.irregular"]


def test_missing_ids_and_times_are_named(make: Any) -> None:
    frame = make({"unique_id": ["a", None, "a"], "ds": [1, 2, None], "y": [1.0, 2.0, 3.0]})
    with fails(
        DataError,
        "row 1 (counted from 0), column 'unique_id': the name of the series is missing ... "
        "row 2 (counted from 0), column 'ds': the time is missing ... rows without a time: 1",
    ):
        to_panel(frame)


@pytest.mark.parametrize(
    ("times", "says"),
    [
        ([1, 2, 2], "row 2 (counted from 0), column 'ds': the time 2 comes twice ... row 1"),
        ([1, 3, 2], "row 2 (counted from 0), column 'ds': the rows are not in the order of time"),
        ([1, 2, 4], "row 2 (counted from 0), column 'ds': the time does not follow ... 3 ... 4"),
    ],
)
def test_times_that_do_not_fit_are_named(make: Any, times: list[int], says: str) -> None:
    with fails(DataError, says):
        to_panel(make({"ds": times, "y": [1.0, 2.0, 3.0]}))


@pytest.mark.parametrize("times", [["2020-01-01", "2020-01-02"], [1.5, 2.5], [True, False]])
def test_times_of_another_kind_are_refused(make: Any, times: list[Any]) -> None:
    with fails(KindError, "the times are neither whole numbers nor dates ... 'ds': ... to_datetime"):
        to_panel(make({"ds": times, "y": [1.0, 2.0]}))
