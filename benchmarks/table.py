"""Write the READMEs' tables of results between their markers: `python benchmarks/table.py [--check]`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
START, END = "<!-- benchmarks:start -->", "<!-- benchmarks:end -->"
LANGUAGES = {"README.md": "en", "README.zh.md": "zh"}
HEADS = {
    "en": ("work", "unrolled", "peer", "times as fast", "threads", "measured"),
    "zh": ("任务", "unrolled", "对照", "倍数", "线程", "测量"),
}


def table(language: str) -> str:
    """Return the table of all results, one line a case."""
    heads = HEADS[language]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for path in sorted((ROOT / "benchmarks" / "results").glob("*.json")):
        r = json.loads(path.read_text())
        e = r["environment"]
        cells = [
            r["title"][language],
            f"{r['ours_s'] * 1e3:.1f} ms",
            f"{r['peer']}: {r['theirs_s'] * 1e3:.1f} ms",
            f"{r['ratio']:.1f}",
            str(r["threads"]),
            f"{e['date']}, {e['machine']}, {e['isa']}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main(check: bool) -> int:
    """Write the tables, or only say which are stale."""
    stale = []
    for name, language in LANGUAGES.items():
        path = ROOT / name
        text = path.read_text(encoding="utf-8")
        head, rest = text.split(START)
        _, tail = rest.split(END)
        fresh = f"{head}{START}\n{table(language)}\n{END}{tail}"
        if fresh != text:
            stale.append(name)
            if not check:
                path.write_text(fresh, encoding="utf-8")
    if check and stale:
        print(f"stale: {', '.join(stale)}; run: python benchmarks/table.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
