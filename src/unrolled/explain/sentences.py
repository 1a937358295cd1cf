"""What a person should read first: the most telling facts of a report as sentences, each with its numbers.

Knows the shape of facts and the ids of messages; a sentence is written where it is read, in the language of
whoever reads it.
"""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING

from unrolled.page.numbers import is_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from unrolled.explain.facts import (
        ForecastFacts,
        LayerMemory,
        LedgerFacts,
        MemoryFacts,
        Number,
        ReportFacts,
        Said,
        SplitFacts,
    )

SATURATED = 0.5
"""A gate is told of as saturated where so large a share of its values is at an end."""

VANISHED, EXPLODED = 1e-3, 10.0
"""Below and above these factors a gradient through the window is told of."""

LOOP = 1.1
"""An error that feeding forecasts back makes larger by this factor is told of."""

NETWORK, OPEN = "network", "network_open"


def sentences(report: ReportFacts) -> list[Said]:
    """Return what is to be read first, the most telling before the rest.

    Args:
        report: all of its facts; the sentences that it holds already are not read.
    """
    said = [*_shared(report["ledger"])]
    if "forecast" in report:
        said += _quality(report["forecast"])
    if "memory" in report:
        said += _reach(report["memory"])
        for number, layer in enumerate(report["memory"]["layers"]):
            said += _layer(number + 1, layer, report["ledger"]["hidden_size"], report["memory"])
    if "split" in report:
        said += _leaks(report["split"])
    if "batch" in report:
        batch = report["batch"]
        difference = batch["largest_difference"]
        said.append(_said("glass.report.batch", windows=len(batch["windows"]), difference=difference))
    return [*said, *_equal_axes(report["ledger"])]


def _said(name: str, **values: float | int | str | None) -> Said:
    """Return a sentence by the id of its message."""
    return {"id": name, "values": values}


def _shared(ledger: LedgerFacts) -> Iterator[Said]:
    """Say that there is one network."""
    parameters = sum(layer["total"] for layer in ledger["parameters"]["layers"])
    yield _said("glass.report.shared", parameters=parameters, steps=ledger["time"])


def _equal_axes(ledger: LedgerFacts) -> Iterator[Said]:
    """Name the first tensor whose axes could be taken for each other."""
    for one in ledger["equal_axes"][:1]:
        letters = " = ".join(one["letters"])
        yield _said("glass.report.equal-axes", letters=letters, size=one["size"], tensor=one["tensor"])


def _quality(forecast: ForecastFacts) -> Iterator[Said]:
    """Say how good the forecasts are: beside baselines, as a copy, fed back."""
    errors = {one["method"]: _root_mean_square(one["rmse"]) for one in forecast["errors"]}
    own = errors.pop(NETWORK, None)
    errors.pop(OPEN, None)
    rivals = {method: error for method, error in errors.items() if is_number(error)}
    if is_number(own) and rivals:
        best = min(rivals, key=lambda method: rivals[method])
        better = "glass.report.baseline-better" if rivals[best] < own else "glass.report.network-better"
        horizon = forecast["horizon"]
        yield _said(better, method=best, baseline=rivals[best], network=own, horizon=horizon)
    copy = forecast["copy"]
    if copy["flagged"] and copy["best_lag"]:
        yield _said("glass.report.copy", lag=copy["best_lag"])
    elif copy["flagged"]:
        yield _said("glass.report.near-copy", skill=copy["skill"])
    elif is_number(copy["skill"]) and copy["skill"] > 0:
        yield _said("glass.report.no-copy", share=round(100 * copy["skill"]))
    yield from _loop(forecast)
    seen = sum(one["seen"] is True for one in forecast["origins"])
    if seen:
        yield _said("glass.report.seen", seen=seen, origins=len(forecast["origins"]))


def _loop(forecast: ForecastFacts) -> Iterator[Said]:
    """Say what feeding forecasts back costs at the end of the horizon."""
    by_method = {one["method"]: one["rmse"] for one in forecast["errors"]}
    if forecast["strategy"] == "direct" or not {NETWORK, OPEN} <= by_method.keys():
        return
    closed, open_ = by_method[NETWORK][-1], by_method[OPEN][-1]
    if is_number(closed) and is_number(open_) and open_ > 0 and closed > LOOP * open_:
        yield _said("glass.report.loop", point=forecast["horizon"], factor=closed / open_)


def _reach(memory: MemoryFacts) -> Iterator[Said]:
    """Say how far back the forecast reaches."""
    window = memory["window"]
    yield _said("glass.report.lag", lag=memory["lag95"], window=window)
    if any(memory["skip"]):
        yield _said("glass.report.lag-recurrent", lag=memory["recurrent_lag95"], window=window)
    if memory["warm_up"] is None:
        yield _said("glass.report.cold")
    else:
        yield _said("glass.report.warm-up", steps=memory["warm_up"])


def _layer(number: int, layer: LayerMemory, hidden: int, memory: MemoryFacts) -> Iterator[Said]:
    """Say what one layer keeps, and what it does not use."""
    steps = len(layer["jacobian"]) - 1
    times = [time for time in layer["half_life"] if is_number(time)]
    if times:
        half, patch = statistics.median(times), memory["patch"]
        name = "glass.report.half-life" if patch == 1 else "glass.report.half-life-patch"
        yield _said(name, layer=number, half=half, patch=patch, window=memory["window"])
    if steps > 0 and not VANISHED <= layer["jacobian"][-1] <= EXPLODED:
        factor = layer["jacobian"][-1]
        way = "glass.report.vanishes" if factor < VANISHED else "glass.report.explodes"
        yield _said(way, layer=number, steps=steps, factor=factor)
    for gate, ends in layer["saturation"].items():
        if sum(ends) >= SATURATED:
            yield _said("glass.report.saturated", layer=number, gate=gate, share=round(100 * sum(ends)))
    if layer["dead"]:
        yield _said("glass.report.dead", layer=number, dead=layer["dead"], hidden=hidden)
    yield _said("glass.report.rank", layer=number, rank=layer["effective_rank"], hidden=hidden)


def _leaks(split: SplitFacts) -> Iterator[Said]:
    """Say whether training has seen what is held out, and whether what is held out is like training."""
    held_out = [one for one in split["spans"] if one["role"] != "train"]
    if held_out and split["overlap"]:
        yield _said("glass.report.overlap", count=split["overlap"])
    ranges = {one["role"]: (one["least"], one["greatest"]) for one in split["ranges"]}
    low, high = ranges.pop("train", (None, None))
    if not is_number(low) or not is_number(high):
        return
    for least, greatest in ranges.values():
        if is_number(least) and is_number(greatest) and (least < low or greatest > high):
            yield _said(
                "glass.report.range", least=least, greatest=greatest, train_least=low, train_greatest=high
            )
            return


def _root_mean_square(errors: Sequence[Number]) -> Number:
    """Return one error of those of all points; None where none is known."""
    known = [error**2 for error in errors if is_number(error)]
    return math.sqrt(statistics.fmean(known)) if known else None
