"""What the command line says, where it says it, and how it ends."""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import sys
import warnings
from typing import TYPE_CHECKING, Any, ParamSpec

import typer

from unrolled.errors import ArgumentError, FileError, KindError, UnrolledError, fault
from unrolled.messages import LANGUAGES, speaking, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

P = ParamSpec("P")

FAILED, MISUSED, INTERRUPTED = 1, 2, 130
"""Exit codes; 0 is done."""

LANG_HELP = "Language of messages: en or zh; left out: UNROLLED_LANG, else LANG."


def open_streams() -> None:
    """See that both streams can be printed to: a closed one leads nowhere, Chinese becomes codes at worst."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - until the end
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def say(sentence: str) -> None:
    """Print a sentence on stderr; where nobody listens, nobody is told."""
    with contextlib.suppress(OSError):
        print(sentence, file=sys.stderr, flush=True)


def deliver(data: str) -> None:
    """Print data on stdout. A reader that has enough (`| head`) is no failure: the rest goes nowhere.

    Raises:
        FileError: stdout cannot be written to: no space left.
    """
    try:
        print(data, flush=True)
    except BrokenPipeError:
        _mute()
    except OSError as error:
        _mute()
        raise FileError(fault("cli.stdout", reason=error.strerror or error)) from error


def deliver_json(facts: dict[str, Any]) -> None:
    """Print facts on stdout as JSON, which any terminal can show."""
    deliver(json.dumps(facts, indent=2, allow_nan=False))


def _mute() -> None:
    """Send what is still to be printed nowhere; the interpreter would stumble over it when it ends."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def guarded(command: Callable[P, None]) -> Callable[P, None]:
    """Return a command whose errors are told in four parts and become exit codes.

    Exceptions that nobody meant keep their traceback.
    """

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            with _notices():
                command(*args, **kwargs)
        except UnrolledError as error:
            say(str(error))
            misused = isinstance(error, ArgumentError | KindError)
            raise typer.Exit(MISUSED if misused else FAILED) from None
        except KeyboardInterrupt:
            say(text("cli.interrupted"))
            raise typer.Exit(INTERRUPTED) from None

    return run


@contextlib.contextmanager
def _notices() -> Iterator[None]:
    """Tell the warnings that are meant for the user as plain sentences, each of them once."""
    with warnings.catch_warnings():
        usual = warnings.showwarning
        told: set[str] = set()

        def tell(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
            if category is UserWarning:
                if str(message) not in told:
                    say(str(message))
                told.add(str(message))
            else:
                usual(message, category, *where, **more)

        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = tell
        yield


def speak(context: typer.Context, language: str | None) -> str | None:
    """Speak a language until the command ends: the callback of `--lang`.

    Raises:
        typer.BadParameter: there is no catalogue of that language.
    """
    if language is not None and language not in LANGUAGES:
        raise typer.BadParameter(text("cli.language", got=language, known=", ".join(LANGUAGES)))
    context.with_resource(speaking(language))
    return language
