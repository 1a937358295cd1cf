"""How figures are written: three digits, in the unit that suits them."""

from __future__ import annotations

import re


def digits(value: float) -> str:
    """Write a number with three digits, but no more than two behind the point."""
    places = 0 if abs(value) >= 99.95 else 1 if abs(value) >= 9.995 else 2
    return f"{value:.{places}f}"


def seconds(value: float) -> str:
    """Write a time."""
    unit, size = next(((u, s) for u, s in (("s", 1.0), ("ms", 1e-3)) if abs(value) >= s), ("µs", 1e-6))
    return f"{digits(value / size)} {unit}"


def times(value: float) -> str:
    """Write a ratio."""
    return f"{digits(value)}x"


def percent(value: float) -> str:
    """Write a share."""
    return f"{value * 100:.0f} %"


def megabytes(value: float) -> str:
    """Write an amount of memory, given in megabytes."""
    return f"{value:.0f} MB"


def plain(text: str) -> str:
    """Leave out zeros at the end of a decimal fraction: "2.50x" is "2.5x"."""
    return re.sub(r"(\.\d*?)0+(?!\d)", lambda found: found[1].rstrip("."), text)
