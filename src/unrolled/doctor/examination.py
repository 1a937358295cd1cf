"""What probes write into: the questions that were asked, and what was found.

    probe -> Examination -> CheckupFacts

Knows kinds and the shape of facts. Must not know what is examined.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from unrolled.doctor.kinds import KINDS, known_kinds

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from unrolled.explain.facts import CheckFacts, CheckupFacts, Cursor, Finding, LayerReading, Said

    Value = float | int | str | None


class Examination:
    """One examination as it goes on.

    Args:
        ignore: ids of findings that are not looked for.

    Raises:
        ArgumentError: there is no finding of some of the ids.
    """

    def __init__(self, ignore: Iterable[str] = ()) -> None:
        self.ignored = known_kinds(ignore)
        self.notes: list[Said] = []
        self.layers: list[LayerReading] = []
        self._checks: dict[str, CheckFacts] = {}
        self._findings: list[Finding] = []

    def wants(self, kind: str) -> bool:
        """Return whether a kind of finding is looked for and was not asked for yet."""
        return kind not in self.ignored and kind not in self._checks

    def found(self, kind: str) -> bool:
        """Return whether something of that kind was found."""
        return any(one["id"] == kind for one in self._findings)

    def note(self, reason: str, **values: Value) -> None:
        """Say how something was asked: the message `doctor.note.<reason>`."""
        said = _said(f"doctor.note.{reason}", values)
        if said not in self.notes:
            self.notes.append(said)

    def passed(self, kind: str, *, wording: str = "", **values: Value) -> None:
        """Say that a question was asked and nothing was found.

        Args:
            kind: its id, of `KINDS`.
            wording: "": the message `doctor.<id>.check`; "report": `doctor.<id>.check-report`, and so on.
            values: of the message.
        """
        if self.wants(kind):
            self._checks[kind] = _check(
                kind, "passed", _said(_worded(f"doctor.{kind}.check", wording), values)
            )

    def skipped(self, kind: str, reason: str, **values: Value) -> None:
        """Say that a question cannot be asked: the message `doctor.skip.<reason>`."""
        if self.wants(kind):
            self._checks[kind] = _check(kind, "not_applicable", _said(f"doctor.skip.{reason}", values))

    def failed(
        self,
        kind: str,
        *,
        measured: float,
        lines: Sequence[str],
        after: str,
        before: str | None = None,
        place: str = "",
        cursor: Cursor | None = None,
        wording: str = "",
        **values: Value,
    ) -> None:
        """Say that something was found; the same kind may be found at several places.

        Args:
            kind: its id, of `KINDS`.
            measured: the number that shows it.
            lines: Python that measures it again and prints it.
            after: the corrected line.
            before: the line as it is.
            place: the path of the module or parameter.
            cursor: where on the page it can be seen.
            wording: "": the message `doctor.<id>.proof`; "report": `doctor.<id>.proof-report`, and so on.
            values: of the messages `doctor.<id>.wrong` and `.proof`; `measured` and `place` are among them.
        """
        if kind in self.ignored:
            return
        known = {"measured": _plain(measured), "place": place, **values}
        wrong = _said(f"doctor.{kind}.wrong", known)
        proof = _said(_worded(f"doctor.{kind}.proof", wording), known)
        self._checks[kind] = _check(kind, "failed", wrong)
        self._findings.append(
            {
                "id": kind,
                "wrong": wrong,
                "proof": proof,
                "lines": list(lines),
                "measured": _plain(measured),
                "place": place,
                "fix": {"before": before, "after": after},
                "sure": KINDS[kind].sure,
                "mistakes": list(KINDS[kind].mistakes),
                "cursor": cursor,
            }
        )

    def facts(self) -> CheckupFacts:
        """Return all that was asked and found, in the order of the table of kinds."""
        order = list(KINDS)
        return {
            "checks": sorted(self._checks.values(), key=lambda one: order.index(one["id"])),
            "findings": sorted(self._findings, key=lambda one: order.index(one["id"])),
            "layers": self.layers,
            "notes": self.notes,
        }


def _check(kind: str, result: str, said: Said) -> CheckFacts:
    """Return the outcome of one question."""
    return {"id": kind, "area": KINDS[kind].area, "result": result, "said": said}  # type: ignore[typeddict-item]


def _said(message: str, values: dict[str, Value]) -> Said:
    return {"id": message, "values": values}


def _worded(message: str, wording: str) -> str:
    return f"{message}-{wording}" if wording else message


def _plain(number: float) -> float | None:
    """Return a number that JSON can hold; a whole one stays whole."""
    if isinstance(number, int | np.integer):
        return int(number)
    return float(number) if np.isfinite(number) else None
