"""What Python hands the core: arrays as they are or not at all, and objects that were made."""

from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.engine.border import (
    CORE,
    WRONG_KIND,
    indices,
    one_step,
    panel,
    raw_forecast,
    raw_table,
    raw_trainer,
    raw_windowing,
)
from tests.engine.helpers import every_dtype, same_bits
from unrolled import _core
from unrolled.engine import Learning, Table, Trainer, Windowing

if TYPE_CHECKING:
    from collections.abc import Callable

    from unrolled.engine import Array


def frozen(array: Array) -> Array:
    """Return the array, now read-only."""
    array.flags.writeable = False
    return array


def test_outputs_that_cannot_be_written() -> None:
    engine = one_step()
    trainer = raw_trainer(engine, *panel())
    x = np.zeros((3, 2, 1), np.float32)
    h, out, flat = np.zeros((1, 2, 4), np.float32), np.zeros((2, 1), np.float32), engine.read()
    one, rates = indices(0), np.zeros(1)
    calls: list[Callable[[], object]] = [
        lambda: engine.core.read(frozen(flat.copy())),
        lambda: engine.core.apply(x, frozen(h.copy()), None, out, False, 0, 1),
        lambda: engine.core.apply(x, h, None, frozen(out.copy()), False, 0, 1),
        lambda: engine.core.apply_backward(x, h, None, out, frozen(h.copy()), None, flat, None, False, 0, 1),
        lambda: engine.core.apply_backward(x, h, None, out, h, None, frozen(flat.copy()), None, False, 0, 1),
        lambda: engine.core.apply_backward(x, h, None, out, h, None, flat, frozen(x.copy()), False, 0, 1),
        lambda: trainer.run(one, one, 1, rates, frozen(np.zeros(1))),
        lambda: trainer.evaluate(one, one, frozen(np.zeros(1))),
        lambda: trainer.gradients(frozen(flat.copy())),
        lambda: raw_forecast(
            engine, raw_table(engine, *panel()), one, one, frozen(np.zeros((1, 1, 1, 1), np.float32))
        ),
        lambda: trainer.read_state(frozen(np.zeros(0, np.float32)), np.zeros(0, np.float32)),
        lambda: trainer.read_state(np.zeros(0, np.float32), frozen(np.zeros(0, np.float32))),
        lambda: _core.activate("tanh", flat, frozen(flat.copy())),
        lambda: _core.loss(
            "mse", flat[:, None].copy(), flat, 1.0, [], frozen(flat[:, None].copy()), flat[:1], False
        ),
        lambda: _core.map_outputs("mse", flat[:, None].copy(), [], frozen(flat[:, None].copy())),
    ]
    for call in calls:
        with pytest.raises(TypeError, match=WRONG_KIND):
            call()


def test_inputs_may_be_read_only() -> None:
    engine = one_step()
    engine.core.write(frozen(engine.read()))
    x, out = frozen(np.ones((3, 2, 1), np.float32)), np.empty((2, 1), np.float32)
    engine.core.apply(x, np.zeros((1, 2, 4), np.float32), None, out, False, 0, 1)
    same_bits(out, engine.forward(x)[0])
    values, offsets = map(frozen, panel())
    windows = frozen(indices(0, 1))
    trainer = Trainer(engine, Table(values, offsets), windowing=Windowing(8, 1), learning=Learning())
    assert trainer.run(windows, windows, 2, frozen(np.zeros(1))).shape == (1,)
    forecasts = engine.forecast(Table(values, offsets), windows, windows, windowing=Windowing(8, 1))
    assert forecasts.outputs.shape == (2, 1, 1, 1)


COUNT = 4 * 3 * (1 + 4 + 2) + 4 + 1


@pytest.mark.parametrize(
    "flat",
    [
        np.zeros(COUNT),
        np.zeros(2 * COUNT, np.float32)[::2],
        np.zeros(COUNT, ">f4"),
        np.zeros(COUNT, np.float16),
        np.zeros(COUNT, object),
        [0.0] * COUNT,
        bytes(4 * COUNT),
        None,
        "text",
    ],
    ids=lambda flat: f"{type(flat).__name__} {getattr(flat, 'dtype', '')}",
)
def test_the_core_takes_arrays_as_they_are_or_not_at_all(flat: Any) -> None:
    core = one_step().core
    assert core.parameter_count == COUNT
    with pytest.raises(TypeError, match=WRONG_KIND):
        core.read(flat)
    with pytest.raises(TypeError, match=WRONG_KIND):
        core.write(flat)


