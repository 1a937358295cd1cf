"""What the Makefile asks of the scripts in `tools`."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.meta.repository import ROOT


def said(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a script of `tools`."""
    script, *others = arguments
    command = [sys.executable, str(ROOT / "tools" / script), *others]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_requirements_of_groups() -> None:
    lines = said("requirements.py", "build", "torch").stdout.split()
    assert "scikit-build-core>=0.11" in lines
    assert sum(line.startswith("torch==") for line in lines) == 1


def test_a_package_in_another_version() -> None:
    plain = said("requirements.py", "torch", "torch-suite").stdout
    pinned = said("requirements.py", "torch", "torch-suite", "torch==2.4.1").stdout
    assert pinned.split() == ["torch==2.4.1", *plain.split()[1:]]
    assert said("requirements.py", "page", "torch==2.4.1").stdout == said("requirements.py", "page").stdout


@pytest.mark.parametrize("arguments", [(), ("nonsense",), ("torch==2.4.1",)])
def test_groups_that_are_not_there(arguments: tuple[str, ...]) -> None:
    found = said("requirements.py", *arguments)
    assert found.returncode == 2
    assert "expected names among build, test" in found.stderr
