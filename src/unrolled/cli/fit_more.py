"""`unrolled fit-more MODEL FILE --save MODEL2`: a kept network goes on learning from newer series."""

from __future__ import annotations

from typing import Annotated

import typer

from unrolled.cli.sources import Series, read, series_like
from unrolled.cli.steps import (
    DuplicatesOption,
    FileArgument,
    IdOption,
    JsonOption,
    LangOption,
    SqlOption,
    TimeOption,
    fitted_facts,
    say_fitted,
)
from unrolled.cli.talk import deliver_json, guarded

EXAMPLES = """Examples:

\b
  unrolled fit-more air.safetensors air.csv --steps 50 --save newer.safetensors
  unrolled predict newer.safetensors

The columns of FILE are called as in the file that the model was fitted on.
"""


@guarded
def fit_more(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="What `fit --save` wrote; it stays as it is.")
    ],
    file: FileArgument = None,
    *,
    sql: SqlOption = None,
    time: TimeOption = None,
    target: Annotated[
        list[str], typer.Option(metavar="COL", help="Column to learn from, where it has another name.")
    ] = [],  # noqa: B006 - typer reads it and makes a list of its own
    ids: IdOption = None,
    duplicates: DuplicatesOption = "refuse",
    steps: Annotated[
        int | None, typer.Option(help="Updates; left out: a tenth of those of the first training.")
    ] = None,
    save: Annotated[
        str, typer.Option(metavar="MODEL", help="Keep the forecaster that went on there (safetensors).")
    ],
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Go on training a network that was kept, on newer series.

    Scaling and encoding stay as they were; `predict` then continues the series of
    FILE. What is said on stderr and with --json is as of `fit`.
    """
    from unrolled.cli.outputs import Outputs
    from unrolled.errors import FileError, raise_any
    from unrolled.forecaster import Forecaster

    series = Series(file, sql, time, target, ids, duplicates)
    outputs = Outputs(None, None, save)
    outputs.check(MODEL=model, **series.named)
    forecaster = Forecaster.load(model)
    series = series_like(forecaster, series)
    forecaster.fit_more(read(series, forecaster), steps=steps)
    say_fitted(forecaster)
    faults = outputs.write({"save": forecaster.save})
    if as_json:
        deliver_json(fitted_facts(forecaster))
    raise_any(FileError, faults)
