"""Measure cases and write their results to `results/`; see `python benchmarks/run.py --help`."""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from machine import HELD, ISAS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness import Case

PHASES = "phases"
EXAMPLES = """examples:
  python benchmarks/run.py                            everything: all cases, all instruction sets, the phases
  python benchmarks/run.py lstm gru                   two cases
  python benchmarks/run.py --isa avx2 tutorial lstm   two cases with the kernels for AVX2
  python benchmarks/run.py --repeats 3 fit            a quick look
  python benchmarks/table.py                          write the tables of the READMEs and REPORT.md
"""
ISA = "UNROLLED_ISA"
THREADS_OF_OTHERS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def main(arguments: Sequence[str]) -> int:
    """Measure; return 0 when all is well, 1 when a case failed, 2 for misuse, 130 after Ctrl-C."""
    options = parse(arguments)
    prepare(options.isa)
    from cases import CASES

    from unrolled.engine import available_isas, isa

    if options.list:
        print("\n".join(f"{case.name:18} {case.title['en']}" for case in CASES.values()))
        print(f"{PHASES:18} where the time goes, measured with a core of its own build")
        return 0
    unknown = [name for name in options.cases if name not in (*CASES, PHASES)]
    if unknown:
        return misuse(f"no case {', '.join(unknown)}; there are: {', '.join((*CASES, PHASES))}")
    if options.isa and options.isa != isa():
        return misuse(f"no kernels for {options.isa}; there are: {', '.join(available_isas())}")
    everything = not options.cases and not options.isa
    every = [name for name, case in CASES.items() if everything or case.every_isa]
    jobs: dict[str, Callable[[], bool]] = {
        name: phases if name == PHASES else partial(measure_case, CASES[name], options.repeats)
        for name in options.cases or every
    }
    if everything:
        others = [one for one in available_isas() if one != isa()]
        jobs |= {one: partial(again, ["--isa", one], options.repeats) for one in others}
        jobs[PHASES] = phases
    return do(jobs)


def prepare(isa_asked: str | None) -> None:
    """Set what libraries read when they are loaded: their threads, and the instruction set of both sides."""
    for name in THREADS_OF_OTHERS:
        os.environ.setdefault(name, "1")  # threads that wait for work in a loop would disturb the other side
    if isa_asked:
        os.environ.update({ISA: isa_asked, **HELD[isa_asked]})


def do(jobs: Mapping[str, Callable[[], bool]]) -> int:
    """Do one job after another; return the exit status."""
    try:
        failed = [name for name, job in jobs.items() if not job()]
    except KeyboardInterrupt:
        say("interrupted; the results of the cases that were finished are kept")
        return 130
    if failed:
        say(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="run.py",
        description="Measure cases: answers are compared, then both sides run in turns.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "cases", nargs="*", metavar="CASE", help="which cases; everything where none is named"
    )
    parser.add_argument("--isa", choices=ISAS, help="hold both sides to this instruction set")
    parser.add_argument("--repeats", type=int, metavar="N", help="turns of each row (20, or 7 of slow work)")
    parser.add_argument("--list", action="store_true", help="list the cases")
    options = parser.parse_args(arguments)
    if options.repeats is not None and options.repeats < 1:
        parser.error("argument --repeats: expected at least 1")
    return options


def measure_case(case: Case, repeats: int | None) -> bool:
    """Measure one case and write its result; return False where its answers are wrong or it cannot run."""
    from harness import DisagreementError, measure
    from results import save

    missing = [name for name in case.needs if importlib.util.find_spec(name) is None]
    if missing:
        say(f"{case.name}: skipped, it needs {', '.join(missing)}, which is not installed here")
        return True
    say(f"{case.name}: {case.title['en']}")
    try:
        path = save(measure(case, repeats))
    except DisagreementError as error:
        say(f"{case.name}: the answers differ, nothing was measured: {error}")
        return False
    say(f"{case.name}: written to {path.name}")
    return True


def again(arguments: Sequence[str], repeats: int | None) -> bool:
    """Run this command in another process: the core chooses its kernels once."""
    more = [] if repeats is None else ["--repeats", str(repeats)]
    say(f"again with {' '.join(arguments)}")
    return subprocess.run([sys.executable, __file__, *arguments, *more], check=False).returncode == 0


def phases() -> bool:
    """Measure where the time goes, in another process: it builds a core of its own."""
    say("phases: where the time goes (builds the core first)")
    command = [sys.executable, str(Path(__file__).parent / "phases.py")]
    return subprocess.run(command, check=False).returncode == 0


def misuse(message: str) -> int:
    """Say what is wrong with the command line."""
    say(message)
    return 2


def say(message: str) -> None:
    """Tell how it goes: on stderr."""
    print(message, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
