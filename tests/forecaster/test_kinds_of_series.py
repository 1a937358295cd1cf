"""What goes in comes out in kind: arrays, lists, frames; and each series is continued from its own end."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest

from tests.forecaster.helpers import SCALINGS, STRATEGIES, assert_close, small, wave, waves
from unrolled import to_panel

both = pytest.mark.parametrize("strategy", STRATEGIES)


def channels(points=60, n=2):
    return np.stack([wave(points, seed=index) for index in range(n)], axis=1)


def table(library, lengths=(40, 50)):
    """Return a monthly frame of one series for each length."""
    ids = np.repeat([f"s{index}" for index in range(len(lengths))], lengths)
    months = [pd.date_range("2015-01-31", periods=points, freq="ME") for points in lengths]
    columns = {"unique_id": ids.tolist(), "ds": [when.date() for one in months for when in one]}
    columns["y"] = np.concatenate(waves(*lengths)).tolist()
    if library == "pandas":
        return pd.DataFrame(columns).assign(ds=lambda frame: pd.to_datetime(frame["ds"]))
    return pl.DataFrame(columns)


@both
class TestShapes:
    def test_one_series(self, strategy):
        assert small(3, strategy=strategy).fit(wave()).predict().shape == (3,)

    def test_one_series_of_several_channels(self, strategy):
        assert small(3, strategy=strategy).fit(channels()).predict().shape == (3, 2)

    def test_one_series_of_one_channel_with_an_axis_of_its_own(self, strategy):
        assert small(3, strategy=strategy).fit(wave()[:, None]).predict().shape == (3, 1)

    def test_a_list_of_series(self, strategy):
        assert small(3, strategy=strategy).fit(waves(40, 50, 60, 70)).predict().shape == (4, 3)

    def test_a_list_of_one(self, strategy):
        assert small(3, strategy=strategy).fit([wave()]).predict().shape == (1, 3)

    def test_a_list_of_series_of_several_channels(self, strategy):
        assert small(3, strategy=strategy).fit([channels(40), channels(50)]).predict().shape == (2, 3, 2)

    @pytest.mark.parametrize("n", [1, 2])
    def test_three_axes_are_series_of_one_length(self, strategy, n):
        y = np.stack([channels(40, n) + series for series in range(5)])
        forecaster = small(3, strategy=strategy).fit(y)
        assert forecaster.predict().shape == (5, 3, n)
        assert forecaster.predict(y[:2]).shape == (2, 3, n)
        as_list = small(3, strategy=strategy).fit(list(y)).predict()
        np.testing.assert_array_equal(forecaster.predict(), as_list.reshape(5, 3, n))

    def test_a_horizon_of_one(self, strategy):
        assert small(1, strategy=strategy).fit(wave()).predict().shape == (1,)
        assert small(1, strategy=strategy).fit(waves(40, 50)).predict().shape == (2, 1)

    def test_a_panel(self, strategy):
        for y in (wave(), waves(40, 50)):
            expected = small(3, strategy=strategy).fit(y).predict()
            np.testing.assert_array_equal(small(3, strategy=strategy).fit(to_panel(y)).predict(), expected)

    def test_quantiles_are_always_series_horizon_channel_quantile(self, strategy):
        for y, shape in ((wave(), (1, 3, 1, 2)), (channels(), (1, 3, 2, 2)), (waves(40, 50), (2, 3, 1, 2))):
            forecaster = small(3, strategy=strategy, loss="quantile", quantiles=(0.1, 0.8)).fit(y)
            assert forecaster.predict_quantiles().shape == shape


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_forecasts_have_the_dtype_asked_for(dtype):
    for y in (wave(), channels(), waves(40, 50)):
        assert small(3, dtype=dtype).fit(y).predict().dtype == dtype
        assert small(3, dtype=dtype).fit(y).predict(y).dtype == dtype


@pytest.mark.parametrize("given", ["float32", "float64"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("scaling", ["standard", "series"])
def test_a_panel_of_another_dtype(given, dtype, scaling):
    panel = to_panel(np.round(wave() * 8) / 8, dtype=given)
    forecaster = small(3, dtype=dtype, scaling=scaling).fit(panel)
    assert forecaster.predict().dtype == dtype
    assert forecaster.predict(panel).dtype == dtype
    expected = small(3, dtype=dtype, scaling=scaling).fit(np.round(wave() * 8) / 8).predict()
    np.testing.assert_array_equal(forecaster.predict(), expected)


@pytest.mark.parametrize(
    "form",
    [
        list,
        tuple,
        lambda y: [float(one) for one in y],
        lambda y: np.repeat(y, 2)[::2],
        lambda y: np.stack([y, y], axis=1)[:, 0],
        lambda y: y.astype(">f8"),
        lambda y: np.asfortranarray(y),
        lambda y: pd.Series(y, index=range(5, 77)).to_numpy(),
    ],
)
def test_the_same_numbers_in_any_form_give_the_same_forecast(form):
    np.testing.assert_array_equal(small(3).fit(form(wave())).predict(), small(3).fit(wave()).predict())


def test_whole_numbers_are_numbers():
    y = np.arange(60) % 7
    np.testing.assert_array_equal(small(3).fit(y).predict(), small(3).fit(y.astype(float)).predict())


class TestFrames:
    @both
    def test_pandas(self, strategy):
        out = small(3, strategy=strategy).fit(table("pandas")).predict()
        assert isinstance(out, pd.DataFrame)
        assert list(out.columns) == ["unique_id", "ds", "y_hat"]
        assert out["unique_id"].tolist() == ["s0"] * 3 + ["s1"] * 3
        assert out["ds"].dt.strftime("%Y-%m-%d").tolist()[:3] == ["2018-05-31", "2018-06-30", "2018-07-31"]

    def test_polars(self):
        out = small(3).fit(table("polars")).predict()
        assert isinstance(out, pl.DataFrame)
        assert out["ds"].to_list()[3:] == [
            datetime.date(2019, 3, 31),
            datetime.date(2019, 4, 30),
            datetime.date(2019, 5, 31),
        ]

    def test_the_forecasts_are_those_of_a_list(self):
        expected = small(3).fit(waves(40, 50)).predict().ravel()
        for library in ("pandas", "polars"):
            np.testing.assert_array_equal(np.array(small(3).fit(table(library)).predict()["y_hat"]), expected)

    def test_a_new_frame_is_continued_in_its_own_library(self):
        forecaster = small(3).fit(waves(40, 50))
        new = forecaster.predict(table("polars", (30,)))
        assert isinstance(new, pl.DataFrame)
        np.testing.assert_array_equal(new["y_hat"].to_numpy(), forecaster.predict(waves(30)[0]))

    def test_series_that_were_scaled_once_are_found_by_name(self):
        frame = table("pandas")
        turned = pd.concat([frame[frame["unique_id"] == name] for name in ("s1", "s0")])
        forecaster = small(3, scaling="series").fit(frame)
        here = forecaster.predict(frame).set_index("unique_id")["y_hat"]
        there = forecaster.predict(turned).set_index("unique_id")["y_hat"]
        for name in ("s0", "s1"):
            assert_close(there[name], here[name])


@both
@pytest.mark.parametrize("scaling", SCALINGS)
class TestEachSeriesFromItsOwnEnd:
    def test_predict_without_series_continues_those_that_were_fitted(self, strategy, scaling):
        for y in (wave(), channels(), waves(40, 60, 50)):
            forecaster = small(3, strategy=strategy, scaling=scaling).fit(y)
            np.testing.assert_array_equal(forecaster.predict(), forecaster.predict(y))

    def test_only_the_last_window_counts(self, strategy, scaling):
        forecaster = small(3, strategy=strategy, scaling=scaling, window=12).fit(waves(40, 60, 50))
        tails = [one[-12:] for one in waves(40, 60, 50)]
        np.testing.assert_array_equal(forecaster.predict(tails), forecaster.predict())

    def test_a_later_end_gives_another_forecast(self, strategy, scaling):
        y = wave()
        forecaster = small(3, strategy=strategy, scaling=scaling).fit(y[:-5])
        assert (forecaster.predict(y) != forecaster.predict()).all()


@both
@pytest.mark.parametrize("dtype", ["float32", "float64"])
class TestSeriesAreIndependent:
    def test_alone_as_in_a_panel(self, strategy, dtype):
        series = waves(40, 55, 70, 45, 60)
        forecaster = small(3, strategy=strategy, dtype=dtype, hidden_size=19).fit(series)
        together = forecaster.predict()
        for index, one in enumerate(series):
            assert_close(forecaster.predict(one), together[index], to=dtype, scale=10)
            assert_close(forecaster.predict([one])[0], together[index], to=dtype, scale=10)

    def test_in_any_order(self, strategy, dtype):
        series, order = waves(40, 55, 70, 45, 60), [3, 0, 4, 2, 1]
        forecaster = small(3, strategy=strategy, dtype=dtype, hidden_size=19).fit(series)
        turned = forecaster.predict([series[index] for index in order])
        assert_close(turned, forecaster.predict()[order], to=dtype, scale=10)

    def test_more_series_than_were_fitted(self, strategy, dtype):
        forecaster = small(3, strategy=strategy, dtype=dtype).fit(wave())
        many = forecaster.predict([wave(seed=seed) for seed in range(70)])
        assert many.shape == (70, 3)
        assert_close(many[69], forecaster.predict(wave(seed=69)), to=dtype, scale=10)
