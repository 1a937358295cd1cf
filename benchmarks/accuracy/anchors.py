"""Published figures, and what the defaults are to reach. Data alone: nothing here is measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Anchor:
    """What others publish.

    Attributes:
        title: the method, and where its figures stand.
        figures: metric -> figure, computed as ours are.
    """

    title: str
    figures: Mapping[str, float]


@dataclass(frozen=True)
class Target:
    """What a method is to reach on a task.

    Attributes:
        task, metric: of what.
        bound: the most that it may be; times the figure of `beside` where that is named.
        stretch: what would be better still.
        seconds: the most that fit and predict may take together.
        method: whose figure.
        beside: the method that the bound is relative to.
    """

    task: str
    metric: str
    bound: float
    stretch: float | None = None
    seconds: float | None = None
    method: str = "network"
    beside: str | None = None


def _m4(title: str, smape: float, mase: float, owa: float) -> Anchor:
    return Anchor(f"{title} (M4)", {"smape": smape, "mase": mase, "owa": owa})


def _monash(**mase: float) -> tuple[Anchor, ...]:
    return tuple(Anchor(f"{title} (Monash)", {"mase": value}) for title, value in mase.items())


_NAMES = ("SES", "Theta", "ETS", "ARIMA", "TBATS", "DeepAR", "N-BEATS")


def _archive(*mase: float) -> tuple[Anchor, ...]:
    return _monash(**dict(zip(_NAMES, mase, strict=True)))


_ETT = {
    "SegRNN": ((0.368, 0.395), (0.408, 0.419), (0.444, 0.440), (0.446, 0.457)),
    "DLinear": ((0.386, 0.400), (0.437, 0.432), (0.481, 0.459), (0.519, 0.516)),
    "PatchTST": ((0.414, 0.419), (0.460, 0.445), (0.501, 0.466), (0.500, 0.488)),
}
"""MSE and MAE of each horizon, by the papers."""

_HORIZONS = (96, 192, 336, 720)

ANCHORS: dict[str, tuple[Anchor, ...]] = {
    "m4_hourly": (
        _m4("Theta", 18.138, 2.455, 1.006),
        _m4("RNN benchmark", 14.698, 3.048, 1.036),
        _m4("ES-RNN, the winner", 9.328, 0.893, 0.440),
        _m4("best entry", 8.913, 0.801, 0.410),
        Anchor("esrnn_torch", {"owa": 0.615}),
        Anchor("N-BEATS, single", {"owa": 0.606}),
        Anchor("AutoARIMA", {"owa": 0.588}),
        Anchor("TempoPFN", {"owa": 0.458}),
        Anchor("TiRex, 35 M parameters, zero-shot", {"mase": 0.722, "owa": 0.364}),
        Anchor("DeepAR of GluonTS", {"mase": 3.53, "wql": 0.033}),
        Anchor("best known", {"wql": 0.020}),
    ),
    "m3_monthly": _archive(1.091, 0.864, 0.865, 0.873, 0.861, 1.167, 0.934),
    "tourism_monthly": _archive(3.306, 1.649, 1.526, 1.589, 1.751, 1.409, 1.574),
    "nn5": _archive(1.521, 0.885, 0.865, 1.013, 0.858, 0.919, 1.134),
    **{
        f"etth1_{horizon}": tuple(
            Anchor(title, dict(zip(("mse", "mae"), figures[place], strict=True)))
            for title, figures in _ETT.items()
        )
        for place, horizon in enumerate(_HORIZONS)
    },
}
"""Published figures by task."""

TARGETS: tuple[Target, ...] = (
    Target("m4_hourly", "owa", 0.42, 0.39, seconds=120),
    Target("m4_hourly", "owa", 0.45, seconds=20, method="single"),
    Target("m3_monthly", "mase", 0.87, 0.84, seconds=120),
    Target("tourism_monthly", "mase", 1.40, 1.34, seconds=60),
    Target("nn5", "mase", 0.88, 0.84, seconds=60),
    *(
        Target(f"etth1_{horizon}", metric, 1.03 * figure, figure, seconds=60)
        for horizon, figures in zip(_HORIZONS, _ETT["SegRNN"], strict=True)
        for metric, figure in zip(("mse", "mae"), figures, strict=True)
    ),
    Target("exchange_rate", "mase", 1.02, beside="naive"),
    *(
        Target(f"classic_{name}", "mase", 1.10, 1.0, seconds=5, beside="auto_ets")
        for name in ("airline", "sunspots", "temperatures")
    ),
)
"""Targets of the defaults on two threads."""

COVERED = {"within": 0.04, "stretch": 0.02}
"""How far the coverage of the intervals of 80 and 95 percent may be from that, on every task."""
