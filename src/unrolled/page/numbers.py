"""Numbers as a person reads them: four significant digits, thousands apart, powers of ten where needed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeGuard

if TYPE_CHECKING:
    from unrolled.page.report import Number

MISSING = "–"
SMALL, LARGE = 1e-4, 1e7
"""Outside of these magnitudes a number is written with a power of ten."""

SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def is_number(value: Number) -> TypeGuard[float]:
    """Say whether `value` is there and finite."""
    return value is not None and math.isfinite(value)


def number(value: Number, digits: int = 4) -> str:
    """Return `value` with `digits` significant digits.

    Args:
        value: a number; `None` and NaN become a dash, infinity its sign.
        digits: how many significant digits.

    Example:
        >>> number(0.0088976), number(10651.4), number(1.25e-9), number(None)
        ('0.008898', '10,651', '1.250×10⁻⁹', '–')
    """
    if value is None or math.isnan(value):
        return MISSING
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == 0:
        return "0"
    mantissa, exponent = f"{abs(value):.{digits - 1}e}".split("e")
    power = int(exponent)
    rounded = float(f"{mantissa}e{exponent}")
    if SMALL <= rounded < LARGE:
        written = f"{abs(value):,.{max(digits - 1 - power, 0)}f}"
    else:
        written = f"{mantissa}×10{str(power).translate(SUPERSCRIPT)}"
    return "−" + written if value < 0 else written


def apart(one: float, other: float) -> tuple[str, str]:
    """Return two numbers with as many digits as tell them apart, at least four.

    Example:
        >>> apart(0.45881, 0.45884), apart(1.0, 2.0)
        (('0.45881', '0.45884'), ('1.000', '2.000'))
    """
    for digits in range(4, 17):
        written = number(one, digits), number(other, digits)
        if one == other or written[0] != written[1]:
            break
    return written


def rank(value: Number) -> float:
    """Return what errors are sorted by: those that are not finite come last."""
    return value if is_number(value) else math.inf


def count(value: int) -> str:
    """Return a whole number with its thousands apart.

    Example:
        >>> count(10651)
        '10,651'
    """
    return f"{value:,}"
