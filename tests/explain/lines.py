"""The lines of code of a ledger, run one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unrolled.explain.facts import LedgerFacts


def shapes_of(facts: LedgerFacts, **names: Any) -> dict[str, tuple[int, ...]]:
    """Run the lines of a ledger and return the shape of each of its tensors.

    Args:
        facts: a ledger.
        names: what the lines may use: `nn`, `torch`, `np`, ...
    """
    exec(facts["code"], names)
    shapes, seen = {}, set()
    for tensor in facts["tensors"]:
        if tensor["role"] == "weight":
            shapes[tensor["name"]] = tuple(eval(tensor["code"], names).shape)
            continue
        if tensor["code"] not in seen:
            exec(tensor["code"], names)
            seen.add(tensor["code"])
        called = "x" if tensor["name"] == "input" else tensor["name"]
        shapes[tensor["name"]] = tuple(names[called].shape)
    return shapes


def written(facts: LedgerFacts) -> dict[str, tuple[int, ...]]:
    """Return the shape of each tensor as the ledger has it."""
    return {one["name"]: tuple(axis["size"] for axis in one["axes"]) for one in facts["tensors"]}
