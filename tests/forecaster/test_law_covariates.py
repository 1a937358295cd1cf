"""Covariates: learned where they tell something, never read beyond what is known, missed by name and date."""

from __future__ import annotations

import re

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.forecaster.beside import COLUMNS, HORIZON, USES, columns, days_after, frame, needs, told
from tests.forecaster.helpers import CELLS, small, wave
from unrolled.errors import ArgumentError, DataError

uses = pytest.mark.parametrize(("strategy", "memory"), USES)


class TestLearned:
    def error(self, y, beside, future, actual, **changes):
        """Return the mean absolute error of the forecasts of some series."""
        how = {"window": 8, "hidden_size": 8, "steps": 500, "lr": 0.02, "scaling": "none"}
        forecaster = small(HORIZON, **{**how, **changes}).fit(y, **beside)
        return np.abs(
            np.asarray(forecaster.predict(future=future) if future else forecaster.predict()) - actual
        ).mean()

    @uses
    @pytest.mark.parametrize("cell", ["lstm", "gru", "mingru", "slstm"])
    def test_a_known_covariate_that_decides_is_learned(self, cell, strategy, memory):
        """The series is noise that the covariate tells: without it nobody can know it."""
        price = columns(300, 8)[:, :6].T.copy()
        y, actual = price[:, :-HORIZON], price[:, -HORIZON:]
        how = {"cell": cell, "strategy": strategy, "memory": memory}
        with_it = self.error(list(y), {"known": list(y)}, list(actual), actual, **how)
        without = self.error(list(y), {}, None, actual, **how)
        assert without > 0.5
        assert with_it < 0.4 * without

    def test_a_label_known_ahead_that_decides_is_learned(self):
        label = np.random.default_rng(3).choice(["low", "high"], (6, 200))
        y = np.where(label == "low", -1.0, 1.0)
        parts = ([list(row) for row in label[:, :-HORIZON]], [list(row) for row in label[:, -HORIZON:]])
        actual = y[:, -HORIZON:]
        assert self.error(list(y[:, :-HORIZON]), {"known": parts[0]}, parts[1], actual) < 0.2

    def test_a_past_column_that_leads_is_learned(self):
        lead = columns(200, 6).T.copy()
        y, past = lead[:, :-HORIZON], lead[:, HORIZON:]  # what the column says comes a horizon later
        actual = lead[:, -HORIZON:]
        assert self.error(list(y), {"past": list(past)}, None, actual) < 0.35
        assert self.error(list(y), {}, None, actual) > 0.5

    def test_a_static_label_that_decides_is_learned(self):
        """Windows of nothing but noise, whose level the label alone tells."""
        rng = np.random.default_rng(5)
        y, static = [], []
        for number in range(8):
            own = 0.05 * rng.standard_normal(60)
            own[2::3] += 3.0 * (-1) ** number
            own[0::3] = own[1::3] = 0.0
            y.append(own)
            static.append(["up" if number % 2 == 0 else "down"])
        how = {"window": 2, "hidden_size": 8, "steps": 400, "lr": 0.02, "scaling": "none", "validation": 0}
        errors = []
        for beside in ({"static": static}, {}):
            forecaster = small(1, **how).fit(y, **beside)
            told_of = forecaster.predict([one[:2] for one in y], **beside)
            errors.append(np.abs(np.asarray(told_of)[:, 0] - [3.0 * (-1) ** n for n in range(8)]).mean())
        assert errors[0] < 0.5
        assert errors[1] > 2.0

    def test_the_calendar_that_decides_is_learned(self):
        days = np.datetime64("2024-01-01") + np.arange(240)
        weekend = np.isin((days.astype(np.int64) + 3) % 7, [5, 6]).astype(float)
        data = pl.DataFrame({"unique_id": ["a"] * 240, "ds": days, "y": weekend})
        how = {"window": 2, "patch": 1, "hidden_size": 8, "steps": 500, "lr": 0.02, "scaling": "none"}
        found = small(7, calendar=("weekday",), **how).fit(data).predict()
        blind = small(7, **how).fit(data).predict()
        after = (days[-1].astype(np.int64) + 1 + np.arange(7) + 3) % 7
        actual = np.isin(after, [5, 6])
        assert np.abs(found["y_hat"].to_numpy() - actual).mean() < 0.15
        assert np.abs(blind["y_hat"].to_numpy() - actual).mean() > 0.15


