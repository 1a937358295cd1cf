"""Arrays, lists and dictionaries in, beside every kind of series."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from tests.panel.helpers import fails
from unrolled.covariates import Covariates, from_arrays
from unrolled.errors import ArgumentError, DataError
from unrolled.panel import to_panel

VECTOR = to_panel([1.0, 2.0, 3.0])
MATRIX = to_panel(np.zeros((3, 2)))
CUBE = to_panel(np.zeros((2, 3, 1)))
LIST = to_panel([[1.0, 2.0], [3.0, 4.0, 5.0]])


def columns(found: Covariates, part: str) -> dict[str, list[Any]]:
    return {name: column.tolist() for name, column in getattr(found, part).items()}


@pytest.mark.parametrize("panel", [VECTOR, MATRIX])
def test_beside_one_series(panel: Any) -> None:
    found = from_arrays(panel, past=[1, 2, 3], known=[[1, "a"], [2, "b"], [3, None], [4, "d"]], static=[7, 8])
    assert columns(found, "past") == {"past_0": [1, 2, 3]}
    assert columns(found, "known") == {"known_0": [1, 2, 3, 4], "known_1": ["a", "b", None, "d"]}
    assert found.known_offsets.tolist() == [0, 4]
    assert columns(found, "static") == {"static_0": [7], "static_1": [8]}


def test_beside_series_of_one_length() -> None:
    past = np.arange(12.0).reshape(2, 3, 2)
    found = from_arrays(CUBE, past=past, known=np.arange(8.0).reshape(2, 4), static=[[1, "a"], [2, "b"]])
    assert columns(found, "past") == {"past_0": [0, 2, 4, 6, 8, 10], "past_1": [1, 3, 5, 7, 9, 11]}
    assert columns(found, "known") == {"known_0": list(range(8))}
    assert found.known_offsets.tolist() == [0, 4, 8]
    assert columns(found, "static") == {"static_0": [1, 2], "static_1": ["a", "b"]}


def test_beside_a_list() -> None:
    found = from_arrays(
        LIST, past=[[1, 2], np.array([3, 4, 5])], known=[["a"] * 4, ["b"] * 3], static=["x", "y"]
    )
    assert columns(found, "past") == {"past_0": [1, 2, 3, 4, 5]}
    assert columns(found, "known") == {"known_0": list("aaaabbb")}
    assert found.known_offsets.tolist() == [0, 4, 7]
    assert columns(found, "static") == {"static_0": ["x", "y"]}
    wide = from_arrays(LIST, past=[np.ones((2, 2)), [[1, 2], [3, 4], [5, 6]]])
    assert columns(wide, "past") == {"past_0": [1, 1, 1, 3, 5], "past_1": [1, 1, 2, 4, 6]}


def test_numbers_beside_text_do_not_become_text() -> None:
    with fails(DataError, "series 1, column 'past_0', position 0: the column mixes numbers with text"):
        from_arrays(LIST, past=[np.array([1, 2]), np.array(["a", "b", "c"])])
    found = from_arrays(LIST, past=[np.array([1.0, 2.0]), [None, 4, 5]])
    assert np.isnan(found.past["past_0"][2])


def test_a_dictionary_keeps_its_names() -> None:
    found = from_arrays(
        LIST,
        past={"rain": [[1, 2], [3, 4, 5]]},
        known={"price": [[1, 2, 3], [4, 5, 6]], "sky": [list("abc"), list("def")]},
        static={"shop": ["x", "y"], "size": [1, 2]},
    )
    assert (list(found.past), list(found.known), list(found.static)) == (
        ["rain"],
        ["price", "sky"],
        ["shop", "size"],
    )
    one = from_arrays(VECTOR, past={"rain": pl.Series([1, 2, 3])}, static={"shop": "x", "size": 3, "n": [4]})
    assert columns(one, "static") == {"shop": ["x"], "size": [3], "n": [4]}
    assert columns(from_arrays(CUBE, past={"a": np.ones((2, 3))}), "past") == {"a": [1] * 6}


def test_nothing_given_is_nothing() -> None:
    found = from_arrays(LIST)
    assert found.names == ()
    assert found.known_offsets.tolist() == [0, 0, 0]
    assert found.tails(LIST, 1).names == ()


@pytest.mark.parametrize(
    ("panel", "given", "says"),
    [
        (VECTOR, {"past": [1, 2]}, "'past' of series 0 is not as long as the series ... 3 rows ... 2 rows"),
        (VECTOR, {"past": [1, 2, 3, 4]}, "'past' of series 0 is not as long ... 4 rows ... belongs in known"),
        (
            VECTOR,
            {"known": [1, 2]},
            "'known' of series 0 ends before the series ... 3 rows or more ... 2 rows",
        ),
        (LIST, {"past": [[1, 2]]}, "'past' does not have the series that y has ... 2 series"),
        (LIST, {"past": 3}, "'past' does not have the series that y has ... int"),
        (CUBE, {"past": np.zeros((3, 3))}, "'past' does not have the series ... (3, 3)"),
        (LIST, {"past": [[1], [3, 4]]}, "of series 0 is not as long ... of series 1 is not as long"),
        (LIST, {"past": [[1, 2], []]}, "'past' of series 1 does not make columns"),
        (LIST, {"past": [[1, 2], [[1], [2, 3], [4]]]}, "'past' of series 1 does not make columns"),
        (VECTOR, {"past": np.zeros((1, 3, 1))}, "'past' of series 0 does not make columns ... (1, 3, 1)"),
        (LIST, {"past": [[1, 2], [[1, 2]] * 3]}, "series 1 has another number of columns ... 1 ... 2"),
        (VECTOR, {"past": {"a": np.zeros((3, 2))}}, "'a' names more than one column"),
        (VECTOR, {"known": {"a": [1] * 4, "b": [1] * 5}}, "do not go on equally far ... 'a', 'b'"),
        (LIST, {"static": [1, 2, 3]}, "'static' does not have one value for each series ... list (3,)"),
        (LIST, {"static": {"shop": ["x"]}}, "'shop' does not have one value for each series"),
        (LIST, {"static": {"shop": [["x"], ["y", "z"]]}}, "'shop' does not have one value ... list (2)"),
        (LIST, {"past": {"a": [[1, 2], [3, 4, 5]]}, "static": {"a": [1, 2]}}, "'a' is named twice"),
    ],
)
def test_what_does_not_fit_is_refused(panel: Any, given: dict[str, Any], says: str) -> None:
    with fails(DataError, says):
        from_arrays(panel, **given)


def test_many_faults_are_counted() -> None:
    panel = to_panel([[1.0, 2.0]] * 9)
    with fails(DataError, "series 4 is not as long ... and 4 more like these"):
        from_arrays(panel, past=[[1.0]] * 9)


def test_columns_of_a_frame_are_named_not_given() -> None:
    with fails(ArgumentError, "covariates of a data frame are columns of it ... known_cols"):
        from_arrays(to_panel(pl.DataFrame({"y": [1.0, 2.0]})), past=[1, 2])
