"""What the tests of the border share: a small network, a small panel, the core's trainer without its face."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tests.engine.helpers import fill
from unrolled import _core
from unrolled.engine import Engine

if TYPE_CHECKING:
    from unrolled.engine import Array

WRONG_KIND = "incompatible function arguments"
"""What the core says of an argument of another kind: the words of nanobind."""

CORE = {
    "cell": "lstm",
    "input_size": 7,
    "hidden_size": 5,
    "num_layers": 1,
    "output_size": 3,
    "every": False,
    "skip_steps": 0,
    "dropout": 0.0,
}
"""The arguments of a network of the core."""


def panel(channels: int = 1, dtype: str = "float32") -> tuple[Array, Array]:
    """Return two series of 40 and 60 points."""
    values = np.random.default_rng(0).standard_normal((100, channels)).astype(dtype)
    return values, np.array([0, 40, 100])


def one_step(**options: Any) -> Engine:
    """Return a network that forecasts one point of one channel."""
    engine = Engine("gru", input_size=1, hidden_size=4, **{"output_size": 1, **options})
    fill(engine, np.random.default_rng(0))
    return engine


def indices(*numbers: int) -> Array:
    """Return whole numbers."""
    return np.array(numbers, np.int64)


WINDOWING = {"window": 8, "horizon": 1, "patch": 1, "scaling": "standard", "mask": False, "ahead": 0}
"""The arguments of a windowing of the core."""


def raw_windowing(**change: Any) -> Any:
    """Return the core's windowing, plain but for a change."""
    return _core.Windowing(**{**WINDOWING, **change})


def raw_table(engine: Engine, *arrays: Any) -> Any:
    """Return the core's table without its face."""
    return (_core.TableF32 if engine.dtype == np.float32 else _core.TableF64)(*arrays)


def raw_trainer(engine: Engine, values: Any, offsets: Any, **change: Any) -> Any:
    """Return the core's trainer with plain settings but for a change."""
    windowing = raw_windowing(**{name: change.pop(name) for name in WINDOWING if name in change})
    settings_ = {
        "loss": "mse",
        "delta": 1.0,
        "quantiles": [],
        "optimizer": "sgd",
        "momentum": 0.0,
        "beta1": 0.9,
        "beta2": 0.999,
        "eps": 1e-8,
        "weight_decay": 0.0,
        "clip": 0.0,
        "threads": 2,
        "seed": 0,
    }
    kind = _core.TrainerF32 if engine.dtype == np.float32 else _core.TrainerF64
    return kind(engine.core, raw_table(engine, values, offsets), windowing, **{**settings_, **change})


def raw_forecast(engine: Engine, table: Any, series: Any, starts: Any, out: Any, **change: Any) -> None:
    """Forecast by the core without its face."""
    windowing = raw_windowing(**{"scaling": "none", **change})
    scaling = np.empty((np.size(series), 3, 1), engine.dtype)
    engine.core.forecast(table, windowing, "mse", [], True, series, starts, out, scaling, 1)
