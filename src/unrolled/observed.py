"""Which values of a panel are missing or infinite: counted, and named where they are refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from unrolled.errors import Fault, fault
from unrolled.places import named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from unrolled.places import Locate

_BLOCK = 1 << 20
"""Numbers that are looked at together, so that a look at a large panel takes no memory to speak of."""


class Missing(NamedTuple):
    """How much is missing in a panel.

    Args:
        values: the missing values of all series.
        series: how many series have any.
        first: the first few of these series: name, and missing values.
    """

    values: int
    series: int
    first: tuple[tuple[object, int], ...]


def missing_count(values: NDArray[Any]) -> int:
    """Return how many values are NaN."""
    size = max(1, _BLOCK // values.shape[1])
    return sum(int(np.isnan(values[at : at + size]).sum()) for at in range(0, len(values), size))


def missing_by_series(values: NDArray[Any], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many values of each series are NaN, [S]."""
    rows = np.isnan(values).sum(axis=1, dtype=np.int64)
    counts: NDArray[np.int64] = np.add.reduceat(rows, offsets[:-1])
    return counts


def all_finite(values: NDArray[Any]) -> bool:
    """Whether every value is a finite number."""
    size = max(1, _BLOCK // values.shape[1])
    return all(np.isfinite(values[at : at + size]).all() for at in range(0, len(values), size))


def number_faults(
    values: NDArray[Any],
    offsets: NDArray[np.int64],
    place: Locate,
    *,
    allow: bool = False,
    ids: Sequence[object] = (),
) -> list[Fault]:
    """Describe, for each series, the first value that is missing and the first that is infinite.

    Shapes:
        values: [N, C]; offsets: [S + 1].

    Args:
        values: the numbers.
        offsets: series s is `values[offsets[s] : offsets[s + 1]]`.
        place: names a row and channel.
        allow: whether values may be missing; then only a series without any value is a fault.
        ids: the names of the series, where values may be missing.
    """
    empty: list[Fault] = []
    if allow:
        gone = np.flatnonzero(missing_by_series(values, offsets) == np.diff(offsets) * values.shape[1])
        empty = named(gone.tolist(), lambda s: _without_values(ids[s], offsets[s + 1] - offsets[s]))
    rows, channels = np.nonzero(np.isinf(values) if allow else ~np.isfinite(values))
    missing = np.isnan(values[rows, channels])
    series = np.searchsorted(offsets, rows, side="right") - 1
    found: list[tuple[int, int, str]] = []  # (index into rows, how many, fault)
    for mask, name in ((missing, "panel.missing"), (~missing, "panel.infinite")):
        _, first, counts = np.unique(series[mask], return_index=True, return_counts=True)
        index = np.flatnonzero(mask)[first]
        found += [(*pair, name) for pair in zip(index.tolist(), counts.tolist(), strict=True)]

    def describe(one: tuple[int, int, str]) -> Fault:
        index, count, name = one
        where = place(int(rows[index]), int(channels[index]))
        return fault(name, place=where, count=count, dtype=values.dtype)

    return [*empty, *named(sorted(found), describe)]


def _without_values(name: object, count: int) -> Fault:
    """Describe a series of which nothing is observed."""
    return fault("panel.no-values", series=name, count=int(count))
