"""Catalogue and source agree: every message exists in every language, with its values, and is used."""

from __future__ import annotations

import ast
import json
import re
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.meta.repository import PACKAGE, ROOT, files, modules

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LANGUAGES = ("en", "zh")
PARTS = ("what", "expected", "got", "try")
SPEAKERS = {"text": "", "fault": "fault.", "Fault": "fault."}
"""The functions that take a message's id, and what stands before that id in the catalogue."""

ANY = "[^ ]+"
"""What a value can be inside an id that an f-string puts together."""


@dataclass(frozen=True)
class Use:
    """One place in the source that speaks: a pattern of ids, and the values given (None: not known)."""

    where: str
    pattern: str
    values: frozenset[str] | None


def catalogue(language: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(
        (PACKAGE / "messages" / f"{language}.json").read_text(encoding="utf-8")
    )
    return content


def placeholders(message: str | dict[str, str]) -> set[str]:
    sentences = [message] if isinstance(message, str) else list(message.values())
    fields = [
        field for one in sentences for _, field, _, _ in string.Formatter().parse(one) if field is not None
    ]
    return {re.split(r"[.\[]", field)[0] for field in fields}


def pattern_of(node: ast.expr) -> str | None:
    """Return a pattern of the ids that an argument can be, or None where only running it tells."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.escape(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(
            re.escape(str(part.value)) if isinstance(part, ast.Constant) else ANY for part in node.values
        )
    if isinstance(node, ast.IfExp):
        branches = [pattern_of(node.body), pattern_of(node.orelse)]
        return None if None in branches else f"(?:{branches[0]}|{branches[1]})"
    return None


def speakers_of(tree: ast.Module) -> dict[str, str]:
    """Return the names by which a module calls the catalogue: `text`, `messages.text`, `fault`, ..."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("unrolled"):
            for alias in node.names:
                called = alias.asname or alias.name
                if alias.name in ("messages", "errors") and node.module == "unrolled":
                    names |= {f"{called}.{speaker}": prefix for speaker, prefix in SPEAKERS.items()}
                elif alias.name in SPEAKERS and node.module in ("unrolled.messages", "unrolled.errors"):
                    names[called] = SPEAKERS[alias.name]
    return names


def uses(module: str, tree: ast.Module) -> Iterator[Use]:
    """Yield every call of the catalogue in a module, where its id can be read from the source."""
    speakers = speakers_of(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and ast.unparse(node.func) in speakers:
            pattern = pattern_of(node.args[0])
            if pattern is not None:
                names = [keyword.arg for keyword in node.keywords]
                given = None if None in names else frozenset(filter(None, names))
                prefix = re.escape(speakers[ast.unparse(node.func)])
                yield Use(f"unrolled.{module}, line {node.lineno}", prefix + pattern, given)


def all_uses() -> list[Use]:
    return [use for module, tree in modules().items() for use in uses(module, tree)]


def front() -> list[Path]:
    """Return the sources of the glass box."""
    return [
        path
        for path in files()
        if path.suffix in (".ts", ".svelte") and path.is_relative_to(ROOT / "web" / "src")
    ]


def strings_of_the_front(source: str) -> Iterator[str]:
    """Yield a pattern of every string that can be an id of the glass box; `${...}` in it is any word."""
    for literal in re.findall(r"""["'`](glass\.[^"'`\s]+)["'`]""", source):
        yield ANY.join(map(re.escape, re.split(r"\$\{[^}]*\}", literal)))
    for view in re.findall(r'\{ name: "(\w+)", component:', source):
        yield re.escape(f"glass.{view}.tab")


def spoken() -> str:
    """Return a pattern of every string in the source that can be an id, those in tables included."""
    strings = (node for tree in modules().values() for node in ast.walk(tree) if isinstance(node, ast.expr))
    patterns = {pattern_of(node) for node in strings if not isinstance(node, ast.IfExp)} - {None}
    patterns |= {pattern for path in front() for pattern in strings_of_the_front(path.read_text("utf-8"))}
    ids = {one for one in patterns if one and re.match(r"[a-z-]+\\\.", one.replace("\\-", "-"))}
    return "|".join(f"(?:fault\\.)?(?:{one})" for one in sorted(ids))


def test_languages_have_the_same_messages() -> None:
    english, chinese = map(catalogue, LANGUAGES)
    assert english.keys() == chinese.keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_messages_are_sorted_and_have_all_parts(language: str) -> None:
    messages = catalogue(language)
    assert list(messages) == sorted(messages)
    for name, message in messages.items():
        if name.startswith("fault."):
            assert set(message) == set(PARTS), name
            assert message["what"], name
        else:
            assert isinstance(message, str), name


def test_languages_name_the_same_values() -> None:
    english, chinese = map(catalogue, LANGUAGES)
    different = {
        name: (placeholders(english[name]), placeholders(chinese[name]))
        for name in english
        if placeholders(english[name]) != placeholders(chinese[name])
    }
    assert not different


def test_every_chinese_message_is_chinese() -> None:
    english, chinese = map(catalogue, LANGUAGES)
    untranslated = [
        name
        for name, message in chinese.items()
        if not re.search(r"[\u4e00-\u9fff]", json.dumps(message, ensure_ascii=False))
        and re.search(r"[a-z]{3}", re.sub(r"\{.*?\}", "", json.dumps(english[name])))
        and message == english[name]
    ]
    assert not untranslated


def test_every_message_spoken_exists() -> None:
    known = list(catalogue("en"))
    missing = [
        (use.where, use.pattern)
        for use in all_uses()
        if not any(re.fullmatch(use.pattern, name) for name in known)
    ]
    assert not missing


def test_every_message_of_the_front_exists() -> None:
    known = list(catalogue("en"))
    patterns = {one for path in front() for one in strings_of_the_front(path.read_text("utf-8"))}
    assert not [one for one in sorted(patterns) if not any(re.fullmatch(one, name) for name in known)]


def test_every_value_is_given() -> None:
    english = catalogue("en")
    missing = [
        (use.where, name, sorted(placeholders(message) - use.values))
        for use in all_uses()
        for name, message in english.items()
        if use.values is not None and ANY not in use.pattern and re.fullmatch(use.pattern, name)
        if placeholders(message) - use.values
    ]
    assert not missing


def test_every_message_is_used() -> None:
    pattern = re.compile(spoken())
    assert not [name for name in catalogue("en") if not pattern.fullmatch(name)]


def test_the_reader_of_the_source_has_teeth() -> None:
    source = (
        "from unrolled import messages\nfrom unrolled.errors import fault as flaw\n"
        "messages.text('cli.saved', file=1)\nflaw(f'panel.{kind}', **values)\ndraw.text('not-a-message')\n"
    )
    found = list(uses("cli", ast.parse(source)))
    assert [use.pattern for use in found] == [r"cli\.saved", rf"fault\.panel\.{ANY}"]
    assert [use.values for use in found] == [frozenset({"file"}), None]
    front = """<p>{say("glass.one.title")} {say(`glass.${name}.tab`)}</p> [{ name: "one", component: One }]"""
    assert list(strings_of_the_front(front)) == [
        r"glass\.one\.title",
        rf"glass\.{ANY}\.tab",
        r"glass\.one\.tab",
    ]
    assert placeholders({"what": "{a} of {b:.3f}", "got": "{c[0]}"}) == {"a", "b", "c"}
