"""`unrolled predict MODEL [FILE]`: a kept network goes on with the series it knows, or a file's."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from unrolled.cli.steps import (
    HtmlOption,
    IdOption,
    JsonOption,
    LangOption,
    OutOption,
    TimeOption,
    hand_over,
    read,
    title_of,
)
from unrolled.cli.talk import guarded

EXAMPLES = """Examples:

\b
  unrolled predict air.safetensors
  unrolled predict air.safetensors air.csv --out next.csv

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
    time: TimeOption = None,
    target: Annotated[
        list[str], typer.Option(metavar="COL", help="Column to continue, where it has another name.")
    ] = [],  # noqa: B006 - typer reads it and makes a list of its own
    ids: IdOption = None,
    out: OutOption = None,
    html: HtmlOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
    **arguments: Any,
) -> None:
    """Forecast with a network that was kept.

    What follows the end of each series is printed as CSV, as `forecast` does.
    """
    from unrolled.cli.outputs import Outputs
    from unrolled.errors import ArgumentError, fault
    from unrolled.forecaster import Forecaster

    outputs = Outputs(out, html, None)
    outputs.check(MODEL=model, **({} if file is None else {"FILE": file}))
    if file is None and (time or target or ids):
        raise ArgumentError(fault("cli.columns-without-file"))
    forecaster = Forecaster.load(model)
    panel = known = forecaster.ends_
    if file is not None:
        columns = known.columns
        panel = read(
            file,
            target=target or known.channels,
            time=time or (columns.time if columns else None),
            ids=ids or (columns.id if columns else None),
            dtype=forecaster.dtype,
        )
    forecasts = forecaster.predict(None if file is None else panel, **arguments)
    hand_over(forecaster, panel, outputs, forecasts=forecasts, title=title_of(file or model), as_json=as_json)
