"""From when to when each covariate is needed, and what is said where it ends too early."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest

from tests.forecaster.helpers import small, wave
from tests.panel.helpers import fails
from unrolled import Forecaster
from unrolled.covariates import from_arrays, from_columns, from_frame
from unrolled.encoding import Encoder
from unrolled.errors import DataError
from unrolled.panel import to_panel
from unrolled.spans import Span, check_spans, spans

DAYS = [dt.date(2024, 2, day) for day in range(25, 30)]
FRAME = pl.DataFrame(
    {
        "unique_id": ["b"] * 3 + ["a"] * 2,
        "ds": [*DAYS[:3], *DAYS[3:]],
        "y": [1.0] * 5,
        "price": range(5),
        "rain": range(5),
        "shop": ["B"] * 3 + ["A"] * 2,
    }
)
PANEL = to_panel(FRAME)
COVARIATES = from_frame(PANEL, FRAME, past_cols=["rain"], known_cols=["price"], static_cols=["shop"])
ENCODER = Encoder.fit(PANEL, COVARIATES, ["month"])


def test_each_series_and_column_has_a_span() -> None:
    assert spans(PANEL, ENCODER, COVARIATES, window=2, horizon=2) == [
        Span("b", "month", "calendar", "2024-02-26", "2024-02-29", "2024-02-29", True),
        Span("b", "price", "known", "2024-02-26", "2024-02-29", "2024-02-27", False),
        Span("b", "rain", "past", "2024-02-26", "2024-02-27", "2024-02-27", True),
        Span("b", "shop", "static", None, None, None, True),
        Span("a", "month", "calendar", "2024-02-28", "2024-03-02", "2024-03-02", True),
        Span("a", "price", "known", "2024-02-28", "2024-03-02", "2024-02-29", False),
        Span("a", "rain", "past", "2024-02-28", "2024-02-29", "2024-02-29", True),
        Span("a", "shop", "static", None, None, None, True),
    ]


def test_a_window_longer_than_the_series_begins_with_it() -> None:
    for window in (None, 9):
        firsts = [span.first for span in spans(PANEL, ENCODER, COVARIATES, window=window, horizon=1)]
        assert firsts == ["2024-02-25"] * 3 + [None] + ["2024-02-28"] * 3 + [None]


def test_nothing_is_there_without_covariates() -> None:
    found = spans(PANEL, ENCODER, window=2, horizon=1)
    assert [span.enough for span in found] == [True, False, False, False] * 2
    assert [span.have_last for span in found[1:4]] == [None, None, None]


def test_positions_are_counted_where_there_are_no_times() -> None:
    panel = to_panel([[1.0, 2.0], [3.0]])
    covariates = from_arrays(panel, known=[[1, 2, 3], [4, 5]])
    found = spans(panel, Encoder.fit(panel, covariates), covariates, window=1, horizon=1)
    assert [(span.first, span.last, span.have_last, span.enough) for span in found] == [
        (1, 2, 2, True),
        (0, 1, 1, True),
    ]
    check_spans(panel, Encoder.fit(panel, covariates), covariates, horizon=1)


def test_what_ends_too_early_is_refused_by_series_column_and_time() -> None:
    with fails(
        DataError,
        "series 'b', column 'price', 2024-02-28: what is known ahead ends before this ... up to 2024-02-29, "
        "2 points ... : 2 ... series 'a', column 'price', 2024-03-01",
    ):
        check_spans(PANEL, ENCODER, COVARIATES, horizon=2)


def test_columns_that_are_missing_are_all_named() -> None:
    with fails(
        DataError, "'price' is missing ... known ... 'rain' is missing ... 'shop' is missing ... static"
    ):
        check_spans(PANEL, ENCODER, horizon=1)


def test_many_series_are_counted() -> None:
    panel = to_panel([[1.0, 2.0]] * 8)
    covariates = from_columns(panel, known={"k": np.zeros(16)})
    with fails(DataError, "series 4, column 'k', position 2 ... and 3 more like these"):
        check_spans(panel, Encoder.fit(panel, covariates), covariates, horizon=1)


def test_positions_are_those_of_the_series_that_was_fitted(tmp_path):
    fitted = small(3, window=8).fit(wave(), known=np.arange(75.0))
    fitted.save(tmp_path / "model")
    for forecaster in (fitted, Forecaster.load(tmp_path / "model")):
        (span,) = forecaster.spans()
        assert (span.first, span.last, span.have_last) == (64, 74, 74)
    with pytest.raises(DataError, match="74"):
        fitted.predict(future=np.ones(2))
