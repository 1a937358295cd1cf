"""The arguments of a Forecaster, checked together: all that is wrong is said at once."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.calendar import CALENDAR
from unrolled.engine import CELLS, DTYPES, LOSSES, OPTIMIZERS
from unrolled.errors import ArgumentError, Fault, fault, nearest, raise_any
from unrolled.network import is_number, is_whole
from unrolled.scaling import SCALINGS
from unrolled.training import SCHEDULES

if TYPE_CHECKING:
    from collections.abc import Mapping

STRATEGIES = ("direct", "recursive")
MEMORIES = ("window", "all")
COMBINATIONS = ("mean", "median")
LAYOUTS = ("long", "wide")

_CHOICES = {
    "cell": tuple(CELLS),
    "strategy": STRATEGIES,
    "scaling": SCALINGS,
    "loss": LOSSES,
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "dtype": DTYPES,
    "memory": MEMORIES,
    "combine": COMBINATIONS,
    "layout": LAYOUTS,
}
_LEAST_WHOLE = {
    "horizon": 1,
    "season": 1,
    "window": 1,
    "hidden_size": 1,
    "num_layers": 1,
    "patch": 1,
    "batch_size": 1,
    "epochs": 1,
    "steps": 1,
    "validation": 0,
    "calibration": 0,
    "members": 1,
    "snapshots": 0,
    "patience": 0,
    "seed": 0,
    "threads": 1,
}
_MOST_WHOLE = {
    "seed": 2**32 - 1,
    "threads": 1024,
    "hidden_size": 65536,
    "num_layers": 64,
    "members": 1000,
    "snapshots": 1000,
}
_RANGES = {
    "dropout": (0.0, 0.999),
    "delta": (1e-30, 1e30),
    "lr": (0.0, 1e6),
    "momentum": (0.0, 1.0),
    "weight_decay": (0.0, 1e6),
    "clip": (0.0, 1e30),
}
_NEVER_NONE = {
    "horizon",
    "cell",
    "num_layers",
    "strategy",
    "loss",
    "dtype",
    "seed",
    "dropout",
    "delta",
    "momentum",
    "shuffle",
    "residual",
    "memory",
    "combine",
    "layout",
    "snapshots",
    "target_col",
}
_FLAGS = {"shuffle", "skip", "progress", "residual", "mask", "refit"}
_NAMES = {"past_cols", "known_cols", "static_cols", "calendar"}


def check_parameters(params: Mapping[str, Any]) -> None:
    """Raise one error for all the arguments that cannot work.

    Args:
        params: the arguments by name, as `Forecaster.get_params` returns them.

    Raises:
        ArgumentError: at least one cannot work.
    """
    faults = [found for name, value in params.items() if (found := _fault_of(name, value))]
    faults += _faults_between(params)
    raise_any(ArgumentError, faults)


def _fault_of(name: str, value: Any) -> Fault | None:
    """Return what is wrong with one argument by itself."""
    if value is None:
        return fault("argument.none", name=name) if name in _NEVER_NONE else None
    if name in _CHOICES:
        known = _CHOICES[name]
        if isinstance(value, str) and value in known:
            return None
        return fault(
            "argument.choice",
            name=name,
            got=repr(value),
            known=", ".join(known),
            nearest=nearest(str(value), known),
        )
    if name in _LEAST_WHOLE:
        return _fault_of_whole(name, value, _LEAST_WHOLE[name], _MOST_WHOLE.get(name, 2**31))
    if name in _RANGES:
        low, high = _RANGES[name]
        if is_number(value) and low <= value <= high:
            return None
        return fault("argument.number", name=name, got=repr(value), low=f"{low:g}", high=f"{high:g}")
    if name in _FLAGS and not isinstance(value, bool):
        return fault("argument.flag", name=name, got=repr(value))
    if name in _NAMES and not are_names(value):
        return fault("argument.names", name=name, got=repr(value))
    if name == "calendar":
        unknown = next((one for one in value if one not in CALENDAR), None)
        if unknown is not None:
            close = nearest(unknown, CALENDAR)
            return fault("argument.calendar", got=repr(unknown), known=", ".join(CALENDAR), nearest=close)
    return None


def _fault_of_whole(name: str, value: Any, least: int, most: int) -> Fault | None:
    """Return what is wrong with a whole number."""
    if is_whole(value) and least <= value <= most:
        return None
    return fault("argument.whole", name=name, got=repr(value), least=least, most=most)


def check_whole(least: int = 1, most: int = 2**31, **values: Any) -> None:
    """Refuse arguments of a method that are not whole numbers in a range.

    Raises:
        ArgumentError: naming all of them.
    """
    raise_any(ArgumentError, faults_of_whole(least, most, **values))


def faults_of_whole(least: int, most: int, **values: Any) -> list[Fault]:
    """Return the faults of values that are not whole numbers from `least` to `most`."""
    faults = [_fault_of_whole(name, value, least, most) for name, value in values.items()]
    return [found for found in faults if found is not None]


def _faults_between(params: Mapping[str, Any]) -> list[Fault]:
    """Return what is wrong between arguments."""
    faults = []
    if params["epochs"] is not None and params["steps"] is not None:
        faults.append(fault("argument.epochs-and-steps", epochs=params["epochs"], steps=params["steps"]))
    quantiles = params["quantiles"]
    loss = params["loss"] if isinstance(params["loss"], str) else None
    if loss == "quantile" and not are_quantiles(quantiles):
        faults.append(fault("argument.quantiles", got=repr(quantiles)))
    if loss != "quantile" and quantiles is not None:
        faults.append(fault("argument.quantiles-unused", loss=params["loss"]))
    if (
        is_number(params["dropout"])
        and params["dropout"]
        and is_whole(params["num_layers"])
        and params["num_layers"] == 1
    ):
        faults.append(fault("argument.dropout-one-layer", dropout=params["dropout"]))
    horizon = params["horizon"]
    faults += [
        fault("argument.validation", name=name, got=params[name], horizon=horizon)
        for name in ("validation", "calibration")
        if is_whole(params[name]) and is_whole(horizon) and 0 < params[name] < horizon
    ]
    return [*faults, *_faults_of_layers(params), *_faults_of_memory(params), *_faults_of_counts(params)]


def _faults_of_layers(params: Mapping[str, Any]) -> list[Fault]:
    """Return what is wrong with the steps that layers look back, and with what passes them by."""
    faults, layers, dilations = [], params["num_layers"], params["dilations"]
    if dilations is not None:
        whole = isinstance(dilations, (list, tuple)) and all(is_whole(one) and one >= 1 for one in dilations)
        if not whole or (is_whole(layers) and len(dilations) != layers):
            faults.append(fault("argument.dilations", got=repr(dilations), layers=layers))
    if params["residual"] is True and is_whole(layers) and layers == 1:
        faults.append(fault("argument.residual-one-layer"))
    return faults


def _faults_of_memory(params: Mapping[str, Any]) -> list[Fault]:
    """Return what a network that reads whole series cannot have."""
    if not isinstance(params["memory"], str) or params["memory"] != "all":
        return []
    unfit = {
        "skip": params["skip"] is True,
        "scaling": params["scaling"] not in (None, "none", "series"),
        "dilations": params["dilations"] is not None and any(one != 1 for one in params["dilations"]),
        "strategy": params["strategy"] == "recursive",
        "patch": params["patch"] not in (None, 1),
    }
    return [
        fault("argument.memory", name=name, got=repr(params[name])) for name, wrong in unfit.items() if wrong
    ]


def _faults_of_counts(params: Mapping[str, Any]) -> list[Fault]:
    """Return what is wrong with the scaling of a loss for counts."""
    fitting = (None, "none", "mean_abs")
    counts = isinstance(params["loss"], str) and params["loss"] == "negative_binomial"
    if not counts or params["scaling"] in fitting:
        return []
    return [fault("argument.counts-scaling", got=repr(params["scaling"]))]


def check_seconds(seconds: object) -> float:
    """Return a time between two checkpoints.

    Raises:
        ArgumentError: it is no number of at least 0.
    """
    if not is_number(seconds) or seconds < 0:  # type: ignore[operator]
        raise ArgumentError(
            fault("argument.number", name="checkpoint_every_s", got=repr(seconds), low="0", high="inf")
        )
    return float(seconds)  # type: ignore[arg-type]


def check_levels(levels: object) -> tuple[float, ...]:
    """Return levels of intervals, in percent.

    Raises:
        ArgumentError: they are not different numbers between 0 and 100.
    """
    values = levels.tolist() if isinstance(levels, np.ndarray) else levels
    if is_number(values):
        values = (values,)
    if (
        not isinstance(values, (list, tuple))
        or not values
        or not all(is_number(one) and 0 < one < 100 for one in values)
        or len(set(values)) < len(values)
    ):
        raise ArgumentError(fault("argument.levels", got=repr(levels)))
    return tuple(values)


def check_quantiles(quantiles: object, default: tuple[float, ...]) -> tuple[float, ...]:
    """Return the quantiles that are asked for.

    Raises:
        ArgumentError: they are not rising numbers between 0 and 1.
    """
    if quantiles is None:
        return default
    if not are_quantiles(quantiles):
        raise ArgumentError(fault("argument.quantiles", got=repr(quantiles)))
    return tuple(float(one) for one in quantiles)  # type: ignore[attr-defined]


def are_names(values: object) -> bool:
    """Whether these are different names: a list or a tuple of text."""
    if not isinstance(values, (list, tuple)):
        return False
    return all(isinstance(one, str) for one in values) and len(set(values)) == len(values)


def are_quantiles(values: object) -> bool:
    """Whether these are rising numbers between 0 and 1, at least one."""
    if isinstance(values, np.ndarray):
        values = values.tolist()
    if not isinstance(values, (list, tuple)) or not values:
        return False
    inside = all(is_number(q) and 0 < q < 1 for q in values)
    return inside and all(a < b for a, b in pairwise(values))
