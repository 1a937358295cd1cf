"""What a split is: indices of training and test windows, of one fold or of several."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.errors import ArgumentError, fault

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Fold = tuple[NDArray[np.int64], NDArray[np.int64]]


def folds_of(split: Any, count: int) -> list[Fold]:
    """Return the training and test windows of each fold.

    Args:
        split: the first test window; the share of windows that train; (training, test) indices; a list of
            such pairs; or what has the method `split` of scikit-learn.
        count: windows.

    Raises:
        ArgumentError: it is none of these, or a part is empty.
    """
    numbers = np.arange(count)
    if isinstance(split, bool):
        raise ArgumentError(fault("doctor.split", got=split, count=count))
    if isinstance(split, float) and 0 < split < 1:
        split = round(split * count)
    if isinstance(split, int | np.integer):
        folds = [(numbers[: int(split)], numbers[int(split) :])]
    elif hasattr(split, "split") and not isinstance(split, str):
        folds = [(np.asarray(a), np.asarray(b)) for a, b in split.split(numbers[:, None])]
    elif isinstance(split, tuple) and len(split) == 2:
        folds = [(_chosen(numbers, split[0]), _chosen(numbers, split[1]))]
    elif isinstance(split, list) and split and all(isinstance(one, tuple) and len(one) == 2 for one in split):
        folds = [(_chosen(numbers, a), _chosen(numbers, b)) for a, b in split]
    else:
        folds = []
    if not folds or any(not len(a) or not len(b) for a, b in folds):
        raise ArgumentError(fault("doctor.split", got=_told(split), count=count))
    return folds


def _chosen(numbers: NDArray[np.int64], wanted: Any) -> NDArray[np.int64]:
    """Return the windows of a part: a slice, indices or a mask."""
    if isinstance(wanted, slice):
        return numbers[wanted]
    indices = np.asarray(wanted)
    chosen: NDArray[np.int64] = numbers[indices if indices.dtype == bool else indices.astype(np.int64)]
    return chosen


def _told(split: Any) -> str:
    told = repr(split)
    return told if len(told) < 60 else f"{type(split).__name__} ..."
