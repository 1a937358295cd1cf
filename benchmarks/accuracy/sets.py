"""The sets and their official protocols: a folder of data -> tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .elsewhere import elsewhere
from .files import read_columns, read_long, read_rows
from .tasks import SQUARED, UNSEASONAL, Task

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MONTH = 30 * 24
"""The month of ETTh1's split, in hours."""

LOOKBACK = 96
HORIZONS = (96, 192, 336, 720)


def m4_hourly(folder: Path) -> list[Task]:
    """M4 competition, Hourly."""
    files = ("Hourly-train.csv.gz", "Hourly-test.csv")
    return [_competition("m4_hourly", "M4 Hourly", folder, files, horizon=48, season=24, header=True)]


def m3_monthly(folder: Path) -> list[Task]:
    """M3 competition, Monthly."""
    files = ("M3-Monthly-train.csv.gz", "M3-Monthly-test.csv.gz")
    return [_competition("m3_monthly", "M3 Monthly", folder, files, horizon=18, season=12)]


def tourism_monthly(folder: Path) -> list[Task]:
    """Tourism competition, Monthly."""
    files = ("tourism-Monthly-train.csv.gz", "tourism-Monthly-test.csv.gz")
    return [_competition("tourism_monthly", "Tourism Monthly", folder, files, horizon=24, season=12)]


def nn5(folder: Path) -> list[Task]:
    """NN5 competition: cash machines, daily, with missing values as they are."""
    series = read_rows(folder / "nn5.csv.gz", header=False)
    return [Task("nn5", "NN5 Daily", series, horizon=56, season=7, scaled_by=7)]


def etth1(folder: Path) -> list[Task]:
    """ETTh1: 7 channels, each a series; 12 months to train, 4 to choose weights, every window of the last 4.

    The papers standardise by the training part, so that is how the series come.
    """
    columns = read_columns(folder / "ETTh1.csv.gz", header=True)
    part = {name: one[: 20 * MONTH] for name, one in columns.items()}
    series = {name: (one - one[: 12 * MONTH].mean()) / one[: 12 * MONTH].std() for name, one in part.items()}
    return [
        Task(
            f"etth1_{horizon}",
            f"ETTh1, K = {horizon}",
            series,
            horizon=horizon,
            season=24,
            scaled_by=24,
            origins=4 * MONTH - horizon + 1,
            window=LOOKBACK,
            validation=4 * MONTH,
            metrics=SQUARED,
        )
        for horizon in HORIZONS
    ]


def exchange_rate(folder: Path) -> list[Task]:
    """8 currencies, daily: the last 5 horizons, one behind the other, after one fit."""
    series = read_columns(folder / "exchange_rate.txt.gz", header=False)
    return [
        Task(
            "exchange_rate",
            "Exchange rates",
            series,
            horizon=30,
            season=None,
            scaled_by=1,
            origins=5,
            stride=30,
            metrics=UNSEASONAL,
        )
    ]


def classic(folder: Path) -> list[Task]:
    """Three single series, the last year of each held out."""
    files = {
        "airline": ("Airline passengers", "airline-passengers.csv", 12),
        "sunspots": ("Monthly sunspots", "monthly-sunspots.csv", 12),
        "temperatures": ("Daily minimum temperatures", "daily-min-temperatures.csv", 365),
    }
    return [
        Task(
            f"classic_{name}",
            title,
            {name: next(iter(read_columns(folder / file, header=True).values()))},
            horizon=year,
            season=year,
            scaled_by=year,
            ets_season=7 if year > 24 else None,  # AutoETS takes no season above 24
        )
        for name, (title, file, year) in files.items()
    ]


def ercot(folder: Path) -> list[Task]:
    """Electricity load of 8 zones, hourly: the last 7 days, day by day, after one fit."""
    series = read_long(folder / "ercot_multiple_ts.csv")
    return [
        Task("ercot", "ERCOT load", series, horizon=24, season=24, scaled_by=24, origins=7, stride=24),
    ]


def _competition(
    name: str,
    title: str,
    folder: Path,
    files: tuple[str, str],
    *,
    horizon: int,
    season: int,
    header: bool = False,
) -> Task:
    """Return a task whose training and test parts are files of their own, a line each series."""
    past, ahead = (read_rows(folder / file, header=header) for file in files)
    series = {one: np.concatenate([values, ahead[one]]) for one, values in past.items()}
    return Task(name, title, series, horizon=horizon, season=season, scaled_by=season)


IN_FOLDER: dict[str, Callable[[Path], list[Task]]] = {
    "m4_hourly": m4_hourly,
    "m3_monthly": m3_monthly,
    "tourism_monthly": tourism_monthly,
    "nn5": nn5,
    "etth1": etth1,
    "exchange_rate": exchange_rate,
    "classic": classic,
    "ercot": ercot,
}
"""The sets that a data folder holds, each in a folder of its name."""

ELSEWHERE = "elsewhere"
SETS = (*IN_FOLDER, ELSEWHERE)


def load(name: str, data: Path | None) -> tuple[list[Task], list[str]]:
    """Return the tasks of a set, and a sentence for everything of it that cannot be run."""
    if name == ELSEWHERE:
        return elsewhere()
    if data is None:
        return [], [f"{name}: not run, it needs --data FOLDER"]
    if not (data / name).is_dir():
        return [], [f"{name}: not run, there is no folder {data / name}"]
    try:
        return IN_FOLDER[name](data / name), []
    except FileNotFoundError as error:
        return [], [f"{name}: not run, there is no file {error.filename}"]
