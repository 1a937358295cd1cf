"""What a page shows beside what was printed: the words must be the same, the numbers close."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from tests.examples.pages import blocks, run, script_path

if TYPE_CHECKING:
    from pathlib import Path

NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d*)?(?:e[+-]?\d+)?(?![\w.]*\w)")
VARYING = (
    re.compile(r"()\d+(?= µs)"),
    re.compile(r"()\d+\.\d(?= s\b)"),
    re.compile(r"(about )\d[\d.]*"),
    re.compile(r"^( *\d+ +\d[\d.]* +)\d+\.\d\d(?=$| +(?:lstm|gru) )", re.MULTILINE),
)
"""What another machine may print otherwise.

Times that were measured: microseconds, seconds with one decimal, and those in a table of trials. And what a
page calls "about", where rounding grows to something.
"""

CLOSE = 0.01
"""Instruction sets round differently: numbers learned differ by a millionth or so. A hundredth is plenty."""


def without_varying(text: str) -> str:
    """Return a text without what another machine may print otherwise."""
    for pattern in VARYING:
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
    printed, page = without_varying(printed), without_varying(page)
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


def check_page(page: Path, folder: Path) -> None:
    """Run the script of a page in an empty folder: it prints what its page shows, and leaves nothing."""
    done = run(script_path(page), folder)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert not differences(done.stdout, "".join(blocks(page, "text")))
    assert not list(folder.iterdir()), "an example leaves nothing behind"
