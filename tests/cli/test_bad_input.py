"""Everything that can be wrong is told where it stands, and leaves stdout and the disk clean."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from tests.cli.helpers import forecast, monthly, months, rows, run, table, wave

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@pytest.fixture
def sales(tmp_path: Path) -> Path:
    return monthly(tmp_path / "sales.csv")


def with_row(row: int, month: object, value: object) -> list[tuple[object, object]]:
    """Return the rows of a good file, one of them replaced; row 0 stands on line 2."""
    lines: list[tuple[object, object]] = [*zip(months(60), wave(60), strict=True)]
    lines[row] = (month, value)
    return lines


ROWS = {
    "no rows": ([], "there are no rows"),
    "text in the target": (with_row(7, "2015-08-01", "many"), "line 9, column 'sales': this is not a number"),
    "nothing in the target": ([(month, "") for month in months(60)], "the series 0 has no observed value"),
    "infinite": (with_row(7, "2015-08-01", "-inf"), "line 9, column 'sales'"),
    "too large for float32": (with_row(7, "2015-08-01", "1e300"), "line 9, column 'sales'"),
    "a time twice": (with_row(7, "2015-07-01", 1), "line 9, column 'month': the time 2015-07-01 comes twice"),
    "unsorted times": (with_row(7, "2014-07-01", 1), "line 9, column 'month': the rows are not in the order"),
    "irregular times": (with_row(7, "2015-08-02", 1), "column 'month': the time stands between two steps"),
    "text for a time": (with_row(7, "August", 1), "line 9, column 'month': this is not a time"),
    "one row": ([("2015-01-01", 1)], "one row only"),
    "too short": ([*zip(months(6), wave(6), strict=True)], "No series is long enough"),
}


@pytest.mark.parametrize("name", ROWS)
def test_bad_rows(name: str, tmp_path: Path) -> None:
    lines, says = ROWS[name]
    file = table(tmp_path / "bad.csv", ("month", "sales"), lines)
    result = forecast(file, "--out", tmp_path / "out.csv")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert says in result.stderr
    assert "expected: " in result.stderr
    assert "try: " in result.stderr
    assert "Traceback" not in result.stderr
    assert [one.name for one in tmp_path.iterdir()] == ["bad.csv"]


@pytest.mark.parametrize(("mask", "code"), [("--no-mask", 1), ("--mask", 0)])
def test_series_shorter_than_a_window_is_named(tmp_path: Path, mask: str, code: int) -> None:
    lines = [(month, "long", 1) for month in months(60)] + [(month, "short", 1) for month in months(9)]
    file = table(tmp_path / "a.csv", ("month", "shop", "sales"), lines)
    result = forecast(file, "--id", "shop", "--window", 10, mask)
    assert result.exit_code == code
    assert "short" in result.stderr
    assert "window" in result.stderr


def test_missing_file(tmp_path: Path, sales: Path) -> None:
    result = forecast(tmp_path / "sale.csv")
    assert result.exit_code == 1
    assert "there is no such file" in result.stderr
    assert str(sales) in result.stderr, "the nearest name is offered"


@pytest.mark.parametrize(
    ("args", "column"),
    [(("--target", "sale"), "sale"), (("--time", "day"), "day"), (("--id", "shop"), "shop")],
)
def test_missing_column(sales: Path, args: Sequence[str], column: str) -> None:
    result = forecast(sales, *args)
    assert result.exit_code == 1
    assert f"there is no column {column!r}" in result.stderr
    assert "one of 'month', 'sales'" in result.stderr


@pytest.mark.parametrize("content", [b"", b"not parquet at all"], ids=["empty", "damaged"])
def test_damaged_parquet(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "a.parquet"
    file.write_bytes(content)
    result = forecast(file)
    assert result.exit_code == 1
    assert str(file) in result.stderr


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--horizon", 0), "horizon does not fit"),
        (("--season", -12), "season does not fit"),
        (("--season", 0), "season does not fit"),
        (("--window", 0), "window does not fit"),
        (("--cell", "lstn"), 'cell="lstm"'),
        (("--lr", "nan"), "lr does not fit"),
        (("--dropout", 0.5), "dropout lies between layers"),
        (("--epochs", 3), "epochs and steps both"),
        (("--validation", 2), "validation is too short"),
        (("--loss", "quantile"), "quantiles"),
        (("--loss", "quantile", "--quantiles", "0.9,0.1"), "quantiles"),
        (("--loss", "gaussian", "--quantiles", "0.9,0.1"), "quantiles"),
        (("--quantiles", "0.1,0.9"), "quantiles"),
        (("--levels", "80,120"), "levels"),
        (("--dtype", "float16"), "dtype is not known"),
        (("--patch", 5, "--window", 12), "cut into patches"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_arguments_that_cannot_work_are_misuse(sales: Path, args: Sequence[object], says: str) -> None:
    result = forecast(sales, *args)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert says in result.stderr


def test_all_faults_of_the_arguments_are_told_before_the_file_is_read(tmp_path: Path) -> None:
    result = forecast(tmp_path / "none.csv", "--horizon", 0, "--season", -1, "--batch-size", 0)
    assert result.exit_code == 2
    assert result.stderr.count("expected: ") == 3
    assert "no such file" not in result.stderr


@pytest.mark.parametrize(
    "args",
    [
        ("forecast",),
        ("forecast", "a.csv", "--target", "y"),
        ("forecast", "a.csv", "--target", "y", "--horizon", "many"),
        ("forecast", "a.csv", "--target", "y", "--horizon", "3", "--no-such-option"),
        ("forecast", "a.csv", "--target", "y", "--horizon", "3", "--lang", "fr"),
        ("demo", "--epochs", "1.5"),
        ("prophecy",),
        ("--lang", "fr", "demo"),
    ],
    ids=" ".join,
)
def test_misuse(args: Sequence[str]) -> None:
    result = run(*args)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Usage: " in result.stderr


@pytest.mark.parametrize("command", ["forecast", "backtest", "tune"])
@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--sql", "SELECT 1 AS y"), "no target column is named"),
        (("--target", "y"), "a file and a query are asked for at once, or neither"),
        (("a.csv", "--sql", "SELECT 1", "--target", "y"), "a file and a query are asked for at once"),
        (("--sql", "DROP TABLE a", "--target", "y"), "sql is not one query that reads"),
    ],
)
def test_series_from_nowhere(command: str, args: Sequence[str], says: str) -> None:
    result = run(command, *args, "--horizon", 3)
    assert (result.exit_code, result.stdout) == (2, "")
    assert says in result.stderr


@pytest.mark.parametrize("option", ["--out", "--html", "--save"])
@pytest.mark.parametrize(
    ("place", "says"),
    [("none/a.csv", "does not exist"), ("folder.csv", "this is a folder"), ("/dev/full", "this is a device")],
)
def test_unwritable_outputs_are_told_before_training(
    tmp_path: Path, sales: Path, monkeypatch: pytest.MonkeyPatch, option: str, place: str, says: str
) -> None:
    (tmp_path / "folder.csv").mkdir()
    monkeypatch.setattr("unrolled.forecaster.Forecaster.fit", _never)
    result = forecast(sales, option, tmp_path / place)
    assert result.exit_code == 1
    assert says in result.stderr or "files of this kind" in result.stderr
    assert sorted(one.name for one in tmp_path.iterdir()) == ["folder.csv", "sales.csv"]


def _never(*args: object, **more: object) -> None:
    raise AssertionError("training began")


def test_unknown_kind_of_output(tmp_path: Path, sales: Path) -> None:
    result = forecast(sales, "--out", tmp_path / "next.xlsx")
    assert result.exit_code == 1
    assert "files of this kind are not understood" in result.stderr


@pytest.mark.parametrize("option", ["--out", "--html", "--save"])
def test_nothing_overwrites_the_data(sales: Path, tmp_path: Path, option: str) -> None:
    before = sales.read_bytes()
    link = tmp_path / "link.csv"
    link.symlink_to(sales)
    for name in (sales, link):
        result = forecast(sales, option, name)
        assert result.exit_code == 2
        assert f"FILE and {option} are the same file" in result.stderr
    assert sales.read_bytes() == before


def test_full_disk(tmp_path: Path, sales: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, page = tmp_path / "next.csv", tmp_path / "next.html"
    out.write_text("what was there")
    usual = os.replace

    def full(source: object, target: object) -> None:
        if str(target).endswith(".csv"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        usual(source, target)  # type: ignore[arg-type]

    monkeypatch.setattr("os.replace", full)
    result = forecast(sales, "--out", out, "--html", page)
    assert result.exit_code == 1
    assert "No space left on device" in result.stderr
    assert str(out) in result.stderr
    assert len(rows(result.stdout)) == 6, "the forecast is printed, not lost"
    assert out.read_text() == "what was there"
    assert page.exists(), "one file that fails does not stop the others"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["next.csv", "next.html", "sales.csv"]


def test_training_that_diverges(sales: Path) -> None:
    result = forecast(
        sales, "--optimizer", "sgd", "--lr", 1e6, "--clip", 0, "--scaling", "none", "--loss", "mse"
    )
    assert result.exit_code == 1
    assert "The loss is not finite" in result.stderr


def test_an_error_that_nobody_meant_keeps_its_traceback(sales: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object, **more: object) -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr("unrolled.files.read_panel", broken)
    with pytest.raises(RuntimeError, match="a mistake of ours"):
        forecast(sales)


def test_a_file_of_which_no_column_is_named_tells_its_columns(sales: Path) -> None:
    done = run("forecast", sales, "--horizon", 3)
    assert done.exit_code == 2
    assert "nothing says which column to forecast" in done.stderr
    assert "month, sales" in done.stderr
    assert "--target 'sales'" in done.stderr


def test_of_times_that_come_twice_one_can_be_kept(tmp_path: Path) -> None:
    path = table(
        tmp_path / "twice.csv",
        ("month", "sales"),
        [*zip(months(60), wave(60), strict=True), (months(60)[-1], 5)],
    )
    refused = forecast(path)
    assert refused.exit_code == 1
    assert "--duplicates last" in refused.stderr
    done = forecast(path, "--duplicates", "first")
    assert done.exit_code == 0
    assert "their time comes twice in one series: 1" in done.stderr
