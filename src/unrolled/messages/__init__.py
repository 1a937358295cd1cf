"""Every sentence that a person reads, by id, in every language: `en.json`, `zh.json`.

A message is a sentence with `{names}` for its values. A fault is four of them: what does not fit, what was
expected, what came, what to try. Knows nothing of the rest of the package.
"""

from __future__ import annotations

import functools
import json
import os
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

LANGUAGES = ("en", "zh")
"""The languages of the catalogue; the first is the fallback."""

PARTS = ("what", "expected", "got", "try")
"""The parts of a fault, in the order in which they are printed."""

_chosen: ContextVar[str | None] = ContextVar("unrolled_language", default=None)


def language() -> str:
    """Return the language in force: chosen by `speaking`, else `UNROLLED_LANG`, else `LANG`, else English."""
    wanted = (
        _chosen.get()
        or os.environ.get("UNROLLED_LANG")
        or os.environ.get("LC_ALL")
        or os.environ.get("LANG")
        or ""
    )
    return next((known for known in LANGUAGES if wanted.lower().startswith(known)), LANGUAGES[0])


@contextmanager
def speaking(chosen: str | None) -> Iterator[None]:
    """Speak `chosen` ("en" or "zh") inside the block; `None` leaves the language as it is."""
    token = _chosen.set(chosen or _chosen.get())
    try:
        yield
    finally:
        _chosen.reset(token)


@functools.cache
def catalogue(lang: str) -> dict[str, Any]:
    """Return all messages of one language, by id."""
    content: dict[str, Any] = json.loads(
        resources.files(__package__).joinpath(f"{lang}.json").read_text(encoding="utf-8")
    )
    return content


def text(message_id: str, /, **values: object) -> str:
    """Return one sentence in the language in force, its `{names}` filled with `values`."""
    sentence: str = catalogue(language())[message_id]
    return sentence.format(**values)


def fault(fault_id: str, /, **values: object) -> str:
    """Return the four parts of a fault as one string: what; expected; got; try (empty parts are left out)."""
    parts = catalogue(language())[f"fault.{fault_id}"]
    head, *rest = (parts[name].format(**values) for name in PARTS)
    labels = (text(f"fault-part.{name}") for name in PARTS[1:])
    lines = (f"  {label}: {part}" for label, part in zip(labels, rest, strict=True) if part)
    return "\n".join([head, *lines])
