"""The file of results: rows by task and method, merged, replaced at once. Standard library alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

Results = dict[str, Any]
Row = dict[str, Any]

PATH = Path(__file__).parents[1] / "results" / "accuracy.json"
"""The committed results."""


class MixedError(Exception):
    """A file of results holds one part: figures of the training part are no results."""


def read(path: Path) -> Results:
    """Return the results of a file; none where there is no file."""
    if not path.exists():
        return {"part": None, "tasks": {}, "checks": [], "rows": []}
    found: Results = json.loads(path.read_text(encoding="utf-8"))
    return found


def merge(
    old: Results,
    *,
    part: str,
    tasks: dict[str, dict[str, Any]],
    checks: Sequence[Row] = (),
    rows: Sequence[Row] = (),
) -> Results:
    """Return results with the rows of some tasks and methods replaced; all others stay.

    Args:
        old: what there is.
        part: "test" or "train".
        tasks: facts about each task that was run, by name.
        checks: check values of these tasks.
        rows: what was measured, each with its `task` and `method`.

    Raises:
        MixedError: the old results are of the other part.
    """
    if old["part"] not in (None, part):
        raise MixedError(f"the file holds results of --part {old['part']}; name another file for {part}")
    fresh = {(row["task"], row["method"]) for row in rows}
    return {
        "part": part,
        "tasks": {**old["tasks"], **tasks},
        "checks": [*(one for one in old["checks"] if one["task"] not in tasks), *checks],
        "rows": [*(row for row in old["rows"] if (row["task"], row["method"]) not in fresh), *rows],
    }


def write(path: Path, results: Results) -> None:
    """Write results, a line each row; whoever reads the file meanwhile sees the old one or the new one."""
    parts = [f'"part": {_line(results["part"])}']
    tasks = ",\n".join(f"  {_line(name)}: {_line(one)}" for name, one in results["tasks"].items())
    parts.append(f'"tasks": {{\n{tasks}\n }}')
    for name in ("checks", "rows"):
        lines = ",\n".join(f"  {_line(one)}" for one in results[name])
        parts.append(f'"{name}": [\n{lines}\n ]')
    fresh = path.with_suffix(".new")
    fresh.write_text("{\n " + ",\n ".join(parts) + "\n}\n", encoding="utf-8")
    fresh.replace(path)


def _line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
