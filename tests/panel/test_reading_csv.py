"""CSV files in, and every bad file with the line that it names."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import os
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.panel.helpers import fails
from unrolled.errors import ArgumentError, DataError, FileError, UnrolledError
from unrolled.files import forecast_rows, read_panel
from unrolled.panel import answer
from unrolled.timestep import TimeStep, to_text


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(name: str, content: str | bytes) -> str:
    data = content.encode() if isinstance(content, str) else content
    Path(name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return name


MONTHS = "month,passengers\n1949-01,112\n1949-02,118.5\n1949-03,132\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", MONTHS),
        ("A.CSV", MONTHS),
        ("a.csv.gz", MONTHS),
        ("a.tsv", MONTHS.replace(",", "\t")),
        ("a.tsv.gz", MONTHS.replace(",", "\t")),
        ("semicolon.csv", MONTHS.replace(",", ";")),
        ("bar.csv", MONTHS.replace(",", "|")),
        ("tab.csv", MONTHS.replace(",", "\t")),
        ("crlf.csv", MONTHS.replace("\n", "\r\n")),
        ("cr.csv", MONTHS.replace("\n", "\r")),
        ("open-end.csv", MONTHS.rstrip()),
        ("mark.csv", b"\xef\xbb\xbf" + MONTHS.encode()),
        ("quotes.csv", '"month","passengers"\n"1949-01","112"\n"1949-02",118.5\n1949-03,132\n'),
        ("blanks.csv", "month , passengers\n1949-01 , 112\n 1949-02, 118.5\n1949-03,132\n"),
        ("empty-lines.csv", "month,passengers\n\n1949-01,112\n1949-02,118.5\n\n1949-03,132\n\n"),
        ("trailing.csv", "month,passengers\n1949-01,112,\n1949-02,118.5,\n1949-03,132,\n"),
        ("more.csv", 'a,month,"b,c",passengers\nx,1949-01,,112\n"y\nz",1949-02,,118.5\n,1949-03,,132\n'),
        ("it's [a] *strange*? name {1}.csv", MONTHS),
        ("时间.csv", MONTHS),
    ],
)
def test_a_file_is_read(folder: Path, name: str, content: str | bytes) -> None:
    panel = read_panel(written(name, content), time="month", target="passengers")
    assert panel.values[:, 0].tolist() == [112, 118.5, 132]
    assert panel.values.dtype == np.float32
    assert panel.times is not None
    assert panel.times.astype(str).tolist() == ["1949-01", "1949-02", "1949-03"]
    assert panel.steps == (TimeStep(1, "M"),)
    assert (panel.kind, panel.ids, panel.channels) == ("list", (0,), ("passengers",))
    assert forecast_rows(panel, [[1.0]]) == {"month": ["1949-04"], "y_hat": [1.0]}
    assert os.listdir(folder) == [name]


def test_only_the_file_itself_is_read(folder: Path) -> None:
    for name in ("a1.csv", "ab.csv"):
        written(name, "y\n1\n")
    assert read_panel(written("a[1b].csv", "y\n5\n"), target="y").values.tolist() == [[5]]
    assert read_panel(written("a*.csv", "y\n6\n"), target="y").values.tolist() == [[6]]
    with fails(FileError, "[a-b]*.tsv: no file fits this pattern"):
        read_panel("[a-b]*.tsv", target="y")


def test_folders_in_the_name_add_no_columns(folder: Path) -> None:
    Path("month=5").mkdir()
    panel = read_panel(written("month=5/a.csv", MONTHS), time="month", target="passengers")
    assert panel.times is not None
    assert panel.times[0] == np.datetime64("1949-01")


def test_many_series_alternate(folder: Path) -> None:
    first, second = "2020-01-01 00:00", "2020-01-01 01:00"
    content = f"id,t,y,z\nB,{first},1,5\nA,{first},2,6\nB,{second},3,7\nA,{second},4,8\n"
    panel = read_panel(written("a.csv", content), time="t", target=["z", "y"], ids="id", dtype="float64")
    assert (panel.ids, panel.channels) == (("B", "A"), ("z", "y"))
    assert panel.values.tolist() == [[5, 1], [7, 3], [6, 2], [8, 4]]
    assert panel.values.dtype == np.float64
    assert answer(panel, np.zeros((2, 3, 2))).shape == (2, 3, 2)
    assert forecast_rows(panel, np.zeros((2, 1, 2))) == {
        "id": ["B", "A"],
        "t": ["2020-01-01T02:00"] * 2,
        "z_hat": [0.0, 0.0],
        "y_hat": [0.0, 0.0],
    }


def test_without_times_the_rows_are_in_order(folder: Path) -> None:
    panel = read_panel(written("a.csv", "y\n3\n1\n2\n"), target="y")
    assert panel.times is None
    assert panel.values[:, 0].tolist() == [3, 1, 2]


@pytest.mark.parametrize(
    ("times", "read", "unit", "utc"),
    [
        (["1949", "1950"], [1949, 1950], None, False),
        (["-3", "+4"], [-3, 4], None, False),
        (["1949-1", "1949/02"], ["1949-01", "1949-02"], "M", False),
        (["2020-01-31", "2020-02-29"], ["2020-01-31", "2020-02-29"], "D", False),
        (["2020/1/31", "2020/2/1"], ["2020-01-31", "2020-02-01"], "D", False),
        (["2020-01-01 9:00", "2020-01-01T10:00"], ["2020-01-01T09:00", "2020-01-01T10:00"], "m", False),
        (["2020-01-01", "2020-01-01 12:00"], ["2020-01-01T00:00", "2020-01-01T12:00"], "m", False),
        (
            ["2020-01-01 00:00:00", "2020-01-01 00:00:01"],
            ["2020-01-01T00:00:00", "2020-01-01T00:00:01"],
            "s",
            False,
        ),
        (
            ["2020-01-01 00:00:00", "2020-01-01 00:00:00.250000000"],
            ["2020-01-01T00:00:00.000", "2020-01-01T00:00:00.250"],
            "us",
            False,
        ),
        (
            ["1969-12-31T23:59:59.5", "1970-01-01T00:00:00.5"],
            ["1969-12-31T23:59:59.500", "1970-01-01T00:00:00.500"],
            "us",
            False,
        ),
        (["2020-01-01T00:00Z", "2020-01-01T01:00Z"], ["2020-01-01T00:00Z", "2020-01-01T01:00Z"], "m", True),
        (
            ["2024-03-31 01:00:00+01", "2024-03-31 03:00:00+0200"],
            ["2024-03-31T00:00:00Z", "2024-03-31T01:00:00Z"],
            "s",
            True,
        ),
        (
            ["2020-01-01T00:00:00.5-05:30", "2020-01-01T00:00:01-05:30"],
            ["2020-01-01T05:30:00.500Z", "2020-01-01T05:30:01.000Z"],
            "us",
            True,
        ),
    ],
)
def test_times_keep_their_resolution(
    folder: Path, times: list[str], read: list[Any], unit: str | None, utc: bool
) -> None:
    panel = read_panel(
        written("a.csv", "t,y\n" + "".join(f"{time},1\n" for time in times)), time="t", target="y"
    )
    assert panel.times is not None
    assert panel.columns is not None
    assert panel.times.dtype == (np.int64 if unit is None else f"datetime64[{unit}]")
    assert panel.columns.utc == utc
    assert to_text(panel.times, utc=utc) == read


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff"), min_size=1).map(
            str.strip
        ),
        min_size=3,
        max_size=5,
        unique_by=str.strip,
    ).filter(lambda names: all(names)),
    st.lists(
        st.tuples(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1),
            st.floats(allow_nan=False, allow_infinity=False, width=32),
        ),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from([",", ";", "\t", "|"]),
)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_csv_can_hold_comes_back(
    tmp_path: Path, names: list[str], rows: list[tuple[str, float]], delimiter: str
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(names)
    writer.writerows([name, repr(value), *[""] * (len(names) - 2)] for name, value in rows)
    file = tmp_path / "a.csv"
    file.write_text(text.getvalue(), encoding="utf-8", newline="")
    panel = read_panel(file, target=names[1], ids=names[0])
    assert panel.ids == tuple(dict.fromkeys(name for name, _ in rows))
    for series, name in enumerate(panel.ids):
        assert panel.series(series)[:, 0].tolist() == [value for own, value in rows if own == name]


@pytest.mark.parametrize("name", ['a"; DROP TABLE data; --', "it's", "y\n", "SELECT", "ü中", "c0", "rowid"])
def test_hostile_names_are_only_names(folder: Path, name: str) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([["t", name, "id"], [1, 5, name], [2, 6, name]])
    panel = read_panel(written("a.csv", text.getvalue()), time="t", target=name.strip(), ids="id")
    assert panel.ids == (name,)
    assert panel.values[:, 0].tolist() == [5, 6]


def test_a_million_rows_are_quick(folder: Path) -> None:
    import time

    duckdb.execute(
        "COPY (SELECT 's' || (range % 100) AS id, DATE '1990-01-01' + (range // 100)::INTEGER AS t, "
        "random() AS y FROM range(1000000)) TO 'a.csv'"
    )
    start = time.process_time()
    panel = read_panel("a.csv", time="t", target="y", ids="id")
    assert time.process_time() - start < 15
    assert panel.lengths.tolist() == [10**4] * 100


# What can be wrong with the file.


def test_a_missing_file_is_named_with_its_neighbour(folder: Path) -> None:
    written("airline.csv", MONTHS)
    written("airlines.txt", "")
    with fails(FileError, "airlin.csv: there is no such file ... try: airline.csv"):
        read_panel("airlin.csv", target="y")
    with fails(FileError, "no/a.csv: there is no such file ... no/a.csv"):
        read_panel("no/a.csv", target="y")


@pytest.mark.parametrize("name", ["a.xlsx", "a.txt", "a", "a.csv.zip", "a.parquet.gz"])
def test_other_kinds_are_refused(folder: Path, name: str) -> None:
    with fails(
        FileError, f"{name}: files of this kind are not understood ... .csv, .tsv, .csv.gz, .tsv.gz, .parquet"
    ):
        read_panel(written(name, "y\n1\n"), target="y")


def test_a_pipe_is_refused_and_not_waited_for(folder: Path) -> None:
    os.mkfifo("a.csv")
    with fails(FileError, "a.csv: files of this kind are not understood"):
        read_panel("a.csv", target="y")


def test_an_empty_file_is_refused(folder: Path) -> None:
    for name in ("a.csv", "a.csv.gz"):
        with fails(FileError, f"{name}: the file is empty ... 0 bytes"):
            read_panel(written(name, ""), target="y")


def test_a_file_that_cannot_be_opened_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("unrolled.files.source.open", denied, raising=False)
    with fails(FileError, "a.csv: the file cannot be opened ... Permission denied"):
        read_panel(written("a.csv", MONTHS), target="passengers")
    with fails(FileError, "the file cannot be opened ... null"):
        read_panel("a\0.csv", target="y")


@pytest.mark.parametrize("content", ["t,y\n", "t,y", "t,y\n\n\n"])
def test_no_rows_are_refused(folder: Path, content: str) -> None:
    with fails(FileError, "a.csv: there are no rows ... columns 't', 'y'"):
        read_panel(written("a.csv", content), target="y")


@pytest.mark.parametrize("content", ["\nt,y\n1,2\n", "\n\n", ",,\n1,2,3\n"])
def test_an_empty_first_line_is_refused(folder: Path, content: str) -> None:
    with fails(FileError, "a.csv, line 1: the first line does not name the columns"):
        read_panel(written("a.csv", content), target="y")


def test_missing_columns_are_all_named_with_their_neighbours(folder: Path) -> None:
    with fails(
        FileError,
        "no column 'Month' ... 'month', 'passengers' ... 'month' ... no column 'passenger' ... 'passengers'",
    ):
        read_panel(written("a.csv", MONTHS), time="Month", target="passenger")
    with fails(FileError, "no column 'y' ... one of '1', '2'"):
        read_panel(written("b.csv", "1,2\n3,4\n"), target="y")


def test_a_column_that_stands_there_twice_is_refused(folder: Path) -> None:
    written("a.csv", "t,y,y,z,z\n1,2,3,4,5\n2,2,3,4,5\n")
    with fails(FileError, "a.csv, line 1: the column 'y' stands there twice"):
        read_panel("a.csv", time="t", target="y")
    with fails(FileError, "a.csv: the column 't' is asked for twice"):
        read_panel("a.csv", time="t", target="t")


def test_wrong_arguments_are_refused(folder: Path) -> None:
    with fails(ArgumentError, "dtype is not one"):
        read_panel("a.csv", target="y", dtype="int8")
    with fails(ArgumentError, "no target column is named"):
        read_panel("a.csv", target=[])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("t,y\n1,2\n2,3,4\n", "a.csv, line 3: the line has another number of fields ... 2 fields ... got: 3"),
        ("t,y\n1,2\n\n\n2\n", "a.csv, line 5: the line has another number of fields ... 2 fields ... got: 1"),
        ('t,y\n"1\n",2\n2\n', "a.csv, line 4: the line has another number of fields"),
        ('t,y\n1,2\n2,"3\n4,5\n', "a.csv, line 3: the quotes are not right"),
        ('t,y\n1,2\n2,"3"x\n4,5\n', "a.csv, line 3: the quotes are not right"),
        (
            "t,y\r\n1,2\r\n2,3\n3,4\r\n",
            "a.csv, line 3: the line ends otherwise than the first one ... CRLF ... LF",
        ),
        ("t,y,é\n1,2,a\n2,3,é\n".encode("latin-1"), "a.csv, line 1: this is not UTF-8 text ... CSV UTF-8"),
        ("t,y,城市\n1,2,北京\n".encode("gbk"), "a.csv, line 1: this is not UTF-8 text"),
        ("t,y\n1,2\n2,é\n".encode("latin-1"), "a.csv, line 3: this is not UTF-8 text"),
        ("t,y\n1,2\n".encode("utf-16"), "a.csv, line 1: this is not UTF-8 text"),
    ],
)
def test_a_line_that_breaks_the_rules_is_named(folder: Path, content: str | bytes, says: str) -> None:
    with fails(FileError, says):
        read_panel(written("a.csv", content), time="t", target="y")


@pytest.mark.parametrize("share", [0.001, 0.5, 0.99])
def test_a_packed_file_cut_short_is_refused(folder: Path, share: float) -> None:
    rng = np.random.default_rng(0)
    whole = gzip.compress(("t,y\n" + "".join(f"{row},{rng.random()}\n" for row in range(80000))).encode())
    Path("a.csv.gz").write_bytes(whole[: int(len(whole) * share)])
    with fails(FileError, "a.csv.gz: the file cannot be read ... ended before"):
        read_panel("a.csv.gz", target="y")


def test_a_file_that_is_not_packed_or_damaged_is_refused(folder: Path) -> None:
    Path("a.csv.gz").write_bytes(b"t,y\n1,2\n")
    with fails(FileError, "a.csv.gz: the file cannot be read ... Not a gzipped file"):
        read_panel("a.csv.gz", target="y")
    whole = bytearray(gzip.compress(("t,y\n" + "1,2\n" * 1000).encode()))
    whole[30] ^= 255
    Path("b.csv.gz").write_bytes(whole)
    with fails(FileError, "b.csv.gz: the file cannot be read"):
        read_panel("b.csv.gz", target="y")


def test_what_duckdb_alone_refuses_is_said_in_its_words(folder: Path) -> None:
    huge = "x" * 5_000_000
    with fails(FileError, "a.csv: the file cannot be read"):
        read_panel(written("a.csv", f'y,z\n1,"{huge}"\n'), target="y")


def test_a_long_field_does_not_hide_the_line(folder: Path) -> None:
    long = "x" * 200_000
    with fails(DataError, "a.csv, line 4, column 'y': this is not a number"):
        read_panel(written("a.csv", f'y,z\n1,""\n2,"{long}"\nx,\n'), target="y")
    with fails(FileError, "a.csv, line 1: the first line does not name the columns"):
        read_panel(written("a.csv", f"y,{long}\n1,2\n"), target="y")


# What can be wrong with what it holds.


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (
            "t,y\n1,2\n2,abc\n3,x\n",
            "a.csv, line 3, column 'y': this is not a number ... 'abc'; ... column: 2",
        ),
        (
            "t;y\n1;2,5\n2;3,5\n",
            "a.csv, line 2, column 'y': this is not a number ... decimal point ... '2,5'",
        ),
        ('t,y\n1,"1,000"\n2,3\n', "a.csv, line 2, column 'y': this is not a number ... '1,000'"),
        (
            "t,y\n1,2\n2,\n3,4\n",
            "a.csv, line 3, column 'y': the value is missing (NaN) ... in this series: 1",
        ),
        (
            "t,y\n1,2\n2,NaN\n3,n/a\n",
            "a.csv, line 3, column 'y': the value is missing (NaN) ... in this series: 2",
        ),
        ("t,y\n1,2\n2,Null\n3,4\n", "a.csv, line 3, column 'y': the value is missing"),
        (
            "t,y\n1,2\n2,inf\n3,-Infinity\n",
            "a.csv, line 3, column 'y': the value is infinite ... in this series: 2",
        ),
        ("t,y\n1,1e39\n2,3\n", "a.csv, line 2, column 'y': the value is infinite ... float32"),
        ('t,y\n\n"1",2\n\n2,x\n', "a.csv, line 5, column 'y': this is not a number"),
        ("t,y\n,2\n2,3\n", "a.csv, line 2, column 't': the time is missing ... rows without a time: 1"),
        ("t,y\n , 2\n ,3\n", "a.csv, line 2, column 't': the time is missing ... rows without a time: 2"),
        (
            "t,y\nJan 1949,2\nFeb 1949,3\n",
            "a.csv, line 2, column 't': this is not a time ... 'Jan 1949'; rows like it: 2",
        ),
        (
            "t,y\n01/02/2020,2\n02/02/2020,3\n",
            "a.csv, line 2, column 't': the day may stand first here, or the month ... year first",
        ),
        (
            "t,y\n2020-01-01,2\n2020-02-30,3\n",
            "a.csv, line 3, column 't': this is not a time ... '2020-02-30'",
        ),
        ("t,y\n2020-01,2\n2020-13,3\n", "a.csv, line 3, column 't': this is not a time ... '2020-13'"),
        (
            "t,y\n2020,2\n2020-02,3\n",
            "a.csv, line 3, column 't': this is not a time, or not one like those before",
        ),
        ("t,y\n2020-01-01,2\n2020-01-02T00:00Z,3\n", "a.csv, line 3, column 't': this is not a time"),
        ("t,y\n2020-01-01 00:00:00.1234567,2\n", "a.csv, line 2, column 't': this is not a time"),
        ("t,y\n99999999999999999999,2\n", "a.csv, line 2, column 't': this is not a time"),
        (
            "t,y\n1,2\n2,3\n2,4\n",
            "a.csv, line 4, column 't': the time 2 comes twice ... stands at a.csv, line 3",
        ),
        (
            "t,y\n1,2\n2,3\n1,4\n",
            "a.csv, line 4, column 't': the time 1 comes twice ... stands at a.csv, line 2",
        ),
        (
            "t,y\n1,2\n3,3\n2,4\n",
            "a.csv, line 4, column 't': the rows are not in the order of time ... after 3 (a.csv, line 3",
        ),
        (
            "t,y\n2020-01-01,2\n2020-01-02,3\n2020-01-04,4\n",
            "a.csv, line 4, column 't': ... by 1 day ... 2020-01-03 ... 2020-01-04",
        ),
        (
            "t,y\n2020-01,2\n2020-02,3\n2020-04,4\n",
            "a.csv, line 4, column 't': ... by 1 month ... 2020-03 ... 2020-04",
        ),
        (
            "t,y\n2024-01-04,1\n2024-01-05,2\n2024-01-08,3\n2024-01-10,4\n",
            "a.csv, line 5, column 't': ... by 1 business day ... 2024-01-09 ... 2024-01-10",
        ),
        ("t,y\n2020-01-01,2\n", "a.csv, line 2, column 't': one row only"),
    ],
)
def test_what_does_not_fit_is_named_by_line_and_column(folder: Path, content: str, says: str) -> None:
    with fails(DataError, says):
        read_panel(written("a.csv", content), time="t", target="y")


def test_rows_of_alternating_series_are_named_by_their_line(folder: Path) -> None:
    content = "id,t,y\nA,1,1\nB,1,nan\nA,2,x\nB,2,4\nA,2,5\n"
    with fails(
        DataError,
        "line 4, column 'y': this is not a number ... line 3, column 'y': the value is missing ... "
        "line 6, column 't': the time 2 comes twice ... a.csv, line 4",
    ):
        read_panel(written("a.csv", content), time="t", target="y", ids="id")


def test_series_without_a_name_are_refused(folder: Path) -> None:
    with fails(
        DataError, "a.csv, line 3, column 'id': the name of the series is missing ... rows without one: 1"
    ):
        read_panel(written("a.csv", "id,t,y\nA,1,1\n,2,2\n"), time="t", target="y", ids="id")


def test_a_series_with_another_step_is_named(folder: Path) -> None:
    content = "id,t,y\n" + "".join(f"A,{row},1\n" for row in range(5)) + "B,1,1\nB,3,2\n"
    with fails(DataError, "begins at a.csv, line 7, column 't' ... steps of 1 ... steps of 2"):
        read_panel(written("a.csv", content), time="t", target="y", ids="id")


def test_all_faults_of_a_file_come_at_once(folder: Path) -> None:
    content = "id,t,y,z\nA,x,1,a\n,2,b,2\n"
    with fails(
        DataError, "line 2, column 't' ... line 3, column 'id' ... line 3, column 'y' ... line 2, column 'z'"
    ):
        read_panel(written("a.csv", content), time="t", target=["y", "z"], ids="id")


CONTENTS = st.binary(max_size=60) | st.text('ty,;\n\r"1-0 ', max_size=60).map(
    lambda text: f"t,y\n{text}".encode()
)


def rows_of(content: bytes) -> int | None:
    """Return how many rows the csv module finds, or `None` where it finds fault with them."""
    try:
        rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        return sum(1 for fields in rows if fields) - 1
    except csv.Error:
        return None


@given(CONTENTS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_content_does_more_than_be_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(content)
    panel = None
    with contextlib.suppress(UnrolledError):
        panel = read_panel(file, time="t", target="y")
    assert panel is None or len(panel.values) == rows_of(content)
