"""What several commands have in common: their options, and the steps from a file to what is printed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unrolled.cli.talk import LANG_HELP, deliver, deliver_json, say, speak
from unrolled.messages import text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from unrolled.cli.outputs import Outputs
    from unrolled.forecaster import Forecaster
    from unrolled.panel import Panel

FileArgument = Annotated[
    str,
    typer.Argument(metavar="FILE", help="CSV (.csv, .tsv, also .gz) or Parquet; one row a time of a series."),
]
TimeOption = Annotated[
    str | None,
    typer.Option(
        metavar="COL",
        help="Column of the times: dates, timestamps, whole numbers. Left out: rows in order.",
    ),
]
TargetOption = Annotated[
    list[str], typer.Option(metavar="COL", help="Column to forecast; several: forecast together.")
]
IdOption = Annotated[
    str | None, typer.Option("--id", metavar="COL", help="Column that tells the series apart.")
]
OutOption = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Write the forecast there, CSV or Parquet, not to stdout."),
]
HtmlOption = Annotated[
    str | None, typer.Option(metavar="FILE", help="Draw the forecast into one offline page.")
]
SaveOption = Annotated[
    str | None, typer.Option(metavar="FILE", help="Keep the fitted forecaster (safetensors).")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
LangOption = Annotated[str | None, typer.Option("--lang", callback=speak, is_eager=True, help=LANG_HELP)]


NOT_PREDICTED = {
    "self": "the model",
    "y": "FILE",
    "past": "columns of FILE",
    "known": "columns of FILE",
    "static": "columns of FILE",
    "future": "no option yet",
}
"""Arguments of `Forecaster.predict` that are no options, and why."""


def predict_options(arguments: dict[str, Any]) -> dict[str, Any]:
    """Take the options of `Forecaster.predict` out of all options, and return them."""
    from unrolled.cli.options import names
    from unrolled.forecaster import Forecaster

    return {name: arguments.pop(name) for name in names(Forecaster.predict, NOT_PREDICTED)}


def make_forecaster(arguments: dict[str, Any]) -> Forecaster:
    """Return the forecaster that was asked for; what cannot work is told before a file is read.

    Raises:
        ArgumentError: an argument cannot work, or the loss is one whose answer is more than one column.
    """
    from unrolled.checks import check_parameters
    from unrolled.engine import LOSSES
    from unrolled.errors import ArgumentError, fault
    from unrolled.forecaster import Forecaster

    forecaster = Forecaster(**arguments)
    if forecaster.loss == "quantile":
        known = ", ".join(loss for loss in LOSSES if loss != "quantile")
        raise ArgumentError(fault("cli.quantile-loss", got=forecaster.loss, known=known))
    check_parameters(forecaster.get_params())
    return forecaster


def read(file: str, *, target: Sequence[str], time: str | None, ids: str | None, dtype: str) -> Panel:
    """Read the series of a file, and say how many there are."""
    from unrolled.files import read_panel

    panel = read_panel(file, target=target, time=time, ids=ids, dtype=dtype)
    say(text("cli.read", file=file, series=panel.n_series, points=len(panel.values)))
    return panel


def choose_season(forecaster: Forecaster, panel: Panel) -> None:
    """Take the season that the times suggest, where none was given and the series are long enough."""
    import numpy as np

    if forecaster.season is not None or not panel.steps:
        return
    step = panel.steps[0]
    if step.season and np.median(panel.lengths) >= 2 * step.season + forecaster.horizon:
        forecaster.set_params(season=step.season)
        say(text("cli.season", season=step.season, step=step))


def say_fitted(forecaster: Forecaster) -> None:
    """Say what was trained, and how good it is beside the baselines."""
    history = forecaster.history_
    say(
        text(
            "cli.fitted",
            cell=forecaster.cell,
            parameters=forecaster.network_.spec.parameter_count,
            window=forecaster.settings_.window,
            steps=len(history.losses),
            seconds=history.seconds,
        )
    )
    say(text("cli.no-comparison") if forecaster.report_ is None else str(forecaster.report_))


def hand_over(
    forecaster: Forecaster,
    panel: Panel,
    outputs: Outputs,
    *,
    forecasts: NDArray[Any],
    title: str,
    as_json: bool,
    more: dict[str, Any] | None = None,
) -> None:
    """Write the files, then print; a forecast that could not be written is printed, not lost.

    Raises:
        FileError: a file, or stdout, cannot be written.
    """
    from unrolled.errors import FileError, raise_any
    from unrolled.files import csv_text, forecast_rows, write_forecast

    faults = outputs.write(
        {
            "out": lambda path: write_forecast(path, panel, forecasts),
            "html": lambda path: _write_page(path, forecaster, panel, forecasts, title=title),
            "save": forecaster.save,
        }
    )
    rows = forecast_rows(panel, forecasts)
    if as_json:
        deliver_json({**fitted_facts(forecaster, {"forecast": as_records(rows)}), **(more or {})})
    elif outputs.out is None or faults:
        deliver(csv_text(rows).rstrip("\n"))
    raise_any(FileError, faults)


def fitted_facts(forecaster: Forecaster, forecast: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return what `--json` says of a fitted forecaster: the comparison, the network."""
    from unrolled.reports import network_report

    comparison = forecaster.report_
    return {
        "horizon": forecaster.horizon,
        "season": forecaster.season,
        **(forecast or {}),
        "comparison": None if comparison is None else comparison.to_dict(),
        "network": network_report(forecaster),
        "stopped": forecaster.history_.stopped,
    }


def as_records(rows: dict[str, list[Any]]) -> list[dict[str, Any]]:
    """Return the columns of a table row by row."""
    return [dict(zip(rows, values, strict=True)) for values in zip(*rows.values(), strict=True)]


def title_of(file: str) -> str:
    """Return the name of a file as a title; a name need not be text."""
    return Path(file).name.encode("utf-8", "replace").decode()


def _write_page(
    path: str, forecaster: Forecaster, panel: Panel, forecasts: NDArray[Any], *, title: str
) -> None:
    """Draw the forecast."""
    from unrolled.atomic import replace_file
    from unrolled.page import forecast_page
    from unrolled.reports import forecast_report

    report = forecast_report(
        forecaster, panel, forecasts=forecasts, title=title, comparison=forecaster.report_
    )
    replace_file(path, forecast_page(report))
