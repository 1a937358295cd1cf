"""The network beside the baselines on the points at the end of each series that were held out.

Knows the model, panels and the comparison. Must not know training.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from unrolled.evaluation import Comparison, compare

if TYPE_CHECKING:
    from unrolled.model import Model
    from unrolled.panel import Panel

_MOST_SERIES = 200
"""Series in the report at the most; of more, so many are taken evenly."""

_MOST_POINTS = 4_000_000
"""Points that the baselines read at the most, of all series of the report together, the latest of each."""


def compare_held_out(
    model: Model, panel: Panel, *, held_out: int, season: int | None, threads: int, selected: bool
) -> Comparison | None:
    """Compare a network with the baselines on the last `horizon` points of the series that held them out.

    Args:
        model: the network, trained.
        panel: the series that it learned from, and their ends that it has not learned from.
        held_out: points at the end of each series that were held out, where it was long enough.
        season: points in a season, or None.
        threads: at most so many.
        selected: whether these points chose the weights.

    Returns:
        The comparison; None where fewer points than the horizon were held out, or none of them was observed.
    """
    horizon, window = model.horizon, model.windowing.window
    least = 1 if model.windowing.mask else window
    usable = np.flatnonzero(panel.lengths >= least + model.windowing.horizon + held_out).astype(np.int64)
    if held_out < horizon or usable.size == 0:
        return None
    total = usable.size
    usable = usable[np.linspace(0, total - 1, min(total, _MOST_SERIES)).astype(np.int64)]
    most = max(_MOST_POINTS // usable.size, window)
    # Networks with memory of all read all; the others read the last window alone, and no more is copied.
    read = panel if model.memory == "all" else panel.tails(window + horizon)
    forecasts = model.forecast(read.select(usable).cut(horizon), threads=threads, known_as=usable)
    pasts = [panel.series(s)[:-horizon][-most:] for s in usable.tolist()]
    actual = np.stack([panel.series(s)[-horizon:] for s in usable.tolist()])
    if not np.isfinite(actual).any():
        return None
    report = compare(pasts, actual, {"network": forecasts}, season=season)
    return replace(report, selected=selected, sampled_from=total if usable.size < total else None)
