"""The examples run as a user would run them, and print what their pages show."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import pytest

from tests.examples.pages import PAGES, blocks, run, script_of, script_path
from tests.meta.repository import ROOT

if TYPE_CHECKING:
    from pathlib import Path

NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d*)?(?:e[+-]?\d+)?(?![\w.]*\w)")
TIMES = (
    re.compile(r"()\d+(?= µs)"),
    re.compile(r"^( *\d+ +\d[\d.]* +)\d+\.\d\d(?=$| +(?:lstm|gru) )", re.MULTILINE),
)
"""Times that were measured: microseconds, and the seconds in a table of trials."""

CLOSE = 0.01
"""Instruction sets round differently: numbers learned differ by a millionth or so. A hundredth is plenty."""


def without_times(text: str) -> str:
    """Return a text without what a clock said."""
    for pattern in TIMES:
        text = pattern.sub(r"\1#", text)
    return text


def words(text: str) -> list[str]:
    """Return the words of a text, numbers left out: what must be the same everywhere."""
    return NUMBER.sub("#", text.replace("*", " ")).split()


def numbers(text: str) -> list[tuple[float, float]]:
    """Return the numbers of a text, each with the value of the last digit that is shown."""
    found = []
    for shown in NUMBER.findall(text.replace("*", " ")):
        digits, _, power = shown.partition("e")
        places = len(digits.partition(".")[2])
        found.append((float(shown), 10.0 ** (int(power or 0) - places)))
    return found


def differences(printed: str, page: str) -> list[str]:
    """Return what a page shows other than what was printed."""
    printed, page = without_times(printed), without_times(page)
    found = []
    for there, here in zip(printed.splitlines(), page.splitlines(), strict=False):
        same = words(there) == words(here) and all(
            math.isclose(one, other, rel_tol=CLOSE, abs_tol=1.5 * digit)
            for (one, _), (other, digit) in zip(numbers(there), numbers(here), strict=True)
        )
        if not same:
            found.append(f"printed: {there}\non page: {here}")
    if len(printed.splitlines()) != len(page.splitlines()):
        found.append(f"lines printed: {len(printed.splitlines())}, on page: {len(page.splitlines())}")
    return found


def test_every_script_has_its_page() -> None:
    assert {path.stem for path in (ROOT / "examples").glob("*.py")} == {page.stem for page in PAGES}
    assert len(PAGES) >= 6


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page_and_script_are_one_source(page: Path) -> None:
    assert script_path(page).read_text(encoding="utf-8") == script_of(page)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_example_prints_what_its_page_shows(page: Path, tmp_path: Path) -> None:
    done = run(script_path(page), tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert not differences(done.stdout, "".join(blocks(page, "text")))
    assert not list(tmp_path.iterdir()), "an example leaves nothing behind"


@pytest.mark.parametrize("name", ["README.md", "examples/README.md"])
def test_every_page_is_in_the_lists(name: str) -> None:
    listed = (ROOT / "docs" / name).read_text(encoding="utf-8")
    folder = "examples/" if name == "README.md" else ""
    assert [page.stem for page in PAGES if f"]({folder}{page.name})" not in listed] == []


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
        ("85%", "86%"),
        ("[371.6 372.  372.2]", "[371.6 372.1 372.2]"),
    ],
)
def test_the_comparison_bears_other_machines(printed: str, page: str) -> None:
    assert not differences(printed, page)
