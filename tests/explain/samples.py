"""Values of the shape that `facts.py` writes down, made from that shape: a report with every key."""

from __future__ import annotations

from types import NoneType
from typing import TYPE_CHECKING, Any, Literal, NotRequired, cast, get_args, get_origin, get_type_hints

from unrolled.explain import facts
from unrolled.explain.blocks import packed

if TYPE_CHECKING:
    from collections.abc import Iterator

PLAIN = {str: "x", int: 2, float: 1.5, bool: False, NoneType: None}

HOSTILE = "</script><script>alert(1)</script>\"'&amp;<img src=x onerror=alert(2)>"
"""A title that would be code wherever it is not escaped."""


def sample(hint: Any) -> Any:
    """Return a value that fits a hint, as small as may be and with every key."""
    origin = get_origin(hint)
    if hint is facts.Block:
        return packed([1.0, 2.0])
    if origin is NotRequired:
        return sample(get_args(hint)[0])
    if origin is Literal:
        return get_args(hint)[0]
    if origin is list:
        return [sample(get_args(hint)[0])]
    if origin is dict:
        return {"a": sample(get_args(hint)[1])}
    if hint is facts.Said:
        return said()
    if hint in PLAIN:
        return PLAIN[hint]
    if origin is not None:  # a union: its first
        return sample(get_args(hint)[0])
    return {key: sample(own) for key, own in get_type_hints(hint, include_extras=True).items()}


def said() -> facts.Said:
    """Return a sentence of the catalogue."""
    return {"id": "glass.report.shared", "values": {"parameters": 10600, "steps": 40}}


def make_facts(**more: Any) -> facts.ReportFacts:
    """Return a report with every key, some of them as given."""
    made = sample(facts.ReportFacts)
    made["sentences"] = [said()]
    made["lesson"]["slips"] = [{"letter": "a", "said": said(), "computed": said()}]
    return cast("facts.ReportFacts", {**made, **more})


def places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the place of every value inside, keys and numbers of items."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inside:
        yield (*place, key)
        yield from places(item, (*place, key))
