"""Covariates beside a panel, row by row, and how parts of both are chosen together.

Knows panels and columns; must not know arrays of callers, frames or networks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.covariates.columns import Column, Strange, as_column, said_time, strange_fault, where
from unrolled.errors import ArgumentError, DataError, Fault, fault, raise_any
from unrolled.parts import offsets_of
from unrolled.places import named

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from unrolled.panel import Panel


@dataclass(frozen=True, eq=False, repr=False)
class Covariates:
    """What is known beside the series of a panel, raw.

    Shapes:
        past: [N] each, beside the panel's rows. known: [M] each. known_offsets: [S + 1]. static: [S] each.

    Args:
        past: columns known up to the end of each series, by name.
        known: columns known ahead too. Series s has the rows `known_offsets[s]` to `known_offsets[s + 1]`,
            from its first point on; they may go on beyond its last point.
        known_offsets: where the series begin in the known columns.
        static: what never changes, one value a series.

    A column is float64 (NaN: missing) or, if it holds categories, an object array of text (`None`: missing).

    Example:
        >>> from unrolled.panel import to_panel
        >>> from_columns(to_panel([1.0, 2.0]), past={"rain": [0.5, None]})
        Covariates(past: rain; known: -; static: -)
    """

    past: dict[str, Column] = field(default_factory=dict)
    known: dict[str, Column] = field(default_factory=dict)
    known_offsets: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, np.int64))
    static: dict[str, Column] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Return the names of the columns."""
        parts = (f"{part}: {', '.join(getattr(self, part)) or '-'}" for part in ("past", "known", "static"))
        return f"Covariates({'; '.join(parts)})"

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all columns: past, known, static."""
        return (*self.past, *self.known, *self.static)

    def tails(self, panel: Panel, points: int) -> Covariates:
        """Return what stands beside `panel.tails(points)`; known rows beyond the end are kept.

        Args:
            panel: the panel that these covariates stand beside.
            points: how many of the last points of each series are kept, at least 1.

        Raises:
            ArgumentError: fewer than one point is asked for.
        """
        if points < 1:
            raise ArgumentError(fault("panel.tails", points=points))
        left_out = panel.lengths - np.minimum(panel.lengths, points)
        return self._chosen(panel, np.arange(panel.n_series), first=left_out)

    def cut(self, panel: Panel, points: int | NDArray[np.int64]) -> Covariates:
        """Return what stands beside the panel without the last points of each series.

        Past rows are cut with it; known rows stay, and now go on beyond the end.

        Shapes:
            points: one number, or [S]

        Args:
            panel: the panel that these covariates stand beside.
            points: how many points each series loses, fewer than it has.

        Raises:
            ArgumentError: nothing would be left of a series.
        """
        lost = np.broadcast_to(np.asarray(points, np.int64), panel.n_series)
        wrong = np.flatnonzero((lost < 0) | (lost >= panel.lengths))
        if wrong.size:
            series = int(wrong[0])
            raise ArgumentError(
                fault(
                    "covariates.cut",
                    series=panel.ids[series],
                    points=int(lost[series]),
                    length=int(panel.lengths[series]),
                )
            )
        return self._chosen(panel, np.arange(panel.n_series), last=lost)

    def of(self, panel: Panel, series: ArrayLike) -> Covariates:
        """Return what stands beside some of the series, in this order.

        Args:
            panel: the panel that these covariates stand beside.
            series: numbers of series, [n].
        """
        return self._chosen(panel, np.asarray(series, np.int64))

    def _chosen(
        self, panel: Panel, series: NDArray[np.int64], *, first: Any = None, last: Any = None
    ) -> Covariates:
        """Return the rows of some series: `first` fewer at the front, `last` past rows fewer at the end."""
        zeros = np.zeros(panel.n_series, np.int64)
        first, last = (zeros if one is None else one for one in (first, last))
        past = ranges((panel.offsets[:-1] + first)[series], (panel.lengths - first - last)[series])
        starts = (self.known_offsets[:-1] + first)[series] if self.known else zeros[series]
        counts = (np.diff(self.known_offsets) - first)[series] if self.known else zeros[series]
        known = ranges(starts, counts)
        return Covariates(
            {name: column[past] for name, column in self.past.items()},
            {name: column[known] for name, column in self.known.items()},
            offsets_of(counts),
            {name: column[series] for name, column in self.static.items()},
        )


def ranges(starts: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return start, start + 1, ... of each range, `count` of them, one range after the other."""
    before = offsets_of(counts)
    return np.repeat(starts - before[:-1], counts) + np.arange(before[-1])


