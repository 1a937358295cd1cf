"""Which points of a series are for what, and what scales them: as the fit really divided them.

Knows windows, models and panels; must not know how a network learns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from unrolled.windows import Divided, divide_windows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unrolled.explain.facts import RangeFacts, Span, SplitFacts
    from unrolled.model import Model
    from unrolled.panel import Panel
    from unrolled.rules import Settings

_Role = Literal["train", "validation", "calibration", "test"]
_ROLES: tuple[_Role, ...] = ("train", "validation", "calibration", "test")


@dataclass(frozen=True)
class Split:
    """How a fit divided its series.

    Shapes:
        lengths, learnt: [S].

    Attributes:
        lengths: points of each series that were given to the fit.
        windows: which windows are for what, of the training whose forecasts measure intervals and the report.
        refit: whether that was a rehearsal, after which the members learnt from all points.
        validation, calibration: points held out of each series that is long enough to be divided.
        learnt: so many points of each series, the first ones, the members were trained on.
    """

    lengths: NDArray[np.int64]
    windows: Divided
    refit: bool
    validation: int
    calibration: int
    learnt: NDArray[np.int64]

    @classmethod
    def of(cls, model: Model, settings: Settings, lengths: NDArray[np.int64]) -> Split:
        """Return how the fit of a model divided series of such lengths.

        Args:
            model: the networks.
            settings: all that was chosen.
            lengths: points of each series that it was fitted on, [S].
        """
        lengths = np.asarray(lengths, np.int64)
        windows = divide_windows(
            lengths,
            window=settings.window,
            at_once=model.windowing.horizon,
            horizon=model.horizon,
            validation=settings.held_out,
            calibration=settings.calibration,
            padded=settings.mask,
        )
        held_out = settings.held_out + settings.calibration
        divided = (windows.validation.counts > 0) | (windows.calibration.counts > 0)
        refit = bool(settings.refit and held_out)
        learnt = lengths if refit else lengths - np.where(divided, held_out, 0)
        return cls(lengths, windows, refit, settings.held_out, settings.calibration, learnt)


def split_facts(model: Model, panel: Panel, split: Split, *, series: int = 0) -> SplitFacts:
    """Return which points of one series are for what.

    Args:
        model: the networks.
        panel: the series; points behind those that the fit was given are there to test it.
        split: how the fit divided them.
        series: the number of the series, the same in the panel and in the fit.
    """
    before = panel.position(series, 0)
    fitted, points = int(split.lengths[series]), before + int(panel.lengths[series])
    parts = split.windows
    divided = parts.validation.counts[series] > 0 or parts.calibration.counts[series] > 0
    validation, calibration = (split.validation, split.calibration) if divided else (0, 0)
    borders = [0, fitted - validation - calibration, fitted - calibration, fitted, points]
    spans: list[Span] = [
        {"role": role, "begin": begin, "end": end}
        for role, begin, end in zip(_ROLES, borders[:-1], borders[1:], strict=True)
        if end > begin
    ]
    values = np.asarray(panel.series(series), np.float64)
    window, at_once = model.windowing.window, model.windowing.horizon
    first, count = int(parts.train.first[series]), int(parts.train.counts[series])
    ends = first + np.arange(count) + window + at_once
    once = model.scaler is not None
    each: Literal["window", "none"] = "none" if model.windowing.scaling == "none" else "window"
    return {
        "series": series,
        "points": points,
        "window": window,
        "horizon": at_once,
        "count": max(fitted - window - at_once + 1, 0),
        "counts": {role: int(part.counts[series]) for role, part in zip(Divided._fields, parts, strict=True)},
        "spans": spans,
        "refit": split.refit,
        "scaler": "series" if once else each,
        "scaler_span": [0, int(split.learnt[series])] if once else None,
        "overlap": int((ends > borders[1]).sum()),
        "ranges": [
            _range(span, values[max(span["begin"] - before, 0) : max(span["end"] - before, 0)])
            for span in spans
        ],
    }


def _range(span: Span, values: NDArray[np.float64]) -> RangeFacts:
    """Return the least and the greatest of the values of a span; None where none was observed."""
    seen = values[np.isfinite(values)]
    least, greatest = (float(seen.min()), float(seen.max())) if seen.size else (None, None)
    return {"role": span["role"], "least": least, "greatest": greatest}
