"""Forecasts out, and read again; a file that cannot be written changes nothing."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import resource
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.panel.helpers import fails
from unrolled.errors import ArgumentError, FileError
from unrolled.files import csv_text, forecast_rows, read_panel, write_forecast
from unrolled.panel import Columns, Panel, to_panel
from unrolled.timestep import TimeStep

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ENDINGS = [".csv", ".tsv", ".csv.gz", ".tsv.gz", ".parquet", ".pq"]


def panel_of(times: list[str] | list[int], step: TimeStep, unit: str | None, **columns: Any) -> Panel:
    """Return two series of as many rows as times."""
    axis = np.array(times, f"datetime64[{unit}]" if unit else np.int64)
    return Panel(
        values=np.zeros((2 * len(times), 1), "f4"),
        offsets=np.arange(3) * len(times),
        ids=("A", 'B, "b"'),
        channels=("y",),
        kind="list",
        times=np.tile(axis, 2),
        steps=(step, step),
        columns=Columns(**{"id": "shop", "time": "when"} | columns),
    )


MONTHLY = panel_of(["2020-01", "2020-02"], TimeStep(1, "M"), "M")


def test_rows_stand_series_by_series() -> None:
    assert forecast_rows(MONTHLY, np.array([[1, 2], [3, 4]], "f4") / 10) == {
        "shop": ["A", "A", 'B, "b"', 'B, "b"'],
        "when": ["2020-03", "2020-04"] * 2,
        "y_hat": [0.1, 0.2, 0.3, 0.4],
    }


def test_rows_are_fit_for_json() -> None:
    for panel in (MONTHLY, to_panel([[1.0], [2.0]]), panel_of([1, 2], TimeStep(1, "step"), None)):
        rows = forecast_rows(panel, np.ones((2, 3, 1), "f4"))
        assert json.loads(json.dumps(rows)) == rows


@pytest.mark.parametrize(
    ("y", "rows"),
    [
        ([1.0, 2.0], {"step": [1, 2], "y_hat": [5.0, 6.0]}),
        (np.zeros((2, 2)), {"step": [1, 2], "y0_hat": [5.0, 7.0], "y1_hat": [6.0, 8.0]}),
        ([[1.0], [2.0]], {"series": [0, 0, 1, 1], "step": [1, 2, 1, 2], "y_hat": [5.0, 6.0, 7.0, 8.0]}),
    ],
)
def test_arrays_give_rows_too(y: Any, rows: dict[str, list[Any]]) -> None:
    panel = to_panel(y)
    assert (
        forecast_rows(
            panel, 5.0 + np.arange(2 * panel.n_series * panel.n_channels).reshape(panel.n_series, 2, -1)
        )
        == rows
    )


def test_forecasts_come_in_the_shape_of_the_answer_too() -> None:
    assert forecast_rows(to_panel([1.0]), [5.0, 6.0])["y_hat"] == [5.0, 6.0]
    assert forecast_rows(to_panel(np.zeros((1, 2))), [[5.0, 6.0]])["y1_hat"] == [6.0]
    with fails(ArgumentError, "the forecasts do not fit the panel"):
        forecast_rows(MONTHLY, [1.0, 2.0])


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=5))
def test_a_float32_has_its_own_digits(values: list[float]) -> None:
    written = forecast_rows(to_panel([1.0]), np.array(values, "f4"))["y_hat"]
    assert np.array(written, "f4").tolist() == values
    assert forecast_rows(to_panel([1.0]), np.array([0.1], "f4"))["y_hat"] == [0.1]
    assert forecast_rows(to_panel([1.0]), np.array([0.1], "f8"))["y_hat"] == [0.1]


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize(
    ("times", "step", "unit", "utc"),
    [
        ([1949, 1950], TimeStep(1, "step"), None, False),
        (["2020-01", "2020-02"], TimeStep(1, "M"), "M", False),
        (["2020-01-31", "2020-02-29"], TimeStep(1, "M", 31), "D", False),
        (["2020-01-01T00:00", "2020-01-01T00:30"], TimeStep(30, "m"), "m", True),
        (["2020-01-01T00", "2020-01-01T01"], TimeStep(1, "h"), "h", False),
        (["2020-01-01T00:00:00", "2020-01-01T00:00:01"], TimeStep(1, "s"), "s", False),
        (["2020-01-01T00:00:00", "2020-01-01T00:00:00.5"], TimeStep(500, "ms"), "us", True),
        (["2020-01-01T00:00:00", "2020-01-01T00:00:00.000000500"], TimeStep(500, "ns"), "ns", False),
    ],
)
def test_what_is_written_can_be_read(
    tmp_path: Path, ending: str, times: list[str], step: TimeStep, unit: str | None, utc: bool
) -> None:
    if unit == "ns" and "sv" in ending:
        return  # CSV is read to the microsecond
    panel = panel_of(times, step, unit, utc=utc)
    forecasts = np.random.default_rng(0).normal(size=(2, 5, 1)).astype("f4")
    file = tmp_path / f"out{ending}"
    write_forecast(file, panel, forecasts)
    again = read_panel(file, time="when", target="y_hat", ids="shop")
    future = panel.future(5)
    assert again.ids == panel.ids
    assert again.values.tolist() == forecasts.reshape(-1, 1).tolist()
    assert again.times is not None
    assert future is not None
    assert (again.times == future.reshape(-1)).all()
    assert again.columns == Columns("shop", "when", utc)
    assert os.listdir(tmp_path) == [file.name]


def test_csv_is_as_a_person_expects_it(tmp_path: Path) -> None:
    write_forecast(tmp_path / "a.csv", MONTHLY, np.array([[1e-7, 2], [3.5, -4e20]], "f4"))
    assert (tmp_path / "a.csv").read_text() == (
        'shop,when,y_hat\nA,2020-03,1e-07\nA,2020-04,2.0\n"B, ""b""",2020-03,3.5\n"B, ""b""",2020-04,-4e+20\n'
    )


