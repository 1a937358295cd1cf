"""`unrolled explain FILE`: what a network does with the series of a file, every number of it."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unrolled.cli.showing import OpenOption, ReportOption, check_report_file, hand_out
from unrolled.cli.sources import Series, read, series_like, title_of
from unrolled.cli.steps import (
    DuplicatesOption,
    FileArgument,
    IdOption,
    LangOption,
    SaveOption,
    SqlOption,
    TargetOption,
    TimeOption,
    choose_season,
    make_forecaster,
    say_fitted,
)
from unrolled.cli.talk import guarded, say
from unrolled.messages import text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from unrolled.forecaster import Forecaster
    from unrolled.panel import Panel

EXAMPLES = """Examples:

\b
  unrolled explain air.csv --time month --target passengers --horizon 12
  unrolled explain air.csv --time month --target passengers --horizon 12 \\
      --cell gru --members 1 --out air.html
  unrolled explain air.csv --model air.safetensors --open

The last points of each series, as many as are forecast, are kept from the
training: the forecasts that are judged were not learnt from. With --model the
kept network is explained as it is, on FILE.
"""

LEFT_OUT = {
    "self": "the forecaster",
    "y": "FILE",
    "past": "columns of FILE",
    "known": "columns of FILE",
    "static": "columns of FILE",
    "title": "the name of FILE",
}
"""Arguments of `Forecaster.explain` that are no options, and why."""


@guarded
def explain(
    file: FileArgument = None,
    *,
    sql: SqlOption = None,
    time: TimeOption = None,
    target: TargetOption = [],  # noqa: B006 - typer reads it and makes a list of its own
    ids: IdOption = None,
    duplicates: DuplicatesOption = "refuse",
    horizon: Annotated[
        int | None, typer.Option(help="K, how many points to forecast; of --model it is known.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Explain the network that was kept there, and train none."),
    ] = None,
    out: ReportOption = None,
    show: OpenOption = False,
    save: SaveOption = None,
    lang: LangOption = None,
    **arguments: Any,
) -> None:
    """Explain what a network does with the series of a file.

    Its shapes, how far back it looks, what its gates keep, how good its forecasts
    are beside simple baselines: told on stdout, written by --out, shown by --open.
    """
    from unrolled.cli.options import names
    from unrolled.cli.outputs import check_writable
    from unrolled.errors import ArgumentError, fault
    from unrolled.forecaster import Forecaster

    how = {name: arguments.pop(name) for name in names(Forecaster.explain, LEFT_OUT)}
    series = Series(file, sql, time, target, ids, duplicates)
    check_report_file(out)
    if save is not None:
        check_writable(save)
    if model is not None:
        _check_untrained({"horizon": horizon, "save": save, **arguments})
        forecaster = Forecaster.load(model)
        panel = read(series_like(forecaster, series), forecaster)
    elif horizon is None:
        raise ArgumentError(fault("cli.horizon"))
    else:
        forecaster = make_forecaster({"horizon": horizon, **arguments})
        panel = read(series, forecaster)
        _fit(forecaster, panel, save)
    say(text("cli.explaining"))
    title = series.title if model is None else f"{series.title}, {title_of(model)}"
    hand_out(forecaster.explain(panel, title=title, **how), out, show=show)


def _check_untrained(arguments: Mapping[str, Any]) -> None:
    """Refuse options of a training where none is done.

    Raises:
        ArgumentError: some were given.
    """
    from unrolled.errors import ArgumentError, fault
    from unrolled.forecaster import Forecaster

    usual = {name: one.default for name, one in inspect.signature(Forecaster).parameters.items()}
    usual["horizon"] = None
    given = [name for name, value in arguments.items() if value != usual.get(name)]
    if given:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise ArgumentError(fault("cli.model-and-training", options=options))


def _fit(forecaster: Forecaster, panel: Panel, save: str | None) -> None:
    """Train on all but the points that are to be judged, and keep the network where that is asked for."""
    choose_season(forecaster, panel)
    horizon = forecaster.horizon
    long_enough = int(panel.lengths.min()) > 2 * horizon
    forecaster.fit(panel.cut(horizon) if long_enough else panel)
    say_fitted(forecaster)
    say(text("cli.kept-back", points=horizon) if long_enough else text("cli.nothing-kept-back"))
    if save is not None:
        forecaster.save(save)
        say(text("cli.wrote.save", file=save))
