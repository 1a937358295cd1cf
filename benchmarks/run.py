"""Measure all cases, or those named: `python benchmarks/run.py [CASE ...]`; results go to `results/`."""

from __future__ import annotations

import sys

from cases import CASES
from harness import measure, save


def main(names: list[str]) -> int:
    """Run the cases named, all where none is."""
    unknown = [name for name in names if name not in CASES]
    if unknown:
        print(f"no case {', '.join(unknown)}; there are: {', '.join(CASES)}", file=sys.stderr)
        return 2
    for name in names or CASES:
        result = measure(CASES[name]())
        path = save(result)
        print(
            f"{name}: {result['ratio']:.1f} times as fast as {result['peer']} "
            f"({result['ours_s'] * 1e3:.1f} ms against {result['theirs_s'] * 1e3:.1f} ms, "
            f"{result['gflops']:.1f} GFLOP/s, {result['threads']} thread) -> {path.name}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
