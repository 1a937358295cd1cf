"""`unrolled forecast FILE`: series out of a file, a network trained on them, their future printed."""

from __future__ import annotations

from typing import Any

from unrolled.cli.steps import (
    FileArgument,
    HtmlOption,
    IdOption,
    JsonOption,
    LangOption,
    OutOption,
    SaveOption,
    TargetOption,
    TimeOption,
    choose_season,
    hand_over,
    make_forecaster,
    predict_options,
    read,
    say_fitted,
    title_of,
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
      --cell gru --hidden-size 64 --steps 1000 --json

Ctrl-C while training keeps the best weights so far: the forecast is made with
them, stderr says so, and the exit code is 0. It is 130 where there is nothing
to show yet.
"""


@guarded
def forecast(
    file: FileArgument,
    *,
    time: TimeOption = None,
    target: TargetOption,
    ids: IdOption = None,
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
    out, is told on stderr.
    """
    from unrolled.cli.outputs import Outputs

    how = predict_options(arguments)
    forecaster = make_forecaster(arguments)
    outputs = Outputs(out, html, save)
    outputs.check(FILE=file)
    panel = read(file, target=target, time=time, ids=ids, dtype=forecaster.dtype)
    choose_season(forecaster, panel)
    forecaster.fit(panel)
    say_fitted(forecaster)
    forecasts = forecaster.predict(**how)
    hand_over(forecaster, panel, outputs, forecasts=forecasts, title=title_of(file), as_json=as_json)
