"""What the Makefile asks of the scripts in `tools`."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING

import pytest

from tests.meta.repository import ROOT
from tools import release_check

if TYPE_CHECKING:
    from pathlib import Path


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
    assert "expected names among build, oldest, test" in found.stderr


def test_the_oldest_versions_are_the_lower_bounds() -> None:
    lines = said("requirements.py", "oldest").stdout.split()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    bounds = [one.split(",")[0].replace(">=", "==") for one in project["dependencies"]]
    assert set(bounds) <= set(lines)
    assert len({line.split("==")[0] for line in lines}) == len(lines), "one package, two lower bounds"


def test_a_site_that_is_whole(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text('<h1 id="top">a</h1><a href="b.html#here">b</a><a href="#top">a</a>')
    (tmp_path / "b.html").write_text('<p id="here">b</p><a href="https://example.org">elsewhere</a>')
    assert said("check_site.py", str(tmp_path)).returncode == 0


@pytest.mark.parametrize(
    ("page", "told"),
    [
        ('<a href="gone.html">x</a>', "gone.html leads nowhere"),
        ('<a href="#gone">x</a>', "#gone names no place"),
        ('<script src="https://example.org/x.js"></script>', "loads https://example.org/x.js from elsewhere"),
        ('<img src="gone.png">', "gone.png leads nowhere"),
    ],
)
def test_a_site_with_a_fault(page: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(page)
    found = said("check_site.py", str(tmp_path))
    assert found.returncode == 1
    assert told in found.stdout


def test_versions_agree_before_a_release() -> None:
    assert release_check.wrong_versions() == []


def test_what_a_package_lacks_or_should_not_have() -> None:
    needed = ("LICENSE",)
    assert release_check.wrong_content(["x/LICENSE", "x/a.py"], needed) == []
    assert release_check.wrong_content(["x/a.py"], needed) == ["expected LICENSE in the package"]
    assert release_check.wrong_content(["LICENSE", "x/__pycache__/a.pyc"], needed)


def test_the_smoke_test_refuses_the_source_tree() -> None:
    code = (
        "import runpy, sys; sys.path.insert(0, 'src'); runpy.run_path('tools/smoke.py', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "expected the installed package" in done.stderr
