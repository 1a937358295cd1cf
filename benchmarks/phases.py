"""Where the time goes: jobs run on one thread with a core that watches its phases.

usage: python benchmarks/phases.py

The core is built once more, into `build/phases`, with clocks around every phase (the option UNROLLED_PHASES).
A process of its own measures, because another core may be loaded here; what it prints goes to
`results/phases.json`.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import sysconfig
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from results import write

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parent.parent
BUILD = ROOT / "build" / "phases"
SITE = BUILD / "site"
MEASURE = "--measure"
TURNS, FIT_STEPS = 5, 200
BUILDERS = ("scikit_build_core", "nanobind")


def build() -> None:
    """Build the core with its phases watched, and install it into a folder of its own."""
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    wheels = BUILD / "wheel"
    options = ["-C", f"build-dir={BUILD / 'cmake'}", "-C", "cmake.define.UNROLLED_PHASES=ON"]
    if all(importlib.util.find_spec(name) for name in BUILDERS):
        options.append(
            "--no-build-isolation"
        )  # keeps the build folder useful: what did not change is not compiled
    for old in wheels.glob("*.whl"):
        old.unlink()
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = {**os.environ, "PATH": programs}
    wheel = [*pip, "wheel", "--no-deps", "--wheel-dir", str(wheels), *options, str(ROOT)]
    subprocess.run(wheel, check=True, env=environment)
    (built,) = wheels.glob("*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--upgrade", "--target", str(SITE), str(built)], check=True)


def measure_apart() -> dict[str, Any]:
    """Measure in a process that sees the core of `build` before any other.

    -S leaves out what an environment adds to the path by itself, such as an editable install of this package.
    """
    paths = [str(SITE), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, "-S", __file__, MEASURE]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return dict(json.loads(done.stdout))


def jobs() -> dict[str, tuple[str, Callable[[], object]]]:
    """Return the jobs by name: what each is, and what does it once."""
    from cases.fit import BATCH, HIDDEN, WINDOW, forecaster, series
    from cases.tutorial import TUTORIAL, OurTutorial

    tutorial, y = OurTutorial(), series()

    def fit(cell: str) -> tuple[str, Callable[[], object]]:
        job = forecaster(cell, steps=FIT_STEPS, threads=1)
        title = f"`fit`: {FIT_STEPS} Adam steps of {BATCH} windows of {WINDOW}, {cell.upper()}({HIDDEN})"
        return title, lambda: job.fit(y)

    return {
        "tutorial": (TUTORIAL.title["en"], tutorial.epoch),
        "fit LSTM": fit("lstm"),
        "fit GRU": fit("gru"),
    }


def measure() -> dict[str, Any]:
    """Run every job a few times; return the seconds of its phases, as a mean of the turns."""
    from machine import facts

    from unrolled import _core

    found = []
    for name, (title, job) in jobs().items():
        job()
        _core.reset_phases()
        began = time.perf_counter()
        for _ in range(TURNS):
            job()
        took = (time.perf_counter() - began) / TURNS
        phases = {phase: seconds / TURNS for phase, seconds in _core.phases()}
        found.append({"job": name, "title": title, "turns": TURNS, "seconds": took, "phases": phases})
    return {"jobs": found, "threads": 1, "environment": facts()}


def main() -> int:
    """Build, measure and write; or only measure, and print."""
    if MEASURE in sys.argv[1:]:
        print(json.dumps(measure()))
        return 0
    build()
    path = write("phases", measure_apart())
    print(f"phases: written to {path.name}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
