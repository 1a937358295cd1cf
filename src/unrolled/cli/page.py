"""`unrolled page MODEL|REPORT [FILE]`: the page of a kept network, on this machine until Ctrl-C."""

from __future__ import annotations

from typing import Annotated

import typer

from unrolled.cli.showing import check_report_file, hand_out, serve
from unrolled.cli.steps import IdOption, LangOption, TimeOption  # noqa: TC001 - typer reads them
from unrolled.cli.talk import guarded, say
from unrolled.messages import text

EXAMPLES = """Examples:

\b
  unrolled page air.safetensors air.csv
  unrolled page air.safetensors --out air.html
  unrolled page report.json --no-browser
"""


@guarded
def page(
    source: Annotated[
        str,
        typer.Argument(metavar="MODEL|REPORT", help="A model that was kept, or a report (.json)."),
    ],
    file: Annotated[
        str | None,
        typer.Argument(metavar="[FILE]", help="Series to explain it on; left out: ends of those fitted."),
    ] = None,
    *,
    time: TimeOption = None,
    target: Annotated[
        list[str], typer.Option(metavar="COL", help="Column to explain, where it has another name.")
    ] = [],  # noqa: B006 - typer reads it and makes a list of its own
    ids: IdOption = None,
    member: Annotated[int, typer.Option(help="Which of the networks.")] = 0,
    windows: Annotated[int, typer.Option(help="Windows of the series, at most.")] = 32,
    out: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write the page (.html) or facts (.json); serve none.")
    ] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open it in a browser.")] = True,
    port: Annotated[int, typer.Option(help="Of 127.0.0.1; 0 takes one that is free.")] = 0,
    lang: LangOption = None,
) -> None:
    """Show the page of a network that was kept, or of a report.

    It is served on 127.0.0.1 until Ctrl-C, to whoever has the address, which is
    printed on stdout. Nothing leaves this machine.
    """
    from unrolled.cli.sources import Series, read, series_like, title_of
    from unrolled.errors import ArgumentError, fault
    from unrolled.explain import Report
    from unrolled.forecaster import Forecaster

    check_report_file(out)
    if file is None and (time or target or ids):
        raise ArgumentError(fault("cli.columns-without-file"))
    if source.lower().endswith(".json"):
        if file is not None:
            raise ArgumentError(fault("cli.report-and-file", file=file))
        report = Report.from_json(source)
    else:
        forecaster = Forecaster.load(source)
        panel = None
        if file is not None:
            panel = read(series_like(forecaster, Series(file, None, time, target, ids)), forecaster)
        say(text("cli.explaining"))
        report = forecaster.explain(panel, member=member, windows=windows, title=title_of(source))
    if out is None:
        serve(report, browse=browser, port=port)
    else:
        hand_out(report, out, show=False)
