"""What was read is a report: every value is held against the shape that `facts.py` writes down.

A file may come from anywhere; the place of the first value that does not fit is named. Knows nothing of what
the facts mean.
"""

from __future__ import annotations

import base64
import binascii
import functools
import math
from types import NoneType, UnionType
from typing import (
    TYPE_CHECKING,
    Any,
    Literal,
    NotRequired,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from unrolled.errors import DataError, fault
from unrolled.explain import facts

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHOWN = 60
"""So many characters of a wrong value are shown."""


def check_facts(value: object) -> facts.ReportFacts:
    """Return what was read, if it is a report of this version.

    Args:
        value: what JSON gave.

    Raises:
        DataError: it is no report, of a newer version, or a value has not the shape of `facts.py`.

    Example:
        >>> check_facts({"format": "unrolled.report", "version": 2})
        Traceback (most recent call last):
        unrolled.errors.DataError: ...
    """
    if not isinstance(value, dict) or value.get("format") != facts.FORMAT:
        raise DataError(fault("glass.report-format", expected=facts.FORMAT, got=_shown(value)))
    version = value.get("version")
    if type(version) is int and version > facts.VERSION:
        raise DataError(fault("glass.report-newer", known=facts.VERSION, got=version))
    for place, expected, got in _misfits(value, facts.ReportFacts, ""):
        raise DataError(fault("glass.report-shape", place=place, expected=expected, got=got))
    return cast("facts.ReportFacts", value)


def _misfits(value: Any, hint: Any, place: str) -> Iterator[tuple[str, str, str]]:
    """Yield what does not fit: its place, what was expected there, and what is there."""
    origin = get_origin(hint)
    if is_typeddict(hint):
        found = list(_misfits_of_keys(value, hint, place))
        yield from found
        if hint is facts.Block and not found and _size(value["shape"]) != _bytes(value["data"]):
            yield f"{place}.data", f"{_size(value['shape'])} bytes, base64", f"{_bytes(value['data'])}"
    elif origin in (Union, UnionType):
        firsts = [next(_misfits(value, one, place), None) for one in get_args(hint)]
        if None not in firsts:
            inside = [one for one in firsts if one is not None and one[0] != place]
            yield from inside or [(place, _name(hint), _shown(value))]
    elif origin is list:
        yield from _misfits_of_items(value, get_args(hint)[0], place)
    elif origin is dict:
        if not isinstance(value, dict):
            yield place, "object", _shown(value)
        else:
            for key, item in value.items():
                yield from _misfits(item, get_args(hint)[1], f"{place}.{key}")
    elif not _fits(value, hint):
        yield place, _name(hint), _shown(value)


def _misfits_of_keys(value: Any, hint: Any, place: str) -> Iterator[tuple[str, str, str]]:
    """Yield what does not fit in an object whose keys are known."""
    if not isinstance(value, dict):
        yield place, hint.__name__, _shown(value)
        return
    known = _hints(hint)
    before = f"{place}." if place else ""
    for key in value.keys() - known.keys():
        yield f"{before}{key}", ", ".join(known), _shown(value[key])
    for key, own in known.items():
        optional = get_origin(own) is NotRequired
        if key in value:
            yield from _misfits(value[key], get_args(own)[0] if optional else own, f"{before}{key}")
        elif not optional:
            yield f"{before}{key}", _name(own), "–"


def _misfits_of_items(value: Any, hint: Any, place: str) -> Iterator[tuple[str, str, str]]:
    """Yield what does not fit in a list."""
    if not isinstance(value, list):
        yield place, "array", _shown(value)
        return
    for number, item in enumerate(value):
        yield from _misfits(item, hint, f"{place}[{number}]")


@functools.cache
def _hints(hint: Any) -> dict[str, Any]:
    """Return the keys of an object, and what each holds."""
    return get_type_hints(hint, include_extras=True)


def _fits(value: Any, hint: Any) -> bool:
    """Return whether a value that is no list and no object fits; whole numbers are numbers."""
    if get_origin(hint) is Literal:
        return any(type(value) is type(one) and value == one for one in get_args(hint))
    if hint in (None, NoneType):
        return value is None
    if hint is float:
        return type(value) in (int, float) and math.isfinite(value)
    return type(value) is hint


def _name(hint: Any) -> str:
    """Return what a hint is called where a value does not fit it."""
    if get_origin(hint) is NotRequired:
        return _name(get_args(hint)[0])
    return (
        hint.__name__ if isinstance(hint, type) and not get_args(hint) else str(hint).replace("typing.", "")
    )


def _shown(value: object) -> str:
    """Return the beginning of a value, on one line."""
    written = (
        ascii(value) if not isinstance(value, dict | list) else f"{type(value).__name__} of {len(value)}"
    )
    return written if len(written) <= _SHOWN else f"{written[:_SHOWN]}..."


def _size(shape: list[int]) -> int:
    """Return how many bytes an array takes; -1 for a shape that no array has."""
    return 4 * math.prod(shape) if all(size >= 0 for size in shape) else -1


def _bytes(data: str) -> int | None:
    """Return how many bytes a text in base64 holds; None where it is none."""
    try:
        return len(base64.b64decode(data, validate=True))
    except (binascii.Error, ValueError):
        return None
