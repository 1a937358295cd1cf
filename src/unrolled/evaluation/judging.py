"""Who is better: means over the series, the metric that decides, and how a table is set.

What a comparison and a backtest share. Must not know either.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import numpy as np

from unrolled.evaluation.metrics import COMPARED, METRICS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray


def scales_of(
    trained: Sequence[NDArray[np.float64]], season: int, metrics: Iterable[str] = COMPARED
) -> dict[str, NDArray[np.float64]]:
    """Return what each metric that scales by the training part divides by, a value for every row."""
    return {
        name: np.asarray(scale(list(trained), season=season))
        for name in metrics
        if (scale := METRICS[name].scale) is not None
    }


def scores(
    true: NDArray[np.float64], pred: NDArray[np.float64], scales: Mapping[str, NDArray[np.float64]]
) -> dict[str, NDArray[np.float64]]:
    """Return every metric of a comparison, a value for every row of `[R, K]`."""
    return {
        name: np.asarray(METRICS[name].scored(true, pred, scales.get(name), axis=-1)) for name in COMPARED
    }


def mean_of(metric: str, each: NDArray[np.float64], constant: NDArray[np.bool_]) -> float:
    """Return the mean over the rows; a metric that scales by the training part leaves out the constant."""
    scaled = METRICS[metric].scale is not None and not constant.all()
    return float(each[~constant].mean() if scaled else each.mean())


def judge(n_constant: int, n_series: int) -> str:
    """Return the metric that decides: MASE, or MAE where no series can be scaled."""
    return "mae" if n_constant == n_series else "mase"


def lowest(rows: Mapping[str, Mapping[str, float]], names: Iterable[str], metric: str) -> str:
    """Return the name with the lowest score, the first of those that share it."""
    return min(names, key=lambda name: rows[name][metric])


def apart(one: float, other: float) -> tuple[str, str]:
    """Return both with as few digits as tell them apart, at least three."""
    for digits in range(3, 17):
        texts = f"{one:.{digits}g}", f"{other:.{digits}g}"
        if texts[0] != texts[1] or one == other:
            return texts
    return repr(one), repr(other)


def aligned(lines: list[list[str]]) -> list[str]:
    """Return the lines with their columns aligned: the first to the left, numbers to the right."""
    widths = [max(_width(text) for text in column) for column in zip(*lines, strict=True)]
    return [
        "  ".join(
            [
                first + " " * (widths[0] - _width(first)),
                *(" " * (width - _width(text)) + text for width, text in zip(widths[1:], rest, strict=True)),
            ]
        ).rstrip()
        for first, *rest in lines
    ]


def _width(text: str) -> int:
    """Return the columns that a terminal gives to `text`: two for a wide (Chinese) character."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
