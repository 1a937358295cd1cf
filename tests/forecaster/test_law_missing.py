"""Missing values: learned around, forecast from, without any influence of what might have stood there."""

from __future__ import annotations

import warnings
from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.forecaster.beside import COLUMNS, HORIZON, LOSSES, USES, days_after, fit_for, frame, needs, told
from tests.forecaster.helpers import CELLS, small, wave, waves
from unrolled.errors import DataError, TrainingError
from unrolled.scaling import SCALINGS

GONE = [date(2024, 1, 12), date(2024, 1, 13)]
"""Days that are left out."""

uses = pytest.mark.parametrize(("strategy", "memory"), USES)


def holes(y, seed=0, share=0.3):
    """Return a series of which a share is missing, anywhere."""
    y = np.array(y, float)
    y[np.random.default_rng(seed).random(len(y)) < share] = np.nan
    return y


def weights(forecaster):
    return {name: one.copy() for name, one in forecaster.network_.weights.items()}


@pytest.mark.parametrize("loss", LOSSES)
@uses
@settings(max_examples=4)
@given(share=st.floats(0.0, 0.97), seed=st.integers(0, 99), cell=st.sampled_from(CELLS))
def test_whatever_is_missing_nothing_becomes_nan(strategy, memory, loss, share, seed, cell):
    y = [fit_for(loss, holes(one, seed + number, share)) for number, one in enumerate(waves(60, 72))]
    for one in y:
        one[[5, 30, 58]] = 9.0  # so that there is something to learn from and something to look at
    how = {"strategy": strategy, "memory": memory, "cell": cell, "window": 8, "validation": 6, "mask": True}
    if memory == "all":
        how["scaling"] = "none"
    forecaster = small(HORIZON, **needs(loss), **how)
    forecaster.fit(y)
    assert np.isfinite(forecaster.history_.losses).all()
    for one in weights(forecaster).values():
        assert np.isfinite(one).all()
    assert np.isfinite(np.asarray(forecaster.predict(y))).all()
    if loss != "mae":
        assert np.isfinite(forecaster.predict_quantiles(y, quantiles=(0.1, 0.9))).all()


@pytest.mark.parametrize("scaling", SCALINGS)
@uses
def test_a_window_without_any_value_is_forecast_too(strategy, memory, scaling):
    if memory == "all" and scaling not in ("none", "series"):
        scaling = "none"
    y = wave()
    y[20:40] = np.nan
    forecaster = small(HORIZON, strategy=strategy, memory=memory, scaling=scaling, window=8).fit(y)
    assert forecaster.settings_.mask
    empty = wave()
    empty[-8:] = np.nan
    assert np.isfinite(forecaster.predict(empty)).all()
    assert np.isfinite(forecaster.history_.losses).all()


@pytest.mark.parametrize("scaling", ["last", "standard", "mean_abs", "series", "asinh", "adaptive"])
def test_nan_payloads_and_signs_do_not_matter(scaling):
    """A NaN is a NaN: which bits it has gets nowhere."""
    y, other = holes(wave()), holes(wave())
    missing = np.isnan(other)
    other[missing] = -np.abs(np.frombuffer(np.uint64(0x7FF8000000ABCDEF).tobytes(), np.float64)[0])
    one, two = (small(HORIZON, scaling=scaling, window=8, dtype="float64").fit(each) for each in (y, other))
    for name, weight in weights(one).items():
        np.testing.assert_array_equal(weight, two.network_.weights[name])
    np.testing.assert_array_equal(one.predict(y), two.predict(other))


@uses
def test_missing_points_before_a_series_are_as_good_as_none(strategy, memory):
    """A series that begins with missing points is forecast as one that begins behind them."""
    y = [wave(30), wave(60)]
    how = {"strategy": strategy, "window": 24, "memory": "window", "validation": 0, "dtype": "float64"}
    forecaster = small(HORIZON, mask=True, **how).fit(y)
    short = y[0][-10:]
    long = np.concatenate([np.full(40, np.nan), short])
    np.testing.assert_array_equal(forecaster.predict([short]), forecaster.predict([long]))


def test_gaps_in_the_index_are_rows_of_missing_values():
    data = frame(40, 50)
    gone = pl.col("ds").is_in(GONE)
    gaps = data.filter(~gone)
    explicit = data.with_columns(pl.when(gone).then(None).otherwise(pl.col("y")).alias("y"))
    one, two = (small(HORIZON, window=8, calibration=9).fit(each) for each in (gaps, explicit))
    for name, weight in weights(one).items():
        np.testing.assert_array_equal(weight, two.network_.weights[name])
    there, here = one.predict(gaps, levels=(50,)), two.predict(explicit, levels=(50,))
    assert there.equals(here)
    assert there.equals(two.predict(gaps, levels=(50,)))


