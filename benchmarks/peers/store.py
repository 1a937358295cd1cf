"""The file of results, merged and replaced at once. Standard library alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

PATH = Path(__file__).parents[1] / "results" / "peers.json"
Row = dict[str, Any]


def read(path: Path = PATH) -> dict[str, Any]:
    """Return the results; none where there is no file."""
    if not path.exists():
        return {"installed": [], "jobs": {}, "rows": []}
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def merge(
    *,
    installed: Sequence[Row] = (),
    rows: Sequence[Row] = (),
    job: tuple[str, Row] | None = None,
    environment: Row | None = None,
    path: Path = PATH,
) -> None:
    """Write results with some rows replaced; all others stay."""
    old = read(path)
    fresh_sizes = {row["library"] for row in installed}
    fresh_rows = {(row["job"], row["library"]) for row in rows}
    jobs = old["jobs"]
    if job is not None:
        jobs[job[0]] = {**job[1], "environment": environment}
    results = {
        "installed": [*(row for row in old["installed"] if row["library"] not in fresh_sizes), *installed],
        "jobs": jobs,
        "rows": [*(row for row in old["rows"] if (row["job"], row["library"]) not in fresh_rows), *rows],
    }
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    fresh.replace(path)
