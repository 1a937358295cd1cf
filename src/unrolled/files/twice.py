"""Rows whose time comes twice in one series: which of them are left out, where the caller chose.

Knows rows as numbers of series and times. Must not know files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.errors import ArgumentError, fault

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHOICES = ("refuse", "first", "last")


def check_choice(duplicates: str, *, timed: bool) -> None:
    """Refuse a choice that is not known, or that has no times to go by.

    Raises:
        ArgumentError: it is one.
    """
    if duplicates not in CHOICES:
        raise ArgumentError(fault("file.duplicates", got=repr(duplicates)))
    if duplicates != "refuse" and not timed:
        raise ArgumentError(fault("file.duplicates-time", got=repr(duplicates)))


def without_twice(
    codes: NDArray[np.int64], times: NDArray[Any], order: NDArray[np.int64] | None, keep: str
) -> NDArray[np.int64]:
    """Return the rows to read, in order, one for each time of a series.

    Shapes:
        codes, times: `[N]`; order: `[N]` or None for 0 to N - 1; returns `[M]`, M <= N.

    Args:
        codes: the number of each row's series.
        times: of the rows.
        order: brings the rows of each series together.
        keep: "first" or "last" of the rows of one time.

    Example:
        >>> codes, times = np.zeros(4, np.int64), np.array([1, 2, 2, 3])
        >>> without_twice(codes, times, None, "last").tolist()
        [0, 2, 3]
    """
    rows = np.arange(len(codes)) if order is None else order
    ranked = np.lexsort((times[rows], codes[rows]))  # stable: rows of one time stay in their order
    series, when = codes[rows][ranked], times[rows][ranked]
    again = (series[1:] == series[:-1]) & (when[1:] == when[:-1])
    kept = np.ones(len(rows), bool)
    kept[ranked[1:][again] if keep == "first" else ranked[:-1][again]] = False
    return np.asarray(rows[kept], np.int64)
