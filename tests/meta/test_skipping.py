"""The two rules of `tests/conftest.py` about leaving tests out, tried on a small project."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.meta.repository import ROOT

if TYPE_CHECKING:
    from pathlib import Path

NEEDS_TORCH = (
    "import pytest\nimport nowhere_to_be_found\npytestmark = pytest.mark.torch\ndef test_it(): pass\n"
)


def outcome(folder: Path, source: str, *arguments: str) -> tuple[int, str]:
    """Run pytest with this project's settings on one module; return the exit status and the last line."""
    for name in ("pyproject.toml", "tests/conftest.py"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text((ROOT / name).read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "tests" / "test_small.py").write_text(source, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.strip().splitlines()[-1]


def test_a_skip_fails_only_where_none_is_allowed(tmp_path: Path) -> None:
    source = "import pytest\n@pytest.mark.skip\ndef test_1(): pass\ndef test_2(): pytest.skip('inside')\n"
    assert "2 skipped" in outcome(tmp_path, source)[1]
    assert outcome(tmp_path, source, "--no-skips")[1].startswith("1 failed, 1 error")


def test_the_skip_of_a_module_fails_too(tmp_path: Path) -> None:
    source = "import pytest\npytest.importorskip('nowhere_to_be_found')\n"
    assert "1 error" in outcome(tmp_path, source, "--no-skips")[1]


def test_an_expected_failure_is_no_skip(tmp_path: Path) -> None:
    source = "import pytest\n@pytest.mark.xfail\ndef test_it(): assert False\n"
    assert outcome(tmp_path, source, "--no-skips")[0] == 0


def test_a_marked_module_is_imported_only_when_it_is_selected(tmp_path: Path) -> None:
    assert outcome(tmp_path, NEEDS_TORCH)[0] == pytest.ExitCode.NO_TESTS_COLLECTED
    assert outcome(tmp_path, NEEDS_TORCH, "-m", "torch")[0] == pytest.ExitCode.INTERRUPTED
