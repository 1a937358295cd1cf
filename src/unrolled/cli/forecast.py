"""`unrolled forecast FILE`: series out of a file, a network trained on them, their future printed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unrolled.cli.talk import LANG_HELP, deliver, deliver_json, guarded, say, speak
from unrolled.messages import text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unrolled.cli.outputs import Outputs
    from unrolled.forecaster import Forecaster
    from unrolled.panel import Panel

EXAMPLES = """Examples:

\b
  unrolled forecast air.csv --time month --target passengers --horizon 12

\b
  unrolled forecast shops.parquet --time day --target sales --id shop \\
      --horizon 28 --out next.parquet --html next.html

\b
  unrolled forecast air.csv --time month --target passengers --horizon 12 \\
      --cell gru --hidden-size 64 --steps 1000 --json

Ctrl-C while training keeps the best weights so far: the forecast is made with
them, stderr says so, and the exit code is 0. It is 130 where there is nothing
to show yet.
"""


@guarded
def forecast(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE", help="CSV (.csv, .tsv, also .gz) or Parquet; one row a time of a series."
        ),
    ],
    *,
    time: Annotated[
        str | None,
        typer.Option(
            metavar="COL",
            help="Column of the times: dates, timestamps, whole numbers. Left out: rows in order.",
        ),
    ] = None,
    target: Annotated[
        list[str], typer.Option(metavar="COL", help="Column to forecast; several: forecast together.")
    ],
    ids: Annotated[
        str | None, typer.Option("--id", metavar="COL", help="Column that tells the series apart.")
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Write the forecast there, CSV or Parquet, not to stdout."),
    ] = None,
    html: Annotated[
        str | None, typer.Option(metavar="FILE", help="Draw the forecast into one offline page.")
    ] = None,
    save: Annotated[
        str | None, typer.Option(metavar="FILE", help="Keep the fitted forecaster (safetensors).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of CSV.")] = False,
    lang: Annotated[str | None, typer.Option("--lang", callback=speak, is_eager=True, help=LANG_HELP)] = None,
    **arguments: Any,
) -> None:
    """Forecast the series in a CSV or Parquet file.

    A network is trained on all series of the file, and what follows the end of
    each is printed as CSV. How good it is beside simple baselines, on points held
    out, is told on stderr.
    """
    from unrolled.checks import check_parameters
    from unrolled.cli.outputs import Outputs
    from unrolled.files import read_panel
    from unrolled.forecaster import Forecaster

    forecaster = Forecaster(**arguments)
    _refuse_quantiles(forecaster)
    check_parameters(forecaster.get_params())
    outputs = Outputs(out, html, save)
    outputs.check(file)
    panel = read_panel(file, target=target, time=time, ids=ids, dtype=forecaster.dtype)
    say(text("cli.read", file=file, series=panel.n_series, points=len(panel.values)))
    _choose_season(forecaster, panel)
    forecaster.fit(panel)
    _tell(forecaster)
    _hand_over(forecaster, panel, outputs, title=Path(file).name, as_json=as_json)


def _refuse_quantiles(forecaster: Forecaster) -> None:
    """Refuse the loss whose answer is more than one column.

    Raises:
        ArgumentError: the loss is "quantile".
    """
    from unrolled.engine import LOSSES
    from unrolled.errors import ArgumentError, fault

    if forecaster.loss == "quantile":
        known = ", ".join(loss for loss in LOSSES if loss != "quantile")
        raise ArgumentError(fault("cli.quantile-loss", got=forecaster.loss, known=known))


def _choose_season(forecaster: Forecaster, panel: Panel) -> None:
    """Take the season that the times suggest, where none was given and the series are long enough."""
    import numpy as np

    if forecaster.season is not None or not panel.steps:
        return
    step = panel.steps[0]
    if step.season and np.median(panel.lengths) >= 2 * step.season + forecaster.horizon:
        forecaster.set_params(season=step.season)
        say(text("cli.season", season=step.season, step=step))


def _tell(forecaster: Forecaster) -> None:
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


def _hand_over(forecaster: Forecaster, panel: Panel, outputs: Outputs, *, title: str, as_json: bool) -> None:
    """Write the files, then print; a forecast that could not be written is printed, not lost.

    Raises:
        FileError: a file, or stdout, cannot be written.
    """
    from unrolled.errors import FileError, raise_any
    from unrolled.files import csv_text, forecast_rows, write_forecast

    forecasts = forecaster.predict()
    faults = outputs.write(
        {
            "out": lambda path: write_forecast(path, panel, forecasts),
            "html": lambda path: _write_page(path, forecaster, panel, forecasts, title=title),
            "save": forecaster.save,
        }
    )
    rows = forecast_rows(panel, forecasts)
    if as_json:
        deliver_json(_facts(forecaster, rows))
    elif outputs.out is None or faults:
        deliver(csv_text(rows).rstrip("\n"))
    raise_any(FileError, faults)


def _write_page(
    path: str, forecaster: Forecaster, panel: Panel, forecasts: NDArray[Any], *, title: str
) -> None:
    """Draw the forecast."""
    from unrolled.atomic import replace_file
    from unrolled.page import forecast_page
    from unrolled.reports import forecast_report

    report = forecast_report(
        forecaster,
        panel,
        forecasts=forecasts,
        title=title.encode("utf-8", "replace").decode(),  # a name need not be text
        comparison=forecaster.report_,
    )
    replace_file(path, forecast_page(report))


def _facts(forecaster: Forecaster, rows: dict[str, list[Any]]) -> dict[str, Any]:
    """Return what `--json` says: the forecast row by row, the comparison, the network."""
    from unrolled.reports import network_report

    comparison = forecaster.report_
    return {
        "horizon": forecaster.horizon,
        "season": forecaster.season,
        "forecast": [dict(zip(rows, values, strict=True)) for values in zip(*rows.values(), strict=True)],
        "comparison": None if comparison is None else comparison.to_dict(),
        "network": network_report(forecaster),
        "stopped": forecaster.history_.stopped,
    }
