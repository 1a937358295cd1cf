"""Folders, patterns and queries; wide files; missing values and gaps in files; the memory it takes."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pytest

from tests.panel.helpers import fails
from unrolled.errors import ArgumentError, DataError, FileError
from unrolled.files import forecast_rows, read_panel, write_forecast
from unrolled.files.database import connected
from unrolled.files.loading import load, open_tables
from unrolled.timestep import TimeStep

if TYPE_CHECKING:
    from unrolled.panel import Panel


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(name: str, content: str) -> str:
    Path(name).parent.mkdir(exist_ok=True)
    Path(name).write_text(content)
    return name


def listed(panel: Panel) -> list[list[float | None]]:
    series = [panel.series(s)[:, 0].tolist() for s in range(panel.n_series)]
    return [[None if one != one else one for one in own] for own in series]


def shops() -> None:
    """Write a folder of two shops, each a file, and what is none of its files."""
    written("shops/b.csv", "t,y,x\n1,1,a\n2,2,b\n")
    written("shops/a.tsv", "y\tt\n3\t5\n4\t6\n")
    written("shops/notes.txt", "not a table")
    written("shops/.hidden.csv", "broken")


@pytest.mark.parametrize("path", ["shops", "shops/", "shops/*.?sv", "sho*/*sv"])
def test_files_of_a_folder_are_series_named_by_their_stems(folder: Path, path: str) -> None:
    shops()
    panel = read_panel(path, target="y", time="t")
    assert (panel.ids, listed(panel)) == (("a", "b"), [[3, 4], [1, 2]])
    assert forecast_rows(panel, [[0.5], [1.5]]) == {"series": ["a", "b"], "t": [7, 3], "y_hat": [0.5, 1.5]}


def test_files_with_names_of_series_are_one_table(folder: Path) -> None:
    written("parts/1.csv", "id,t,y\nA,1,1\nB,1,5\n")
    written("parts/2.csv", "y,t,id\n2,2,A\n6,2,B\n")
    panel = read_panel("parts", target="y", time="t", ids="id")
    assert (panel.ids, listed(panel)) == (("A", "B"), [[1, 2], [5, 6]])
    assert panel.origin is not None
    assert panel.origin.rows is not None
    assert panel.origin.fetch is not None
    assert panel.origin.rows.tolist() == [0, 2, 1, 3]
    assert panel.origin.fetch("y").tolist() == [1, 5, 2, 6]
    assert panel.origin.fetch("id").tolist() == ["A", "B", "A", "B"]
    with fails(FileError, "there is no column 'z'"):
        panel.origin.fetch("z")


def test_a_folder_with_one_file_is_one_series(folder: Path) -> None:
    written("one/a.csv", "y\n1\n2\n")
    assert read_panel("one", target="y").ids == (0,)


def test_types_of_files_may_differ(folder: Path) -> None:
    written("mixed/a.csv", "t,y,id\n2024-01-01,1,7\n")
    duckdb.execute("COPY (SELECT DATE '2024-01-02' AS t, 2.5 AS y, 7 AS id) TO 'mixed/b.parquet'")
    panel = read_panel("mixed", target="y", time="t", ids="id")
    assert (panel.ids, listed(panel), panel.steps) == (("7",), [[1, 2.5]], (TimeStep(1, "D"),))


def test_faults_of_many_files_name_the_file(folder: Path) -> None:
    written("f/a.csv", "t,y\n1,1\n2,2\n")
    written("f/b.csv", "t,y\n1,1\n2,x\n3,\n")
    with fails(
        DataError, "f/b.csv, line 3, column 'y': this is not a number ... 'x' ... f/b.csv, line 4 ... missing"
    ):
        read_panel("f", target="y", time="t")
    written("f/c.csv", "t,y\n")
    with fails(FileError, "c.csv: there are no rows"):
        read_panel("f", target="y", time="t")
    written("f/c.csv", "t,z\n1,1\n")
    with fails(FileError, "c.csv: there is no column 'y'"):
        read_panel("f", target="y", time="t")


def test_folders_without_files_are_refused(folder: Path) -> None:
    written("empty/notes.txt", "")
    with fails(FileError, "empty: this folder holds no file that can be read ... .csv, .tsv"):
        read_panel("empty", target="y")
    with fails(FileError, "empty/*.csv: no file fits this pattern ... .csv, .tsv"):
        read_panel("empty/*.csv", target="y")


def test_two_files_of_one_stem_are_refused(folder: Path) -> None:
    written("f/a.csv", "y\n1\n")
    written("f/a.tsv", "y\n1\n")
    with fails(FileError, "two files would name the same series: 'a' ... f/a.csv and f/a.tsv"):
        read_panel("f", target="y")


QUERIES = [
    "SELECT * FROM 'a.csv' ORDER BY t",
    "SELECT * FROM 'a.csv' ORDER BY t; -- so it is",
    "WITH own AS (FROM 'a.csv') SELECT t, y FROM own ORDER BY t -- so it is",
    "FROM 'a.csv' ORDER BY t",
]


@pytest.mark.parametrize("sql", QUERIES)
def test_a_query_is_read(folder: Path, sql: str) -> None:
    written("a.csv", "t,y\n2024-01-02,2\n2024-01-01,1\n2024-01-03,3\n")
    panel = read_panel(sql=sql, target="y", time="t")
    assert (listed(panel), panel.steps) == ([[1, 2, 3]], (TimeStep(1, "D"),))
    assert panel.origin is not None
    assert panel.origin.fetch is not None
    assert panel.origin.fetch("y").tolist() == [1, 2, 3]


def test_faults_of_a_query_are_named(folder: Path) -> None:
    with fails(DataError, "row 2 of the query, column 'y': this is not a number ... 'x'"):
        read_panel(sql="SELECT unnest(['1', 'x']) AS y", target="y")
    with fails(FileError, "the query: there is no column 'z' ... 'y'"):
        read_panel(sql="SELECT 1 AS y", target="z")
    with fails(FileError, "the query: there are no rows"):
        read_panel(sql="SELECT 1 AS y WHERE false", target="y")
    with fails(FileError, "the query fails ... the network is not used ... none.csv"):
        read_panel(sql="SELECT * FROM 'none.csv'", target="y")
    with fails(FileError, "the query fails ... Conversion"):
        read_panel(sql="SELECT error('Conversion of ' || range) AS y FROM range(3)", target="y")


@pytest.mark.parametrize(
    "sql",
    [
        "COPY (SELECT 1) TO 'x.csv'",
        "SELECT 1; SELECT 2",
        "",
        "CREATE TABLE x (y INT)",
        "INSTALL httpfs",
        "SET threads = 1",
    ],
)
def test_a_query_only_reads(folder: Path, sql: str) -> None:
    with fails(ArgumentError, "sql is not one query that reads ... one SELECT"):
        read_panel(sql=sql, target="y")
    assert not list(folder.iterdir())


def test_a_query_sees_neither_variables_nor_the_network(folder: Path) -> None:
    import pandas as pd

    frame = pd.DataFrame({"y": [1.0]})
    with fails(FileError, "the query fails ... frame"):
        read_panel(sql="SELECT * FROM frame", target="y")
    assert len(frame) == 1
    with fails(FileError, "the query fails ... httpfs"):
        read_panel(sql="SELECT * FROM 'https://example.invalid/a.csv'", target="y")


@pytest.mark.parametrize("given", [{}, {"path": "a.csv", "sql": "SELECT 1 AS y"}])
def test_a_file_or_a_query_is_read(given: dict[str, Any]) -> None:
    with fails(ArgumentError, "a file and a query are asked for at once, or neither"):
        read_panel(target="y", **given)


@pytest.mark.parametrize("given", [{}, {"target": []}, {"target": [], "layout": "wide"}])
def test_no_target_is_refused(given: dict[str, Any]) -> None:
    with fails(ArgumentError, "no target column is named"):
        read_panel("a.csv", **given)


WIDE = "day,a,b,c\n2024-01-05,1,,5\n2024-01-08,2,NaN,\n2024-01-10,3,4,7\n"


def test_wide_files_are_read_and_written(folder: Path) -> None:
    panel = read_panel(
        written("a.csv", WIDE), time="day", layout="wide", missing="allow", gaps="fill", freq="B"
    )
    assert panel.ids == ("a", "b", "c")
    assert listed(panel) == [[1, 2, None, 3], [4], [5, None, None, 7]]
    assert panel.filled == (("a", 1), ("c", 1))
    rows = forecast_rows(panel, np.arange(6.0).reshape(3, 2, 1))
    assert rows == {"day": ["2024-01-11", "2024-01-12"], "a": [0, 1], "b": [2, 3], "c": [4, 5]}
    for name in ("f.csv", "f.parquet"):
        write_forecast(name, panel, np.arange(6.0).reshape(3, 2, 1))
        again = read_panel(name, time="day", layout="wide", target=["c", "a"])
        assert (again.ids, listed(again)) == (("c", "a"), [[4, 5], [0, 1]])


def test_wide_files_without_times_have_steps(folder: Path) -> None:
    panel = read_panel(written("a.csv", "a,b\n1,2\n3,4\n"), layout="wide")
    assert forecast_rows(panel, [[[1.0], [2.0]], [[3.0], [4.0]]]) == {
        "step": [1, 2],
        "a": [1, 2],
        "b": [3, 4],
    }


def test_wide_tables_take_the_columns_of_numbers(folder: Path) -> None:
    duckdb.execute("COPY (SELECT 1 AS t, 'x' AS note, 2.5 AS a, DATE '2024-01-01' AS d) TO 'a.parquet'")
    assert read_panel("a.parquet", layout="wide", time="t", freq=1).ids == ("a",)
    with fails(DataError, "no column holds numbers ... 't', 'note'"):
        read_panel(sql="SELECT 1 AS t, 'x' AS note", layout="wide", time="t")
    with fails(DataError, "line 2, column 'note': this is not a number"):
        read_panel(written("a.csv", "t,note,a\n1,x,2\n2,y,3\n"), layout="wide", time="t")


def test_missing_values_and_gaps_of_files(folder: Path) -> None:
    file = written("a.csv", "id,t,y\nA,2024-01,1\nA,2024-02,n/a\nA,2024-04,4\nB,2024-01,5\nB,2024-02,6\n")
    how: dict[str, Any] = {"target": "y", "time": "t", "ids": "id"}
    panel = read_panel(file, **how, missing="allow", gaps="fill")
    assert listed(panel) == [[1, None, None, 4], [5, 6]]
    assert panel.filled == (("A", 1),)
    with fails(
        DataError, "line 3, column 'y': the value is missing ... line 4, column 't': the time does not"
    ):
        read_panel(file, **how)
    with fails(DataError, "the series 'A' has no observed value"):
        read_panel(written("b.csv", "id,y\nA,\nB,1\n"), target="y", ids="id", missing="allow")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_reading_takes_the_buffer_and_a_block(folder: Path, dtype: str) -> None:
    rows = 3_000_000
    duckdb.execute(f"COPY (SELECT range AS a, range / 2 AS b FROM range({rows})) TO 'a.parquet'")
    read_panel(sql="SELECT 1 AS a", target="a")  # what is imported is not counted
    tracemalloc.start()
    panel = read_panel("a.parquet", target=["a", "b"], dtype=dtype)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    numbers = np.arange(rows)
    np.testing.assert_array_equal(panel.values, np.stack([numbers, numbers / 2], axis=1).astype(dtype))
    buffer = panel.values.nbytes
    assert buffer == rows * 2 * np.dtype(dtype).itemsize
    block = (1 << 20) * 8  # the numbers of a block, and the memory that they are fetched through
    assert peak < buffer + 3 * block


def test_the_table_between_takes_what_the_panel_takes(folder: Path) -> None:
    rows = 2_000_000
    with Path("a.csv").open("w") as file:
        file.write("y\n" + "".join(f"{row}.25\n" for row in range(rows)))
    with connected() as connection:
        tables = open_tables(connection, "a.csv", None, ["y"])
        load(connection, tables, {}, ["y"], dtype="float32")
        found = connection.execute(
            "SELECT sum(memory_usage_bytes) FROM duckdb_memory() WHERE tag = 'IN_MEMORY_TABLE'"
        ).fetchone()
    assert found is not None
    assert found[0] < 1.5 * 4 * rows


def test_the_order_of_a_large_file_is_kept(folder: Path) -> None:
    rows = 1_500_000
    duckdb.execute(f"COPY (SELECT range AS y FROM range({rows})) TO 'a.csv'")
    assert (np.diff(read_panel("a.csv", target="y", dtype="float64").values[:, 0]) == 1).all()