def from_columns(
    panel: Panel,
    *,
    past: Mapping[str, ArrayLike] | None = None,
    known: Mapping[str, ArrayLike] | None = None,
    static: Mapping[str, ArrayLike] | None = None,
    known_offsets: NDArray[np.int64] | None = None,
) -> Covariates:
    """Return covariates from columns that already stand in the order of the panel's rows.

    Shapes:
        past: [N] each; known: [N] each, or [M] with known_offsets [S + 1]; static: [S] each.

    Args:
        panel: the series.
        past: columns by name.
        known: columns by name.
        static: columns by name.
        known_offsets: where the series begin in the known columns; None: as in the panel.

    Raises:
        DataError: a name comes twice, a column has another length, or holds what is neither number nor
            category; all faults at once.

    Example:
        >>> from unrolled.panel import to_panel
        >>> from_columns(to_panel([[1.0], [2.0]]), static={"shop": ["a", "b"]}).static["shop"].tolist()
        ['a', 'b']
    """
    past, known, static = dict(past or {}), dict(known or {}), dict(static or {})
    faults = name_faults([*past, *known, *static])
    offsets = panel.offsets if known_offsets is None else known_offsets
    if not known:
        offsets = np.zeros(panel.n_series + 1, np.int64)
    beside = np.arange(panel.n_series + 1)
    read = {
        "past": _read(panel, past, panel.offsets, faults),
        "known": _read(panel, known, offsets, faults),
        "static": _read(panel, static, beside, faults, rows=False),
    }
    result = Covariates(read["past"], read["known"], np.asarray(offsets, np.int64), read["static"])
    if not faults:
        faults += named(short_faults(panel, result, 0), lambda one: one)
    raise_any(DataError, faults)
    return result


def short_faults(panel: Panel, covariates: Covariates, ahead_points: int) -> list[Fault]:
    """Describe each series whose known columns do not reach `ahead_points` beyond its end."""
    if not covariates.known:
        return []
    got = np.diff(covariates.known_offsets)
    needed = panel.lengths + ahead_points
    columns = ", ".join(covariates.known)
    faults = []
    for series in np.flatnonzero(got < needed).tolist():
        place = where(panel, columns, series, int(got[series]))
        last = said_time(panel, series, int(needed[series]) - 1)
        count = int(needed[series] - got[series])
        faults.append(fault("covariates.too-short", place=place, last=last, count=count, ahead=ahead_points))
    return faults


def name_faults(names: list[str]) -> list[Fault]:
    """Describe each name that comes twice."""
    twice = sorted({name for name in names if names.count(name) > 1})
    return [fault("covariates.name-twice", column=name) for name in twice]


def _read(
    panel: Panel,
    columns: Mapping[str, ArrayLike],
    offsets: NDArray[np.int64],
    faults: list[Fault],
    *,
    rows: bool = True,
) -> dict[str, Column]:
    """Return the columns that are as they should be, and add what is wrong with the others to the faults."""
    read: dict[str, Column] = {}
    strange: list[Fault] = []
    for name, values in columns.items():
        column = as_column(values)
        if isinstance(column, Strange):
            series = int(np.searchsorted(offsets, column.row, side="right")) - 1
            position = column.row - int(offsets[series]) if rows else None
            place = where(panel, name, min(series, panel.n_series - 1), position)
            strange.append(strange_fault(column, place))
        elif column.shape != (int(offsets[-1]),):
            expected = f"({int(offsets[-1])},)"
            strange.append(fault("covariates.rows", column=name, expected=expected, shape=column.shape))
        else:
            column.flags.writeable = False
            read[name] = column
    faults += named(strange, lambda one: one)
    return read
