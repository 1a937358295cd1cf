"""Options of a command made from the arguments of the Forecaster: same names, same defaults, same words.

Nothing of the Forecaster is repeated here, so that the two cannot drift apart.
"""

from __future__ import annotations

import functools
import inspect
import re
from typing import TYPE_CHECKING, Any

import typer

from unrolled.forecaster import Forecaster

if TYPE_CHECKING:
    from collections.abc import Callable

LEFT_OUT = {"quantiles": "the command line prints one column of forecasts"}
"""Arguments that are no options, and why."""

HELP = {
    "num_layers": "L, how many recurrent layers",
    "season": "points of a season; left out: what the times suggest (12 for months, 7 for days); 1 for none",
    "loss": '"mae", "mse" or "huber"',
    "clip": "largest global norm of the gradients; 0 for no clipping",
    "epochs": "passes over the windows; not together with --steps",
    "steps": "updates; not together with --epochs",
    "threads": "at most so many; left out: all processors",
    "progress": "a bar on stderr; left out: where stderr is a terminal",
}
"""Words for arguments that mean a little more, or less, on the command line than in Python."""

_KINDS: dict[str, type] = {"int": int, "float": float, "str": str, "bool": bool}
_IN_FRONT = ("horizon", "season")
_PANEL = "The forecaster (what is left out is chosen by rule)"


def names() -> list[str]:
    """Return the arguments of the Forecaster that are options, in their order."""
    return [name for name in inspect.signature(Forecaster).parameters if name not in LEFT_OUT]


def with_forecaster_options(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command whose `**arguments` are an option for each argument of the Forecaster."""
    own = inspect.signature(command, eval_str=True)
    words = _words()
    kept = [one for one in own.parameters.values() if one.kind is not inspect.Parameter.VAR_KEYWORD]
    parameters = inspect.signature(Forecaster).parameters
    made = [_option(parameters[name], HELP.get(name) or words.get(name, "")) for name in names()]

    @functools.wraps(command)
    def run(**options: Any) -> None:
        command(**options)

    run.__signature__ = own.replace(parameters=[*kept, *made])  # type: ignore[attr-defined]
    return run


def _option(argument: inspect.Parameter, words: str) -> inspect.Parameter:
    """Return an option of the same name, kind and default as an argument."""
    kind = _KINDS[argument.annotation.removesuffix(" | None")]
    required = argument.default is inspect.Parameter.empty
    option = typer.Option(
        ... if required else argument.default,
        help=words.replace("[", r"\["),  # a bracket would be a style
        rich_help_panel=None if argument.name in _IN_FRONT else _PANEL,
    )
    annotation = kind if required or argument.default is not None else kind | None
    return inspect.Parameter(
        argument.name, inspect.Parameter.KEYWORD_ONLY, default=option, annotation=annotation
    )


def _words() -> dict[str, str]:
    """Return what the docstring of the Forecaster says of each argument, by name."""
    doc = inspect.getdoc(Forecaster) or ""
    section = re.search(r"^Args:\n(.*?)^\S", doc, re.MULTILINE | re.DOTALL)
    found = re.findall(r"^    (\w+): (.*(?:\n     .*)*)", section.group(1) if section else "", re.MULTILINE)
    return {name: re.sub(r"\s+", " ", words).rstrip(".") for name, words in found}
