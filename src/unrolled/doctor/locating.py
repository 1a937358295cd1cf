"""Where windows stand in a series, and how they were scaled: found from their values alone.

    series, windows -> positions, the affine map of each window, the offset of the targets

A window is found by its shape, whatever its scale: x = (s - loc) / scale. Must not know what is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.errors import DataError, KindError, fault

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

_SHAPE = 1e-5
"""Two normalised windows that differ by less anywhere have one shape."""

_VALUE = 1e-5
"""Two values that differ by less than this share of the series' spread are one."""

_CHUNK = 1 << 22
"""Numbers that are compared at once."""


@dataclass(frozen=True)
class Located:
    """Windows in their series.

    Attributes:
        series: [T, C], the values.
        inputs: [N, W, I], the windows.
        targets: [N, H], the first channel of the targets, as given.
        position: [N], the step at which each window begins; -1 where it was not found.
        loc, scale: [N], the map of each window: x = (s - loc) / scale.
        values: [N, H], the targets in the units of the series.
        offset: steps from the last input to the first target; 1 is right; None where they were not found.
    """

    series: Numbers
    inputs: Numbers
    targets: Numbers
    position: NDArray[np.int64]
    loc: Numbers
    scale: Numbers
    values: Numbers
    offset: int | None

    @property
    def window(self) -> int:
        """Time steps of a window."""
        return int(self.inputs.shape[1])

    @property
    def horizon(self) -> int:
        """Points of a target."""
        return int(self.targets.shape[1])

    @property
    def found(self) -> NDArray[np.bool_]:
        """Which windows were found."""
        return self.position >= 0

    @property
    def by_window(self) -> bool:
        """Whether each window has a scale of its own."""
        kept = self.found & np.isfinite(self.scale)
        ends = np.quantile(self.loc[kept], [0.0, 1.0]) if kept.any() else np.zeros(2)
        spread = float(self.series[:, 0].std()) or 1.0
        kinds = len(np.unique(np.round(self.loc[kept] / spread, 4)))
        return bool(ends[1] - ends[0] > _VALUE * spread and kinds > 0.2 * kept.sum() and kinds > 3)

    def first_target(self, offset: int | None = None) -> NDArray[np.int64]:
        """Return the step of each window's first target."""
        return self.position + self.window - 1 + (self.offset or 1 if offset is None else offset)


def locate(series: Any, windows: Any, *, horizon: int | None = None) -> Located:
    """Return where windows stand in a series, how each was scaled, and where their targets stand.

    Args:
        series: [T] or [T, C], in its own units.
        windows: X and Y: [N, W] or [N, W, I], and [N], [N, H] or [N, H, C]; or a dataset or loader of such
            pairs.
        horizon: which point ahead a target of one point is; None: the next one.

    Raises:
        KindError: windows are no pairs, or something holds no numbers.
        DataError: sizes do not fit together, or a series is shorter than a window.
    """
    values = as_numbers("series", series)
    values = values[:, None] if values.ndim == 1 else values
    inputs, targets = pairs_of(windows)
    if values.ndim != 2 or inputs.ndim != 3 or len(inputs) != len(targets) or not len(inputs):
        raise DataError(
            fault("doctor.windows", series=values.shape, inputs=inputs.shape, targets=targets.shape)
        )
    if inputs.shape[1] > len(values):
        raise DataError(fault("doctor.series-short", window=inputs.shape[1], got=len(values)))
    position = _positions(values[:, 0], inputs[:, :, 0])
    loc, scale = _maps(values[:, 0], inputs[:, :, 0], position)
    ahead = 0 if horizon is None or targets.shape[1] > 1 else horizon - 1
    offset, own = _targets(values[:, 0], inputs.shape[1], targets, position, loc, scale, ahead)
    return Located(values, inputs, targets, position, loc, scale, own, offset)


def as_numbers(name: str, given: Any) -> Numbers:
    """Return an array, a tensor or a frame as numbers.

    Raises:
        KindError: it holds no numbers.
    """
    if hasattr(given, "detach"):
        given = given.detach().cpu().numpy()
    try:
        return np.asarray(given, np.float64)
    except (TypeError, ValueError) as error:
        raise KindError(fault("doctor.numbers", name=name, got=type(given).__name__)) from error


def pairs_of(windows: Any) -> tuple[Numbers, Numbers]:
    """Return the inputs [N, W, I] and the first channel of the targets [N, H] of windows.

    Raises:
        KindError: they are no pairs.
    """
    if isinstance(windows, tuple | list) and len(windows) == 2:
        inputs, targets = windows
    elif hasattr(windows, "dataset"):  # a loader: in the order of its dataset, whatever it shuffles
        return pairs_of(windows.dataset)
    elif hasattr(windows, "__getitem__") and hasattr(windows, "__len__"):
        pairs = [windows[i] for i in range(len(windows))]
        if not pairs or any(not isinstance(one, tuple | list) or len(one) < 2 for one in pairs):
            raise KindError(fault("doctor.pairs", got=type(windows).__name__))
        inputs = np.stack([as_numbers("windows", one[0]) for one in pairs])
        targets = np.stack([as_numbers("windows", one[-1]) for one in pairs])
    else:
        raise KindError(fault("doctor.pairs", got=type(windows).__name__))
    x, y = as_numbers("windows[0]", inputs), as_numbers("windows[1]", targets)
    x = x[:, :, None] if x.ndim == 2 else x
    y = y[:, None] if y.ndim == 1 else y
    return x, y.reshape(len(y), y.shape[1], -1)[:, :, 0] if y.ndim > 1 else y


