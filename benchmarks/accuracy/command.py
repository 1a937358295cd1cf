"""The command line: check values first, then every set, written down as soon as it is finished."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import page, store
from .checks import check
from .measuring import measure
from .methods import METHODS
from .sets import SETS, load

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .tasks import Task

EXAMPLES = """examples:
  python -m benchmarks.accuracy --data FOLDER                           everything, written to results/
  python -m benchmarks.accuracy --data FOLDER --sets nn5 ercot          two sets; the rows of all others stay
  python -m benchmarks.accuracy --data FOLDER --methods network single  the networks alone
  python -m benchmarks.accuracy --sets elsewhere                        what needs no folder
  python -m benchmarks.accuracy --data FOLDER --part train --seeds 0    to choose rules: the test part unseen
  python -m benchmarks.accuracy --table                                 write the table of docs/accuracy.md

FOLDER holds one folder a set. Nothing is downloaded. Ctrl-C keeps the sets that were finished.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; 0 when all is well, 1 for a check value not met, 2 for misuse, 130 after Ctrl-C."""
    given = parse(arguments)
    if given.table:
        page.write()
        return 0
    output = given.output or (store.PATH if given.part == "test" else None)
    try:
        return measure_all(given, output)
    except store.MixedError as error:
        say(str(error))
        return 2
    except KeyboardInterrupt:
        say("interrupted; the sets that were finished are kept" if output else "interrupted")
        return 130


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.accuracy",
        description="Measure how accurate the defaults are, beside baselines and published figures.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="the folder that holds the sets")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS), help="all by default")
    parser.add_argument(
        "--methods",
        nargs="+",
        choices=METHODS,
        default=list(METHODS),
        help="all by default; Auto... are slow",
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2], help="of the networks (0 1 2)")
    parser.add_argument("--threads", type=int, default=2, help="of every method (2)")
    parser.add_argument(
        "--part",
        choices=("test", "train"),
        default="test",
        help="train: forecast the end of the training part, and leave the test part unseen",
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="the results are merged into it (results/accuracy.json; with --part train nothing is written)",
    )
    parser.add_argument("--table", action="store_true", help="write docs/accuracy.md, measure nothing")
    given = parser.parse_args(arguments)
    if given.threads < 1:
        parser.error("argument --threads: expected at least 1")
    if given.output and not given.output.resolve().parent.is_dir():
        parser.error(f"argument --output: there is no folder {given.output.parent}")
    return given


def measure_all(given: argparse.Namespace, output: Path | None) -> int:
    """Check all sets, then measure one after another."""
    if output:
        store.merge(store.read(output), part=given.part, tasks={})  # refused now, not after an hour
    methods = available(given.methods)
    tasks: dict[str, list[Task]] = {}
    for name in dict.fromkeys(given.sets):
        tasks[name], refusals = load(name, given.data)
        for sentence in refusals:
            say(sentence)
    checks = check(task for found in tasks.values() for task in found)
    for one in checks:
        met = "met" if one["met"] else "NOT MET"
        say(f"{one['task']}: {one['method']} {one['metric']} {one['measured']:.5g}, published: "
            f"{one['published']:g}: {met}")  # fmt: skip
    if not all(one["met"] for one in checks):
        say("a published figure is not met: nothing was measured")
        return 1
    for found in tasks.values():
        if found:
            rows = measure_set(found, methods, given)
            if output:
                keep(output, found, checks, rows, given.part)
    return 0


def measure_set(tasks: Iterable[Task], methods: Sequence[str], given: argparse.Namespace) -> list[Any]:
    """Measure the tasks of one set, and print their rows."""
    rows = []
    for task in tasks:
        judged = task.trained() if given.part == "train" else task
        found = list(measure(judged, methods, given.seeds, given.threads, say))
        rows += found
        print(page.rows_of_task(task.name, facts_of(task), found, anchors=given.part == "test"), flush=True)
    return rows


def keep(
    output: Path, tasks: Sequence[Task], checks: Sequence[dict[str, Any]], rows: Sequence[Any], part: str
) -> None:
    """Merge the rows of one set into the file of results."""
    names = {task.name: facts_of(task) for task in tasks}
    own = [one for one in checks if one["task"] in names]
    merged = store.merge(store.read(output), part=part, tasks=names, checks=own, rows=rows)
    store.write(output, merged)
    say(f"{', '.join(names)}: written to {output.name}")


def facts_of(task: Task) -> dict[str, Any]:
    """Return what the table says of a task."""
    lengths = [len(one) - task.reach for one in task.series.values()]
    return {
        "title": task.title,
        "series": len(task.series),
        "points": [min(lengths), max(lengths)],
        "horizon": task.horizon,
        "season": task.season,
        "origins": task.origins,
        "together": task.together,
        "metrics": list(task.metrics),
    }


def available(names: Sequence[str]) -> list[str]:
    """Return the methods that can be run here, and say which cannot."""
    found = []
    for name in dict.fromkeys(names):
        needs = METHODS[name].needs
        if needs and importlib.util.find_spec(needs) is None:
            say(f"{METHODS[name].title}: not run, it needs {needs}, which is not installed here")
        else:
            found.append(name)
    return found


def say(message: str) -> None:
    """Tell how it goes: on stderr."""
    print(message, file=sys.stderr, flush=True)
