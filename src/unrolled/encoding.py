"""Covariates become the features that a network reads: measured on the training part, applied everywhere.

Nothing behind the training part has any influence on how anything is encoded. What was measured is plain
data.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.calendar import CALENDAR, calendar_features, check_calendar
from unrolled.codes import MOST_LABELS, PARTS, Code, Part, measured
from unrolled.covariates import Covariates
from unrolled.covariates.beside import short_faults
from unrolled.covariates.columns import Column, is_categorical, missing_in, where
from unrolled.covariates.future import alike, said_kind
from unrolled.covariates.packed import need
from unrolled.errors import DataError, Fault, fault, raise_any
from unrolled.parts import offsets_of
from unrolled.places import named

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from unrolled.panel import Panel


@dataclass(frozen=True, eq=False)
class Features:
    """What the engine's table takes beside the values of a panel.

    Shapes:
        features: [M, F]; offsets: [S + 1]; static: [S, E].

    Args:
        features: of the panel's dtype, finite, the known ones first; `None` where there is none.
        offsets: where the series begin; each has its own points and `ahead_points` more.
        known: how many columns of features are known ahead.
        static: what never changes, of the panel's dtype; `None` where there is nothing.
        names: of the features.
        static_names: of the static ones.
        unknown: for each column with categories that training never saw, how many values were such.
    """

    features: NDArray[Any] | None
    offsets: NDArray[np.int64]
    known: int
    static: NDArray[Any] | None
    names: tuple[str, ...] = ()
    static_names: tuple[str, ...] = ()
    unknown: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Encoder:
    """How the covariates of a panel become features.

    Numbers are brought to mean 0 and deviation 1, categories become one column of 0 and 1 for each label
    ("one-hot"). A one-hot category times the weights of the first layer picks the column of weights that
    belongs to its label: that column is learned, and so it is an embedding of the label, as wide as the
    layer.
    Features of the calendar lie within -1 and 1 and stay as they are.

    Args:
        calendar: names of features of the time, see `calendar_features`.
        codes: what was measured on each column: known, past, static.

    Example:
        >>> from unrolled.covariates import from_arrays
        >>> from unrolled.panel import to_panel
        >>> panel = to_panel([1.0, 2.0, 3.0])
        >>> covariates = from_arrays(panel, past=[1.0, 3.0, 9.0], known=["a", "b", "b", "c"])
        >>> found = Encoder.fit(panel, covariates, held_out=1).apply(panel, covariates, ahead_points=1)
        >>> found.names, found.known, found.unknown
        (('known_0=a', 'known_0=b', 'past_0'), 2, {'known_0': 1})
        >>> found.features.tolist()
        [[1.0, 0.0, -1.0], [0.0, 1.0, 1.0], [0.0, 1.0, 7.0], [0.0, 0.0, 0.0]]
    """

    calendar: tuple[str, ...] = ()
    codes: tuple[Code, ...] = ()

    @classmethod
    def fit(
        cls,
        panel: Panel,
        covariates: Covariates | None = None,
        calendar: Sequence[str] = (),
        *,
        held_out: int | NDArray[np.int64] = 0,
    ) -> Encoder:
        """Measure the covariates but for the last `held_out` points of each series and all beyond.

        Of a static column, the series count that have a point to train on.

        Shapes:
            held_out: one number, or [S]

        Args:
            panel: the series.
            covariates: what is known beside them.
            calendar: features of the time.
            held_out: points at the end of each series that are not for training.

        Raises:
            ArgumentError: a feature of the calendar is unknown or comes twice.
            DataError: the times are no dates, or a column has more than a hundred categories.
        """
        check_calendar(calendar)
        if calendar:
            calendar_features(panel.times if panel.times is None else panel.times[:1], calendar)
        given = covariates or Covariates()
        codes: list[Code] = []
        trained = np.maximum(panel.lengths - held_out, 0)
        chosen = {
            "known": _first_rows(given.known_offsets, trained) if given.known else np.empty(0, bool),
            "past": _first_rows(panel.offsets, trained),
            "static": trained > 0,
        }
        for part in PARTS:
            columns: Mapping[str, Column] = getattr(given, part)
            codes += [measured(name, part, column[chosen[part]]) for name, column in columns.items()]
        many = [code for code in codes if code.labels is not None and len(code.labels) > MOST_LABELS]
        faults = [
            fault("encoding.labels", column=code.name, most=MOST_LABELS, count=len(code.labels or ()))
            for code in many
        ]
        raise_any(DataError, faults)
        return cls(tuple(calendar), tuple(codes))

    def of(self, part: Part) -> tuple[Code, ...]:
        """Return the codes of the columns of one part."""
        return tuple(code for code in self.codes if code.part == part)

    @property
    def known(self) -> int:
        """How many features are known ahead, those of the calendar first."""
        calendar = sum(1 if name == "weekend" else 2 for name in self.calendar)
        return calendar + sum(code.width for code in self.of("known"))

    @property
    def width(self) -> int:
        """How many features a point has, F."""
        return self.known + sum(code.width for code in self.of("past"))

    @property
    def statics(self) -> int:
        """How many static features a series has, E."""
        return sum(code.width for code in self.of("static"))

    def apply(self, panel: Panel, covariates: Covariates | None = None, *, ahead_points: int = 0) -> Features:
        """Return the features of each series from its first point to `ahead_points` beyond its last.

        Shapes:
            returns [N + S ahead_points, F] and [S, E].

        Args:
            panel: the series, the same as in `fit` or others.
            covariates: what is known beside them, with the columns that `fit` saw.
            ahead_points: points beyond the end of each series; features of the past are 0 there.

        Raises:
            DataError: columns are missing, are of another kind, end too early, are too large for the dtype,
                or have a missing value though the training part had none; by series, column and time.
        """
        given = covariates or Covariates()
        raise_any(DataError, self._column_faults(given))
        raise_any(DataError, named(short_faults(panel, given, ahead_points), lambda one: one))
        offsets = offsets_of(panel.lengths + ahead_points)
        dtype = panel.values.dtype
        matrix = np.zeros((int(offsets[-1]), self.width), dtype)
        statics = np.zeros((panel.n_series, self.statics), dtype)
        names: tuple[str, ...] = ()
        if self.calendar:
            times, names = calendar_features(_times(panel, offsets, ahead_points), self.calendar)
            matrix[:, : len(names)] = times
        inside = _first_rows(offsets, panel.lengths)
        rows: dict[str, Any] = {"known": slice(None), "past": inside, "static": slice(None)}
        taken = _first_rows(given.known_offsets, np.diff(offsets)) if given.known else slice(None)
        unknown: dict[str, int] = {}
        faults: list[Fault] = []
        at = {"known": len(names), "past": self.known, "static": 0}
        for code in self.codes:
            column: Column = getattr(given, code.part)[code.name]
            column = column[taken] if code.part == "known" else column
            column, _ = alike(column, np.empty(0, np.float64 if code.labels is None else object))
            numbers, count = code.numbers(column)
            with np.errstate(over="ignore"):
                numbers = numbers.astype(dtype)
            own = {"known": offsets, "past": panel.offsets}.get(code.part)
            faults += _value_faults(panel, code, column, numbers, own)
            target = statics if code.part == "static" else matrix
            target[rows[code.part], at[code.part] : at[code.part] + code.width] = numbers
            at[code.part] += code.width
            if count:
                unknown[code.name] = count
        raise_any(DataError, named(faults, lambda one: one))
        for code in (*self.of("known"), *self.of("past")):
            names = (*names, *code.features)
        static_names = tuple(name for code in self.of("static") for name in code.features)
        return Features(
            matrix if self.width else None,
            offsets,
            self.known,
            statics if self.statics else None,
            names,
            static_names,
            unknown,
        )

    def _column_faults(self, covariates: Covariates) -> list[Fault]:
        """Describe each column that is missing, was not there while fitting, or is of another kind."""
        faults: list[Fault] = []
        for part in PARTS:
            columns: Mapping[str, Column] = getattr(covariates, part)
            codes = {code.name: code for code in self.of(part)}
            faults += [
                fault("encoding.absent", column=name, part=part) for name in codes if name not in columns
            ]
            faults += [fault("encoding.new", column=name, part=part) for name in columns if name not in codes]
            for name in (one for one in codes if one in columns):
                column, labels = columns[name], codes[name].labels
                if is_categorical(column) != (labels is not None) and not missing_in(column).all():
                    was = "numbers" if labels is None else "text"
                    faults.append(
                        fault("covariates.kind-changed", column=name, was=was, got=said_kind(column))
                    )
        return faults

    def to_dict(self) -> dict[str, Any]:
        """Return the encoder as JSON knows it."""
        return {"calendar": list(self.calendar), "columns": [code.to_dict() for code in self.codes]}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Encoder:
        """Return an encoder from what `to_dict` gave, and believe none of it unchecked.

        Raises:
            ValueError: something does not fit; or what Python raises by itself where a type is wrong.
        """
        need(set(content) == {"calendar", "columns"}, "encoder")
        calendar, columns = content["calendar"], content["columns"]
        need(isinstance(calendar, list) and all(name in CALENDAR for name in calendar), "calendar")
        need(len(set(calendar)) == len(calendar), "calendar")
        need(isinstance(columns, list), "columns")
        codes = tuple(Code.from_dict(one) for one in columns)
        need(len({code.name for code in codes}) == len(codes), "columns")
        parts = [PARTS.index(code.part) for code in codes]
        need(parts == sorted(parts), "columns")
        return cls(tuple(calendar), codes)


def _first_rows(offsets: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which rows are among the first `counts` of their series, [N]."""
    positions = np.arange(int(offsets[-1])) - np.repeat(offsets[:-1], np.diff(offsets))
    return positions < np.repeat(counts, np.diff(offsets))


