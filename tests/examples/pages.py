"""The pages of `docs/examples`, the scripts of `examples` and what they print: read, compared, written anew.

The Python of a page, block after block, is the script of the same name; a block of text is what the block of
Python above it prints. `python -m tests.examples.pages` writes both anew from the Python of the pages.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.meta.repository import ROOT

BLOCK = re.compile(r"^```(python|text)\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
MARK = "\x1e"
"""Printed between two blocks of Python while pages are written."""

_ALL = sorted(path for path in (ROOT / "docs" / "examples").glob("*.md") if path.name != "README.md")
PAGES = [path for path in _ALL if not path.name.endswith(".zh.md")]
TRANSLATIONS = [path for path in _ALL if path.name.endswith(".zh.md")]
"""Pages in Chinese, each beside the one of which it shows the Python and the output."""

DEFINITIONS = (ast.ClassDef, ast.FunctionDef)
"""Two lines are left free before and behind them."""

TORCH = re.compile(r"^(?:import|from) (?:unrolled\.)?torch\b", re.MULTILINE)
"""An import that only the environment with PyTorch can make."""


def needs_torch(code: str) -> bool:
    """Return whether Python code imports PyTorch at its top."""
    return bool(TORCH.search(code))


def blocks(page: Path, kind: str) -> list[str]:
    """Return the blocks of a page that are Python, or text that was printed."""
    return [body for name, body in BLOCK.findall(page.read_text(encoding="utf-8")) if name == kind]


def original(page: Path) -> Path:
    """Return the page that a page in Chinese is beside; any other is its own."""
    return page.with_name(page.name.replace(".zh.md", ".md"))


def script_path(page: Path) -> Path:
    """Return where the script of a page lies."""
    return ROOT / "examples" / f"{original(page).stem}.py"


def script_of(page: Path) -> str:
    """Return the script that a page consists of, as the formatter would have it."""
    page = original(page)
    title = page.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
    head = f'"""{title}: docs/examples/{page.name} tells what happens here, and what it prints."""\n'
    script = head
    for body in blocks(page, "python"):
        ends = (ast.parse(script).body[-1], ast.parse(body).body[0])
        script += ("\n\n" if any(isinstance(end, DEFINITIONS) for end in ends) else "\n") + body
    return script


def run(script: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script as a user would, in English, from a folder that is empty."""
    environment = {**os.environ, "UNROLLED_LANG": "en", "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        cwd=folder,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
        stdin=subprocess.DEVNULL,
    )


def rewrite(page: Path) -> None:
    """Write the script of a page, and put what each block prints below it.

    Raises:
        RuntimeError: the script fails.
    """
    script_path(page).write_text(script_of(page), encoding="utf-8")
    code = blocks(page, "python")
    with tempfile.TemporaryDirectory() as folder:
        marked = Path(folder, script_path(page).name)
        marked.write_text(f"\nprint({MARK!r})\n".join(code), encoding="utf-8")
        done = run(marked, Path(folder))
    if done.returncode:
        raise RuntimeError(done.stderr)
    printed = iter(done.stdout.split(f"{MARK}\n"))

    def with_output(block: re.Match[str]) -> str:
        told = next(printed)
        shown = f"\n```text\n{told}```\n" if told else ""
        return f"```python\n{block[2]}```\n{shown}"

    text = page.read_text(encoding="utf-8")
    bare = re.sub(r"\n```text\n.*?^```\n", "", text, flags=re.MULTILINE | re.DOTALL)
    page.write_text(BLOCK.sub(with_output, bare), encoding="utf-8")


if __name__ == "__main__":
    chosen = sys.argv[1:]
    for one in (*PAGES, *TRANSLATIONS):
        if not chosen or original(one).stem in chosen:
            rewrite(one)
