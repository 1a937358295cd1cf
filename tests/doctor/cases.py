"""What the galleries are made of: a model, what it is called with, and what should be found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Case:
    """A model of a gallery.

    Attributes:
        name: what it is.
        make: returns the model, and what it is called with.
        kind: the id of the finding; "" where nothing is to be found.
        options: of `doctor.check`.
        also: ids of findings that follow from the mistake.
    """

    name: str
    make: Callable[[], tuple[Any, Any]]
    kind: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    also: frozenset[str] = frozenset()


class Gallery(list[Case]):
    """A gallery that functions are hung in."""

    def add(
        self, kind: str = "", *also: str, **options: Any
    ) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
        """Return a decorator that adds a function which returns a model and what it is called with."""

        def hang(make: Callable[[], Any]) -> Callable[[], Any]:
            self.append(Case(make.__name__, make, kind, options, frozenset(also)))
            return make

        return hang
