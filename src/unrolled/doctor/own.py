"""What is to be said of one of our own networks: read off its report, which has every number.

    the facts of a report -> findings, with lines that print the number from the report

Needs no PyTorch. Knows the shape of facts; must not know how they were found.
"""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from unrolled.doctor.examination import Examination
from unrolled.explain.report import Report
from unrolled.page.numbers import is_number

if TYPE_CHECKING:
    from collections.abc import Iterable

    from unrolled.explain.facts import (
        CheckupFacts,
        Cursor,
        ForecastFacts,
        MemoryFacts,
        Number,
        ReportFacts,
        SplitFacts,
    )

UNSEEN = 1e-6
"""An observation with less of the gradient than this share is not seen."""

FULL = 0.9
"""A gate is full where so large a share of its values is at an end."""

WORSE = 1.25
"""Spread is told of only where the error is so many times the best baseline's."""

SQUASHED, COLLAPSED = 0.5, 0.1
"""How far forecasts move from the last value, over how far the series does."""

DRIFTED = 2.0
"""Fed back, the last point has so many times the error of one step."""

OUTSIDE = 0.25
"""How far held-out values may lie outside the training range, as a share of its width."""

_FORECAST = 'report.facts["forecast"]'


def with_checkup(report: Report, ignore: Iterable[str] = ()) -> Report:
    """Return a report that holds what the doctor says of it.

    Args:
        report: of one of our own networks.
        ignore: ids of findings that are not looked for.
    """
    return Report({**report.facts, "checkup": checkup_of(report.facts, ignore)})


def checkup_of(facts: ReportFacts, ignore: Iterable[str] = ()) -> CheckupFacts:
    """Return what the doctor says of one of our own networks.

    Args:
        facts: of its report.
        ignore: ids of findings that are not looked for.

    Raises:
        ArgumentError: there is no finding of an id.
    """
    exam = Examination(ignore)
    exam.note("report")
    if "memory" in facts:
        _memory(exam, facts["memory"])
    if "split" in facts:
        _split(exam, facts["split"])
    if "forecast" in facts:
        _forecast(exam, facts["forecast"])
    return exam.facts()


def _memory(exam: Examination, memory: MemoryFacts) -> None:
    """See that the window moves the forecast, its newest point too, and that gates move."""
    gradient = memory["gradient"]
    if not any(gradient):
        exam.failed(
            "input-ignored",
            measured=max(gradient, default=0.0),
            lines=['print(max(report.facts["memory"]["gradient"]))'],
            after="Forecaster(horizon, steps=2000)  # more training, or fewer penalties",
            wording="report",
            cursor=_cursor("memory"),
            window=memory["window"],
        )
        exam.skipped("last-observation-unseen", "input-ignored")
    elif gradient[0] < UNSEEN * max(gradient):
        exam.failed(
            "last-observation-unseen",
            measured=gradient[0] / max(gradient),
            lines=['g = report.facts["memory"]["gradient"]', "print(g[0] / max(g))"],
            after="# a newest point that is missing or masked in every window",
            wording="report",
            cursor=_cursor("memory"),
        )
    exam.passed("input-ignored")
    exam.passed("last-observation-unseen")
    for number, layer in enumerate(memory["layers"]):
        for gate, ends in layer["saturation"].items():
            if sum(ends) > FULL and not exam.found("gates-saturated"):
                exam.failed(
                    "gates-saturated",
                    measured=sum(ends),
                    lines=[
                        f'layer = report.facts["memory"]["layers"][{number}]',
                        f'print(sum(layer["saturation"][{gate!r}]))',
                    ],
                    after="Forecaster(horizon, scaling='standard')",
                    place=f"layer {number + 1}, {gate}",
                    wording="report",
                    cursor=_cursor("gates", layer=number),
                )
    exam.passed("gates-saturated")


def _split(exam: Examination, split: SplitFacts) -> None:
    """See that what is held out stays out, and lies where training was."""
    held_out = [one for one in split["spans"] if one["role"] != "train"]
    if not held_out:
        for kind in ("targets-overlap", "scaler-saw-test", "range-outside"):
            exam.skipped(kind, "nothing-held-out")
        return
    if split["overlap"] and not split["refit"]:
        exam.failed(
            "targets-overlap",
            measured=split["overlap"],
            lines=['print(report.facts["split"]["overlap"])'],
            after="Forecaster(horizon).fit(y)  # it leaves a gap of horizon - 1 windows",
            wording="report",
            cursor=_cursor("windows"),
        )
    exam.passed("targets-overlap")
    span, end = split["scaler_span"], held_out[0]["begin"]
    if split["scaler"] == "window" or span is None:
        exam.skipped("scaler-saw-test", "by-window")
    elif span[1] > end and not split["refit"]:
        exam.failed(
            "scaler-saw-test",
            measured=span[1] - end,
            lines=['split = report.facts["split"]', f'print(split["scaler_span"][1] - {end})'],
            after="Forecaster(horizon, scaling='standard')",
            cursor=_cursor("windows"),
            end=end,
            read=span[1],
        )
    exam.passed("scaler-saw-test")
    _ranges(exam, split)


