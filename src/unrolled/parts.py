"""What an array, a frame or a file is taken apart into, before it is checked and becomes a panel.

Knows nothing of where the parts come from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from unrolled.errors import nearest
from unrolled.places import position

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from unrolled.errors import Fault
    from unrolled.places import Locate

Kind = Literal["vector", "matrix", "cube", "list", "frame"]
"""What the caller gave: T numbers, T x C, S x T x C, a list of series (or a file), a data frame."""


Layout = Literal["long", "wide", "column"]
"""How a table holds series: one row a time of a series, one column a series, or it is one column itself."""


@dataclass(frozen=True)
class Columns:
    """What the columns of a table were called.

    Args:
        id: the column that tells the series apart, or `None`.
        time: the column of the times, or `None`.
        utc: whether the times came with a zone; the panel holds them in UTC.
        template: one row of each series as a data frame of the caller's library; `None` without a frame.
        layout: how the table holds the series.
        index: the columns that came as levels of a pandas index, with the name of each level.
        name: what the column is called that is the whole table.
    """

    id: str | None = None
    time: str | None = None
    utc: bool = False
    template: Any = None
    layout: Layout = "long"
    index: tuple[tuple[str, Any], ...] = ()
    name: Any = None


@dataclass(frozen=True)
class Origin:
    """What further columns of the table are brought into the order of the panel with.

    Shapes:
        rows: [N]

    Args:
        rows: the row of the table from which each row of the panel came, -1 for one that was put into a gap;
            `None` where the two have the same rows.
        fetch: gives a column of the table by its name, in the order of the table: float64 (NaN where nothing
            is), or else objects (`None` where nothing is). A column that is not there is an error that
            names it.
        frame: the data frame itself, of the caller's library; `None` for a file.
    """

    rows: NDArray[np.int64] | None = None
    fetch: Callable[[str], NDArray[Any]] | None = None
    frame: Any = None


class Parts(NamedTuple):
    """A panel before its numbers and times are checked.

    Shapes:
        values: [N, C]; offsets: [S + 1]; times: [N], as `timestep.normal` gives them; rows: [N].
    """

    values: NDArray[Any]
    offsets: NDArray[np.int64]
    ids: tuple[object, ...]
    channels: tuple[str, ...]
    kind: Kind
    times: NDArray[Any] | None = None
    columns: Columns | None = None
    place: Locate = position
    faults: Sequence[Fault] = ()
    rows: NDArray[np.int64] | None = None
    fetch: Callable[[str], NDArray[Any]] | None = None
    frame: Any = None


def likely_column(name: str, known: Iterable[str]) -> str:
    """Return the column that was most likely meant: the same but for capitals, else the most similar."""
    columns = list(known)
    same = (column for column in columns if column.casefold() == name.casefold())
    return next(same, None) or nearest(name, columns)


def offsets_of(lengths: NDArray[Any]) -> NDArray[np.int64]:
    """Return the offsets of series of these lengths, [S + 1]."""
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def arrange(codes: NDArray[np.int64], n_series: int) -> tuple[NDArray[np.int64] | None, NDArray[np.int64]]:
    """Return the order that brings the rows of each series together, and the offsets.

    The order is stable, and `None` where the rows already stand so.

    Shapes:
        codes: [N], the number of each row's series; returns [N] and [S + 1].
    """
    if n_series == 1:
        return None, np.array([0, codes.size], np.int64)
    offsets = offsets_of(np.bincount(codes, minlength=n_series))
    order = None if (np.diff(codes) >= 0).all() else np.argsort(codes, kind="stable")
    return order, offsets
