"""`unrolled forecast`: what comes out, where, and that it is what the Forecaster says."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pytest

from tests.cli.helpers import QUICK, forecast, monthly, months, rows, run, table, wave
from unrolled.forecaster import Forecaster

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def sales(tmp_path: Path) -> Path:
    return monthly(tmp_path / "sales.csv")


def expected(y: list[float], **arguments: object) -> np.ndarray:
    """Return what Python's Forecaster says, with the arguments of `QUICK`."""
    known = np.asarray(y, np.float32)
    return Forecaster(6, steps=20, hidden_size=4, threads=1, **arguments).fit(known).predict()  # type: ignore[arg-type]


def test_stdout_is_csv_and_continues_the_months(sales: Path) -> None:
    result = forecast(sales)
    assert result.exit_code == 0
    found = rows(result.stdout)
    assert [*found[0]] == ["month", "y_hat"]
    assert [row["month"] for row in found] == months(6, "2020-01")
    assert np.allclose([float(row["y_hat"]) for row in found], expected(wave(60), season=12), rtol=1e-6)


def test_talk_goes_to_stderr(sales: Path) -> None:
    result = forecast(sales)
    assert result.stdout.count("\n") == 7
    for word in ("60 points", "Season 12", "1 month", "lstm", "seasonal_naive", "autoregression", "MASE"):
        assert word in result.stderr


def test_a_better_baseline_is_told(sales: Path) -> None:
    assert "A baseline is better than network" in forecast(sales, "--steps", 1).stderr


def test_many_series_by_id(tmp_path: Path) -> None:
    shops = {"north": wave(60), "südost": wave(50, level=500), "3": wave(45, level=-20)}
    lines = [
        (month, shop, y[i]) for i, month in enumerate(months(60)) for shop, y in shops.items() if i < len(y)
    ]
    file = table(tmp_path / "shops.csv", ("month", "shop", "sales"), lines)
    result = forecast(file, "--id", "shop")
    assert result.exit_code == 0
    found = rows(result.stdout)
    assert [*found[0]] == ["shop", "month", "y_hat"]
    assert [row["shop"] for row in found] == [shop for shop in shops for _ in range(6)]
    assert [row["month"] for row in found[6:8]] == ["2019-03-01", "2019-04-01"], (
        "each goes on from its own end"
    )
    model = Forecaster(6, season=12, steps=20, hidden_size=4, threads=1)
    known = model.fit([np.asarray(y, np.float32) for y in shops.values()]).predict()
    assert np.allclose([float(row["y_hat"]) for row in found], known.reshape(-1), rtol=1e-6)


def test_parquet_in_and_out(tmp_path: Path, sales: Path) -> None:
    given, out = tmp_path / "sales.parquet", tmp_path / "next.parquet"
    duckdb.sql(f"COPY (SELECT month::DATE AS month, sales FROM '{sales}') TO '{given}'")
    result = forecast(given, "--out", out)
    assert result.exit_code == 0
    assert result.stdout == "", "what is written to a file is not printed too"
    assert f"Forecast written to {out}." in result.stderr
    found = duckdb.sql(f"SELECT * FROM '{out}'")
    assert dict(zip(found.columns, map(str, found.types), strict=True)) == {
        "month": "DATE",
        "y_hat": "DOUBLE",
    }
    printed = rows(forecast(sales).stdout)
    assert [(str(month), y_hat) for month, y_hat in found.fetchall()] == [
        (row["month"], float(row["y_hat"])) for row in printed
    ]


def test_csv_file_holds_what_would_be_printed(tmp_path: Path, sales: Path) -> None:
    out = tmp_path / "next.csv"
    forecast(sales, "--out", out)
    assert rows(out.read_text(encoding="utf-8")) == rows(forecast(sales).stdout)


def test_json(sales: Path) -> None:
    result = forecast(sales, "--json")
    found = json.loads(result.stdout)
    assert list(found) == ["horizon", "season", "forecast", "comparison", "network", "stopped"]
    assert (found["horizon"], found["season"], found["stopped"]) == (6, 12, "finished")
    printed = rows(forecast(sales).stdout)
    assert found["forecast"] == [{"month": row["month"], "y_hat": float(row["y_hat"])} for row in printed]
    comparison = found["comparison"]
    assert set(comparison["rows"]) == {"network", "naive", "seasonal_naive", "drift", "autoregression"}
    assert comparison["rows"]["network"]["mase"] > 0
    assert isinstance(comparison["baseline_is_better"], bool)
    assert (found["network"]["cell"], found["network"]["steps"]) == ("lstm", 20)


def test_json_is_ascii_and_goes_with_a_file(tmp_path: Path) -> None:
    lines = [(month, "北", y) for month, y in zip(months(60), wave(60), strict=True)]
    file, out = table(tmp_path / "a.csv", ("month", "店", "sales"), lines), tmp_path / "b.csv"
    result = forecast(file, "--id", "店", "--json", "--out", out)
    assert result.stdout.isascii()
    assert json.loads(result.stdout)["forecast"][0]["店"] == "北"
    assert rows(out.read_text(encoding="utf-8"))[0]["店"] == "北"


