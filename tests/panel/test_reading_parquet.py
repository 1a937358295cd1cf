"""Parquet files in, typed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from tests.panel.helpers import fails
from unrolled.errors import DataError, FileError
from unrolled.files import forecast_rows, read_panel
from unrolled.timestep import to_text


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def parquet(query: str, name: str = "a.parquet") -> str:
    """Write the rows of a query over `n`, 0 to 3, and return the name of the file."""
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE numbers AS SELECT range AS n FROM range(4)")
        connection.execute(f"COPY (SELECT {query} FROM numbers ORDER BY n) TO '{name}' (FORMAT parquet)")
    return name


@pytest.mark.parametrize(
    "kind", ["TINYINT", "UBIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL(10,2)", "VARCHAR"]
)
@pytest.mark.parametrize("ending", ["parquet", "pq"])
def test_numbers_of_every_type_are_read(folder: Path, kind: str, ending: str) -> None:
    panel = read_panel(parquet(f"n::{kind} AS y", f"a.{ending}"), target="y")
    assert panel.values[:, 0].tolist() == [0, 1, 2, 3]


def test_truth_is_a_number(folder: Path) -> None:
    assert read_panel(parquet("n > 1 AS y"), target="y").values[:, 0].tolist() == [0, 0, 1, 1]


DAY = "TIMESTAMP '2020-01-30' + INTERVAL 1 DAY * n"
HOUR = "TIMESTAMP '1969-12-31 22:00:00' + INTERVAL 1 HOUR * n"


@pytest.mark.parametrize(
    ("time", "dtype", "future"),
    [
        ("n::TINYINT", np.int64, 4),
        ("(n + 1949)::UINTEGER", np.int64, 1953),
        (f"({DAY})::DATE", "datetime64[D]", "2020-02-03"),
        (DAY, "datetime64[us]", "2020-02-03T00:00:00"),
        (f"({HOUR})::TIMESTAMP_S", "datetime64[us]", "1970-01-01T02:00:00"),
        (f"({HOUR})::TIMESTAMP_MS", "datetime64[us]", "1970-01-01T02:00:00"),
        (f"({HOUR})::TIMESTAMP_NS", "datetime64[ns]", "1970-01-01T02:00:00"),
        (f"timezone('UTC', {HOUR})", "datetime64[us]", "1970-01-01T02:00:00Z"),
        ("'2020-0' || (n + 1)", "datetime64[M]", "2020-05"),
        ("DATE '2019-12-31' + INTERVAL 1 MONTH * n", "datetime64[us]", "2020-04-30T00:00:00"),
    ],
)
def test_times_of_every_type_are_read(folder: Path, time: str, dtype: Any, future: Any) -> None:
    panel = read_panel(parquet(f"n AS y, {time} AS t"), time="t", target="y")
    assert panel.times is not None
    assert panel.times.dtype == dtype
    assert forecast_rows(panel, [[0.5]]) == {"t": [future], "y_hat": [0.5]}


@pytest.mark.parametrize(
    ("ids", "names"),
    [
        ("n % 2", (0, 1)),
        ("(n % 2)::UTINYINT", (0, 1)),
        ("chr((66 - n % 2)::INTEGER)", ("B", "A")),
        ("DATE '2020-01-01' + (n % 2)::INTEGER", ("2020-01-01", "2020-01-02")),
        ("(n % 2) > 0", (False, True)),
    ],
)
def test_names_of_every_type_are_read(folder: Path, ids: str, names: tuple[Any, ...]) -> None:
    panel = read_panel(parquet(f"n AS y, {ids} AS id"), target="y", ids="id")
    assert panel.ids == names
    assert panel.values[:, 0].tolist() == [0, 2, 1, 3]


@pytest.mark.parametrize("name", ['a"; DROP TABLE data; --', "it''s", "SELECT", "ü中", "n", "Y", "rowid"])
def test_hostile_names_are_only_names(folder: Path, name: str) -> None:
    quoted = name.replace('"', '""')
    panel = read_panel(parquet(f'n + 5 AS "{quoted}", n AS t'), time="t", target=name)
    assert panel.channels == (name,)
    assert panel.values[:, 0].tolist() == [5, 6, 7, 8]


def test_names_are_told_apart_by_capitals(folder: Path) -> None:
    with fails(FileError, "no column 'Sales' ... 'sales' ... try: 'sales'"):
        read_panel(parquet("n AS sales"), target="Sales")


def test_folders_in_the_name_add_no_columns(folder: Path) -> None:
    Path("y=5").mkdir()
    assert read_panel(parquet("n AS y", "y=5/a.parquet"), target="y").values[:, 0].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("cut", [10, 100, -1])
def test_a_damaged_file_is_refused(folder: Path, cut: int) -> None:
    file = Path(parquet("n AS y"))
    file.write_bytes(file.read_bytes()[:cut])
    with fails(FileError, "a.parquet: the file cannot be read ... write or download the file again"):
        read_panel(file, target="y")


def test_damaged_rows_are_refused(folder: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute("COPY (SELECT random() AS y FROM range(10000)) TO 'a.parquet' (COMPRESSION zstd)")
    data = bytearray(Path("a.parquet").read_bytes())
    data[4:40] = bytes(36)
    Path("a.parquet").write_bytes(data)
    with fails(FileError, "a.parquet: the file cannot be read"):
        read_panel("a.parquet", target="y")


def test_an_empty_file_is_refused(folder: Path) -> None:
    Path("a.parquet").write_bytes(b"")
    with fails(FileError, "a.parquet: the file is empty"):
        read_panel("a.parquet", target="y")


def test_a_csv_file_is_no_parquet_file(folder: Path) -> None:
    Path("a.parquet").write_text("t,y\n1,2\n" * 10)
    with fails(FileError, "a.parquet: the file cannot be read"):
        read_panel("a.parquet", target="y")


def test_no_rows_are_refused(folder: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute("COPY (SELECT 1 AS y WHERE false) TO 'a.parquet'")
    with fails(FileError, "a.parquet: there are no rows ... 'y'"):
        read_panel("a.parquet", target="y")


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("n AS t, [n] AS y", "a.parquet, row 1, column 'y': the column does not hold numbers ... BIGINT[]"),
        (
            "n AS t, DATE '2020-01-01' AS y",
            "a.parquet, row 1, column 'y': the column does not hold numbers ... DATE",
        ),
        (
            "n AS t, CASE WHEN n = 2 THEN 'x' ELSE '1' END AS y",
            "a.parquet, row 3, column 'y': this is not a number",
        ),
        ("n AS t, CASE WHEN n <> 2 THEN n END AS y", "a.parquet, row 3, column 'y': the value is missing"),
        ("n AS t, n / (n - 1) AS y", "a.parquet, row 2, column 'y': the value is"),
        ("CASE WHEN n <> 2 THEN n END AS t, n AS y", "a.parquet, row 3, column 't': the time is missing"),
        (
            "TIME '10:00' AS t, n AS y",
            "a.parquet, row 1, column 't': the column does not hold times ... TIME",
        ),
        (
            "n + 0.5::DOUBLE AS t, n AS y",
            "a.parquet, row 1, column 't': the column does not hold times ... DOUBLE",
        ),
        ("18446744073709551612::UBIGINT + n::UBIGINT AS t, n AS y", "row 1, column 't': this is not a time"),
        ("n // 2 AS t, n AS y", "a.parquet, row 2, column 't': the time 0 comes twice ... a.parquet, row 1"),
        ("-n AS t, n AS y", "a.parquet, row 2, column 't': the rows are not in the order of time"),
        ("n * n AS t, n AS y", "a.parquet, row 3, column 't': the time does not follow"),
    ],
)
def test_what_does_not_fit_is_named_by_row_and_column(folder: Path, query: str, says: str) -> None:
    with fails(DataError, says):
        read_panel(parquet(query), time="t", target="y")


def test_missing_names_are_refused(folder: Path) -> None:
    with fails(DataError, "a.parquet, row 2, column 'id': the name of the series is missing"):
        read_panel(parquet("n AS y, CASE WHEN n <> 1 THEN n END AS id"), target="y", ids="id")


def test_fractions_of_a_second_are_kept(folder: Path) -> None:
    file = parquet("n AS y, (TIMESTAMP_NS '2020-01-01 00:00:00.000000001') AS t")
    with fails(DataError, "the time 2020-01-01T00:00:00.000000001 comes twice"):
        read_panel(file, time="t", target="y")
    assert to_text(np.array([1], "datetime64[ns]")) == ["1970-01-01T00:00:00.000000001"]
