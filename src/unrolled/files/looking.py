"""What a file holds, before anything is forecast: columns, what is missing, series, lengths, the step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unrolled.errors import FileError, UnrolledError
from unrolled.files.database import connected, literal
from unrolled.files.loading import MISSING
from unrolled.files.source import open_source
from unrolled.files.times import read_times
from unrolled.timeaxis import find_step

if TYPE_CHECKING:
    import os

    import duckdb

    from unrolled.files.source import Source


def overview(
    path: str | os.PathLike[str], *, time: str | None = None, ids: str | None = None
) -> dict[str, Any]:
    r"""Return what a CSV or Parquet file holds, as plain values.

    Nothing is refused for its numbers: what is missing or no number is counted.

    Args:
        path: the file.
        time: the column of the times, to find their step.
        ids: the column that tells the series apart.

    Returns:
        "kind": "file"; "rows"; "columns": by name "type" ("number", "text" or the name of the type in
        Parquet), "missing", "first", "last" (the least and the greatest, as text); "series": None without
        `time` and `ids`, else "count", "shortest", "longest"; "step": of the first series, in words, None
        where the times keep none or none are named.

    Raises:
        FileError: the file is missing, of another kind, empty or damaged, or lacks a column.

    Example:
        >>> from pathlib import Path
        >>> _ = Path("sales.csv").write_text("month,sales\n2024-01,3\n2024-02,\n")
        >>> found = overview("sales.csv", time="month")
        >>> found["rows"], found["step"], found["columns"]["sales"]["missing"]
        (2, '1 month', 1)
    """
    import duckdb

    with connected() as connection:
        source = open_source(connection, path, [one for one in (ids, time) if one is not None])
        try:
            sql = ", ".join(f"{sql} AS c{n}" for n, (sql, _) in enumerate(source.columns.values()))
            connection.execute(f"CREATE TEMP TABLE data AS SELECT {sql} FROM {source.relation}")
            columns = {
                name: _column(connection, f"c{n}", kind)
                for n, (name, (_, kind)) in enumerate(source.columns.items())
            }
            rows = _one(connection, "SELECT count(*) FROM data")[0]
            short = {name: f"c{n}" for n, name in enumerate(source.columns)}
            series = _series(connection, short.get(ids or "")) if ids or time else None
            step = _step(connection, source, time, short, short.get(ids or "")) if time else None
        except duckdb.Error as error:
            raise FileError(source.broken(error)) from error
    return {"kind": "file", "rows": rows, "columns": columns, "series": series, "step": step}


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    return connection.execute(query).fetchone()


def _column(connection: duckdb.DuckDBPyConnection, name: str, kind: str) -> dict[str, Any]:
    """Return what one column holds."""
    gone = f"({name} IS NULL OR regexp_full_match(trim(lower({name}::VARCHAR)), {literal(MISSING)}))"
    number = f"try_cast({name}::VARCHAR AS DOUBLE)"
    missing, strange = _one(
        connection,
        f"SELECT count(*) FILTER ({gone}), count(*) FILTER (NOT {gone} AND {number} IS NULL) FROM data",
    )
    numeric = not strange and missing < _one(connection, "SELECT count(*) FROM data")[0]
    order = number if numeric else name
    first, last = _one(
        connection,
        f"SELECT min_by({name}, {order})::VARCHAR, max_by({name}, {order})::VARCHAR FROM data "
        f"WHERE NOT {gone}",
    )
    plain = kind if kind != "VARCHAR" else "number" if numeric else "text"
    return {"type": plain, "missing": missing, "first": first, "last": last}


def _series(connection: duckdb.DuckDBPyConnection, ids: str | None) -> dict[str, int]:
    """Return how many series there are, and how long they are."""
    group = f"GROUP BY {ids}" if ids else ""
    count, shortest, longest = _one(
        connection,
        f"SELECT count(*), min(n), max(n) FROM (SELECT count(*) AS n FROM data {group})",
    )
    return {"count": count, "shortest": shortest or 0, "longest": longest or 0}


def _step(
    connection: duckdb.DuckDBPyConnection, source: Source, time: str, short: dict[str, str], ids: str | None
) -> str | None:
    """Return the step of the first series in words, or None where its times keep none."""
    kind = source.columns[time][1]
    own = f"WHERE {ids} IS NOT DISTINCT FROM (SELECT {ids} FROM data LIMIT 1)" if ids else ""
    text = f"trim({short[time]})" if kind == "VARCHAR" else short[time]
    connection.execute(f"CREATE TEMP TABLE every AS SELECT {text} AS t FROM data {own}")
    connection.execute("DROP TABLE data")
    connection.execute("ALTER TABLE every RENAME TO data")
    read = read_times(connection, kind, lambda row: source.place(row, time))
    if read.faults or read.times is None:
        return None
    try:
        return str(find_step(read.times))
    except UnrolledError:
        return None
