"""A few tiny real series that come with the package, each with its source and its terms.

Example:
    >>> air = load("airline_passengers")
    >>> air.values.shape, air.season, str(air.times[0])
    ((144,), 12, '1949-01-01')
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from unrolled import messages
from unrolled.errors import ArgumentError, fault, nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["NAMES", "Series", "load"]

_Item = TypeVar("_Item", bound=np.generic)


@dataclass(frozen=True, eq=False)
class Series:
    """One real series, complete and in order, and what is to be known of it.

    Shapes:
        values: `[T]`, float64, read-only.
        times: `[T]`, `datetime64[D]`, read-only: the first day of every month or year.

    Units:
        `unit` says those of `values`.

    Args:
        name: what `load` calls it.
        title: what it is, in the language in force when it was loaded.
        unit: the unit of the values, in that language.
        season: points in a season; `None` where it has none.
        values: the values.
        times: when they were measured.
        source: where the data come from.
        licence: the terms under which they may be passed on.
    """

    name: str
    title: str
    unit: str
    season: int | None
    values: NDArray[np.float64]
    times: NDArray[np.datetime64]
    source: str
    licence: str


@dataclass(frozen=True)
class _Facts:
    """What stands beside a file: `<name>.csv` with a column of times and one of values."""

    season: int | None
    source: str
    licence: str


_FACTS = {
    "airline_passengers": _Facts(
        season=12,
        source="Box, Jenkins (1976), Time series analysis: forecasting and control, series G; "
        "from sktime 1.2.0",
        licence="BSD-3-Clause (LICENSE-sktime.txt)",
    ),
    "co2_monthly": _Facts(
        season=12,
        source="Keeling, Whorf (2004), Atmospheric CO2 concentrations derived from flask air samples at "
        "sites in the SIO network, Carbon Dioxide Information Analysis Center; monthly means of the weekly "
        "values in statsmodels 0.15.0",
        licence="public domain",
    ),
    "nile": _Facts(
        season=None,
        source="Cobb (1978), The problem of the Nile: conditional solution to a changepoint problem, "
        "Biometrika 65(2), 243-251; from statsmodels 0.15.0",
        licence="public domain",
    ),
}

NAMES: tuple[str, ...] = tuple(_FACTS)
"""The names that `load` knows."""


def load(name: str) -> Series:
    """Return a series that comes with the package.

    Args:
        name: one of `NAMES`.

    Returns:
        The series with its times, its season, its source and its terms.

    Raises:
        ArgumentError: there is no such series.

    Example:
        >>> load("nile").values[:3].tolist()
        [1120.0, 1160.0, 963.0]
    """
    facts = _FACTS.get(name) if isinstance(name, str) else None
    if facts is None:
        near = nearest(str(name), NAMES)
        raise ArgumentError(fault("dataset.name", got=repr(name), known=", ".join(NAMES), nearest=near))
    content = resources.files(__package__).joinpath(f"{name}.csv").read_text(encoding="utf-8")
    times, values = zip(*list(csv.reader(content.splitlines()))[1:], strict=True)
    return Series(
        name=name,
        title=messages.text(f"dataset.{name}.title"),
        unit=messages.text(f"dataset.{name}.unit"),
        season=facts.season,
        values=_frozen(np.array(values, dtype=np.float64)),
        times=_frozen(np.array(times, dtype="datetime64[D]")),
        source=facts.source,
        licence=facts.licence,
    )


def _frozen(array: NDArray[_Item]) -> NDArray[_Item]:
    """Return `array`, no longer writable."""
    array.setflags(write=False)
    return array
