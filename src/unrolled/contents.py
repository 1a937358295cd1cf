"""What a saved file claims, checked before it is believed: a file may be damaged, or made to deceive.

Everything here raises `ValueError` (or what Python raises by itself where a type is wrong); whoever opens the
file says which file it was. Knows the parts of a forecaster, must not know files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.checks import are_quantiles
from unrolled.engine import LOSSES, WINDOW_SCALINGS
from unrolled.network import is_whole
from unrolled.timestep import FIXED, normal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from unrolled.engine import Array
    from unrolled.model import Model
    from unrolled.network import NetworkSpec
    from unrolled.panel import Panel
    from unrolled.training import History

_UNITS = {"step", "M", *FIXED}


def need(fits: object, what: str) -> None:
    """Raise `ValueError` about `what` where it does not fit."""
    if not fits:
        raise ValueError(what)


def weights_of(spec: NetworkSpec, tensors: Mapping[str, Array]) -> dict[str, Array]:
    """Return the tensors that are the network's parameters, all there and finite."""
    need(spec.num_layers <= len(tensors), "num_layers")  # before so many names are made
    weights = {name: tensors[name] for name in spec.shapes}
    for name, weight in weights.items():
        need(weight.dtype.kind == "f" and np.isfinite(weight).all(), name)
    return weights


def check_head(loss: object, quantiles: object) -> None:
    """Refuse a meaning of the outputs that there is not."""
    need(loss in LOSSES, "loss")
    need(are_quantiles(quantiles) if loss == "quantile" else not quantiles, "quantiles")


def check_model(model: Model, channels: int) -> None:
    """Refuse a network that does not fit the windows and the forecasts that it is said to be for."""
    windowing, width = model.windowing, model.head.width
    for name in ("window", "horizon", "patch"):
        need(is_whole(getattr(windowing, name)) and 1 <= getattr(windowing, name) < 2**32, name)
    need(is_whole(windowing.ahead) and 0 <= windowing.ahead <= windowing.horizon, "ahead")
    need(isinstance(windowing.mask, bool) and windowing.mask >= bool(windowing.ahead), "mask")
    need(windowing.scaling in WINDOW_SCALINGS, "scaling")
    need(windowing.window % windowing.patch == 0, "patch")
    need(windowing.horizon in (1, model.horizon), "horizon")
    for window in model.windows:
        need(is_whole(window) and 1 <= window <= windowing.window, "windows")
        need(window % windowing.patch == 0 and not model.recursive and model.memory == "window", "windows")
    features = 0 if model.encoder is None else model.encoder.width
    statics = 0 if model.encoder is None else model.encoder.statics
    for network, own in zip(model.networks, model.windowings, strict=True):
        spec = network.spec
        need(spec.head == "last", "head")
        need(spec.input_size == own.input_size(channels, features=features, statics=statics), "input_size")
        need(spec.output_size == own.horizon * channels * width, "output_size")
        need(spec.skip_steps in (0, own.steps), "skip_steps")
    calibration = model.calibration
    if calibration is not None:
        outputs = calibration.to_arrays()["outputs"]
        need(outputs.shape[0] >= 1 and outputs.shape[1:3] == (model.horizon, channels), "calibration")
        need(outputs.dtype.kind == "f" and np.isfinite(outputs).all(), "calibration")
        actual, scale = (calibration.to_arrays().get(name) for name in ("actual", "scale"))
        need(actual is not None and actual.dtype.kind == "f" and not np.isinf(actual).any(), "calibration")
        need(scale is None or (np.isfinite(scale).all() and (scale > 0).all()), "calibration")


def check_series(tail: Panel) -> None:
    """Refuse series that do not lie one behind the other."""
    values, offsets, size = tail.values, tail.offsets, tail.n_series
    need(values.ndim == 2 and values.dtype.kind == "f" and not np.isinf(values).any(), "tail.values")
    need(offsets.ndim == 1 and offsets.dtype == np.int64 and size >= 1, "tail.offsets")
    lengths = np.diff(offsets)
    need(offsets[0] == 0 and (lengths >= 1).all() and len(values) == offsets[-1], "tail.offsets")
    need(len(tail.ids) == size and all(isinstance(name, int | str) for name in tail.ids), "ids")
    need(len(tail.channels) == values.shape[1], "channels")
    need(all(isinstance(name, str) for name in tail.channels), "channels")
    kinds = {"list": True, "cube": True, "vector": size == 1 == tail.n_channels, "matrix": size == 1}
    need(kinds.get(tail.kind), "kind")
    _check_times(tail)
    before = tail.left_out
    need(before is not None and before.shape == (size,) and before.dtype == np.int64, "tail.left_out")
    need(before is not None and (before >= 0).all(), "tail.left_out")
    columns = tail.columns
    if columns is not None:
        need(all(isinstance(name, str | None) for name in (columns.id, columns.time)), "columns")
        need(isinstance(columns.utc, bool) and columns.layout in ("long", "wide", "column"), "columns")


def check_tail(tail: Panel, model: Model) -> None:
    """Refuse ends of series that no window can be read from."""
    check_series(tail)
    lengths, window, masked = tail.lengths, model.windowing.window, model.windowing.mask
    need(masked or np.isfinite(tail.values).all(), "tail.values")
    if model.memory == "window":
        need((lengths <= window).all() if masked else (lengths == window).all(), "tail.offsets")
    scaler = model.scaler
    if scaler is not None:
        for part in (scaler.location, scaler.scale):
            need(part.shape == (tail.n_series, tail.n_channels) and part.dtype == np.float64, "scaling")
            need(np.isfinite(part).all(), "scaling")
        need((scaler.scale > 0).all(), "scaling.scale")


def _check_times(tail: Panel) -> None:
    if tail.times is None:
        need(tail.steps == (), "steps")
        return
    need(normal(tail.times) is tail.times and tail.times.shape == (len(tail.values),), "tail.times")
    need(len(tail.steps) == tail.n_series, "steps")
    for step in tail.steps:
        need(is_whole(step.count) and step.count >= 1 and step.unit in _UNITS, "steps")
        need(step.anchor is None or (is_whole(step.anchor) and 1 <= step.anchor <= 31), "steps")


def check_history(history: History) -> None:
    """Refuse a history that is not made of numbers."""
    need(all(is_whole(step) for step in (history.steps_per_epoch, history.best_step)), "history")
    need(isinstance(history.losses, list) and isinstance(history.stopped, str), "history")
    need(all(isinstance(loss, float | int) for loss in history.losses), "losses")
    need(all(isinstance(loss, float | int) for loss in history.checks.values()), "checks")
    need(isinstance(history.averaged, bool) and all(map(is_whole, history.averaged_steps)), "averaged")
    need(isinstance(history.averaged_loss, float | int | None), "averaged")


def json_number(value: Any) -> Any:
    """Return a number that strict JSON has; a loss that is not finite becomes None."""
    return value if value is None or np.isfinite(value) else None


def loss_of(value: Any) -> Any:
    """Return what `json_number` was given, as far as it can be told."""
    return float("nan") if value is None else value
