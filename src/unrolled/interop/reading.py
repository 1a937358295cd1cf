"""What an exported model reads and answers, as arrays: the same for PyTorch and ONNX.

panel -> windows in the units of their series, features, statics -> Reading
panel -> Model -> what the exported model must say of that Reading
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from unrolled.errors import ArgumentError, DataError, fault
from unrolled.heads import COUNTS, POINT_LOSSES
from unrolled.parts import offsets_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unrolled.engine import Array, Table
    from unrolled.model import Model
    from unrolled.outcome import Outcome
    from unrolled.panel import Panel

OUTPUTS = {
    "gaussian": ("mu", "sigma"),
    "student_t": ("mu", "sigma", "nu"),
    COUNTS: ("mean", "alpha"),
}
"""The last axis of a forecast whose loss is the likelihood of a distribution: its parameters."""

LEAST = {
    "gaussian": {1: 1e-3},
    "student_t": {1: 1e-3, 2: 2.0 + 1e-3},
    COUNTS: {0: 1e-6, 1: 1e-4},
}
"""The parameters of a distribution, by number, that are softplus(raw) + this; see `heads.Head.mapped`."""


class Reading(NamedTuple):
    """What an exported model reads of some series, under the names of its inputs.

    Shapes:
        values: [B, T, C]; features: [B, T + K, F], or [B, T, F] where none is known ahead; static: [B, E];
        series: [B]

    Attributes:
        values: the points in the units of their series, NaN where one is missing.
        features: encoded covariates; 0 behind the window where they are not known ahead.
        static: encoded statics.
        series: the number that each series had when fitting, where many were scaled once each.
    """

    values: Array
    features: Array | None = None
    static: Array | None = None
    series: NDArray[np.int64] | None = None

    def inputs(self) -> dict[str, Array]:
        """Return what there is, by name."""
        return {name: array for name, array in self._asdict().items() if array is not None}


def readings(model: Model, panel: Panel, *, known_as: NDArray[np.int64] | None = None) -> Reading:
    """Return what an exported model reads to forecast what follows the end of every series.

    Args:
        model: fitted.
        panel: the series, with their covariates.
        known_as: where series were scaled once, the number that each had when fitting; None: the same order.

    Raises:
        DataError: the model cannot read the series; or it reads whole series, and these are not of one
            length.
    """
    model.check(panel)
    table, _, starts = model.last_windows(panel)
    window = model.windowing.window
    if model.memory == "all":
        lengths = panel.lengths
        if (lengths != lengths[0]).any():
            raise DataError(fault("interop.lengths", least=lengths.min(), most=lengths.max()))
        window, starts = int(lengths[0]), np.zeros_like(starts)
    ahead = model.horizon if model.windowing.ahead else 0
    values = _cut(np.asarray(table.values), table.offsets, starts, window, pad=np.nan)
    features = _features(table, starts, window, ahead)
    series = None
    if model.scaler is not None and len(model.scaler.location) > 1:
        series = np.arange(panel.n_series, dtype=np.int64) if known_as is None else known_as
    return Reading(values, features, table.static, series)


def expected(model: Model, panel: Panel, *, known_as: NDArray[np.int64] | None = None) -> Array:
    """Return what an exported model must answer.

    Shapes:
        the answer: [B, K, C], or with several numbers a target [B, K, C, W].

    Returns:
        Of a loss for points, and of a recursive forecast, points in the units of the series; of quantiles
        those; of a distribution its parameters, in these units too. A normal or Student's t distribution
        after a scaling "log" or "asinh" is one of log(y), or of asinh(y / m) with m the mean absolute value
        of the window; after "adaptive" one of log(y), straight at both ends, where the window is read in
        logs, and of y elsewhere.
    """
    refuse(model)
    outcome = model.outcome(panel, threads=1, known_as=known_as)
    if outcome.head.loss in POINT_LOSSES:
        return outcome.point()
    if outcome.head.distribution is None:
        return outcome.units(outcome.outputs)
    return _parameters(outcome)


def lengthened(panel: Panel, points: int) -> Panel:
    """Return a panel whose covariates known ahead reach so many points beyond it, by their last values.

    For trying an export: a fitted panel need not say what will be.
    """
    covariates = panel.covariates
    if covariates is None or not covariates.known:
        return panel
    offsets = covariates.known_offsets
    rows = [
        np.minimum(np.arange(begin, begin + length + points), end - 1)
        for begin, end, length in zip(offsets[:-1], offsets[1:], panel.lengths, strict=True)
    ]
    known = {name: column[np.concatenate(rows)] for name, column in covariates.known.items()}
    reach = offsets_of(panel.lengths + points)
    return replace(panel, covariates=replace(covariates, known=known, known_offsets=reach))


def refuse(model: Model) -> None:
    """Refuse what no exported model says.

    Raises:
        ArgumentError: counts are fed back, by their medians, which no closed formula gives.
    """
    if model.recursive and model.head.loss == COUNTS:
        raise ArgumentError(fault("interop.counts-recursive", loss=COUNTS))


def _parameters(outcome: Outcome) -> Array:
    """Return the parameters of distributions, moved and stretched as the values are."""
    found = outcome.outputs.astype(np.float64)
    steps: list[tuple[Any, Any]] = [(outcome.scaling.location, outcome.scaling.scale)]
    if outcome.scaler is not None:
        steps.append((outcome.scaler.location, outcome.scaler.scale))
    for location, scale in steps:
        found[..., 0] = found[..., 0] * scale[:, None] + location[:, None]
        if outcome.head.loss != COUNTS:
            found[..., 1] *= scale[:, None]
    return found.astype(outcome.outputs.dtype)


def _features(table: Table, starts: NDArray[np.int64], window: int, ahead: int) -> Array | None:
    """Return the features of windows and of so many points behind them, [B, window + ahead, F]."""
    if table.features is None or table.feature_offsets is None:
        return None
    cut = _cut(np.asarray(table.features), table.feature_offsets, starts, window + ahead, pad=0.0)
    cut[:, window:, table.known :] = 0.0
    return cut


def _cut(
    rows: Array, offsets: NDArray[np.int64], starts: NDArray[np.int64], points: int, *, pad: float
) -> Array:
    """Return a stretch of points of every series; what lies outside of one is `pad`.

    Shapes:
        the stretches: [S, points, columns].
    """
    result = np.full((len(starts), points, rows.shape[1]), pad, rows.dtype)
    for number, start in enumerate(starts.tolist()):
        begin, end = int(offsets[number]), int(offsets[number + 1])
        first, last = max(start, 0), min(start + points, end - begin)
        result[number, first - start : last - start] = rows[begin + first : begin + last]
    return result
