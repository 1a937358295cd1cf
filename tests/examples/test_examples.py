"""The examples run as a user would run them, and print what their pages show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.examples.comparing import check_page, differences
from tests.examples.pages import PAGES, TRANSLATIONS, blocks, needs_torch, original, script_of, script_path
from tests.meta.repository import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def test_every_script_has_its_page() -> None:
    assert {path.stem for path in (ROOT / "examples").glob("*.py")} == {page.stem for page in PAGES}
    assert len(PAGES) >= 6


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page_and_script_are_one_source(page: Path) -> None:
    assert script_path(page).read_text(encoding="utf-8") == script_of(page)


@pytest.mark.parametrize(
    "page", [page for page in PAGES if not needs_torch(script_of(page))], ids=lambda page: page.stem
)
def test_example_prints_what_its_page_shows(page: Path, tmp_path: Path) -> None:
    check_page(page, tmp_path)


@pytest.mark.parametrize("page", TRANSLATIONS, ids=lambda page: page.stem)
def test_a_translation_shows_the_same_code_and_output(page: Path) -> None:
    for kind in ("python", "text"):
        assert blocks(page, kind) == blocks(original(page), kind)


@pytest.mark.parametrize("name", ["index.md", "examples/README.md"])
def test_every_page_is_in_the_lists(name: str) -> None:
    listed = (ROOT / "docs" / name).read_text(encoding="utf-8")
    folder = "examples/" if name == "index.md" else ""
    assert [page.stem for page in PAGES if f"{folder}{page.name}" not in listed] == []


@pytest.mark.parametrize(
    ("printed", "page"),
    [
        ("MASE 0.5 better", "MASE 0.5 worse"),
        ("MASE 0.58", "MASE 0.55"),
        ("MASE 0.58", "MASE 0.58 0.58"),
        ("MASE 0.58\n", "MASE 0.58\nmore\n"),
        ("lstm  8.139e+03*", "lstm  8.339e+03*"),
        ("12%", "15%"),
        ("month  lstm", "month  gru"),
        ("the same: True", "the same: False"),
        ("4.6 steps", "5.6 steps"),
    ],
)
def test_the_comparison_has_teeth(printed: str, page: str) -> None:
    assert differences(printed, page)


@pytest.mark.parametrize(
    ("printed", "page"),
    [
        ("window    114 µs a point", "window     98 µs a point"),
        ("    6  0.8391  0.11   gru  36", "    6  0.8391  11.07   gru  36"),
        ("    0  0.9059  0.11", "    0  0.9059  1.41"),
        ("MASE 0.4855* naive", "MASE 0.4856  naive*"),
        ("float32: 4.6 s", "float32: 11.2 s"),
        ("the last: about 300 steps", "the last: about 88 steps"),
        ("85%", "86%"),
        ("[371.6 372.  372.2]", "[371.6 372.1 372.2]"),
    ],
)
def test_the_comparison_bears_other_machines(printed: str, page: str) -> None:
    assert not differences(printed, page)
