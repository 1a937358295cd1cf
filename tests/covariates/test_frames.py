"""Columns of data frames, of every library that is installed."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from tests.panel.helpers import fails
from unrolled.covariates import from_frame
from unrolled.errors import ArgumentError, DataError, KindError
from unrolled.panel import to_panel

MAKERS: dict[str, Any] = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "pyarrow": pa.table}

LONG = {
    "unique_id": ["b", "a", "b", "a", "a"],
    "ds": [1, 5, 2, 6, 7],
    "y": [1.0, 3.0, 2.0, 4.0, 5.0],
    "rain": [10, 30, 20, 40, 50],
    "price": [1.0, 3.0, None, 4.0, 5.0],
    "sky": ["x", None, "y", "z", "z"],
    "open": [True, False, True, None, True],
    "shop": ["B", "A", "B", "A", "A"],
    "size": [2.0, None, 2.0, None, None],
}
"""Rows of two series, alternating: b has rows 0 and 2."""


@pytest.fixture(params=sorted(MAKERS))
def make(request: pytest.FixtureRequest) -> Any:
    return MAKERS[request.param]


def test_columns_come_in_the_order_of_the_panel(make: Any) -> None:
    frame = make(LONG)
    found = from_frame(
        to_panel(frame),
        frame,
        past_cols=["rain", "sky"],
        known_cols=("price", "open"),
        static_cols=["shop", "size"],
    )
    assert found.past["rain"].tolist() == [10, 20, 30, 40, 50]
    assert found.past["sky"].tolist() == ["x", "y", None, "z", "z"]
    np.testing.assert_array_equal(found.known["price"], [1, np.nan, 3, 4, 5])
    assert found.known["open"].tolist() == ["True", "True", "False", None, "True"]
    assert found.known_offsets.tolist() == [0, 2, 5]
    assert found.static["shop"].tolist() == ["B", "A"]
    np.testing.assert_array_equal(found.static["size"], [2, np.nan])


def test_a_static_frame_has_one_row_a_series(make: Any) -> None:
    frame = make(LONG)
    static = make({"unique_id": ["z", "a", "b"], "town": ["Z", "A", "B"], "size": [9, 1, 2]})
    found = from_frame(to_panel(frame), frame, static_cols=["town", "size"], static=static)
    assert found.static["town"].tolist() == ["B", "A"]
    assert found.static["size"].tolist() == [2, 1]


def test_one_series_without_a_name(make: Any) -> None:
    frame = make({"y": [1.0, 2.0], "rain": [3, 4], "shop": ["s", "s"]})
    panel = to_panel(frame)
    found = from_frame(panel, frame, past_cols=["rain"], static_cols=["shop"])
    assert (found.past["rain"].tolist(), found.static["shop"].tolist()) == ([3, 4], ["s"])
    assert from_frame(panel, frame, static_cols=["n"], static=make({"n": [7]})).static["n"].tolist() == [7]
    with fails(DataError, "the static frame does not have one row ... 2 rows"):
        from_frame(panel, frame, static_cols=["n"], static=make({"n": [7, 7]}))


def test_rows_that_were_put_in_have_no_covariates(make: Any) -> None:
    frame = make({"unique_id": ["a", "a", "b"], "y": [1, 2, 3], "rain": [10, 20, 30], "sky": ["x", "y", "z"]})
    panel = to_panel([[1.0, 1.5, 2.0], [3.0]])
    panel = replace(panel, columns=to_panel(frame).columns, ids=("a", "b"))
    found = from_frame(panel, frame, past_cols=["rain"], known_cols=["sky"], rows=np.array([0, -1, 1, 2]))
    np.testing.assert_array_equal(found.past["rain"], [10, np.nan, 20, 30])
    assert found.known["sky"].tolist() == ["x", None, "y", "z"]


PANDAS = {
    "Int64": (pd.Series([1, None], dtype="Int64"), [1.0, None]),
    "Float32": (pd.Series([1, None], dtype="Float32"), [1.0, None]),
    "boolean": (pd.Series([True, None], dtype="boolean"), ["True", None]),
    "string": (pd.Series(["a", None], dtype="string"), ["a", None]),
    "category": (pd.Series(["a", None], dtype="category"), ["a", None]),
    "category of numbers": (pd.Series([7, None]).astype("category"), ["7.0", None]),
    "objects": (pd.Series([1, None], dtype=object), [1.0, None]),
    "bool": (pd.Series([True, False]), ["True", "False"]),
    "decimals": (pd.Series([Decimal("1.5"), None], dtype=object), [1.5, None]),
}
POLARS = {
    "int": (pl.Series([1, None]), [1.0, None]),
    "decimal": (pl.Series([Decimal("1.5"), None]), [1.5, None]),
    "categorical": (pl.Series(["a", None], dtype=pl.Categorical), ["a", None]),
    "enum": (pl.Series(["a", None], dtype=pl.Enum(["a", "b"])), ["a", None]),
    "nothing": (pl.Series([None, None]), [None, None]),
    "nan": (pl.Series([1.0, float("nan")]), [1.0, None]),
}


@pytest.mark.parametrize("kind", PANDAS)
def test_pandas_dtypes(kind: str) -> None:
    column, values = PANDAS[kind]
    check_values(pd.DataFrame({"y": [1.0, 2.0], "c": column}), values)


@pytest.mark.parametrize("kind", POLARS)
def test_polars_dtypes(kind: str) -> None:
    column, values = POLARS[kind]
    check_values(pl.DataFrame({"y": [1.0, 2.0], "c": column}), values)


def check_values(frame: Any, values: list[Any]) -> None:
    column = from_frame(to_panel(frame), frame, past_cols=["c"]).past["c"]
    assert [None if one is None or one != one else one for one in column.tolist()] == values


def test_columns_that_are_not_there_are_named(make: Any) -> None:
    frame = make(LONG)
    with fails(
        DataError, "no column 'Rain' ... 'rain' ... no column 'prise' ... 'price' ... past_cols, known_cols"
    ):
        from_frame(to_panel(frame), frame, past_cols=["Rain"], known_cols=["prise"])
    with fails(DataError, "the covariate 'rain' is named twice"):
        from_frame(to_panel(frame), frame, past_cols=["rain"], known_cols=["rain"])
    static = make({"id": ["a"], "n": [1]})
    with fails(DataError, "the frame has no column 'unique_id' ... no column 'm'"):
        from_frame(to_panel(frame), frame, static_cols=["m"], static=static)


def test_a_static_column_never_changes(make: Any) -> None:
    frame = make({**LONG, "shop": ["B", "A", "B", "C", "A"], "size": [1.0, None, 1.0, None, 2.0]})
    panel = to_panel(frame)
    with fails(DataError, "series 'a', column 'shop': a static column changes ... 'A' ... 'C' in row 3"):
        from_frame(panel, frame, static_cols=["shop"])
    with fails(
        DataError,
        "series 'a', column 'size': a static column changes ... None in every row ... got: 2.0 in row 4",
    ):
        from_frame(panel, frame, static_cols=["size"])


def test_every_series_has_one_static_row(make: Any) -> None:
    frame = make(LONG)
    static = make({"unique_id": ["a", "a"], "n": [1, 1]})
    with fails(DataError, "no row of series 'b' ... several rows of series 'a' ... 2 rows"):
        from_frame(to_panel(frame), frame, static_cols=["n"], static=static)


def test_what_is_no_covariate_is_named_by_its_row(make: Any) -> None:
    days = [dt.datetime(2020, 1, day) for day in range(1, 6)]
    frame = make({**LONG, "rain": [1.0, 2.0, float("inf"), 4.0, 5.0], "sky": days})
    with fails(DataError, "row 2 ... 'rain' ... infinite ... 'sky' ... neither a number nor a category"):
        from_frame(to_panel(frame), frame, past_cols=["rain"], static_cols=["sky"])


def test_columns_of_lists_and_mixtures_are_refused() -> None:
    frame = pl.DataFrame({"y": [1.0, 2.0], "c": [[1], [2]]})
    with fails(DataError, "row 0 ... 'c' ... neither a number nor a category ... List"):
        from_frame(to_panel(frame), frame, past_cols=["c"])
    lists = pd.DataFrame({"y": [1.0, 2.0], "c": pd.Series([[1, 2], [3, 4]], dtype=object)})
    with fails(DataError, "row 0 ... 'c' ... neither a number nor a category"):
        from_frame(to_panel(lists), lists, past_cols=["c"])
    mixed = pd.DataFrame({"y": [1.0, 2.0], "c": pd.Series(["a", 1], dtype=object)})
    with fails(DataError, "row 1 ... 'c' ... the column mixes numbers with text"):
        from_frame(to_panel(mixed), mixed, past_cols=["c"])


def test_the_frame_must_be_the_one_of_the_series(make: Any) -> None:
    frame = make(LONG)
    shorter = make({name: column[:4] for name, column in LONG.items()})
    with fails(ArgumentError, "the covariates are of another frame ... 5 rows ... 4 rows"):
        from_frame(to_panel(frame), shorter, past_cols=["rain"])
    with fails(ArgumentError, "the series did not come from a table"):
        from_frame(to_panel([1.0, 2.0]), frame, past_cols=["rain"])


def test_a_frame_that_is_not_in_memory_is_refused() -> None:
    frame = pl.DataFrame(LONG)
    with fails(KindError, "the frame is not in memory"):
        from_frame(to_panel(frame), frame.lazy(), past_cols=["rain"])
