"""What a forecast costs: one number L, and its gradient with respect to every forecast.

Each loss is a mean over all elements, N of them. The error is e = y_pred - y_true. At the corner of |e|,
where e = 0, the slope is 0, so that a perfect forecast asks for no change. Knows nothing of networks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from unrolled.errors import ArgumentError, fault, raise_any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike

    from unrolled.cells.activations import Array


class Loss(NamedTuple):
    """A loss and how it changes with the forecasts.

    Shapes:
        value: one number; gradient: that of `y_pred`.
    """

    value: float
    gradient: Array


@np.errstate(over="ignore", invalid="ignore")
def mse(y_true: ArrayLike, y_pred: ArrayLike) -> Loss:
    """Return the mean squared error.

    Formula::

        L     = 1/N sum e^2
        dL/de = 1/N 2 e

    Shapes:
        y_true, y_pred: any, the same.

    Units:
        The square of the data's.

    Raises:
        ArgumentError: the shapes differ.

    Example:
        >>> loss = mse([1.0, 2.0], [2.0, 2.0])
        >>> loss.value, loss.gradient.tolist()
        (0.5, [1.0, 0.0])
    """
    e = _error(y_true, y_pred)
    return _mean(e * e, slope=2.0 * e)


@np.errstate(over="ignore", invalid="ignore")
def mae(y_true: ArrayLike, y_pred: ArrayLike) -> Loss:
    """Return the mean absolute error.

    Formula::

        L     = 1/N sum |e|
        dL/de = 1/N sign(e)

    Shapes:
        y_true, y_pred: any, the same.

    Units:
        The data's.

    Raises:
        ArgumentError: the shapes differ.

    Example:
        >>> loss = mae([1.0, 2.0], [4.0, 2.0])
        >>> loss.value, loss.gradient.tolist()
        (1.5, [0.5, 0.0])
    """
    e = _error(y_true, y_pred)
    return _mean(np.abs(e), slope=np.sign(e))


@np.errstate(over="ignore", invalid="ignore")
def huber(y_true: ArrayLike, y_pred: ArrayLike, *, delta: float = 1.0) -> Loss:
    """Return Huber's loss: a square near zero, a straight line beyond `delta`, torch's `HuberLoss`.

    Formula::

        L     = 1/N sum { e^2 / 2                where |e| <= delta
                        { delta (|e| - delta/2)  elsewhere
        dL/de = 1/N clip(e, -delta, delta)

    Shapes:
        y_true, y_pred: any, the same.

    Units:
        The square of the data's; `delta` has the data's own.

    Args:
        y_true: what came.
        y_pred: what was forecast.
        delta: where the line begins, above 0.

    Raises:
        ArgumentError: the shapes differ, or `delta` is not above 0.

    References:
        P. J. Huber, "Robust Estimation of a Location Parameter", Ann. Math. Statist. 35 (1964) 73-101.
        https://pytorch.org/docs/stable/generated/torch.nn.HuberLoss.html

    Example:
        >>> loss = huber([0.0, 0.0], [1.0, -4.0], delta=2.0)
        >>> loss.value, loss.gradient.tolist()
        (3.25, [0.5, -1.0])
    """
    if not delta > 0.0:
        raise ArgumentError(fault("cells.delta", got=delta))
    e = _error(y_true, y_pred)
    near = 0.5 * e * e
    far = delta * (np.abs(e) - 0.5 * delta)
    return _mean(np.where(np.abs(e) <= delta, near, far), slope=np.clip(e, -delta, delta))


@np.errstate(over="ignore", invalid="ignore")
def pinball(y_true: ArrayLike, y_pred: ArrayLike, *, quantiles: Sequence[float]) -> Loss:
    """Return the quantile loss: the absolute error, weighted by how seldom it should be on its side.

    A forecast of quantile q should be too high 1 time in 1/q; being too high therefore costs 1 - q, and being
    too low costs q.

    Formula::

        w     = { 1 - q  where e > 0
                { q      elsewhere
        L     = 1/N sum w |e|
        dL/de = 1/N w sign(e)

    Shapes:
        y_true: [...]; y_pred: [..., Q], one forecast for each quantile; N counts them all.

    Units:
        The data's.

    Args:
        y_true: what came.
        y_pred: what was forecast.
        quantiles: Q numbers between 0 and 1.

    Raises:
        ArgumentError: the shapes do not fit, or a quantile is not between 0 and 1.

    References:
        R. Koenker, G. Bassett, "Regression Quantiles", Econometrica 46 (1978) 33-50.

    Example:
        >>> loss = pinball([10.0], [[8.0, 12.0]], quantiles=[0.25, 0.75])
        >>> loss.value, loss.gradient.tolist()
        (0.5, [[-0.125, 0.125]])
    """
    q = np.asarray(quantiles, dtype=np.float64)
    raise_any(ArgumentError, [fault("cells.quantile", got=one) for one in q.tolist() if not 0.0 < one < 1.0])
    e = _error(np.repeat(np.asarray(y_true)[..., np.newaxis], q.size, axis=-1), y_pred)
    w = np.where(e > 0.0, 1.0 - q, q)
    return _mean(w * np.abs(e), slope=w * np.sign(e))


LOSSES: dict[str, Callable[..., Loss]] = {"mse": mse, "mae": mae, "huber": huber, "pinball": pinball}
"""The table of losses; another joins by one line."""


def _error(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """Return e = y_pred - y_true; shapes must be equal, as NumPy would stretch [B] over [B, 1] silently."""
    true, pred = np.asarray(y_true, dtype=np.float64), np.asarray(y_pred, dtype=np.float64)
    if true.shape != pred.shape:
        raise ArgumentError(fault("cells.loss-shape", expected=true.shape, got=pred.shape))
    return pred - true


def _mean(cost: Array, *, slope: Array) -> Loss:
    """Return the mean of all costs and its gradient."""
    n = np.float64(cost.size)
    return Loss(float(cost.sum() / n), slope / n)
