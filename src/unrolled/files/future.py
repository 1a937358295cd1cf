"""A file or a query that holds what is known of the points to forecast: ids, times, known columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from unrolled.covariates.columns import as_column
from unrolled.covariates.placed import sound
from unrolled.covariates.rows import FutureRows
from unrolled.errors import ArgumentError, DataError, fault
from unrolled.files.database import connected
from unrolled.files.loading import fetch_from, load, open_tables, stems_of
from unrolled.files.reading import id_faults, series_of
from unrolled.files.times import TimeColumn, read_times

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence


def read_future(
    path: str | os.PathLike[str] | None = None,
    *,
    sql: str | None = None,
    known_cols: Sequence[str],
    time: str | None = None,
    ids: str | None = None,
) -> FutureRows:
    r"""Read what is known of the points to forecast, for `Forecaster.predict(future=...)`.

    The rows may stand in any order, and there may be more of them than are needed.

    Args:
        path: as for `read_panel`.
        sql: instead of a path, as for `read_panel`.
        known_cols: the columns that are known ahead.
        time: the column of the times; None: the rows of each series follow its end one after the other.
        ids: the column that tells the series apart. None: of several files each is of the series that is
            named as its file; the rows of one file are of every series.

    Returns:
        The rows, to be given on as `future`.

    Raises:
        ArgumentError: a path and a query are given, or neither, or no column is named.
        FileError: as for `read_panel`.
        DataError: ids or times do not fit, or a column holds what is neither number nor category.

    Example:
        >>> from pathlib import Path
        >>> _ = Path("next.csv").write_text("month,promo\n2024-03,1\n2024-04,0\n")
        >>> rows = read_future("next.csv", time="month", known_cols=["promo"])
        >>> rows.columns["promo"].tolist()
        [1.0, 0.0]
    """
    if (path is None) == (sql is None):
        raise ArgumentError(fault("file.path-or-sql", path=path, sql=sql))
    if not known_cols:
        raise ArgumentError(fault("covariates.no-known"))
    keys = {"id": ids, "t": time}
    chosen = {short: one for short, one in keys.items() if one is not None}
    with connected() as connection:
        tables = open_tables(connection, path, sql, [*chosen.values(), *known_cols])
        stems = stems_of(tables) if ids is None and len(tables.sources) > 1 else []
        columns = {name: fetch_from(connection, tables, name) for name in known_cols}
        tables = load(connection, tables, chosen or {"c": known_cols[0]}, [], dtype="float64", stems=stems)
        faults = id_faults(connection, tables, ids)
        axis = TimeColumn(None, False, [])
        if time is not None:
            axis = read_times(connection, tables.kind(time), lambda row: tables.place(row, time))
        if axis.faults or faults:
            raise DataError(*axis.faults, *faults)
        whose = None
        if ids is not None or stems:
            codes, names = series_of(connection, tables.rows, ids, stems)
            whose = (names, np.asarray(codes, np.int64))
    read = sound({name: as_column(column) for name, column in columns.items()})
    return FutureRows(whose, axis.times, read, axis.utc)
