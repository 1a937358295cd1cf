"""The files that a command is to write: looked at before the work begins, written when it is done."""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

from unrolled.atomic import replace_file
from unrolled.cli.talk import say
from unrolled.errors import ArgumentError, Fault, FileError, fault, raise_any
from unrolled.messages import text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class _EnoughError(Exception):
    """Ends a trial before anything is replaced."""


def check_writable(path: str | os.PathLike[str]) -> None:
    """Try to write a file, and leave everything as it was: training for an hour first would be too late.

    Raises:
        FileError: the file could not be written.
    """

    def trial(part: Path) -> None:
        part.touch()
        raise _EnoughError

    try:
        replace_file(path, trial)
    except _EnoughError:
        return


@dataclass(frozen=True)
class Outputs:
    """Where everything goes; None for what is not wanted.

    Attributes:
        out: the forecast, CSV or Parquet.
        html: the page.
        save: the model.
    """

    out: str | None
    html: str | None
    save: str | None

    @property
    def paths(self) -> dict[str, str]:
        """What is wanted, by the name of its option."""
        every = {"out": self.out, "html": self.html, "save": self.save}
        return {name: path for name, path in every.items() if path is not None}

    def check(self, **sources: str) -> None:
        """Refuse, before the work begins, what could not be written after it.

        Args:
            sources: the files that are read, which nothing may overwrite, by what help calls them.

        Raises:
            ArgumentError: the same file is named twice.
            FileError: a file cannot be written, or its kind is not known.
        """
        from unrolled.files.source import KINDS

        named = {**sources, **{f"--{name}": path for name, path in self.paths.items()}}
        same = [
            fault("cli.same-file", file=named[one], first=one, second=other)
            for one, other in combinations(named, 2)
            if other not in sources and os.path.realpath(named[one]) == os.path.realpath(named[other])
        ]
        raise_any(ArgumentError, same)
        faults = []
        if self.out is not None and not Path(self.out).name.lower().endswith(KINDS):
            faults.append(fault("file.kind", file=self.out, known=", ".join(KINDS)))
        for path in self.paths.values():
            faults += _faults_of(check_writable, path)
        raise_any(FileError, faults)

    def write(self, writers: Mapping[str, Callable[[str], None]]) -> list[Fault]:
        """Write everything that is wanted and say where it is; one that fails does not stop the others.

        Args:
            writers: by the name of the option.

        Returns:
            What could not be written, and why.
        """
        faults: list[Fault] = []
        for name, path in self.paths.items():
            found = _faults_of(writers[name], path)
            if not found:
                say(text(f"cli.wrote.{name}", file=path))
            faults += found
        return faults


def _faults_of(write: Callable[[str], None], path: str) -> list[Fault]:
    """Write one file; return why that failed, if it did."""
    try:
        write(path)
    except FileError as error:
        return list(error.faults)
    return []