def test_html_is_one_offline_page(tmp_path: Path, sales: Path) -> None:
    page = tmp_path / "sales.html"
    result = forecast(sales, "--html", page)
    assert rows(result.stdout), "the forecast is still printed"
    assert f"Page written to {page}." in result.stderr
    content = page.read_text(encoding="utf-8")
    assert "<svg" in content
    assert "sales.csv" in content
    assert not re.search(r"(?:src|href|url|@import)\s*[=(]?\s*[\"']?(?:https?:)?//", content)


def test_saved_model_forecasts_the_same(tmp_path: Path, sales: Path) -> None:
    model = tmp_path / "sales.safetensors"
    result = forecast(sales, "--save", model)
    again = Forecaster.load(model).predict()
    assert np.allclose([float(row["y_hat"]) for row in rows(result.stdout)], again.reshape(-1), rtol=1e-6)


def test_whole_numbers_as_time(tmp_path: Path) -> None:
    file = table(tmp_path / "a.csv", ("month", "sales"), zip(range(10, 130, 2), wave(60), strict=True))
    result = forecast(file)
    assert [row["month"] for row in rows(result.stdout)] == ["130", "132", "134", "136", "138", "140"]
    assert "Season" not in result.stderr.splitlines()[1], "nothing is known of the season of numbers"


def test_months_without_days(tmp_path: Path) -> None:
    file = table(
        tmp_path / "a.csv", ("month", "sales"), zip([m[:7] for m in months(60)], wave(60), strict=True)
    )
    assert rows(forecast(file).stdout)[0]["month"] == "2020-01"


def test_rows_in_order_without_a_time_column(sales: Path) -> None:
    result = run("forecast", sales, "--target", "sales", "--horizon", 6, *QUICK)
    found = rows(result.stdout)
    assert [*found[0]] == ["step", "y_hat"]
    assert [row["step"] for row in found] == ["1", "2", "3", "4", "5", "6"]
    assert np.allclose([float(row["y_hat"]) for row in found], expected(wave(60)), rtol=1e-6)


def test_several_targets_are_forecast_together(tmp_path: Path) -> None:
    lines = zip(months(60), wave(60), wave(60, level=7), strict=True)
    file, page = table(tmp_path / "a.csv", ("month", "sales", "visits"), lines), tmp_path / "a.html"
    result = forecast(file, "--target", "visits", "--html", page)
    assert [*rows(result.stdout)[0]] == ["month", "sales_hat", "visits_hat"]
    content = page.read_text(encoding="utf-8")
    assert content.count("<figure") == 2 or content.count("<svg") >= 2


@pytest.mark.parametrize(
    ("args", "season"),
    [((), 12), (("--season", 1), 1), (("--season", 4), 4), (("--horizon", 37), None)],
    ids=["from-the-months", "none", "given", "too-short-to-show-it"],
)
def test_season(sales: Path, args: tuple[object, ...], season: int | None) -> None:
    result = forecast(sales, *args, "--json")
    assert json.loads(result.stdout)["season"] == season
    assert ("because the times go by 1 month" in result.stderr) == (args == ())


def test_constant_series_works(tmp_path: Path) -> None:
    file = table(tmp_path / "a.csv", ("month", "sales"), [(month, 5) for month in months(60)])
    result = forecast(file, "--html", tmp_path / "a.html", "--json", "--steps", 500)
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert np.allclose([row["y_hat"] for row in found["forecast"]], 5.0, atol=1e-3)
    assert found["comparison"]["judged_by"] == "mae"


def test_nothing_held_out_is_told(tmp_path: Path, sales: Path) -> None:
    result = forecast(sales, "--validation", 0, "--json", "--html", tmp_path / "a.html")
    assert json.loads(result.stdout)["comparison"] is None
    assert "how good this forecast is cannot be said" in result.stderr


def test_chinese(sales: Path) -> None:
    result = forecast(sales, "--lang", "zh")
    assert "季节周期 12" in result.stderr
    assert rows(result.stdout)[0]["month"] == "2020-01-01"
    assert "Season" in forecast(sales).stderr, "the language ends with the command"


def test_language_before_the_command_and_of_the_environment(
    sales: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = run("--lang", "zh", "forecast", sales, "--time", "month", "--target", "sales", "--horizon", 0)
    assert "应为" in result.stderr
    monkeypatch.setenv("UNROLLED_LANG", "zh_CN.UTF-8")
    assert "季节周期 12" in forecast(sales).stderr
    assert "Season 12" in forecast(sales, "--lang", "en").stderr


def test_the_same_seed_gives_the_same_bytes(sales: Path) -> None:
    assert forecast(sales, "--seed", 5).stdout == forecast(sales, "--seed", 5, "--threads", 2).stdout
    assert forecast(sales, "--seed", 5).stdout != forecast(sales, "--seed", 6).stdout
