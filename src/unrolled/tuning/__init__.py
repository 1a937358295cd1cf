"""Arguments of a Forecaster found by trying: `tune(y, 12, season=12).forecaster.predict()`."""

from __future__ import annotations

from unrolled.tuning.space import default_space
from unrolled.tuning.tuned import Tuned, tune

__all__ = ["Tuned", "default_space", "tune"]
