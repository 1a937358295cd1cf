"""Every example in a docstring runs and prints what it says."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from importlib.util import find_spec

import pytest

import unrolled

LATER = (
    "unrolled.interop.torch",
    "unrolled.torch",
    "unrolled.doctor.probes",
    "unrolled.doctor.copies",
    "unrolled.doctor.gates",
    "unrolled.doctor.step",
)
"""Modules that begin so stand on PyTorch; where it is not installed they are left out."""

NAMES = [
    name
    for name in ("unrolled", *(found.name for found in pkgutil.walk_packages(unrolled.__path__, "unrolled.")))
    if not name.startswith(LATER) or find_spec("torch")
]
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE | doctest.IGNORE_EXCEPTION_DETAIL


@pytest.mark.parametrize("name", [name for name in NAMES if not name.endswith("__main__")])
def test_examples_print_what_they_say(name: str, tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(str(tmp_path))  # an example may write a file
    module = importlib.import_module(name)
    results = doctest.testmod(module, optionflags=OPTIONS)
    assert not results.failed
