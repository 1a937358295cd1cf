"""Training against the oracle: windows, scaling, losses, clipping, optimizers; and what stops a training."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.engine.helpers import HEADS, Head, assert_close, every_cell, every_dtype, same_bits
from tests.engine.windows import OracleTraining, Task, learning_for, make_task
from unrolled.cells import OPTIMIZERS as ORACLE_OPTIMIZERS
from unrolled.engine import LOSSES, OPTIMIZERS, WINDOW_SCALINGS, Engine, Learning, Windowing

every_learning_head = pytest.mark.parametrize("head", [head for head in HEADS if head != "none"])


def assert_same_training(task: Task) -> None:
    """Run the core and the oracle; compare every loss, the last gradients, their norm, and all parameters."""
    engine = task.engine()
    trainer = task.trainer(engine)
    losses = trainer.run(task.series, task.starts, task.batch, task.rates)
    oracle = OracleTraining(task)
    assert_close(losses, oracle.run(), to="loss", dtype=task.dtype, name="losses")
    gradients = trainer.gradients()
    assert list(gradients) == list(oracle.gradients)
    for name, expected in oracle.gradients.items():
        assert_close(gradients[name], expected, to="trained", dtype=task.dtype, name=f"d {name}")
        assert gradients[name].dtype == task.dtype
    assert_close(trainer.gradient_norm, oracle.norm, to="trained", dtype=task.dtype, name="norm")
    for name, expected in oracle.parameters.items():
        assert_close(engine.get()[name], expected, to="trained", dtype=task.dtype, name=name)


def test_the_core_and_the_oracle_know_the_same_optimizers() -> None:
    assert set(OPTIMIZERS) == set(ORACLE_OPTIMIZERS)


@every_dtype
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("loss", LOSSES)
def test_every_optimizer_with_every_loss(optimizer: str, loss: str, dtype: str) -> None:
    assert_same_training(make_task("lstm", learning=learning_for(loss, optimizer), dtype=dtype))


@every_cell
@every_learning_head
@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_every_cell_with_every_head_and_dropout(cell: str, head: Head, dropout: float) -> None:
    assert_same_training(make_task(cell, head, learning=learning_for("mse"), dropout=dropout))


@every_dtype
@pytest.mark.parametrize("scaling", WINDOW_SCALINGS)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("window", "patch", "horizon"), [(1, 1, 1), (6, 1, 1), (6, 2, 5), (6, 6, 2)])
def test_every_scaling_of_every_window(
    scaling: str, channels: int, window: int, patch: int, horizon: int, dtype: str
) -> None:
    windowing = Windowing(window=window, patch=patch, horizon=horizon, scaling=scaling)
    head: Head = "every" if channels == 1 else "last"
    task = make_task("rnn", head, windowing=windowing, channels=channels, dtype=dtype, count=10, batch=5)
    assert_same_training(task)


@every_dtype
@pytest.mark.parametrize(
    "change",
    [
        {"momentum": 0.0},
        {"momentum": 0.0, "clip": 0.0},
        {"weight_decay": 0.0},
        {"optimizer": "adam", "clip": 1e9},
        {"optimizer": "adamw", "weight_decay": 0.0, "clip": 0.0},
        {"optimizer": "adam", "beta1": 0.0, "beta2": 0.0, "eps": 1e-2},
    ],
    ids=str,
)
def test_settings_of_optimizers(change: dict[str, Any], dtype: str) -> None:
    assert_same_training(make_task(learning=learning_for("mse", **change), dtype=dtype))


@every_dtype
@pytest.mark.parametrize("batch", [1, 14, 17, 1000])
def test_batches_of_one_of_all_and_of_more_than_there_are(batch: int, dtype: str) -> None:
    assert_same_training(make_task("lstm", learning=learning_for("mse"), batch=batch, dtype=dtype))


@pytest.mark.parametrize("batch", [15, 16, 17, 127, 128, 129, 140])
def test_batches_that_are_cut_for_threads(batch: int) -> None:
    count = min(140, 2 * batch)
    assert_same_training(
        make_task("lstm", learning=learning_for("mae"), count=count, batch=batch, dropout=0.2)
    )


@every_dtype
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_one_percent_of_a_learning_rate_is_noticed(optimizer: str, dtype: str) -> None:
    task = make_task(learning=learning_for("mse", optimizer), dtype=dtype)
    task = replace(task, rates=20.0 * task.rates)
    engine = task.engine()
    task.trainer(engine).run(task.series, task.starts, task.batch, 1.01 * task.rates)
    oracle = OracleTraining(task)
    oracle.run()
    for name, expected in oracle.parameters.items():
        with pytest.raises(AssertionError, match="Not equal to tolerance"):
            assert_close(engine.get()[name], expected, to="trained", dtype=dtype, name=name)


@every_dtype
@every_learning_head
@pytest.mark.parametrize("loss", ["mse", "quantile"])
@pytest.mark.parametrize("scaling", WINDOW_SCALINGS)
def test_evaluations_and_forecasts(scaling: str, loss: str, head: Head, dtype: str) -> None:
    windowing = Windowing(window=6, patch=2, horizon=3, scaling=scaling)
    task = make_task(
        "gru", head, windowing=windowing, learning=learning_for(loss), count=40, dropout=0.5, dtype=dtype
    )
    engine = task.engine()
    before = engine.read()
    oracle = OracleTraining(task)
    losses = task.trainer(engine).evaluate(task.series, task.starts)
    assert_close(losses, oracle.evaluate(), to="loss", dtype=dtype, name="losses")
    forecasts = task.forecast(engine)
    assert_close(forecasts, oracle.forecast(), to="output", dtype=dtype, name="forecasts")
    same_bits(engine.read(), before)


def test_looking_does_not_disturb_learning() -> None:
    task = make_task(learning=learning_for("mse", "adamw"), dropout=0.3)
    engines = task.engine(), task.engine()
    quiet, watched = (task.trainer(engine) for engine in engines)
    for step, rate in enumerate(task.rates):
        which = slice(step * task.batch, (step + 1) * task.batch)
        for trainer in (quiet, watched):
            trainer.run(task.series[which], task.starts[which], task.batch, np.array([rate]))
        watched.evaluate(task.series[:5], task.starts[:5])
        task.forecast(engines[1])
    same_bits(engines[0].read(), engines[1].read())


def test_one_call_or_many_are_the_same_training() -> None:
    task = make_task(learning=learning_for("mse", "adam"), dropout=0.3)
    engines = task.engine(), task.engine()
    whole, parts = (task.trainer(engine) for engine in engines)
    losses = whole.run(task.series, task.starts, task.batch, task.rates)
    for step, rate in enumerate(task.rates):
        which = slice(step * task.batch, (step + 1) * task.batch)
        assert parts.run(task.series[which], task.starts[which], task.batch, np.array([rate])) == losses[step]
    same_bits(engines[0].read(), engines[1].read())


def test_a_rate_of_zero_changes_nothing() -> None:
    task = make_task(learning=learning_for("mse", "adamw"))
    engine = task.engine()
    before = engine.read()
    task.trainer(engine).run(task.series, task.starts, task.batch, 0 * task.rates)
    same_bits(engine.read(), before)


def test_no_windows_are_no_steps() -> None:
    task = make_task()
    engine = task.engine()
    before = engine.read()
    none = np.empty(0, np.int64)
    trainer = task.trainer(engine)
    assert trainer.run(none, none, 3, np.empty(0)).size == 0
    assert trainer.evaluate(none, none).size == 0
    forecasts = engine.forecast(task.table, none, none, windowing=task.windowing).outputs
    assert forecasts.shape == (0, 3, 2, 1)
    same_bits(engine.read(), before)


@every_cell
@every_dtype
@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("place", [0, 7, 8], ids=["first read", "last read", "first target"])
def test_a_loss_that_is_not_finite_stops_before_its_update(
    cell: str, dtype: str, value: float, place: int
) -> None:
    task = make_task(cell, learning=learning_for("mse", "adam"), dtype=dtype, count=9)
    apart = 11 * np.arange(9)  # windows that do not touch each other
    values = np.random.default_rng(3).standard_normal((99, 2)).astype(dtype)
    task = replace(task, values=values, offsets=np.array([0, 99]), series=0 * apart, starts=apart)
    good, bad = task.engine(), task.engine()
    task.trainer(good).run(task.series[:6], task.starts[:6], 3, task.rates[:2])
    values = values.copy()
    values[apart[7] + place] = value
    losses = replace(task, values=values).trainer(bad).run(task.series, task.starts, 3, task.rates)
    assert losses.shape == (3,)
    assert np.isfinite(losses[:2]).all()
    assert np.isnan(losses[2])
    same_bits(bad.read(), good.read())


def test_after_a_stop_training_goes_on_as_if_nothing_had_happened() -> None:
    task = make_task(learning=learning_for("mse", "adam"))
    engines = task.engine(), task.engine()
    values = task.values.copy()
    clean, hurt = (replace(task, values=values).trainer(engine) for engine in engines)
    first = slice(0, 3)
    for trainer in (clean, hurt):
        trainer.run(task.series[first], task.starts[first], 3, task.rates[:1])
    kept, values[:] = values.copy(), np.nan
    assert np.isnan(hurt.run(task.series[first], task.starts[first], 3, task.rates[:1])).all()
    values[:] = kept
    for trainer in (clean, hurt):
        trainer.run(task.series[3:6], task.starts[3:6], 3, task.rates[1:2])
    same_bits(engines[0].read(), engines[1].read())


@every_dtype
@pytest.mark.parametrize("optimizer", ["adam", "adamw"])
def test_adam_without_epsilon(optimizer: str, dtype: str) -> None:
    learning = Learning(optimizer=optimizer, eps=0.0)
    task = make_task("lstm", learning=learning, dtype=dtype, count=6)
    engine = task.engine()
    losses = task.trainer(engine).run(task.series, task.starts, task.batch, task.rates)
    assert_close(losses, OracleTraining(task).run(), to="trained", dtype=dtype)


def test_the_panel_is_read_where_it_lies() -> None:
    task = make_task(windowing=Windowing(window=8, horizon=3, patch=2))
    trainer = task.trainer(task.engine())
    before = trainer.evaluate(task.series, task.starts)
    task.values[:] *= 2.0
    assert not np.array_equal(trainer.evaluate(task.series, task.starts), before)


def test_two_trainers_of_one_engine_share_its_parameters() -> None:
    task = make_task(learning=Learning())
    shared, single = task.engine(), task.engine()
    first, second, alone = task.trainer(shared), task.trainer(shared), task.trainer(single)
    for trainer, other in ((first, alone), (second, alone)):
        for each in (trainer, other):
            each.run(task.series, task.starts, task.batch, task.rates)
    same_bits(shared.read(), single.read())


@every_dtype
def test_a_sine_is_learned(dtype: str) -> None:
    values = np.sin(np.arange(300.0) * 2 * np.pi / 20)[:, np.newaxis].astype(dtype)
    engine = Engine("gru", input_size=1, hidden_size=12, output_size=1, dtype=dtype)
    task = make_task(windowing=Windowing(window=20, horizon=1), channels=1, dtype=dtype)
    rng = np.random.default_rng(0)
    engine.set({name: rng.uniform(-0.3, 0.3, shape) for name, shape in engine.shapes.items()})
    task = replace(task, values=values, offsets=np.array([0, 300]), learning=Learning(optimizer="adam"))
    starts = np.tile(rng.permutation(279), 8).astype(np.int64)
    rates = np.full(-(-starts.size // 16), 1e-2)
    losses = task.trainer(engine).run(np.zeros_like(starts), starts, 16, rates)
    assert losses[0] > 0.3
    assert losses[-10:].mean() < 1e-3
