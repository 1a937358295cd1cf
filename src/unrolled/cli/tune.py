"""`unrolled tune FILE`: arguments of a forecaster found by trying, the winner's forecast printed."""

from __future__ import annotations

from typing import Any

from unrolled.cli.options import names
from unrolled.cli.sources import Series, check_ahead, read, read_ahead
from unrolled.cli.steps import (
    DuplicatesOption,
    FileArgument,
    FutureOption,
    HtmlOption,
    IdOption,
    JsonOption,
    LangOption,
    OutOption,
    SaveOption,
    SqlOption,
    TargetOption,
    TimeOption,
    choose_season,
    foretell,
    hand_over,
    make_forecaster,
    predict_options,
)
from unrolled.cli.talk import guarded, say

EXAMPLES = """Examples:

\b
  unrolled tune air.csv --time month --target passengers --horizon 12 \\
      --trials 20 --save air.safetensors

\b
  unrolled tune air.csv --time month --target passengers --horizon 12 \\
      --trials 6 --space cell=lstm,gru --space hidden-size=8..32 \\
      --space steps=100,200 --storage air.trials

What an option of the forecaster says is kept, and not tried. Ctrl-C ends the
search with the best of the finished trials; with --storage the same command
goes on where it was.
"""

LEFT_OUT = {
    "y": "FILE",
    "horizon": "the forecaster's",
    "season": "the forecaster's",
    "seed": "the forecaster's",
    "progress": "the forecaster's",
    "base": "the options of the forecaster",
}
"""Arguments of `tune` that are no options of their own, and why."""


@guarded
def tune(
    file: FileArgument = None,
    *,
    sql: SqlOption = None,
    time: TimeOption = None,
    target: TargetOption = [],  # noqa: B006 - typer reads it and makes a list of its own
    ids: IdOption = None,
    duplicates: DuplicatesOption = "refuse",
    future: FutureOption = None,
    out: OutOption = None,
    html: HtmlOption = None,
    save: SaveOption = None,
    as_json: JsonOption = False,
    lang: LangOption = None,
    **arguments: Any,
) -> None:
    """Try forecasters on the series of a file, and forecast with the best.

    The best trials, and how good the winner is on points that no trial has seen,
    are told on stderr; the winner's forecast is printed as CSV.
    """
    from unrolled import tuning
    from unrolled.cli.outputs import Outputs

    how = predict_options(arguments)
    search = {name: arguments.pop(name) for name in names(tuning.tune, LEFT_OUT)}
    forecaster, series = make_forecaster(arguments), Series(file, sql, time, target, ids, duplicates)
    outputs = Outputs(out, html, save)
    outputs.check(**series.named, **({} if future is None else {"--future": future}))
    panel = read_ahead(future, series, read(series, forecaster), horizon=forecaster.horizon)
    check_ahead(forecaster, panel)
    choose_season(forecaster, panel)
    tuned = tuning.tune(
        panel,
        forecaster.horizon,
        base=forecaster,
        seed=forecaster.seed,
        progress=forecaster.progress,
        **search,
    )
    say(str(tuned))
    hand_over(
        tuned.forecaster,
        panel,
        outputs,
        said=foretell(tuned.forecaster, None, how),
        title=series.title,
        as_json=as_json,
        more={"tuning": tuned.to_dict()},
    )
