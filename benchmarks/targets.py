"""What a case must reach, and whether its rows do. Knows rows as JSON has them, nothing else."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from units import megabytes, percent, plain, seconds, times

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Target:
    """A bound on one figure of a case.

    Attributes:
        kind: which figure, a name of `KINDS`.
        target: its bound; the kind says from which side.
        row: of this row alone; of all rows where None.
    """

    kind: str
    target: float
    row: str | None = None


@dataclass(frozen=True)
class Kind:
    """How a figure is found in the rows of a case.

    Attributes:
        words: what the figure is.
        figure: finds it.
        at_least: whether the target is the least that it may be, or the most.
        show: writes it with its unit.
    """

    words: str
    figure: Callable[[Rows], float]
    at_least: bool
    show: Callable[[float], str]


def mean_ratio(rows: Rows) -> float:
    """Return the geometric mean of the ratios."""
    return math.exp(sum(math.log(row["ratio"]) for row in rows) / len(rows))


def least_ratio(rows: Rows) -> float:
    """Return the ratio of the row that gains least."""
    return min(row["ratio"] for row in rows)


def least_share(rows: Rows) -> float:
    """Return the share of the peak of the row that reaches least of it."""
    return min(row["peak_share"] for row in rows)


def slowest(rows: Rows) -> float:
    """Return the time of the slowest row."""
    return max(row["ours_s"] for row in rows)


def overhead(rows: Rows) -> float:
    """Return by how much the slowest row is slower than the other side."""
    return max(row["ours_s"] - row["theirs_s"] for row in rows)


def peak_memory(rows: Rows) -> float:
    """Return the most memory, in megabytes."""
    return max(row["facts"]["peak_mb"] for row in rows)


KINDS = {
    "ratio": Kind("as fast", least_ratio, True, times),
    "mean_ratio": Kind("as fast (geometric mean)", mean_ratio, True, times),
    "least_ratio": Kind("as fast everywhere", least_ratio, True, times),
    "share": Kind("of the multiply-add peak", least_share, True, percent),
    "slowest": Kind("a call", slowest, False, seconds),
    "overhead": Kind("above the other side", overhead, False, seconds),
    "peak_mb": Kind("of memory", peak_memory, False, megabytes),
}


def asked(target: Target) -> str:
    """Say what a target asks for."""
    kind = KINDS[target.kind]
    side = "at least" if kind.at_least else "at most"
    where = f" ({target.row})" if target.row else ""
    return f"{side} {plain(kind.show(target.target))} {kind.words}{where}"


def judge(target: Target, rows: Rows) -> tuple[str, bool] | None:
    """Return what was measured, and whether that reaches the target.

    None where the rows lack the figure, such as the share of the peak without a compiler.
    """
    kind = KINDS[target.kind]
    try:
        figure = kind.figure([row for row in rows if target.row in (None, row["name"])])
    except (KeyError, TypeError):
        return None
    reached = figure >= target.target if kind.at_least else figure <= target.target
    return kind.show(figure), reached
