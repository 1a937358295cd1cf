"""Baselines by name: those that stand beside every network, and those that only who names them gets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unrolled.errors import ArgumentError, fault, nearest, raise_any
from unrolled.evaluation import statistical
from unrolled.evaluation.baselines import BASELINES, Baseline
from unrolled.evaluation.naive2 import naive2

if TYPE_CHECKING:
    from collections.abc import Iterable

STATISTICAL: dict[str, Baseline] = {
    "auto_ets": statistical.auto_ets,
    "auto_theta": statistical.auto_theta,
    "auto_arima": statistical.auto_arima,
}
"""The baselines that take the extra `unrolled[baselines]`."""

ALL_BASELINES: dict[str, Baseline] = {**BASELINES, "naive2": naive2, **STATISTICAL}
"""Every baseline that can be named."""


def named_baselines(names: Iterable[str]) -> dict[str, Baseline]:
    """Return baselines by name, in the order given, and see that they can run.

    Args:
        names: of `ALL_BASELINES`.

    Raises:
        ArgumentError: there is no such baseline, one is named twice, or what it needs is not installed.

    Example:
        >>> list(named_baselines(["naive2", "drift"]))
        ['naive2', 'drift']
    """
    chosen = list(names) if not isinstance(names, str) else [names]
    known = ", ".join(ALL_BASELINES)
    faults = [
        fault("baseline.unknown", name=name, known=known, nearest=nearest(str(name), ALL_BASELINES))
        for name in chosen
        if name not in ALL_BASELINES
    ]
    faults += [fault("baseline.twice", name=name) for name in set(chosen) if chosen.count(name) > 1]
    raise_any(ArgumentError, faults)
    if any(name in STATISTICAL for name in chosen):
        statistical.models()
    return {name: ALL_BASELINES[name] for name in chosen}
