"""Write what people read of the results: tables of the READMEs and of docs, REPORT.md.

usage: python benchmarks/table.py [--check]

--check writes nothing, and fails where one of them is stale.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from accuracy import page
from cases import CASES
from peers import page as peers
from report import measured_note, report
from results import best
from targets import KINDS, mean_ratio
from units import seconds, times

if TYPE_CHECKING:
    from harness import Case

ROOT = Path(__file__).parent.parent
REPORT = ROOT / "benchmarks" / "REPORT.md"
START, END = "<!-- benchmarks:start -->", "<!-- benchmarks:end -->"
LANGUAGES = {"README.md": "en", "README.zh.md": "zh"}
HEADS = {
    "en": ("work", "unrolled", "beside it", "result", "threads"),
    "zh": ("任务", "unrolled", "对照", "结果", "线程"),
}
LEGENDS = {
    "en": "Where a line stands for several measurements: their range, and the geometric mean of the ratios. ",
    "zh": "一行代表多次测量时：给出范围，倍数取几何平均。",
}
COLON, COMMA = {"en": ": ", "zh": "："}, {"en": ", ", "zh": "，"}
BRIEF = {
    "share": {"en": "{} of peak", "zh": "峰值的 {}"},
    "overhead": {"en": "+{}", "zh": "+{}"},
    "peak_mb": {"en": "{} of memory", "zh": "内存 {}"},
}
"""How figures other than a ratio are shown."""


def table(language: str) -> str:
    """Return the table of the cases that have targets, a group of them in one line."""
    heads = HEADS[language]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    shown = []
    for cases in together():
        results = [result for case in cases if (result := best(case.name))]
        shown += results
        if results:
            lines.append("| " + " | ".join(line(cases, results, language)) + " |")
    return "\n".join([*lines, "", LEGENDS[language] + measured_note(shown, language)])


def together() -> list[list[Case]]:
    """Return the measured cases that have targets, those of a group together."""
    found: dict[str, list[Case]] = {}
    for case in CASES.values():
        if case.targets and best(case.name):
            found.setdefault(case.group.title["en"] if case.group else case.name, []).append(case)
    return list(found.values())


def line(cases: list[Case], results: list[dict[str, Any]], language: str) -> tuple[str, ...]:
    """Return the cells of one case, or of a group."""
    first, rows = cases[0], [row for result in results for row in result["rows"]]
    theirs = [row["theirs_s"] for row in rows if row["theirs_s"] is not None]
    beside = f"{first.peer[language]}{COLON[language]}{extent(theirs)}" if theirs else "–"
    title = first.group.title if first.group else first.title
    outcome = brief_group(cases, results, language) if first.group else brief(first, rows, language)
    threads = sorted({row.get("threads", first.threads) for row in rows})
    return (
        title[language],
        extent([row["ours_s"] for row in rows]),
        beside,
        outcome,
        ", ".join(map(str, threads)),
    )


def brief_group(cases: list[Case], results: list[dict[str, Any]], language: str) -> str:
    """Write the mean ratio of each case, and the least and the greatest of all."""
    parts = [
        f"{case.label[language]} {times(mean_ratio(result['rows']))}"
        for case, result in zip(cases, results, strict=True)
    ]
    ratios = [row["ratio"] for result in results for row in result["rows"]]
    return f"{COMMA[language].join(parts)} ({times(min(ratios))} – {times(max(ratios))})"


def extent(values: list[float]) -> str:
    """Write the least and the greatest of some times, or the one that there is."""
    least, most = seconds(min(values)), seconds(max(values))
    if len(values) == 1 or least == most:
        return most
    return f"{least.removesuffix(most[most.index(' ') :])} – {most}"


def brief(case: Case, rows: list[dict[str, Any]], language: str) -> str:
    """Write the ratio, and each other figure that the case has a target for."""
    kinds = {target.kind for target in case.targets}
    parts = []
    if "overhead" not in kinds and all(row["ratio"] is not None for row in rows):
        ratios = [row["ratio"] for row in rows]
        inner = f" ({times(min(ratios))} – {times(max(ratios))})" if len(rows) > 1 else ""
        parts.append(times(mean_ratio(rows)) + inner)
    for name in BRIEF:
        if name in kinds and (name != "share" or rows[0]["peak_share"]):
            parts.append(BRIEF[name][language].format(KINDS[name].show(KINDS[name].figure(rows))))
    return COMMA[language].join(parts) or "–"


def fresh_texts() -> dict[Path, str]:
    """Return what every file should hold."""
    comparison = between(
        peers.PAGE.read_text(encoding="utf-8"), peers.START, peers.END, f"\n{peers.whole()}\n"
    )
    texts = {REPORT: report(CASES), page.PAGE: page.fresh(), peers.PAGE: comparison}
    for name, language in LANGUAGES.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        text = between(text, START, END, table(language))
        texts[ROOT / name] = between(text, peers.START, peers.END, peers.brief(language))
    return texts


def between(text: str, start: str, end: str, content: str) -> str:
    """Return a text with other content between two marks."""
    head, rest = text.split(start)
    _, tail = rest.split(end)
    return f"{head}{start}\n{content}\n{end}{tail}"


def main(check: bool) -> int:
    """Write the files, or only say which are stale."""
    stale = [
        (path, text)
        for path, text in fresh_texts().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    if check and stale:
        names = ", ".join(path.relative_to(ROOT).as_posix() for path, _ in stale)
        print(f"stale: {names}; run: python benchmarks/table.py", file=sys.stderr)
        return 1
    for path, text in stale:
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
