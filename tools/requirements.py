"""Print requirements that pyproject.toml states, one a line, for `pip install -r`.

usage: python tools/requirements.py NAME... [PACKAGE==VERSION...]

A NAME is a dependency group, or `build`: what the build back end needs, or `oldest`: the oldest version that
is supported of everything, as constraints. A PACKAGE that one of them requires is required in that VERSION
instead: `requirements.py torch torch==2.4.1`. pip learnt `--group` in 25.1, and the pip that comes with
Python 3.11 is older; reading the groups here needs no newer pip.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import Any

PYPROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"

BUILD_PROGRAMS = ("cmake>=3.26", "ninja>=1.11")
"""What scikit-build-core fetches by itself in an isolated build, where the system has none."""


def requirements(name: str, project: dict[str, Any]) -> list[str]:
    """Return the requirements of the group `name`, those of the groups that it includes among them."""
    if name == "build":
        return [*project["build-system"]["requires"], *BUILD_PROGRAMS]
    if name == "oldest":
        return oldest(project)
    found: list[str] = []
    for entry in project["dependency-groups"][name]:
        found += [entry] if isinstance(entry, str) else requirements(entry["include-group"], project)
    return found


def oldest(project: dict[str, Any]) -> list[str]:
    """Return the lower bounds of all that the package, its extras and its tests need: `PACKAGE==VERSION`."""
    extras = project["project"]["optional-dependencies"]
    stated = [*project["project"]["dependencies"], *(one for extra in extras.values() for one in extra)]
    stated += requirements("test", project)
    bounds = (re.match(r"([\w.-]+)>=([\w.]+)", requirement) for requirement in stated)
    return sorted({f"{bound[1]}=={bound[2]}" for bound in bounds if bound})


def pinned(requirement: str, pins: list[str]) -> str:
    """Return the pin that speaks of the same package, else the requirement itself."""
    package = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
    return next((pin for pin in pins if pin.partition("==")[0] == package), requirement)


def main(arguments: list[str]) -> int:
    """Print the requirements of every group that is named; a name that is not there is misuse."""
    pins = [argument for argument in arguments if "==" in argument]
    names = [argument for argument in arguments if argument not in pins]
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))
    known = ["build", "oldest", *project["dependency-groups"]]
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        print(f"expected names among {', '.join(known)}; got {' '.join(names) or 'none'}", file=sys.stderr)
        return 2
    for name in names:
        print("\n".join(pinned(one, pins) for one in requirements(name, project)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
