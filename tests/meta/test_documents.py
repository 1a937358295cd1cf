"""Documents tell the truth: links lead somewhere, and every command and snippet runs."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.examples.pages import needs_torch
from tests.meta.repository import ROOT, documents, short

FENCE = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)[^)]*\)|<(?:img|a)\b[^>]*?(?:src|href)=\"([^\"]+)\"")
SHELLS = ("bash", "sh", "console", "shell")
SET_UP = re.compile(r"(git clone|cd|pip install|python3? -m venv|source|\.|export|open|xdg-open)\b")
"""Commands that set a machine up: the tests themselves run on what they lead to."""

LINKED = ("src", "examples", "docs", "benchmarks", "tests")
"""The folders that a document may name when its commands run."""


def blocks(path: Path, languages: tuple[str, ...]) -> list[str]:
    """Return the fenced blocks of a document in one of some languages."""
    return [
        body for language, body in FENCE.findall(path.read_text(encoding="utf-8")) if language in languages
    ]


def commands(path: Path) -> list[str]:
    """Return the shell commands of a document, one a line, without prompts, comments and continuations."""
    lines = "".join(blocks(path, SHELLS)).replace("\\\n", " ").splitlines()
    stripped = (re.sub(r"\s+#.*", "", line.strip().removeprefix("$ ")).strip() for line in lines)
    return [line for line in stripped if line and not line.startswith("#")]


def anchors(path: Path) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", path.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def workplace(folder: Path) -> Path:
    """Return a folder that looks like the root of the repository, where writing does no harm."""
    for name in LINKED:
        if (ROOT / name).exists():
            (folder / name).symlink_to(ROOT / name)
    return folder


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command with the programs of this environment first on the path."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "MPLBACKEND": "agg"}
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def script(path: Path) -> str:
    """Return all Python of a document, as one script."""
    return "\n".join(blocks(path, ("python", "py")))


def check_script(path: Path, folder: Path) -> None:
    """Run the Python of a document in a folder where writing does no harm."""
    snippets = folder / "snippets.py"
    snippets.write_text(script(path), encoding="utf-8")
    done = run([sys.executable, "-W", "error", str(snippets)], workplace(folder))
    assert done.returncode == 0, done.stderr


WITH_PYTHON = [path for path in documents() if script(path) and not needs_torch(script(path))]
WITH_COMMANDS = [path for path in documents() if commands(path)]


@pytest.mark.parametrize("path", documents(), ids=short)
def test_links_lead_somewhere(path: Path) -> None:
    broken = []
    for link in (
        first or second for first, second in LINK.findall(FENCE.sub("", path.read_text(encoding="utf-8")))
    ):
        if re.match(r"(https|mailto):", link):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            broken.append(link)
    assert not broken


@pytest.mark.parametrize("path", WITH_PYTHON, ids=short)
def test_python_runs(path: Path, tmp_path: Path) -> None:
    check_script(path, tmp_path)


@pytest.mark.parametrize("path", WITH_COMMANDS, ids=short)
def test_commands_run(path: Path, tmp_path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    folder = workplace(tmp_path)
    for line in commands(path):
        words = shlex.split(line, comments=True)
        if words[0] == "make":
            asked = {word for word in words[1:] if "=" not in word and not word.startswith("-")}
            assert asked <= targets, f"{line}: the Makefile has no such target"
        elif words[0] == "unrolled":
            done = run(["bash", "-euo", "pipefail", "-c", line], folder)
            assert done.returncode == 0, f"{line}\n{done.stderr}"
        else:
            assert SET_UP.match(line), f"{line}: this test does not know how to run it"


def test_the_readme_fits_its_promise() -> None:
    for name in ("README.md", "README.zh.md"):
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        assert len(lines) <= 120, name
        pictures = re.findall(r"!\[[^\]]+\]\((docs/pictures/[\w-]+\.png)\)", "\n".join(lines))
        assert len(pictures) >= 2, name
        first_screen = "\n".join(lines[:40])
        assert re.search(r"^make demo\b", first_screen, re.MULTILINE), name
        assert re.search(r"^make test\b", first_screen, re.MULTILINE), name


def test_both_readmes_show_the_same_code() -> None:
    english, chinese = (ROOT / "README.md", ROOT / "README.zh.md")
    assert commands(english) == commands(chinese)
    stripped = [
        [re.sub(r"\s*#.*", "", line) for block in blocks(path, ("python",)) for line in block.splitlines()]
        for path in (english, chinese)
    ]
    assert stripped[0] == stripped[1]


def check_tables(root: Path) -> subprocess.CompletedProcess[str]:
    """Ask whether the tables and the report under a root are what the results there say."""
    return run([sys.executable, str(root / "benchmarks" / "table.py"), "--check"], root)


def test_the_tables_of_results_are_fresh() -> None:
    done = check_tables(ROOT)
    assert done.returncode == 0, done.stderr


def test_the_check_of_the_tables_has_teeth(tmp_path: Path) -> None:
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "benchmarks", tmp_path / "benchmarks", ignore=ignored)
    (tmp_path / "docs").mkdir()
    for name in ("README.md", "README.zh.md", "docs/accuracy.md", "docs/comparison.md"):
        shutil.copy(ROOT / name, tmp_path / name)
    assert check_tables(tmp_path).returncode == 0
    for path in (tmp_path / "benchmarks" / "results").glob("tutorial.*.json"):
        result = json.loads(path.read_text(encoding="utf-8"))
        result["rows"][0]["ours_s"] *= 2
        path.write_text(json.dumps(result), encoding="utf-8")
    done = check_tables(tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("stale: benchmarks/REPORT.md, README.md, README.zh.md;")
