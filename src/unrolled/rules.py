"""What a Forecaster chooses for itself, by rule, from the horizon, the season and the lengths of the series.

Every rule is one sentence, kept with its result, so that `Forecaster.describe()` can say why. Nothing here
looks at the values of a series.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.engine import DISTRIBUTIONS
from unrolled.errors import ArgumentError, DataError, fault
from unrolled.messages import text
from unrolled.windows import split_windows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

_SMALL_BATCH = 32


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All that training needs, nothing left open.

    Attributes:
        window: points read.
        patch: points a step of the network reads.
        hidden_size: H.
        skip: whether the window also reaches the forecast by a linear skip.
        scaling: how series are scaled.
        optimizer, lr, weight_decay, schedule: how the weights are learned.
        batch_size: windows an update.
        steps: updates at the most.
        held_out: points of each series kept for validation.
        calibration: points at the end of each series, behind those of validation, kept to measure intervals.
        mask: whether the network reads which points are missing.
        ahead: steps behind the window on which the network reads what is known ahead.
        patience: looks at the validation windows without a better loss before training stops.
        reasons: name -> the sentence that chose it; names that the caller gave are not in it.
    """

    window: int
    patch: int
    hidden_size: int
    skip: bool
    scaling: str
    optimizer: str
    lr: float
    weight_decay: float
    schedule: str
    batch_size: int
    steps: int
    held_out: int
    calibration: int
    mask: bool
    ahead: int
    patience: int
    reasons: dict[str, str] = field(default_factory=dict)


