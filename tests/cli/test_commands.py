"""fit, predict, backtest, tune and info: what comes out, and that it is what Python's functions say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.cli.helpers import QUICK, forecast, monthly, months, rows, run, table, wave
from unrolled.evaluation import backtest
from unrolled.files import read_panel
from unrolled.forecaster import Forecaster
from unrolled.tuning import tune

if TYPE_CHECKING:
    from pathlib import Path

USUAL = ("--time", "month", "--target", "sales", "--horizon", 6, *QUICK)


@pytest.fixture
def sales(tmp_path: Path) -> Path:
    return monthly(tmp_path / "sales.csv")


@pytest.fixture
def model(tmp_path: Path, sales: Path) -> Path:
    path = tmp_path / "sales.safetensors"
    result = run("fit", sales, *USUAL, "--save", path)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "seasonal_naive" in result.stderr
    assert f"Model written to {path}." in result.stderr
    return path


def shops(path: Path, count: int = 60) -> Path:
    every = {"north": wave(count), "südost": wave(count - 10, level=500)}
    lines = [(m, shop, y[i]) for i, m in enumerate(months(count)) for shop, y in every.items() if i < len(y)]
    return table(path, ("month", "shop", "sales"), lines)


def test_fit_and_predict_are_forecast(sales: Path, model: Path) -> None:
    assert run("predict", model).stdout == forecast(sales).stdout
    assert run("predict", model, sales).stdout == forecast(sales).stdout


def test_many_series_keep_their_names_and_times(tmp_path: Path) -> None:
    file, kept = shops(tmp_path / "shops.csv"), tmp_path / "shops.safetensors"
    whole = forecast(file, "--id", "shop", "--save", kept).stdout
    assert [*rows(whole)[0]] == ["shop", "month", "y_hat"]
    assert run("predict", kept).stdout == whole
    assert run("predict", kept, file).stdout == whole


def test_predict_goes_on_from_another_file(tmp_path: Path, model: Path) -> None:
    later = monthly(tmp_path / "later.csv", 70)
    found = rows(run("predict", model, later).stdout)
    assert found[0]["month"] == months(1, "2020-11")[0]
    panel = read_panel(later, target="sales", time="month")
    expected = Forecaster.load(model).predict(panel).reshape(-1)
    assert np.allclose([float(row["y_hat"]) for row in found], expected, rtol=1e-6)


def test_columns_of_another_name(tmp_path: Path, sales: Path, model: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text(sales.read_text().replace("month,sales", "day,visits"))
    missing = run("predict", model, other)
    assert (missing.exit_code, missing.stdout) == (1, "")
    assert "there is no column 'month'" in missing.stderr
    found = run("predict", model, other, "--time", "day", "--target", "visits")
    assert found.stdout.splitlines()[1:] == run("predict", model).stdout.splitlines()[1:]


def test_predict_writes_and_draws(tmp_path: Path, model: Path) -> None:
    out, page = tmp_path / "next.csv", tmp_path / "next.html"
    result = run("predict", model, "--out", out, "--html", page)
    assert (result.exit_code, result.stdout) == (0, "")
    assert out.read_text() == run("predict", model).stdout
    assert "<svg" in page.read_text(encoding="utf-8")
    found = json.loads(run("predict", model, "--json").stdout)
    assert [row["month"] for row in found["forecast"]] == months(6, "2020-01")


def test_fit_as_json(tmp_path: Path, sales: Path) -> None:
    found = json.loads(run("fit", sales, *USUAL, "--save", tmp_path / "a.safetensors", "--json").stdout)
    assert list(found) == ["horizon", "season", "comparison", "network", "stopped"]


def test_backtest(sales: Path) -> None:
    more = ("--folds", 2, "--baselines", "naive,drift", "--refit", "no")
    result = run("backtest", sales, *USUAL, *more, "--json")
    assert result.exit_code == 0, result.stderr
    panel = read_panel(sales, target="sales", time="month")
    model = Forecaster(6, season=12, steps=20, hidden_size=4, threads=1)
    known: dict[str, Any] = {"folds": 2, "baselines": ("naive", "drift"), "refit": False, "season": 12}
    expected = backtest(model, panel, **known).to_dict()
    found = json.loads(result.stdout)
    assert _without_seconds(found) == _without_seconds(json.loads(json.dumps(expected)))
    shown = run("backtest", sales, *USUAL, *more)
    assert "naive" in shown.stdout
    assert "MASE" in shown.stdout
    assert "MASE" not in shown.stderr, "nothing is told twice"


def _without_seconds(facts: Any) -> Any:
    if isinstance(facts, dict):
        return {name: _without_seconds(one) for name, one in facts.items() if "seconds" not in name}
    return [_without_seconds(one) for one in facts] if isinstance(facts, list) else facts


SEARCH = ("--trials", 3, "--space", "lr=0.001..0.1,log", "--space", "skip=true,false")


def test_tune(tmp_path: Path, sales: Path) -> None:
    kept, out = tmp_path / "best.safetensors", tmp_path / "next.csv"
    result = run("tune", sales, *USUAL, *SEARCH, "--save", kept, "--out", out, "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    panel = read_panel(sales, target="sales", time="month")
    base = Forecaster(6, season=12, steps=20, hidden_size=4, threads=1)
    space = {"lr": (0.001, 0.1, "log"), "skip": [True, False]}
    expected = tune(panel, 6, trials=3, space=space, base=base)
    assert found["tuning"]["params"] == expected.params
    assert [one["score"] for one in found["tuning"]["trials"]] == [one["score"] for one in expected.trials]
    assert np.allclose([row["y_hat"] for row in found["forecast"]], expected.forecaster.predict().reshape(-1))
    assert run("predict", kept).stdout == out.read_text()
    assert "seen by no trial" in result.stderr


def test_tune_goes_on(tmp_path: Path, sales: Path) -> None:
    more = (*SEARCH, "--storage", tmp_path / "trials.log")
    first = run("tune", sales, *USUAL, *more)
    again = run("tune", sales, *USUAL, *more)
    assert rows(first.stdout) == rows(again.stdout)
    assert len(rows(first.stdout)) == 6


@pytest.mark.parametrize(
    "space",
    ["lr", "lr=", "lr=a..b", "lr=1..2,cube", "=1", "cell=gru,,lstm"],
)
def test_a_space_that_cannot_be_read(sales: Path, space: str) -> None:
    result = run("tune", sales, *USUAL, "--space", space)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--space" in result.stderr


def test_the_same_argument_twice_in_a_space(sales: Path) -> None:
    assert run("tune", sales, *USUAL, "--space", "lr=1", "--space", "lr=2").exit_code == 2


def test_tune_without_optuna(sales: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "optuna", None)
    result = run("tune", sales, *USUAL)
    assert result.exit_code == 1
    assert "pip install 'unrolled[tune]'" in result.stderr


def test_info_of_a_model(model: Path) -> None:
    result = run("info", model)
    assert (result.exit_code, result.stderr) == (0, "")
    for word in (
        "Forecaster(horizon=6",
        "sales",
        "1 month",
        "2019-12",
        "lstm",
        "20 steps",
        "members 6",
        "refit True",
    ):
        assert word in result.stdout
    assert "validation loss" not in result.stdout
    found = json.loads(run("info", model, "--json").stdout)
    assert found["kind"] == "model"
    assert found["arguments"]["horizon"] == 6
    assert found["columns"] == {"id": None, "time": "month"}
    assert found["training"]["steps"] == 20
    assert found["network"]["hidden_size"] == 4
    assert (found["settings"]["members"], found["settings"]["refit"]) == (6, True)
    assert len(found["settings"]["windows"]) == 6


def test_info_of_a_model_whose_weights_the_points_held_out_chose(tmp_path: Path, sales: Path) -> None:
    path = tmp_path / "chosen.safetensors"
    run("fit", sales, *USUAL, "--no-refit", "--save", path)
    assert "validation loss" in run("info", path).stdout
    found = json.loads(run("info", path, "--json").stdout)
    assert found["training"]["validation_loss"] > 0
    assert found["settings"]["refit"] is False


def test_info_of_a_file(tmp_path: Path) -> None:
    lines = [
        *zip(months(12), wave(12), ["a"] * 12, strict=True),
        *zip(months(9), ["", "n/a", *wave(7)], "b" * 9, strict=True),
    ]
    file = table(tmp_path / "a.csv", ("month", "sales", "shop"), lines)
    found = json.loads(run("info", file, "--time", "month", "--id", "shop", "--json").stdout)
    assert (found["kind"], found["rows"], found["step"]) == ("file", 21, "1 month")
    assert found["series"] == {"count": 2, "shortest": 9, "longest": 12}
    assert found["columns"]["sales"] == {
        "type": "number",
        "missing": 2,
        "first": "95.6699",
        "last": "114.0",
    } | {name: found["columns"]["sales"][name] for name in ("first", "last")}
    assert float(found["columns"]["sales"]["first"]) == min(wave(12))
    assert found["columns"]["shop"] == {"type": "text", "missing": 0, "first": "a", "last": "b"}
    shown = run("info", file, "--time", "month", "--id", "shop").stdout
    for word in ("21 rows, 3 columns", "missing: 2", "series: 2; points: 9 to 12", "1 month"):
        assert word in shown
    assert "series" not in run("info", file).stdout


def test_info_of_times_that_keep_no_step(tmp_path: Path) -> None:
    file = table(tmp_path / "a.csv", ("t", "y"), [(1, 1), (2, 2), (4, 3)])
    assert json.loads(run("info", file, "--time", "t", "--json").stdout)["step"] is None
    file = table(tmp_path / "b.csv", ("t", "y"), [("soon", 1), ("later", 2)])
    assert json.loads(run("info", file, "--time", "t", "--json").stdout)["step"] is None


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (("predict", "none.safetensors"), 1, "There is no such file"),
        (("info", "none.safetensors"), 1, "There is no such file"),
        (("info", "none.csv"), 1, "there is no such file"),
        (("info", "sales.csv", "--time", "day"), 1, "there is no column 'day'"),
        (("predict", "sales.csv"), 1, "sales.csv"),
        (("predict", "m.safetensors", "--time", "month"), 2, "no file of series"),
        (("info", "m.safetensors", "--time", "month"), 2, "no file of series"),
        (("predict", "m.safetensors", "--out", "m.safetensors"), 2, "MODEL and --out are the same file"),
        (("predict", "m.safetensors", "sales.csv", "--out", "sales.csv"), 2, "FILE and --out are the same"),
        (("fit", "sales.csv", "--target", "sales", "--horizon", "6"), 2, "--save"),
        (
            ("fit", "sales.csv", "--target", "sales", "--horizon", "0", "--save", "m"),
            2,
            "horizon does not fit",
        ),
        (
            ("tune", "sales.csv", "--target", "sales", "--horizon", "6", "--trials", "0"),
            2,
            "trials does not fit",
        ),
        (("tune", "sales.csv", "--target", "sales", "--horizon", "60"), 1, "No series is long enough"),
        (("backtest", "sales.csv", "--target", "sales", "--horizon", "6", "--folds", "0"), 2, "folds"),
    ],
)
def test_what_cannot_work(
    sales: Path, monkeypatch: pytest.MonkeyPatch, args: tuple[str, ...], code: int, says: str
) -> None:
    monkeypatch.chdir(sales.parent)
    before = sales.read_bytes()
    result = run(*args)
    assert (result.exit_code, result.stdout) == (code, "")
    assert says in result.stderr
    assert sales.read_bytes() == before


def test_chinese(sales: Path, model: Path) -> None:
    assert "60 行" in run("info", sales, "--lang", "zh").stdout
    assert "训练" in run("info", model, "--lang", "zh").stdout
    assert "试验" in run("tune", sales, *USUAL, *SEARCH, "--lang", "zh").stderr