class TestNeverReadBeyondTheOrigin:
    @uses
    @pytest.mark.parametrize("cell", CELLS)
    def test_past_columns(self, cell, strategy, memory):
        """Training reads no past column behind a window, so none of the last targets' rows is ever read."""
        how = {"cell": cell, "strategy": strategy, "memory": memory, "window": 8, "validation": 0}
        how |= {"scaling": "none", "dtype": "float64"}
        at_once = HORIZON if strategy == "direct" else 1
        found = []
        for value in (None, 77.0):
            panel = told(30, 40)
            panel.past = [columns(len(y), 1, 5) for y in panel.series]
            if value is not None:
                for past in panel.past:
                    past[-at_once:] = value
            forecaster = small(HORIZON, **how)
            # How they are measured may change, and is held still: numbers of mean 0 and deviation 1.
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("unrolled.codes.Code.numbers", _as_they_are)
                forecaster.fit(panel.series, past=panel.past)
            found.append(forecaster.network_.weights)
        for name in found[0]:
            np.testing.assert_array_equal(found[0][name], found[1][name])

    @uses
    @settings(max_examples=5)
    @given(value=st.floats(-1e3, 1e3))
    def test_what_lies_behind_the_horizon(self, strategy, memory, value):
        panel = told(40, 50, ahead=9)
        forecaster = FITTED.get((strategy, memory))
        if forecaster is None:
            forecaster = small(HORIZON, strategy=strategy, memory=memory, window=8)
            forecaster.fit(panel.series, **panel.beside())
            FITTED[strategy, memory] = forecaster
        before = forecaster.predict(panel.series, **panel.beside())
        for y, known in zip(panel.series, panel.known, strict=True):
            known[len(y) + HORIZON :] = value
        np.testing.assert_array_equal(forecaster.predict(panel.series, **panel.beside()), before)
        for y, known in zip(panel.series, panel.known, strict=True):
            known[len(y) + HORIZON - 1] += 1.0
        after = np.asarray(forecaster.predict(panel.series, **panel.beside()))
        assert (after[:, -1] != np.asarray(before)[:, -1]).all()

    @pytest.mark.parametrize("cell", CELLS)
    def test_a_recursive_forecast_reads_what_is_known_of_its_own_point_alone(self, cell):
        panel = told(40)
        forecaster = small(HORIZON, cell=cell, strategy="recursive", window=8).fit(
            panel.series, **panel.beside()
        )
        before = np.asarray(forecaster.predict(panel.series, **panel.beside()))[0]
        for step in range(HORIZON):
            other = told(40)
            other.known[0][40 + step :] += 2.0
            after = np.asarray(forecaster.predict(other.series, **other.beside()))[0]
            np.testing.assert_array_equal(after[:step], before[:step])
            assert after[step] != before[step]


FITTED: dict[tuple[str, str], object] = {}
"""The forecasters of a law above, each fitted once."""


def _as_they_are(code, column):
    """Stand in for `Code.numbers`: the column as it is."""
    return np.asarray(column, np.float64)[:, None], 0


def test_the_future_may_come_with_the_series_or_alone():
    panel = told(40, 50)
    ends = [known[: len(y)] for known, y in zip(panel.known, panel.series, strict=True)]
    after = [known[len(y) :] for known, y in zip(panel.known, panel.series, strict=True)]
    forecaster = small(HORIZON, window=8).fit(panel.series, **{**panel.beside(), "known": ends})
    whole = forecaster.predict(panel.series, **panel.beside())
    np.testing.assert_array_equal(forecaster.predict(future=after), whole)
    beside = {**panel.beside(), "known": ends}
    np.testing.assert_array_equal(forecaster.predict(panel.series, **beside, future=after), whole)
    as_array = np.stack(after)
    np.testing.assert_array_equal(forecaster.predict(future=as_array), whole)
    by_name = {"known_0": as_array[..., 0], "known_1": as_array[..., 1]}
    np.testing.assert_array_equal(forecaster.predict(future=by_name), whole)


def test_an_unknown_category_is_forecast_by_rule_as_none_of_the_known():
    data = frame(40, 50)
    forecaster = small(HORIZON, window=8, **COLUMNS).fit(data)
    after = days_after(data)
    found = {}
    for label in ("yes", "no"):
        found[label] = forecaster.predict(future=after.with_columns(promo=pl.lit(label)))
    for label in ("maybe", "never seen"):
        with pytest.warns(UserWarning, match=r"labels that training never saw.*promo \(6\)") as told:
            found[label] = forecaster.predict(future=after.with_columns(promo=pl.lit(label)))
        assert told[0].filename == __file__
    assert not found["yes"].equals(found["no"])
    assert found["maybe"].equals(found["never seen"])
    assert not found["maybe"].equals(found["yes"])
    assert found["maybe"]["y_hat"].is_finite().all()
    with pytest.warns(UserWarning, match="never saw.*shop"):
        shop = forecaster.predict(data.with_columns(shop=pl.lit("elsewhere")), future=after)
    assert shop["y_hat"].is_finite().all()


