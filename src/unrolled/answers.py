"""Forecasts with their intervals, in the kind in which the caller gave the series.

Knows panels. Must not know how intervals are made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.panel import answer, hat_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from unrolled.engine import Array
    from unrolled.panel import Panel


@dataclass(frozen=True, eq=False)
class Intervals:
    """Forecasts and the ends of their intervals.

    Attributes:
        y_hat: the point forecasts, in the caller's kind.
        lower: level in percent -> lower ends, each as `y_hat`.
        upper: level in percent -> upper ends, each as `y_hat`.

    Example:
        >>> from unrolled import Forecaster
        >>> y = np.sin(np.arange(120) * 2 * np.pi / 12)
        >>> model = Forecaster(3, season=12, steps=20, calibration=24).fit(y)
        >>> model.predict(levels=(80,)).lower[80].shape
        (3,)
    """

    y_hat: Any
    lower: Mapping[float, Any]
    upper: Mapping[float, Any]


def interval_answer(panel: Panel, point: Array, bounds: Mapping[float, tuple[Array, Array]]) -> Any:
    """Return forecasts with intervals in the kind in which the caller gave the series.

    Shapes:
        point, and each of the bounds: [S, K, C].

    Args:
        panel: the series that were forecast.
        point: the point forecasts.
        bounds: level in percent -> lower and upper ends.

    Returns:
        `Intervals`; for a data frame a frame that has, beside the forecasts, the columns "<forecast>_lo_80"
        and "<forecast>_hi_80" of every level.
    """
    columns = panel.columns
    if columns is not None and columns.template is not None and columns.layout != "column":
        names, cubes = list(hat_names(panel)), [point]
        for level, ends in bounds.items():
            for side, cube in zip(("lo", "hi"), ends, strict=True):
                names += [f"{name}_{side}_{level:g}" for name in hat_names(panel)]
                cubes.append(cube)
        from unrolled.framewriting import write_frame  # narwhals is loaded only where there is a frame

        cube = np.concatenate(cubes, axis=2)
        return write_frame(columns, panel.future(cube.shape[1]), names, cube, ids=panel.ids)
    return Intervals(
        answer(panel, point),
        {level: answer(panel, lower) for level, (lower, _) in bounds.items()},
        {level: answer(panel, upper) for level, (_, upper) in bounds.items()},
    )
