"""What is tried: values of the Forecaster's arguments, by rule or as the caller says.

Looks at the lengths of the series and at the forecaster that is tuned, never at values. Does not know optuna:
a trial is whatever has its `suggest_` methods.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from unrolled.errors import ArgumentError, Fault, fault, nearest, raise_any
from unrolled.forecaster import Forecaster
from unrolled.network import is_number, is_whole

if TYPE_CHECKING:
    from numpy.typing import NDArray

Space: TypeAlias = Mapping[str, Any] | Callable[[Any], Mapping[str, Any]]
"""Name -> list of values | (low, high) | (low, high, "log"); or a function of a trial."""

_MANY = 1000
"""From so many training windows on, larger networks and batches are tried."""

_MOST_PATCHES = 6
_SHORTEST = 8
_UNTRIED = ("horizon", "progress", "threads")
"""Arguments that are no part of a space: what is forecast, and what changes no number."""


def default_space(
    lengths: NDArray[np.int64], *, horizon: int, season: int | None = None, base: Forecaster | None = None
) -> dict[str, Any]:
    """Return what is tried where the caller says nothing.

    Windows are whole seasons about as long as one to six seasons or one to three horizons, as far as a series
    has room for as many training windows; patches divide a season, so that every patch fits every window.
    What the base forecaster sets itself is not tried.

    Shapes:
        lengths: [S].

    Args:
        lengths: points of each series that a trial may learn from.
        horizon: K.
        season: points of a season, or None.
        base: whose arguments are kept.

    Returns:
        Name -> list of values, (low, high) or (low, high, "log"); in that order they are chosen.

    Example:
        >>> space = default_space(np.array([120]), horizon=12, season=12)
        >>> space["window"], space["patch"]
        ([12, 24, 36, 48], [1, 2, 3, 4, 6, 12])
    """
    base = base or Forecaster(horizon)
    fixed, period = _set_by(base), season or 1
    windows = _windows(lengths, horizon, period, base.patch or 1)
    patched = base.strategy == "direct" and (windows or base.window)
    patches = _patches(period, base.window) if patched else []
    many = int(np.maximum(lengths - 2 * horizon - (windows or [1])[-1], 0).sum()) >= _MANY
    space: dict[str, Any] = {
        "cell": ["lstm", "gru", "rnn"],
        "window": windows,
        "patch": patches,
        "hidden_size": (8, 256 if many else 96, "log"),
        "num_layers": [1, 2],
        "dropout": [0.0, 0.1, 0.3],
        "lr": (5e-4, 2e-2, "log"),
        "batch_size": [32, 64, 128, 256] if many else [8, 16, 32, 64],
        "steps": [500, 1000, 2000] if many else [250, 500, 1000],
        "scaling": ["last", "standard", "mean_abs"],
        "skip": [True, False],
        "loss": ["mae", "huber"],
    }
    if "epochs" in fixed:
        del space["steps"]
    if base.optimizer == "sgd":
        space["lr"] = (1e-3, 1e-1, "log")
    space = {name: values for name, values in space.items() if name not in _unfit(base)}
    if base.residual:
        space["num_layers"] = [2, 3]
    return {name: values for name, values in space.items() if name not in fixed and len(values)}


def _unfit(base: Forecaster) -> set[str]:
    """Return what other arguments of the forecaster leave no choice in."""
    found = {"patch", "skip", "scaling"} if base.memory == "all" else set()
    if base.dilations is not None:
        found |= {"num_layers"}
    if base.loss == "negative_binomial":
        found |= {"scaling"}
    return found


def check_space(space: Space, base: Forecaster) -> None:
    """Refuse a space that names what is no argument, or has nothing to choose from.

    Raises:
        ArgumentError: all that is wrong with it.
    """
    if callable(space):
        return
    faults = _name_faults(space, base)
    for name, values in space.items():
        if not _is_range(values) and not (isinstance(values, list) and values):
            faults.append(fault("tune.space", name=name, got=repr(values)))
        elif _is_range(values) and not _can_be_drawn(*values):
            faults.append(fault("tune.range", name=name, got=repr(values)))
    raise_any(ArgumentError, faults if space else [fault("tune.no-space")])


def propose(trial: Any, space: Space, base: Forecaster) -> dict[str, Any]:
    """Return the arguments that a trial has the forecaster try.

    `dropout` is chosen only where there is more than one layer, as it lies between layers.

    Args:
        trial: of optuna.
        space: what may be chosen.
        base: the forecaster whose other arguments are kept.

    Raises:
        ArgumentError: a function named what is no argument.
    """
    if callable(space):
        params = {name: _plain(value) for name, value in space(trial).items()}
        raise_any(ArgumentError, _name_faults(params, base))
        return params
    chosen: dict[str, Any] = {}
    for name in sorted(space, key=lambda name: name == "dropout"):
        if name != "dropout" or chosen.get("num_layers", base.num_layers) > 1:
            chosen[name] = _suggest(trial, name, space[name])
    return chosen


def _suggest(trial: Any, name: str, values: Any) -> Any:
    if _is_range(values):
        low, high, *how = values
        whole = is_whole(low) and is_whole(high)
        suggest = trial.suggest_int if whole else trial.suggest_float
        return suggest(name, low, high, log=bool(how))
    plain = [_plain(value) for value in values]
    if all(value is None or isinstance(value, bool | int | float | str) for value in plain):
        return trial.suggest_categorical(name, plain)
    return plain[trial.suggest_categorical(name, list(range(len(plain))))]


def _name_faults(space: Mapping[str, Any], base: Forecaster) -> list[Fault]:
    """Return what is wrong with the names in a space."""
    known = [name for name in base.get_params() if name not in _UNTRIED]
    return [
        fault("argument.unknown", name=name, known=", ".join(known), nearest=nearest(str(name), known))
        for name in space
        if name not in known
    ]


def _is_range(values: Any) -> bool:
    """Whether these are (low, high) or (low, high, "log"), not values to choose from."""
    return (
        isinstance(values, tuple)
        and len(values) in (2, 3)
        and all(is_number(bound) for bound in values[:2])
        and values[2:] in ((), ("log",))
    )


def _can_be_drawn(low: float, high: float, how: str = "") -> bool:
    return low <= high and not (how and low <= 0)


def _set_by(base: Forecaster) -> set[str]:
    """Return the arguments that the caller gave the forecaster a value of his own for."""
    parameters = inspect.signature(type(base)).parameters
    return {
        name for name, value in base.get_params().items() if repr(value) != repr(parameters[name].default)
    }


def _windows(lengths: NDArray[np.int64], horizon: int, period: int, patch: int) -> list[int]:
    """Return windows of whole seasons (of some horizons, without a season) that fit, whole patches too."""
    room = (int(np.median(lengths)) - 2 * horizon) // 2
    fits = min(room, int(lengths.min()))
    wanted = {share * (period if period > 1 else max(horizon, _SHORTEST)) for share in (1, 2, 3, 4, 6)}
    wanted |= {-(-share * horizon // period) * period for share in (1, 2, 3)}
    least = min(horizon, _SHORTEST)
    return sorted(points for points in wanted if least <= points <= fits and points % patch == 0)


def _patches(period: int, window: int | None) -> list[int]:
    """Return divisors of the season, 1 and the season among them; some of many."""
    divisors = [size for size in range(1, period + 1) if period % size == 0 and not (window or 0) % size]
    shown = np.unique(np.linspace(0, len(divisors) - 1, _MOST_PATCHES).round().astype(int))
    return [divisors[index] for index in shown] if len(divisors) > 1 else []


def _plain(value: Any) -> Any:
    """Turn NumPy's values and tuples into what JSON holds."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray | tuple):
        return [_plain(one) for one in list(value)]
    return value