def _ranges(exam: Examination, split: SplitFacts) -> None:
    """Tell how far held-out values lie outside the training range."""
    if split["scaler"] == "window":
        exam.skipped("range-outside", "by-window")
        return
    ranges = {one["role"]: (one["least"], one["greatest"]) for one in split["ranges"]}
    low, high = ranges.pop("train", (None, None))
    if is_number(low) and is_number(high) and high > low:
        for role, (least, greatest) in ranges.items():
            if not is_number(least) or not is_number(greatest):
                continue
            beyond = max(greatest - high, low - least) / (high - low)
            if beyond > OUTSIDE and not exam.found("range-outside"):
                exam.failed(
                    "range-outside",
                    measured=beyond,
                    lines=[
                        'of = {one["role"]: one for one in report.facts["split"]["ranges"]}',
                        f'low, high = of["train"]["least"], of["train"]["greatest"]; other = of[{role!r}]',
                        'print(max(other["greatest"] - high, low - other["least"]) / (high - low))',
                    ],
                    after="Forecaster(horizon, scaling='standard')",
                    wording="report",
                    cursor=_cursor("windows"),
                    low=low,
                    high=high,
                )
    exam.passed("range-outside")


def _forecast(exam: Examination, forecast: ForecastFacts) -> None:
    """Tell what the forecasts are worth beside the simplest methods."""
    errors = {one["method"]: one["rmse"] for one in forecast["errors"]}
    copy = forecast["copy"]
    if copy["flagged"] and is_number(copy["skill"]):
        exam.failed(
            "copies-last-value",
            measured=copy["skill"],
            lines=[f'print({_FORECAST}["copy"]["skill"])'],
            after="# more of the past, a season, or covariates: see the view of the memory",
            wording="report",
            cursor=_cursor("forecast"),
            lag=copy["best_lag"],
        )
    exam.passed("copies-last-value")
    own = _whole(errors.get("network", []))
    rivals = {name: _whole(rmse) for name, rmse in errors.items() if not name.startswith("network")}
    known = {name: error for name, error in rivals.items() if is_number(error)}
    if not is_number(own) or not known:
        for kind in ("squashed", "collapses", "no-skill", "drifts"):
            exam.skipped(kind, "no-truth")
        return
    best = min(known, key=lambda name: known[name])
    if own >= known[best] > 0:
        _no_skill(exam, own, known[best], best)
    exam.passed("no-skill")
    moves = [one for one in copy["move"] if is_number(one)]
    if own > WORSE * known[best] and moves and statistics.fmean(moves) < SQUASHED:
        exam.failed(
            "collapses" if statistics.fmean(moves) < COLLAPSED else "squashed",
            measured=statistics.fmean(moves),
            lines=[
                "import statistics",
                f'moves = [one for one in {_FORECAST}["copy"]["move"] if one is not None]',
                "print(statistics.fmean(moves))",
            ],
            after="Forecaster(horizon, steps=2000)  # or a longer window, a season",
            wording="report",
            cursor=_cursor("forecast"),
            method=best,
        )
    exam.passed("squashed")
    exam.passed("collapses")
    _drift(exam, forecast, errors)


def _no_skill(exam: Examination, own: float, best: float, method: str) -> None:
    """Tell that a simpler method is better."""
    exam.failed(
        "no-skill",
        measured=1 - own / best,
        lines=[
            f'rmse = {{one["method"]: one["rmse"] for one in {_FORECAST}["errors"]}}',
            "whole = lambda name: sum(e**2 for e in rmse[name] if e is not None) ** 0.5",
            f'print(1 - whole("network") / whole({method!r}))',
        ],
        after=f"# {method} is the simpler choice until the network is better",
        cursor=_cursor("forecast"),
        method=method,
        error=own,
        best=best,
    )


def _drift(exam: Examination, forecast: ForecastFacts, errors: dict[str, list[Number]]) -> None:
    """Tell how fed-back forecasts end, where forecasts are fed back."""
    if forecast["strategy"] == "direct":
        exam.skipped("drifts", "direct")
        return
    closed, open_, naive = (errors.get(name, [None])[-1] for name in ("network", "network_open", "naive"))
    if (
        is_number(closed)
        and is_number(open_)
        and is_number(naive)
        and closed > DRIFTED * open_
        and closed >= naive
    ):
        exam.failed(
            "drifts",
            measured=closed,
            lines=[
                f'rmse = {{one["method"]: one["rmse"] for one in {_FORECAST}["errors"]}}',
                'print(rmse["network"][-1])',
            ],
            after="Forecaster(horizon, strategy='direct')",
            wording="report",
            cursor=_cursor("forecast"),
            point=forecast["horizon"],
            naive=naive,
        )
    exam.passed("drifts")


def _whole(errors: list[Number]) -> Number:
    """Return one error of those of all points; None where none is known."""
    known = [error**2 for error in errors if is_number(error)]
    return statistics.fmean(known) ** 0.5 if known else None


def _cursor(view: str, *, layer: int | None = None) -> Cursor:
    return {"view": view, "window": None, "step": None, "layer": layer}  # type: ignore[typeddict-item]
