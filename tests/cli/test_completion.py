"""Shells complete commands and options, by the variables that typer's scripts set."""

from __future__ import annotations

import os
import subprocess

import pytest

from tests.cli.helpers import SCRIPT


def completed(*words: str) -> set[str]:
    """Return what bash would be offered after these words."""
    environment = {
        **os.environ,
        "_UNROLLED_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join(("unrolled", *words)),
        "COMP_CWORD": str(len(words)),
    }
    done = subprocess.run([SCRIPT], env=environment, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_commands() -> None:
    assert completed("") >= {"forecast", "fit", "predict", "backtest", "tune", "info", "shapes", "demo"}
    assert completed("f") == {"forecast", "fit", "fit-more"}


@pytest.mark.parametrize(
    ("command", "begun", "options"),
    [
        ("forecast", "--ho", {"--horizon"}),
        ("fit", "--hid", {"--hidden-size"}),
        ("tune", "--tri", {"--trials"}),
        ("backtest", "--fo", {"--folds"}),
        ("predict", "--ht", {"--html"}),
        ("info", "--js", {"--json"}),
        ("shapes", "--bi", {"--bidirectional"}),
    ],
)
def test_options(command: str, begun: str, options: set[str]) -> None:
    assert completed(command, begun) == options
