"""Two sides in turns: check the answers, warm up, alternate, and report medians with their spread."""

from __future__ import annotations

import math
import statistics
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from machine import facts, peak_gflops
from units import seconds, times

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from targets import Target

REPEATS, REPEATS_SLOW = 20, 7
SLOW_S = 1.0
"""Work of more seconds a side is repeated `REPEATS_SLOW` times, all other `REPEATS` times."""

TURN_S = 0.005
"""A turn of short work repeats it for so many seconds, so that the clock and the noise weigh little."""


class DisagreementError(Exception):
    """The sides do not give the same answer: their times must not be compared."""


@dataclass(frozen=True)
class Row:
    """One piece of work of a case.

    Attributes:
        name: of the work, short: a shape, a cell.
        operations: floating point operations of the products of one run, two a multiply-add.
        bytes: that one run must at least read and write.
        check: compares the answers, returns what it compared; raises `DisagreementError` where they differ.
        ours, theirs: do the work once; theirs is None where nothing stands beside ours.
        facts: measures what is no time, such as memory.
        threads: of both sides, where the rows of a case differ in them; those of the case where None.
    """

    name: str
    operations: float
    bytes: float
    check: Callable[[], Mapping[str, Any]]
    ours: Callable[[], object]
    theirs: Callable[[], object] | None = None
    facts: Callable[[], Mapping[str, Any]] = dict
    threads: int | None = None


@dataclass(frozen=True)
class Group:
    """Cases that the READMEs show in one line, and the report under one heading.

    Attributes:
        title: what they have in common, by language.
    """

    title: dict[str, str]


@dataclass(frozen=True)
class Case:
    """Work of one kind, row by row.

    Attributes:
        name: of the case and of its files of results.
        title: what the work is, by language.
        peer: who the other side is, by language; empty where there is none.
        threads: of our side; the most of them, where the rows differ.
        rows: makes the rows, one after another, so that no two lie in memory at once.
        targets: what is to be reached.
        needs: modules without which the case is skipped.
        every_isa: whether it is also measured under the lesser instruction sets.
        group: the cases that it is shown with; None where it has a line of its own.
        label: what it is among those, by language.
    """

    name: str
    title: dict[str, str]
    peer: dict[str, str]
    threads: int
    rows: Callable[[], Iterator[Row]]
    targets: tuple[Target, ...] = ()
    needs: tuple[str, ...] = ()
    every_isa: bool = False
    group: Group | None = None
    label: dict[str, str] = field(default_factory=dict)


def measure(case: Case, repeats: int | None = None) -> dict[str, Any]:
    """Measure all rows of a case, and the peak of the machine before and after them.

    Args:
        case: what to measure.
        repeats: turns of every row; chosen by the time of the work where None.

    Returns:
        The result, as it is written to its file.

    Raises:
        DisagreementError: the answers of a row differ.
    """
    environment = facts()
    began = time.perf_counter()
    peaks = [peak_gflops(environment["isa"], case.threads)]
    rows = []
    for row in case.rows():
        rows.append(_measure_row(row, repeats) | {"threads": row.threads or case.threads})
        print(f"  {case.name}: {describe(rows[-1])}", file=sys.stderr, flush=True)
    peaks.append(peak_gflops(environment["isa"], case.threads))
    peak = max((value for value in peaks if value), default=None)
    others = {result["threads"] for result in rows} - {case.threads}
    peak_of = {case.threads: peak} | {count: peak_gflops(environment["isa"], count) for count in others}
    for result in rows:
        own = peak_of[result["threads"]]
        result["peak_share"] = result["gflops"] / own if own and result["gflops"] else None
    return {
        "case": case.name,
        "title": case.title,
        "peer": case.peer,
        "threads": case.threads,
        "rows": rows,
        "peak_gflops": peak,
        "took_s": time.perf_counter() - began,
        "environment": environment,
    }


