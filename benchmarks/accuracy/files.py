"""How the files of the data folder are read. Knows no protocol."""

from __future__ import annotations

import csv
import gzip
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

_MISSING = ("", "NA")


def read_rows(path: Path, *, header: bool) -> dict[str, Numbers]:
    """Return a series for every line, `name, value, value, ...`; empty cells inside are missing."""
    rows = {}
    for line in list(_lines(path))[header:]:
        cells = line[1:]
        while cells and cells[-1] in _MISSING:
            cells.pop()
        rows[line[0]] = _numbers(cells)
    return rows


def read_columns(path: Path, *, header: bool) -> dict[str, Numbers]:
    """Return a series for every column but that of the times; without a header they are 1, 2, ..."""
    lines = list(_lines(path))
    names = lines.pop(0) if header else [str(n) for n in range(1, len(lines[0]) + 1)]
    columns = zip(names, zip(*lines, strict=True), strict=True)
    return {name: _numbers(cells) for name, cells in columns if not _is_time(cells[0])}


def read_long(path: Path) -> dict[str, Numbers]:
    """Return the series of a long file, `name, time, value` below a header, in the order of the times."""
    found: dict[str, list[tuple[str, str]]] = {}
    for name, time, value in list(_lines(path))[1:]:
        found.setdefault(name, []).append((time, value))
    return {name: _numbers([value for _, value in sorted(points)]) for name, points in found.items()}


def _lines(path: Path) -> Iterator[list[str]]:
    with gzip.open(path, "rt", newline="") if path.suffix == ".gz" else path.open(newline="") as lines:
        yield from (line for line in csv.reader(lines) if line)


def _numbers(cells: list[str] | tuple[str, ...]) -> Numbers:
    return np.array([float("nan") if cell in _MISSING else float(cell) for cell in cells])


def _is_time(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return cell not in _MISSING
    return False
