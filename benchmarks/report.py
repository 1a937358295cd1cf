"""The report: targets, every row, instruction sets, phases and the machine, made from `results/`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from layers import SHAPES
from machine import ISAS
from results import best, by_isa, read
from targets import asked, judge, mean_ratio
from units import digits, percent, seconds, times

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from harness import Case
    from results import Result

HEAD = """# Report

Made from `results/` by `python benchmarks/table.py`; a test fails where it is stale.

- The answers of both sides were compared before a row was timed. Both ran in turns in one process.
- Times are medians, a ratio is the median of the ratios of the turns. The spread is that of the ratio (of our
  time where nothing stands beside it): half the range between the quartiles, over the median.
- Losses are those of both sides after some training from the same weights; 1e-4 of a loss they may differ by.
- Operations are those of the products, two a multiply-add. Bytes are what must at least be read and written.
- The peak is that of multiply-adds in registers alone, on as many threads, measured around each case."""
NOTES = {
    "en": "Measured on {date}: {machine}, {processors} processors, {isa}; {versions}; revision {revision}.",
    "zh": "{date} 测于 {machine}，{processors} 个处理器，{isa}；{versions}；版本 {revision}。",
}
CHANGED = {"en": " with changes", "zh": "（有改动）"}
NAMES = {"torch": "PyTorch", "jax": "JAX", "numpy": "NumPy", "unrolled": "unrolled"}
MISSING = "not measured"
SIZES = "T, B, I, H"


def report(cases: Mapping[str, Case]) -> str:
    """Return the whole report."""
    nine = {name: case for name, case in cases.items() if _has_all_shapes(name)}
    measured = [case for name, case in cases.items() if name not in nine and best(name)]
    others = [case for case in measured if not case.group]
    parts = [HEAD, "## Targets", targets_table(cases.values())]
    for case in nine.values():
        parts += [f"## {case.title['en']}", rows_table([case], SIZES)]
    groups = {case.group.title["en"]: case.group for case in measured if case.group}
    for title, group in groups.items():
        parts.append(f"## {title[0].upper()}{title[1:]}")
        for case in measured:
            if case.group == group:
                parts += [f"### {case.title['en']}", rows_table([case], SIZES)]
    if others:
        parts += ["## The other cases", rows_table(others, "work")]
    parts += ["## Instruction sets", isa_table(cases.values())]
    parts += ["## Where the time goes", phases_table(read("phases")), "## The machine", machine_list(cases)]
    return "\n\n".join(parts) + "\n"


def measured_note(shown: Sequence[Result], language: str) -> str:
    """Say once for all results where and when they were measured; once for each machine where they differ."""
    notes: dict[str, None] = {}
    for result in shown:
        found = result["environment"]
        peer = f"PyTorch {found['versions'].get('torch', '–')}"
        values = {**found, "versions": peer, "revision": _revision(found, language)}
        notes[NOTES[language].format(**values)] = None
    return " ".join(notes)


def targets_table(cases: Iterable[Case]) -> str:
    """Return every target beside what was measured."""
    lines = []
    for case in cases:
        result = best(case.name)
        for target in case.targets:
            measured, reached = (judge(target, result["rows"]) if result else None) or (MISSING, None)
            answer = {True: "yes", False: "**no**", None: "–"}[reached]
            lines.append((case.title["en"], asked(target), measured, answer))
    return _table(("work", "target", "measured", "reached"), lines)


def rows_table(cases: Sequence[Case], first: str) -> str:
    """Return every row of some cases that were measured; several cases are told apart by their names.

    Threads are shown where the rows of a case differ in them, losses where some were compared.
    """
    found = {case.name: result for case in cases if (result := best(case.name))}
    rows = [(name, row) for name, result in found.items() for row in result["rows"]]
    peers = {case.peer.get("en", "–") for case in cases}
    beside = peers.pop() if len(peers) == 1 else "beside it"
    threads = len(cases) == 1 and len({row.get("threads") for _, row in rows}) > 1
    losses = any("peer_loss" in row["checked"] for _, row in rows)
    lines = []
    for name, row in rows:
        title = row["name"] if len(cases) == 1 else f"{name}: {row['name']}"
        more = [str(row["threads"])] if threads else []
        lines.append((title, *more, *_cells(row), *([_losses(row["checked"])] if losses else [])))
    heads = (
        *(first, *(["threads"] if threads else [])),
        *("GFLOP", "MB", "unrolled", beside, "ratio", "GFLOP/s", "of peak", "spread"),
        *(["loss, beside it"] if losses else []),
    )
    return _table(heads, lines)


def isa_table(cases: Collection[Case]) -> str:
    """Return the geometric means under every instruction set, and the peak of each."""
    lines = []
    for case in cases:
        if not case.every_isa:
            continue
        found = by_isa(case.name)
        means = [
            f"{times(mean_ratio(found[isa]['rows']))}, {seconds(_total(found[isa]))}"
            if isa in found
            else MISSING
            for isa in ISAS
        ]
        lines.append((case.title["en"], *means))
    peaks = [_peaks((case.name for case in cases), isa).get(1) for isa in ISAS]
    shown = (f"{digits(peak)} GFLOP/s" if peak else MISSING for peak in peaks)
    lines.append(("multiply-add peak of one core", *shown))
    note = (
        "The geometric mean of the ratios, and the sum of our times. PyTorch is held to the same set,\n"
        "as far as its libraries obey: both sides do what they would on a machine that has no better."
    )
    return note + "\n\n" + _table(("work", *ISAS), lines)


def phases_table(found: Result | None) -> str:
    """Return the time of every phase in every job, and what is outside all phases."""
    if found is None:
        return f"The phases were {MISSING}."
    names: dict[str, None] = {}
    for job in found["jobs"]:
        names |= dict.fromkeys(job["phases"])
    lines = []
    for name in names:
        parts = [_part(job["phases"].get(name, 0.0), job["seconds"]) for job in found["jobs"]]
        lines.append((name, *parts))
    rest = [job["seconds"] - sum(job["phases"].values()) for job in found["jobs"]]
    rests = [_part(own, job["seconds"]) for own, job in zip(rest, found["jobs"], strict=True)]
    lines.append(("all else, Python among it", *rests))
    lines.append(("together", *(seconds(job["seconds"]) for job in found["jobs"])))
    note = "One thread, in a build whose clocks take some time themselves."
    titles = "\n".join(f"- {job['job']}: {job['title']}" for job in found["jobs"])
    return f"{note}\n\n{titles}\n\n" + _table(("phase", *(job["job"] for job in found["jobs"])), lines)


def machine_list(cases: Mapping[str, Case]) -> str:
    """Return what is known of the machine and the versions, once for each that differ, and all peaks."""
    machines: dict[str, None] = {}
    peaks: dict[str, None] = {}
    for result in (result for name in cases for result in by_isa(name).values()):
        found = result["environment"]
        versions = ", ".join(f"{NAMES[key]} {value}" for key, value in found["versions"].items())
        machines[
            f"- {found['date']}, revision {_revision(found)}: {found['machine']}, {found['processors']} "
            f"processors, {found['system']}, Python {found['python']}, {versions}"
        ] = None
    for isa in ISAS:
        for threads, peak in _peaks(cases, isa).items():
            many = f"{threads} thread{'s' * (threads > 1)}"
            peaks[f"- multiply-add peak, {isa}, {many}: {digits(peak)} GFLOP/s"] = None
    return "\n".join([*machines, *peaks])


def _peaks(cases: Iterable[str], isa: str) -> dict[int, float]:
    """Return the greatest peak that was measured, by the number of threads."""
    peaks: dict[int, float] = {}
    for name in cases:
        result = by_isa(name).get(isa)
        if result and result["peak_gflops"]:
            peaks[result["threads"]] = max(result["peak_gflops"], peaks.get(result["threads"], 0.0))
    return dict(sorted(peaks.items()))


def _has_all_shapes(name: str) -> bool:
    result = best(name)
    return result is not None and [row["name"] for row in result["rows"]] == [one.label for one in SHAPES]


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    has_peer = row["theirs_s"] is not None
    return (
        f"{row['operations'] / 1e9:.3g}",
        f"{row['bytes'] / 1e6:.3g}",
        seconds(row["ours_s"]),
        seconds(row["theirs_s"]) if has_peer else "–",
        times(row["ratio"]) if has_peer else "–",
        digits(row["gflops"]),
        percent(row["peak_share"]) if row["peak_share"] else "–",
        percent(row["ratio_spread"] if has_peer else row["ours_spread"]),
    )


def _losses(checked: Mapping[str, Any]) -> str:
    """Write the loss after training of both sides, with that before it where it is known."""
    if "peer_loss" not in checked:
        return "–"
    first = f"{checked['first_loss']:.6g} → " if "first_loss" in checked else ""
    return f"{first}{checked['loss']:.6g}, {checked['peer_loss']:.6g}"


def _part(own: float, whole: float) -> str:
    return f"{seconds(own)}, {percent(own / whole)}"


def _total(result: Result) -> float:
    return float(sum(row["ours_s"] for row in result["rows"]))


def _revision(environment: Mapping[str, Any], language: str = "en") -> str:
    return str(environment["revision"])[:10] + (CHANGED[language] if environment["changed"] else "")


def _table(heads: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rows = [heads, ["---"] * len(heads), *lines]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in rows)
