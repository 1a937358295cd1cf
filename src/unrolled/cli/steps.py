"""What several commands have in common: their options, and the steps from a file to what is printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from unrolled.cli.talk import LANG_HELP, deliver, deliver_json, say, speak
from unrolled.messages import text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unrolled.cli.outputs import Outputs
    from unrolled.errors import UnrolledError
    from unrolled.forecaster import Forecaster
    from unrolled.panel import Panel

FileArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="FILE",
        help="CSV (.csv, .tsv, also .gz) or Parquet, a folder of such files, or a pattern; or --sql.",
    ),
]
SqlOption = Annotated[
    str | None,
    typer.Option(
        "--sql", metavar="QUERY", help="Instead of FILE: a SELECT over files, run by DuckDB; it only reads."
    ),
]
FutureOption = Annotated[
    str | None,
    typer.Option(
        metavar="FILE", help="What is known ahead of the points to forecast: id, time, known columns."
    ),
]
TimeOption = Annotated[
    str | None,
    typer.Option(
        metavar="COL",
        help="Column of the times: dates, timestamps, whole numbers. Left out: rows in order.",
    ),
]
TargetOption = Annotated[
    list[str],
    typer.Option(
        metavar="COL",
        help="Column to forecast; several: forecast together. With --layout wide left out: all of numbers.",
    ),
]
IdOption = Annotated[
    str | None, typer.Option("--id", metavar="COL", help="Column that tells the series apart.")
]
DuplicatesOption = Annotated[
    str,
    typer.Option(
        metavar="refuse|first|last",
        help="Rows whose time comes twice in a series: refuse them, or keep the first or the last.",
    ),
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
    "future": "--future reads it",
}
"""Arguments of `Forecaster.predict` that are no options of that name, and why."""


class Said(NamedTuple):
    """What a forecaster says of the points to forecast.

    Attributes:
        forecasts: the point forecasts.
        beside: the ends of intervals and the quantiles, by what their columns end with.
        intervals: by level, both ends.
        error: why they are not all there; the point forecasts are not lost for that.
    """

    forecasts: NDArray[Any]
    beside: dict[str, NDArray[Any]]
    intervals: dict[float, tuple[NDArray[Any], NDArray[Any]]]
    error: UnrolledError | None = None


def predict_options(arguments: dict[str, Any]) -> dict[str, Any]:
    """Take what is asked of a forecast beside the points out of all options, and return it.

    Quantiles of a distribution are asked of the forecast; of --loss quantile the forecaster knows them, too.

    Raises:
        ArgumentError: levels or quantiles cannot be had.
    """
    from unrolled.checks import check_levels, check_quantiles
    from unrolled.cli.options import names
    from unrolled.distributions import DISTRIBUTIONS
    from unrolled.forecaster import Forecaster

    how = {name: arguments.pop(name) for name in names(Forecaster.predict, NOT_PREDICTED)}
    if how["levels"] is not None:
        check_levels(how["levels"])
    how["quantiles"] = arguments["quantiles"]
    if arguments["loss"] in DISTRIBUTIONS and arguments.pop("quantiles") is not None:
        check_quantiles(how["quantiles"], ())
    return how


def foretell(forecaster: Forecaster, panel: Panel | None, how: dict[str, Any]) -> Said:
    """Forecast the points, and what else is asked for; what cannot be had does not cost the rest."""
    from unrolled.errors import ArgumentError

    forecasts = forecaster.predict(panel)
    beside: dict[str, NDArray[Any]] = {}
    intervals: dict[float, tuple[NDArray[Any], NDArray[Any]]] = {}
    error: UnrolledError | None = None
    for level in how["levels"] or ():
        try:
            found = forecaster.predict(panel, levels=(level,))
            intervals[level] = found.lower[level], found.upper[level]
            beside |= zip((f"lo_{level:g}", f"hi_{level:g}"), intervals[level], strict=True)
        except ArgumentError as one:
            error = one
    if how["quantiles"] is not None:
        try:
            cube = forecaster.predict_quantiles(panel, quantiles=how["quantiles"])
            beside |= {f"q_{one:g}": cube[..., index] for index, one in enumerate(how["quantiles"])}
        except ArgumentError as one:
            error = one
    return Said(forecasts, beside, intervals, error)


def make_forecaster(arguments: dict[str, Any]) -> Forecaster:
    """Return the forecaster that was asked for; what cannot work is told before a file is read.

    Raises:
        ArgumentError: an argument cannot work.
    """
    from unrolled.checks import check_parameters
    from unrolled.forecaster import Forecaster

    forecaster = Forecaster(**arguments)
    check_parameters(forecaster.get_params())
    return forecaster


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
    said: Said,
    title: str,
    as_json: bool,
    more: dict[str, Any] | None = None,
) -> None:
    """Write the files, then print; a forecast that could not be written is printed, not lost.

    Raises:
        ArgumentError: intervals or quantiles that were asked for cannot be had.
        FileError: a file, or stdout, cannot be written.
    """
    from unrolled.errors import FileError, raise_any
    from unrolled.files import csv_text, forecast_rows, write_forecast

    faults = outputs.write(
        {
            "out": lambda path: write_forecast(path, panel, said.forecasts, beside=said.beside),
            "html": lambda path: _write_page(path, forecaster, panel, said, title=title),
            "save": forecaster.save,
        }
    )
    rows = forecast_rows(panel, said.forecasts, beside=said.beside)
    if as_json:
        deliver_json({**fitted_facts(forecaster, {"forecast": as_records(rows)}), **(more or {})})
    elif outputs.out is None or faults:
        deliver(csv_text(rows).rstrip("\n"))
    raise_any(FileError, faults)
    if said.error is not None:
        raise said.error


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


def _write_page(path: str, forecaster: Forecaster, panel: Panel, said: Said, *, title: str) -> None:
    """Draw the forecast."""
    from unrolled.atomic import replace_file
    from unrolled.page import forecast_page
    from unrolled.reports import forecast_report

    report = forecast_report(
        forecaster,
        panel,
        forecasts=said.forecasts,
        title=title,
        comparison=forecaster.report_,
        intervals=said.intervals,
    )
    replace_file(path, forecast_page(report))
