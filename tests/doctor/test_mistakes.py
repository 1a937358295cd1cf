"""The table of mistakes tells the truth: its ids exist, are planted, and answer the rows that they say."""

from __future__ import annotations

import ast
import re

import pytest

from tests.doctor.pipelines import PLANTED as OF_DATA
from tests.doctor.pipelines import POOR
from tests.meta.repository import ROOT
from unrolled.doctor import KINDS

ROW = re.compile(r"^\| (\d+) \| (.+?) \| (.+) \|$", re.MULTILINE)

PROBED = {1, 5, 6, 9, 10, 31, 32, 38, 42}
"""Rows that a probe of the model proves."""

CONFIGURED = {2, 3, 4, 7, 11, 12, 17, 23, 24, 25, 28, 30, 33, 34}
"""Rows that settings or hooks show."""

OF_THE_DATA = {39, 40, 41, 43, 44, 45}
"""Rows that data show exactly."""


def rows(name: str) -> dict[int, str]:
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    return {int(number): answer for number, _, answer in ROW.findall(text)}


def planted() -> set[str]:
    """Return the kinds that are planted in a gallery; those that need torch are read, not imported."""
    found = {kind for kind, _ in [*OF_DATA.values(), *POOR.values()]}
    for name in ("planted.py", "steps.py"):
        tree = ast.parse((ROOT / "tests" / "doctor" / name).read_text(encoding="utf-8"))
        texts = {one.value for one in ast.walk(tree) if isinstance(one, ast.Constant)}
        found |= {kind for kind in KINDS if kind in texts}
    return found


@pytest.mark.parametrize("name", ["mistakes.md", "mistakes.zh.md"])
def test_every_row_is_told_and_its_ids_answer_it(name: str) -> None:
    told = rows(name)
    assert sorted(told) == list(range(1, 46))
    for number, answer in told.items():
        for kind in set(re.findall(r"`([a-z-]+)`", answer)) & set(KINDS):
            assert number in KINDS[kind].mistakes or kind in ("dropout-in-eval",), (number, kind)
    for kind, one in KINDS.items():
        for number in one.mistakes:
            assert f"`{kind}`" in told[number], (number, kind)


def test_both_languages_name_the_same_ids() -> None:
    for number, answer in rows("mistakes.md").items():
        kinds = set(re.findall(r"`([a-z-]+)`", answer))
        assert kinds == set(re.findall(r"`([a-z-]+)`", rows("mistakes.zh.md")[number])), number


def test_every_row_that_can_be_found_is_planted() -> None:
    answered = {number for kind in planted() for number in KINDS[kind].mistakes}
    assert answered >= PROBED | CONFIGURED | OF_THE_DATA


def test_every_kind_is_planted() -> None:
    assert planted() == set(KINDS)
