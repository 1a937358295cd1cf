"""Values as they are written on a command line."""

from __future__ import annotations

from typing import Any

_WORDS = {"none": None, "true": True, "false": False}


def read_space(written: list[str]) -> dict[str, Any]:
    """Return what is to be tried: `cell=lstm,gru`, `hidden-size=8..64`, `lr=0.001..0.1,log`.

    Raises:
        ValueError: it is not written so.
    """
    space: dict[str, Any] = {}
    for one in written:
        name, equals, values = one.partition("=")
        name = name.strip().replace("-", "_")
        if not equals or not name or name in space:
            raise ValueError(one)
        space[name] = _values(values)
    return space


def _values(written: str) -> Any:
    """Return a list of values, or the bounds of a range."""
    bounds, comma, how = written.partition(",")
    low, dots, high = bounds.partition("..")
    if dots:
        if comma and how.strip() != "log":
            raise ValueError(written)
        return (_number(low), _number(high), *(["log"] if comma else []))
    parts = [part.strip() for part in written.split(",")]
    if not all(parts):
        raise ValueError(written)
    return [_value(part) for part in parts]


def _number(written: str) -> int | float:
    try:
        return int(written)
    except ValueError:
        return float(written)


def _value(written: str) -> Any:
    """Return a number, True, False, None, or the text itself."""
    if written.lower() in _WORDS:
        return _WORDS[written.lower()]
    try:
        return _number(written)
    except ValueError:
        return written
