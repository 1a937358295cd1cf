"""The Python of documents that needs PyTorch runs too, and sessions print what they show."""

from __future__ import annotations

import doctest
from typing import TYPE_CHECKING

import pytest

from tests.examples.pages import PAGES, needs_torch
from tests.meta.repository import documents, short
from tests.meta.test_documents import blocks, check_script, script

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.torch

WITH_TORCH = [path for path in documents() if path not in PAGES and needs_torch(script(path))]
"""The pages of examples are run by their own tests."""


@pytest.mark.parametrize("path", WITH_TORCH, ids=short)
def test_python_runs(path: Path, tmp_path: Path) -> None:
    check_script(path, tmp_path)


@pytest.mark.parametrize("path", WITH_TORCH, ids=short)
def test_sessions_print_what_they_show(path: Path) -> None:
    session = "".join(blocks(path, ("pycon",)))
    test = doctest.DocTestParser().get_doctest(session, {}, short(path), None, 0)
    assert doctest.DocTestRunner().run(test).failed == 0


def test_there_is_one() -> None:
    assert WITH_TORCH
