"""Whatever a caller gives beside the series, however the series came: columns by name, or arrays.

Knows panels and frames of every kind. Must not know networks.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from unrolled.covariates.arrays import from_arrays
from unrolled.covariates.beside import Covariates
from unrolled.covariates.future import with_future
from unrolled.errors import ArgumentError, fault
from unrolled.panel import Panel

if TYPE_CHECKING:
    from collections.abc import Sequence


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

    Args:
        panel: the series.
        y: what they came from; a panel keeps the covariates that it has.
        past, known, static: of arrays and lists, see `from_arrays`; static also of a frame, see `from_frame`.
        past_cols, known_cols, static_cols: of a frame: the names of its columns.

    Raises:
        ArgumentError: columns are named, and there is no frame that has them.
        DataError: the covariates do not lie beside the series.
    """
    named = [*past_cols, *known_cols, *static_cols]
    given = any(one is not None for one in (past, known, static))
    if isinstance(y, Panel) and not given:
        return panel
    if not named:
        if not given:
            return panel
        return replace(panel, covariates=from_arrays(panel, past=past, known=known, static=static))
    if panel.origin is None or panel.origin.fetch is None:
        raise ArgumentError(fault("covariates.no-columns", columns=", ".join(named)))
    from unrolled.covariates.frames import from_frame

    covariates = from_frame(
        panel,
        y,
        past_cols=past_cols,
        known_cols=known_cols,
        static_cols=static_cols,
        static=static,
        rows=panel.origin.rows,
    )
    return replace(panel, covariates=covariates)


def continued(panel: Panel, future: object, *, horizon: int) -> Panel:
    """Return a panel with its covariates known ahead, for so many points behind the end of each series."""
    covariates: Covariates = panel.covariates or Covariates()
    return replace(panel, covariates=with_future(covariates, panel, future, horizon=horizon))
