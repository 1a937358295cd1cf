"""Which windows exist, which may be trained on, which are held out: index arithmetic, no copies.

A window is a series and a start: the points start .. start + window are read, the next `horizon` points are
the target.

    series   |--------------------------------------------|
    train    [== window ==][target]   ...  no target ends behind the cut
    held out                          [== window ==]|[target]   no target begins before it

Where a network reads missing points, a window may begin before its series: a series shorter than a window
is read as one whose first points are missing.

Knows NumPy only.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PERMUTED = 1 << 22
_BLOCK = 1 << 12


@dataclass(frozen=True)
class Windows:
    """A range of starts in each series.

    Attributes:
        first: the first start in each series, [S].
        counts: how many starts there are, [S].
    """

    first: NDArray[np.int64]
    counts: NDArray[np.int64]

    @cached_property
    def _ends(self) -> NDArray[np.int64]:
        """How many windows there are up to and with each series, [S]."""
        return np.cumsum(self.counts)

    def __len__(self) -> int:
        """How many windows there are."""
        return int(self.counts.sum())

    def some(self, most: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return series and start of all windows, or of so many where there are more, taken evenly.

        Shapes:
            each [n], n at most `most`.
        """
        total = len(self)
        if total <= most:
            return self.at(np.arange(total, dtype=np.int64))
        return self.at((2 * np.arange(most, dtype=np.int64) + 1) * total // (2 * most))

    def at(self, numbers: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return series and start of the windows with these numbers, counted series by series."""
        ends = self._ends
        series = np.searchsorted(ends, numbers, side="right").astype(np.int64)
        return series, self.first[series] + numbers - (ends - self.counts)[series]


def split_windows(
    lengths: NDArray[np.int64], *, window: int, horizon: int, held_out: int, padded: bool = False
) -> tuple[Windows, Windows]:
    """Divide all windows into those to train on and those held out, the latest of each series.

    The targets of training end at least `held_out` points before the end of their series, those that are
    held out lie wholly in the last `held_out` points, so no point is a target of both. A series too short to
    be divided is for training alone.

    Formula::

        windows of T points = T - window - horizon + 1

    Shapes:
        lengths: [S]

    Args:
        lengths: points of each series.
        window: points read.
        horizon: points forecast.
        held_out: points at the end of each series that are held out as targets; 0 for none.
        padded: whether the windows of a series that has none may begin before its first point; at least one
            point of the series is read.

    Returns:
        The windows of training and those held out.

    Example:
        >>> train, valid = split_windows(np.array([10]), window=3, horizon=2, held_out=3)
        >>> len(train), len(valid)
        (3, 2)
        >>> train, _ = split_windows(np.array([4]), window=3, horizon=2, held_out=0, padded=True)
        >>> train.at(np.arange(len(train)))[1].tolist()
        [-2, -1]
    """
    lengths = np.asarray(lengths, np.int64)
    points = window + horizon
    least = 1 + horizon if padded else points
    divided = (lengths - held_out >= least) & (held_out >= horizon)
    room = np.where(divided, lengths - held_out, lengths)
    first = np.where(padded & (room < points) & (room >= least), 1 - window, 0)
    train = np.maximum(room - points - first + 1, 0)
    valid = np.where(divided, held_out - horizon + 1, 0)
    return Windows(first, train), Windows(np.where(divided, room - window, 0), valid)


class Divided(NamedTuple):
    """All windows, each for its purpose.

    Attributes:
        train: to learn from.
        validation: to choose the best weights by.
        calibration: to measure the errors of whole forecasts by.
    """

    train: Windows
    validation: Windows
    calibration: Windows


def divide_windows(
    lengths: NDArray[np.int64],
    *,
    window: int,
    at_once: int,
    horizon: int,
    validation: int,
    calibration: int,
    padded: bool = False,
) -> Divided:
    """Divide all windows by purpose: `train | validation | calibration`, each with targets of its own.

    Without points of its own, calibration takes those of validation.

    Shapes:
        lengths: [S]

    Args:
        lengths: points of each series.
        window: points read.
        at_once: points that the network forecasts at once: the targets of training and validation.
        horizon: points of a whole forecast: the targets of calibration.
        validation: points of each series, before those of calibration, that validation has as targets.
        calibration: points at the end of each series that calibration has as targets.
        padded: as for `split_windows`.

    Example:
        >>> parts = divide_windows(
        ...     np.array([12]), window=3, at_once=2, horizon=2, validation=3, calibration=2
        ... )
        >>> [len(part) for part in parts]
        [3, 2, 1]
    """
    train, held = split_windows(
        lengths, window=window, horizon=at_once, held_out=validation + calibration, padded=padded
    )
    divided = held.counts > 0

    def part(last: int, points: int, targets: int) -> Windows:
        """Windows with all their targets in the `points` that end `last` points before the end."""
        first = np.where(divided, lengths - last - points - window, 0)
        return Windows(first, np.where(divided, max(points - targets + 1, 0), 0))

    return Divided(train, part(calibration, validation, at_once), part(0, calibration or validation, horizon))


class Order:
    """The order in which windows are trained on: pass after pass over all of them, each pass shuffled anew.

    Beyond four million windows a shuffled pass is drawn with replacement, because the permutation would
    need more memory than the series.

    Args:
        windows: what to order.
        shuffle: False keeps them in order: series by series, oldest first.
        seed: of the shuffling; the global random state is not touched.
    """

    def __init__(self, windows: Windows, *, shuffle: bool, seed: int) -> None:
        self.windows = windows
        self._total = len(windows)
        self._shuffle = shuffle
        self._seed = seed
        self._pass: tuple[int, NDArray[np.int64]] | None = None

    def take(self, begin: int, end: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return series and starts of windows number `begin` to before `end` of this endless order."""
        parts = []
        while begin < end:
            turn, offset = divmod(begin, self._total)
            upto = min(self._total, offset + end - begin)
            parts.append(self._numbers(turn, offset, upto))
            begin += upto - offset
        return self.windows.at(np.concatenate(parts) if parts else np.empty(0, np.int64))

    def _numbers(self, turn: int, begin: int, end: int) -> NDArray[np.int64]:
        if not self._shuffle:
            return np.arange(begin, end, dtype=np.int64)
        if self._total > _PERMUTED:
            return self._drawn(turn, begin, end)
        if self._pass is None or self._pass[0] != turn:
            self._pass = (turn, np.random.default_rng([self._seed, turn]).permutation(self._total))
        return self._pass[1][begin:end]

    def _drawn(self, turn: int, begin: int, end: int) -> NDArray[np.int64]:
        """Draw in blocks that lie where they lie, so that it does not matter how the order is sliced."""
        first, last = begin // _BLOCK, -(-end // _BLOCK)
        blocks = [
            np.random.default_rng([self._seed, turn, block]).integers(self._total, size=_BLOCK)
            for block in range(first, last)
        ]
        return np.concatenate(blocks)[begin - first * _BLOCK : end - first * _BLOCK]
