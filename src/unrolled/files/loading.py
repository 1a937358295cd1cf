"""Files and queries become one table in DuckDB's memory, and its columns arrays, some rows at a time.

The numbers are turned into the dtype of the panel where they are read: a value takes the table as many bytes
as the panel, and nothing holds all of them in another form.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.errors import Fault, FileError, fault, raise_any
from unrolled.files.database import connected, literal
from unrolled.files.source import Source, find_files, open_query, open_source, stem
from unrolled.files.times import INTEGERS

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    import duckdb
    from numpy.typing import NDArray

    from unrolled.places import Place

MISSING = "|nan|na|n/a|#n/a|null|none|nat"
"""What people write where there is no number, in small letters: a pattern, for IN loses the order of rows."""

_NUMBERS = INTEGERS | {"HUGEINT", "UHUGEINT", "FLOAT", "DOUBLE", "BOOLEAN", '"NULL"'}
_BLOCK = 1 << 20
"""Numbers that are fetched together."""


@dataclass(frozen=True)
class Tables:
    """Files with the same columns, or a query, one after the other.

    Args:
        sources: each of them.
        starts: the row at which each begins, and the number of all rows at the end; empty before `load`.
    """

    sources: tuple[Source, ...]
    starts: tuple[int, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows all of them have."""
        return self.starts[-1]

    def place(self, row: int, column: str) -> Place:
        """Return the place of a row, counted over all of them from 0."""
        source, own = self.find(row)
        return source.place(own, column)

    def find(self, row: int) -> tuple[Source, int]:
        """Return the table that holds a row, and the number of the row in it."""
        index = int(np.searchsorted(self.starts[:-1], row, side="right")) - 1 if self.starts else 0
        return self.sources[index], row - self.starts[index] if self.starts else row

    def kind(self, column: str) -> str:
        """Return the DuckDB type of a column; text where the files differ."""
        kinds = {source.columns[column][1] for source in self.sources}
        return kinds.pop() if len(kinds) == 1 else "VARCHAR"


def open_tables(
    connection: duckdb.DuckDBPyConnection,
    path: str | os.PathLike[str] | None,
    sql: str | None,
    wanted: Sequence[str],
) -> Tables:
    """Open the files that a path means, or a query.

    Raises:
        ArgumentError: the query is not one SELECT.
        FileError: a file is missing, of another kind, empty or damaged, or lacks a column; the query fails.
    """
    if sql is not None:
        return Tables((open_query(connection, sql, wanted),))
    assert path is not None
    return Tables(tuple(open_source(connection, file, wanted) for file in find_files(path)))


def stems_of(tables: Tables) -> list[str]:
    """Return the names of files without their endings, to name series with.

    Raises:
        FileError: two of them are the same.
    """
    known: dict[str, object] = {}
    faults: list[Fault] = []
    for source in tables.sources:
        assert isinstance(source.path, Path)
        own = stem(source.path)
        if own in known:
            faults.append(fault("file.stem-twice", stem=own, first=known[own], second=source.path))
        known[own] = source.path
    raise_any(FileError, faults)
    return list(known)


def holds_numbers(kind: str) -> bool:
    """Whether columns of a DuckDB type hold numbers; text may."""
    return kind in _NUMBERS or kind.startswith("DECIMAL")


def load(
    connection: duckdb.DuckDBPyConnection,
    tables: Tables,
    columns: dict[str, str],
    targets: Sequence[str],
    *,
    dtype: str,
    stems: Sequence[str] = (),
) -> Tables:
    """Copy the columns that are needed into the table `data`, in the order of the files.

    Args:
        connection: where the table is made.
        tables: what is read.
        columns: the columns of the files by what they are called in `data`: "id", "t".
        targets: the columns of numbers: y0, y1, ... in `data`; NULL is no number, NaN is missing.
        dtype: "float32" or "float64".
        stems: the name of the series in each file, where the files name them.

    Returns:
        The tables, their rows counted.

    Raises:
        FileError: a file is damaged or has no rows.
    """
    import duckdb

    starts = [0]
    faults: list[Fault] = []
    for index, source in enumerate(tables.sources):
        chosen = [f"{literal(stems[index])} AS id"] if stems else []
        chosen += [f"{_plain(tables, source, name, short)} AS {short}" for short, name in columns.items()]
        chosen += [f"{_number(source, name)} AS y{c}" for c, name in enumerate(targets)]
        kept = ["id"] * bool(stems) + list(columns)
        kept += [_narrow(f"y{c}", dtype) for c in range(len(targets))]
        query = f"SELECT {', '.join(kept)} FROM (SELECT {', '.join(chosen)} FROM {source.relation})"
        make = "CREATE TEMP TABLE data AS" if index == 0 else "INSERT INTO data"
        try:
            connection.execute(f"{make} {query}")
        except duckdb.Error as error:
            raise FileError(source.broken(error)) from error
        count = connection.execute("SELECT count(*) FROM data").fetchone()
        assert count is not None
        if count[0] == starts[-1]:
            nothing = fault("file.no-rows", file=source.path, columns=", ".join(map(repr, source.columns)))
            faults.append((source.delimited.first_fault() if source.delimited else None) or nothing)
        starts.append(count[0])
    raise_any(FileError, faults)
    return Tables(tables.sources, tuple(starts))


