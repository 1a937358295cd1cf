"""The repository as these tests read it: its files, its documents, the syntax trees of its modules."""

from __future__ import annotations

import ast
import functools
import os
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "unrolled"


@functools.cache
def files() -> tuple[Path, ...]:
    """Return every file that belongs to the repository: all but what `.gitignore` names."""
    ignored = [line.strip("/") for line in (ROOT / ".gitignore").read_text(encoding="utf-8").split()]

    def kept(name: str) -> bool:
        return name != ".git" and not any(fnmatch(name, pattern) for pattern in ignored)

    found: list[Path] = []
    for folder, inner, names in os.walk(ROOT):
        inner[:] = filter(kept, inner)
        found += [Path(folder, name) for name in names if kept(name)]
    return tuple(sorted(found))


def short(path: Path) -> str:
    """Return `path` as seen from the root of the repository."""
    return path.relative_to(ROOT).as_posix()


def documents() -> list[Path]:
    """Return every Markdown file of the repository."""
    return [path for path in files() if path.suffix == ".md"]


@functools.cache
def modules() -> dict[str, ast.Module]:
    """Return the syntax tree of every module of the package by its name below `unrolled` ("" is its face)."""
    found: dict[str, ast.Module] = {}
    for path in files():
        if path.suffix == ".py" and path.is_relative_to(PACKAGE):
            parts = path.relative_to(PACKAGE).with_suffix("").parts
            name = ".".join(part for part in parts if part != "__init__")
            found[name] = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    return found


def is_package(module: str) -> bool:
    """Return whether a module of the package is a folder."""
    return (PACKAGE / module.replace(".", "/")).is_dir()
