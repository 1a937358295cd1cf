"""A stream says what `predict` says of the same history; it can be saved, restored, and told nonsense."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.forecaster.beside import HORIZON, LOSSES, USES, fit_for, needs, told
from tests.forecaster.helpers import CELLS, SCALINGS, small, wave, waves
from unrolled.answers import Intervals
from unrolled.errors import ArgumentError, DataError, NotFittedError

DAYS = np.datetime64("2024-01-01") + np.arange(72)


def follow(forecaster, y, begin, *, levels=None, exact=True):
    """Push the points from `begin` on one by one, and compare each forecast with that of the history."""
    stream = forecaster.stream(y[:begin], levels=levels)
    for end in range(begin, len(y) + 1):
        pushed = stream.predict() if end == begin else stream.push(y[end - 1])
        asked = forecaster.predict(y[:end], levels=levels)
        for there, here in zip(parts(pushed), parts(asked), strict=True):
            if exact:
                np.testing.assert_array_equal(there, here)
            else:  # the same sums, but in another order where many steps are computed at once
                np.testing.assert_allclose(there, here, rtol=1e-9, atol=1e-9)
    return stream


def parts(said):
    """Return all numbers of an answer."""
    if not isinstance(said, Intervals):
        return [said]
    return [said.y_hat, *said.lower.values(), *said.upper.values()]


@pytest.mark.parametrize("scaling", [one for one in SCALINGS if one != "series"])
@pytest.mark.parametrize("strategy", ["direct", "recursive"])
@pytest.mark.parametrize("cell", CELLS)
def test_with_memory_of_a_window_bit_by_bit(cell, strategy, scaling):
    forecaster = small(HORIZON, cell=cell, strategy=strategy, scaling=scaling, window=12).fit(wave())
    follow(forecaster, wave(seed=3), 60)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(("strategy", "memory"), USES)
def test_with_intervals_of_every_loss(strategy, memory, loss):
    y = fit_for(loss, wave())
    how = {"strategy": strategy, "memory": memory, "window": 12, "calibration": 12, "dtype": "float64"}
    forecaster = small(HORIZON, members=2, **how, **needs(loss)).fit(y)
    follow(forecaster, y, 66, levels=(50, 80), exact=memory == "window")


@pytest.mark.parametrize("scaling", ["none", "series"])
@pytest.mark.parametrize("cell", CELLS)
def test_with_the_state_of_the_whole_series(cell, scaling):
    how = {"cell": cell, "memory": "all", "scaling": scaling, "dtype": "float64", "num_layers": 2}
    forecaster = small(HORIZON, window=12, residual=True, **how).fit(wave())
    follow(forecaster, wave(seed=3), 30, exact=False)


def test_a_state_carried_costs_one_step_a_point(monkeypatch):
    forecaster = small(HORIZON, memory="all", window=12).fit(wave())
    stream = forecaster.stream(wave())
    engine, steps = forecaster.network_.engine, []
    forward = engine.forward
    monkeypatch.setattr(
        engine, "forward", lambda x, *rest, **how: steps.append(len(x)) or forward(x, *rest, **how)
    )
    for value in wave(5):
        stream.push(value)
    assert steps == [1] * 5
    assert len(stream.state["values"]) == 1


@settings(max_examples=10)
@given(missing=st.sets(st.integers(40, 59)), memory=st.sampled_from(["window", "all"]))
def test_missing_points(missing, memory):
    y = wave(60)
    y[sorted(missing)] = np.nan
    how = {"memory": memory, "window": 6, "mask": True, "dtype": "float64"}
    forecaster = FITTED[memory] = FITTED.get(memory) or small(HORIZON, **how).fit(wave())
    follow(forecaster, y, 40, exact=memory == "window")


FITTED: dict[str, object] = {}
"""The forecasters of the law above, each fitted once."""


def test_several_channels():
    y = np.stack([wave(seed=1), wave(seed=2)], axis=1)
    forecaster = small(HORIZON, window=12).fit(y)
    assert follow(forecaster, y, 66).predict().shape == (HORIZON, 2)


@pytest.mark.parametrize("memory", ["window", "all"])
def test_the_calendar_goes_on_with_the_points(memory):
    data = pl.DataFrame({"unique_id": ["a"] * 72, "ds": DAYS, "y": wave()})
    how = {"calendar": ("weekday", "month"), "memory": memory, "window": 8, "dtype": "float64"}
    forecaster = small(HORIZON, **how).fit(data)
    stream = forecaster.stream(data[:60])
    for end in range(61, 73):
        pushed = stream.push(data["y"][end - 1])
        np.testing.assert_allclose(pushed, forecaster.predict(data[:end])["y_hat"].to_numpy(), rtol=1e-9)
    again = forecaster.stream(data[:60])
    again.restore(stream.state)
    np.testing.assert_array_equal(again.push(3.0), stream.push(3.0))
    shifted = data[:60].with_columns(pl.col("ds").dt.offset_by("1d"))
    assert (forecaster.stream(shifted).predict() != forecaster.stream(data[:60]).predict()).any()


@pytest.mark.parametrize("memory", ["window", "all"])
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_state_saved_and_restored(cell, memory, tmp_path):
    forecaster = small(HORIZON, cell=cell, memory=memory, window=8, members=2).fit(wave())
    stream = forecaster.stream(wave())
    stream.push(11.0)
    np.savez(tmp_path / "state.npz", **stream.state)
    expected = [stream.predict(), stream.push(9.0), stream.push(10.0)]
    forecaster.save(tmp_path / "model")
    loaded = forecaster.load(tmp_path / "model")
    other = loaded.stream(wave(20, seed=5))
    with np.load(tmp_path / "state.npz") as state:
        other.restore(dict(state))
    for one, there in zip([other.predict(), other.push(9.0), other.push(10.0)], expected, strict=True):
        np.testing.assert_array_equal(one, there)


def test_a_state_is_not_changed_by_what_comes_after():
    stream = small(HORIZON, memory="all", window=8).fit(wave()).stream(wave())
    state = stream.state
    before = {name: one.copy() for name, one in state.items()}
    said = stream.predict()
    stream.push(100.0)
    for name, one in state.items():
        np.testing.assert_array_equal(one, before[name])
    stream.restore(state)
    np.testing.assert_array_equal(stream.predict(), said)


def test_two_streams_of_one_forecaster_do_not_touch_each_other():
    forecaster = small(HORIZON, memory="all", window=8).fit(wave())
    one, other = forecaster.stream(wave()), forecaster.stream(wave())
    before = other.predict()
    one.push(50.0)
    np.testing.assert_array_equal(other.predict(), before)
    np.testing.assert_array_equal(forecaster.predict(), before)


class TestRefused:
    @pytest.fixture(params=["window", "all"])
    def stream(self, request):
        return small(HORIZON, memory=request.param, window=8).fit(wave()).stream(wave())

    @pytest.mark.parametrize(
        "value",
        ["x", "1.5", [1, 2], [], [1, [2]], object(), {"a": 1}, 1j, b"1", np.datetime64("2024-01-01")],
        ids=repr,
    )
    def test_what_is_no_point(self, stream, value):
        before = stream.predict()
        with pytest.raises(
            DataError, match=r"not one point(.|\n)*expected: 1 numbers(.|\n)*got: .*(.|\n)*try: "
        ):
            stream.push(value)
        np.testing.assert_array_equal(stream.predict(), before)

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, None, 1e300, [None]], ids=repr)
    def test_a_point_that_is_not_finite(self, stream, value):
        before, state = stream.predict(), stream.state
        with pytest.raises(DataError, match=r"point is not finite(.|\n)*mask=True(.|\n)*got: "):
            stream.push(value)
        np.testing.assert_array_equal(stream.predict(), before)
        for name, one in stream.state.items():
            np.testing.assert_array_equal(one, state[name])

    @pytest.mark.parametrize("value", [-1.0, 0.0])
    def test_a_point_without_a_logarithm(self, value):
        forecaster = small(HORIZON, scaling="log", window=8).fit(wave())
        stream = forecaster.stream(wave())
        with pytest.raises(DataError, match="no logarithm"):
            stream.push(value)
        np.testing.assert_array_equal(stream.push(9.0), forecaster.predict(np.append(wave(), 9.0)))

    @pytest.mark.parametrize("state", [None, {}, 3, "x", [], {"values": None}, {"x": np.zeros(3)}], ids=repr)
    def test_what_is_no_state(self, stream, state):
        before = stream.predict()
        with pytest.raises(ArgumentError, match=r"not the state of a stream(.|\n)*expected: arrays values"):
            stream.restore(state)
        np.testing.assert_array_equal(stream.predict(), before)

    @pytest.mark.parametrize(
        "change",
        [
            lambda one: np.full_like(one, np.nan),
            lambda one: np.full_like(one, np.inf),
            lambda one: one.astype("U9"),
            lambda one: one.astype(object),
            lambda one: one.astype(np.float16),
            lambda one: one[:0],
            lambda one: one[..., None],
            lambda one: np.concatenate([one, one], axis=-1),
            lambda one: one.tolist(),
            lambda _: None,
        ],
    )
    def test_an_array_of_the_state_that_does_not_fit(self, stream, change):
        before = stream.predict()
        for name, one in stream.state.items():
            with pytest.raises(ArgumentError, match="not the state of a stream"):
                stream.restore({**stream.state, name: change(one)})
            with pytest.raises(ArgumentError, match="not the state of a stream"):
                stream.restore({key: part for key, part in stream.state.items() if key != name})
            np.testing.assert_array_equal(stream.predict(), before)

    def test_the_state_of_another_forecaster(self, stream):
        other = small(HORIZON, memory="all", hidden_size=5, window=9).fit(wave()).stream(wave())
        with pytest.raises(ArgumentError, match="not the state of a stream"):
            stream.restore(other.state)

    def test_histories(self):
        forecaster = small(HORIZON, window=8).fit(wave())
        with pytest.raises(DataError, match=r"stream is of one series(.|\n)*got: 2 series"):
            forecaster.stream(waves(30, 30))
        with pytest.raises(
            DataError, match=r"too short to forecast from(.|\n)*at least window = 8(.|\n)*5 points"
        ):
            forecaster.stream(wave(5))
        with pytest.raises(NotFittedError, match="has not learned anything"):
            small(HORIZON).stream(wave())

    def test_covariates_would_have_to_arrive_with_the_points(self):
        panel = told(40)
        forecaster = small(HORIZON, window=8).fit(panel.series, **panel.beside())
        with pytest.raises(DataError, match=r"takes values alone(.|\n)*known_0, known_1, past_0, static_0"):
            forecaster.stream(panel.series[0])

    def test_levels_that_cannot_be_had_are_refused_before_a_point_arrives(self):
        forecaster = small(HORIZON, window=8, validation=HORIZON).fit(wave())
        with pytest.raises(ArgumentError, match=r"Too few held-out forecasts for an interval of 80 %"):
            forecaster.stream(wave(), levels=(80,))
        with pytest.raises(ArgumentError, match="levels are not levels"):
            forecaster.stream(wave(), levels=(0,))
        with pytest.raises(ArgumentError, match="No points were held out"):
            small(HORIZON, window=8, validation=0).fit(wave()).stream(wave(), levels=(50,))
