"""A file opened: which kind it is, which columns it has, and where a row stands as a person counts."""

from __future__ import annotations

import glob
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from unrolled.errors import ArgumentError, Fault, FileError, fault, nearest, raise_any
from unrolled.files.database import name, path_literal, said
from unrolled.files.delimited import Delimited, open_delimited
from unrolled.parts import likely_column
from unrolled.places import Place

if TYPE_CHECKING:
    from collections.abc import Sequence

    import duckdb

KINDS = (".csv", ".tsv", ".csv.gz", ".tsv.gz", ".parquet", ".pq")
"""The endings of the files that can be read."""


@dataclass(frozen=True)
class Source:
    """A file, or the result of a query, as a table.

    Args:
        path: the file, as the caller gave it; or what the query is called.
        relation: the table in SQL.
        columns: the SQL name and the DuckDB type of each column, by its name in the file.
        delimited: how the lines are cut; `None` for Parquet.
    """

    path: Path | Place
    relation: str
    columns: dict[str, tuple[str, str]]
    delimited: Delimited | None = None

    def place(self, row: int, column: str) -> Place:
        """Return the place of a row, counted from 0 here, from 1 by a person; in CSV it is a line."""
        if isinstance(self.path, Place):
            return Place("file.query-row", {"row": row + 1, "column": column})
        if self.delimited is None:
            return Place("file.row", {"file": self.path, "row": row + 1, "column": column})
        return Place("file.line", {"file": self.path, "line": self.delimited.line(row), "column": column})

    def broken(self, error: Exception) -> Fault:
        """Return what is wrong with a file that DuckDB cannot read."""
        if isinstance(self.path, Place):
            return fault("file.sql", reason=said(error))
        found = self.delimited.first_fault() if self.delimited else None
        return found or fault("file.damaged", file=self.path, reason=said(error))


def open_source(
    connection: duckdb.DuckDBPyConnection, path: str | os.PathLike[str], wanted: Sequence[str]
) -> Source:
    """Open a CSV or Parquet file that must hold some columns.

    Raises:
        FileError: there is no such file, it is of another kind, empty or damaged, or lacks a column.
    """
    file = Path(path)
    ending = _checked(file)
    if ending in (".parquet", ".pq"):
        source = _open_parquet(connection, file)
    else:
        delimited = open_delimited(
            file, wanted, compressed=ending.endswith(".gz"), tabs=ending.startswith(".tsv")
        )
        names: dict[str, tuple[str, str]] = {}
        for index, column in enumerate(delimited.header):
            names.setdefault(column, (f"c{index}", "VARCHAR"))
        source = Source(file, delimited.relation, names, delimited)
    _check_columns(source, wanted)
    return source


def open_query(connection: duckdb.DuckDBPyConnection, sql: str, wanted: Sequence[str]) -> Source:
    """Open the result of a query that only reads.

    Raises:
        ArgumentError: the text is not one SELECT.
        FileError: the query fails, or its result lacks a column.
    """
    import duckdb

    try:
        statements = connection.extract_statements(sql)
        kinds = [one.type.name for one in statements]
        if kinds != ["SELECT"]:
            raise ArgumentError(fault("file.sql-kind", kind=", ".join(kinds) or repr(sql)))
        relation = "query_of_the_caller"
        connection.execute(f"CREATE TEMP VIEW {relation} AS {statements[0].query}")
        found = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    except duckdb.Error as error:
        raise FileError(fault("file.sql", reason=said(error))) from error
    columns = {column: (name(column), kind) for column, kind, *_ in found}
    source = Source(Place("file.query"), relation, columns)
    _check_columns(source, wanted)
    return source


def find_files(path: str | os.PathLike[str]) -> list[Path]:
    """Return the files that a path means: a file, all files of a folder, or all that fit a pattern, sorted.

    Raises:
        FileError: the folder holds no file that can be read, or none fits the pattern.
    """
    place, known, folder = Path(path), ", ".join(KINDS), False
    try:
        folder = place.is_dir()
        if not folder and (place.exists() or not any(one in os.fspath(path) for one in "*?[")):
            return [place]
        names = place.iterdir() if folder else map(Path, glob.glob(os.fspath(path), recursive=True))
        found = sorted(one for one in names if _readable(one))
    except (OSError, ValueError):
        return [place]  # what is wrong with it is said when it is opened
    if not found:
        raise FileError(fault("file.folder" if folder else "file.no-match", file=place, known=known))
    return found


def _readable(file: Path) -> bool:
    """Whether something in a folder is a file of a kind that can be read."""
    return file.name.lower().endswith(KINDS) and not file.name.startswith(".") and file.is_file()


def stem(file: Path) -> str:
    """Return the name of a file without its ending."""
    ending = next(one for one in sorted(KINDS, key=len, reverse=True) if file.name.lower().endswith(one))
    return file.name[: -len(ending)]


def _checked(file: Path) -> str:
    """Return the ending of a file that is there and can be read."""
    try:
        info = file.stat()
        ending = next((one for one in reversed(KINDS) if file.name.lower().endswith(one)), None)
        if ending is None or not stat.S_ISREG(info.st_mode):
            raise FileError(fault("file.kind", file=file, known=", ".join(KINDS)))
        if info.st_size == 0:
            raise FileError(fault("file.empty", file=file))
        with open(file, "rb"):
            return ending
    except FileNotFoundError:
        raise FileError(fault("file.missing", file=file, nearest=_neighbour(file))) from None
    except (OSError, ValueError) as error:
        if isinstance(error, FileError):
            raise
        raise FileError(fault("file.unreadable", file=file, reason=error)) from error


def _neighbour(file: Path) -> Path:
    """Return the file in the same folder whose name is most like that of one that is not there."""
    try:
        names = [one for one in os.listdir(file.parent) if one.lower().endswith(KINDS)]
    except OSError:
        names = []
    return file.with_name(nearest(file.name, names)) if names else file.absolute()


def _open_parquet(connection: duckdb.DuckDBPyConnection, file: Path) -> Source:
    """Open a Parquet file."""
    import duckdb

    relation = f"read_parquet({path_literal(file)}, hive_partitioning = false)"
    try:
        found = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    except duckdb.Error as error:
        raise FileError(fault("file.damaged", file=file, reason=said(error))) from error
    return Source(file, relation, {column: (name(column), kind) for column, kind, *_ in found})


def _check_columns(source: Source, wanted: Sequence[str]) -> None:
    """Refuse a file that lacks columns, and a column that is asked for or stands there twice."""
    known = list(source.columns)
    header = source.delimited.header if source.delimited else tuple(known)
    faults: list[Fault] = []
    for column in dict.fromkeys(wanted):
        values: dict[str, object] = {
            "file": source.path,
            "column": column,
            "known": ", ".join(map(repr, known)),
        }
        if column not in source.columns:
            faults.append(fault("file.no-column", **values, nearest=likely_column(column, known)))
        elif header.count(column) > 1:
            faults.append(fault("file.header-twice", **values))
        elif wanted.count(column) > 1:
            faults.append(fault("file.column-twice", **values))
    raise_any(FileError, faults)
