"""The examples that need PyTorch: they run and print what their pages show, as the others do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.examples.comparing import check_page
from tests.examples.pages import PAGES, needs_torch, script_of

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.torch

PAGES_WITH_TORCH = [page for page in PAGES if needs_torch(script_of(page))]


@pytest.mark.parametrize("page", PAGES_WITH_TORCH, ids=lambda page: page.stem)
def test_example_prints_what_its_page_shows(page: Path, tmp_path: Path) -> None:
    check_page(page, tmp_path)


def test_there_is_one() -> None:
    assert PAGES_WITH_TORCH
