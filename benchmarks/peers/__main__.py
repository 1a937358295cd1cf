"""The command: every job in every library, in turns, written down as soon as a job is finished."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.machine import facts

from . import store
from .jobs import jobs
from .libraries import BY_NAME, LIBRARIES
from .turns import in_turns, installed, missing

if TYPE_CHECKING:
    from collections.abc import Sequence

EXAMPLES = """examples:
  make bench-peers BENCH_FLAGS="--data FOLDER"                 everything, environments and tables too
  python -m benchmarks.peers --data FOLDER                     everything, where the environments are
  python -m benchmarks.peers --jobs same_lstm same_gru         two jobs; the rows of all others stay
  python -m benchmarks.peers --libraries unrolled darts --turns 1 --jobs same_lstm

FOLDER holds the series of competitions, as benchmarks/accuracy reads them. Ctrl-C keeps what was finished.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; 0 when all is well, 1 when something failed, 2 for misuse, 130 after Ctrl-C."""
    given = parse(arguments)
    libraries = [BY_NAME[name] for name in given.libraries]
    if absent := missing(libraries):
        return misuse(f"no environment for {', '.join(absent)}; make bench-peers makes them")
    made, unsaid = jobs(given.data)
    if unknown := set(given.jobs or ()) - {job.name for job in made}:
        return misuse(
            f"no job {', '.join(sorted(unknown))}; there are: {', '.join(job.name for job in made)}"
        )
    for sentence in unsaid:
        say(sentence)
    store.merge(installed=[installed(library) for library in libraries])
    failures = 0
    try:
        for job in made:
            if given.jobs and job.name not in given.jobs:
                continue
            say(job.title)
            turns = given.turns if job.task is None else min(given.turns, given.turns_of_defaults)
            rows = []
            for row in in_turns(job, [one for one in libraries if job.takes(one)], turns):
                rows.append(row)
                failures += "failed" in row
                say(f"  {row['library']}: {row.get('failed') or short(row['figures'])}")
            about = {"title": job.title, "settings": job.settings}
            store.merge(rows=rows, job=(job.name, about), environment=facts())
    except KeyboardInterrupt:
        say("interrupted; the jobs that were finished are kept")
        return 130
    return 1 if failures else 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.peers",
        description="The same work in whole forecasting libraries, each in an environment of its own.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = [library.name for library in LIBRARIES]
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="the folder that holds the sets")
    parser.add_argument("--jobs", nargs="+", metavar="JOB", help="all by default")
    parser.add_argument("--libraries", nargs="+", choices=names, default=names, help="all by default")
    parser.add_argument("--turns", type=int, default=5, help="turns of each library (default 5)")
    parser.add_argument(
        "--turns-of-defaults", type=int, default=1, help="turns of what takes minutes (default 1)"
    )
    return parser.parse_args(arguments)


def short(figures: dict[str, dict[str, float]]) -> str:
    """Write figures in one line."""
    return json.dumps({name: float(f"{found['value']:.3g}") for name, found in figures.items()})


def say(sentence: str) -> None:
    """Tell how far it is."""
    print(sentence, file=sys.stderr, flush=True)


def misuse(sentence: str) -> int:
    """Say what does not fit."""
    say(sentence)
    return 2


if __name__ == "__main__":
    sys.exit(main())
