"""What the network reads of tables and learns: gaps, covariates, statics, steps ahead, short series, logs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.helpers import assert_close, every_dtype, fill, same_bits
from tests.engine.windows import OracleTraining, Task, gather_window, learning_for
from unrolled.engine import (
    LOSSES,
    WINDOW_SCALINGS,
    Array,
    Engine,
    Learning,
    Table,
    TrainerState,
    Windowing,
)
from unrolled.scaling import WindowScaling

LENGTHS = np.array([5, 30, 22])
"""The first series is shorter than every window."""

every_scaling = pytest.mark.parametrize("scaling", WINDOW_SCALINGS)


def make(
    windowing: Windowing, *, learning: Learning | None = None, dtype: str = "float64", **others: Any
) -> Task:
    """Return a task on three series with gaps, covariates and statics."""
    learning = learning or Learning()
    if learning.loss == "negative_binomial":
        windowing = replace(windowing, scaling="mean_abs")
    rng = np.random.default_rng(1)
    offsets = np.concatenate([[0], np.cumsum(LENGTHS)])
    values = np.floor(np.exp(1.0 + rng.standard_normal((57, 2))) * 3.0) + 1.0
    values[rng.random((57, 2)) < 0.3] = np.nan
    values[10:24] = np.nan  # longer than a window with its targets
    more = {
        "features": rng.standard_normal((57 + 9, 3)).astype(dtype),
        "feature_offsets": offsets + 3 * np.arange(4),
        "known": 2,
        "static": rng.standard_normal((3, 2)).astype(dtype),
    }
    ends = LENGTHS - windowing.window - windowing.horizon
    pairs = [(s, start) for s in range(3) for start in range(1 - windowing.window, ends[s] + 1)]
    series, starts = np.array(pairs, np.int64).T
    order = rng.permutation(len(series))[: others.pop("count", 40)]
    batch = 7
    task = Task(
        cell="gru",
        head="last",
        windowing=windowing,
        learning=learning,
        values=values.astype(dtype),
        offsets=offsets,
        series=series[order],
        starts=starts[order],
        batch=batch,
        rates=np.full(-(-len(order) // batch), 0.01),
        dtype=dtype,
        more=more,
    )
    return replace(task, **others)


GAPS = Windowing(6, 3, patch=2, scaling="standard", mask=True)
AHEAD = replace(GAPS, ahead=2)


@every_dtype
@every_scaling
@pytest.mark.parametrize(
    "windowing", [GAPS, AHEAD, Windowing(4, 1, mask=True, ahead=1), Windowing(5, 2, patch=5)]
)
def test_what_is_read(windowing: Windowing, scaling: str, dtype: str) -> None:
    task = make(replace(windowing, scaling=scaling), dtype=dtype, count=200)
    if not windowing.mask:
        values = np.nan_to_num(task.values, nan=2.0)
        inside = task.starts >= 0
        task = replace(task, values=values, series=task.series[inside], starts=task.starts[inside])
    x, fitted = task.engine().gather(task.table, task.series, task.starts, windowing=task.windowing)
    assert x.shape == (task.steps, len(task.series), task.table.input_size(task.windowing))
    assert np.isfinite(x).all()
    for n, (series, start) in enumerate(zip(task.series.tolist(), task.starts.tolist(), strict=True)):
        steps, expected = gather_window(task.table, series, start, task.windowing, dtype)
        assert_close(x[:, n], steps, to="rescaled", dtype=dtype)
        assert_close(fitted[n], expected, to="output", dtype=dtype)


@every_dtype
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("windowing", [GAPS, AHEAD], ids=["gaps", "ahead"])
def test_learning_and_forecasts(windowing: Windowing, loss: str, dtype: str) -> None:
    task = make(windowing, learning=learning_for(loss, "adam"), dtype=dtype)
    engine, oracle = task.engine(), OracleTraining(task)
    trainer = task.trainer(engine)
    assert_close(trainer.evaluate(task.series, task.starts), oracle.evaluate(), to="trained", dtype=dtype)
    assert_close(task.forecast(engine), oracle.forecast(), to="trained", dtype=dtype)
    losses = trainer.run(task.series, task.starts, task.batch, task.rates)
    assert_close(losses, oracle.run(), to="trained", dtype=dtype)
    for name, expected in oracle.gradients.items():
        assert_close(trainer.gradients()[name], expected, to="trained", dtype=dtype, name=name)


def test_targets_of_every_step() -> None:
    task = make(GAPS, learning=learning_for("mae"), head="every", count=30)
    engine, oracle = task.engine(), OracleTraining(task)
    trainer = task.trainer(engine)
    assert_close(trainer.evaluate(task.series, task.starts), oracle.evaluate(), to="loss", dtype="float64")
    losses = trainer.run(task.series, task.starts, task.batch, task.rates)
    assert_close(losses, oracle.run(), to="loss", dtype="float64")


def test_some_windows_have_no_targets_at_all() -> None:
    task = make(GAPS, count=200)
    losses = task.trainer(task.engine()).evaluate(task.series, task.starts)
    empty = [
        not (~np.isnan(task.values[begin : begin + 3])).any()
        for begin in task.offsets[task.series] + task.starts + 6
    ]
    assert any(empty)
    np.testing.assert_array_equal(np.isnan(losses), empty)


@every_dtype
def test_a_batch_without_targets_changes_nothing(dtype: str) -> None:
    task = make(GAPS, learning=learning_for("mse", "adamw"), dtype=dtype)
    engine = task.engine()
    trainer = task.trainer(engine)
    trainer.run(task.series[:7], task.starts[:7], 7, np.array([0.1]))
    before, state = engine.read(), trainer.state()
    series, starts = np.full(4, 1), np.full(4, 7)  # its targets are points 13 to 15 of the series: missing
    np.testing.assert_array_equal(trainer.run(series, starts, 2, np.array([0.1, 0.1])), [0.0, 0.0])
    same_bits(engine.read(), before)
    assert trainer.state().step == state.step
    same_bits(trainer.state().first, state.first)


def test_windows_without_targets_do_not_weigh() -> None:
    task = make(GAPS, learning=learning_for("mse", clip=0.0))
    seen = ~np.isnan(task.trainer(task.engine()).evaluate(task.series, task.starts))
    series, starts = np.append(task.series[seen][:5], [1, 1]), np.append(task.starts[seen][:5], [7, 7])
    gradients = []
    for count in (5, 7):
        trainer = task.trainer(task.engine())
        trainer.run(series[:count], starts[:count], 10, np.zeros(1))
        gradients.append(trainer.gradients())
    for name, expected in gradients[0].items():
        assert_close(gradients[1][name], expected, to="regrouped", dtype="float64", name=name)


@given(noise=st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_what_lies_outside_a_window_changes_nothing(noise: int) -> None:
    """Points behind the window, covariates that are not known and those behind the horizon are never read."""
    task = make(AHEAD)
    engine = task.engine()
    series, starts = np.array([1]), np.array([4])
    rng = np.random.default_rng(noise)
    values, features = task.values.copy(), task.more["features"].copy()
    begin, row = task.offsets[1] + 4, task.more["feature_offsets"][1] + 4
    values[begin + 6 :] = rng.standard_normal(values[begin + 6 :].shape)
    values[:begin] = rng.standard_normal(values[:begin].shape)
    features[row + 6 :, 2] = rng.standard_normal(len(features) - row - 6)
    features[row + 9 :] = features[:row] = np.nan
    static = task.more["static"].copy()
    static[[0, 2]] = np.nan
    changed = Table(values, task.offsets, features, task.more["feature_offsets"], 2, static)
    found = []
    for table in (task.table, changed):
        gathered = engine.gather(table, series, starts, windowing=AHEAD)
        found.append((*gathered, *engine.forecast(table, series, starts, windowing=AHEAD)))
    for got, want in zip(*found, strict=True):
        assert np.isfinite(want).all()
        same_bits(got, want)


@every_dtype
@every_scaling
def test_short_series_are_padded_with_gaps(scaling: str, dtype: str) -> None:
    """A window that begins before its series reads what it reads of the same series behind missing points."""
    task = make(replace(AHEAD, scaling=scaling), dtype=dtype)
    engine = task.engine()
    before = 5
    parts = np.split(task.values, task.offsets[1:3])
    rows = np.split(task.more["features"], task.more["feature_offsets"][1:3])
    gap, nothing = np.full((before, 2), np.nan), np.zeros((before, 3))
    values = np.concatenate([each for part in parts for each in (gap, part)]).astype(dtype)
    features = np.concatenate([each for part in rows for each in (nothing, part)]).astype(dtype)
    shift = before * np.arange(4)
    padded = Table(
        values,
        task.offsets + shift,
        features,
        task.more["feature_offsets"] + shift,
        2,
        task.more["static"],
    )
    one = engine.forecast(task.table, task.series, task.starts, windowing=task.windowing)
    other = engine.forecast(padded, task.series, task.starts + before, windowing=task.windowing)
    assert (task.starts < 0).any()
    same_bits(one.outputs, other.outputs)
    same_bits(one.scaling, other.scaling)


@every_dtype
def test_what_is_known_ahead_reaches_the_forecast(dtype: str) -> None:
    task = make(AHEAD, dtype=dtype)
    engine = task.engine()
    series, starts = np.array([2]), np.array([3])
    row = task.more["feature_offsets"][2] + 3
    first = engine.forecast(task.table, series, starts, windowing=AHEAD).outputs
    for k in range(3):
        features = task.more["features"].copy()
        features[row + 6 + k, 1] += 1.0
        table = replace(task.table, features=features)
        assert not np.array_equal(engine.forecast(table, series, starts, windowing=AHEAD).outputs, first)


@every_dtype
@pytest.mark.parametrize("loss", ["mse", "quantile", "student_t"])
def test_gaps_with_any_number_of_threads(loss: str, dtype: str) -> None:
    task = make(AHEAD, learning=learning_for(loss, "adamw"), dtype=dtype, count=80, batch=40, hidden=40)
    task = replace(task, rates=task.rates[:2])
    found = []
    for threads in (1, 2, 3):
        engine = task.engine()
        trainer = task.trainer(engine, threads=threads)
        losses = trainer.run(task.series, task.starts, task.batch, task.rates)
        found.append(
            (losses, engine.read(), trainer.evaluate(task.series, task.starts), task.forecast(engine))
        )
    for other in found[1:]:
        for got, want in zip(other, found[0], strict=True):
            np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("loss", ["mae", "quantile", "gaussian", "student_t", "negative_binomial"])
def test_gradients_of_steps_with_gaps(loss: str) -> None:
    task = make(AHEAD, learning=learning_for(loss, clip=0.0, weight_decay=0.0), hidden=2, layers=1, count=9)
    engine = task.engine()
    flat = engine.read()

    def loss_at(parameters: Array) -> float:
        engine.write(parameters)
        return float(task.trainer(engine).run(task.series, task.starts, 9, np.zeros(1))[0])

    numeric = np.empty_like(flat)
    for i in range(flat.size):
        step = np.zeros_like(flat)
        step[i] = 1e-5
        numeric[i] = (loss_at(flat + step) - loss_at(flat - step)) / 2e-5
    engine.write(flat)
    trainer = task.trainer(engine)
    trainer.run(task.series, task.starts, 9, np.zeros(1))
    gradients = np.concatenate([array.ravel() for array in trainer.gradients().values()])
    assert_close(gradients, numeric, to="difference", dtype="float64")


@every_dtype
@pytest.mark.parametrize(
    ("optimizer", "sizes"), [("sgd", (1, 0)), ("adam", (1, 1)), ("adamw", (1, 1)), ("plain", (0, 0))]
)
def test_training_goes_on_from_a_state(optimizer: str, sizes: tuple[int, int], dtype: str) -> None:
    change = {"optimizer": "sgd", "momentum": 0.0} if optimizer == "plain" else {"optimizer": optimizer}
    learning = replace(learning_for("mse", optimizer if optimizer != "plain" else "sgd"), **change)
    task = make(GAPS, learning=learning, dtype=dtype, dropout=0.3)
    whole, parts = task.engine(), task.engine()
    losses = task.trainer(whole).run(task.series, task.starts, 7, task.rates)
    first = task.trainer(parts)
    first.run(task.series[:21], task.starts[:21], 7, task.rates[:3])
    flat, state = parts.read(), first.state()
    assert state.step == 3
    assert (state.first.size, state.second.size) == tuple(part * parts.parameter_count for part in sizes)
    again = task.engine()
    again.write(flat)
    second = task.trainer(again)
    second.restore(state)
    same_bits(second.state().first, state.first)
    same_bits(second.state().second, state.second)
    rest = second.run(task.series[21:], task.starts[21:], 7, task.rates[3:])
    np.testing.assert_array_equal(rest, losses[3:])
    same_bits(again.read(), whole.read())


def test_a_state_of_another_training_is_refused() -> None:
    task = make(GAPS, learning=learning_for("mse", "adam"))
    trainer = task.trainer(task.engine())
    state = trainer.state()
    with pytest.raises(ValueError, match="first does not fit"):
        trainer.restore(state._replace(first=state.first[1:]))
    with pytest.raises(ValueError, match="second does not fit"):
        trainer.restore(state._replace(second=np.empty(0)))
    with pytest.raises(ValueError, match="step does not fit"):
        trainer.restore(TrainerState(-1, state.first, state.second))


@every_dtype
@given(factor=st.integers(-8, 12), seed=st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_growth_follows_a_rescaled_series(dtype: str, factor: int, seed: int) -> None:
    """log and asinh: a series times k has its forecasts times k."""
    rng = np.random.default_rng(seed)
    values = np.exp(rng.standard_normal((20, 1)).cumsum(axis=0) / 4).astype(dtype)
    k = np.dtype(dtype).type(2.0**factor)
    engine = Engine("gru", input_size=1, hidden_size=4, output_size=3, dtype=dtype)
    fill(engine, rng)
    zero, offsets = np.zeros(3, np.int64), np.array([0, 20])
    for scaling in ("log", "asinh"):
        windowing = Windowing(10, 3, scaling=scaling)
        one, other = (
            engine.forecast(Table(each, offsets), zero, np.arange(3), windowing=windowing).outputs
            for each in (values, (k * values).astype(dtype))
        )
        np.testing.assert_allclose(other, k * one, rtol=1e-11 if dtype == "float64" else 1e-4)


@every_scaling
@given(seed=st.integers(0, 999))
@settings(max_examples=20, deadline=None)
def test_scaled_windows_come_back(scaling: str, seed: int) -> None:
    """`WindowScaling` is the core's own: it gives what the network reads, and the values back."""
    rng = np.random.default_rng(seed)
    values = np.exp(2.0 * rng.standard_normal((12, 2)))
    engine = Engine("gru", input_size=2, hidden_size=4, output_size=6, dtype="float64")
    fill(engine, rng)
    table, windowing = Table(values, np.array([0, 12])), Windowing(8, 3, scaling=scaling)
    series, starts = np.zeros(4, np.int64), np.arange(4)
    x, fitted = engine.gather(table, series, starts, windowing=windowing)
    windows = np.stack([values[start : start + 8] for start in starts])
    here = WindowScaling.of(scaling, fitted)
    np.testing.assert_allclose(here.apply(windows), x.swapaxes(0, 1), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(here.invert(here.apply(windows)), windows, rtol=1e-11)
    scaled = engine.forecast(table, series, starts, windowing=windowing, unscale=False)
    units = engine.forecast(table, series, starts, windowing=windowing)
    np.testing.assert_allclose(here.invert(scaled.outputs), units.outputs, rtol=1e-11)


@every_scaling
def test_a_window_without_observed_values(scaling: str) -> None:
    windowing = Windowing(4, 1, scaling=scaling, mask=True)
    values = np.full((9, 1), np.nan)
    engine = Engine("gru", input_size=2, hidden_size=3, output_size=1, dtype="float64")
    x, fitted = engine.gather(
        Table(values, np.array([0, 9])), np.array([0]), np.array([2]), windowing=windowing
    )
    np.testing.assert_array_equal(x[:, 0], [[0.0, 1.0]] * 4)
    np.testing.assert_array_equal(fitted[0, :, 0], [0.0 if scaling == "adaptive" else 1.0, 0.0, 1.0])


@every_scaling
def test_a_constant_window_keeps_its_size(scaling: str) -> None:
    windowing = Windowing(4, 1, scaling=scaling, mask=True)
    values = np.array([[3.0], [np.nan], [3.0], [3.0]])
    engine = Engine("gru", input_size=2, hidden_size=3, output_size=1, dtype="float64")
    x, fitted = engine.gather(
        Table(values, np.array([0, 4])), np.array([0]), np.array([0]), windowing=windowing
    )
    expected = {"none": 3.0, "mean_abs": 1.0}.get(scaling, 0.0)
    np.testing.assert_allclose(x[[0, 2, 3], 0, 0], expected, atol=1e-15)
    assert fitted[0, 2, 0] == (3.0 if scaling == "mean_abs" else 1.0)


def test_a_value_that_cannot_be_scaled_is_no_gap() -> None:
    """A logarithm of 0 or less stops training; it is never taken for a missing value."""
    for value in (0.0, -1.0):
        for place in (3, 9):
            values = np.ones((20, 1))
            values[place] = value
            windowing = Windowing(8, 2, scaling="log", mask=True)
            engine = Engine("gru", input_size=2, hidden_size=3, output_size=2, dtype="float64")
            task = Task(
                "gru", "last", windowing, Learning(), values, np.array([0, 20]),
                np.array([0]), np.array([0]), 1, np.full(1, 0.1),
            )  # fmt: skip
            before = engine.read()
            assert np.isnan(task.trainer(engine).run(task.series, task.starts, 1, task.rates)).all()
            same_bits(engine.read(), before)


def test_distributions_stay_scaled() -> None:
    task = make(GAPS, learning=learning_for("gaussian"))
    with pytest.raises(ValueError, match="no units"):
        task.forecast(task.engine(), unscale=True)
    with pytest.raises(ValueError, match="loss is not known"):
        task.engine().forecast(task.table, task.series, task.starts, windowing=GAPS, loss="nope")
    with pytest.raises(ValueError, match="quantiles do not fit"):
        task.engine().forecast(task.table, task.series, task.starts, windowing=GAPS, quantiles=(0.5,))