def test_arrays_of_other_sizes_than_asked() -> None:
    engine = one_step()
    core = engine.core
    x, h, out = np.zeros((3, 2, 1), np.float32), np.zeros((1, 2, 4), np.float32), np.zeros((2, 1), np.float32)
    for wrong in (out[:1], out[0], np.zeros((2, 2), np.float32), np.zeros((3, 2, 1), np.float32)):
        with pytest.raises(ValueError, match="out does not fit"):
            core.apply(x, h, None, wrong, False, 0, 1)
    flat = np.zeros(core.parameter_count, np.float32)
    with pytest.raises(ValueError, match="parameters does not fit"):
        core.apply_backward(x, h, None, out, h, None, flat[1:], None, False, 0, 1)
    with pytest.raises(ValueError, match="d_x does not fit"):
        core.apply_backward(x, h, None, out, h, None, flat, x[1:], False, 0, 1)
    with pytest.raises(ValueError, match="d_h does not fit"):
        core.apply_backward(x, h, None, out, h[:, 1:].copy(), None, flat, None, False, 0, 1)
    with pytest.raises(ValueError, match="d_c does not fit"):
        core.apply_backward(x, h, None, out, h, h.copy(), flat, None, False, 0, 1)
    one = indices(0)
    for wrong in (
        np.zeros((1, 1, 1), np.float32),
        np.zeros((1, 2, 1, 1), np.float32),
        np.zeros((2, 1, 1, 1), np.float32),
    ):
        with pytest.raises(ValueError, match="out does not fit"):
            raw_forecast(engine, raw_table(engine, *panel()), one, one, wrong)


def test_functions_that_the_core_does_not_know() -> None:
    array = np.zeros(3, np.float32)
    column = array[:, np.newaxis].copy()
    with pytest.raises(ValueError, match="loss does not fit"):
        _core.loss("nope", column, array, 1.0, [], column, array, False)
    with pytest.raises(ValueError, match="quantiles does not fit"):
        _core.loss("quantile", column, array, 1.0, [], column, array, False)
    with pytest.raises(ValueError, match="raw does not fit"):
        _core.loss("quantile", column, array, 1.0, [0.1, 0.9], column, array, False)
    with pytest.raises(ValueError, match="d_raw does not fit"):
        _core.loss("mse", column, array, 1.0, [], column[1:], array, False)
    with pytest.raises(ValueError, match="scale does not fit"):
        _core.loss("mse", column, array, 1.0, [], column, array[:0], False)
    with pytest.raises(ValueError, match="raw does not fit"):
        _core.map_outputs("gaussian", column, [], column)
    with pytest.raises(ValueError, match="out does not fit"):
        _core.map_outputs("mse", column, [], column[1:])
    with pytest.raises(ValueError, match="activation does not fit"):
        _core.activate("nope", array, array)
    with pytest.raises(ValueError, match="y does not fit"):
        _core.activate("tanh", array, array[1:])
    with pytest.raises(ValueError, match="x does not fit"):
        _core.activate("tanh", column, array)


@pytest.mark.filterwarnings("ignore:nanobind:RuntimeWarning")
def test_objects_that_were_never_made() -> None:
    class Unmade(_core.NetworkF32):
        def __init__(self) -> None:
            pass

    for unmade in (_core.NetworkF32.__new__(_core.NetworkF32), Unmade()):
        with pytest.raises(TypeError, match="incompatible"):
            unmade.read(np.zeros(1, np.float32))
    with pytest.raises(TypeError, match="incompatible"):
        _ = _core.TrainerF64.__new__(_core.TrainerF64).gradient_norm
    core: Any = one_step().core
    before = core.parameter_count
    with pytest.raises(TypeError, match="incompatible"):
        core.__init__(**CORE)
    assert core.parameter_count == before


def test_the_core_is_not_copied_by_accident() -> None:
    core = one_step().core
    for call in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="pickle"):
            call(core)


@every_dtype
def test_a_network_of_one_precision_does_not_take_the_other(dtype: str) -> None:
    engine = one_step(dtype=dtype)
    other = "float64" if dtype == "float32" else "float32"
    values, offsets = panel(dtype=other)
    with pytest.raises(TypeError, match=WRONG_KIND):
        Trainer(engine, Table(values, offsets), windowing=Windowing(8, 1), learning=Learning())
    with pytest.raises(TypeError, match=WRONG_KIND):
        engine.forecast(Table(values, offsets), indices(0), indices(0), windowing=Windowing(8, 1))
    mixed = _core.TrainerF32 if dtype == "float64" else _core.TrainerF64
    with pytest.raises(TypeError, match=WRONG_KIND):
        mixed(engine.core, raw_table(engine, *panel(dtype=dtype)), raw_windowing())