class TestSpans:
    def test_what_they_name_is_just_enough_and_one_less_is_an_error(self):
        """From the frame that `spans` asks for, the forecast is made; without its last day it is not."""
        data = frame(40, 50)
        forecaster = small(HORIZON, window=8, **COLUMNS).fit(data)
        spans = forecaster.spans(data)
        assert [(one.series, one.column, one.kind) for one in spans] == [
            (name, column, kind)
            for name in "ab"
            for column, kind in (("price", "known"), ("promo", "known"), ("rain", "past"), ("shop", "static"))
        ]
        whole = forecaster.predict(data, future=days_after(data))
        needed = [one for one in spans if one.kind == "known" and one.column == "price"]
        first = {one.series: str(one.first)[:10] for one in needed}
        last = {one.series: str(one.last)[:10] for one in needed}
        assert first == {"a": "2024-02-02", "b": "2024-02-12"}
        assert last == {"a": "2024-02-12", "b": "2024-02-22"}
        past = {one.series: str(one.last)[:10] for one in spans if one.kind == "past"}
        assert past == {"a": "2024-02-09", "b": "2024-02-19"}
        own = pl.col("unique_id").replace_strict(first).str.to_date()
        enough = data.filter(pl.col("ds").cast(pl.Date) >= own)
        after = days_after(data)
        assert forecaster.predict(enough, future=after).equals(whole)
        for name in "ab":
            lacking = after.filter((pl.col("unique_id") != name) | (pl.col("ds").cast(pl.Utf8) < last[name]))
            pattern = rf"no row of series '{name}' at {last[name]}(.|\n)*up to {last[name]}"
            with pytest.raises(DataError, match=pattern):
                forecaster.predict(enough, future=lacking)

    @uses
    def test_nothing_before_them_is_read(self, strategy, memory):
        data = frame(40, 50)
        forecaster = small(
            HORIZON, window=8, strategy=strategy, memory=memory, scaling="none", **COLUMNS
        ).fit(data)
        first = {one.series: str(one.first)[:10] for one in forecaster.spans(data) if one.kind == "known"}
        if memory == "all":
            assert set(first.values()) == {"2024-01-01"}
            return
        before = pl.col("ds").cast(pl.Utf8) < pl.col("unique_id").replace_strict(first)
        other = data.with_columns(
            pl.when(before).then(99.0).otherwise(pl.col(name)).alias(name) for name in ("price", "rain", "y")
        )
        after = days_after(data)
        assert forecaster.predict(other, future=after).equals(forecaster.predict(data, future=after))
        at = pl.col("ds").cast(pl.Utf8) == pl.col("unique_id").replace_strict(first)
        touched = data.with_columns(pl.when(at).then(99.0).otherwise(pl.col("price")).alias("price"))
        assert not forecaster.predict(touched, future=after).equals(forecaster.predict(data, future=after))

    def test_arrays_count_positions(self):
        panel = told(40, 50)
        forecaster = small(HORIZON, window=8).fit(panel.series, **panel.beside())
        spans = forecaster.spans(panel.series)
        assert {(one.series, one.kind, one.first, one.last) for one in spans if one.kind != "static"} == {
            (0, "known", 32, 42),
            (0, "past", 32, 39),
            (1, "known", 42, 52),
            (1, "past", 42, 49),
        }

    def test_what_was_fitted_says_what_is_there(self):
        panel = told(40, 50)
        forecaster = small(HORIZON, window=8).fit(panel.series, **panel.beside())
        assert all(one.enough for one in forecaster.spans())
        ends = [known[: len(y)] for known, y in zip(panel.known, panel.series, strict=True)]
        forecaster.fit(panel.series, **{**panel.beside(), "known": ends})
        assert {one.kind: one.enough for one in forecaster.spans()} == {
            "known": False,
            "past": True,
            "static": True,
        }

    def test_the_calendar_is_always_there(self):
        data = frame(40)
        forecaster = small(HORIZON, window=8, calendar=("weekday",)).fit(data)
        (span,) = forecaster.spans()
        assert (span.series, span.column, span.kind, span.enough) == ("a", "weekday", "calendar", True)

    def test_without_covariates_there_are_none(self):
        assert small(HORIZON, window=8).fit(wave()).spans() == []


