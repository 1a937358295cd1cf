"""From a fitted forecaster and its series to the report that a page is drawn from.

Facts are gathered here and drawn in `unrolled.page`. Knows panels, baselines and the estimator; must not
know files or a terminal.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from unrolled.evaluation import BASELINES
from unrolled.page.forecast import MOST_CHARTS
from unrolled.page.report import VERSION
from unrolled.panel import as_cube
from unrolled.timeaxis import to_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from unrolled.evaluation import Comparison
    from unrolled.forecaster import Forecaster
    from unrolled.page.report import (
        ComparisonReport,
        ForecastReport,
        IntervalReport,
        NetworkReport,
        Number,
        SeriesReport,
    )
    from unrolled.panel import Panel


def forecast_report(
    forecaster: Forecaster,
    panel: Panel,
    *,
    forecasts: ArrayLike,
    title: str,
    unit: str | None = None,
    actual: ArrayLike | None = None,
    comparison: Comparison | None = None,
    intervals: Mapping[float, tuple[ArrayLike, ArrayLike]] | None = None,
) -> ForecastReport:
    """Return what happened as a report for `unrolled.page.forecast_page`.

    Series that the page does not draw (beyond the first `MOST_CHARTS`) carry their forecasts alone, so that
    ten thousand series do not cost ten thousand autoregressions.

    Shapes:
        forecasts, actual, each of intervals: [S, K, C], or the shape that `panel.answer` gives.

    Args:
        forecaster: fitted.
        panel: the series that were continued.
        forecasts: what the network said.
        title: what the series are.
        unit: what the values count.
        actual: what really came, where it was held out.
        comparison: the network beside the baselines; None where nothing was held out.
        intervals: level in percent -> lower and upper ends.

    Returns:
        The report; every channel of a series is one of its series.

    Raises:
        ArgumentError: the forecasts do not fit the panel.
    """
    cube = as_cube(panel, forecasts)
    came = None if actual is None else as_cube(panel, actual)
    return {
        "version": VERSION,
        "kind": "forecast",
        "title": title,
        "unit": unit,
        "season": forecaster.season,
        "horizon": cube.shape[1],
        "series": _all_series(panel, cube, came, season=forecaster.season, intervals=intervals or {}),
        "comparison": None if comparison is None else comparison_report(comparison),
        "network": network_report(forecaster),
    }


def comparison_report(comparison: Comparison) -> ComparisonReport:
    """Return the scores of a comparison for a page."""
    return {
        "rows": comparison.to_dict()["rows"],
        "held_out": comparison.horizon,
        "n_series": comparison.n_series,
        "judged_by": comparison.judged_by,
        "selected": comparison.selected,
        "sampled_from": comparison.sampled_from,
    }


def network_report(forecaster: Forecaster) -> NetworkReport:
    """Return the facts of a fitted forecaster's network."""
    settings, history = forecaster.settings_, forecaster.history_
    members = len(forecaster.histories_)
    facts: NetworkReport = {
        "cell": forecaster.cell,
        "hidden_size": settings.hidden_size,
        "num_layers": forecaster.num_layers,
        "window": settings.window,
        "parameters": forecaster.network_.spec.parameter_count,
        "seconds": sum(one.seconds for one in forecaster.histories_),
        "strategy": forecaster.strategy,
        "epochs": len(history.epoch_losses),
        "steps": len(history.losses),
        "seed": forecaster.seed,
    }
    if members > 1:
        facts["members"] = members
    return facts


def numbers(values: NDArray[np.floating[Any]]) -> list[Number]:
    """Return values as JSON can hold them: None where one is not finite."""
    return [value if math.isfinite(value) else None for value in values.tolist()]


def _all_series(
    panel: Panel,
    cube: NDArray[Any],
    came: NDArray[Any] | None,
    *,
    season: int | None,
    intervals: Mapping[float, tuple[ArrayLike, ArrayLike]],
) -> list[SeriesReport]:
    """Return all channels of all series, in order."""
    bounds = {level: [as_cube(panel, end) for end in intervals[level]] for level in sorted(intervals)[::-1]}
    future = panel.future(cube.shape[1])
    found: list[SeriesReport] = []
    for s in range(panel.n_series):
        for c in range(panel.n_channels):
            drawn = len(found) < MOST_CHARTS
            one: SeriesReport = {
                "id": _name(panel, s, c),
                "history": numbers(panel.series(s)[:, c]) if drawn else [],
                "times": _times(panel, panel.times, s) if drawn else None,
                "forecast": numbers(cube[s, :, c]),
                "forecast_times": None if future is None else _texts(panel, future[s]),
                "actual": None if came is None else numbers(came[s, :, c]),
                "baselines": _baselines(panel, s, c, cube.shape[1], season) if drawn else {},
            }
            if bounds and drawn:
                one["intervals"] = _intervals(bounds, s, c)
            found.append(one)
    return found


def _intervals(
    bounds: Mapping[float, Sequence[NDArray[Any]]], series: int, channel: int
) -> list[IntervalReport]:
    """Return the intervals of one channel of one series."""
    return [
        {
            "level": level,
            "lower": numbers(lower[series, :, channel]),
            "upper": numbers(upper[series, :, channel]),
        }
        for level, (lower, upper) in bounds.items()
    ]


def _name(panel: Panel, series: int, channel: int) -> str:
    """Return what one channel of one series is called."""
    unnamed = panel.n_series == 1 and (panel.columns is None or panel.columns.id is None)
    if unnamed:
        return panel.channels[channel]
    name = str(panel.ids[series])
    return name if panel.n_channels == 1 else f"{name}, {panel.channels[channel]}"


def _times(panel: Panel, times: NDArray[Any] | None, series: int) -> list[str] | None:
    """Return the times of one series, or None where the panel has none."""
    if times is None:
        return None
    return _texts(panel, times[panel.offsets[series] : panel.offsets[series + 1]])


def _texts(panel: Panel, times: NDArray[Any]) -> list[str]:
    """Return times as text, as they came."""
    return [str(time) for time in to_text(times, utc=bool(panel.columns and panel.columns.utc))]


def _baselines(
    panel: Panel, series: int, channel: int, horizon: int, season: int | None
) -> dict[str, list[Number]]:
    """Return what every baseline forecasts for one channel of one series."""
    known = panel.series(series)[:, channel]
    return {name: numbers(baseline(known, horizon, season=season)) for name, baseline in BASELINES.items()}
