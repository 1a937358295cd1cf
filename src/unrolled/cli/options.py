"""Options of a command made from the arguments of functions: same names, same defaults, same words.

Nothing of a function is repeated here, so that the two cannot drift apart. Several values are written with
commas, or the option is repeated.
"""

from __future__ import annotations

import functools
import inspect
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import typer

from unrolled.cli.values import read_space
from unrolled.forecaster import Forecaster
from unrolled.messages import text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

LEFT_OUT = {
    "id_col": "it is --id",
    "time_col": "it is --time",
    "target_col": "it is --target",
}
"""Arguments of the Forecaster that are no options, and why."""

HELP = {
    "num_layers": "L, how many recurrent layers",
    "season": "points of a season; left out: what the times suggest (12 for months, 7 for days); 1 for none",
    "quantiles": "quantiles to forecast, each a column: those that --loss quantile learns, or any of "
    "--loss gaussian, student_t or negative_binomial",
    "layout": '"long", one row a time of a series, or "wide", one column a series',
    "past_cols": "columns of covariates that are known up to the end of each series",
    "known_cols": "columns of covariates that are known ahead; FILE may go on behind the last target "
    "with them alone, or --future has them",
    "static_cols": "columns of covariates that do not change within a series",
    "clip": "largest global norm of the gradients; 0 for no clipping",
    "epochs": "passes over the windows; not together with --steps",
    "steps": "updates; not together with --epochs",
    "threads": "at most so many; left out: all processors",
    "progress": "a bar on stderr; left out: where stderr is a terminal",
    "space": "what is tried: NAME=a,b,c or NAME=low..high or NAME=low..high,log; once for each argument",
}
"""Words for arguments that mean a little more, or less, on the command line than in Python."""

_PLAIN: dict[str, type] = {"int": int, "float": float, "str": str, "bool": bool}
_SEVERAL = re.compile(
    r"(?:str \| )?(?:Sequence|Iterable|Collection|list|tuple)\[(int|float|str)(?:, \.\.\.)?\]"
)
_PATHS = re.compile(r"str \| (?:os\.)?PathLike\[str\]")
_IN_FRONT = ("horizon", "season")
_FORECASTER = "The forecaster (what is left out is chosen by rule)"


class Kind(NamedTuple):
    """How the values of an argument are written."""

    type: type
    several: bool = False
    read: Callable[[list[str]], Any] | None = None


def kind_of(annotation: str) -> Kind:
    """Return how the values of an argument are written, by its annotation.

    Raises:
        TypeError: arguments of that kind cannot be options; they are to be left out by name.
    """
    plain = annotation.removesuffix(" | None")
    if plain in _PLAIN:
        return Kind(_PLAIN[plain])
    if plain == "Space":
        return Kind(str, several=True, read=read_space)
    if _PATHS.fullmatch(plain):
        return Kind(str)
    if plain == "bool | int":
        return Kind(str, read=_flag_or_number)
    if plain == "str | int":
        return Kind(str, read=_text_or_number)
    found = _SEVERAL.fullmatch(plain)
    if found is None:
        raise TypeError(annotation)
    each = _PLAIN[found[1]]
    return Kind(str, several=True, read=lambda written: _cut(written, each))


def names(function: Callable[..., Any] = Forecaster, left_out: Iterable[str] = LEFT_OUT) -> list[str]:
    """Return the arguments of a function that are options, in their order."""
    variable = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    parameters = inspect.signature(function).parameters.values()
    return [one.name for one in parameters if one.kind not in variable and one.name not in left_out]


