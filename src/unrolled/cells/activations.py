"""The three functions that bend a straight line: sigmoid, tanh and relu, each with its slope.

A slope is written with the function's own *output* y, because that is what a forward pass keeps.
Knows nothing of cells. NaN and infinity pass through; nothing overflows and nothing warns.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
"""Every number of the oracle is a float64."""


def sigmoid(a: Array) -> Array:
    """Return 1 / (1 + exp(-a)), a value between 0 (shut) and 1 (open).

    Written with e = exp(-|a|), which never overflows and keeps every digit of small results:
    1 / (1 + e) for a >= 0 and e / (1 + e) for a < 0.

    Shapes:
        a: any; the result has the same.

    Example:
        >>> sigmoid(np.array([-1000.0, 0.0, 1000.0])).tolist()
        [0.0, 0.5, 1.0]
    """
    e = np.exp(-np.abs(a))
    result: Array = np.where(a >= 0.0, 1.0, e) / (1.0 + e)
    return result


def sigmoid_slope(y: Array) -> Array:
    """Return dy/da = y (1 - y) of y = sigmoid(a)."""
    return y * (1.0 - y)


def tanh(a: Array) -> Array:
    """Return tanh(a), a value between -1 and 1."""
    result: Array = np.tanh(a)
    return result


def tanh_slope(y: Array) -> Array:
    """Return dy/da = 1 - y^2 of y = tanh(a)."""
    return 1.0 - y * y


def relu(a: Array) -> Array:
    """Return max(a, 0)."""
    result: Array = np.maximum(a, 0.0)
    return result


def relu_slope(y: Array) -> Array:
    """Return dy/da of y = relu(a): 1 where y > 0, 0 where y = 0 (torch's choice), NaN where y is NaN."""
    result: Array = np.heaviside(y, 0.0)
    return result
