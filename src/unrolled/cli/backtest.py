"""`unrolled backtest FILE`: a forecaster fitted and judged at many origins, the scores printed."""

from __future__ import annotations

from typing import Any

from unrolled.cli.options import names
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
    make_forecaster,
)
from unrolled.cli.talk import deliver, deliver_json, guarded

EXAMPLES = """Examples:

\b
  unrolled backtest air.csv --time month --target passengers --horizon 12
  unrolled backtest air.csv --time month --target passengers --horizon 12 \\
      --folds 3 --refit no --json
"""

LEFT_OUT = {
    "forecaster": "the options of the forecaster",
    "y": "FILE",
    "horizon": "the forecaster's",
    "season": "the forecaster's",
    "progress": "the forecaster's",
    "backend": "a matter of Python",
    "fit_params": "columns of FILE",
    "predict_params": "columns of FILE",
}
"""Arguments of `backtest` that are no options of their own, and why."""


@guarded
def backtest(
    file: FileArgument = None,
    *,
    sql: SqlOption = None,
    time: TimeOption = None,
    target: TargetOption = [],  # noqa: B006 - typer reads it and makes a list of its own
    ids: IdOption = None,
    duplicates: DuplicatesOption = "refuse",
    as_json: JsonOption = False,
    lang: LangOption = None,
    **arguments: Any,
) -> None:
    """Judge a forecaster on the past of the series in a file.

    It is fitted at several origins, each time on what lies before it alone, and
    scored on what follows, beside simple baselines; the scores are printed.
    """
    from unrolled import evaluation

    how = {name: arguments.pop(name) for name in names(evaluation.backtest, LEFT_OUT)}
    forecaster, series = make_forecaster(arguments), Series(file, sql, time, target, ids, duplicates)
    panel = read(series, forecaster)
    choose_season(forecaster, panel)
    judge: Any = evaluation.backtest
    found = judge(forecaster, panel, season=forecaster.season, progress=forecaster.progress, **how)
    if as_json:
        deliver_json(found.to_dict())
    else:
        deliver(str(found))
