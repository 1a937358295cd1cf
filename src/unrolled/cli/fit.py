"""`unrolled fit FILE --save MODEL`: a network trained on the series of a file, and kept."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from unrolled.cli.steps import (
    FileArgument,
    IdOption,
    JsonOption,
    LangOption,
    TargetOption,
    TimeOption,
    choose_season,
    fitted_facts,
    make_forecaster,
    read,
    say_fitted,
)
from unrolled.cli.talk import deliver_json, guarded

EXAMPLES = """Examples:

\b
  unrolled fit air.csv --time month --target passengers --horizon 12 \\
      --save air.safetensors
  unrolled predict air.safetensors

Ctrl-C while training keeps the best weights so far, as `forecast` does.
"""


@guarded
def fit(
    file: FileArgument,
    *,
    time: TimeOption = None,
    target: TargetOption,
    ids: IdOption = None,
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
    from unrolled.cli.outputs import Outputs
    from unrolled.errors import FileError, raise_any

    forecaster = make_forecaster(arguments)
    outputs = Outputs(None, None, save)
    outputs.check(FILE=file)
    panel = read(file, target=target, time=time, ids=ids, dtype=forecaster.dtype)
    choose_season(forecaster, panel)
    forecaster.fit(panel)
    say_fitted(forecaster)
    faults = outputs.write({"save": forecaster.save})
    if as_json:
        deliver_json(fitted_facts(forecaster))
    raise_any(FileError, faults)
