"""Every kind of finding: where it is looked for, how sure it is, and which mistakes it answers.

A probe joins by one line here, its three messages `doctor.<id>.{check,wrong,proof}`, and a function that
calls `Examination.passed`, `failed` or `skipped` with that id. Knows nothing of how anything is found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from unrolled.errors import ArgumentError, fault, nearest, raise_any

if TYPE_CHECKING:
    from collections.abc import Iterable

Area = Literal["model", "step", "data", "forecast"]
Sure = Literal["proved", "exact", "evidence"]


class Kind(NamedTuple):
    """One kind of finding.

    Attributes:
        area: where it is looked for.
        sure: "proved" by a probe, "exact" in code or data, or "evidence", numbers that speak for it.
        mistakes: the rows of `docs/mistakes.md` that it answers.
    """

    area: Area
    sure: Sure
    mistakes: tuple[int, ...] = ()


KINDS: dict[str, Kind] = {
    # the order in which they are told
    "call-fails": Kind("model", "exact"),
    "input-size": Kind("model", "exact", (11,)),
    "tuple-in-sequential": Kind("model", "exact", (24,)),
    "state-batch-first": Kind("model", "exact", (2,)),
    "state-read-batch-first": Kind("model", "proved", (2,)),
    "state-read-as-output": Kind("model", "proved", (3, 8)),
    "last-row-for-last-step": Kind("model", "proved", (4,)),
    "batch-hard-coded": Kind("model", "exact", (12,)),
    "windows-read-as-steps": Kind("model", "proved", (10,)),
    "sequence-length-one": Kind("model", "exact", (17,)),
    "batch-read-as-time": Kind("model", "proved", (1,)),
    "order-lost": Kind("model", "proved", (9,)),
    "batch-mixed": Kind("model", "proved", (5,)),
    "batch-size-matters": Kind("model", "proved", (5,)),
    "state-carried": Kind("model", "proved", (31,)),
    "graph-kept": Kind("model", "proved", (30,)),
    "mode-flipped": Kind("model", "exact", (28,)),
    "dropout-in-eval": Kind("model", "exact"),
    "future-read": Kind("model", "proved", (42,)),
    "reverse-reads-one-step": Kind("model", "proved", (6,)),
    "state-of-wrong-layer": Kind("model", "proved", (7,)),
    "state-of-one-direction": Kind("model", "proved", (7,)),
    "padding-read": Kind("model", "proved", (9,)),
    "short-rows-ignored": Kind("model", "proved", (9,)),
    "input-ignored": Kind("model", "proved", (38,)),
    "last-observation-unseen": Kind("model", "proved"),
    "negative-inputs-lost": Kind("model", "proved", (34,)),
    "range-out-of-reach": Kind("model", "proved", (34,)),
    "loss-broadcast": Kind("step", "proved", (32,)),
    "dropout-one-layer": Kind("model", "exact", (23,)),
    "weights-not-flat": Kind("model", "exact", (25,)),
    "no-zero-grad": Kind("step", "proved", (33,)),
    "graph-grows": Kind("step", "proved", (30,)),
    "loss-not-finite": Kind("step", "exact"),
    "parameter-unused": Kind("step", "exact"),
    "parameter-not-optimized": Kind("step", "exact"),
    "gradient-vanishes": Kind("step", "evidence"),
    "gradient-explodes": Kind("step", "evidence"),
    "gates-saturated": Kind("step", "evidence"),
    "learning-rate-high": Kind("step", "evidence"),
    "learning-rate-low": Kind("step", "evidence"),
    "one-long-sequence": Kind("step", "evidence", (33,)),
    "target-misaligned": Kind("data", "exact", (43,)),
    "windows-missing": Kind("data", "exact", (43,)),
    "targets-overlap": Kind("data", "exact", (41,)),
    "trains-on-future": Kind("data", "exact", (41,)),
    "scaler-saw-test": Kind("data", "exact", (40,)),
    "test-scaled-by-itself": Kind("data", "exact", (40,)),
    "target-in-inputs": Kind("data", "exact", (45,)),
    "covariate-unknown": Kind("data", "exact", (45,)),
    "range-outside": Kind("data", "evidence", (44,)),
    "one-step-as-forecast": Kind("forecast", "exact", (39,)),
    "copies-last-value": Kind("forecast", "evidence", (35,)),
    "squashed": Kind("forecast", "evidence", (36,)),
    "collapses": Kind("forecast", "evidence", (37,)),
    "drifts": Kind("forecast", "evidence", (37, 39)),
    "no-skill": Kind("forecast", "evidence", (36,)),
}
"""The table of kinds."""


def known_kinds(ids: Iterable[str]) -> frozenset[str]:
    """Return ids of findings, all of them known.

    Raises:
        ArgumentError: there is no finding of some of the ids.
    """
    wanted = [ids] if isinstance(ids, str) else list(ids)
    unknown = [one for one in wanted if one not in KINDS]
    raise_any(ArgumentError, [fault("doctor.kind", got=one, nearest=nearest(one, KINDS)) for one in unknown])
    return frozenset(wanted)
