"""Errors that say what does not fit, what was expected, what came, and what to try.

Every sentence stands in the catalogue of `unrolled.messages` under the id of its fault, in every language.
One error carries all the faults of a call, so that a caller mends them in one go.
"""

from __future__ import annotations

import difflib
import os
import sys
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from unrolled import messages

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True)
class Fault:
    """One thing that does not fit: the id of its message and the values that the message names."""

    id: str
    values: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return the fault's four parts in the language in force."""
        return messages.fault(self.id, **self.values)


def fault(fault_id: str, /, **values: object) -> Fault:
    """Return a `Fault`, its values given by name: `fault("argument.horizon", got=0)`."""
    return Fault(fault_id, values)


class UnrolledError(Exception):
    """Base of every error that this package raises on purpose.

    Args:
        faults: what does not fit, at least one.
    """

    def __init__(self, *faults: Fault) -> None:
        super().__init__(*faults)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """All faults of the call, in the order in which they were found."""
        return self.args

    def __str__(self) -> str:
        """Return every fault, one after the other."""
        return "\n".join(str(one) for one in self.faults)


class ArgumentError(UnrolledError, ValueError):
    """An argument has a value that cannot work."""


class KindError(UnrolledError, TypeError):
    """An argument is of a kind that is not understood."""


class DataError(UnrolledError, ValueError):
    """The series themselves do not fit: empty, too short, not finite, out of order."""


class FileError(UnrolledError, ValueError):
    """A file cannot be read or written, or does not hold what was asked for."""


class NotFittedError(UnrolledError, ValueError, AttributeError):
    """A question that only a fitted object can answer."""


class TrainingError(UnrolledError, ValueError):
    """Training cannot go on: the loss is not finite."""


class ExtraError(UnrolledError, ImportError):
    """A library that only some answers need is not installed."""


def raise_any(error: type[UnrolledError], faults: Sequence[Fault]) -> None:
    """Raise `error` with all `faults`, or return where there are none."""
    if faults:
        raise error(*faults)


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the known word most like `word`, for the last part of a message."""
    choices = list(known)
    return (difflib.get_close_matches(word, choices, n=1, cutoff=0.0) or choices)[0]


def warn(message: str) -> None:
    """Warn whoever called into this package, at the line of their own code."""
    inside = os.path.dirname(__file__)
    frame, level = sys._getframe(), 1
    while frame.f_back is not None and frame.f_code.co_filename.startswith(inside):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, stacklevel=level)
