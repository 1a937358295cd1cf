"""`unrolled predict MODEL [FILE]`: a kept network goes on with the series it knows, or a file's."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from unrolled.cli.sources import Series, read, read_ahead, series_like, title_of
from unrolled.cli.steps import (
    DuplicatesOption,
    FutureOption,
    HtmlOption,
    IdOption,
    JsonOption,
    LangOption,
    OutOption,
    SqlOption,
    TimeOption,
    foretell,
    hand_over,
)
from unrolled.cli.talk import guarded

EXAMPLES = """Examples:

\b
  unrolled predict air.safetensors
  unrolled predict air.safetensors air.csv --levels 80 --out next.csv

The columns of FILE are called as in the file that the model was fitted on;
--time, --target and --id say where they are called otherwise.
"""


@guarded
def predict(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="What `fit --save` or `forecast --save` wrote.")
    ],
    file: Annotated[
        str | None,
        typer.Argument(metavar="[FILE]", help="Series to continue; left out: those that were fitted."),
    ] = None,
    *,
    sql: SqlOption = None,
    time: TimeOption = None,
    target: Annotated[
        list[str], typer.Option(metavar="COL", help="Column to continue, where it has another name.")
    ] = [],  # noqa: B006 - typer reads it and makes a list of its own
    ids: IdOption = None,
    duplicates: DuplicatesOption = "refuse",
    future: FutureOption = None,
    out: OutOption = None,
    html: HtmlOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
    **arguments: Any,
) -> None:
    """Forecast with a network that was kept.

    What follows the end of each series is printed as CSV, as `forecast` does. A
    network that reads what is known ahead needs it for the points to forecast: in
    FILE behind the last target, or from --future. `unrolled info MODEL --spans`
    tells from when to when.
    """
    from unrolled.cli.outputs import Outputs
    from unrolled.errors import ArgumentError, fault
    from unrolled.forecaster import Forecaster

    outputs = Outputs(out, html, None)
    given = {"MODEL": model, "FILE": file, "--future": future}
    outputs.check(**{name: path for name, path in given.items() if path is not None})
    fitted = file is None and sql is None
    if (time or target or ids) and fitted and future is None:
        raise ArgumentError(fault("cli.columns-without-file"))
    forecaster = Forecaster.load(model)
    series = series_like(forecaster, Series(file, sql, time, target, ids, duplicates))
    panel = forecaster.ends_ if fitted else read(series, forecaster)
    panel = read_ahead(future, series, panel, horizon=forecaster.horizon)
    said = foretell(forecaster, panel, arguments)
    title = title_of(model) if fitted else series.title
    hand_over(forecaster, panel, outputs, said=said, title=title, as_json=as_json)
