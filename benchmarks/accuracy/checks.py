"""Published figures of simple baselines: where ours differ, nothing else here means what it says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .methods import CHECKED, UNFILLED, Run
from .scoring import score

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .tasks import Task


@dataclass(frozen=True)
class Check:
    """A published figure.

    Attributes:
        task, method, metric: of what.
        published: the figure, the mean over the series.
        digits: behind the point in which it is given.
        dropped: the last forecasts of each series that the source leaves out.
    """

    task: str
    method: str
    metric: str
    published: float
    digits: int
    dropped: int = 0


CHECKS = (
    Check("m4_hourly", "naive2", "smape", 18.383, 3),
    Check("m4_hourly", "naive2", "mase", 2.395, 3),
    Check("m4_hourly", "seasonal_naive", "smape", 13.912, 3),
    Check("m4_hourly", "seasonal_naive", "mase", 1.193, 3),
    Check("m4_hourly", "seasonal_naive", "owa", 0.627, 3),
    Check("m3_monthly", "seasonal_naive", "mase", 1.1461, 4),
    Check("tourism_monthly", "seasonal_naive", "mase", 1.63094, 5),
    Check("nn5", UNFILLED, "mase", 1.024, 3),
    Check("etth1_96", "naive", "mse", 1.295, 3, dropped=1),
    Check("etth1_96", "naive", "mae", 0.713, 3, dropped=1),
)
"""M4 (M4-methods), the Monash archive, and of ETTh1 the repeated last value in the paper of DLinear, which
leaves out the last window: it does not fill a batch of 32."""


def check(tasks: Iterable[Task]) -> list[dict[str, Any]]:
    """Compare every published figure of some tasks with ours: as the test parts say it, before all else."""
    found = []
    for task in tasks:
        for one in CHECKS:
            if one.task == task.name:
                measured = _measured(task, one)
                met = abs(measured - one.published) <= 0.51 * 10**-one.digits
                found.append(
                    {
                        "task": one.task,
                        "method": one.method,
                        "metric": one.metric,
                        "published": one.published,
                        "measured": measured,
                        "met": met,
                    }
                )
    return found


def _measured(task: Task, one: Check) -> float:
    kept = {name: values[: len(values) - one.dropped * task.stride] for name, values in task.series.items()}
    judged = replace(task, series=kept, origins=task.origins - one.dropped)
    naive2 = score(judged, CHECKED["naive2"](judged, Run())) if one.metric == "owa" else None
    return score(judged, CHECKED[one.method](judged, Run()), naive2=naive2)[one.metric]
