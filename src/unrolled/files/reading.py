"""Columns of a file become series: numbers, ids and times, every fault named by line and column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.errors import ArgumentError, DataError, Fault, FileError, fault, raise_any
from unrolled.files.database import connected
from unrolled.files.source import open_source
from unrolled.files.times import INTEGERS, TimeColumn, read_times
from unrolled.panel import Panel, sealed
from unrolled.parts import Columns, Parts, arrange

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    import duckdb
    from numpy.typing import NDArray

    from unrolled.files.source import Source

MISSING = ("", "nan", "na", "n/a", "#n/a", "null", "none", "nat")
"""What people write where there is no number, in small letters."""

_NUMBERS = INTEGERS | {"HUGEINT", "UHUGEINT", "FLOAT", "DOUBLE", "BOOLEAN"}


def read_panel(
    path: str | os.PathLike[str],
    *,
    target: str | Sequence[str],
    time: str | None = None,
    ids: str | None = None,
    dtype: str = "float32",
) -> Panel:
    r"""Read series from a CSV or Parquet file.

    One row a time of a series, the rows of each series in the order of time; the rows of several series may
    alternate. Nothing is sorted, filled or guessed behind the caller's back.

    Args:
        path: a file that ends in .csv, .tsv, .csv.gz, .tsv.gz, .parquet or .pq. CSV is UTF-8, its first line
            names the columns, and they are cut by a comma, semicolon, tab or bar.
        target: the column to forecast, or several: channels forecast together.
        time: the column of the times: whole numbers, months like 1949-01, dates, timestamps. `None`: rows in
            order.
        ids: the column that tells the series apart. `None`: one series.
        dtype: "float32" or "float64".

    Returns:
        The panel, of kind "list"; its `columns` know the names in the file.

    Raises:
        ArgumentError: the dtype is neither float32 nor float64, or no target is named.
        FileError: the file is missing, of another kind, empty, damaged, or lacks a column.
        DataError: numbers, ids or times do not fit; all of them at once, by line and column.

    Example:
        >>> from pathlib import Path
        >>> _ = Path("sales.csv").write_text("month,sales\n2024-01,3\n2024-02,5\n")
        >>> panel = read_panel("sales.csv", time="month", target="sales")
        >>> panel, str(panel.steps[0])
        (Panel(1 series, 1 channel, 2 points), '1 month')
    """
    if dtype not in ("float32", "float64"):
        raise ArgumentError(fault("panel.dtype", dtype=dtype))
    targets = (target,) if isinstance(target, str) else tuple(target)
    if not targets:
        raise ArgumentError(fault("panel.no-target"))
    with connected() as connection:
        source = open_source(connection, path, [one for one in (ids, time, *targets) if one is not None])
        _load(connection, source, {"id": ids, "t": time, **{f"y{c}": one for c, one in enumerate(targets)}})
        values, faults = _values(connection, source, targets, dtype)
        faults = [*_id_faults(connection, source, ids), *faults]
        axis = TimeColumn(None, False, [])
        if time is not None:
            axis = read_times(connection, source.columns[time][1], lambda row: source.place(row, time))
        if axis.faults or any(one.id == "panel.id-missing" for one in faults):
            raise DataError(*axis.faults, *faults)
        codes, names = _series(connection, len(values), ids)
    order, offsets = arrange(codes, len(names))
    times = axis.times
    if order is not None:
        values, times = values[order], None if times is None else times[order]

    def place(row: int, channel: int | None) -> object:
        column = (time or targets[0]) if channel is None else targets[channel]
        return source.place(row if order is None else int(order[row]), column)

    columns = Columns(ids, time, axis.utc)
    return sealed(Parts(values, offsets, names, targets, "list", times, columns, place, faults))


def _load(connection: duckdb.DuckDBPyConnection, source: Source, columns: dict[str, str | None]) -> None:
    """Copy the columns that are needed into the table `data`, in the order of the file."""
    import duckdb

    kept = [(short, *source.columns[name]) for short, name in columns.items() if name is not None]
    chosen = (
        f"{'trim(' + sql + ')' if short == 't' and kind == 'VARCHAR' else sql} AS {short}"
        for short, sql, kind in kept
    )
    try:
        connection.execute(f"CREATE TEMP TABLE data AS SELECT {', '.join(chosen)} FROM {source.relation}")
    except duckdb.Error as error:
        raise FileError(source.broken(error)) from error
    if connection.execute("SELECT 1 FROM data LIMIT 1").fetchone() is None:
        names = ", ".join(map(repr, source.columns))
        nothing = fault("file.no-rows", file=source.path, columns=names)
        raise FileError((source.delimited.first_fault() if source.delimited else None) or nothing)


def _values(
    connection: duckdb.DuckDBPyConnection, source: Source, targets: Sequence[str], dtype: str
) -> tuple[NDArray[Any], list[Fault]]:
    """Return the numbers of the target columns, [N, C], and the text among them (0 stands for it)."""
    columns: list[NDArray[Any]] = []
    faults: list[Fault] = []
    for channel, target in enumerate(targets):
        kind, short = source.columns[target][1], f"y{channel}"
        if kind not in _NUMBERS | {"VARCHAR"} and not kind.startswith("DECIMAL"):
            faults.append(fault("file.column-kind", place=source.place(0, target), kind=kind))
            continue
        words = ", ".join(f"'{word}'" for word in MISSING)
        strange = (
            f"{kind == 'VARCHAR'} AND try_cast({short} AS DOUBLE) IS NULL "
            f"AND trim(lower({short}::VARCHAR)) NOT IN ({words})"
        )
        first = connection.execute(
            f"SELECT rowid, {short}, count(*) OVER () FROM data WHERE {strange} ORDER BY rowid LIMIT 1"
        ).fetchone()
        if first is not None:
            row, value, count = first
            faults.append(fault("file.text", place=source.place(row, target), value=value, count=count))
        number = f"CASE WHEN {strange} THEN 0 ELSE coalesce(try_cast({short} AS DOUBLE), 'nan'::DOUBLE) END"
        read = connection.execute(f"SELECT {number} AS y FROM data ORDER BY rowid").fetchnumpy()
        with np.errstate(over="ignore"):  # what does not fit into float32 becomes infinite and is named later
            columns.append(np.asarray(read["y"]).astype(dtype, copy=False))
    raise_any(DataError, faults if len(columns) < len(targets) else [])
    if len(columns) == 1:
        return columns[0].reshape(-1, 1), faults
    return np.stack(columns, axis=1), faults


def _id_faults(connection: duckdb.DuckDBPyConnection, source: Source, ids: str | None) -> list[Fault]:
    """Describe the first row whose series has no name."""
    if ids is None:
        return []
    first = connection.execute(
        "SELECT rowid, count(*) OVER () FROM data WHERE id IS NULL ORDER BY rowid LIMIT 1"
    ).fetchone()
    if first is None:
        return []
    return [fault("panel.id-missing", place=source.place(first[0], ids), count=first[1])]


def _series(
    connection: duckdb.DuckDBPyConnection, rows: int, ids: str | None
) -> tuple[NDArray[np.int64], tuple[object, ...]]:
    """Number the series in the order in which they first appear; return each row's number and the names."""
    if ids is None:
        return np.zeros(rows, np.int64), (0,)
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
