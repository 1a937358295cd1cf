"""Every argument of the Forecaster is an option of the same name and default, and every option arrives."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

import pytest
import typer
from typer.testing import CliRunner

from tests.cli.helpers import QUICK, monthly, months, run, table, wave
from unrolled.cli import backtest as backtest_command
from unrolled.cli import demo as demo_command
from unrolled.cli import fit as fit_command
from unrolled.cli import fit_more as fit_more_command
from unrolled.cli import forecast as forecast_command
from unrolled.cli import info as info_command
from unrolled.cli import predict as predict_command
from unrolled.cli import shapes as shapes_command
from unrolled.cli import tune as tune_command
from unrolled.cli.app import HEAVY, make_app
from unrolled.cli.forecast import forecast
from unrolled.cli.options import HELP, LEFT_OUT, closed, kind_of, names, with_options
from unrolled.evaluation import backtest
from unrolled.forecaster import Forecaster
from unrolled.tuning import tune

if TYPE_CHECKING:
    from collections.abc import Sequence
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
    "dilations": (2,),
    "residual": True,
    "strategy": "recursive",
    "memory": "all",
    "scaling": "last",
    "patch": 3,
    "skip": True,
    "mask": True,
    "loss": "huber",
    "quantiles": (0.1, 0.5),
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
    "calibration": 7,
    "patience": 4,
    "refit": True,
    "members": 3,
    "combine": "median",
    "snapshots": 2,
    "past_cols": ("a", "b"),
    "known_cols": ("a",),
    "static_cols": ("c",),
    "calendar": ("month", "weekday"),
    "layout": "wide",
    "freq": "MS",
    "seed": 9,
    "threads": 1,
    "dtype": "float64",
    "progress": False,
}
OWN = {
    "duplicates",
    "file",
    "sql",
    "time",
    "target",
    "ids",
    "future",
    "out",
    "html",
    "save",
    "as_json",
    "lang",
}
NEEDED = {
    "dropout": ("--num-layers", "2"),
    "residual": ("--num-layers", "2"),
    "quantiles": ("--loss", "quantile"),
    "calendar": ("--time", "month"),
    "freq": ("--time", "month"),
}
"""What an option cannot be without."""


class ReachedError(Exception):
    """Ends a command where the Forecaster is fitted."""


def option(name: str, value: object) -> list[str]:
    """Return an option as it is written."""
    written = "--" + name.replace("_", "-")
    if isinstance(value, bool):
        return [written if value else written.replace("--", "--no-", 1)]
    if isinstance(value, tuple):
        return [written, ",".join(map(str, value))]
    return [written, str(value)]


def given(path: Path, monkeypatch: pytest.MonkeyPatch, *args: str) -> dict[str, Any]:
    """Return the arguments of the Forecaster that a command line makes."""
    seen: dict[str, Any] = {}

    def fit(self: Forecaster, y: object) -> None:
        seen.update(self.get_params())
        raise ReachedError

    monkeypatch.setattr(Forecaster, "fit", fit)
    lines = zip(months(66), [*wave(60), *[""] * 6], wave(66), wave(66), "c" * 66, strict=True)
    file = table(path / "a.csv", ("month", "sales", "a", "b", "c"), lines)
    with pytest.raises(ReachedError):
        run("forecast", file, "--target", "sales", *args)
    return seen


def test_every_argument_is_an_option_or_left_out_with_a_reason() -> None:
    assert {*names(), *(set(LEFT_OUT) & set(PARAMETERS))} == set(PARAMETERS)
    assert all(LEFT_OUT.values())
    assert set(names()) == set(VALUES), "the tests below know a value for each"


def test_every_option_is_an_argument_or_the_command_s_own() -> None:
    assert set(inspect.signature(closed(with_options(forecast))).parameters) == OWN | set(names())


@pytest.mark.parametrize("name", VALUES)
def test_an_option_arrives(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    more = [*NEEDED.get(name, ()), *([] if name == "horizon" else option("horizon", 6))]
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
    assert set(HELP) <= {*names(), *names(tune, tune_command.LEFT_OUT)}


def test_help_shows_every_option(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    page = run("forecast", "--help")
    assert page.exit_code == 0
    plain = re.sub(r"\x1b\[[0-9;]*m", "", page.stdout)
    for name in names():
        assert re.search(rf"--{name.replace('_', '-')}\b", plain)


COMMANDS = {
    "backtest": backtest_command,
    "demo": demo_command,
    "fit": fit_command,
    "fit-more": fit_more_command,
    "forecast": forecast_command,
    "info": info_command,
    "predict": predict_command,
    "shapes": shapes_command,
    "tune": tune_command,
}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_examples_of_the_help_pages_run(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("webbrowser.open", lambda address: True)
    monkeypatch.setattr("unrolled.page.plot_png", lambda *args: [])
    monthly(tmp_path / "months.csv", 144)
    table(tmp_path / "air.csv", ("month", "passengers"), zip(months(144), wave(144), strict=True))
    _write_shops(tmp_path / "shops.parquet")
    days = [f"2024-{1 + i // 28:02d}-{1 + i % 28:02d}" for i in range(28)]
    table(
        tmp_path / "promo.csv",
        ("day", "sales", "promo"),
        zip(days[:21], wave(21), [0, 1, 1] * 7, strict=True),
    )
    table(tmp_path / "plan.csv", ("day", "promo"), zip(days[21:], [0] * 7, strict=True))
    if name in ("predict", "info", "fit-more", "shapes"):
        usual = ("--time", "month", "--target", "passengers", "--horizon", 12, *QUICK)
        assert run("fit", "air.csv", *usual, "--save", "air.safetensors").exit_code == 0
    written = COMMANDS[name].EXAMPLES.replace("\\\n", " ")  # type: ignore[attr-defined]
    lines = re.findall(r"^  unrolled (.*)$", written, re.MULTILINE)
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


def _kept(function: Any, left_out: Any) -> set[str]:
    return {one for one in inspect.signature(function).parameters if one not in left_out} - {"fit_params"}


@pytest.mark.parametrize(
    ("function", "module"),
    [(tune, tune_command), (backtest, backtest_command), (Forecaster.fit, fit_command)],
    ids=["tune", "backtest", "fit"],
)
def test_arguments_of_other_functions_are_options(function: Any, module: Any) -> None:
    assert set(names(function, module.LEFT_OUT)) == _kept(function, module.LEFT_OUT)
    made = inspect.signature(
        with_options(module.__dict__[module.__name__.split(".")[-1]], function, left_out=module.LEFT_OUT)
    ).parameters
    assert all(getattr(made[name].default, "help", "") for name in names(function, module.LEFT_OUT))


def written_like(
    *,
    levels: Sequence[float] = (),
    cols: tuple[str, ...] = (),
    layers: tuple[int, ...] | None = None,
    target: str | Sequence[str] = "y",
    refit: bool | int = True,
    mask: bool | None = None,
    name: str | None = None,
) -> None:
    """Say what came.

    Args:
        levels: numbers.
        cols: names.
    """


@pytest.mark.parametrize(
    ("args", "seen"),
    [
        ((), {}),
        (("--levels", "80,95"), {"levels": (80.0, 95.0)}),
        (("--levels", "80", "--levels", "95.5"), {"levels": (80.0, 95.5)}),
        (("--cols", "a, b", "--cols", "c"), {"cols": ("a", "b", "c")}),
        (("--layers", "1,2"), {"layers": (1, 2)}),
        (("--target", "a,b"), {"target": ("a", "b")}),
        (("--refit", "no"), {"refit": False}),
        (("--refit", "true"), {"refit": True}),
        (("--refit", "3"), {"refit": 3}),
        (("--no-mask",), {"mask": False}),
        (("--mask",), {"mask": True}),
        (("--name", "a,b"), {"name": "a,b"}),
    ],
)
def test_values_of_every_kind(args: tuple[str, ...], seen: dict[str, Any]) -> None:
    found: dict[str, Any] = {}
    app = typer.Typer()
    app.command()(
        closed(with_options(lambda **arguments: found.update(arguments), written_like, left_out=()))
    )
    result = CliRunner().invoke(app, list(args))
    assert result.exit_code == 0, result.output
    usual = {name: one.default for name, one in inspect.signature(written_like).parameters.items()}
    assert found == {**usual, **seen}


@pytest.mark.parametrize(
    "args", [("--levels", "80,many"), ("--levels", "80,,95"), ("--layers", "1.5"), ("--refit", "often")]
)
def test_values_that_cannot_be_read_are_misuse(args: tuple[str, ...]) -> None:
    app = typer.Typer()
    app.command()(closed(with_options(lambda **arguments: None, written_like, left_out=())))
    result = CliRunner().invoke(app, list(args))
    assert result.exit_code == 2
    assert "cannot be read as a value of" in re.sub(r"[^\w ]+", "", re.sub(r"\s+", " ", result.stderr))


def test_a_kind_that_no_option_can_have_is_an_error() -> None:
    with pytest.raises(TypeError, match="Mapping"):
        kind_of("Mapping[str, Any] | None")


def test_the_list_of_commands_says_what_the_commands_say() -> None:
    full = {one.name or one.callback.__name__: one for one in make_app().registered_commands}  # type: ignore[union-attr]
    for name, words in HEAVY.items():
        assert inspect.getdoc(full[name].callback).splitlines()[0] == words  # type: ignore[union-attr]


@pytest.mark.parametrize("command", ["forecast", "predict", "tune"])
def test_arguments_of_predict_are_options(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual, seen = Forecaster.predict, []

    def predict(self: Forecaster, y: object = None, *, levels: Sequence[float] | None = None) -> Any:
        """Forecast.

        Args:
            levels: of intervals.
        """
        seen.append(levels)
        return usual(self, y, levels=levels)

    monkeypatch.setattr(Forecaster, "predict", predict)
    model, file = tmp_path / "a.safetensors", monthly(tmp_path / "a.csv")
    usual_args = (file, "--time", "month", "--target", "sales", "--horizon", 6, *QUICK)
    run("fit", *usual_args, "--save", model)
    first = {"forecast": usual_args, "predict": (model,), "tune": (*usual_args, "--trials", 1)}[command]
    result = run(command, *first, "--levels", "50,80")
    assert result.exit_code == 0, result.stderr
    assert seen[-2:] == [(50.0,), (80.0,)]
