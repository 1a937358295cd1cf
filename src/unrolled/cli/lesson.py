"""`unrolled lesson`: the tutorial, computed, explained and put right."""

from __future__ import annotations

from typing import Annotated

import typer

from unrolled.cli.showing import OpenOption, ReportOption, check_report_file, hand_out
from unrolled.cli.steps import LangOption  # noqa: TC001 - typer reads it
from unrolled.cli.talk import guarded

EXAMPLES = """Examples:

\b
  unrolled lesson
  unrolled lesson --out lesson.html --lang zh
  unrolled lesson --open
"""


@guarded
def lesson(
    out: ReportOption = None,
    show: OpenOption = False,
    seed: Annotated[int, typer.Option(help="Of the network: the weights that PyTorch gives for it.")] = 42,
    epochs: Annotated[int, typer.Option(help="Passes over the windows.")] = 10,
    lang: LangOption = None,
) -> None:
    """Do the tutorial's job, and see what the network does.

    A sine of 800 points, an LSTM with 50 hidden units, its last 40 points
    forecast one by one: with every number, and each slip of the tutorial put
    right by one.
    """
    from unrolled.demo import lesson as learn

    check_report_file(out)
    hand_out(learn(seed=seed, epochs=epochs), out, show=show)