def describe(row: Mapping[str, Any]) -> str:
    """Return one line about a row's result."""
    threads = f"{row['threads']} thread{'s' * (row['threads'] > 1)}"
    line = f"{row['name']}, {threads}: {seconds(row['ours_s'])} (spread {row['ours_spread'] * 100:.0f} %)"
    if row["theirs_s"] is not None:
        line += f" against {seconds(row['theirs_s'])}: {times(row['ratio'])}"
    return line


def agree(
    ours: Mapping[str, np.ndarray], theirs: Mapping[str, np.ndarray], *, tolerance: float
) -> dict[str, float]:
    """Compare arrays by name: the largest difference, relative to the largest of their values.

    Raises:
        DisagreementError: one differs by more than `tolerance`, or is missing, or not finite.
    """
    if set(ours) != set(theirs):
        raise DisagreementError(f"expected {sorted(theirs)}; got {sorted(ours)}")
    differences = {name: _difference(np.asarray(ours[name]), np.asarray(theirs[name])) for name in theirs}
    name, worst = max(differences.items(), key=lambda pair: pair[1])
    if not worst <= tolerance:
        raise DisagreementError(f"{name} differs by {worst:.1e} of its scale; allowed are {tolerance:.0e}")
    return {"largest_difference": worst, "tolerance": tolerance}


def _difference(ours: np.ndarray, theirs: np.ndarray) -> float:
    if ours.shape != theirs.shape or not np.isfinite(ours).all():
        return math.inf
    scale = float(np.abs(theirs).max()) or 1.0
    return float(np.abs(ours - theirs).max()) / scale


def _measure_row(row: Row, repeats: int | None) -> dict[str, Any]:
    """Check one row, then run both sides in turns, the first to go changing every time."""
    checked = dict(row.check())
    sides = {"ours": row.ours} | ({"theirs": row.theirs} if row.theirs else {})
    calls = {name: _calls(run) for name, run in sides.items()}
    slow = any(seconds > SLOW_S for _, seconds in calls.values())
    turns = repeats or (REPEATS_SLOW if slow else REPEATS)
    taken: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(turns):
        for name in sorted(sides, reverse=bool(turn % 2)):
            taken[name].append(_time(sides[name], calls[name][0]))
    ours = statistics.median(taken["ours"])
    theirs = taken.get("theirs")
    ratios = [b / a for a, b in zip(taken["ours"], theirs, strict=True)] if theirs else None
    return {
        "name": row.name,
        "operations": row.operations,
        "bytes": row.bytes,
        "checked": checked,
        "facts": dict(row.facts()),
        "repeats": turns,
        "calls_a_turn": {name: count for name, (count, _) in calls.items()},
        "ours_s": ours,
        "ours_spread": _spread(taken["ours"]),
        "theirs_s": statistics.median(theirs) if theirs else None,
        "theirs_spread": _spread(theirs) if theirs else None,
        "ratio": statistics.median(ratios) if ratios else None,
        "ratio_spread": _spread(ratios) if ratios else None,
        "gflops": row.operations / ours / 1e9,
    }


def _calls(run: Callable[[], object]) -> tuple[int, float]:
    """Warm up; return how many calls make a turn, and the seconds of one."""
    run()
    count = 1
    while True:
        took = _time(run, count)
        if took * count >= TURN_S / 2:
            return max(1, math.ceil(TURN_S / took)), took
        count *= 4


def _time(run: Callable[[], object], calls: int) -> float:
    """Return the seconds of one call, over so many one after another."""
    turns = range(calls)
    began = time.perf_counter()
    for _ in turns:
        run()
    return (time.perf_counter() - began) / calls


def _spread(values: list[float]) -> float:
    """Return half the range between the quartiles, over the median."""
    if len(values) < 2:
        return 0.0
    low, middle, high = statistics.quantiles(values, n=4)
    return (high - low) / 2 / middle
