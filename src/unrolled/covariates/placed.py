"""Columns of a table brought beside the series that came from its rows, whatever the table is.

Knows panels and columns; must not know frames, files or networks.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.covariates.beside import Covariates, from_columns, name_faults, ranges
from unrolled.covariates.columns import (
    Column,
    Strange,
    as_column,
    empty_column,
    is_categorical,
    missing_in,
    strange_fault,
)
from unrolled.errors import DataError, Fault, fault, raise_any
from unrolled.parts import offsets_of
from unrolled.places import Place, named
from unrolled.series import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from unrolled.panel import Panel


def from_fetched(
    panel: Panel,
    fetch: Callable[[str], ArrayLike],
    *,
    past_cols: Sequence[str] = (),
    known_cols: Sequence[str] = (),
    static_cols: Sequence[str] = (),
    rows: NDArray[np.int64] | None = None,
) -> Covariates:
    """Return the covariates that stand in columns of the table that the series came from.

    Shapes:
        rows: [N]

    Args:
        panel: the series, from this table.
        fetch: gives a column of the table by its name, in the order of the table.
        past_cols: columns known up to the end of each series.
        known_cols: columns known ahead too.
        static_cols: columns that never change within a series.
        rows: the row of the table that each row of the panel came from, -1 for one that was put into a gap;
            None: the two have the same rows.

    Raises:
        DataError: a column comes twice, or holds what is neither number nor category; a static column changes
            within a series.

    Example:
        >>> from unrolled.panel import to_panel
        >>> found = from_fetched(to_panel([1.0, 2.0]), {"rain": [3.0, 4.0]}.get, past_cols=["rain"])
        >>> found.past["rain"].tolist()
        [3.0, 4.0]
    """
    every = [*past_cols, *known_cols, *static_cols]
    raise_any(DataError, name_faults(every))
    columns = sound({name: as_column(fetch(name)) for name in every})
    at = np.arange(len(panel.values)) if rows is None else rows
    return from_columns(
        panel,
        past={name: taken(columns[name], at) for name in past_cols},
        known={name: taken(columns[name], at) for name in known_cols},
        static=constant(panel, {name: columns[name] for name in static_cols}, at),
    )


def ended(panel: Panel) -> Panel:
    """Return a panel whose series end where their known covariates alone go on.

    Where rows behind the last observed target of a series have a value in a column that is known ahead, they
    are no missing points but what is known of the future: so people keep such tables. Rows behind those, in
    which nothing is known, are left out. Series in wide layout end together.

    Args:
        panel: series with covariates that came from the same rows.

    Returns:
        The panel; the same one where no series goes on so.

    Example:
        >>> from unrolled.panel import to_panel
        >>> panel = to_panel([1.0, 2.0, None], missing="allow")
        >>> panel = ended(replace(panel, covariates=from_columns(panel, known={"promo": [0, 1, 1]})))
        >>> panel.values[:, 0].tolist(), panel.covariates.known["promo"].tolist()
        ([1.0, 2.0], [0.0, 1.0, 1.0])
    """
    covariates: Covariates | None = panel.covariates
    if covariates is None or not covariates.known or not panel.n_missing:
        return panel
    lengths = panel.lengths
    seen = _through(panel, ~np.isnan(panel.values).all(axis=1))
    told = np.logical_or.reduce([~missing_in(column) for column in covariates.known.values()])
    known = _through(panel, told)
    if panel.columns is not None and panel.columns.layout == "wide":
        seen = lengths - (lengths - seen).min()
    goes_on = known > seen
    if not goes_on.any():
        return panel
    kept = np.where(goes_on, seen, lengths)
    inside = ranges(panel.offsets[:-1], kept)
    ahead = np.where(goes_on, known, lengths)
    rows = ranges(panel.offsets[:-1], ahead)
    beside = replace(
        covariates,
        past={name: column[inside] for name, column in covariates.past.items()},
        known={name: column[rows] for name, column in covariates.known.items()},
        known_offsets=offsets_of(ahead),
    )
    return replace(
        panel,
        values=frozen(panel.values[inside]),
        offsets=offsets_of(kept),
        times=None if panel.times is None else panel.times[inside],
        origin=None,
        covariates=beside,
    )


def _through(panel: Panel, rows: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the number of points of each series up to the last one of these rows, [S]; 0 without any."""
    starts = panel.offsets[:-1]
    positions = np.arange(1, len(rows) + 1) - np.repeat(starts, panel.lengths)
    found: NDArray[np.int64] = np.maximum.reduceat(np.where(rows, positions, 0), starts)
    return found


def sound(columns: Mapping[str, Column | Strange]) -> dict[str, Column]:
    """Return the columns of a table, or name what cannot stand in one by its row.

    Raises:
        DataError: a value is neither number nor category, or not of the kind of the others.
    """
    faults = [
        strange_fault(one, Place("panel.row", {"row": one.row, "column": name}))
        for name, one in columns.items()
        if isinstance(one, Strange)
    ]
    raise_any(DataError, named(faults, lambda one: one))
    return {name: one for name, one in columns.items() if not isinstance(one, Strange)}


def taken(column: Column, rows: NDArray[np.int64]) -> Column:
    """Return rows of a column, missing where the row is -1."""
    found = empty_column(len(rows), categorical=is_categorical(column))
    found[rows >= 0] = column[rows[rows >= 0]]
    return found


def constant(panel: Panel, columns: Mapping[str, Column], rows: NDArray[np.int64]) -> dict[str, Column]:
    """Return one value a series of columns that do not change within any.

    Raises:
        DataError: one changes: by series, column and row.
    """
    inside = np.flatnonzero(rows >= 0)
    series = np.repeat(np.arange(panel.n_series), panel.lengths)[inside]
    firsts = np.searchsorted(series, np.arange(panel.n_series))
    found: list[Fault] = []
    result: dict[str, Column] = {}
    for name, column in columns.items():
        own = column[rows[inside]]
        first = own[firsts]
        missing = missing_in(own)
        changed = (own != first[series]) & ~(missing & missing[firsts][series])
        for one in np.unique(series[changed]).tolist():
            row = int(np.flatnonzero(changed & (series == one))[0])
            values = {"first": _plain(first[one]), "other": _plain(own[row]), "row": int(rows[inside][row])}
            found.append(fault("covariates.static-changes", series=panel.ids[one], column=name, **values))
        result[name] = first
    raise_any(DataError, named(found, lambda one: one))
    return result


def _plain(value: Any) -> object:
    """Return a value of a column as a person writes it."""
    return None if value is None or value != value else value if isinstance(value, str) else float(value)


def numbers_of(panel: Panel, names: Sequence[object]) -> NDArray[np.int64]:
    """Return the number in the panel of each series by its name, -1 where it has none of that name."""
    known: dict[object, int] = {str(name): number for number, name in enumerate(panel.ids)}
    known |= {name: number for number, name in enumerate(panel.ids)}
    return np.array([known.get(name, known.get(str(name), -1)) for name in names], np.int64)
