"""A dry run: from when to when each covariate is needed for a forecast, and whether it is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from unrolled.covariates import Covariates
from unrolled.covariates.beside import short_faults
from unrolled.covariates.columns import said_time
from unrolled.errors import DataError, Fault, fault, raise_any
from unrolled.places import named

if TYPE_CHECKING:
    from unrolled.encoding import Encoder
    from unrolled.panel import Panel


@dataclass(frozen=True)
class Span:
    """What one column must know of one series.

    Args:
        series: the name of the series.
        column: the name of the column, or of the feature of the calendar.
        kind: "past", "known", "static" or "calendar".
        first: the first time needed (a position, counted from 0, where there are no times); `None` for what
            never changes.
        last: the last time needed.
        have_last: the last time that is there; `None` where nothing is, or where it never changes.
        enough: whether all that is needed is there.
    """

    series: object
    column: str
    kind: Literal["past", "known", "static", "calendar"]
    first: object
    last: object
    have_last: object
    enough: bool


def spans(
    panel: Panel,
    encoder: Encoder,
    covariates: Covariates | None = None,
    *,
    window: int | None,
    horizon: int,
) -> list[Span]:
    """Tell from when to when each covariate is needed to forecast, and up to when it is there.

    Args:
        panel: the series to forecast from.
        encoder: what knows the columns.
        covariates: what is there; `None`: nothing but the calendar.
        window: points read; None: all of the series.
        horizon: points forecast.

    Returns:
        One span for each series and column: series by series, features of the calendar first.

    Example:
        >>> from unrolled.covariates import from_arrays
        >>> from unrolled.encoding import Encoder
        >>> from unrolled.panel import to_panel
        >>> panel = to_panel([1.0, 2.0, 3.0])
        >>> covariates = from_arrays(panel, known=[1.0, 2.0, 3.0, 4.0])
        >>> encoder = Encoder.fit(panel, covariates)
        >>> span, = spans(panel, encoder, covariates, window=2, horizon=3)
        >>> span.first, span.last, span.have_last, span.enough
        (1, 5, 3, False)
    """
    given = covariates or Covariates()
    found: list[Span] = []
    for series, length in enumerate(panel.lengths.tolist()):
        first = said_time(panel, series, 0 if window is None else max(length - window, 0))
        end, last = said_time(panel, series, length - 1), said_time(panel, series, length + horizon - 1)
        name = panel.ids[series]
        found += [Span(name, one, "calendar", first, last, last, True) for one in encoder.calendar]
        for code in encoder.codes:
            there = code.name in getattr(given, code.part)
            if code.part == "static":
                found.append(Span(name, code.name, "static", None, None, None, there))
            elif code.part == "past":
                found.append(Span(name, code.name, "past", first, end, end if there else None, there))
            else:
                rows = int(np.diff(given.known_offsets)[series]) if there else 0
                have = said_time(panel, series, rows - 1) if there else None
                found.append(Span(name, code.name, "known", first, last, have, rows >= length + horizon))
    return found


def check_spans(
    panel: Panel, encoder: Encoder, covariates: Covariates | None = None, *, horizon: int
) -> None:
    """Refuse covariates that do not know all that a forecast needs.

    Args:
        panel: the series to forecast from.
        encoder: what knows the columns.
        covariates: what is there.
        horizon: points forecast.

    Raises:
        DataError: a column is not there, or ends too early: by series, column and time.
    """
    given = covariates or Covariates()
    faults: list[Fault] = [
        fault("encoding.absent", column=code.name, part=code.part)
        for code in encoder.codes
        if code.name not in getattr(given, code.part)
    ]
    raise_any(DataError, [*faults, *named(short_faults(panel, given, horizon), lambda one: one)])
