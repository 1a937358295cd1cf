"""Forecasters whose exports are held against them, and how near the numbers must be."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.forecaster.helpers import small
from unrolled import Forecaster, engine
from unrolled.engine import Table
from unrolled.interop import expected
from unrolled.scaling import SCALINGS
from unrolled.tables import Cut

if TYPE_CHECKING:
    from unrolled.outcome import Outcome

NEAR = {"float32": 2e-6, "float64": 1e-13}
"""The largest difference, as a share of the largest forecast: the same sums in another order, and in float32
other polynomials of tanh. The most that was measured is 2.2e-7 and 8e-16."""


@dataclass(frozen=True, eq=False)
class Case:
    """One forecaster.

    Attributes:
        name: of the case.
        options: of the forecaster.
        gaps: whether points are missing.
        covariates: which there are.
        series: how many.
        level: around which the series swing.
        counts: whether they are whole numbers.
        growth: what logarithms of the values are multiplied by, where these span orders of magnitude.
    """

    name: str
    options: dict[str, Any] = field(default_factory=dict)
    gaps: bool = False
    covariates: tuple[str, ...] = ()
    series: int = 2
    level: float = 0.5
    counts: bool = False
    growth: float = 0.0

    def __str__(self) -> str:
        return self.name


def _cells() -> list[Case]:
    """Every cell, alone and with all that can stand around it."""
    cases = []
    for cell in engine.CELLS:
        for strategy in ("direct", "recursive"):
            cases.append(Case(f"{cell} {strategy}", {"cell": cell, "strategy": strategy, "num_layers": 2}))
        around = {"cell": cell, "num_layers": 3, "residual": True, "dilations": (1, 3, 2), "members": 2}
        cases.append(Case(f"{cell} residual dilated", {**around, "skip": True}, gaps=True))
        cases.append(Case(f"{cell} whole series", {"cell": cell, "memory": "all", "num_layers": 2}, series=1))
    return cases


def _scalings() -> list[Case]:
    """Every scaling, with gaps and without."""
    return [
        Case(f"{scaling} {strategy}{' gaps' * gaps}", options, gaps=gaps, level=5.0)
        for scaling in SCALINGS
        for strategy in ("direct", "recursive")
        for gaps in (False, True)
        for options in [{"scaling": scaling, "strategy": strategy, "members": 1 + gaps}]
    ]


def _magnitudes() -> list[Case]:
    """Windows that adaptive reads in logs, beside others that it does not."""
    return [
        Case(f"magnitudes {loss} {strategy}{' huge' * huge}", options, gaps=huge, growth=2.0, level=level)
        for loss in ("mae", "gaussian")
        for strategy in ("direct", "recursive")
        for huge, level in ((False, 0.5), (True, 8.0))
        for options in [{"scaling": "adaptive", "strategy": strategy, "loss": loss, "members": 2}]
    ]


def _losses() -> list[Case]:
    """Every loss whose outputs are more than a point."""
    cases = [
        Case(
            f"{loss} {scaling} {strategy}",
            {"loss": loss, "scaling": scaling, "strategy": strategy},
            level=5.0,
        )
        for loss in ("gaussian", "student_t")
        for scaling in ("last", "log", "series", "asinh", "adaptive")
        for strategy in ("direct", "recursive")
    ]
    for quantiles in ((0.1, 0.5, 0.9), (0.05, 0.2, 0.4, 0.8), (0.5,)):
        for strategy in ("direct", "recursive"):
            options = {"loss": "quantile", "quantiles": quantiles, "strategy": strategy, "members": 3}
            cases.append(Case(f"quantiles {len(quantiles)} {strategy}", options))
    for scaling in ("none", "mean_abs"):
        options = {"loss": "negative_binomial", "scaling": scaling, "members": 2}
        cases.append(Case(f"counts {scaling}", options, level=8.0, counts=True))
    return cases


def _covariates() -> list[Case]:
    """Every kind of covariate."""
    cases = []
    for beside in (("known",), ("past",), ("static",), ("past", "known", "static")):
        for options in ({}, {"strategy": "recursive"}, {"patch": 4}, {"patch": 4, "strategy": "recursive"}):
            cases.append(Case(f"{beside} {options}", options, covariates=beside, gaps=True))
        cases.append(
            Case(f"{beside} whole series", {"memory": "all"}, covariates=beside, series=1, gaps=True)
        )
    return cases


def _windows() -> list[Case]:
    """Members of different windows, by rule: 16, 12 and 8 points, in patches of 4."""
    apart = {"window": None, "season": 4, "members": 3}
    cases = [
        Case(f"windows {scaling}{' gaps' * gaps}", {**apart, "scaling": scaling}, gaps=gaps, level=5.0)
        for scaling in SCALINGS
        for gaps in (False, True)
    ]
    return [
        *cases,
        Case("windows in logs", {**apart, "scaling": "adaptive"}, growth=2.0),
        Case("windows, median", {**apart, "members": 4, "combine": "median"}),
        Case("windows, quantiles", {**apart, "loss": "quantile", "quantiles": (0.1, 0.5, 0.9)}, gaps=True),
        Case("windows, known ahead", {**apart, "skip": False}, covariates=("known",), gaps=True),
        Case("windows, covariates", apart, covariates=("past", "known", "static")),
    ]


def _others() -> list[Case]:
    """What is left: members, patches, the linear skip, one series alone."""
    return [
        Case("mean of members", {"members": 3, "combine": "mean"}),
        Case("median of four", {"members": 4, "scaling": "log"}, level=5.0),
        Case("patch", {"patch": 3, "skip": True}),
        Case("one series scaled once", {"scaling": "series"}, series=1),
        Case("whole series, members", {"memory": "all", "members": 2, "cell": "slstm"}, series=1),
    ]


CASES = [*_cells(), *_scalings(), *_magnitudes(), *_losses(), *_covariates(), *_windows(), *_others()]
CALM = [case for case in CASES if case.options.get("memory") != "all"]


def odd_windows() -> Any:
    """Return windows [8, 24] that no forecaster is trained on: each has a scale of its own kind.

    Constant, zeros, nothing but gaps, one value; then orders of magnitude: a last value far above all others,
    few values among zeros, nothing but growth, and more of it than is read in logs.
    """
    gap, last = np.full(23, np.nan), np.random.default_rng(2).lognormal(0.0, 2.0, 24)
    last[-1] = 1e5
    growth = np.linspace(-1.0, 1.0, 24)
    return np.stack(
        [
            *(np.full(24, value) for value in (3.0, 0.0, np.nan)),
            np.append(gap, 2.0),
            last,
            np.append(np.zeros(22), [2.0, 30.0]),
            *(np.exp(size * growth) for size in (10.0, 20.0)),
        ]
    )


def said_of_windows(forecaster: Forecaster, windows: Any) -> Outcome:
    """Return what the forecaster itself says after windows [n, W]."""
    dtype = forecaster.dtype
    table = Table(windows.reshape(-1, 1).astype(dtype), np.arange(len(windows) + 1) * windows.shape[1])
    zeros = np.zeros(len(windows), np.int64)
    return forecaster._model.after(Cut(table, np.arange(len(windows)), zeros), threads=1)


def series_of(case: Case) -> list[Any]:
    """Return the series of a case, [T, 2] each or [T] where they are counts."""
    rng = np.random.default_rng(zlib.crc32(case.name.encode()))
    made = []
    for number in range(case.series):
        phase = 2 * np.pi * np.arange(50 + 5 * number)[:, None] / np.array([12, 7])
        values = case.level * (1 + number) + np.sin(phase) + 0.2 * rng.standard_normal(phase.shape)
        if case.counts:
            values = np.round(values)
        if case.growth:
            values[:, 0] = np.maximum(np.exp(case.growth * values[:, 0]) - 0.2, 0.0)
        if case.gaps:
            values[rng.random(values.shape) < 0.1] = np.nan
            values[-1, 0] = np.nan
        made.append(values)
    return made


def fitted(case: Case, dtype: str) -> Forecaster:
    """Return the forecaster of a case, trained for a few steps."""
    y = series_of(case)
    rng = np.random.default_rng(1)
    beside: dict[str, Any] = {}
    for name in case.covariates:
        more = 4 if name == "known" else 0  # the horizon
        beside[name] = [rng.standard_normal((len(one) + more, 2)) for one in y]
    if "static" in beside:
        beside["static"] = rng.standard_normal((len(y), 3))
    options = {"window": 12, "dtype": dtype, "validation": 0, **case.options}
    forecaster = small(4, **options).fit(y, **beside)
    assert (len(set(forecaster.settings_.windows)) > 1) == (options["window"] is None)
    return forecaster


def wanted(forecaster: Forecaster) -> Any:
    """Return what an export must say of the ends of the fitted series."""
    return expected(forecaster._model, forecaster.ends_)


def difference(got: Any, forecaster: Forecaster) -> float:
    """Return the largest difference as a share of the largest forecast."""
    want = wanted(forecaster)
    assert got.shape == want.shape
    assert np.isfinite(want).all()
    return float(np.abs(got - want).max() / np.abs(want).max())
