"""Where in the caller's data a fault stands, and how many faults one error names.

A place is printed in the language in force when the error is read, not when it was found.
Knows the messages and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from unrolled import messages
from unrolled.errors import Fault, fault

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")

MOST = 5
"""So many faults are named in one error; the rest is counted."""


@dataclass(frozen=True)
class Place:
    """Where something stands: the id of a message and the values that it names."""

    id: str
    values: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return the place in the language in force."""
        return messages.text(self.id, **self.values)


Locate = Callable[[int, int | None], object]
"""Names the place of a row (counted over all series from 0) and, if not None, of a channel."""


def position(row: int, channel: int | None = None) -> Place:
    """Return the place of a row in one series without a name."""
    if channel is None:
        return Place("panel.position", {"position": row})
    return Place("panel.position-channel", {"position": row, "channel": channel})


def named(found: Sequence[T], describe: Callable[[T], Fault], *, most: int = MOST) -> list[Fault]:
    """Describe the first of the things found, and count those that are left out in one more fault."""
    faults = [describe(one) for one in found[:most]]
    left_out = len(found) - most
    return [*faults, fault("panel.more", count=left_out)] if left_out > 0 else faults