def _times(panel: Panel, offsets: NDArray[np.int64], ahead_points: int) -> NDArray[Any] | None:
    """Return the times of each series and of the points after its end, one series after the other."""
    if panel.times is None or not ahead_points:
        return panel.times
    future = panel.future(ahead_points)
    times = np.empty(int(offsets[-1]), panel.times.dtype)
    inside = _first_rows(offsets, panel.lengths)
    times[inside] = panel.times
    times[~inside] = future.ravel() if future is not None else ()
    return times


def _value_faults(
    panel: Panel, code: Code, column: Column, numbers: NDArray[Any], offsets: NDArray[np.int64] | None
) -> list[Fault]:
    """Describe, for each series, the first value that is missing though none was, or that is too large."""
    missing = missing_in(column) if not code.gaps else np.zeros(len(column), bool)
    faults: list[Fault] = []
    for wrong, name in ((missing, "encoding.missing"), (~np.isfinite(numbers).all(axis=1), "encoding.large")):
        rows = np.flatnonzero(wrong)
        if not rows.size:
            continue
        beside = np.arange(panel.n_series + 1) if offsets is None else offsets
        series = np.searchsorted(beside, rows, side="right") - 1
        each, first, counts = np.unique(series, return_index=True, return_counts=True)
        for one, index, count in zip(each.tolist(), rows[first].tolist(), counts.tolist(), strict=True):
            position = None if offsets is None else index - int(beside[one])
            place = where(panel, code.name, one, position)
            faults.append(fault(name, place=place, count=count, value=column[index], dtype=numbers.dtype))
    return faults
