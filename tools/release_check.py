"""Build the sdist and the wheel, look into both, install each in a clean environment, and use it there.

usage: python tools/release_check.py FOLDER

The sdist is built from this tree, the wheel from the sdist alone. Each is installed into a virtual
environment of its own below FOLDER, from where the sources cannot be seen; there the smoke test runs,
the demo in it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NEEDED_IN_SDIST = (
    "LICENSE",
    "licences/nanobind.txt",
    "CMakeLists.txt",
    "core/kernels.cpp",
    "src/unrolled/__init__.py",
    "tests/conftest.py",
    "Makefile",
)
NEEDED_IN_WHEEL = (
    "unrolled/py.typed",
    "unrolled/messages/zh.json",
    "unrolled/page/glass/glass.js",
    "unrolled/datasets/nile.csv",
    ".dist-info/licenses/LICENSE",
    ".dist-info/licenses/licences/nanobind.txt",
    ".dist-info/licenses/licences/robin-map.txt",
    ".dist-info/licenses/src/unrolled/datasets/LICENSE-sktime.txt",
    ".dist-info/licenses/src/unrolled/page/glass/LICENSES.txt",
)
UNWANTED = re.compile(r"__pycache__|\.pyc$|(^|/)\.(git|venv[^/]*|ci)/|node_modules|(^|/)(build|out)/")


def main(arguments: list[str]) -> int:
    """Check; 0 when all is well, 1 where something is wrong, 2 for misuse."""
    if len(arguments) != 1:
        print((__doc__ or "").splitlines()[2], file=sys.stderr)
        return 2
    folder = Path(arguments[0]).resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if found := wrong_versions():
        return told(found)
    say("building the sdist from this tree, and the wheel from the sdist")
    run([sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT)])
    (sdist,) = folder.glob("*.tar.gz")
    (wheel,) = folder.glob("*.whl")
    run([sys.executable, "-m", "twine", "check", "--strict", str(sdist), str(wheel)])
    if found := [
        *wrong_content(names_in(sdist), NEEDED_IN_SDIST),
        *wrong_content(names_in(wheel), NEEDED_IN_WHEEL),
    ]:
        return told(found)
    for package in (wheel, sdist):
        say(f"installing {package.name} into an environment of its own")
        use(package, folder / package.suffix.strip("."))
    say("release-check: all is well")
    return 0


def wrong_versions() -> list[str]:
    """Return what does not name the version of pyproject.toml, the one place where it stands."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    version = project["version"]
    found = []
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    if f"\nversion: {version}\n" not in citation:
        found.append(f"CITATION.cff: expected version: {version}")
    if f"## [{version}]" not in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"):
        found.append(f"CHANGELOG.md: expected a heading ## [{version}]")
    return found


def names_in(package: Path) -> list[str]:
    """Return the files of a package, those of an sdist without the folder that holds them all."""
    if package.suffix == ".whl":
        with zipfile.ZipFile(package) as archive:
            return archive.namelist()
    with tarfile.open(package) as archive:
        return [name.partition("/")[2] for name in archive.getnames()]


def wrong_content(names: list[str], needed: tuple[str, ...]) -> list[str]:
    """Return what a package lacks, and what it should not have."""
    lacking = [one for one in needed if not any(name.endswith(one) for name in names)]
    return [
        *(f"expected {one} in the package" for one in lacking),
        *(f"expected no {name} in the package" for name in names if UNWANTED.search(name)),
    ]


def use(package: Path, folder: Path) -> None:
    """Install a package into a clean environment, and run the smoke test in an empty folder."""
    venv.create(folder, with_pip=True, clear=True)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(package)])
    empty = folder / "empty"
    empty.mkdir()
    shutil.copy(ROOT / "tools" / "smoke.py", empty)
    run([str(python), "smoke.py"], cwd=empty)


def run(command: list[str], cwd: Path | None = None) -> None:
    """Run a command without what this environment says of Python; it must succeed."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(command, cwd=cwd, env=clean, check=False, capture_output=True, text=True)
    if done.returncode:
        print(done.stdout, done.stderr, sep="\n", file=sys.stderr)
        raise SystemExit(f"failed: {' '.join(command)}")
    if cwd:
        print(done.stdout, end="")


def told(found: list[str]) -> int:
    """Say what is wrong."""
    print("\n".join(found), file=sys.stderr)
    return 1


def say(sentence: str) -> None:
    """Tell how far it is."""
    print(sentence, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
