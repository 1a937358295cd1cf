"""Every library does a job in turn, in a process and an environment of its own; what came of it is merged."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .jobs import Job
    from .libraries import Library

CHILD = Path(__file__).with_name("child.py")
THREADS = 2
PATIENCE_S = 900
"""A process that has not ended after so long is stopped, and the job has no figures in that library."""

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def in_turns(job: Job, libraries: Sequence[Library], turns: int) -> Iterator[dict[str, Any]]:
    """Do a job `turns` times in each library, one library after the other; yield the row of each."""
    runs: dict[str, list[dict[str, float]]] = {library.name: [] for library in libraries}
    failed: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        series = Path(folder, "series.npz")
        np.savez(
            series,
            **{f"fitted_{n}": one for n, one in enumerate(job.fitted)},
            **{f"asked_{n}": one for n, one in enumerate(job.asked)},
        )
        for turn in range(turns):
            for library in (one for one in libraries if one.name not in failed):
                try:
                    runs[library.name].append(one_run(job, library, turn, series))
                except FailedError as error:
                    failed[library.name] = str(error)
    for library in libraries:
        row = {"job": job.name, "library": library.name}
        if library.name in failed:
            yield row | {"failed": failed[library.name]}
        else:
            yield row | {"turns": turns, "figures": merged(runs[library.name])}


class FailedError(Exception):
    """A library did not finish a job; what it said last."""


def one_run(job: Job, library: Library, seed: int, series: Path) -> dict[str, float]:
    """Do a job once, with one seed.

    Raises:
        FailedError: the process failed, or was stopped after `PATIENCE_S`.
    """
    settings = {
        **job.settings,
        "fitted": len(job.fitted),
        "asked": len(job.asked),
        "at_once": job.at_once,
        "threads": THREADS,
        "seed": seed,
    }
    asked, output = series.with_name("job.json"), series.with_name("output")
    asked.write_text(json.dumps(settings), encoding="utf-8")
    environment = {**os.environ, **dict.fromkeys(THREAD_VARIABLES, str(THREADS))}
    command = [library.python, CHILD, library.adapter, asked, series, output]
    try:
        done = subprocess.run(
            [*map(str, command), str(time.time())],
            cwd=series.parent,  # what a library leaves behind goes with it
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise FailedError(f"stopped after {PATIENCE_S} s") from None
    if done.returncode:
        raise FailedError((done.stderr.strip().splitlines() or ["no word"])[-1][:300])
    facts: dict[str, float] = json.loads(output.with_name("output.json").read_text(encoding="utf-8"))
    forecasts = np.load(output.with_name("output.npz"))["forecasts"].astype(np.float64)
    if forecasts.shape != (len(job.asked), settings["horizon"]) or not np.isfinite(forecasts).all():
        raise FailedError(f"its forecasts have the shape {forecasts.shape}, or are not all finite")
    return facts | job.figures(forecasts)


def merged(runs: Sequence[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Return the median of each figure, the least and the greatest; of errors the mean, over seeds."""
    found = {}
    for name in runs[0]:
        values = [run[name] for run in runs]
        middle = statistics.median if name.endswith(("_s", "_mb")) else statistics.fmean
        found[name] = {"value": middle(values), "least": min(values), "most": max(values)}
    return found


def installed(library: Library) -> dict[str, Any]:
    """Return what an environment holds: version, packages and megabytes; pip is not counted."""
    program = (
        "import importlib.metadata as m, json, sys; "
        "print(json.dumps({d.metadata['Name']: d.version for d in m.distributions()}))"
    )
    done = subprocess.run([library.python, "-c", program], capture_output=True, text=True, check=True)
    packages: dict[str, str] = json.loads(done.stdout)
    tools = {"pip", "setuptools", "wheel"}
    folder = next(library.environment.glob("lib/python*/site-packages"))
    size = sum(
        path.lstat().st_size
        for path in folder.rglob("*")
        if path.is_file()
        and path.relative_to(folder).parts[0].split("-")[0] not in tools | {"_distutils_hack"}
    )
    return {
        "library": library.name,
        "version": packages[library.package],
        "packages": len(set(packages) - tools),
        "installed_mb": size / 1e6,
        "torch": packages.get("torch"),
        "python": folder.parent.name.removeprefix("python"),
    }


def missing(libraries: Sequence[Library]) -> list[str]:
    """Return the libraries that have no environment yet."""
    return [library.name for library in libraries if not library.python.exists()]
