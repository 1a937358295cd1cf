"""`unrolled fit FILE --save MODEL`: a network trained on the series of a file, and kept."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from unrolled.cli.sources import Series, read
from unrolled.cli.steps import (
    DuplicatesOption,
    FileArgument,
    IdOption,
    JsonOption,
    LangOption,
    SqlOption,
    TargetOption,
    TimeOption,
    choose_season,
    fitted_facts,
    make_forecaster,
    say_fitted,
)
from unrolled.cli.talk import deliver_json, guarded

EXAMPLES = """Examples:

\b
  unrolled fit air.csv --time month --target passengers --horizon 12 \\
      --save air.safetensors
  unrolled predict air.safetensors

\b
  unrolled fit air.csv --time month --target passengers --horizon 12 \\
      --checkpoint air.checkpoint --save air.safetensors

Ctrl-C while training keeps the best weights so far, as `forecast` does. With
--checkpoint a training that was killed goes on where it was.
"""

LEFT_OUT = {
    "self": "the options of the forecaster",
    "y": "FILE",
    "unused": "a matter of Python",
    "past": "columns of FILE",
    "known": "columns of FILE",
    "static": "columns of FILE",
    "watch": "a matter of Python",
}
"""Arguments of `Forecaster.fit` that are no options, and why."""


@guarded
def fit(
    file: FileArgument = None,
    *,
    sql: SqlOption = None,
    time: TimeOption = None,
    target: TargetOption = [],  # noqa: B006 - typer reads it and makes a list of its own
    ids: IdOption = None,
    duplicates: DuplicatesOption = "refuse",
    save: Annotated[
        str, typer.Option(metavar="MODEL", help="Keep the fitted forecaster there (safetensors).")
    ],
    as_json: JsonOption = False,
    lang: LangOption = None,
    **arguments: Any,
) -> None:
    """Train a network on the series in a file, and keep it for `predict`.

    How good it is beside simple baselines, on points held out, is told on stderr;
    stdout stays empty without --json.
    """
    from unrolled.cli.options import names
    from unrolled.cli.outputs import Outputs
    from unrolled.errors import FileError, raise_any
    from unrolled.forecaster import Forecaster

    keep = {name: arguments.pop(name) for name in names(Forecaster.fit, LEFT_OUT)}
    forecaster, series = make_forecaster(arguments), Series(file, sql, time, target, ids, duplicates)
    outputs = Outputs(None, None, save)
    kept = keep["checkpoint"]
    outputs.check(**series.named, **({} if kept is None else {"--checkpoint": kept}))
    panel = read(series, forecaster)
    choose_season(forecaster, panel)
    forecaster.fit(panel, **keep)
    say_fitted(forecaster)
    faults = outputs.write({"save": forecaster.save})
    if as_json:
        deliver_json(fitted_facts(forecaster))
    raise_any(FileError, faults)
