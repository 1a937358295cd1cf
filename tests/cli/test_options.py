"""Every argument of the Forecaster is an option of the same name and default, and every option arrives."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.helpers import monthly, months, run, table, wave
from unrolled.cli import demo as demo_command
from unrolled.cli import forecast as forecast_command
from unrolled.cli.forecast import forecast
from unrolled.cli.options import HELP, LEFT_OUT, names, with_options
from unrolled.forecaster import Forecaster

if TYPE_CHECKING:
    from pathlib import Path

PARAMETERS = inspect.signature(Forecaster).parameters
VALUES: dict[str, Any] = {
    "horizon": 5,
    "season": 4,
    "window": 9,
    "cell": "gru",
    "hidden_size": 3,
    "num_layers": 2,
    "dropout": 0.25,
    "strategy": "recursive",
    "scaling": "last",
    "patch": 3,
    "skip": True,
    "loss": "huber",
    "delta": 0.5,
    "optimizer": "sgd",
    "lr": 0.02,
    "momentum": 0.5,
    "weight_decay": 0.125,
    "clip": 0.5,
    "batch_size": 7,
    "epochs": 2,
    "steps": 11,
    "schedule": "cosine",
    "shuffle": False,
    "validation": 8,
    "patience": 4,
    "seed": 9,
    "threads": 1,
    "dtype": "float64",
    "progress": False,
}
OWN = {"file", "time", "target", "ids", "out", "html", "save", "as_json", "lang"}


class ReachedError(Exception):
    """Ends a command where the Forecaster is fitted."""


def option(name: str, value: object) -> list[str]:
    """Return an option as it is written."""
    written = "--" + name.replace("_", "-")
    if isinstance(value, bool):
        return [written if value else written.replace("--", "--no-", 1)]
    return [written, str(value)]


def given(path: Path, monkeypatch: pytest.MonkeyPatch, *args: str) -> dict[str, Any]:
    """Return the arguments of the Forecaster that a command line makes."""
    seen: dict[str, Any] = {}

    def fit(self: Forecaster, y: object) -> None:
        seen.update(self.get_params())
        raise ReachedError

    monkeypatch.setattr(Forecaster, "fit", fit)
    with pytest.raises(ReachedError):
        run("forecast", monthly(path / "a.csv"), "--target", "sales", *args)
    return seen


def test_every_argument_is_an_option_or_left_out_with_a_reason() -> None:
    assert {*names(), *LEFT_OUT} == set(PARAMETERS)
    assert all(LEFT_OUT.values())
    assert set(names()) == set(VALUES), "the tests below know a value for each"


def test_every_option_is_an_argument_or_the_command_s_own() -> None:
    assert set(inspect.signature(with_options(forecast)).parameters) == OWN | set(names())


@pytest.mark.parametrize("name", VALUES)
def test_an_option_arrives(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    more = {"dropout": option("num_layers", 2)}.get(name, [])
    more += [] if name == "horizon" else option("horizon", 6)
    seen = given(tmp_path, monkeypatch, *option(name, VALUES[name]), *more)
    assert seen[name] == VALUES[name]
    assert type(seen[name]) is type(VALUES[name])


def test_what_is_not_given_is_as_in_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = given(tmp_path, monkeypatch, "--horizon", "6")
    assert seen == Forecaster(6).get_params()


@pytest.mark.parametrize("name", ["skip", "progress", "shuffle"])
@pytest.mark.parametrize("value", [True, False])
def test_flags_have_both_signs(
    name: str, value: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert given(tmp_path, monkeypatch, "--horizon", "6", *option(name, value))[name] is value


def test_every_option_says_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unrolled.cli.options.HELP", {})
    made = inspect.signature(with_options(forecast)).parameters
    silent = [name for name in names() if not getattr(made[name].default, "help", "")]
    assert not silent, "the docstring of the Forecaster knows every argument"
    assert set(HELP) <= set(names())


def test_help_shows_every_option(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    page = run("forecast", "--help")
    assert page.exit_code == 0
    plain = re.sub(r"\x1b\[[0-9;]*m", "", page.stdout)
    for name in names():
        assert re.search(rf"--{name.replace('_', '-')}\b", plain)


@pytest.mark.parametrize(
    "examples", [demo_command.EXAMPLES, forecast_command.EXAMPLES], ids=["demo", "forecast"]
)
def test_the_examples_of_the_help_pages_run(
    examples: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("webbrowser.open", lambda address: True)
    monkeypatch.setattr("unrolled.page.plot_png", lambda *args: [])
    monthly(tmp_path / "months.csv", 144)
    table(tmp_path / "air.csv", ("month", "passengers"), zip(months(144), wave(144), strict=True))
    _write_shops(tmp_path / "shops.parquet")
    lines = re.findall(r"^  unrolled (.*)$", examples.replace("\\\n", " "), re.MULTILINE)
    assert lines
    for line in lines:
        result = run(*line.split(" > ")[0].split())
        assert result.exit_code == 0, (line, result.stderr)


def _write_shops(path: Path) -> None:
    import duckdb

    duckdb.sql(
        "COPY (SELECT shop, DATE '2024-01-01' + day::INT AS day, 100 + day % 7 + 10 * shop AS sales "
        f"FROM range(2) AS s(shop), range(200) AS d(day) ORDER BY shop, day) TO '{path}'"
    )
