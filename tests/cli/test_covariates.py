"""Covariates, missing points, intervals and quantiles on the command line, and that Python says the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.cli.helpers import QUICK, monthly, months, rows, run, table, wave
from unrolled.files import read_future, read_panel
from unrolled.forecaster import Forecaster

if TYPE_CHECKING:
    from pathlib import Path

HEADER = ("shop", "month", "sales", "promo", "rain", "kind")
NAMES = ("--time", "month", "--id", "shop", "--target", "sales")
COLS = ("--known-cols", "promo", "--past-cols", "rain", "--static-cols", "kind", "--calendar", "month")
USUAL = (*NAMES, *COLS, "--horizon", 3, *QUICK)
PYTHON: dict[str, Any] = {
    "season": 12,
    "steps": 20,
    "hidden_size": 4,
    "threads": 1,
    "known_cols": ("promo",),
    "past_cols": ("rain",),
    "static_cols": ("kind",),
    "calendar": ("month",),
}
READ: dict[str, Any] = {"time": "month", "ids": "shop", "target": "sales"}


def lines(ahead: int) -> list[tuple[object, ...]]:
    """Return two shops of 60 months, and what is known of so many months behind them."""
    found: list[tuple[object, ...]] = []
    for shop in ("north", "south"):
        for i, month in enumerate(months(60 + ahead)):
            promo = i % 5 % 2
            sales = "" if i >= 60 else round(wave(60)[i] + 20 * promo, 3)
            found.append((shop, month, sales, promo, "" if i >= 60 else i % 7, f"k{shop}"))
    return found


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """A file that holds its future."""
    return table(tmp_path / "whole.csv", HEADER, lines(3))


@pytest.fixture
def past(tmp_path: Path) -> Path:
    """A file without."""
    return table(tmp_path / "past.csv", HEADER, lines(0))


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    """The future by itself, its rows in another order."""
    ahead = [(one[0], one[1], one[3]) for one in lines(3) if one[2] == ""]
    return table(tmp_path / "plan.csv", ("shop", "month", "promo"), ahead[::-1])


@pytest.fixture
def model(tmp_path: Path, past: Path) -> Path:
    kept = tmp_path / "a.safetensors"
    result = run("fit", past, *USUAL, "--save", kept)
    assert result.exit_code == 0, result.stderr
    return kept


def hats(text: str) -> list[float]:
    return [float(row["y_hat"]) for row in rows(text)]


def test_a_future_is_the_same_wherever_it_stands(whole: Path, past: Path, plan: Path, model: Path) -> None:
    expected = Forecaster(3, **PYTHON).fit(read_panel(past, **READ, **_cols()))
    future = read_future(plan, time="month", ids="shop", known_cols=["promo"])
    said = expected.predict(future=future).reshape(-1)
    ways = [
        run("forecast", whole, *USUAL),
        run("forecast", past, *USUAL, "--future", plan),
        run("forecast", *USUAL, "--sql", f"SELECT * FROM '{whole}'"),
        run("predict", model, "--future", plan),
        run("predict", model, past, "--future", plan),
        run("predict", model, whole),
        run("predict", model, "--sql", f"SELECT * FROM '{whole}'"),
    ]
    for one in ways:
        assert one.exit_code == 0, one.stderr
        np.testing.assert_allclose(hats(one.stdout), said, rtol=1e-5)
    assert [row["month"] for row in rows(ways[0].stdout)] == months(3, "2020-01") * 2


def _cols() -> dict[str, Any]:
    return {name: PYTHON[name] for name in ("known_cols", "past_cols", "static_cols")}


def test_the_future_changes_the_forecast(tmp_path: Path, model: Path, plan: Path) -> None:
    other = tmp_path / "other.csv"
    text = plan.read_text()
    other.write_text(text.replace(",0\n", ",2\n").replace(",1\n", ",0\n"))
    assert run("predict", model, "--future", plan).stdout != run("predict", model, "--future", other).stdout


def test_a_model_keeps_the_future_it_was_given(tmp_path: Path, past: Path, plan: Path) -> None:
    kept = tmp_path / "kept.safetensors"
    first = run("forecast", past, *USUAL, "--future", plan, "--save", kept)
    assert run("predict", kept).stdout == first.stdout


@pytest.mark.parametrize("command", ["forecast", "tune"])
def test_a_future_that_is_not_there_is_told_before_training(
    command: str, past: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*args: object, **more: object) -> None:
        raise AssertionError("training began")

    monkeypatch.setattr(Forecaster, "fit", never)
    result = run(command, past, *USUAL)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "column 'promo', 2020-01" in result.stderr
    assert "--future FILE" in result.stderr


def test_spans(model: Path, plan: Path) -> None:
    found = rows(run("info", model, "--spans").stdout)
    promo = next(one for one in found if (one["series"], one["column"]) == ("south", "promo"))
    assert promo == {
        "series": "south",
        "column": "promo",
        "kind": "known",
        "first": "2018-01-01",
        "last": "2020-03-01",
        "have_last": "2019-12-01",
        "enough": "False",
    }
    assert {one["kind"] for one in found} == {"calendar", "known", "past", "static"}
    facts = json.loads(run("info", model, "--spans", "--json").stdout)
    assert [one["column"] for one in facts["spans"]] == [one["column"] for one in found]
    assert "spans" not in json.loads(run("info", model, "--json").stdout)


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (("predict", "a.safetensors"), 1, "values up to 2020-03"),
        (("predict", "a.safetensors", "past.csv"), 1, "--future FILE"),
        (("predict", "a.safetensors", "--future", "none.csv"), 1, "there is no such file"),
        (("predict", "a.safetensors", "--future", "past.csv"), 1, "future has no row of series 'north'"),
        (("predict", "a.safetensors", "--future", "plan.csv", "--out", "plan.csv"), 2, "--future and --out"),
        (("predict", "a.safetensors", "--future", "plan.csv", "--time", "promo"), 1, "asked for twice"),
        (("info", "past.csv", "--spans"), 2, "only a model needs covariates"),
        (("forecast", "past.csv", *NAMES, "--horizon", 3, "--future", "plan.csv"), 2, "no column is known"),
        (("forecast", "past.csv", *NAMES, "--horizon", 3, "--past-cols", "rains"), 1, "no column 'rains'"),
        (("forecast", "past.csv", *NAMES, "--horizon", 3, "--calendar", "monday"), 2, "monday"),
    ],
)
def test_what_cannot_work(
    tmp_path: Path,
    model: Path,
    plan: Path,
    monkeypatch: pytest.MonkeyPatch,
    args: tuple[object, ...],
    code: int,
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*args)
    assert (result.exit_code, result.stdout) == (code, "")
    assert says in result.stderr


def test_points_that_are_missing_are_said_once(tmp_path: Path) -> None:
    usual = [*zip(months(60), wave(60), strict=True)]
    holes = [("" if i in (20, 21) else y) for i, (_, y) in enumerate(usual)]
    every = [(m, y) for i, ((m, _), y) in enumerate(zip(usual, holes, strict=True)) if i != 30]
    file = table(tmp_path / "a.csv", ("month", "sales"), every)
    result = run("forecast", file, "--time", "month", "--target", "sales", "--horizon", 3, *QUICK)
    assert result.exit_code == 0, result.stderr
    assert result.stderr.count("Points that are missing: 3, in 1 series (0).") == 1
    assert result.stderr.count("Times that are left out: 1, in 1 series (0).") == 1
    zh = run(
        "backtest",
        file,
        "--time",
        "month",
        "--target",
        "sales",
        "--horizon",
        3,
        *QUICK,
        "--folds",
        1,
        "--lang",
        "zh",
    )
    assert "缺失的点：3 个" in zh.stderr
    assert "缺少的时间：1 个" in zh.stderr


def test_of_many_series_some_are_named(tmp_path: Path) -> None:
    every = [
        (shop, m, "" if i == 20 else y)
        for shop in "abcde"
        for i, (m, y) in enumerate(zip(months(60), wave(60), strict=True))
    ]
    file = table(tmp_path / "a.csv", ("shop", "month", "sales"), every)
    result = run("forecast", file, *NAMES, "--horizon", 3, *QUICK)
    assert "missing: 5, in 5 series (a, b, c, ...)" in result.stderr


def test_wide(tmp_path: Path) -> None:
    every = zip(months(62), [*wave(60), "", ""], [*wave(60, level=50), "", ""], [0, 1] * 31, strict=True)
    file = table(tmp_path / "wide.csv", ("month", "north", "south", "promo"), every)
    kept = tmp_path / "a.safetensors"
    usual = ("--time", "month", "--layout", "wide", "--known-cols", "promo", "--horizon", 2, *QUICK)
    result = run("forecast", file, *usual, "--levels", "50", "--save", kept)
    assert result.exit_code == 0, result.stderr
    found = rows(result.stdout)
    assert list(found[0]) == [
        "month",
        *(f"{one}{end}" for one in ("north", "south") for end in ("", "_lo_50", "_hi_50")),
    ]
    assert run("predict", kept, file, "--levels", "50").stdout == result.stdout


class TestSpread:
    def test_levels(self, tmp_path: Path) -> None:
        file, page, out = monthly(tmp_path / "a.csv", 120), tmp_path / "a.html", tmp_path / "a.parquet"
        usual = ("--time", "month", "--target", "sales", "--horizon", 6, *QUICK, "--calibration", 24)
        result = run("forecast", file, *usual, "--levels", "80,50", "--html", page, "--json")
        assert result.exit_code == 0, result.stderr
        found = json.loads(result.stdout)["forecast"]
        arguments: dict[str, Any] = {
            "season": 12,
            "steps": 20,
            "hidden_size": 4,
            "threads": 1,
            "calibration": 24,
        }
        expected = (
            Forecaster(6, **arguments)
            .fit(read_panel(file, time="month", target="sales"))
            .predict(levels=(80,))
        )
        np.testing.assert_allclose([one["y_hat_lo_80"] for one in found], expected.lower[80][0], rtol=1e-6)
        np.testing.assert_allclose([one["y_hat_hi_80"] for one in found], expected.upper[80][0], rtol=1e-6)
        assert all(one["y_hat_lo_80"] <= one["y_hat_lo_50"] <= one["y_hat_hi_50"] for one in found)
        drawn = page.read_text(encoding="utf-8")
        assert drawn.index('data-name="80 % interval"') < drawn.index('data-name="50 % interval"')
        run("forecast", file, *usual, "--levels", "80", "--out", out)
        panel = read_panel(out, time="month", target=["y_hat", "y_hat_lo_80", "y_hat_hi_80"])
        np.testing.assert_allclose(panel.values[:, 1], expected.lower[80][0], rtol=1e-5)

    def test_levels_that_cannot_be_had_do_not_cost_the_forecast(self, tmp_path: Path) -> None:
        file = monthly(tmp_path / "a.csv")
        usual = ("--time", "month", "--target", "sales", "--horizon", 6, *QUICK)
        result = run("forecast", file, *usual, "--levels", "50,99")
        assert result.exit_code == 2
        assert list(rows(result.stdout)[0]) == ["month", "y_hat", "y_hat_lo_50", "y_hat_hi_50"]
        assert "Too few held-out forecasts for an interval of 99.0 %" in result.stderr

    @pytest.mark.parametrize("loss", ["quantile", "gaussian", "student_t"])
    def test_quantiles(self, tmp_path: Path, loss: str) -> None:
        file, kept = monthly(tmp_path / "a.csv"), tmp_path / "a.safetensors"
        usual = ("--time", "month", "--target", "sales", "--horizon", 6, *QUICK, "--loss", loss)
        result = run("forecast", file, *usual, "--quantiles", "0.1,0.5,0.9", "--save", kept)
        assert result.exit_code == 0, result.stderr
        found = rows(result.stdout)
        assert list(found[0]) == ["month", "y_hat", "y_hat_q_0.1", "y_hat_q_0.5", "y_hat_q_0.9"]
        expected = Forecaster.load(kept).predict_quantiles(quantiles=(0.1, 0.5, 0.9))[0, :, 0]
        got = [[float(one[f"y_hat_q_{q}"]) for q in ("0.1", "0.5", "0.9")] for one in found]
        np.testing.assert_allclose(got, expected, rtol=1e-5)
        assert run("predict", kept, "--quantiles", "0.1,0.5,0.9").stdout == result.stdout

    def test_quantiles_of_points(self, tmp_path: Path) -> None:
        kept = tmp_path / "a.safetensors"
        usual = ("--time", "month", "--target", "sales", "--horizon", 6, *QUICK)
        run("fit", monthly(tmp_path / "a.csv"), *usual, "--save", kept)
        result = run("predict", kept, "--quantiles", "0.1")
        assert result.exit_code == 2
        assert "This forecaster forecasts points, not quantiles" in result.stderr
        assert list(rows(result.stdout)[0]) == ["month", "y_hat"], "the forecast is not lost"


class TestTraining:
    def test_a_checkpoint_is_gone_on_from(self, tmp_path: Path) -> None:
        file, book = monthly(tmp_path / "a.csv"), tmp_path / "a.checkpoint"
        usual = ("--time", "month", "--target", "sales", "--horizon", 6, *QUICK, "--checkpoint", book)
        first = run("fit", file, *usual, "--checkpoint-every-s", 0, "--save", tmp_path / "one")
        assert first.exit_code == 0, first.stderr
        assert book.exists()
        assert run("fit", file, *usual, "--save", tmp_path / "two").exit_code == 0
        assert run("predict", tmp_path / "one").stdout == run("predict", tmp_path / "two").stdout
        other = run("fit", file, *usual, "--seed", 7, "--save", tmp_path / "three")
        assert (other.exit_code, str(book) in other.stderr) == (1, True)
        same = run("fit", file, *usual, "--save", book)
        assert "--checkpoint and --save are the same file" in same.stderr

    def test_fit_more(self, tmp_path: Path, model: Path, plan: Path, whole: Path) -> None:
        before, newer = model.read_bytes(), tmp_path / "newer.safetensors"
        result = run("fit-more", model, whole, "--steps", 5, "--save", newer, "--json")
        assert result.exit_code == 0, result.stderr
        assert json.loads(result.stdout)["network"]["steps"] == 5
        assert model.read_bytes() == before
        expected = Forecaster.load(model).fit_more(read_panel(whole, **READ, **_cols()), steps=5)
        np.testing.assert_allclose(
            hats(run("predict", newer).stdout), expected.predict().reshape(-1), rtol=1e-5
        )

    @pytest.mark.parametrize(
        ("args", "code", "says"),
        [
            (("none.csv",), 1, "there is no such file"),
            (("past.csv", "--steps", 0), 2, "steps does not fit"),
            ((), 2, "a file and a query"),
        ],
    )
    def test_fit_more_that_cannot_work(
        self,
        tmp_path: Path,
        model: Path,
        monkeypatch: pytest.MonkeyPatch,
        args: tuple[object, ...],
        code: int,
        says: str,
    ) -> None:
        monkeypatch.chdir(tmp_path)
        result = run("fit-more", model, *args, "--save", "b.safetensors")
        assert (result.exit_code, result.stdout) == (code, "")
        assert says in result.stderr


def test_backtest_and_tune_with_covariates(whole: Path) -> None:
    model = Forecaster(3, **PYTHON)
    panel = read_panel(whole, **READ, **_cols())
    expected = model.backtest(panel, folds=2, levels=(50,), season=12)
    result = run("backtest", whole, *USUAL, "--folds", 2, "--levels", 50, "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["rows"]["network"]["mae"] == pytest.approx(expected.comparison.rows["network"]["mae"])
    tuned = run("tune", whole, *USUAL, "--trials", 1, "--levels", 50)
    assert tuned.exit_code == 0, tuned.stderr
    assert list(rows(tuned.stdout)[0])[-2:] == ["y_hat_lo_50", "y_hat_hi_50"]
