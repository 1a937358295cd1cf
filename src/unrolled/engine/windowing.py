"""What windows are cut from, how they are read, and what is forecast of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from unrolled import _core
from unrolled.errors import ArgumentError, fault

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unrolled.engine.tables import Array


class Forecasts(NamedTuple):
    """What the network says of windows.

    Shapes:
        outputs: [n, K, C, W], mapped to what they mean; scaling: [n, 3, C], each window's pre, location and
            scale.
    """

    outputs: Array
    scaling: Array


@dataclass(frozen=True)
class Windowing:
    """How a window lies in a table: `window` points read, `patch` a step, `horizon` points forecast.

    Formula::

        a step reads [ P C values | P C flags, if mask | P F covariates | E statics ]
        steps = window / patch + ahead

    Attributes:
        scaling: how each window scales itself, from its own observed values: none, standard (mean and
            deviation), last (last value and deviation), mean_abs (divided by the mean of the absolute
            values), log and asinh (last and deviation of log(y), or of asinh(y / mean_abs)), adaptive (mean
            and deviation of log(y) for each channel of the window that has nothing below 0, goes from its
            smallest value above 0 to more than ten times that, deviates by at most 10 in logs, and is less
            skew there; of y for any other. Logs go straight on below that value, and from one deviation
            above their mean).
        mask: whether NaN is a missing value. It is read as 0 with the flag 1, and as a target it is not
            scored. Windows may then begin before their series does: what lies there is missing.
        ahead: steps behind the window: 0, or horizon / patch rounded up. They read what is known ahead;
            the values there are missing.
    """

    window: int
    horizon: int
    patch: int = 1
    scaling: str = "none"
    mask: bool = False
    ahead: int = 0

    @property
    def steps(self) -> int:
        """How many steps the network reads."""
        return self.window // self.patch + self.ahead

    def input_size(self, channels: int, *, features: int = 0, statics: int = 0) -> int:
        """Return I, how many numbers a step reads.

        Example:
            >>> Windowing(8, 4, patch=2, mask=True, ahead=2).input_size(1, features=3, statics=5)
            15
        """
        return self.patch * (channels * (1 + self.mask) + features) + statics

    def to_core(self) -> Any:
        """Return the same as the core has it."""
        return _core.Windowing(self.window, self.horizon, self.patch, self.scaling, self.mask, self.ahead)


@dataclass(frozen=True, eq=False)
class Table:
    """What windows are cut from: series, their covariates and statics. Each array is read where it lies.

    Shapes:
        values: [N, C]; offsets, feature_offsets: [S + 1]; features: [M, F]; static: [S, E].

    Attributes:
        values: all series one after another, C-contiguous, of the engine's dtype. NaN is a missing value,
            where the windowing has a mask.
        offsets: series s is `values[offsets[s] : offsets[s + 1]]`.
        features: covariates of all series, finite.
        feature_offsets: those of series s are `features[feature_offsets[s] : feature_offsets[s + 1]]`, from
            its first point on; they may go on behind its last one.
        known: so many columns of the covariates, the first ones, are known ahead.
        static: what does not change within a series.
    """

    values: Array
    offsets: NDArray[np.int64]
    features: Array | None = None
    feature_offsets: NDArray[np.int64] | None = None
    known: int = 0
    static: Array | None = None

    def to_core(self, dtype: np.dtype[Any]) -> Any:
        """Return the same as the core has it.

        Raises:
            ArgumentError: the values are no table.
            ValueError: other arrays do not fit.
            TypeError: an array is not C-contiguous or has another dtype.
        """
        if np.ndim(self.values) != 2:
            raise ArgumentError(
                fault("engine.shape", name="values", expected="[N, C]", got=list(np.shape(self.values)))
            )
        kind = _core.TableF32 if dtype == np.float32 else _core.TableF64
        return kind(self.values, self.offsets, self.features, self.feature_offsets, self.known, self.static)

    def input_size(self, windowing: Windowing) -> int:
        """Return I, how many numbers a step of such windows reads."""
        features = 0 if self.features is None else self.features.shape[1]
        statics = 0 if self.static is None else self.static.shape[1]
        return windowing.input_size(self.values.shape[1], features=features, statics=statics)
