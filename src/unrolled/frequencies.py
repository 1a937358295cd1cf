"""How a step of time is said: "h", "15min", "D", "B", "W", "MS", "ME", "7D", or a whole number.

The words of pandas and polars, capitals or not where they leave no doubt. Knows the step and nothing else.
"""

from __future__ import annotations

import datetime
import operator
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.errors import ArgumentError, fault, nearest
from unrolled.timestep import FIXED, MONTH_END, TimeStep, fixed_step

if TYPE_CHECKING:
    from unrolled.timestep import Unit

_EXACT: dict[str, tuple[int, Unit, int | None]] = {
    "m": (1, "m", None),
    "M": (1, "M", None),
    "MS": (1, "M", 1),
}
"""The words of which the capitals matter."""

_WORDS: dict[str, tuple[int, Unit, int | None]] = {
    "ns": (1, "ns", None),
    "us": (1, "us", None),
    "µs": (1, "us", None),
    "ms": (1, "ms", None),
    "s": (1, "s", None),
    "second": (1, "s", None),
    "min": (1, "m", None),
    "t": (1, "m", None),
    "minute": (1, "m", None),
    "h": (1, "h", None),
    "hour": (1, "h", None),
    "d": (1, "D", None),
    "day": (1, "D", None),
    "b": (1, "B", None),
    "bd": (1, "B", None),
    "business day": (1, "B", None),
    "w": (7, "D", None),
    "week": (7, "D", None),
    "mo": (1, "M", None),
    "month": (1, "M", None),
    "month start": (1, "M", 1),
    "me": (1, "M", MONTH_END),
    "month end": (1, "M", MONTH_END),
    "q": (3, "M", None),
    "quarter": (3, "M", None),
    "qs": (3, "M", 1),
    "qe": (3, "M", MONTH_END),
    "y": (12, "M", None),
    "a": (12, "M", None),
    "year": (12, "M", None),
    "ys": (12, "M", 1),
    "as": (12, "M", 1),
    "ye": (12, "M", MONTH_END),
    "i": (1, "step", None),
}
"""How many of which unit a word means, and the day of the month that it aims at."""

_ADVERBS = {"hourly": "h", "daily": "D", "weekly": "W", "monthly": "M", "quarterly": "Q", "yearly": "Y"}
_PART = re.compile(r"(\d*)\s*([A-Za-zµ]+(?: [A-Za-z]+)?)")
_SUFFIX = re.compile(r"(?<=[A-Z])-[A-Z]{3}$")
"""The weekday or the month at which pandas lets weeks, quarters and years begin; the rows say it as well."""


def to_step(freq: Any) -> TimeStep:
    """Return the step that a text, a number or a duration means.

    Args:
        freq: "h", "15min", "1h30min", "D", "B" (business days), "W", "7D", "MS" (month starts), "ME" (month
            ends), "M" or "1mo" (months, whatever their day), "Q", "QS", "QE", "Y", "YS", "YE"; words like
            "business day" or "monthly"; a whole number for times that are whole numbers; a duration of NumPy
            or of the standard library; a pandas offset; or a step itself. "MS" is a month start and "ms" a
            millisecond; "M" is a month and "m" a minute.

    Raises:
        ArgumentError: freq is none of these.

    Example:
        >>> str(to_step("15min")), str(to_step("QS")), str(to_step("B"))
        ('15 minutes', '3 months', '1 business day')
    """
    if isinstance(freq, TimeStep):
        return freq
    text = getattr(freq, "freqstr", freq)
    step = _of_text(text) if isinstance(text, str) else _of_number(freq)
    if step is None or step.count < 1:
        words = ["h", "15min", "D", "B", "W", "MS", "ME", "QS", "YS"]
        raise ArgumentError(fault("time.freq", freq=freq, nearest=nearest(str(freq), words)))
    return step


def _of_number(freq: Any) -> TimeStep | None:
    """Return the step that a number or a duration means."""
    if isinstance(freq, datetime.timedelta):
        freq = np.timedelta64(freq)
    if isinstance(freq, np.timedelta64):
        unit = np.datetime_data(freq.dtype)[0]
        if unit in ("Y", "M"):
            return TimeStep(int(freq.astype("timedelta64[M]").astype(np.int64)), "M")
        length = int(freq.astype("timedelta64[ns]").astype(np.int64))
        return fixed_step(length, "ns") if length > 0 else None
    try:
        return None if isinstance(freq, bool) else TimeStep(operator.index(freq), "step")
    except TypeError:
        return None


def _of_text(text: str) -> TimeStep | None:
    """Return the step that a text means: one word with a number before it, or fixed lengths added up."""
    plain = _SUFFIX.sub("", text.strip())
    plain = _ADVERBS.get(plain.lower(), plain)
    parts = _PART.findall(plain)
    if not parts or re.sub(r"\s", "", _PART.sub("", plain)):
        return None
    found = [_of_word(word) for _, word in parts]
    counts = [int(count or 1) for count, _ in parts]
    if len(found) == 1 and found[0] is not None:
        count, unit, anchor = found[0]
        count *= counts[0]
        return fixed_step(count, unit) if unit in FIXED and count else TimeStep(count, unit, anchor)
    if any(one is None or one[1] not in FIXED for one in found):
        return None
    length = sum(own * one[0] * FIXED[one[1]] for own, one in zip(counts, found, strict=True) if one)
    return fixed_step(length, "ns") if length else None


def _of_word(word: str) -> tuple[int, Unit, int | None] | None:
    """Return what one word means."""
    low = word.lower()
    return _EXACT.get(word) or _WORDS.get(low) or _WORDS.get(low.removesuffix("s"))
