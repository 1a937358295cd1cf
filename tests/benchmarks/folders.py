"""Small folders of data with made-up values, as the authors of the sets lay them out."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

HOURS_OF_ETT = 17_420


def classic(data: Path, points: int = 96) -> dict[str, NDArray[np.float64]]:
    """Write three single series; return them by name."""
    files = {
        "airline": ("airline-passengers.csv", points),
        "sunspots": ("monthly-sunspots.csv", points),
        "temperatures": ("daily-min-temperatures.csv", 3 * 365),
    }
    found = {}
    for name, (file, length) in files.items():
        found[name] = wave(length, 12)
        lines = [f'"{place}-x",{value!r}' for place, value in enumerate(found[name].tolist())]
        write(data / "classic" / file, ['"Month","Value"', *lines])
    return found


def competition(
    data: Path,
    name: str,
    files: tuple[str, str],
    series: Sequence[NDArray[np.float64]],
    horizon: int,
    *,
    header: bool,
) -> None:
    """Write the training and test parts of some series, a line each, padded with empty cells."""
    longest = max(map(len, series))
    for file, parts in zip(
        files, ([one[:-horizon] for one in series], [one[-horizon:] for one in series]), strict=True
    ):
        lines = ["id," + ",".join(f"V{n}" for n in range(longest))] if header else []
        lines += [f"S{n}," + cells(one) + "," * (longest - len(one)) for n, one in enumerate(parts)]
        write(data / name / file, lines)


def nn5(data: Path, series: Sequence[NDArray[np.float64]]) -> None:
    """Write series of cash machines, missing values as empty cells."""
    write(data / "nn5" / "nn5.csv.gz", [f"N{n}," + cells(one) for n, one in enumerate(series)])


def etth1(data: Path, channels: Mapping[str, NDArray[np.float64]]) -> None:
    """Write channels of the length of ETTh1."""
    rows = zip(*(one.tolist() for one in channels.values()), strict=True)
    lines = [f"time {n:05d}," + ",".join(map(repr, row)) for n, row in enumerate(rows)]
    write(data / "etth1" / "ETTh1.csv.gz", ["date," + ",".join(channels), *lines])


def exchange_rate(data: Path, rates: NDArray[np.float64]) -> None:
    """Write a column each currency, without names."""
    lines = [",".join(map(repr, row)) for row in rates.tolist()]
    write(data / "exchange_rate" / "exchange_rate.txt.gz", lines)


def ercot(data: Path, zones: Mapping[str, NDArray[np.float64]]) -> None:
    """Write a long file, its times in no order."""
    lines = [
        f"{zone},2021-01-{1 + hour // 24:02d} {hour % 24:02d}:00:00,{value!r}"
        for zone, load in zones.items()
        for hour, value in enumerate(load.tolist())
    ]
    write(data / "ercot" / "ercot_multiple_ts.csv", ["unique_id,timestamp,value", *lines[::-1]])


def cells(values: NDArray[np.float64]) -> str:
    """Write values as cells, a missing one empty."""
    return ",".join("" if np.isnan(value) else repr(value) for value in values.tolist())


def wave(points: int, season: int, seed: int = 0) -> NDArray[np.float64]:
    """Return a season with noise, above zero."""
    noise = np.random.default_rng(seed).normal(0, 0.3, points)
    return np.round(10 + 3 * np.sin(2 * np.pi * np.arange(points) / season) + noise, 4)


def write(path: Path, lines: Sequence[str]) -> None:
    """Write lines, compressed where the name says so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "\n".join(lines) + "\n"
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