def with_options(
    command: Callable[..., None],
    function: Callable[..., Any] = Forecaster,
    *,
    left_out: Iterable[str] = LEFT_OUT,
    panel: str | None = _FORECASTER,
) -> Callable[..., None]:
    """Return a command whose `**arguments` are an option for each argument of a function.

    May be applied again with another function; a name that is there already is not made twice.

    Args:
        command: takes what it does not name as `**arguments`.
        function: whose arguments become options.
        left_out: its arguments that do not.
        panel: the heading under which help shows them; None: that of the command's own.
    """
    own = inspect.signature(command, eval_str=True)
    words, parameters = words_of(function), inspect.signature(function).parameters
    fixed = [one for one in own.parameters.values() if one.kind is not inspect.Parameter.VAR_KEYWORD]
    rest = [one for one in own.parameters.values() if one.kind is inspect.Parameter.VAR_KEYWORD]
    made = [name for name in names(function, left_out) if name not in own.parameters]
    kinds = {name: kind_of(parameters[name].annotation) for name in made}
    new = [
        _option(parameters[name], kinds[name], HELP.get(name) or words.get(name, ""), panel) for name in made
    ]

    @functools.wraps(command)
    def run(**options: Any) -> None:
        for name, kind in kinds.items():
            if kind.read is not None:
                options[name] = _read(name, kind, options[name], parameters[name].default)
        command(**options)

    signature = own.replace(parameters=[*fixed, *new, *rest])
    run.__signature__ = signature  # type: ignore[attr-defined]
    return run


def closed(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command all of whose options are made: it takes no others."""
    own = inspect.signature(command, eval_str=True)
    fixed = [one for one in own.parameters.values() if one.kind is not inspect.Parameter.VAR_KEYWORD]

    @functools.wraps(command)
    def run(**options: Any) -> None:
        command(**options)

    run.__signature__ = own.replace(parameters=fixed)  # type: ignore[attr-defined]
    return run


def words_of(function: Callable[..., Any]) -> dict[str, str]:
    """Return what the docstring of a function says of each argument, by name."""
    doc = inspect.getdoc(function) or ""
    section = re.search(r"^Args:\n(.*?)(?:^\S|\Z)", doc, re.MULTILINE | re.DOTALL)
    found = re.findall(r"^    (\w+): (.*(?:\n     .*)*)", section.group(1) if section else "", re.MULTILINE)
    return {name: re.sub(r"\s+", " ", words).rstrip(".") for name, words in found}


def _option(argument: inspect.Parameter, kind: Kind, words: str, panel: str | None) -> inspect.Parameter:
    """Return an option of the same name, kind and default as an argument."""
    required = argument.default is inspect.Parameter.empty
    default: Any = ... if required else argument.default
    if kind.several:
        default = []
    elif kind.read is not None and argument.default is not None:
        default = str(argument.default)
    option = typer.Option(
        default,
        help=words.replace("[", r"\["),  # a bracket would be a style
        rich_help_panel=None if argument.name in _IN_FRONT else panel,
        show_default=kind.read is None or not kind.several,
    )
    annotation: Any = list[str] if kind.several else kind.type
    if not required and not kind.several and default is None:
        annotation = kind.type | None
    return inspect.Parameter(
        argument.name, inspect.Parameter.KEYWORD_ONLY, default=option, annotation=annotation
    )


def _read(name: str, kind: Kind, written: Any, default: Any) -> Any:
    """Return what was written as a value of the argument; nothing written is its default.

    Raises:
        typer.BadParameter: it cannot be read.
    """
    if written is None or (kind.several and not written):
        return default
    assert kind.read is not None
    try:
        return kind.read(list(written) if kind.several else [str(written)])
    except ValueError:
        option = "--" + name.replace("_", "-")
        raise typer.BadParameter(text("cli.value", option=option, got=" ".join(map(str, written)))) from None


def _cut(written: list[str], each: type) -> tuple[Any, ...]:
    """Return values that stand between commas, or in options that were repeated."""
    parts = [part.strip() for one in written for part in one.split(",")]
    if not all(parts):
        raise ValueError(written)
    return tuple(each(part) for part in parts)


def _flag_or_number(written: list[str]) -> bool | int:
    flags = {"true": True, "yes": True, "false": False, "no": False}
    known = flags.get(written[0].lower())
    return int(written[0]) if known is None else known


def _text_or_number(written: list[str]) -> str | int:
    return int(written[0]) if written[0].isdecimal() else written[0]
