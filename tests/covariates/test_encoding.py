"""Covariates become features: by hand, and everything that is refused."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import polars as pl
import pytest

from tests.panel.helpers import fails
from unrolled.codes import Code
from unrolled.covariates import Covariates, from_arrays, from_columns, from_frame
from unrolled.encoding import Encoder, Features
from unrolled.errors import ArgumentError, DataError
from unrolled.panel import Panel, to_panel

PANEL = to_panel([[1.0, 2.0], [3.0, 4.0, 5.0]])


def encoded(covariates: Covariates, *, panel: Panel = PANEL, ahead: int = 0, held_out: int = 0) -> Features:
    return Encoder.fit(panel, covariates, held_out=held_out).apply(panel, covariates, ahead_points=ahead)


def test_numbers_have_mean_0_and_deviation_1() -> None:
    found = encoded(from_columns(PANEL, past={"rain": [1, 3, 1, 3, 2]}))
    assert found.features is not None
    assert found.features.dtype == np.float32
    np.testing.assert_allclose(found.features[:, 0], np.array([-1, 1, -1, 1, 0]) / np.sqrt(0.8), rtol=1e-6)
    assert (found.known, found.names, found.static) == (0, ("rain",), None)


@pytest.mark.parametrize("number", [0.1, -3e300, 0.0, 1e-320])
def test_a_constant_has_scale_1(number: float) -> None:
    code = Encoder.fit(PANEL, from_columns(PANEL, past={"c": [number] * 5})).codes[0]
    assert code.scale == 1
    assert code.mean == pytest.approx(number, rel=1e-12)


def test_numbers_of_any_size_are_measured() -> None:
    code = Encoder.fit(PANEL, from_columns(PANEL, past={"c": np.array([1, -1, 1, -1, 0]) * 1.5e308})).codes[0]
    assert (code.mean, code.scale) == (0, pytest.approx(1.5e308 * np.sqrt(0.8)))


def test_a_category_is_one_column_for_each_label() -> None:
    found = encoded(from_columns(PANEL, past={"sky": ["b", "a", "c", "a", "b"]}))
    assert found.names == ("sky=a", "sky=b", "sky=c")
    assert found.features is not None
    assert found.features.tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 1], [1, 0, 0], [0, 1, 0]]


def test_known_columns_come_first_and_go_on() -> None:
    covariates = from_arrays(
        PANEL,
        past=[[1, 3], [1, 3, 2]],
        known={"sky": [list("aab"), list("aabb")], "n": [[0, 0, 5], [0, 0, 0, 5]]},
        static={"shop": ["x", "y"], "size": [1.0, 3.0]},
    )
    found = encoded(covariates, ahead=1, held_out=1)
    assert (found.names, found.known) == (("sky=a", "n", "past_0"), 2)
    assert found.offsets.tolist() == [0, 3, 7]
    assert found.features is not None
    past = (np.array([1, 3, 1, 3, 2]) - 5 / 3) / np.std([1, 1, 3])
    np.testing.assert_allclose(found.features[:, 0], [1, 1, 0, 1, 1, 0, 0])
    np.testing.assert_allclose(found.features[:, 1], [0, 0, 5, 0, 0, 0, 5])
    np.testing.assert_allclose(found.features[:, 2], [*past[:2], 0, *past[2:], 0], rtol=1e-6)
    assert found.static is not None
    assert found.static.tolist() == [[1, 0, -1], [0, 1, 1]]
    assert found.static_names == ("shop=x", "shop=y", "size")
    assert found.unknown == {"sky": 3}


def test_missing_values_are_the_mean_and_a_flag() -> None:
    covariates = from_columns(PANEL, past={"rain": [1, None, 3, 2, 2], "sky": ["a", None, "b", "a", "a"]})
    found = encoded(covariates)
    assert found.names == ("rain", "rain missing", "sky=a", "sky=b", "sky missing")
    assert found.features is not None
    assert found.features[1].tolist() == [0, 1, 0, 0, 1]
    assert found.features[:, 1].tolist() == found.features[:, 4].tolist() == [0, 1, 0, 0, 0]
    assert found.unknown == {}


def test_a_column_that_training_never_saw_is_all_flags() -> None:
    covariates = from_columns(PANEL, past={"rain": [None, 7, None, None, 9]})
    found = encoded(covariates, held_out=1)
    assert found.features is not None
    assert found.features.tolist() == [[0, 1], [7, 0], [0, 1], [0, 1], [9, 0]]
    text = from_columns(PANEL, past={"sky": [None, "a", None, None, "b"]})
    assert encoded(text, held_out=1).names == ("sky missing",)


def test_a_column_without_values_later_keeps_its_kind() -> None:
    encoder = Encoder.fit(PANEL, from_columns(PANEL, past={"sky": ["a", None, "b", "a", "a"]}))
    found = encoder.apply(PANEL, from_columns(PANEL, past={"sky": [None] * 5}))
    assert found.features is not None
    assert found.features.tolist() == [[0, 0, 1]] * 5


def test_calendar_features_come_first_and_go_on() -> None:
    frame = pl.DataFrame(
        {"ds": pl.date_range(pl.date(2024, 3, 29), pl.date(2024, 3, 30), eager=True), "y": [1, 2]}
    )
    panel = to_panel(frame.with_columns(price=pl.Series([1.0, 3.0])))
    covariates = from_frame(panel, frame.with_columns(price=pl.Series([1.0, 3.0])), past_cols=["price"])
    encoder = Encoder.fit(panel, covariates, ("weekend", "month"))
    found = encoder.apply(panel, covariates, ahead_points=2)
    assert found.names == ("weekend", "month_sin", "month_cos", "price")
    assert (found.known, encoder.known, encoder.width, encoder.statics) == (3, 3, 4, 0)
    assert found.features is not None
    assert found.features[:, 0].tolist() == [0, 1, 1, 0]
    np.testing.assert_allclose(
        found.features[:, 2], np.cos(np.pi * np.array([1 / 3, 1 / 3, 1 / 3, 1 / 2])), atol=1e-7
    )
    assert found.features[:, 3].tolist() == [-1, 1, 0, 0]


def test_nothing_known_is_no_features() -> None:
    found = Encoder.fit(PANEL).apply(PANEL, ahead_points=2)
    assert (found.features, found.static, found.names, found.known) == (None, None, (), 0)


def test_each_series_may_hold_out_its_own_points() -> None:
    covariates = from_columns(PANEL, past={"rain": [1, 3, 5, 7, 9]})
    code = Encoder.fit(PANEL, covariates, held_out=np.array([0, 3])).codes[0]
    assert (code.mean, code.scale) == (2, 1)
    nothing = Encoder.fit(PANEL, covariates, held_out=3).codes[0]
    assert (nothing.mean, nothing.scale, nothing.gaps) == (0, 1, False)


def test_static_counts_where_there_is_something_to_train_on() -> None:
    covariates = from_columns(PANEL, static={"shop": ["x", "y"], "size": [5.0, 6.0]})
    found = Encoder.fit(PANEL, covariates, held_out=2)
    assert [code.labels for code in found.codes] == [("y",), None]
    assert found.codes[1].mean == 6
    assert found.apply(PANEL, covariates).unknown == {"shop": 1}


# What is refused.

WITH_ALL = from_columns(
    PANEL, past={"rain": [1, 2, 3, 4, 5]}, known={"price": [1, 2, 3, 4, 5]}, static={"shop": ["x", "y"]}
)
NUMBERS = [1.0, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "'price' is missing ... known ... 'rain' is missing ... 'shop' is missing"),
        (
            {"past": {"rain": NUMBERS, "snow": NUMBERS}},
            "does not know the covariate 'snow' ... as past covariate",
        ),
        ({"past": {"rain": list("abcde")}}, "'rain' is of another kind than before ... numbers ... text"),
        ({"static": {"shop": [1, 2]}}, "'shop' is of another kind than before ... text ... numbers"),
        (
            {"past": {"rain": [1, 2, 3, None, None]}},
            "series 1, column 'rain', position 1: the value is missing ... : 2",
        ),
        ({"known": {"price": [None, 2, None, 4, 5]}}, "series 0, column 'price', position 0 ... series 1"),
        ({"static": {"shop": ["x", None]}}, "series 1, column 'shop': the value is missing"),
        (
            {"past": {"rain": [1, 2, 3, 1e300, 5]}},
            "position 1: the value is too large ... float32 ... 1e+300",
        ),
    ],
)
def test_covariates_must_be_those_of_training(given: dict[str, Any], says: str) -> None:
    parts = {part: dict(getattr(WITH_ALL, part)) for part in ("past", "known", "static")}
    changed = Covariates() if not given else from_columns(PANEL, **{**parts, **given})
    with fails(DataError, says):
        Encoder.fit(PANEL, WITH_ALL).apply(PANEL, changed)


def test_known_columns_must_reach_far_enough() -> None:
    with fails(
        DataError, "series 0, column 'price', position 2 ... up to 3, 2 points beyond the end ... : 2"
    ):
        Encoder.fit(PANEL, WITH_ALL).apply(PANEL, WITH_ALL, ahead_points=2)


def test_a_missing_value_is_named_by_its_date() -> None:
    frame = pl.DataFrame(
        {"unique_id": ["a", "a"], "ds": pl.date_range(pl.date(2024, 3, 1), pl.date(2024, 3, 2), eager=True)}
    ).with_columns(y=pl.Series([1.0, 2.0]), price=pl.Series([1.0, None]))
    panel = to_panel(frame)
    covariates = from_frame(panel, frame, past_cols=["price"])
    with fails(
        DataError,
        "series 'a', column 'price', 2024-03-02: the value is missing, but none was in the training",
    ):
        Encoder.fit(panel, covariates, held_out=1).apply(panel, covariates)


def test_too_many_categories_are_refused() -> None:
    panel = to_panel(np.zeros(101))
    names = [f"{number:03}" for number in range(101)]
    assert Encoder.fit(panel, from_arrays(panel, past=[*names[:100], "000"])).width == 100
    with fails(DataError, "the column 'past_0' has too many categories ... at most 100 ... 101"):
        Encoder.fit(panel, from_arrays(panel, past=names))


def test_a_calendar_needs_dates_and_known_names() -> None:
    with fails(DataError, "features of the calendar need dates ... no times"):
        Encoder.fit(PANEL, calendar=("month",))
    with fails(ArgumentError, "'moth' is no feature of the calendar ... 'month'"):
        Encoder.fit(PANEL, calendar=("moth",))


# Saved and read again.


def test_an_encoder_is_plain_data() -> None:
    frame = pl.DataFrame({"ds": pl.date_range(pl.date(2024, 3, 1), pl.date(2024, 3, 3), eager=True)})
    frame = frame.with_columns(
        y=pl.Series([1.0, 2, 3]), a=pl.Series(["x", None, "y"]), b=pl.Series([0.1, 0.2, 0.7])
    )
    panel = to_panel(frame)
    encoder = Encoder.fit(
        panel, from_frame(panel, frame, past_cols=["a"], known_cols=["b"]), ["week", "weekend"]
    )
    assert Encoder.from_dict(json.loads(json.dumps(encoder.to_dict(), allow_nan=False))) == encoder


GOOD: dict[str, Any] = {"name": "a", "part": "past", "labels": None, "mean": 0.0, "scale": 1.0, "gaps": False}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"calendar": []}, "encoder"),
        ({"calendar": ["moth"], "columns": []}, "calendar"),
        ({"calendar": ["month", "month"], "columns": []}, "calendar"),
        ({"calendar": [], "columns": {}}, "columns"),
        ({"calendar": [], "columns": [GOOD, GOOD]}, "columns"),
        ({"calendar": [], "columns": [GOOD, {**GOOD, "name": "b", "part": "known"}]}, "columns"),
        ({"calendar": [], "columns": [{**GOOD, "more": 1}]}, "columns"),
        ({"calendar": [], "columns": [{**GOOD, "name": 1}]}, "name"),
        ({"calendar": [], "columns": [{**GOOD, "part": "future"}]}, "name"),
        ({"calendar": [], "columns": [{**GOOD, "gaps": 1}]}, "gaps"),
        ({"calendar": [], "columns": [{**GOOD, "mean": float("nan")}]}, "mean"),
        ({"calendar": [], "columns": [{**GOOD, "scale": True}]}, "scale"),
        ({"calendar": [], "columns": [{**GOOD, "scale": 0.0}]}, "scale"),
        ({"calendar": [], "columns": [{**GOOD, "labels": ["b", "a"]}]}, "labels"),
        ({"calendar": [], "columns": [{**GOOD, "labels": ["a", 1]}]}, "labels"),
        ({"calendar": [], "columns": [{**GOOD, "labels": [f"{n:03}" for n in range(101)]}]}, "labels"),
    ],
)
def test_a_description_that_deceives_is_refused(content: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Encoder.from_dict(content)


def test_a_code_says_its_features() -> None:
    assert Code("a", "past", gaps=True).features == ("a", "a missing")
    assert Code("a", "past", labels=("x",)).width == 1
