"""The commands put together: `unrolled demo`, `unrolled forecast`, `--version`, `--lang`."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from unrolled.cli import demo, forecast
from unrolled.cli.talk import LANG_HELP, deliver, speak

HELP = """Forecast time series with recurrent networks, with honest baselines beside them.

Data goes to stdout, talk to stderr. Exit codes: 0 done, 1 failed, 2 misuse,
130 interrupted with nothing to show.
"""


def wants_all_options() -> bool:
    """Whether this process needs the options of `forecast`, whose making loads NumPy and the core.

    It does where the arguments name that command, or a shell asks for completions; `--help` does not.
    """
    return "forecast" in sys.argv[1:] or "_UNROLLED_COMPLETE" in os.environ


def make_app(*, all_options: bool = True) -> typer.Typer:
    """Return the command line as an application.

    Args:
        all_options: False makes `forecast` as the list of commands shows it, without its options.
    """
    app = typer.Typer(
        help=HELP,
        no_args_is_help=True,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_unrolled)
    app.command(epilog=demo.EXAMPLES)(demo.demo)
    if all_options:
        from unrolled.cli.options import with_forecaster_options

        app.command(epilog=forecast.EXAMPLES)(with_forecaster_options(forecast.forecast))
    else:
        app.command("forecast", help=forecast.forecast.__doc__)(lambda: None)
    return app


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
