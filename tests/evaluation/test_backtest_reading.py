"""A backtest reads series as the forecaster says, and each fold knows the covariates of its own time."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest

from unrolled import Forecaster
from unrolled.errors import ArgumentError
from unrolled.evaluation import backtest

MONTHS = pd.date_range("2015-01-01", periods=40, freq="MS")


def frame(ahead: int = 0) -> pd.DataFrame:
    """Return two monthly series with covariates, known so many months ahead; the last is shorter."""
    parts = []
    for shop, length in (("a", 40 - ahead), ("b", 30 - ahead)):
        at = np.arange(40 - length - ahead, 40)
        y = np.where(at < 40 - ahead, at + 100.0 * (shop == "b"), np.nan)
        parts.append(
            pd.DataFrame(
                {
                    "shop": shop,
                    "month": MONTHS[at],
                    "sales": y,
                    "promo": at % 5,
                    "rain": at * 1.0,
                    "kind": shop,
                }
            )
        )
    return pd.concat(parts)


COLS: dict[str, Any] = {
    "id_col": "shop",
    "time_col": "month",
    "target_col": "sales",
    "known_cols": ("promo",),
    "past_cols": ("rain",),
    "static_cols": ("kind",),
}


class Looks:
    """Forecasts what its past and its known covariates say, and remembers what it was given."""

    given: ClassVar[list[Any]] = []

    def __init__(self, **columns: Any) -> None:
        self.columns = columns

    def get_params(self) -> dict[str, Any]:
        return {"dtype": "float64", **self.columns}

    def fit(self, panel: Any) -> Looks:
        Looks.given.append(panel)
        return self

    def predict(self, panel: Any) -> Any:
        Looks.given.append(panel)
        beside = panel.covariates
        begins = beside.known_offsets[:-1] + panel.lengths
        ahead = np.stack([beside.known["promo"][begin : begin + 2] for begin in begins])
        return panel.last(1)[:, 0] + ahead


@pytest.mark.parametrize("ahead", [0, 3])
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_fold_knows_what_was_known(ahead: int, jobs: int) -> None:
    Looks.given.clear()
    found = backtest(Looks(**COLS), frame(ahead), horizon=2, folds=3, at_least=5, jobs=jobs)
    ends = {"a": 40 - ahead, "b": 40 - ahead}
    for fold, back in enumerate((6, 4, 2)):
        for row, shop in enumerate("ab"):
            last = ends[shop] - back - 1
            at = np.arange(last + 1, last + 3)
            said = found.forecasts["network"][fold, row, :, 0]
            np.testing.assert_array_equal(said, last + 100.0 * (shop == "b") + at % 5)
            np.testing.assert_array_equal(found.actual[fold, row, :, 0], at + 100.0 * (shop == "b"))
    for panel in Looks.given:
        beside = panel.covariates
        assert len(beside.past["rain"]) == len(panel.values), "the past ends at the origin"
        assert beside.past["rain"].max() == panel.values[: panel.offsets[1]].max()
        assert beside.static["kind"].tolist() == ["a", "b"]


def test_missing_points_and_rows_of_a_frame() -> None:
    holes = frame()
    holes = holes[holes["month"] != MONTHS[15]]
    holes.loc[holes["month"] == MONTHS[39], "sales"] = np.nan
    found = backtest(_Last(**COLS), holes, horizon=2, folds=1)
    assert np.isnan(found.actual).sum() == 2
    assert found.comparison.n_series == 2


class _Last:
    """Forecasts the last value."""

    def __init__(self, **columns: Any) -> None:
        self.columns = {name: one for name, one in columns.items() if name != "known_cols"}

    def get_params(self) -> dict[str, Any]:
        return dict(self.columns)

    def fit(self, panel: Any) -> _Last:
        assert panel.n_missing == 2, "the rows that are left out"
        return self

    def predict(self, panel: Any) -> Any:
        return np.repeat(panel.last(1), 2, axis=1)


def test_wide_frames() -> None:
    wide = pd.DataFrame({"month": MONTHS, "a": np.arange(40.0), "b": np.arange(40.0) * 2})
    model = _Wide(layout="wide", time_col="month")
    found = backtest(model, wide, horizon=2, folds=1)
    np.testing.assert_array_equal(found.actual[0, :, :, 0], [[38, 39], [76, 78]])


class _Wide(_Last):
    def fit(self, panel: Any) -> _Wide:
        assert panel.ids == ("a", "b")
        return self


class TestForecaster:
    usual: ClassVar[dict[str, Any]] = {"steps": 10, "hidden_size": 4, "threads": 1, "window": 8, "season": 5}

    def test_promotions_are_worth_knowing(self) -> None:
        """A series that follows its promotions alone: who knows them ahead is much closer."""
        promo = np.random.default_rng(3).integers(0, 2, 240).astype(float)
        y = 10 + 5 * promo
        usual = {**self.usual, "steps": 150, "lr": 0.02, "season": None}
        blind = Forecaster(4, **usual).backtest(y, folds=2)
        told = Forecaster(4, **usual).backtest(y, folds=2, known=promo)
        assert told.rows["network"]["mae"] < 0.3 * blind.rows["network"]["mae"]

    def test_a_frame_is_its_panel(self) -> None:
        model = Forecaster(2, **self.usual, **COLS)
        one = model.backtest(frame(), folds=2, levels=(50,))
        other = backtest(model, frame(), folds=2, levels=(50,))
        np.testing.assert_array_equal(one.forecasts["network"], other.forecasts["network"])
        np.testing.assert_array_equal(one.lower[50], other.lower[50])

    def test_what_comes_later_changes_nothing(self) -> None:
        """Targets and past covariates behind an origin do not reach its forecasts."""
        model = Forecaster(2, **self.usual, **COLS)
        later = frame()
        later.loc[later["month"] >= MONTHS[38], ["sales", "rain"]] *= 1000
        one, other = (model.backtest(y, folds=2).forecasts["network"] for y in (frame(), later))
        np.testing.assert_array_equal(one[:2], other[:2])

    def test_a_step_that_is_named_keeps_the_covariates(self) -> None:
        model = Forecaster(2, **self.usual, **COLS)
        one = model.backtest(frame(), folds=2).forecasts["network"]
        named = Forecaster(2, **self.usual, **COLS, freq="MS").backtest(frame(), folds=2)
        np.testing.assert_array_equal(one, named.forecasts["network"])

    def test_columns_of_arrays(self) -> None:
        with pytest.raises(ArgumentError, match=r"a data frame or a file with rain, promo, kind"):
            backtest(Forecaster(2, **COLS), np.arange(60.0), folds=1)
