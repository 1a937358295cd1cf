"""How gradients move parameters: SGD with momentum, Adam, AdamW, and clipping by the global norm.

The letters: `w` a parameter, `dw` its gradient, `t` the number of steps taken. An optimizer remembers its
moving averages between steps; parameters and gradients are never changed in place. All as torch computes it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from unrolled.cells.activations import Array


@dataclass(kw_only=True)
class Optimizer(ABC):
    """What every optimizer shares.

    Args:
        lr: the learning rate; a schedule may set it between steps.
        weight_decay: how strongly parameters are drawn to zero.
    """

    lr: float
    weight_decay: float = 0.0

    def step(self, parameters: Mapping[str, Array], gradients: Mapping[str, Array]) -> dict[str, Array]:
        """Return the parameters after one step along `gradients`, name by name."""
        with np.errstate(over="ignore", invalid="ignore"):
            return {name: self._moved(name, w, gradients[name]) for name, w in parameters.items()}

    @abstractmethod
    def _moved(self, name: str, w: Array, dw: Array) -> Array:
        """Return one parameter after the step."""


@final
@dataclass(kw_only=True)
class SGD(Optimizer):
    """Stochastic gradient descent with momentum, torch's `SGD`.

    Formula::

        g = dw + weight_decay w
        v = momentum v + g
        w = w - lr v

    Args:
        lr: the learning rate.
        momentum: how much of the last velocity v is kept; 0 is plain descent.
        weight_decay: the weight of the squared parameters (L2).

    References:
        https://pytorch.org/docs/stable/generated/torch.optim.SGD.html

    Example:
        >>> sgd = SGD(lr=0.5, momentum=0.5)
        >>> w = sgd.step({"w": np.array([1.0])}, {"w": np.array([1.0])})
        >>> w["w"].tolist(), sgd.step(w, {"w": np.array([1.0])})["w"].tolist()
        ([0.5], [-0.25])
    """

    momentum: float = 0.0
    _v: dict[str, Array] = field(default_factory=dict, init=False, repr=False)

    def _moved(self, name: str, w: Array, dw: Array) -> Array:
        g = dw + self.weight_decay * w
        v = self.momentum * self._v.get(name, np.zeros_like(w)) + g
        self._v[name] = v
        return w - self.lr * v


@dataclass(kw_only=True)
class _Adaptive(Optimizer):
    """The moving averages that Adam and AdamW share.

    Formula::

        m = beta_1 m + (1 - beta_1) g
        s = beta_2 s + (1 - beta_2) g^2
        direction = m / (1 - beta_1^t) / (sqrt(s / (1 - beta_2^t)) + eps)
    """

    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    _m: dict[str, Array] = field(default_factory=dict, init=False, repr=False)
    _s: dict[str, Array] = field(default_factory=dict, init=False, repr=False)
    _t: dict[str, int] = field(default_factory=dict, init=False, repr=False)

    def _direction(self, name: str, g: Array) -> Array:
        beta_1, beta_2 = self.betas
        t = self._t.get(name, 0) + 1
        m = beta_1 * self._m.get(name, np.zeros_like(g)) + (1.0 - beta_1) * g
        s = beta_2 * self._s.get(name, np.zeros_like(g)) + (1.0 - beta_2) * g * g
        self._t[name], self._m[name], self._s[name] = t, m, s

        m_unbiased = m / (1.0 - beta_1**t)
        s_unbiased = s / (1.0 - beta_2**t)
        direction: Array = m_unbiased / (np.sqrt(s_unbiased) + self.eps)
        return direction


@final
@dataclass(kw_only=True)
class Adam(_Adaptive):
    """Adam, torch's `Adam`: weight decay is part of the gradient, so it passes through the moving averages.

    Formula::

        g = dw + weight_decay w
        m = beta_1 m + (1 - beta_1) g
        s = beta_2 s + (1 - beta_2) g^2
        w = w - lr m / (1 - beta_1^t) / (sqrt(s / (1 - beta_2^t)) + eps)

    Args:
        lr: the learning rate.
        weight_decay: the weight of the squared parameters (L2).
        betas: how much of the moving averages m and s is kept.
        eps: what keeps the division finite.

    References:
        D. P. Kingma, J. Ba, "Adam: A Method for Stochastic Optimization", https://arxiv.org/abs/1412.6980
        https://pytorch.org/docs/stable/generated/torch.optim.Adam.html

    Example:
        The first step is `lr` long, whatever the size of the gradient:

        >>> adam = Adam(lr=0.25, eps=0.0)
        >>> adam.step({"w": np.array([1.0, 1.0])}, {"w": np.array([7.0, -0.5])})["w"].round(12).tolist()
        [0.75, 1.25]
    """

    def _moved(self, name: str, w: Array, dw: Array) -> Array:
        g = dw + self.weight_decay * w
        return w - self.lr * self._direction(name, g)


@final
@dataclass(kw_only=True)
class AdamW(_Adaptive):
    """AdamW, torch's `AdamW`: weight decay shrinks the parameter itself, beside the moving averages.

    Formula::

        m = beta_1 m + (1 - beta_1) dw
        s = beta_2 s + (1 - beta_2) dw^2
        w = w - lr weight_decay w - lr m / (1 - beta_1^t) / (sqrt(s / (1 - beta_2^t)) + eps)

    Args:
        lr: the learning rate.
        weight_decay: how much a parameter shrinks in a step, in units of `lr`.
        betas: how much of the moving averages m and s is kept.
        eps: what keeps the division finite.

    References:
        I. Loshchilov, F. Hutter, "Decoupled Weight Decay Regularization", https://arxiv.org/abs/1711.05101
        https://pytorch.org/docs/stable/generated/torch.optim.AdamW.html

    Example:
        >>> adamw = AdamW(lr=0.5, weight_decay=0.5, eps=0.0)
        >>> adamw.step({"w": np.array([1.0])}, {"w": np.array([3.0])})["w"].round(12).tolist()
        [0.25]
    """

    weight_decay: float = 0.01

    def _moved(self, name: str, w: Array, dw: Array) -> Array:
        shrunk = w - self.lr * self.weight_decay * w
        return shrunk - self.lr * self._direction(name, dw)


OPTIMIZERS: dict[str, type[Optimizer]] = {"sgd": SGD, "adam": Adam, "adamw": AdamW}
"""The table of optimizers; another joins by one line."""


class Clipped(NamedTuple):
    """Gradients whose global norm is bounded, and the norm they had before."""

    gradients: dict[str, Array]
    norm: float


@np.errstate(over="ignore", invalid="ignore")
def clip_by_global_norm(gradients: Mapping[str, Array], max_norm: float) -> Clipped:
    """Shorten all gradients by one factor so that together they are no longer than `max_norm`.

    Formula::

        norm = sqrt(sum over all gradients of dw^2)
        dw   = dw min(1, max_norm / (norm + 1e-6))

    Args:
        gradients: by name, any shapes.
        max_norm: the longest that all of them may be, taken as one vector.

    Returns:
        The shortened gradients, and the norm before. A norm that is not a number makes every gradient NaN.

    References:
        R. Pascanu, T. Mikolov, Y. Bengio, "On the difficulty of training recurrent neural networks",
        ICML (2013), https://arxiv.org/abs/1211.5063
        https://pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html

    Example:
        >>> clipped = clip_by_global_norm({"a": np.array([3.0]), "b": np.array([4.0])}, 1.0)
        >>> clipped.norm, {name: dw.round(6).tolist() for name, dw in clipped.gradients.items()}
        (5.0, {'a': [0.6], 'b': [0.8]})
    """
    norm = np.sqrt(sum((np.sum(dw * dw) for dw in gradients.values()), start=np.float64(0.0)))
    factor = np.minimum(1.0, max_norm / (norm + 1e-6))
    return Clipped({name: dw * factor for name, dw in gradients.items()}, float(norm))
