"""The rows of a table of the future, whatever kind of table it was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from unrolled.covariates.columns import Column


@dataclass(frozen=True, eq=False)
class FutureRows:
    """The rows of a table of the future, in any order.

    Shapes:
        ids: the names, and [n] the number of each row's name among them; times: [n]; columns: [n] each.

    Args:
        ids: whose row each is; None where the table does not tell: then it is of every series.
        times: as `timestep.normal` gives them; None where there are none.
        columns: known ahead, by name.
        utc: whether the times came with a zone and are in UTC; None where that was looked at already.
    """

    ids: tuple[Sequence[object], NDArray[np.int64]] | None
    times: NDArray[Any] | None
    columns: dict[str, Column]
    utc: bool | None = None
