"""How one column of covariates becomes numbers: measured once on the training part, then applied anywhere.

Knows columns; must not know panels.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

from unrolled.covariates.columns import Column, is_categorical, missing_in
from unrolled.covariates.packed import need

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

Part = Literal["known", "past", "static"]

PARTS: tuple[Part, ...] = ("known", "past", "static")

MOST_LABELS = 100
"""A column of more categories is refused: it names rows rather than groups of them."""


@dataclass(frozen=True)
class Code:
    """What was measured on one column.

    Formula::

        number     (x - mean) / scale, 0 where it is missing
        category   1 in the column of its label, 0 in all others; all 0 where it is missing or unknown
        missing    1 where there is no value, only if the training part had gaps

    Args:
        name: the column.
        part: known ahead, past or static.
        labels: the categories of the training part, sorted; `None` for numbers.
        mean: of the training part.
        scale: its deviation; 1 for a constant.
        gaps: whether values were missing in the training part.
    """

    name: str
    part: Part
    labels: tuple[str, ...] | None = None
    mean: float = 0.0
    scale: float = 1.0
    gaps: bool = False

    @property
    def width(self) -> int:
        """How many features the column becomes."""
        return (1 if self.labels is None else len(self.labels)) + self.gaps

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the features."""
        own = (self.name,) if self.labels is None else tuple(f"{self.name}={label}" for label in self.labels)
        return (*own, f"{self.name} missing") if self.gaps else own

    def numbers(self, column: Column) -> tuple[NDArray[np.float64], int]:
        """Return a column as features, and how many of its categories were unknown.

        Shapes:
            column: [n]; returns [n, width].
        """
        result = np.zeros((len(column), self.width))
        missing = missing_in(column)
        unknown = 0
        if self.labels is None:
            with np.errstate(over="ignore", invalid="ignore"):  # what becomes infinite is named by the caller
                result[:, 0] = np.where(missing, 0.0, (column.astype(np.float64) - self.mean) / self.scale)
        else:
            places = {label: place for place, label in enumerate(self.labels)}
            found = np.array([places.get(label, -1) for label in column.tolist()], np.int64)
            rows = np.flatnonzero(found >= 0)
            result[rows, found[rows]] = 1.0
            unknown = int(((found < 0) & ~missing).sum())
        if self.gaps:
            result[:, -1] = missing
        return result, unknown

    def to_dict(self) -> dict[str, Any]:
        """Return the code as JSON knows it."""
        return {**asdict(self), "labels": None if self.labels is None else list(self.labels)}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Code:
        """Return a code from what `to_dict` gave, and believe none of it unchecked.

        Raises:
            ValueError: something does not fit.
        """
        need(set(content) == {"name", "part", "labels", "mean", "scale", "gaps"}, "columns")
        labels = content["labels"]
        need(isinstance(content["name"], str) and content["part"] in PARTS, "name")
        need(isinstance(content["gaps"], bool), "gaps")
        for name in ("mean", "scale"):
            number = content[name]
            need(isinstance(number, float | int) and not isinstance(number, bool), name)
            need(math.isfinite(number), name)
        need(content["scale"] > 0, "scale")
        if labels is not None:
            need(isinstance(labels, list) and all(isinstance(label, str) for label in labels), "labels")
            need(labels == sorted(set(labels)) and len(labels) <= MOST_LABELS, "labels")
        return cls(
            content["name"],
            cast("Part", content["part"]),
            None if labels is None else tuple(labels),
            float(content["mean"]),
            float(content["scale"]),
            content["gaps"],
        )


def measured(name: str, part: Part, column: Column) -> Code:
    """Return the code of a column from its training part; it may have more labels than are allowed.

    Shapes:
        column: [n]

    Args:
        name: the column.
        part: known ahead, past or static.
        column: the rows of the training part.
    """
    missing = missing_in(column)
    there = column[~missing]
    gaps = bool(missing.any())
    if is_categorical(column):
        return Code(name, part, labels=tuple(sorted(Counter(there.tolist()))), gaps=gaps)
    mean, scale = _mean_and_deviation(there)
    return Code(name, part, mean=mean, scale=scale, gaps=gaps)


def _mean_and_deviation(numbers: NDArray[np.float64]) -> tuple[float, float]:
    """Return mean and deviation of numbers of any size; a constant has deviation 1."""
    largest = float(np.abs(numbers).max(initial=0.0))
    if largest == 0.0:
        return 0.0, 1.0
    relative = numbers / largest  # neither sums nor squares overflow
    mean, deviation = float(relative.mean()), float(relative.std())
    flat = deviation <= np.finfo(np.float64).eps * 8 * float(np.abs(relative).mean())
    scale = deviation * largest
    return mean * largest, 1.0 if flat or scale == 0.0 else scale
