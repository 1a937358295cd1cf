"""What a Forecaster chooses for itself, by rule, from the horizon, the season and the lengths of the series.

Every rule is one sentence, kept with its result, so that `Forecaster.describe()` can say why. Nothing here
looks at the values of a series; what only they can tell (`Settings.scalings`) is left to a rehearsal. What
was measured before a rule was chosen stands in docs/decisions/0017-accurate-by-default.md.
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

_MEMBERS = 6
"""Networks of a direct forecast: of three windows two each."""

_SHARES = (4, 3, 2)
"""The windows of the members in turn, as quarters of the longest."""

_MOST_STEPS = 16
"""A window by rule is cut into so many patches at the most."""

_LEAST_WINDOW = 8

_STEPS_PER_ROOT, _LEAST_UPDATES, _MOST_UPDATES = 8, 10, 5_000
"""Updates by rule: so many for the square root of the number of windows, within these bounds."""

_HOURS = 24
"""The season of hours: their days differ by weekday, so a window holds two weeks."""

_MANY_SERIES = 20
"""The last horizons of so many series tell scalings apart, and measure intervals."""

_HELD_OUT_HORIZONS = 3
"""Horizons that fewer series hide from a rehearsal, as far as a quarter of their points allows."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All that training needs, nothing left open.

    Attributes:
        window: points read, by the member that reads the most.
        windows: of how many points each member reads the last; empty where all read the same.
        members: networks that forecast together.
        patch: points a step of the network reads.
        hidden_size: H.
        skip: whether the window also reaches the forecast by a linear skip.
        scaling: how series are scaled.
        scalings: where a rehearsal is to choose it, what it chooses from; `scaling` is the first of them.
        optimizer, lr, weight_decay, schedule: how the weights are learned.
        batch_size: windows an update.
        steps: updates at the most.
        refit: whether a rehearsal that has not seen the points held out comes first, and the members learn
            from all points.
        held_out: points of each series kept for validation, or, with `refit`, from the rehearsal.
        calibration: points at the end of each series, behind those of validation, kept to measure intervals.
        mask: whether the network reads which points are missing.
        ahead: steps behind the window on which the network reads what is known ahead.
        patience: looks at the validation windows without a better loss before training stops.
        reasons: name -> the sentence that chose it; names that the caller gave are not in it.
    """

    window: int
    windows: tuple[int, ...]
    members: int
    patch: int
    hidden_size: int
    skip: bool
    scaling: str
    scalings: tuple[str, ...]
    optimizer: str
    lr: float
    weight_decay: float
    schedule: str
    batch_size: int
    steps: int
    refit: bool
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
    period = season or 1
    carried = given.get("memory") == "all"
    direct = at_once == horizon and not carried
    padded = given.get("mask") is not False
    watched = any(given.get(name) is not None for name in ("validation", "calibration", "patience"))
    refit = settle_one("refit", not watched, "refit-watched" if watched else "refit")
    members = settle_one("members", _MEMBERS if direct else 1, "members" if direct else "members-one")
    held_out = _held_out(given.get("validation"), lengths - calibration, horizon, several=refit)
    # What the networks learn from: all points, or those that are not held out.
    room = lengths if refit else lengths - calibration - held_out
    least = int(lengths.min()) if not padded else None
    wanted, why = _wanted(horizon, period, direct=direct, alone=members == 1)
    window = settle_one(
        "window",
        _window(room, horizon, period, given.get("patch"), wanted=wanted, least=least),
        why,
        season=period,
        horizon=horizon,
    )
    if given.get("validation") is None:
        if int(lengths.max()) - calibration < window + at_once + held_out:  # a given window may leave no room
            held_out = 0
        why = "validation-none" if not held_out else "validation-rehearsal" if refit else "validation"
        reasons["validation"] = text(f"rule.{why}", value=held_out, horizon=horizon)
    chosen["held_out"] = held_out
    patches = _patch(window, period) if direct else 1
    patch = settle_one("patch", patches, "patch-season" if patches > 1 else "patch-one", season=period)
    chosen["windows"] = ()
    alike = given.get("window") is not None or given.get("loss") in DISTRIBUTIONS or not direct
    if not alike and members > 1 and window % patch == 0:
        chosen["windows"] = tuple(
            max(1, window * _SHARES[member % len(_SHARES)] // (_SHARES[0] * patch)) * patch
            for member in range(members)
        )
        shown = ", ".join(str(one) for one in dict.fromkeys(chosen["windows"]))
        reasons["windows"] = text("rule.windows", value=shown)
    chosen["ahead"] = -(-at_once // patch) if known_ahead else 0
    short = int((lengths < window).sum()) if padded else 0
    settle_one("mask", bool(missing or known_ahead or short), _why_masked(missing, known_ahead, short))
    kept_back = 0 if refit else held_out + calibration
    train, _ = split_windows(
        lengths, window=window, horizon=at_once, held_out=kept_back, padded=chosen["mask"]
    )
    windows = max(1, len(train))
    hidden = 32 if windows < 1000 else 64 if windows < 10000 else 128
    settle_one("hidden_size", hidden, "hidden-size", windows=windows)
    settle_one("skip", direct, "skip-direct" if direct else "skip-carried" if carried else "skip-recursive")
    several = direct and lengths.size >= _MANY_SERIES
    scalings, why = _scalings(given.get("loss"), carried=carried, direct=direct, several=several)
    settle_one("scaling", scalings[0], why)
    contest = refit and held_out and len(scalings) > 1 and given.get("scaling") is None
    chosen["scalings"] = scalings if contest else ()
    settle_one("optimizer", "adamw", "optimizer")
    plain = chosen["optimizer"] == "sgd"
    settle_one("lr", 0.01 if plain else 0.003 if windows < 10000 else 0.006, "lr", windows=windows)
    settle_one("weight_decay", 0.01 if chosen["optimizer"] == "adamw" else 0.0, "weight-decay")
    settle_one("schedule", "constant" if plain else "one_cycle", "schedule")
    batch = settle_one("batch_size", min(_SMALL_BATCH if windows < 10000 else 128, windows), "batch-size")
    per_epoch = -(-windows // batch)
    if given.get("epochs") is not None:
        chosen["steps"] = given["epochs"] * per_epoch
    else:
        updates = round(_STEPS_PER_ROOT * math.sqrt(windows))
        settle_one("steps", min(max(updates, _LEAST_UPDATES), _MOST_UPDATES), "steps", windows=windows)
    if refit:
        chosen["patience"] = given.get("patience") or 0
    else:
        settle_one("patience", 25, "patience")
    return Settings(**chosen, reasons=reasons)


def _scalings(loss: str | None, *, carried: bool, direct: bool, several: bool) -> tuple[tuple[str, ...], str]:
    """Return the scalings that may be best, and the name of the sentence that says why."""
    if loss == "negative_binomial":
        return ("none" if carried else "mean_abs",), "scaling-counts"
    if carried:
        return ("series",), "scaling-series"
    if not direct:
        sampled = loss in ("quantile", *DISTRIBUTIONS)
        return ("standard",) if sampled else ("last",), "scaling-paths" if sampled else "scaling"
    if not several:
        return ("last",), "scaling"
    # The parameters of distributions move with values, not with logarithms.
    return ("standard" if loss in DISTRIBUTIONS else "adaptive", "mean_abs"), "scaling-many"


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


def _held_out(validation: int | None, lengths: NDArray[np.int64], horizon: int, *, several: bool) -> int:
    """Return the points held out: as asked for, else a horizon, or none where series are too short.

    Few series hide more from a rehearsal: the networks learn from these points all the same in the end.
    """
    if validation is not None:
        return validation
    middle = int(np.median(lengths))
    if middle < 4 * horizon + 2:
        return 0
    if several and lengths.size < _MANY_SERIES:
        return max(horizon, min(_HELD_OUT_HORIZONS * horizon, middle // 4))
    return horizon


def _wanted(horizon: int, season: int, *, direct: bool, alone: bool) -> tuple[int, str]:
    """Return the points of a window where lengths do not matter, and the name of the sentence that says why.

    A network that is fed back takes a step for every point, so it reads less.
    """
    if not direct:
        return max(3 * season, 2 * horizon), "window-fed-back"
    times = 3 if alone else 4
    if season == _HOURS:
        return max((10 if alone else 14) * season, times * horizon), f"window-hours-{times}"
    return max(times * season, times * horizon, _LEAST_WINDOW), f"window-{times}"


def _window(
    room: NDArray[np.int64], horizon: int, season: int, patch: int | None, *, wanted: int, least: int | None
) -> int:
    """Return the points that are wanted, in whole patches or seasons, as far as fits.

    Half of the series must leave room for their target and for training windows: half as many as the window
    has points, or as many where there are few series. What is shorter is padded, or, where it may not be
    (`least`), decides.
    """
    free = int(np.median(room)) - horizon
    free = free // 2 if room.size < _MANY_SERIES else 2 * free // 3
    fits = max(1, min(wanted, free, wanted if least is None else least))
    own = patch or _grouped(wanted, season)
    unit = next((unit for unit in (math.lcm(season, own), own, season) if unit <= fits), 1)
    return fits // unit * unit


def _patch(window: int, season: int) -> int:
    """Return the points of a step: whole seasons, as many as make a window of few steps."""
    if season > 1 and (window % season or window < 2 * season):
        return 1
    grouped = _grouped(window, season)
    return grouped if window % grouped == 0 else season


def _grouped(window: int, season: int) -> int:
    """Return the fewest whole seasons that cut a window into `_MOST_STEPS` patches at the most."""
    return season * -(-window // (season * _MOST_STEPS))
