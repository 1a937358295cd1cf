"""What is known beside a series: columns of the past, columns known ahead, what never changes.

Raw, as the caller gave it; `encoding` turns it into numbers that a network reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from unrolled.covariates.arrays import from_arrays
from unrolled.covariates.beside import Covariates, from_columns
from unrolled.covariates.future import with_future
from unrolled.covariates.given import continued, read_series, with_covariates
from unrolled.covariates.packed import pack, unpack

if TYPE_CHECKING:
    from unrolled.covariates.frames import from_frame

__all__ = [
    "Covariates",
    "continued",
    "from_arrays",
    "from_columns",
    "from_frame",
    "pack",
    "read_series",
    "unpack",
    "with_covariates",
    "with_future",
]


def __getattr__(name: str) -> object:
    """Load what needs narwhals only when it is asked for."""
    if name == "from_frame":
        from unrolled.covariates.frames import from_frame

        return from_frame
    raise AttributeError(name)
