"""Columns of files or of a query become series, every fault named by line and column."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from unrolled.covariates import with_covariates
from unrolled.errors import ArgumentError, DataError, Fault, fault, raise_any, warn
from unrolled.files.database import connected
from unrolled.files.loading import (
    Tables,
    fetch_column,
    holds_numbers,
    load,
    open_tables,
    read_values,
    stems_of,
)
from unrolled.files.times import TimeColumn, read_times
from unrolled.files.twice import check_choice, without_twice
from unrolled.messages import text
from unrolled.panel import Panel, modes, sealed, to_panel
from unrolled.parts import Columns, Parts, arrange, offsets_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb
    from numpy.typing import NDArray


def read_panel(
    path: str | os.PathLike[str] | None = None,
    *,
    sql: str | None = None,
    target: str | Sequence[str] | None = None,
    time: str | None = None,
    ids: str | None = None,
    dtype: str = "float32",
    layout: str = "long",
    missing: str = "refuse",
    freq: object = None,
    gaps: str = "refuse",
    duplicates: str = "refuse",
    past_cols: Sequence[str] = (),
    known_cols: Sequence[str] = (),
    static_cols: Sequence[str] = (),
) -> Panel:
    r"""Read series from CSV or Parquet files, or from a query over them.

    One row a time of a series, the rows of each series in the order of time; the rows of several series may
    alternate. Or, in wide layout, one column a series. Nothing is sorted or guessed behind the caller's back.

    The values are read some rows at a time into the buffer of the panel.

    Args:
        path: a file that ends in .csv, .tsv, .csv.gz, .tsv.gz, .parquet or .pq; a folder, of which all such
            files are read; or a pattern like "sales/*.csv". Several files are read in the order of their
            names, one behind the other, and have the same columns. CSV is UTF-8, its first line names the
            columns, and they are cut by a comma, semicolon, tab or bar.
        sql: instead of a path: one SELECT that DuckDB can run over files of this machine. It only reads, and
            the network is not used. An ORDER BY in it is the order of the rows.
        target: the column to forecast, or several: channels forecast together. In wide layout the columns
            that are series; `None`: all columns of numbers (in CSV: all but the times) but the covariates.
        time: the column of the times: whole numbers, months like 1949-01, dates, timestamps. `None`: rows in
            order.
        ids: the column that tells the series apart. `None`: one series; of several files each is a series,
            named as its file without the ending.
        dtype: "float32" or "float64".
        layout: "long" or "wide".
        missing: "refuse" or "allow" values that are missing, see `to_panel`.
        freq: the step between the rows; `None`: it is found. See `to_panel`.
        gaps: "refuse" or "fill" times that are left out, see `to_panel`.
        duplicates: "refuse" times that come twice in a series, or keep the "first" or the "last" of their
            rows; a warning tells how many were left out.
        past_cols: columns of covariates that are known up to the end of each series.
        known_cols: columns of covariates that are known ahead. Where they go on behind the last observed
            target of a series, these rows are its future, and not missing: see `covariates.with_covariates`.
        static_cols: columns of covariates that do not change within a series.

    Returns:
        The panel, of kind "list"; its `columns` know the names in the file.

    Raises:
        ArgumentError: an argument is not known, no target is named, or sql is not one SELECT.
        FileError: a file is missing, of another kind, empty, damaged, or lacks a column; or the query fails.
        DataError: numbers, ids or times do not fit; all of them at once, by line and column; or covariates.

    Example:
        >>> from pathlib import Path
        >>> _ = Path("sales.csv").write_text("month,sales\n2024-01,3\n2024-02,5\n")
        >>> panel = read_panel("sales.csv", time="month", target="sales")
        >>> panel, str(panel.steps[0])
        (Panel(1 series, 1 channel, 2 points), '1 month')
    """
    step = modes(dtype=dtype, layout=layout, missing=missing, freq=freq, gaps=gaps)
    check_choice(duplicates, timed=time is not None)
    if (path is None) == (sql is None):
        raise ArgumentError(fault("file.path-or-sql", path=path, sql=sql))
    targets = () if target is None else (target,) if isinstance(target, str) else tuple(target)
    if not targets and (layout == "long" or target is not None):
        raise ArgumentError(fault("panel.no-target"))
    ids = None if layout == "wide" else ids
    with connected() as connection:
        tables = open_tables(connection, path, sql, [one for one in (ids, time, *targets) if one is not None])
        beside = (*past_cols, *known_cols, *static_cols)
        targets = targets or _wide_targets(tables, (time, *beside))
        stems = stems_of(tables) if ids is None and layout == "long" and len(tables.sources) > 1 else []
        named = {"id": ids, "t": time}
        chosen = {short: one for short, one in named.items() if one is not None}
        tables = load(connection, tables, chosen, targets, dtype=dtype, stems=stems)
        _check_kinds(tables, targets)
        values, faults = read_values(connection, tables, targets, dtype)
        faults = [*id_faults(connection, tables, ids), *faults]
        axis = TimeColumn(None, False, [])
        if time is not None:
            axis = read_times(connection, tables.kind(time), lambda row: tables.place(row, time))
        if axis.faults or any(one.id == "panel.id-missing" for one in faults):
            raise DataError(*axis.faults, *faults)
        codes, names = series_of(connection, len(values), ids, stems)
    order, offsets = arrange(codes, len(names))
    times = axis.times
    if duplicates != "refuse" and times is not None:
        rows = without_twice(codes, times, order, duplicates)
        if len(rows) < len(codes):
            warn(text("file.twice", count=len(codes) - len(rows)))
            order, offsets = rows, offsets_of(np.bincount(codes[rows], minlength=len(names)))
    if order is not None:
        values, times = values[order], None if times is None else times[order]

    def place(row: int, channel: int | None) -> object:
        column = (time or targets[0]) if channel is None else targets[channel]
        return tables.place(row if order is None else int(order[row]), column)

    columns = Columns(ids, time, axis.utc, layout="wide" if layout == "wide" else "long")
    fetch = partial(fetch_column, None if path is None else os.path.abspath(path), sql)
    parts = Parts(values, offsets, names, targets, "list", times, columns, place, faults, order, fetch)
    if not beside:
        return sealed(parts, missing=missing, step=step, gaps=gaps)
    panel = sealed(parts, missing="allow", step=step, gaps=gaps)  # what is missing may be the future
    panel = with_covariates(panel, panel, past_cols=past_cols, known_cols=known_cols, static_cols=static_cols)
    return to_panel(panel, dtype=dtype, missing=missing)


def _wide_targets(tables: Tables, others: Sequence[str | None]) -> tuple[str, ...]:
    """Return the columns that are series where none is named: those of numbers; in CSV all but the others.

    Raises:
        DataError: there is none.
    """
    source = tables.sources[0]
    found = tuple(
        column
        for column, (_, kind) in source.columns.items()
        if column and column not in others and (source.delimited or holds_numbers(kind))
    )
    if not found:
        raise DataError(fault("panel.no-wide", known=", ".join(map(repr, source.columns))))
    return found


def _check_kinds(tables: Tables, targets: Sequence[str]) -> None:
    """Refuse columns that hold neither numbers nor text."""
    faults: list[Fault] = []
    for target in targets:
        for source in tables.sources:
            kind = source.columns[target][1]
            if kind != "VARCHAR" and not holds_numbers(kind):
                faults.append(fault("file.column-kind", place=source.place(0, target), kind=kind))
                break
    raise_any(DataError, faults)


def id_faults(connection: duckdb.DuckDBPyConnection, tables: Tables, ids: str | None) -> list[Fault]:
    """Describe the first row whose series has no name."""
    if ids is None:
        return []
    first = connection.execute(
        "SELECT rowid, count(*) OVER () FROM data WHERE id IS NULL ORDER BY rowid LIMIT 1"
    ).fetchone()
    if first is None:
        return []
    return [fault("panel.id-missing", place=tables.place(first[0], ids), count=first[1])]


def series_of(
    connection: duckdb.DuckDBPyConnection, rows: int, ids: str | None, stems: Sequence[str]
) -> tuple[NDArray[np.int64], tuple[object, ...]]:
    """Number the series in the order in which they first appear; return each row's number and the names."""
    if ids is None and not stems:
        return np.broadcast_to(np.int64(0), rows), (0,)
    connection.execute(
        "CREATE TEMP TABLE names AS "
        "SELECT id, row_number() OVER (ORDER BY min(rowid)) - 1 AS code FROM data GROUP BY id"
    )
    found = connection.execute("SELECT id FROM names ORDER BY code").fetchall()
    names = tuple(name if isinstance(name, int | str) else str(name) for (name,) in found)
    codes = connection.execute(
        "SELECT code FROM data JOIN names USING (id) ORDER BY data.rowid"
    ).fetchnumpy()["code"]
    return np.asarray(codes, np.int64), names
