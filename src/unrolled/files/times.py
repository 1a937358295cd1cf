"""A column of times, as text or typed, becomes integers or dates.

Text may be whole numbers (1949), months (1949-01), dates (1949-01-31) and timestamps (1949-01-31T12:00:00,
with a blank for the T, with or without a zone); all rows alike. The year stands first, or last (31.01.1949,
01/31/1949) where some row has a day above 12, which proves whether day or month stands first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from unrolled.errors import Fault, fault

if TYPE_CHECKING:
    from collections.abc import Callable

    import duckdb
    from numpy.typing import NDArray

    from unrolled.places import Place

_DATE = r"\d{4}[-/]\d{1,2}[-/]\d{1,2}"
_MINUTE = _DATE + r"[T ]\d{1,2}:\d{2}"
_SECOND = _MINUTE + r":\d{2}"
_FRACTION = _SECOND + r"\.\d{1,6}0{0,3}"
_ZONE = r"(Z|[+-]\d{2}(:?\d{2})?)"

FORMS = {
    "step": ("number", r"[+-]?\d{1,18}"),
    "M": ("month", r"\d{4}[-/]\d{1,2}"),
    "D": ("clock", _DATE),
    "m": ("clock", _MINUTE),
    "s": ("clock", _SECOND),
    "us": ("clock", _FRACTION),
    "m+": ("zone", _MINUTE + _ZONE),
    "s+": ("zone", _SECOND + _ZONE),
    "us+": ("zone", _FRACTION + _ZONE),
}
"""How times are written: by resolution, from coarse to fine, the family and the pattern."""

_YEAR_LAST = r"^(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})"
_LAST_MONTH = 12

_READ = {
    "number": "try_cast(t AS BIGINT)",
    "month": "try_cast(replace(t, '/', '-') || '-01' AS DATE) - DATE '1970-01-01'",
    "clock": "epoch_us(try_cast(t AS TIMESTAMP))",
    "zone": r"epoch_us(try_cast(regexp_replace(regexp_replace("
    r"t, '([+-]\d{2})$', '\1:00'), '([T ]\d{1,2}:\d{2})([Z+-])', '\1:00\2') AS TIMESTAMPTZ))",
}
_TYPED = {
    "DATE": ("t - DATE '1970-01-01'", "D"),
    "TIMESTAMP_S": ("epoch_us(t::TIMESTAMP)", "us"),
    "TIMESTAMP_MS": ("epoch_us(t::TIMESTAMP)", "us"),
    "TIMESTAMP": ("epoch_us(t)", "us"),
    "TIMESTAMP_NS": ("epoch_ns(t)", "ns"),
    "TIMESTAMP WITH TIME ZONE": ("epoch_us(t)", "us"),
}
INTEGERS = frozenset(
    f"{sign}{size}" for sign in ("", "U") for size in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT")
)


class TimeColumn(NamedTuple):
    """A column of times as `timestep.normal` gives them, or what is wrong with it.

    Shapes:
        times: [N]; `None` with faults.
    """

    times: NDArray[Any] | None
    utc: bool
    faults: list[Fault]


def read_times(connection: duckdb.DuckDBPyConnection, kind: str, place: Callable[[int], Place]) -> TimeColumn:
    """Read the column `t` of the table `data`.

    Args:
        connection: where the table is.
        kind: the DuckDB type of the column.
        place: names a row.
    """
    missing = "t IS NULL" if kind != "VARCHAR" else "t IS NULL OR t = ''"
    gone = _rows(connection, f"SELECT rowid, NULL FROM data WHERE {missing}", place, "time.missing")
    if kind == "VARCHAR":
        return _read_text(connection, place, gone)
    if kind in INTEGERS:
        sql, unit = "try_cast(t AS BIGINT)", "step"
    elif kind in _TYPED:
        sql, unit = _TYPED[kind]
    else:
        return TimeColumn(None, False, [fault("file.time-kind", place=place(0), kind=kind)])
    strange = f"SELECT rowid, t::VARCHAR FROM data WHERE t IS NOT NULL AND ({sql}) IS NULL"
    faults = gone + _rows(connection, strange, place, "file.time-text")
    if faults:
        return TimeColumn(None, False, faults)
    return TimeColumn(_fetched(connection, sql, unit), "ZONE" in kind, [])


def _read_text(
    connection: duckdb.DuckDBPyConnection, place: Callable[[int], Place], gone: list[Fault]
) -> TimeColumn:
    """Read a column of text, the family of times chosen by its first row."""
    unclear = _year_first(connection, place)
    if unclear is not None:
        return TimeColumn(None, False, [*gone, unclear])
    cases = " ".join(
        f"WHEN regexp_full_match(t, '{form}') THEN '{unit}'" for unit, (_, form) in FORMS.items()
    )
    form = f"CASE {cases} ELSE 'none' END"
    found = connection.execute(
        f"SELECT {form} AS form, min(rowid) FROM data WHERE t <> '' GROUP BY form ORDER BY min(rowid)"
    ).fetchall()
    if not found:
        return TimeColumn(None, False, gone)
    units = {unit for unit, _ in found}
    family = FORMS[found[0][0]][0] if found[0][0] in FORMS else "none"
    alike = [unit for unit, (own, _) in FORMS.items() if own == family]
    sql = _READ.get(family, "NULL")
    others = "" if units <= set(alike) else f"({form}) NOT IN ({', '.join(map(repr, [*alike, '']))}) OR "
    strange = f"SELECT rowid, t FROM data WHERE t <> '' AND ({others}({sql}) IS NULL)"
    faults = gone + _rows(connection, strange, place, "file.time-text")
    if faults:
        return TimeColumn(None, False, faults)
    finest = next(unit for unit in reversed(alike) if unit in units).rstrip("+")
    counted = {"number": "step", "month": "D"}.get(family, "us")
    times = _fetched(connection, sql, counted)
    return TimeColumn(
        times if counted == finest else times.astype(f"datetime64[{finest}]"), family == "zone", []
    )


def _rows(
    connection: duckdb.DuckDBPyConnection, query: str, place: Callable[[int], Place], fault_id: str
) -> list[Fault]:
    """Return one fault that names the first of the rows that a query (row, value) finds, and their number."""
    first = connection.execute(f"SELECT *, count(*) OVER () FROM ({query}) ORDER BY 1 LIMIT 1").fetchone()
    if first is None:
        return []
    row, value, count = first
    return [fault(fault_id, place=place(row), value=value, count=count)]


def _year_first(connection: duckdb.DuckDBPyConnection, place: Callable[[int], Place]) -> Fault | None:
    """Turn times that end with the year around; a fault where no row proves what stands first.

    The first row tells whether there is anything to do, so that other columns are not read once more.
    """
    alike = f"regexp_matches(t, '{_YEAR_LAST}')"
    first = connection.execute(
        f"SELECT rowid, t, {alike} FROM data WHERE t <> '' ORDER BY rowid LIMIT 1"
    ).fetchone()
    if first is None or not first[2]:
        return None
    day, month = connection.execute(
        f"SELECT max(regexp_extract(t, '{_YEAR_LAST}', 1)::INTEGER), "
        f"max(regexp_extract(t, '{_YEAR_LAST}', 2)::INTEGER) FROM data WHERE {alike}"
    ).fetchall()[0]
    if max(day, month) <= _LAST_MONTH:
        return fault("file.time-order", place=place(first[0]), value=first[1])
    parts = r"\3-\2-\1" if day > _LAST_MONTH else r"\3-\1-\2"
    connection.execute(f"UPDATE data SET t = regexp_replace(t, '{_YEAR_LAST}', '{parts}') WHERE {alike}")
    return None


def _fetched(connection: duckdb.DuckDBPyConnection, sql: str, unit: str) -> NDArray[Any]:
    """Return the column `t` as integers, seen as dates of a unit."""
    numbers: NDArray[Any] = connection.execute(
        f"SELECT ({sql})::BIGINT AS t FROM data ORDER BY rowid"
    ).fetchnumpy()["t"]
    numbers = np.asarray(numbers, np.int64)
    return numbers if unit == "step" else numbers.view(f"datetime64[{unit}]")