def _plain(tables: Tables, source: Source, column: str, short: str) -> str:
    """Return the SQL of a column of names or times."""
    sql, kind = source.columns[column]
    if kind != tables.kind(column):
        sql = f"({sql})::VARCHAR"
    return f"trim({sql})" if short == "t" and tables.kind(column) == "VARCHAR" else sql


def _number(source: Source, column: str) -> str:
    """Return the SQL of a column of numbers: NaN where it is missing, NULL where it is no number."""
    sql, kind = source.columns[column]
    if kind != "VARCHAR":
        return f"coalesce(try_cast({sql} AS DOUBLE), 'nan'::DOUBLE)" if holds_numbers(kind) else "0::DOUBLE"
    missing = f"{sql} IS NULL OR regexp_full_match(trim(lower({sql})), {literal(MISSING)})"
    return f"coalesce(try_cast({sql} AS DOUBLE), CASE WHEN {missing} THEN 'nan'::DOUBLE END)"


def _narrow(column: str, dtype: str) -> str:
    """Return the SQL of a column in the dtype of the panel; what does not fit into float32 is infinite."""
    if dtype == "float64":
        return column
    beyond = f"CASE WHEN {column} > 0 THEN 'inf'::FLOAT WHEN {column} < 0 THEN '-inf'::FLOAT END"
    return f"coalesce(try_cast({column} AS FLOAT), {beyond}) AS {column}"


def read_values(
    connection: duckdb.DuckDBPyConnection, tables: Tables, targets: Sequence[str], dtype: str
) -> tuple[NDArray[Any], list[Fault]]:
    """Return the numbers of the target columns, [N, C], and the text among them (0 stands for it)."""
    faults: list[Fault] = []
    for channel, target in enumerate(targets):
        short = f"y{channel}"
        first = connection.execute(f"SELECT min(rowid), count(*) FROM data WHERE {short} IS NULL").fetchone()
        if first is not None and first[1]:
            place, value = tables.place(first[0], target), _cell(connection, tables, first[0], target)
            faults.append(fault("file.text", place=place, value=value, count=first[1]))
    values = np.empty((tables.rows, len(targets)), dtype)
    size = max(1, _BLOCK // len(targets))
    chosen = ", ".join(f"coalesce(y{c}, 0) AS y{c}" for c in range(len(targets)))
    for start in range(0, tables.rows, size):
        end = min(start + size, tables.rows)
        query = f"SELECT {chosen} FROM data WHERE rowid >= {start} AND rowid < {end}"
        for channel, block in enumerate(connection.execute(query).fetchnumpy().values()):
            values[start:end, channel] = block
    return values, faults


def _cell(connection: duckdb.DuckDBPyConnection, tables: Tables, row: int, column: str) -> object:
    """Return one cell as it stands in its file."""
    source, own = tables.find(row)
    found = connection.execute(
        f"SELECT {source.columns[column][0]} FROM {source.relation} LIMIT 1 OFFSET {own}"
    ).fetchone()
    return found[0] if found else None


def fetch_column(path: str | None, sql: str | None, column: str) -> NDArray[Any]:
    """Read one column more, in the order of the rows: float64 where it holds numbers, else objects.

    Raises:
        FileError: there is no such column, or the file cannot be read any more.
    """
    with connected() as connection:
        return fetch_from(connection, open_tables(connection, path, sql, [column]), column)


def fetch_from(connection: duckdb.DuckDBPyConnection, tables: Tables, column: str) -> NDArray[Any]:
    """Read one column of tables that are open; see `fetch_column`.

    Raises:
        FileError: a file is damaged or has no rows.
    """
    kinds = {source.columns[column][1] for source in tables.sources}
    try:
        if all(kind == "VARCHAR" or holds_numbers(kind) for kind in kinds):
            loaded = load(connection, tables, {}, [column], dtype="float64")
            values, faults = read_values(connection, loaded, [column], "float64")
            if not faults:
                return values[:, 0]
            connection.execute("DROP TABLE data")
        load(connection, tables, {"c": column}, [], dtype="float64")
        cells = [cell for (cell,) in connection.execute("SELECT c FROM data ORDER BY rowid").fetchall()]
    finally:
        connection.execute("DROP TABLE IF EXISTS data")
    found = np.empty(len(cells), object)
    found[:] = cells
    return found
