"""Whatever a caller gives beside the series, however the series came: columns by name, or arrays.

Knows panels and frames of every kind. Must not know networks.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from unrolled.covariates.arrays import from_arrays
from unrolled.covariates.beside import Covariates
from unrolled.covariates.future import with_future
from unrolled.covariates.placed import ended, from_fetched
from unrolled.errors import ArgumentError, fault
from unrolled.panel import Panel, to_panel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COLUMNS = ("past_cols", "known_cols", "static_cols")
"""Arguments of a forecaster that name columns of covariates."""

_HOW = ("dtype", "id_col", "time_col", "target_col", "layout", "freq")
"""Arguments of a forecaster that say how series are read."""


def read_series(y: object, arguments: Mapping[str, Any], **covariates: object) -> Panel:
    """Return what a caller has as a forecaster reads it: missing points stay missing, gaps are filled so.

    Args:
        y: see `panel.to_panel`.
        arguments: of the forecaster, by name: those of the columns and of the dtype are looked at, where they
            are there.
        covariates: past, known and static, see `with_covariates`.

    Raises:
        ArgumentError: an argument cannot work.
        KindError: y is of a kind that is not understood.
        DataError: the numbers, the times or the covariates do not fit.

    Example:
        >>> read_series([1.0, None, 3.0], {"dtype": "float64"}).n_missing
        1
    """
    how = {name: arguments[name] for name in _HOW if name in arguments}
    named = {name: arguments[name] for name in COLUMNS if name in arguments}
    panel = to_panel(y, missing="allow", gaps="fill", **how)
    return with_covariates(panel, y, **named, **covariates)  # type: ignore[arg-type]


def with_covariates(
    panel: Panel,
    y: object,
    *,
    past: object = None,
    known: object = None,
    static: object = None,
    past_cols: Sequence[str] = (),
    known_cols: Sequence[str] = (),
    static_cols: Sequence[str] = (),
) -> Panel:
    """Return a panel with what is known beside its series.

    Tables often hold the future too: rows behind the last observed target of a series in which columns that
    are known ahead have a value. These are no missing points but what is known of the future; the series ends
    with its last observed target. See `placed.ended`.

    Args:
        panel: the series.
        y: what they came from; a panel keeps the covariates that it has.
        past, known, static: of arrays and lists, see `from_arrays`; static also of a frame, see `from_frame`.
        past_cols, known_cols, static_cols: of a frame or a file: the names of its columns.

    Raises:
        ArgumentError: columns are named, and there is no table that has them.
        DataError: the covariates do not lie beside the series.
    """
    given = not (past is known is static is None)
    if not given and not (past_cols or known_cols or static_cols):
        return panel
    columns = {"past_cols": past_cols, "known_cols": known_cols, "static_cols": static_cols}
    every = [name for names in columns.values() for name in names]
    if not given and isinstance(y, Panel) and y.covariates is not None:
        return panel
    if not every:
        return replace(panel, covariates=from_arrays(panel, past=past, known=known, static=static))
    if panel.origin is None or panel.origin.fetch is None or past is not None or known is not None:
        raise ArgumentError(fault("covariates.no-columns", columns=", ".join(every)))
    rows, frame = panel.origin.rows, panel.origin.frame if isinstance(y, Panel) else y
    if frame is not None:
        from unrolled.covariates.frames import from_frame

        covariates = from_frame(panel, frame, **columns, static=static, rows=rows)
    elif static is None:
        covariates = from_fetched(panel, panel.origin.fetch, **columns, rows=rows)
    else:
        raise ArgumentError(fault("covariates.no-columns", columns=", ".join(every)))
    return ended(replace(panel, covariates=covariates))


def continued(panel: Panel, future: object, *, horizon: int) -> Panel:
    """Return a panel with its covariates known ahead, for so many points behind the end of each series."""
    covariates: Covariates = panel.covariates or Covariates()
    return replace(panel, covariates=with_future(covariates, panel, future, horizon=horizon))