class TestMissingSpans:
    @pytest.fixture
    def forecaster(self):
        return small(HORIZON, window=8, **COLUMNS).fit(frame(40, 50))

    def test_no_future_at_all(self, forecaster):
        with pytest.raises(
            DataError, match=r"series 'a'(.|\n)*price(.|\n)*2024-02-10(.|\n)*2024-02-12"
        ) as caught:
            forecaster.predict()
        assert "series 'b'" in str(caught.value)
        assert "predict(future=...)" in str(caught.value)

    def test_a_day_in_the_middle(self, forecaster):
        after = days_after(frame(40, 50)).filter(pl.col("ds").cast(pl.Utf8) != "2024-02-21")
        with pytest.raises(DataError, match="no row of series 'b' at 2024-02-21"):
            forecaster.predict(future=after)

    def test_a_column(self, forecaster):
        with pytest.raises(DataError, match="promo"):
            forecaster.predict(future=days_after(frame(40, 50)).drop("promo"))
        with pytest.raises(DataError, match="rain"):
            forecaster.predict(frame(40, 50).drop("rain"), future=days_after(frame(40, 50)))

    def test_a_value(self, forecaster):
        after = days_after(frame(40, 50))
        hole = pl.when(pl.col("ds").cast(pl.Utf8) == "2024-02-21").then(None).otherwise(pl.col("price"))
        pattern = r"series 'b', column 'price', 2024-02-21: the value is missing"
        with pytest.raises(DataError, match=re.sub(", 2024", ".*2024", pattern)):
            forecaster.predict(future=after.with_columns(price=hole))

    def test_arrays(self):
        panel = told(40, 50)
        forecaster = small(HORIZON, window=8).fit(panel.series, **panel.beside())
        ends = [known[: len(y) + 2] for known, y in zip(panel.known, panel.series, strict=True)]
        beside = {**panel.beside(), "known": ends}
        with pytest.raises(DataError, match=r"series 0(.|\n)*position 42(.|\n)*series 1(.|\n)*position 52"):
            forecaster.predict(panel.series, **beside)

    def test_covariates_that_nobody_learned(self):
        panel = told(40)
        plain = small(HORIZON, window=8).fit(panel.series)
        for name, one in panel.beside().items():
            with pytest.raises(DataError, match=f"does not know the covariate '{name}_0'"):
                plain.predict(panel.series, **{name: one})
            with pytest.raises(DataError, match=f"does not know the covariate '{name}_0'"):
                plain.fit_more(panel.series, steps=1, **{name: one})

    def test_a_future_of_nothing(self):
        with pytest.raises(ArgumentError, match="no column is known ahead"):
            small(HORIZON, window=8).fit(wave()).predict(future=np.ones(HORIZON))

    def test_covariates_without_their_series(self):
        panel = told(40)
        forecaster = small(HORIZON, window=8).fit(panel.series, **panel.beside())
        with pytest.raises(ArgumentError, match="without the series that they belong to"):
            forecaster.predict(known=panel.known)

    def test_columns_of_what_has_none(self):
        with pytest.raises(ArgumentError, match="price"):
            small(HORIZON, window=8, known_cols=("price",)).fit(wave())


@pytest.mark.parametrize("loss", ["quantile", "gaussian", "student_t", "negative_binomial"])
@pytest.mark.parametrize("extra", [{}, {"members": 2}, {"num_layers": 2, "dropout": 0.2}], ids=str)
def test_sample_paths_follow_what_is_known_ahead(loss, extra):
    panel = told(60, 72, loss=loss)
    forecaster = small(HORIZON, strategy="recursive", window=8, steps=20, **needs(loss), **extra)
    forecaster.fit(panel.series, **panel.beside())
    paths = forecaster.sample(40, panel.series, **panel.beside())
    assert paths.shape == (2, 40, HORIZON, 1)
    for y, known in zip(panel.series, panel.known, strict=True):
        known[len(y) + 1 :] += 3.0
    other = forecaster.sample(40, panel.series, **panel.beside())
    np.testing.assert_array_equal(other[:, :, 0], paths[:, :, 0])
    assert (other[:, :, 1:] != paths[:, :, 1:]).any()
    quantiles = forecaster.predict_quantiles(panel.series, quantiles=(0.1, 0.5, 0.9), **panel.beside())
    assert (np.diff(quantiles, axis=-1) >= 0).all()
