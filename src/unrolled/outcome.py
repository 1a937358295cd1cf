"""What networks say of the points that follow some windows, before it is in anybody's units.

Everything about a forecast is known here: what the outputs mean, how each window was scaled, what intervals
are measured by. Knows heads and scalings. Must not know networks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from unrolled.conformal import Calibration
    from unrolled.engine import Array
    from unrolled.heads import Head
    from unrolled.scaling import SeriesScaling, WindowScaling


@dataclass(frozen=True, eq=False)
class Outcome:
    """What the networks say of the points that follow some windows, not yet in the user's units.

    Shapes:
        outputs: [n, K, C, W]

    Attributes:
        head: what the outputs mean.
        outputs: of all members together.
        scaling: of each window.
        scaler: of each window's series, where series were scaled once.
    """

    head: Head
    outputs: Array
    scaling: WindowScaling
    scaler: SeriesScaling | None = None

    def units(self, values: Array) -> Array:
        """Return scaled values in the units of their series.

        Shapes:
            values: [n, K, C] or [n, K, C, Q], and so is the result.
        """
        flat = values[..., None] if values.ndim == 3 else values
        result = self.scaling.invert(flat)
        if self.scaler is not None:
            result = self.scaler.invert(result)
        result = result.astype(self.outputs.dtype, copy=False)
        return result[..., 0] if values.ndim == 3 else result

    def point(self) -> Array:
        """Return the point forecasts in the units of the series, [n, K, C]."""
        return self.units(self.head.point(self.outputs, scale=self._scale))

    def quantiles(self, levels: tuple[float, ...]) -> Array:
        """Return quantiles in the units of the series, [n, K, C, Q]."""
        return self.units(self.head.quantile(self.outputs, levels, scale=self._scale))

    def interval(self, level: float, calibration: Calibration) -> tuple[Array, Array]:
        """Return the lower and the upper end of calibrated intervals, each [n, K, C]."""
        lower, upper = calibration.interval(self.outputs, level, scale=self.scaling.scale)
        return self.units(lower), self.units(upper)

    @property
    def _scale(self) -> NDArray[np.float64]:
        """The scale of each window beside each of its targets, [n, 1, C]."""
        return self.scaling.scale[:, None]
