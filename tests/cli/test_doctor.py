"""`unrolled doctor`: what is refused before anything is examined, and the list of findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.helpers import run
from unrolled.doctor import KINDS

if TYPE_CHECKING:
    from pathlib import Path


def test_everything_that_is_looked_for_is_listed() -> None:
    result = run("doctor", "--list")
    assert result.exit_code == 0
    assert all(name in result.stdout for name in KINDS)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "There is nothing to examine"),
        (("m:f",), "There is nothing to examine"),
        (("m:f", "--example", "3,x"), "--example holds no sizes"),
        (("m:f", "--example", "3,0"), "--example holds no sizes"),
        (("m:f", "--example", "3,4", "--targets", "b"), "--targets holds no sizes"),
        (("m:f", "--example", "3,4", "--targets-range", "3"), "--targets-range is no range"),
        (("m:f", "--example", "3,4", "--out", "x.pdf"), ".sarif"),
    ],
)
def test_misuse_is_told(arguments: tuple[str, ...], says: str) -> None:
    result = run("doctor", *arguments)
    assert result.exit_code == 2
    assert says in result.stderr
    assert result.stdout == ""


def test_an_output_that_cannot_be_written_is_told_first(tmp_path: Path) -> None:
    result = run("doctor", "m:f", "--example", "3,4", "--out", str(tmp_path / "no" / "x.txt"))
    assert result.exit_code == 1
