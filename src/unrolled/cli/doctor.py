"""`unrolled doctor MODULE:NAME`: what is silently wrong with a PyTorch model."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unrolled.cli.steps import JsonOption, LangOption  # noqa: TC001 - typer reads them
from unrolled.cli.talk import FAILED, deliver, guarded, say
from unrolled.messages import text

if TYPE_CHECKING:
    from unrolled.doctor import Checkup

EXAMPLES = """Examples:

\b
  unrolled doctor mymodule:build_model --example 32,40,1
  unrolled doctor train.py:Net --example 32,40,3 --targets 32 --targets-range -5,5
  unrolled doctor mymodule:model --example 40,32,1 --time-first --out findings.sarif
  unrolled doctor mymodule:build_model --example 32,40,1 --ignore future-read --json
  unrolled doctor --list
"""


@guarded
def doctor(
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="MODULE:NAME",
            help="A module or a file.py, and in it a model, or what returns one when it is called.",
        ),
    ] = None,
    *,
    example: Annotated[
        list[str] | None,
        typer.Option(metavar="SIZES", help="Sizes of an input: 32,40,1. Once for each argument."),
    ] = None,
    targets: Annotated[
        str | None, typer.Option(metavar="SIZES", help="Sizes of the targets that the loss compares: 32,1.")
    ] = None,
    targets_range: Annotated[
        str | None, typer.Option(metavar="LOW,HIGH", help="The smallest and the largest target: -5,5.")
    ] = None,
    time_first: Annotated[bool, typer.Option("--time-first", help="The example is [T, B, ...].")] = False,
    not_causal: Annotated[
        bool, typer.Option("--not-causal", help="Answers of each step may see the whole window.")
    ] = False,
    pad_value: Annotated[
        float | None, typer.Option(help="With what short rows are filled up, without lengths.")
    ] = None,
    ignore: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="A finding that is not looked for; repeatable.")
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help="Write .txt, .json, .html, .sarif, or .xml for JUnit, not to stdout.",
        ),
    ] = None,
    show: Annotated[
        bool, typer.Option("--open", help="Show the page in a browser, from this machine, until Ctrl-C.")
    ] = False,
    listed: Annotated[bool, typer.Option("--list", help="Say everything that is looked for.")] = False,
    as_json: JsonOption = False,
    lang: LangOption = None,
) -> None:
    """Find what is silently wrong with a PyTorch model.

    Copies of the model are asked; nothing is trained, written or changed. Each
    finding has its proof, three lines of Python that measure it again, and the
    corrected line. Exit codes: 0 healthy, 1 something is proved wrong, 2 misuse.
    """
    from unrolled.errors import ArgumentError, fault

    if listed:
        deliver(_kinds())
        return
    if model is None or not example:
        raise ArgumentError(fault("cli.doctor-missing"))
    sizes = [_sizes("--example", one) for one in example]
    span = None if targets_range is None else _range(targets_range)
    aims = None if targets is None else _sizes("--targets", targets)
    if out is not None:
        from unrolled.cli.outputs import check_writable
        from unrolled.doctor.checkup import check_suffix

        check_suffix(out)
        check_writable(out)
    checkup = _examined(
        model,
        sizes,
        aims,
        targets_range=span,
        batch_first=not time_first,
        causal=not not_causal,
        pad_value=pad_value,
        ignore=ignore or (),
    )
    if out is not None:
        checkup.save(out)
        say(
            text("cli.wrote.html", file=out)
            if out.lower().endswith(".html")
            else text("cli.wrote.report", file=out)
        )
    if as_json:
        deliver(checkup.to_json())
    elif out is None and not show:
        _tell(checkup)
    if show:
        from unrolled.cli.showing import serve

        serve(checkup.report, browse=True)
    if not checkup.healthy:
        raise typer.Exit(FAILED)


def _examined(name: str, sizes: list[list[int]], aims: list[int] | None, **options: Any) -> Checkup:
    """Return the checkup of a model that is named, with random inputs of some sizes.

    Raises:
        ExtraError: PyTorch is not installed.
        ArgumentError: there is no such module, or nothing of that name in it.
        DataError: what builds the model fails.
    """
    from unrolled.doctor import check
    from unrolled.doctor.probes.inputs import normal

    inputs = [normal(*one) for one in sizes]
    return check(
        _model(name),
        inputs[0] if len(inputs) == 1 else tuple(inputs),
        targets=None if aims is None else normal(*aims),
        **options,
    )


def _model(name: str) -> Any:
    """Return a model by where it is: `module:name` or `file.py:name`.

    Raises:
        ArgumentError: there is no such module, or nothing of that name in it.
        DataError: importing or building it fails.
    """
    from unrolled.errors import ArgumentError, DataError, fault, nearest

    place, colon, attribute = name.rpartition(":")
    if not colon or not place or not attribute:
        raise ArgumentError(fault("cli.doctor-name", got=name))
    module = _module(place)
    try:
        found = module
        for part in attribute.split("."):
            found = getattr(found, part)
    except AttributeError:
        known = [one for one in vars(module) if not one.startswith("_")] or [""]
        raise ArgumentError(
            fault("cli.doctor-attribute", got=attribute, module=place, nearest=nearest(attribute, known))
        ) from None
    if isinstance(found, type) or (callable(found) and not hasattr(found, "parameters")):
        try:
            return found()
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
            raise DataError(fault("cli.doctor-build", name=name, reason=reason)) from error
    return found


def _module(place: str) -> Any:
    """Return a module by its name or its file; the working directory is where names are looked up.

    Raises:
        ArgumentError: there is no such module.
        DataError: importing it fails.
    """
    from unrolled.errors import ArgumentError, DataError, fault

    path = list(sys.path)
    try:
        if place.endswith(".py"):
            if not Path(place).is_file():
                raise ArgumentError(fault("cli.doctor-module", got=place))
            sys.path.insert(0, str(Path(place).resolve().parent))
            spec = importlib.util.spec_from_file_location(Path(place).stem, place)
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            sys.modules.setdefault(spec.name, module)
            spec.loader.exec_module(module)
            return module
        sys.path.insert(0, str(Path.cwd()))
        return importlib.import_module(place)
    except ArgumentError:
        raise
    except ModuleNotFoundError as error:
        if error.name is not None and (place == error.name or place.startswith(f"{error.name}.")):
            raise ArgumentError(fault("cli.doctor-module", got=place)) from None
        raise DataError(fault("cli.doctor-import", module=place, reason=str(error))) from error
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise DataError(fault("cli.doctor-import", module=place, reason=reason)) from error
    finally:
        sys.path[:] = path


def _sizes(option: str, written: str) -> list[int]:
    """Return the sizes that are written as 32,40,1.

    Raises:
        ArgumentError: they are none.
    """
    from unrolled.errors import ArgumentError, fault

    try:
        sizes = [int(one) for one in written.split(",")]
    except ValueError:
        sizes = []
    if not sizes or min(sizes) < 1:
        raise ArgumentError(fault("cli.doctor-sizes", option=option, got=written))
    return sizes


def _range(written: str) -> tuple[float, float]:
    """Return the range that is written as -5,5.

    Raises:
        ArgumentError: it is none.
    """
    from unrolled.errors import ArgumentError, fault

    try:
        low, high = map(float, written.split(","))
    except ValueError:
        raise ArgumentError(fault("cli.doctor-range", got=written)) from None
    return low, high


def _tell(checkup: Checkup) -> None:
    """Print a checkup on stdout: as wide as the terminal, in colours where it has them."""
    width, colours = _terminal()
    deliver(checkup.text(width=width, colours=colours))


def _kinds() -> str:
    """Return all kinds of findings as text."""
    from unrolled.doctor.terminal import kinds_text

    width, colours = _terminal()
    return kinds_text(width=width, colours=colours)


def _terminal() -> tuple[int | None, bool]:
    """Return how wide stdout is, None where it is no terminal, and whether it has colours."""
    from rich.console import Console

    console = Console(file=sys.stdout)
    if not console.is_terminal:
        return None, False
    return console.width, console.color_system is not None
