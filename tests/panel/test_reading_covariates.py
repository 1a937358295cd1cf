"""Covariates out of files: columns beside the series, rows that know the future, a future by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pytest

from unrolled.errors import ArgumentError, DataError, FileError
from unrolled.files import forecast_rows, read_future, read_panel, write_forecast
from unrolled.panel import to_panel

if TYPE_CHECKING:
    from pathlib import Path

LINES = """shop,month,sales,promo,rain,kind
b,2024-01,1,0,5,x
a,2024-01,5,1,4,y
b,2024-02,2,1,,x
a,2024-02,6,0,2,y
b,2024-03,,0,1,x
a,2024-03,,1,,y
a,2024-04,,0,,y
"""
HOW: dict[str, Any] = {"time": "month", "ids": "shop", "target": "sales", "dtype": "float64"}
COLS: dict[str, Any] = {"past_cols": ["rain"], "known_cols": ["promo"], "static_cols": ["kind"]}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "shops.csv"
    path.write_text(LINES)
    return path


def seen(panel: Any) -> dict[str, Any]:
    """Return everything that was read."""
    beside = panel.covariates
    return {
        "values": panel.values[:, 0].tolist(),
        "lengths": panel.lengths.tolist(),
        "rain": np.nan_to_num(beside.past["rain"], nan=-1).tolist(),
        "promo": beside.known["promo"].tolist(),
        "known": np.diff(beside.known_offsets).tolist(),
        "kind": beside.static["kind"].tolist(),
    }


WANTED = {
    "values": [1, 2, 5, 6],
    "lengths": [2, 2],
    "rain": [5, -1, 4, 2],
    "promo": [0, 1, 0, 1, 0, 1, 0],
    "known": [3, 4],
    "kind": ["x", "y"],
}


@pytest.mark.parametrize("missing", ["allow", "refuse"])
def test_csv(file: Path, missing: str) -> None:
    assert seen(read_panel(file, **HOW, **COLS, missing=missing)) == WANTED


def test_parquet_and_queries(file: Path, tmp_path: Path) -> None:
    parquet = tmp_path / "shops.parquet"
    duckdb.sql(f"COPY (FROM '{file}') TO '{parquet}'")
    assert seen(read_panel(parquet, **HOW, **COLS)) == WANTED
    assert seen(read_panel(sql=f"SELECT * FROM '{file}'", **HOW, **COLS)) == WANTED


def test_several_files(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("sales,promo\n1,0\n2,1\n,1\n")
    (tmp_path / "b.csv").write_text("sales,promo\n3,0\n,0\n")
    panel = read_panel(tmp_path, target="sales", known_cols=["promo"])
    assert (panel.ids, panel.lengths.tolist()) == (("a", "b"), [2, 1])
    assert panel.covariates.known["promo"].tolist() == [0, 1, 1, 0, 0]


def test_gaps_have_no_covariates(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("t,y,rain\n1,1,7\n2,2,8\n4,3,9\n")
    panel = read_panel(path, time="t", target="y", past_cols=["rain"], missing="allow", gaps="fill")
    assert np.nan_to_num(panel.covariates.past["rain"], nan=-1).tolist() == [7, 8, -1, 9]


def test_wide(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("t,a,b,promo\n1,1,,0\n2,2,5,1\n3,,,0\n")
    panel = read_panel(path, time="t", layout="wide", known_cols=["promo"])
    assert (panel.ids, panel.lengths.tolist()) == (("a", "b"), [2, 1])
    assert panel.covariates.known["promo"].tolist() == [0, 1, 0, 1, 0]


def test_points_that_are_missing_are_refused_still(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("y,promo\n1,0\n,1\n3,1\n,1\n")
    with pytest.raises(DataError, match=r"series 0, position 1[\s\S]*missing values in this series: 1"):
        read_panel(path, target="y", known_cols=["promo"])
    assert read_panel(path, target="y", known_cols=["promo"], missing="allow").n_missing == 1


@pytest.mark.parametrize(
    ("more", "error", "says"),
    [
        ({"known_cols": ["promos"]}, FileError, r"no column 'promos'"),
        ({"known_cols": ["promo"], "past_cols": ["promo"]}, DataError, r"'promo' is named twice"),
        ({"static_cols": ["promo"]}, DataError, r"'promo'"),
    ],
)
def test_columns_that_cannot_be(file: Path, more: dict[str, Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        read_panel(file, **HOW, missing="allow", **more)


class TestFuture:
    def test_rows(self, file: Path) -> None:
        rows = read_future(file, time="month", ids="shop", known_cols=["promo", "kind"])
        assert rows.ids is not None
        assert [rows.ids[0][one] for one in rows.ids[1]] == ["b", "a", "b", "a", "b", "a", "a"]
        assert rows.times is not None
        assert rows.times.astype(str).tolist()[-1] == "2024-04"
        assert rows.columns["promo"].tolist() == [0, 1, 1, 0, 0, 1, 0]
        assert rows.columns["kind"].tolist() == ["x", "y"] * 3 + ["y"]

    def test_several_files_name_the_series(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_text("promo\n1\n2\n")
        (tmp_path / "b.csv").write_text("promo\n3\n")
        rows = read_future(tmp_path, known_cols=["promo"])
        assert rows.ids is not None
        assert (tuple(rows.ids[0]), rows.ids[1].tolist(), rows.times) == (("a", "b"), [0, 0, 1], None)

    def test_a_query(self, file: Path) -> None:
        rows = read_future(sql=f"SELECT promo FROM '{file}' WHERE shop = 'b'", known_cols=["promo"])
        assert (rows.ids, rows.columns["promo"].tolist()) == (None, [0, 1, 0])

    @pytest.mark.parametrize(
        ("more", "error", "says"),
        [
            ({"known_cols": ["promos"]}, FileError, r"no column 'promos'"),
            ({"known_cols": []}, ArgumentError, r"no column is known ahead"),
            ({"known_cols": ["promo"], "sql": "SELECT 1"}, ArgumentError, r"a file and a query"),
            ({"known_cols": ["promo"], "time": "kind"}, DataError, r"this is not a time"),
        ],
    )
    def test_faults(self, file: Path, more: dict[str, Any], error: type[Exception], says: str) -> None:
        with pytest.raises(error, match=says):
            read_future(file, **more)

    def test_rows_without_a_name(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        path.write_text("shop,promo\na,1\n,2\n")
        with pytest.raises(DataError, match=r"line 3, column 'shop'"):
            read_future(path, ids="shop", known_cols=["promo"])


BESIDE = {"lo_80": [[1.0, 2.0]] * 2, "hi_80": [[3.0, 4.0]] * 2, "q_0.1": [[0.5, 0.6]] * 2}


class TestWriting:
    def test_rows(self, file: Path) -> None:
        panel = read_panel(file, **HOW, **COLS)
        rows = forecast_rows(panel, [[7.0, 8.0]] * 2, beside=BESIDE)
        assert list(rows) == ["shop", "month", "y_hat", "y_hat_lo_80", "y_hat_hi_80", "y_hat_q_0.1"]
        assert rows["y_hat_hi_80"] == [3.0, 4.0, 3.0, 4.0]
        assert rows["month"] == ["2024-03", "2024-04"] * 2

    def test_channels(self) -> None:
        panel = to_panel(np.ones((3, 2)))
        ends = {"lo_80": np.array([[1.0, 2.0]])}
        rows = forecast_rows(panel, np.array([[3.0, 4.0]]), beside=ends)
        names = [*panel.channels]
        assert list(rows) == [
            "step",
            *(f"{one}_hat" for one in names),
            *(f"{one}_hat_lo_80" for one in names),
        ]
        assert [one[0] for one in rows.values()] == [1, 3.0, 4.0, 1.0, 2.0]

    def test_wide(self, tmp_path: Path) -> None:
        path = tmp_path / "a.csv"
        path.write_text("t,a,b\n1,1,4\n2,2,5\n")
        panel = read_panel(path, time="t", layout="wide")
        rows = forecast_rows(panel, [[1.0, 2.0]] * 2, beside=BESIDE)
        assert list(rows)[:5] == ["t", "a", "a_lo_80", "a_hi_80", "a_q_0.1"]

    def test_parquet_keeps_typed_times(self, file: Path, tmp_path: Path) -> None:
        out = tmp_path / "next.parquet"
        panel = read_panel(file, **HOW, **COLS)
        write_forecast(out, panel, [[7.0, 8.0]] * 2, beside=BESIDE)
        found = duckdb.sql(f"SELECT month::VARCHAR, \"y_hat_q_0.1\" FROM '{out}'").fetchall()
        assert found[0] == ("2024-03-01", 0.5)

    def test_ends_that_do_not_fit(self, file: Path) -> None:
        with pytest.raises(ArgumentError, match=r"\(2, K, 1\)"):
            forecast_rows(read_panel(file, **HOW, **COLS), [[7.0]] * 2, beside={"lo_80": [[1.0]]})
