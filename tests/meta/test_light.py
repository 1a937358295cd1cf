"""The package is light: quick to import, small when installed, and loads nothing before it is needed."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.meta.repository import ROOT

LIMIT_S = 0.15
LIMIT_MB = 180
LATER = (
    "onnx",
    "onnxruntime",
    "torch",
    "pandas",
    "polars",
    "pyarrow",
    "matplotlib",
    "duckdb",
    "narwhals",
    "typer",
    "rich",
    "pydantic",
    "optuna",
)
"""What `import unrolled` must not load."""


def fresh(code: str) -> str:
    """Return what a fresh interpreter prints that runs `code` away from the sources."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(sys.executable).parent,
    )
    return done.stdout


def import_s() -> float:
    """Return the seconds that `import unrolled` takes, without the start of the interpreter."""
    return float(
        fresh("import time; t = time.perf_counter(); import unrolled; print(time.perf_counter() - t)")
    )


def test_the_installed_package_is_tested() -> None:
    import unrolled

    assert not Path(unrolled.__file__).is_relative_to(ROOT / "src")


def test_import_is_quick() -> None:
    import_s()  # the first import reads from the disk and may compile
    medians = []
    for _ in range(4):  # a busy machine gets three more chances
        medians.append(statistics.median(import_s() for _ in range(7)))
        if medians[-1] <= LIMIT_S:
            break
    assert min(medians) <= LIMIT_S


def test_import_loads_only_what_it_needs() -> None:
    loaded = json.loads(fresh("import sys, json, unrolled; print(json.dumps(sorted(sys.modules)))"))
    assert not {name.split(".")[0] for name in loaded} & set(LATER)


def installed(name: str, seen: dict[str, metadata.Distribution]) -> dict[str, metadata.Distribution]:
    """Return the distribution `name` and all that it needs without extras, by name."""
    key = canonicalize_name(name)
    if key not in seen:
        seen[key] = metadata.distribution(name)
        for line in seen[key].requires or []:
            needed = Requirement(line)
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                installed(needed.name, seen)
    return seen


def size_mb(distribution: metadata.Distribution) -> float:
    """Return the size of a distribution's files in millions of bytes, bytecode included."""
    paths = [os.fspath(file.locate()) for file in distribution.files or []]
    return sum(os.path.getsize(path) for path in paths if os.path.exists(path)) / 1e6


def test_the_installed_tree_is_small() -> None:
    sizes = {name: round(size_mb(one), 1) for name, one in installed("unrolled", {}).items()}
    assert sizes["numpy"] > 10, "the files of a distribution are counted"
    assert sum(sizes.values()) < LIMIT_MB, sizes


@pytest.mark.parametrize("name", ["torch", "pandas", "polars", "matplotlib", "scikit-learn"])
def test_the_base_install_leaves_it_out(name: str) -> None:
    assert name not in installed("unrolled", {})