def settle(
    given: Mapping[str, Any],
    lengths: NDArray[np.int64],
    *,
    horizon: int,
    at_once: int,
    season: int | None,
    missing: bool = False,
    known_ahead: bool = False,
) -> Settings:
    """Fill in what was not given.

    Args:
        given: name -> value, None where the rule decides: the fields of `Settings` but reasons and ahead, and
            `epochs`, `validation`, `loss`, `memory`.
        lengths: points of each series, [S].
        horizon: K, points to forecast.
        at_once: how many of them the network gives at once: all, or one when it reads its own forecasts.
        season: points of a season, or None.
        missing: whether points are missing.
        known_ahead: whether covariates are known ahead.

    Returns:
        The settings.
    """
    chosen: dict[str, Any] = {}
    reasons: dict[str, str] = {}

    def settle_one(name: str, value: Any, why: str, **values: object) -> Any:
        if given.get(name) is None:
            chosen[name] = value
            reasons[name] = text(f"rule.{why}", value=value, **values)
        else:
            chosen[name] = given[name]
        return chosen[name]

    calibration = chosen["calibration"] = given.get("calibration") or 0
    room = lengths - calibration
    held_out = _held_out(given.get("validation"), room, horizon)
    period = season or 1
    carried = given.get("memory") == "all"
    direct = at_once == horizon and not carried
    padded = given.get("mask") is not False
    window = settle_one(
        "window",
        _window(room, horizon, period, given.get("patch") or 1, held_out, padded=padded),
        "window",
        season=period,
        horizon=horizon,
    )
    if given.get("validation") is None:
        if int(room.max()) < window + at_once + held_out:  # a given window may leave no room
            held_out = 0
        reasons["validation"] = text("rule.validation", value=held_out, horizon=horizon)
    chosen["held_out"] = held_out
    patches = period if direct and period > 1 and window % period == 0 and window >= 2 * period else 1
    patch = settle_one("patch", patches, "patch-season" if patches > 1 else "patch-one")
    chosen["ahead"] = -(-at_once // patch) if known_ahead else 0
    short = int((lengths < window).sum()) if padded else 0
    settle_one("mask", bool(missing or known_ahead or short), _why_masked(missing, known_ahead, short))
    train, _ = split_windows(
        lengths, window=window, horizon=at_once, held_out=held_out + calibration, padded=chosen["mask"]
    )
    windows = max(1, len(train))
    settle_one("hidden_size", 32 if windows < 1000 else 64, "hidden-size", windows=windows)
    settle_one("skip", direct, "skip-direct" if direct else "skip-carried" if carried else "skip-recursive")
    settle_one("scaling", *_scaling(given.get("loss"), carried=carried, fed_back=at_once < horizon))
    settle_one("optimizer", "adamw", "optimizer")
    plain = chosen["optimizer"] == "sgd"
    settle_one("lr", 0.01 if plain else 0.003, "lr", optimizer=chosen["optimizer"])
    settle_one("weight_decay", 0.01 if chosen["optimizer"] == "adamw" else 0.0, "weight-decay")
    settle_one("schedule", "constant" if plain else "one_cycle", "schedule")
    batch = settle_one("batch_size", min(_SMALL_BATCH if windows < 10000 else 128, windows), "batch-size")
    per_epoch = -(-windows // batch)
    if given.get("epochs") is not None:
        chosen["steps"] = given["epochs"] * per_epoch
    else:
        settle_one("steps", 500 if windows < 1000 else 1000, "steps")
    settle_one("patience", 25, "patience")
    return Settings(**chosen, reasons=reasons)


def _scaling(loss: str | None, *, carried: bool, fed_back: bool) -> tuple[str, str]:
    """Return how series are scaled, and the name of the sentence that says why."""
    if loss == "negative_binomial":
        return "none" if carried else "mean_abs", "scaling-counts"
    if carried:
        return "series", "scaling-series"
    if fed_back and loss in ("quantile", *DISTRIBUTIONS):
        return "standard", "scaling-paths"
    return "last", "scaling"


def _why_masked(missing: bool, known_ahead: bool, short: int) -> str:
    """Return the name of the sentence that says why missing points are read as such, or are not."""
    if missing:
        return "mask-missing"
    if known_ahead:
        return "mask-ahead"
    return "mask-short" if short else "mask-none"


def check_lengths(
    settings: Settings, lengths: NDArray[np.int64], ids: Sequence[object], *, at_once: int
) -> None:
    """Refuse series that cannot be learned from with these settings.

    Args:
        settings: all that was chosen.
        lengths: points of each series, [S].
        ids: the name of each.
        at_once: points that the network forecasts at once.

    Raises:
        ArgumentError: the window cannot be cut into patches.
        DataError: a series, or all of them, are too short.
    """
    window, longest = settings.window, int(lengths.max())
    held_out = settings.held_out + settings.calibration
    points = window + at_once
    if window % settings.patch:
        raise ArgumentError(fault("argument.patch", window=window, patch=settings.patch))
    if settings.ahead and not settings.mask:
        raise ArgumentError(fault("argument.mask-ahead"))
    least = 1 + at_once if settings.mask else points
    if held_out and least <= longest < least + held_out:
        needed = least + held_out
        raise DataError(
            fault(
                "fit.no-validation",
                longest=longest,
                needed=needed,
                window=window,
                horizon=at_once,
                validation=held_out,
            )
        )
    if longest < least:
        raise DataError(
            fault("fit.no-windows", longest=longest, needed=least, window=window, horizon=at_once)
        )
    short = np.flatnonzero(lengths < window)
    if short.size and not settings.mask:
        first = int(short[0])
        length, count = int(lengths[first]), short.size
        raise DataError(fault("fit.too-short", series=ids[first], length=length, window=window, count=count))


def _held_out(validation: int | None, lengths: NDArray[np.int64], horizon: int) -> int:
    """Return the points held out: as asked for, else one horizon, or none where series are too short."""
    if validation is not None:
        return validation
    return horizon if int(np.median(lengths)) >= 4 * horizon + 2 else 0


def _window(
    lengths: NDArray[np.int64], horizon: int, season: int, patch: int, held_out: int, *, padded: bool
) -> int:
    """Return three seasons or two horizons, whichever is more, in whole patches or seasons, as far as fits.

    Half of the series must leave room for their target and for as many training windows as the window has
    points. What is shorter is padded, or, where it may not be, decides.
    """
    wanted = max(3 * season, 2 * horizon)
    room = int(np.median(lengths)) - held_out - horizon
    fits = max(1, min(wanted, room // 2) if padded else min(wanted, room // 2, int(lengths.min())))
    unit = (
        next((unit for unit in (math.lcm(season, patch), patch, season) if unit <= fits), 1)
        if patch > 1
        else season
    )
    return fits // unit * unit if fits >= unit else fits