def test_gaps_beside_covariates():
    """What stands beside a missing row is missing too: the same as rows of nothing."""
    data = frame(40, 50)
    gone = pl.col("ds").is_in(GONE)
    gaps = data.filter(~gone)
    nothing = [pl.when(~gone).then(pl.col(name)).alias(name) for name in ("y", "rain", "price", "promo")]
    explicit = data.with_columns(nothing)
    one, two = (small(HORIZON, window=8, **COLUMNS).fit(each) for each in (gaps, explicit))
    for name, weight in weights(one).items():
        np.testing.assert_array_equal(weight, two.network_.weights[name])
    after = days_after(data)
    assert one.predict(gaps, future=after).equals(two.predict(explicit, future=after))


class TestShort:
    def test_they_are_padded_and_said_once_by_count_and_first_names(self):
        data = frame(40, 5, 6, 7, 4)
        with pytest.warns(
            UserWarning, match="4 series are shorter than the window of 8 .*: b, c, d$"
        ) as told_of:
            forecaster = small(HORIZON, window=8).fit(data)
        assert len(told_of) == 1
        assert forecaster.settings_.mask
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = forecaster.predict(data)
        assert found["y_hat"].is_finite().all()
        assert len(found) == 5 * HORIZON

    def test_a_series_of_one_point(self):
        with pytest.warns(UserWarning, match="1 series are shorter than the window of 8 points.*: 1$"):
            forecaster = small(HORIZON, window=8).fit([wave(40), [3.0]])
        assert np.isfinite(forecaster.predict([[3.0]])).all()

    def test_they_are_learned_from(self):
        with pytest.warns(UserWarning, match="are shorter"):
            forecaster = small(HORIZON, window=12).fit(waves(*[9] * 6))
        assert len(forecaster.history_.losses) == 5
        with pytest.warns(UserWarning, match="are shorter"):
            level = small(HORIZON, window=12, steps=600, lr=0.02).fit([np.full(9, 5.0)] * 6)
        np.testing.assert_allclose(level.predict([np.full(9, 5.0)]), 5.0, rtol=0.05)

    def test_without_a_mask_they_are_refused_by_name(self):
        with pytest.raises(DataError, match="2 series are shorter than the window; the first is 1"):
            small(HORIZON, window=8, mask=False).fit(waves(40, 7, 6))

    @pytest.mark.filterwarnings("ignore:1 series are shorter")
    def test_beside_covariates(self):
        panel = told(40, 5)
        forecaster = small(HORIZON, window=8).fit(panel.series, **panel.beside())
        assert np.isfinite(forecaster.predict(panel.series, **panel.beside())).all()


class TestRefused:
    def test_missing_points_where_the_network_may_not_read_which(self):
        with pytest.raises(DataError, match="points are missing, and mask=False"):
            small(HORIZON, window=8, mask=False).fit(holes(wave()))
        complete = small(HORIZON, window=8).fit(wave())
        assert not complete.settings_.mask
        with pytest.raises(DataError, match=r"this network does not read which(.|\n)*mask=True"):
            complete.predict(holes(wave()))

    def test_a_series_without_any_value(self):
        with pytest.raises(DataError, match="series 1"):
            small(HORIZON, window=8).fit([wave(40), np.full(30, np.nan)])

    def test_a_loss_that_is_not_finite_names_batch_series_and_cause(self):
        data = frame(40, 40).with_columns(
            pl.when((pl.col("unique_id") == "b") & (pl.col("ds") == date(2024, 1, 20)))
            .then(1e30)
            .otherwise(pl.col("y"))
            .alias("y")
        )
        with pytest.raises(TrainingError, match=r"not finite at step 1(.|\n)*b\[") as caught:
            small(HORIZON, window=8, scaling="mean_abs", loss="mse", validation=0, batch_size=99).fit(data)
        fault = caught.value.faults[0]
        assert fault.values["worst"].startswith("b[")
        assert fault.values["count"] == 60

    def test_nothing_to_validate_on(self):
        y = wave()
        y[-6:] = np.nan
        with pytest.raises(TrainingError, match="every target of the windows held out is missing"):
            small(HORIZON, window=8, validation=6).fit(y)
