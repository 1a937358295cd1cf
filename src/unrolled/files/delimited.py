"""CSV by plain rules: UTF-8, the first line names the columns, all lines have as many fields, double quotes.

DuckDB reads the numbers by these rules and guesses nothing. Where it stumbles, the file is gone through here
once more, slowly, to say on which line.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, TextIO, cast

import numpy as np

from unrolled.errors import Fault, FileError, fault
from unrolled.files.database import literal, path_literal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

DELIMITERS = (",", ";", "\t", "|")
"""What may stand between two fields; the first line decides which it is."""

_HEAD = 1 << 20
_ENDINGS = {"\r\n": ("CRLF", r"\r\n"), "\n": ("LF", r"\n"), "\r": ("CR", r"\r"), "": ("", r"\n")}
"""What can end a line: as a person calls it, and as DuckDB does."""


class _QuoteError(Exception):
    """A record that the csv module cannot cut, and the line on which it begins."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line


@dataclass(frozen=True)
class Delimited:
    """One CSV file: where it is and how its lines are cut.

    Args:
        path: the file.
        compressed: whether it is packed with gzip.
        delimiter: what stands between two fields.
        header: the names of the columns, without the blanks around them.
        ending: what ends the first line; DuckDB must know it, or it may lose lines.
    """

    path: Path
    compressed: bool
    delimiter: str
    header: tuple[str, ...]
    ending: str = "\n"

    @property
    def relation(self) -> str:
        """The SQL of the table in the file; its columns are called c0, c1, ..., and all are text."""
        columns = ", ".join(f"'c{index}': 'VARCHAR'" for index in range(len(self.header)))
        options = (
            f"delim = {literal(self.delimiter)}, quote = '\"', escape = '\"', header = true, "
            f"auto_detect = false, hive_partitioning = false, columns = {{{columns}}}, "
            f"new_line = '{_ENDINGS[self.ending][1]}', "
            f"compression = '{'gzip' if self.compressed else 'none'}'"
        )
        return f"read_csv({path_literal(self.path)}, {options})"

    def line(self, row: int) -> int:
        """Return the line on which a row begins; the header is line 1."""
        return int(self._lines[row]) if row < len(self._lines) else row + 2

    @cached_property
    def _lines(self) -> NDArray[np.int64]:
        """The lines on which the rows begin; as far as the file can be read."""
        found: list[int] = []
        with suppress(_QuoteError):
            found.extend(line for line, fields in self._records() if fields or len(self.header) == 1)
        return np.array(found[1:], np.int64)

    def first_fault(self) -> Fault | None:
        """Go through the file and describe the first line that breaks the rules, if one does."""
        width = len(self.header)
        try:
            for line, fields in self._records():
                unreadable = any(not _is_text(one) for one in fields)
                if unreadable:
                    return fault("file.encoding", file=self.path, line=line)
                if fields and len(fields) != width and not (len(fields) == width + 1 and not fields[-1]):
                    return fault("file.ragged", file=self.path, line=line, expected=width, got=len(fields))
        except _QuoteError as error:
            if "field limit" in str(error):
                return None  # a field of more than 128 kB is too large for this reader, but it is no fault
            return fault("file.quotes", file=self.path, line=error.line, reason=error)
        except (EOFError, OSError, zlib.error) as error:
            return fault("file.damaged", file=self.path, reason=error)
        return self._mixed_endings()

    def _mixed_endings(self) -> Fault | None:
        """Describe the first line that ends otherwise than the first one: with LF instead of CRLF, or so."""
        with _opened(self.path, compressed=self.compressed) as stream:
            first = _ending(stream.readline())
            for line, text in enumerate(stream, 2):
                if _ending(text) not in (first, ""):
                    names = {"expected": _ENDINGS[first][0], "got": _ENDINGS[_ending(text)][0]}
                    return fault("file.endings", file=self.path, line=line, **names)
        return None

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        """Yield every record, the header first, and the line on which it begins."""
        with _opened(self.path, compressed=self.compressed) as stream:
            reader = csv.reader(stream, delimiter=self.delimiter, strict=True)
            line = 1
            try:
                for fields in reader:
                    yield line, fields
                    line = reader.line_num + 1
            except csv.Error as error:
                raise _QuoteError(line, str(error)) from error


def open_delimited(path: Path, wanted: Collection[str], *, compressed: bool, tabs: bool) -> Delimited:
    """Read the first line of a CSV file, and find out what stands between its fields.

    Args:
        path: the file.
        wanted: columns that are looked for: what finds most of them is right; then what gives most fields.
        compressed: whether it is packed with gzip.
        tabs: whether the fields are cut by tabs, whatever else the first line holds.

    Raises:
        FileError: the first line is empty or not UTF-8, or the file cannot be unpacked.
    """
    try:
        with _opened(path, compressed=compressed) as stream:
            head = stream.read(_HEAD)
    except (EOFError, OSError, zlib.error) as error:
        raise FileError(fault("file.damaged", file=path, reason=error)) from error
    if not head:
        raise FileError(fault("file.empty", file=path))
    choices = [
        Delimited(path, compressed, one, *_header(head, one)) for one in (["\t"] if tabs else DELIMITERS)
    ]
    best = max(choices, key=lambda one: (len(set(wanted) & set(one.header)), len(one.header)))
    if not any(best.header):
        raise FileError(fault("file.header", file=path))
    if not all(_is_text(one) for one in best.header):
        raise FileError(fault("file.encoding", file=path, line=1))
    return best


def _header(head: str, delimiter: str) -> tuple[tuple[str, ...], str]:
    """Return the names in the first line, and what ends it."""
    reader = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
    try:
        names = tuple(field.strip() for field in next(reader, []))
    except csv.Error:
        return (), ""
    return names, _ending(list(islice(io.StringIO(head, newline=""), reader.line_num))[-1])


def _opened(path: Path, *, compressed: bool) -> TextIO:
    """Open a file as text; bytes that are not UTF-8 become lone surrogates, to be found by `_is_text`."""
    how = {"encoding": "utf-8-sig", "errors": "surrogateescape", "newline": ""}
    if compressed:
        return cast("TextIO", gzip.open(path, "rt", **how))  # type: ignore[call-overload]
    return cast("TextIO", open(path, **how))  # type: ignore[call-overload]


def _ending(line: str) -> str:
    """Return what ends a line."""
    return next((one for one in _ENDINGS if line.endswith(one)), "")


def _is_text(field: str) -> bool:
    """Whether a field was UTF-8."""
    return field.isascii() or not any("\ud800" <= one <= "\udfff" for one in field)