# ---- positions ---------------------------------------------------------------------------------------------


def _positions(series: Numbers, inputs: Numbers) -> NDArray[np.int64]:
    """Return where each window begins: by its values, by its values once the scale is known, by its shape."""
    places = np.lib.stride_tricks.sliding_window_view(series, inputs.shape[1])
    spread = float(np.nanstd(series)) or 1.0
    exact = _matches(places / spread, inputs / spread, _VALUE)
    if _share(exact) > 0.95:
        return _in_order(exact)
    shapes = _matches(_normal(places), _normal(inputs), _SHAPE)
    sure = [(i, one[0]) for i, one in enumerate(shapes) if len(one) == 1 and inputs[i].std() > 0]
    if sure:
        maps = np.array([_map(series[p : p + inputs.shape[1]], inputs[i]) for i, p in sure])
        loc, scale = np.median(maps, axis=0)
        scaled = _matches(places / spread, (inputs * scale + loc) / spread, _VALUE)
        if _share(scaled) > 0.95:
            return _in_order(scaled)
    return _in_order(shapes)


def _normal(windows: Numbers) -> Numbers:
    """Return windows with mean 0 and spread 1; a flat one is 0."""
    centred = windows - windows.mean(axis=1, keepdims=True)
    spread = centred.std(axis=1, keepdims=True)
    normal: Numbers = np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 1e-12)
    return normal


def _matches(places: Numbers, inputs: Numbers, tolerance: float) -> list[NDArray[np.int64]]:
    """Return the places that each window could stand at."""
    squares = np.square(places).sum(axis=1)
    found: list[NDArray[np.int64]] = []
    rows = max(1, _CHUNK // len(places))
    for start in range(0, len(inputs), rows):
        chunk = inputs[start : start + rows]
        near = squares[None] - 2 * chunk @ places.T + np.square(chunk).sum(axis=1)[:, None]
        limit = inputs.shape[1] * tolerance**2 + 1e-9 * squares.max()
        for one, distances in zip(chunk, near, strict=True):
            close = np.flatnonzero(distances <= limit)
            found.append(close[np.abs(places[close] - one).max(axis=1) <= 10 * tolerance])
    return found


def _share(matches: list[NDArray[np.int64]]) -> float:
    """Return the share of windows that were found."""
    return float(np.mean([len(one) > 0 for one in matches]))


def _in_order(matches: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Return one place for each window: of several, the one that follows the window before."""
    chosen = np.full(len(matches), -1, np.int64)
    last, stride = -1, 1
    for i, places in enumerate(matches):
        if not len(places):
            continue
        after = places[places > last]
        expected = last + stride
        here = int(expected if expected in places else after[0] if len(after) else places[0])
        stride = here - last if here - last > 0 and last >= 0 else stride
        chosen[i] = last = here
    return chosen


# ---- maps --------------------------------------------------------------------------------------------------


def _maps(series: Numbers, inputs: Numbers, position: NDArray[np.int64]) -> tuple[Numbers, Numbers]:
    """Return the map of each window; a flat window has that of the others."""
    maps = np.full((len(inputs), 2), np.nan)
    for i in np.flatnonzero(position >= 0):
        maps[i] = _map(series[position[i] : position[i] + inputs.shape[1]], inputs[i])
    flat = ~np.isfinite(maps[:, 1])
    if flat.any() and not flat.all():
        maps[flat] = np.median(maps[~flat], axis=0)
    return maps[:, 0], maps[:, 1]


def _map(raw: Numbers, scaled: Numbers) -> Numbers:
    """Return loc and scale of x = (s - loc) / scale."""
    if scaled.std() < 1e-9 * max(float(np.abs(scaled).max()), 1e-9):
        return np.array([np.nan, np.nan])
    scale = raw.std() / scaled.std()
    return np.array([raw.mean() - scale * scaled.mean(), scale])


def _targets(
    series: Numbers,
    window: int,
    targets: Numbers,
    position: NDArray[np.int64],
    loc: Numbers,
    scale: Numbers,
    ahead: int,
) -> tuple[int | None, Numbers]:
    """Return how far from the last input the first target stands, and the targets in the series' units.

    `ahead` steps are taken off: 1 is right whichever point ahead a target is.
    """
    known = np.flatnonzero((position >= 0) & np.isfinite(scale))
    spread = float(np.nanstd(series)) or 1.0
    own = targets * scale[:, None] + loc[:, None]
    reach = min(window + targets.shape[1], 400)
    for values in (own, targets, _fitted(series, window, targets, position, ahead)):
        for offset in sorted(range(-reach, reach + 1), key=lambda k: abs(k - 1)):
            first = position[known] + window - 1 + offset + ahead
            inside = (first >= 0) & (first + targets.shape[1] <= len(series))
            if inside.sum() < max(2, 0.5 * len(known)):
                continue
            steps = first[inside, None] + np.arange(targets.shape[1])
            if np.abs(series[steps] - values[known][inside]).max() <= 10 * _VALUE * spread:
                return offset, values
    return None, targets


def _fitted(
    series: Numbers, window: int, targets: Numbers, position: NDArray[np.int64], ahead: int
) -> Numbers:
    """Return the targets in the series' units, where they have a scale of their own."""
    first = position + window + ahead
    inside = (position >= 0) & (first + targets.shape[1] <= len(series))
    if inside.sum() < 3 or targets[inside].std() == 0:
        return targets
    came = series[first[inside, None] + np.arange(targets.shape[1])]
    scale = came.std() / targets[inside].std()
    fitted: Numbers = targets * scale + came.mean() - scale * targets[inside].mean()
    return fitted
