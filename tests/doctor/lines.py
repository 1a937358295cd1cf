"""The lines of a proof are run, as a user would, and what they print is compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from unrolled import doctor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from unrolled.explain.facts import Finding


def assert_lines_print(finding: Finding, names: Mapping[str, Any]) -> None:
    """Run the lines of a finding: the last number that they print is the one that was measured."""
    printed: list[Any] = []
    exec("\n".join(finding["lines"]), {"doctor": doctor, **names, "print": lambda *a: printed.append(a[0])})
    assert printed, finding["lines"]
    if finding["measured"] is not None:
        assert float(printed[-1]) == pytest.approx(finding["measured"], rel=1e-4, abs=1e-12), finding["lines"]
