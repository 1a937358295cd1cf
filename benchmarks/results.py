"""The files of results: one a case and instruction set, replaced at once, read in a fixed order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from machine import ISAS

FOLDER = Path(__file__).parent / "results"
Result = dict[str, Any]


def save(result: Result) -> Path:
    """Write the result of a case under one instruction set."""
    return write(f"{result['case']}.{result['environment']['isa']}", result)


def write(name: str, content: Result) -> Path:
    """Write a file of results; whoever reads it meanwhile sees the old one or the new one."""
    path = FOLDER / f"{name}.json"
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    fresh.replace(path)
    return path


def read(name: str) -> Result | None:
    """Return a file of results; None where there is none."""
    path = FOLDER / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def by_isa(case: str) -> dict[str, Result]:
    """Return the results of a case by instruction set, best first."""
    found = {isa: read(f"{case}.{isa}") for isa in ISAS}
    return {isa: result for isa, result in found.items() if result is not None}


def best(case: str) -> Result | None:
    """Return the result of a case under the best instruction set that it was measured with."""
    return next(iter(by_isa(case).values()), None)
