"""Recurrent networks for time series: fit in seconds on a CPU, forecast, and see through.

>>> import numpy as np
>>> from unrolled import Forecaster
>>> y = np.sin(np.arange(120) * 2 * np.pi / 12)
>>> Forecaster(3, season=12, steps=50).fit(y).predict().shape
(3,)
"""

from __future__ import annotations

import importlib
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unrolled.demo import lesson
    from unrolled.errors import UnrolledError
    from unrolled.forecaster import Forecaster
    from unrolled.network import Network, NetworkSpec
    from unrolled.panel import Panel, to_panel
    from unrolled.stream import Stream
    from unrolled.tuning import tune

__version__ = version("unrolled")
__all__ = [
    "Forecaster",
    "Network",
    "NetworkSpec",
    "Panel",
    "Stream",
    "UnrolledError",
    "lesson",
    "to_panel",
    "tune",
]

_HOMES = {
    "Forecaster": "forecaster",
    "Network": "network",
    "NetworkSpec": "network",
    "Panel": "panel",
    "Stream": "stream",
    "UnrolledError": "errors",
    "lesson": "demo",
    "to_panel": "panel",
    "tune": "tuning",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for: importing the package costs next to nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """Return the public names."""
    return [*__all__, "__version__"]
