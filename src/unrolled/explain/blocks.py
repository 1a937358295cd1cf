"""Arrays as text that JSON can hold: little-endian float32, C order, base64.

Knows nothing of networks.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from unrolled.explain.facts import Block


def packed(values: ArrayLike) -> Block:
    """Return an array as a block.

    Args:
        values: numbers of any shape.

    Returns:
        Its shape, and its numbers rounded to float32.

    Example:
        >>> packed([[1.0, -2.0]])
        {'shape': [1, 2], 'data': 'AACAPwAAAMA='}
    """
    array = np.ascontiguousarray(values, dtype="<f4")
    return {"shape": list(np.shape(values)), "data": base64.b64encode(array.tobytes()).decode("ascii")}


def unpacked(block: Block) -> NDArray[np.float32]:
    """Return the array of a block.

    Example:
        >>> unpacked(packed([[1.0, -2.0]]))
        array([[ 1., -2.]], dtype=float32)
    """
    return np.frombuffer(base64.b64decode(block["data"]), dtype="<f4").reshape(block["shape"])
