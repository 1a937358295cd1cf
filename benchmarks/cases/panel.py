"""A fit on 30,000 series of 2,000 points beside the same work on 30: memory, and windows in the same time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import Case, DisagreementError, Row
from layers import operations, traffic
from panel_fit import BATCH, HIDDEN, HORIZON, POINTS, SERIES, STEPS, WINDOW, fit, make_series
from targets import Target

if TYPE_CHECKING:
    from collections.abc import Iterator

FEW = 30
PANEL_MB = SERIES * POINTS * 4 / 1e6
SCRIPT = Path(__file__).parent.parent / "panel_fit.py"


def memory() -> dict[str, Any]:
    """Return what a process of its own takes for the series and the fit, in megabytes."""
    done = subprocess.run([sys.executable, SCRIPT], capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def panel_rows() -> Iterator[Row]:
    """Make the row: as many steps on many series and on few."""
    many, few = make_series(SERIES), make_series(FEW)

    def check() -> dict[str, Any]:
        losses = fit(few).history_.losses
        if len(losses) != STEPS:
            raise DisagreementError(f"{len(losses)} steps were taken instead of {STEPS}")
        return {"steps": STEPS, "loss": losses[-1]}

    windows = STEPS * BATCH
    yield Row(
        name=f"{SERIES:,} series of {POINTS:,} points",
        operations=operations("lstm", windows * WINDOW, 1, HIDDEN) + 6.0 * windows * HIDDEN * HORIZON,
        bytes=traffic("lstm", windows * WINDOW, 1, HIDDEN) + SERIES * POINTS * 4.0,
        check=check,
        ours=lambda: fit(many),
        theirs=lambda: fit(few),
        facts=memory,
    )


PANEL = Case(
    name="panel",
    title={
        "en": f"`fit` of {STEPS:,} steps on {SERIES:,} series of {POINTS:,} points",
        "zh": f"`fit`：{SERIES:,} 条序列，每条 {POINTS:,} 个点，{STEPS:,} 步",
    },
    peer={"en": f"the same steps on {FEW} series", "zh": f"同样的步数，{FEW} 条序列"},
    threads=2,
    rows=panel_rows,
    targets=(Target("peak_mb", 1.3 * PANEL_MB + 200), Target("ratio", 0.9)),
)
