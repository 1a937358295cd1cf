"""The commands put together: what each is called, its options, `--version`, `--lang`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unrolled.cli import demo, doctor, fit_more, info, lesson, page, shapes
from unrolled.cli.talk import LANG_HELP, deliver, speak

if TYPE_CHECKING:
    from collections.abc import Callable

HELP = """Forecast time series with recurrent networks, with honest baselines beside them.

Data goes to stdout, talk to stderr. Exit codes: 0 done, 1 failed, 2 misuse,
130 interrupted with nothing to show.
"""

HEAVY = {
    "forecast": "Forecast the series in a CSV or Parquet file.",
    "fit": "Train a network on the series in a file, and keep it for `predict`.",
    "predict": "Forecast with a network that was kept.",
    "backtest": "Judge a forecaster on the past of the series in a file.",
    "explain": "Explain what a network does with the series of a file.",
    "tune": "Try forecasters on the series of a file, and forecast with the best.",
}
"""Commands whose options come from the package's functions, as the list of commands shows them."""


def wants_all_options() -> bool:
    """Whether this process needs options that come from the package, whose making loads NumPy and the core.

    It does where the arguments name such a command, or a shell asks for completions; `--help` does not.
    """
    return bool(HEAVY.keys() & set(sys.argv[1:])) or "_UNROLLED_COMPLETE" in os.environ


def make_app(*, all_options: bool = True) -> typer.Typer:
    """Return the command line as an application.

    Args:
        all_options: False makes the commands of `HEAVY` as the list of commands shows them, without options.
    """
    app = typer.Typer(
        help=HELP,
        no_args_is_help=True,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_unrolled)
    made = _heavy_commands() if all_options else {}
    for name, words in HEAVY.items():
        command, examples = made.get(name, (lambda: None, ""))
        app.command(name, help=None if made else words, epilog=examples)(command)
    app.command("fit-more", epilog=fit_more.EXAMPLES)(fit_more.fit_more)
    app.command(epilog=info.EXAMPLES)(info.info)
    app.command(epilog=shapes.EXAMPLES)(shapes.shapes)
    app.command(epilog=page.EXAMPLES)(page.page)
    app.command(epilog=doctor.EXAMPLES)(doctor.doctor)
    app.command(epilog=lesson.EXAMPLES)(lesson.lesson)
    app.command(epilog=demo.EXAMPLES)(demo.demo)
    return app


def _heavy_commands() -> dict[str, tuple[Callable[..., Any], str]]:
    """Return the commands of `HEAVY` with their options, and their examples."""
    from unrolled.cli import backtest, explain, fit, forecast, predict, tune
    from unrolled.cli.options import closed, with_options
    from unrolled.cli.steps import NOT_PREDICTED
    from unrolled.evaluation import backtest as judge
    from unrolled.forecaster import Forecaster
    from unrolled.tuning import tune as search

    def continued(command: Callable[..., None]) -> Callable[..., None]:
        return with_options(command, Forecaster.predict, left_out=NOT_PREDICTED, panel=None)

    made = {
        "forecast": (with_options(continued(forecast.forecast)), forecast.EXAMPLES),
        "fit": (
            with_options(with_options(fit.fit, Forecaster.fit, left_out=fit.LEFT_OUT, panel="The training")),
            fit.EXAMPLES,
        ),
        "predict": (
            with_options(
                continued(predict.predict), Forecaster.predict_quantiles, left_out=NOT_PREDICTED, panel=None
            ),
            predict.EXAMPLES,
        ),
        "backtest": (
            with_options(
                with_options(backtest.backtest, judge, left_out=backtest.LEFT_OUT, panel="The backtest")
            ),
            backtest.EXAMPLES,
        ),
        "explain": (
            with_options(
                with_options(
                    explain.explain, Forecaster.explain, left_out=explain.LEFT_OUT, panel="The explanation"
                )
            ),
            explain.EXAMPLES,
        ),
        "tune": (
            with_options(
                with_options(continued(tune.tune), search, left_out=tune.LEFT_OUT, panel="The search")
            ),
            tune.EXAMPLES,
        ),
    }
    return {name: (closed(command), examples) for name, (command, examples) in made.items()}


def _version(wanted: bool) -> None:
    """Print the version and leave."""
    if wanted:
        from importlib.metadata import version

        deliver(f"unrolled {version('unrolled')}")
        raise typer.Exit


def _unrolled(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    lang: Annotated[str | None, typer.Option("--lang", callback=speak, is_eager=True, help=LANG_HELP)] = None,
) -> None:
    """Take what stands before the command."""
