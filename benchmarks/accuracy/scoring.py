"""Forecasts of a task -> its figures, chunk by chunk, by the metrics of `unrolled.evaluation`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from unrolled.evaluation import METRICS, coverage, owa, pinball
from unrolled.evaluation import mase_scale as scale_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from .methods import Forecasts
    from .tasks import Task

    Numbers = NDArray[np.float64]

QUANTILES = tuple(round(0.1 * n, 1) for n in range(1, 10))
_INNER = (80, 60, 40, 20)
"""The levels whose ends are the quantiles from 0.1 to 0.4 and from 0.9 to 0.6."""

_COVERED = (80, 95)


def score(
    task: Task, forecasts: Iterable[Forecasts], *, naive2: Mapping[str, float] | None = None
) -> dict[str, float]:
    """Return the figures of forecasts of all rows; what cannot be known is left out.

    sMAPE, MASE, MSE and MAE are means over the rows, as the competitions take them. The weighted quantile
    loss and the coverage are those of all points at once, where all forecasts have such intervals. A point
    that was not seen, or not forecast, is not scored.

    Args:
        task: what was forecast.
        forecasts: of all its rows.
        naive2: the figures of Naive2, for OWA.
    """
    scales = np.repeat(np.asarray(scale_of(task.fitted(), season=task.scaled_by)), task.origins)
    rows: dict[str, list[Numbers]] = {}
    points: dict[str, list[tuple[float, int]]] = {}
    judged = 0
    for part in forecasts:
        seen = np.isfinite(part.point)
        true = np.where(seen, task.truth(part.rows), np.nan)
        point = np.where(seen, part.point, 0.0)
        for name in ("smape", "mase", "mse", "mae"):
            if name in task.metrics:
                found = METRICS[name].scored(true, point, scales[part.rows], axis=-1)
                rows.setdefault(name, []).append(np.asarray(found))
        count = int((~np.isnan(true)).sum())
        judged += count > 0
        for name, value in _of_distribution(true, point, part).items():
            points.setdefault(name, []).append((value, count))
    figures = {name: _mean(np.concatenate(found)) for name, found in rows.items()}
    whole = {name: _weighted(found) for name, found in points.items() if len(found) == judged}
    if whole.get("size") and "wql" in task.metrics:
        figures["wql"] = 2.0 * whole["pinball"] / whole["size"]
    figures |= {name: value for name, value in whole.items() if name in task.metrics}
    if naive2 is not None and "owa" in task.metrics:
        figures["owa"] = owa(
            figures["smape"],
            figures["mase"],
            naive2_smape=naive2["smape"],
            naive2_mase=naive2["mase"],
        )
    return figures


def quantiles(part: Forecasts) -> Numbers | None:
    """Return the quantiles 0.1 to 0.9, `[R, K, 9]`: ends of intervals and the point; None without them."""
    if any(level not in part.bounds for level in _INNER):
        return None
    low = [part.bounds[level][0] for level in _INNER]
    high = [part.bounds[level][1] for level in reversed(_INNER)]
    return np.stack([*low, part.point, *high], axis=-1)


def _of_distribution(true: Numbers, point: Numbers, part: Forecasts) -> dict[str, float]:
    """Return what is known of all points of a chunk: pinball loss and size, and coverages."""
    if not part.bounds or np.isnan(true).all():
        return {}
    found = {}
    ends = quantiles(part)
    if ends is not None:
        found["pinball"] = float(pinball(true, ends, quantiles=QUANTILES))
        found["size"] = float(np.nanmean(np.abs(true)))
    for level in _COVERED:
        if level in part.bounds:
            found[f"coverage_{level}"] = float(coverage(true, *part.bounds[level]))
    return found


def _mean(values: Numbers) -> float:
    """Return the mean of what is finite: a row of which nothing was seen has no figure."""
    return float(np.mean(values[np.isfinite(values)]))


def _weighted(parts: list[tuple[float, int]]) -> float:
    values, counts = zip(*parts, strict=True)
    return float(np.average(values, weights=counts))
