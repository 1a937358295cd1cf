"""`unrolled forecast FILE`: series out of a file, a network trained on them, their future printed."""

from __future__ import annotations

from typing import Any

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
    say_fitted,
)
from unrolled.cli.talk import guarded

EXAMPLES = """Examples:

\b
  unrolled forecast air.csv --time month --target passengers --horizon 12

\b
  unrolled forecast shops.parquet --time day --target sales --id shop \\
      --horizon 28 --out next.parquet --html next.html

\b
  unrolled forecast air.csv --time month --target passengers --horizon 12 \\
      --cell gru --hidden-size 64 --steps 1000 --levels 80 --json

\b
  unrolled forecast promo.csv --time day --target sales --horizon 7 \\
      --known-cols promo --calendar weekday --future plan.csv

Ctrl-C while training keeps the best weights so far: the forecast is made with
them, stderr says so, and the exit code is 0. It is 130 where there is nothing
to show yet.
"""


@guarded
def forecast(
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
    """Forecast the series in a CSV or Parquet file.

    A network is trained on all series of the file, and what follows the end of
    each is printed as CSV. How good it is beside simple baselines, on points held
    out, is told on stderr. Points may be missing; rows that are left out are too.
    """
    from unrolled.cli.outputs import Outputs

    how = predict_options(arguments)
    forecaster, series = make_forecaster(arguments), Series(file, sql, time, target, ids, duplicates)
    outputs = Outputs(out, html, save)
    outputs.check(**series.named, **({} if future is None else {"--future": future}))
    panel = read_ahead(future, series, read(series, forecaster), horizon=forecaster.horizon)
    check_ahead(forecaster, panel)
    choose_season(forecaster, panel)
    forecaster.fit(panel)
    say_fitted(forecaster)
    said = foretell(forecaster, None, how)
    hand_over(forecaster, panel, outputs, said=said, title=series.title, as_json=as_json)
