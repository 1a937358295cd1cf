"""The known columns of the points to forecast: arrays, and frames with times of every kind."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from tests.panel.helpers import fails
from unrolled.covariates import Covariates, from_arrays, from_columns, from_frame, with_future
from unrolled.errors import ArgumentError, DataError, KindError
from unrolled.panel import Columns, Panel, to_panel

VECTOR = to_panel([1.0, 2.0])
LIST = to_panel([[1.0, 2.0], [3.0]])
CUBE = to_panel(np.zeros((2, 1, 1)))
MAKERS: dict[str, Any] = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "pyarrow": pa.table}


@pytest.fixture(params=sorted(MAKERS))
def make(request: pytest.FixtureRequest) -> Any:
    return MAKERS[request.param]


def known(panel: Panel, columns: int = 1) -> Covariates:
    """Return numbers from 0 on as known columns that end with the series."""
    rows = len(panel.values)
    return from_columns(panel, known={f"k{c}": np.arange(rows) + 100 * c for c in range(columns)})


@pytest.mark.parametrize(
    ("panel", "future", "column"),
    [
        (VECTOR, [5, 6], [0, 1, 5, 6]),
        (VECTOR, [[5], [6], [7]], [0, 1, 5, 6]),
        (VECTOR, {"k0": [5, 6]}, [0, 1, 5, 6]),
        (LIST, [[5, 6], [7, 8, 9]], [0, 1, 5, 6, 2, 7, 8]),
        (LIST, [[[5], [6]], np.array([7, 8])], [0, 1, 5, 6, 2, 7, 8]),
        (LIST, np.array([[5, 6], [7, 8]]), [0, 1, 5, 6, 2, 7, 8]),
        (LIST, [5, 6], [0, 1, 5, 6, 2, 5, 6]),
        (LIST, {"k0": np.array([5, 6])}, [0, 1, 5, 6, 2, 5, 6]),
        (LIST, [None, 6], [0, 1, np.nan, 6, 2, np.nan, 6]),
        (CUBE, np.array([[[5], [6]], [[7], [8]]]), [0, 5, 6, 1, 7, 8]),
    ],
)
def test_arrays_go_on_from_each_end(panel: Panel, future: Any, column: list[float]) -> None:
    found = with_future(known(panel), panel, future, horizon=2)
    np.testing.assert_array_equal(found.known["k0"], column)
    assert np.diff(found.known_offsets).tolist() == (panel.lengths + 2).tolist()


def test_several_columns_come_in_their_order() -> None:
    found = with_future(known(VECTOR, 2), VECTOR, [[5, 7], [6, 8]], horizon=2)
    assert found.known["k0"].tolist() == [0, 1, 5, 6]
    assert found.known["k1"].tolist() == [100, 101, 7, 8]
    named = with_future(known(VECTOR, 2), VECTOR, {"k1": [7, 8], "k0": [5, 6]}, horizon=2)
    assert named.known["k1"].tolist() == [100, 101, 7, 8]


def test_what_was_known_ahead_before_is_replaced() -> None:
    given = from_arrays(VECTOR, known=["a", "b", "c", "d", "e"])
    assert with_future(given, VECTOR, None, horizon=1) is given
    assert with_future(given, VECTOR, ["z"], horizon=1).known["known_0"].tolist() == ["a", "b", "z"]
    assert given.known["known_0"].tolist() == ["a", "b", "c", "d", "e"]


def test_a_column_without_values_takes_the_kind_of_the_other() -> None:
    text = from_arrays(VECTOR, known=["a", "b"])
    assert with_future(text, VECTOR, [None], horizon=1).known["known_0"].tolist() == ["a", "b", None]
    empty = from_arrays(VECTOR, known=[None, None])
    assert with_future(empty, VECTOR, ["z"], horizon=1).known["known_0"].tolist() == [None, None, "z"]


@pytest.mark.parametrize(
    ("panel", "columns", "future", "says"),
    [
        (VECTOR, 1, [5], "'future' of series 0 ends before 3 ... 2 rows after the end ... 1 rows"),
        (VECTOR, 2, [5, 6], "'future' of series 0 has another number of columns ... 2 ... 1"),
        (VECTOR, 1, [], "'future' of series 0 does not make columns"),
        (LIST, 1, [[5, 6], [7]], "'future' of series 1 ends before 2"),
        (LIST, 1, [[5, 6]], "'future' does not have the series that y has ... 2 series ... 1"),
        (LIST, 2, {"k0": [5, 6], "c1": [5, 6]}, "lacks the column 'k1' ... a column 'c1' ... 'k1'"),
        (VECTOR, 1, ["a", "b"], "the column 'k0' is of another kind than before ... numbers ... text"),
        (VECTOR, 1, [5, np.inf], "series 0, column 'k0', position 3: the value is infinite"),
        (
            LIST,
            1,
            [[5, 6], [7, "a"]],
            "series 1, column 'k0', position 2: the column mixes numbers with text",
        ),
    ],
)
def test_arrays_that_do_not_fit_are_refused(panel: Panel, columns: int, future: Any, says: str) -> None:
    with fails(DataError, says):
        with_future(known(panel, columns), panel, future, horizon=2)


def test_a_future_needs_columns_and_a_horizon() -> None:
    with fails(ArgumentError, "a future is given, but no column is known ahead"):
        with_future(from_arrays(VECTOR, past=[1, 2]), VECTOR, [3], horizon=1)
    with fails(ArgumentError, "the future has too few points ... 0"):
        with_future(known(VECTOR), VECTOR, [3], horizon=0)


def history(make: Any, times: list[Any], **columns: Any) -> tuple[Panel, Covariates]:
    """Return two series, "b" and "a", with a known column, both with the same times."""
    n = len(times)
    frame = make(
        {"shop": ["b"] * n + ["a"] * n, "day": times * 2, "y": [1.0] * 2 * n, "price": range(2 * n)} | columns
    )
    panel = to_panel(frame, id_col="shop", time_col="day")
    return panel, from_frame(panel, frame, known_cols=["price"])


DAYS = [dt.datetime(2024, 2, day) for day in range(27, 30)]
AFTER = [dt.datetime(2024, 3, day) for day in range(1, 4)]


def test_rows_are_found_by_id_and_time(make: Any) -> None:
    panel, covariates = history(make, DAYS)
    future = make(
        {
            "day": [AFTER[1], AFTER[0], DAYS[0], AFTER[0], AFTER[2], AFTER[1], AFTER[0]],
            "price": [21, 10, 99, 20, 98, 11, 97],
            "shop": ["a", "b", "a", "a", "b", "b", "z"],
        }
    )
    found = with_future(covariates, panel, future, horizon=2)
    assert found.known["price"].tolist() == [0, 1, 2, 10, 11, 3, 4, 5, 20, 21]
    assert found.known_offsets.tolist() == [0, 5, 10]
    tail = panel.tails(1)
    ended = with_future(covariates.tails(panel, 1), tail, future, horizon=2)
    assert ended.known["price"].tolist() == [2, 10, 11, 5, 20, 21]


def test_whole_numbers_are_times_too(make: Any) -> None:
    panel, covariates = history(make, [5, 7, 9])
    future = make({"shop": ["a", "a", "b", "b"], "day": [13, 11, 11, 13], "price": [1, 2, 3, 4]})
    assert with_future(covariates, panel, future, horizon=2).known["price"].tolist() == [
        0,
        1,
        2,
        3,
        4,
        3,
        4,
        5,
        2,
        1,
    ]


def test_without_times_the_rows_go_on_in_order(make: Any) -> None:
    frame = make({"y": [1.0, 2.0], "price": [1, 2]})
    panel = to_panel(frame)
    covariates = from_frame(panel, frame, known_cols=["price"])
    found = with_future(covariates, panel, make({"price": [3, 4, 5]}), horizon=2)
    assert found.known["price"].tolist() == [1, 2, 3, 4]
    with fails(DataError, "'future' of series 0 ends before 3 ... 2 rows ... 1 rows"):
        with_future(covariates, panel, make({"price": [3]}), horizon=2)


@pytest.mark.parametrize("zone", [None, "Europe/Berlin", "America/New_York", "UTC", "+05:30"])
@pytest.mark.parametrize("freq", ["D", "ME", "h"])
@pytest.mark.parametrize("start", ["2024-03-08", "2024-10-26"])
def test_times_of_every_zone_are_found(zone: str | None, freq: str, start: str) -> None:
    times = pd.date_range(start, periods=40, freq=freq, tz=zone)
    frame = pd.DataFrame({"ds": times, "y": np.zeros(40), "price": np.arange(40)})
    panel = to_panel(frame[:30])
    covariates = from_frame(panel, frame[:30], known_cols=["price"])
    found = with_future(covariates, panel, frame[::-1], horizon=10)
    assert found.known["price"].tolist() == list(range(40))


def test_months_of_a_file_are_found_among_dates() -> None:
    panel = to_panel([[1.0, 2.0]])
    panel = Panel(
        panel.values,
        panel.offsets,
        ("a",),
        ("y",),
        "list",
        np.array(["2024-01", "2024-02"], "datetime64[M]"),
        to_panel(pl.DataFrame({"ds": [dt.date(2024, 1, 1), dt.date(2024, 2, 1)], "y": [1, 2]})).steps,
        Columns("shop", "month"),
    )
    future = pl.DataFrame({"shop": ["a"], "month": [dt.date(2024, 3, 1)], "k0": [5.0]})
    assert with_future(known(panel), panel, future, horizon=1).known["k0"].tolist() == [0, 1, 5]


def rows(**changed: Any) -> dict[str, Any]:
    """Return a future of two days, some of its columns changed."""
    return {"shop": ["b", "b", "a", "a"], "day": AFTER[:2] * 2, "price": [1.0, 2.0, 3.0, 4.0]} | changed


@pytest.mark.parametrize(
    ("future", "says"),
    [
        (
            rows(day=[AFTER[0], AFTER[2], *AFTER[:2]]),
            "no row of series 'b' at 2024-03-02 ... up to 2024-03-02 ... : 1",
        ),
        (rows(shop=["b", "b", "A", "A"]), "no row of series 'a' at 2024-03-01 ... ids and times ... history"),
        (rows(day=[AFTER[0], AFTER[0], *AFTER[:2]]), "two rows of series 'b' at 2024-03-01"),
        (
            {name: [*column, column[0]] for name, column in rows().items() if name != "day"}
            | {"day": [*AFTER[:2], *AFTER[:2], dt.datetime(2024, 3, 1, 12)]},
            "a row of series 'b' at 2024-03-01T12:00:00, which is not a step ... 1 day apart",
        ),
        ({"shop": ["b"], "price": [1.0]}, "no column 'day'"),
        ({"shop": ["b"], "day": AFTER[:1], "prise": [1.0]}, "no column 'price' ... 'prise'"),
        (rows(day=[None, *AFTER[:1], *AFTER[:2]]), "future has rows without a time in 'day' ... : 1"),
        (rows(price=["1", "2", "3", "4"]), "the column 'price' is of another kind than before ... numbers"),
        (rows(price=[1.0, 2.0, float("inf"), 4.0]), "row 2 ... 'price' ... the value is infinite"),
    ],
)
def test_a_frame_that_does_not_fit_is_refused(make: Any, future: dict[str, Any], says: str) -> None:
    panel, covariates = history(make, DAYS)
    with fails(DataError, says):
        with_future(covariates, panel, make(future), horizon=2)


def test_times_of_another_kind_are_refused(make: Any) -> None:
    panel, covariates = history(make, DAYS)
    with fails(KindError, "the times of future in 'day' are of another kind ... int64"):
        with_future(covariates, panel, make(rows(day=[1, 2, 1, 2])), horizon=2)


def test_a_frame_beside_arrays_is_refused(make: Any) -> None:
    with fails(ArgumentError, "the series did not come from a table"):
        with_future(known(VECTOR), VECTOR, make(rows()), horizon=2)
