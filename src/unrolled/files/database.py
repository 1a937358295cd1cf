"""One DuckDB connection in memory that reaches neither the network nor any folder; names and paths quoted.

DuckDB is loaded when the first file is read or written.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "temp_directory": "",  # nothing is spilled: no folder appears beside the user's files
    "preserve_insertion_order": "true",  # rows are counted in the order of the file
}


@contextmanager
def connected() -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield a connection and close it."""
    import duckdb

    connection = duckdb.connect(":memory:", config=_SETTINGS)
    try:
        connection.execute("SET enable_progress_bar = false")
        connection.execute("SET python_enable_replacements = false")  # a query sees files, not variables
        yield connection
    finally:
        connection.close()


def name(identifier: str) -> str:
    """Return a name quoted for SQL, whatever it holds."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text quoted for SQL, whatever it holds."""
    return "'" + text.replace("'", "''") + "'"


def path_literal(path: str | os.PathLike[str]) -> str:
    """Return the path of one file quoted for SQL: absolute, so that it is no address, and not a pattern."""
    plain = "".join(f"[{one}]" if one in "[*?" else one for one in os.path.abspath(path))
    return literal(plain)


def said(error: Exception) -> str:
    """Return the first sentence of a DuckDB error; newer versions wrap some in JSON."""
    inner = re.search(r'"exception_message":("(?:[^"\\]|\\.)*")', str(error))
    if inner:
        return str(json.loads(inner[1]))
    return str(error).split("\n")[0].strip()
