"""Every public name is documented and shown in the reference; no document names what is gone."""

from __future__ import annotations

import ast
import importlib
import re
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from tests.meta.repository import ROOT, documents, files, is_package, modules, short

if TYPE_CHECKING:
    from pathlib import Path

REFERENCE = ROOT / "docs" / "reference"
SHOWN = re.compile(r"^\.\. auto(\w+):: ([\w.]+)", re.MULTILINE)
INSIDE = ("cli", "covariates", "engine", "page", "doctor.probes", "explain.view")
"""Packages with names for the rest of the house alone."""

HISTORY = ("docs/decisions/", "CHANGELOG.md")
"""What tells of the past may name what is gone."""

CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
DOTTED = re.compile(r"(?<![\w.])unrolled(?:\.[A-Za-z]\w*)+")
MEMBER = re.compile(r"\b(Forecaster|Network|NetworkSpec|Panel|Stream|Checkup|Report|Backtest)\.([a-z]\w*)")
HOMES = {"Checkup": "unrolled.doctor", "Report": "unrolled.explain", "Backtest": "unrolled.evaluation"}
FOLDERS = ("benchmarks", "core", "docs", "examples", "src", "tests", "tools", "web")
FILE = re.compile(rf"(?:{'|'.join(FOLDERS)})/[\w./-]*")
TARGET = re.compile(r"make ([a-z][a-z-]*)$")


@cache
def shown() -> dict[str, set[str]]:
    """Return what the reference shows, by the kind of its directive."""
    found: dict[str, set[str]] = {}
    for page in REFERENCE.glob("*.md"):
        for kind, name in SHOWN.findall(page.read_text(encoding="utf-8")):
            found.setdefault(kind, set()).add(name)
    return found


def names_of(module: str) -> list[str]:
    """Return the `__all__` of a module below `unrolled`; none where it has none."""
    for node in modules()[module].body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            return list(ast.literal_eval(node.value))
    return []


def definition(module: str, name: str) -> tuple[str, ast.stmt, ast.stmt | None]:
    """Return where a name of a module is defined: the module, its statement, and the one behind it.

    Raises:
        LookupError: nowhere.
    """
    tree = modules()[module]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("unrolled"):
            origin = (node.module or "").removeprefix("unrolled").removeprefix(".")
            if origin != module and any((alias.asname or alias.name) == name for alias in node.names):
                return definition(origin, name)
    for statement, behind in zip(tree.body, [*tree.body[1:], None], strict=True):
        target = getattr(statement, "target", None) or next(iter(getattr(statement, "targets", [])), None)
        if name in (getattr(statement, "name", None), getattr(target, "id", None)):
            return module, statement, behind
    raise LookupError(f"{module}: {name}")


def full(module: str) -> str:
    """Return the name of a module as Python knows it."""
    return f"unrolled.{module}" if module else "unrolled"


def undocumented(module: str) -> list[str]:
    """Return the names of a module without a docstring, and tables without a place in the reference."""
    found = []
    for name in names_of(module):
        home, statement, behind = definition(module, name)
        if isinstance(statement, (ast.ClassDef, ast.FunctionDef)):
            documented = bool(ast.get_docstring(statement))
        else:
            value = getattr(behind, "value", None)
            placed = home == module or f"{full(home)}.{name}" in shown()["data"]  # its own it shows by itself
            documented = isinstance(value, ast.Constant) and placed
        if not documented:
            found.append(name)
    return found


PUBLIC = [name for name in modules() if (name == "" or is_package(name)) and names_of(name)]


def test_every_public_module_is_in_the_reference() -> None:
    public = {full(module) for module in PUBLIC if module not in INSIDE}
    assert public == shown()["module"]


@pytest.mark.parametrize("module", [one for one in PUBLIC if one not in INSIDE], ids=full)
def test_every_public_name_is_documented(module: str) -> None:
    assert not undocumented(module)


def test_the_search_for_undocumented_names_has_teeth(monkeypatch: pytest.MonkeyPatch) -> None:
    bare = ast.parse("__all__ = ['f', 'TABLE']\ndef f(): pass\nTABLE = {}")
    monkeypatch.setitem(modules(), "bare", bare)
    assert undocumented("bare") == ["f", "TABLE"]


def gone(text: str, folder: Path) -> list[str]:
    """Return the names in the inline code of a document that lead nowhere."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    found = []
    for code in CODE.findall(FENCE.sub("", text)):
        found += [name for name in DOTTED.findall(code) if not exists(name)]
        found += [
            f"{owner}.{name}"
            for owner, name in MEMBER.findall(code)
            if not has_member(HOMES.get(owner, "unrolled"), owner, name)
        ]
        if FILE.fullmatch(code) and not ((ROOT / code).exists() or (folder / code).exists()):
            found.append(code)
        found += [name for name in TARGET.findall(code) if name not in targets]
    return found


@cache
def exists(name: str) -> bool:
    """Return whether `unrolled.a.b.c` can be reached; below what needs PyTorch, whether its file is there."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            thing: object = importlib.import_module(".".join(parts[:count]))
        except ModuleNotFoundError as error:
            if (error.name or "").startswith("torch"):
                return True
            continue
        except ImportError:
            return find_spec("torch") is None
        for part in parts[count:]:
            if not hasattr(thing, part) and part not in getattr(thing, "__all__", ()):
                return False
            thing = getattr(thing, part, None)
        return True
    return False


def has_member(home: str, owner: str, name: str) -> bool:
    """Return whether a class has such a method, property or documented attribute."""
    kind = getattr(importlib.import_module(home), owner)
    return hasattr(kind, name) or name in kind.__annotations__ or f"{name}:" in (kind.__doc__ or "")


@pytest.mark.parametrize(
    "path", [one for one in documents() if not short(one).startswith(HISTORY)], ids=short
)
def test_a_document_names_nothing_that_is_gone(path: Path) -> None:
    assert not gone(path.read_text(encoding="utf-8"), path.parent)


@pytest.mark.parametrize(
    "text",
    ["`unrolled.nowhere`", "`Forecaster.fly`", "`src/unrolled/gone.py`", "`make nothing`"],
)
def test_the_search_for_what_is_gone_has_teeth(text: str) -> None:
    assert gone(text, ROOT)
    assert not gone(f"```text\n{text}\n```", ROOT)


def test_every_page_is_on_the_site() -> None:
    listed = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    pages = [
        short(path).removeprefix("docs/")
        for path in files()
        if path.suffix == ".md" and path.is_relative_to(ROOT / "docs") and path.name != "README.md"
    ]
    missing = [page for page in pages if page not in listed and not page.startswith("decisions/")]
    assert missing == ["index.md"]
