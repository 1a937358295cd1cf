"""Imports go one way, and every library from outside has its rooms."""

from __future__ import annotations

import ast
import sys
from typing import TYPE_CHECKING

import pytest

from tests.meta.repository import is_package, modules

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOMS = (
    "messages",
    "errors",
    "places",
    "timestep",
    "frequencies",
    "grid",
    "timeaxis",
    "_core",
    "cells",
    "engine",
    "stream",
    "network",
    "parts",
    "arrays",
    "observed",
    "gaps",
    "wide",
    "series",
    "frametimes",
    "indexes",
    "frames",
    "framewriting",
    "panel",
    "covariates",
    "calendar",
    "codes",
    "encoding",
    "spans",
    "atomic",
    "files",
    "windows",
    "scaling",
    "special",
    "distributions",
    "heads",
    "conformal",
    "sampling",
    "datasets",
    "plans",
    "diagnosis",
    "training",
    "checkpoint",
    "ensemble",
    "progress",
    "checks",
    "rules",
    "outcome",
    "tables",
    "model",
    "interop",
    "start",
    "jobs",
    "fitting",
    "contents",
    "artefact",
    "answers",
    "streaming",
    "evaluation",
    "page",
    "explain",
    "doctor",
    "held_out",
    "scoring",
    "estimator",
    "forecaster",
    "tuning",
    "reports",
    "demo",
    "cli",
    "torch",
)
"""The rooms of the package from the ground up: a room imports only rooms that stand before it."""

RANK = {room: rank for rank, room in enumerate(ROOMS)}
FACES = ("", "__main__")
"""Modules that stand outside the rooms and may import any of them."""

ANYWHERE = ("",)
LIBRARIES = {
    "numpy": ANYWHERE,
    "safetensors": ("artefact", "checkpoint"),
    "narwhals": ("frames", "frametimes", "framewriting", "covariates.frames"),
    "duckdb": ("files",),
    "matplotlib": ("page.png",),
    "optuna": ("tuning.search", "tuning.journal"),
    "statsforecast": ("evaluation.statistical",),
    "joblib": ("evaluation.backtest",),
    "sklearn": ("estimator",),
    "torch": (
        "interop.torch",
        "interop.torch_cells",
        "interop.torch_scaling",
        "torch",
        "doctor.probes",
        "doctor.copies",
        "doctor.step",
        "doctor.gates",
    ),
    "onnx": ("interop.onnx", "interop.onnx_graph", "interop.onnx_model"),
    "onnxruntime": ("interop.onnx",),
    "typer": ("cli",),
    "rich": ("progress", "explain.terminal", "doctor.terminal", "cli"),
    "pytest": ("doctor.plugin",),
    "unrolled._core": ("engine",),
}
"""The modules that may import a library; what is not named here (pandas, polars, ...) nobody may."""


def imported(module: str, tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield the full name of everything that `module` imports, wherever the import stands, and its line."""
    here = ["unrolled", *module.split(".")] if module else ["unrolled"]
    package = here if is_package(module) else here[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*above, *filter(None, [node.module])])
            for alias in node.names:
                yield f"{origin}.{alias.name}", node.lineno
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in (
            "import_module",
            "__import__",
        ):
            for argument in node.args[:1]:
                if isinstance(argument, ast.Constant):
                    yield str(argument.value), node.lineno


def within(name: str, prefix: str) -> bool:
    """Return whether `name` is `prefix` or stands below it."""
    return not prefix or name == prefix or name.startswith(f"{prefix}.")


def faults(module: str, tree: ast.Module) -> Iterator[str]:
    """Yield what is wrong with the imports of one module."""
    room = module.split(".")[0]
    for name, line in imported(module, tree):
        where = f"unrolled.{module}, line {line}: {name}"
        outside = next((library for library in LIBRARIES if within(name, library)), None)
        if outside is not None:
            if not any(within(module, place) for place in LIBRARIES[outside]):
                yield f"{where}: only {', '.join(LIBRARIES[outside])} may import {outside}"
        elif within(name, "unrolled"):
            target = [*name.split("."), ""][1]
            if target not in RANK:
                yield f"{where}: no such room in the table; what the package's face shows is defined in one"
            elif room not in FACES and RANK[target] > RANK.get(room, len(ROOMS)):
                yield f"{where}: {target} stands above {room}"
        elif name.split(".")[0] not in sys.stdlib_module_names:
            yield f"{where}: no module may import this library"


@pytest.mark.parametrize("module", sorted(modules()))
def test_imports_go_down(module: str) -> None:
    assert not list(faults(module, modules()[module]))


def test_every_room_has_its_place() -> None:
    rooms = {name.split(".")[0] for name in modules()} - set(FACES)
    assert rooms | {"_core"} == set(RANK)


@pytest.mark.parametrize(
    ("module", "source", "says"),
    [
        ("cells.lstm", "from unrolled.forecaster import Forecaster", "forecaster stands above cells"),
        ("cells.lstm", "if TYPE_CHECKING:\n    from unrolled import forecaster", "stands above"),
        ("cells.lstm", "from ..network import Network", "network stands above cells"),
        ("training", "def f():\n    import torch", "only interop.torch, "),
        ("interop", "import onnxruntime", "only interop.onnx may import onnxruntime"),
        ("training", "def f():\n    import jax", "no module may import"),
        ("training", "importlib.import_module('pandas')", "no module may import"),
        ("panel", "import duckdb", "only files may import duckdb"),
        ("training", "from unrolled import _core", "only engine may import unrolled._core"),
        ("page.svg", "import matplotlib.pyplot", "only page.png may import matplotlib"),
        ("cli", "from unrolled import Forecaster", "no such room in the table"),
        ("forecaster", "import unrolled.torch", "torch stands above forecaster"),
        ("forecaster", "import unrolled", "no such room in the table"),
    ],
)
def test_the_law_has_teeth(module: str, source: str, says: str) -> None:
    assert any(says in fault for fault in faults(module, ast.parse(source)))


def test_the_law_allows_what_goes_down() -> None:
    source = "import json\nimport numpy as np\nfrom unrolled import messages\nfrom .lstm import step\n"
    assert not list(faults("cells.gru", ast.parse(source)))
