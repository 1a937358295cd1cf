"""The house is in order: larger folders say why they exist, and no file knows whose machine it came from."""

from __future__ import annotations

import re
import tomllib
from collections import Counter

from tests.meta.repository import ROOT, files, short

LARGE = 3
"""A folder of more files than this has a README."""

MACHINE_PATH = re.compile(r"(?<![\w.}-])/(?:work|root|home|Users|private|tmp/venv)/[\w.]")


def test_larger_folders_have_a_readme() -> None:
    count = Counter(path.parent for path in files() if path.name != "README.md")
    assert not [
        short(folder)
        for folder, number in count.items()
        if number > LARGE and not (folder / "README.md").exists()
    ]


def test_no_file_names_a_machine() -> None:
    found = []
    for path in files():
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue  # a picture, a Parquet file
        found += [
            f"{short(path)}:{n}: {line}" for n, line in enumerate(lines, 1) if MACHINE_PATH.search(line)
        ]
    assert not found


def test_the_search_for_machine_paths_has_teeth() -> None:
    assert MACHINE_PATH.search("read('/ho" + "me/someone/data.csv')")
    assert not MACHINE_PATH.search("docs/home/page and https://example.org/home/page and src/work/x")


def test_text_files_end_with_one_newline() -> None:
    text = [
        path for path in files() if path.suffix in {".py", ".md", ".toml", ".json", ".hpp", ".cpp", ".csv"}
    ]
    assert not [
        short(path)
        for path in text
        if (content := path.read_bytes()) and (content[-1:] != b"\n" or content[-2:] == b"\n\n")
    ]


def test_version_is_in_the_changelog() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert f"## [{version}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