def test_the_text_on_the_screen_holds_the_same_rows() -> None:
    rows = forecast_rows(MONTHLY, np.array([[1e-7, 2], [3.5, -4e20]], "f4"))
    text = csv_text(rows)
    assert text.startswith("shop,when,y_hat\nA,2020-03,1e-07\n")
    read = list(csv.reader(io.StringIO(text)))
    assert read[0] == list(rows)
    assert [tuple(one) for one in read[1:]] == [
        tuple(map(str, one)) for one in zip(*rows.values(), strict=True)
    ]


@pytest.mark.parametrize(
    ("panel", "kind"),
    [
        (panel_of([1, 2], TimeStep(1, "step"), None), "BIGINT"),
        (MONTHLY, "DATE"),
        (panel_of(["2020-01-01", "2020-01-02"], TimeStep(1, "D"), "D"), "DATE"),
        (panel_of(["2020-01-01", "2020-01-02"], TimeStep(1, "D"), "us"), "TIMESTAMP"),
        (panel_of(["2020-01-01", "2020-01-02"], TimeStep(1, "D"), "ns"), "TIMESTAMP_NS"),
        (
            panel_of(["2020-01-01", "2020-01-02"], TimeStep(1, "D"), "us", utc=True),
            "TIMESTAMP WITH TIME ZONE",
        ),
    ],
)
def test_parquet_has_types(tmp_path: Path, panel: Panel, kind: str) -> None:
    write_forecast(tmp_path / "a.parquet", panel, np.zeros((2, 1, 1)))
    found = duckdb.sql(f"DESCRIBE SELECT * FROM '{tmp_path}/a.parquet'").fetchall()
    assert [(name, own) for name, own, *_ in found] == [
        ("shop", "VARCHAR"),
        ("when", kind),
        ("y_hat", "DOUBLE"),
    ]


def test_names_that_are_numbers_stay_numbers(tmp_path: Path) -> None:
    write_forecast(tmp_path / "a.parquet", to_panel([[1.0], [2.0]]), np.zeros((2, 1)))
    found = duckdb.sql(f"SELECT * FROM '{tmp_path}/a.parquet'").fetchall()
    assert found == [(0, 1, 0.0), (1, 1, 0.0)]


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff"), min_size=1).filter(
        str.strip
    )
)
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_hostile_names_are_only_names(tmp_path: Path, ending: str, name: str) -> None:
    name = name.strip()
    panel = panel_of([1, 2], TimeStep(1, "step"), None, id=name, time=f"{name} 2")
    file = tmp_path / f"it's \"[a]*{ending}"
    write_forecast(file, panel, np.zeros((2, 3)))
    again = read_panel(file, time=f"{name} 2", ids=name, target="y_hat")
    assert again.ids == panel.ids


def test_columns_without_a_name_get_one(tmp_path: Path) -> None:
    panel = panel_of([1, 2], TimeStep(1, "step"), None, id="", time="")
    write_forecast(tmp_path / "a.csv", panel, np.zeros((2, 1)))
    assert (tmp_path / "a.csv").read_text().startswith("series,time,y_hat\n")


def test_many_rows_keep_their_order(tmp_path: Path) -> None:
    panel = to_panel([[1.0]] * 300)
    forecasts = np.arange(300 * 50, dtype="f8").reshape(300, 50)
    for ending in (".csv", ".parquet"):
        write_forecast(tmp_path / f"a{ending}", panel, forecasts)
        again = read_panel(tmp_path / f"a{ending}", target="y_hat", ids="series", dtype="float64")
        assert again.values[:, 0].tolist() == forecasts.ravel().tolist()


# What can go wrong.


def test_other_kinds_are_refused(tmp_path: Path) -> None:
    with fails(FileError, "out.xlsx: files of this kind are not understood ... .csv, .tsv"):
        write_forecast(tmp_path / "out.xlsx", MONTHLY, np.zeros((2, 1)))


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with fails(FileError, "the folder to write to does not exist"):
        write_forecast(tmp_path / "no" / "out.csv", MONTHLY, np.zeros((2, 1)))


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Let every file be at most so large, as if the disk were full then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("old", [None, "old"])
@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".parquet"])
def test_a_disk_that_is_full_changes_nothing(tmp_path: Path, ending: str, old: str | None) -> None:
    file = tmp_path / f"out{ending}"
    if old:
        file.write_text(old)
    forecasts = np.random.default_rng(0).normal(size=(2, 5000))
    with (
        files_of_at_most(4096),
        fails(FileError, f"{file}: the file cannot be written ... unchanged ... File too large"),
    ):
        write_forecast(file, MONTHLY, forecasts)
    assert os.listdir(tmp_path) == ([file.name] if old else [])
    assert not old or file.read_text() == old


def test_a_disk_that_fills_up_at_the_end_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (tmp_path / "out.csv").write_text("old")
    monkeypatch.setattr(os, "replace", full)
    with fails(FileError, "the file cannot be written ... No space left on device"):
        write_forecast(tmp_path / "out.csv", MONTHLY, np.zeros((2, 1)))
    assert os.listdir(tmp_path) == ["out.csv"]
    assert (tmp_path / "out.csv").read_text() == "old"
