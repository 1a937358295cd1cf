"""What the tests of the command line share: a way to run it, and files to run it on."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from typer.testing import CliRunner

from unrolled.cli.app import make_app

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from typer.testing import Result

SCRIPT = Path(sys.executable).with_name("unrolled")
"""The command as it is installed."""

QUICK = ("--steps", "20", "--hidden-size", "4", "--threads", "1")
"""Options that make training a matter of milliseconds."""


def run(*args: object) -> Result:
    """Run the command line in this process; an exception that nobody meant is raised."""
    result = CliRunner().invoke(make_app(), [str(one) for one in args])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def table(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    """Write a CSV file."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path


def months(count: int, start: str = "2015-01") -> list[str]:
    """Return the first days of months, as text."""
    first = np.datetime64(start, "M")
    return [f"{first + np.timedelta64(i, 'M')}-01" for i in range(count)]


def wave(count: int, *, period: int = 12, level: float = 100.0) -> list[float]:
    """Return a trend with a season."""
    return [round(level + 0.5 * i + 10 * np.sin(2 * np.pi * i / period), 4) for i in range(count)]


def monthly(path: Path, count: int = 60) -> Path:
    """Write a file of one monthly series: month, sales."""
    return table(path, ("month", "sales"), zip(months(count), wave(count), strict=True))


def forecast(file: object, *args: object, horizon: int = 6) -> Result:
    """Run `unrolled forecast` on a file like that of `monthly`, quickly."""
    usual = ("--time", "month", "--target", "sales", "--horizon", horizon, *QUICK)
    return run("forecast", file, *usual, *args)


def rows(text: str) -> list[dict[str, Any]]:
    """Read CSV."""
    return list(csv.DictReader(io.StringIO(text)))
