"""One column, and parts of covariates and panel chosen together."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.panel.helpers import fails
from unrolled.covariates import Covariates, from_columns, pack, unpack
from unrolled.covariates.columns import as_column, missing_in
from unrolled.errors import ArgumentError, DataError
from unrolled.panel import to_panel

THREE = to_panel([[1.0, 2.0], [3.0, 4.0, 5.0], [6.0]])
"""Series of 2, 3 and 1 points."""


def beside_three() -> Covariates:
    return from_columns(
        THREE,
        past={"rain": [0, 1, 10, 11, 12, 20]},
        known={"sky": list("abccdeef")},
        known_offsets=np.array([0, 2, 6, 8]),
        static={"shop": ["x", "y", None]},
    )


@pytest.mark.parametrize(
    ("values", "column"),
    [
        ([1, 2], [1.0, 2.0]),
        (np.array([1, 2], np.uint8), [1.0, 2.0]),
        ([1, None, 2.5], [1.0, None, 2.5]),
        ([Decimal("1.5"), Fraction(1, 4), np.float32(2)], [1.5, 0.25, 2.0]),
        ([None, None], [None, None]),
        ([pd.NA, 3, pd.NaT], [None, 3.0, None]),
        (np.ma.masked_array([1, 2], [False, True]), [1.0, None]),
        (np.ma.masked_array(["a", "b"], [False, True]), ["a", None]),
        (["a", "b"], ["a", "b"]),
        (["a", None, float("nan")], ["a", None, None]),
        (np.array(["a", "bc"]), ["a", "bc"]),
        ([True, False], ["True", "False"]),
        ([True, None, "x"], ["True", None, "x"]),
        (np.array([True, np.bool_(False), None], object), ["True", "False", None]),
    ],
)
def test_a_column_is_numbers_or_categories(values: Any, column: list[Any]) -> None:
    found = as_column(values)
    assert isinstance(found, np.ndarray)
    assert [
        None if lost else one for one, lost in zip(found.tolist(), missing_in(found), strict=True)
    ] == column
    assert found.dtype == (object if any(isinstance(one, str) for one in column) else np.float64)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([1.0, np.inf, 2.0, 1, 1, 1], "series 0, column 'c', position 1: the value is infinite ... inf"),
        (
            [1.0, 10**400, None, 1, 1, 1],
            "series 0, column 'c', position 1: the value is infinite ... 1.8e308",
        ),
        (
            [1, 2, 3, "four", 5, 6],
            "series 1, column 'c', position 1: the column mixes numbers with text ... 'four'",
        ),
        ([1, 2, 3, True, None, 6], "series 1, column 'c', position 1: the column mixes numbers ... True"),
        (
            [None, 1, 2, [3], 4, 5],
            "series 1, column 'c', position 1: this is neither a number nor a category",
        ),
        (np.zeros(6, "datetime64[D]"), "column 'c' ... neither a number ... datetime64[D] ... calendar="),
        ([b"a"] * 6, "column 'c' ... neither a number nor a category"),
        ([1.0] * 5, "the covariate 'c' does not fit the series ... shape (6,) ... shape (5,)"),
        (np.zeros((6, 1)), "the covariate 'c' does not fit the series ... shape (6, 1)"),
    ],
)
def test_what_is_no_column_is_refused(values: Any, says: str) -> None:
    with fails(DataError, says):
        from_columns(THREE, past={"c": values})


def test_a_static_value_is_named_by_its_series() -> None:
    with fails(DataError, "series 2, column 'size': the value is infinite"):
        from_columns(THREE, static={"size": [1, 2, np.inf]})


def test_all_faults_come_at_once() -> None:
    with fails(DataError, "'a' is named twice ... 'b' does not fit ... 'c': the value is infinite"):
        from_columns(
            THREE, past={"a": [1] * 6, "b": [1] * 4}, known={"a": [1] * 6}, static={"c": [np.inf, 1, 1]}
        )


def test_known_columns_reach_at_least_the_end() -> None:
    with fails(DataError, "series 1, column 'k', position 2: what is known ahead ends before this ... : 1"):
        from_columns(THREE, known={"k": [1] * 5}, known_offsets=np.array([0, 2, 4, 5]))


def test_what_was_given_is_not_touched() -> None:
    given = np.arange(6.0)
    column = from_columns(THREE, past={"a": given}).past["a"]
    assert not np.shares_memory(given, column)
    assert given.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        column[0] = 1


def test_it_says_what_it_holds() -> None:
    assert repr(beside_three()) == "Covariates(past: rain; known: sky; static: shop)"
    assert beside_three().names == ("rain", "sky", "shop")


def test_tails_go_with_the_tails_of_the_panel() -> None:
    tail = beside_three().tails(THREE, 2)
    assert tail.past["rain"].tolist() == [0, 1, 11, 12, 20]
    assert tail.known["sky"].tolist() == ["a", "b", "c", "d", "e", "e", "f"]
    assert tail.known_offsets.tolist() == [0, 2, 5, 7]
    assert tail.static["shop"].tolist() == ["x", "y", None]
    with fails(ArgumentError, "a tail has too few points ... 0"):
        beside_three().tails(THREE, 0)


def test_a_cut_keeps_what_is_known_ahead() -> None:
    two = THREE.tails(3)
    cut = beside_three().of(two, [0, 1])
    assert cut.past["rain"].tolist() == [0, 1, 10, 11, 12]
    panel = to_panel([[1.0, 2.0], [3.0, 4.0, 5.0]])
    for points, rain in ((1, [0, 10, 11]), (np.array([0, 2]), [0, 1, 10])):
        shorter = cut.cut(panel, points)
        assert shorter.past["rain"].tolist() == rain
        assert shorter.known["sky"].tolist() == list("abccde")
        assert shorter.known_offsets.tolist() == [0, 2, 6]


@pytest.mark.parametrize(("points", "got"), [(1, "1 points to cut of 1"), (-1, "-1 points")])
def test_a_cut_leaves_a_point(points: int, got: str) -> None:
    with fails(ArgumentError, f"nothing would be left of series ... {got}"):
        beside_three().cut(THREE, points)


def test_series_are_chosen_in_any_order() -> None:
    found = beside_three().of(THREE, [2, 0])
    assert found.past["rain"].tolist() == [20, 0, 1]
    assert found.known["sky"].tolist() == ["e", "f", "a", "b"]
    assert found.known_offsets.tolist() == [0, 2, 4]
    assert found.static["shop"].tolist() == [None, "x"]


def same(one: Covariates, other: Covariates) -> bool:
    """Whether two covariates hold the same."""
    parts = [(getattr(one, part), getattr(other, part)) for part in ("past", "known", "static")]
    return all(
        list(a) == list(b) and all(repr(a[name].tolist()) == repr(b[name].tolist()) for name in a)
        for a, b in parts
    ) and (not one.known or one.known_offsets.tolist() == other.known_offsets.tolist())


TEXT = st.one_of(st.none(), st.text(max_size=3))
NUMBER = st.one_of(st.none(), st.floats(allow_infinity=False))


@given(st.data(), st.sampled_from([TEXT, NUMBER]), st.booleans())
def test_what_is_packed_comes_back(data: st.DataObject, values: Any, ahead: bool) -> None:
    column = data.draw(st.lists(values, min_size=6, max_size=6))
    static = data.draw(st.lists(values, min_size=3, max_size=3))
    known = {"k": [*column, *column[:3]]} if ahead else {}
    offsets = np.array([0, 3, 6, 9]) if ahead else None
    given = from_columns(THREE, past={"p": column}, known=known, static={"s": static}, known_offsets=offsets)
    arrays, header = pack(given)
    assert same(unpack(THREE, arrays, json.loads(json.dumps(header))), given)


def broken(change: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return packed covariates with one thing wrong."""
    arrays, header = pack(beside_three())
    if change == "labels":
        header["known"][0]["labels"] = ["b"]
    elif change == "no labels":
        header["known"][0]["labels"] = None
    elif change == "kind of labels":
        header["known"][0]["labels"] = [1, 2, 3, 4, 5, 6]
    elif change == "name":
        header["known"][0]["name"] = 3
    elif change == "twice":
        header["known"].append(header["known"][0])
        arrays["known.1"] = arrays["known.0"]
    elif change == "offsets":
        arrays["known_offsets"] = np.array([0, 2, 1, 8])
    elif change == "offsets size":
        arrays["known_offsets"] = np.array([0, 2])
    elif change == "axes":
        arrays["past.0"] = arrays["past.0"].reshape(2, 3)
    return arrays, header


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("labels", "labels"),
        ("no labels", "covariates"),
        ("kind of labels", "labels"),
        ("name", "covariates"),
        ("twice", "covariates"),
        ("offsets", "known_offsets"),
        ("offsets size", "known_offsets"),
        ("axes", "covariates"),
    ],
)
def test_a_file_that_deceives_is_refused(change: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        unpack(THREE, *broken(change))
