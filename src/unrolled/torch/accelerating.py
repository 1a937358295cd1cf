"""Every recurrent module inside a model, replaced in place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from torch import nn
from torch.jit import ScriptModule

from unrolled import messages
from unrolled.torch.cell_modules import GRUCell, LSTMCell, RNNCell
from unrolled.torch.modules import GRU, LSTM, RNN, Recurrent
from unrolled.torch.paths import Reason

OURS: dict[type, type] = {
    nn.RNN: RNN,
    nn.LSTM: LSTM,
    nn.GRU: GRU,
    nn.RNNCell: RNNCell,
    nn.LSTMCell: LSTMCell,
    nn.GRUCell: GRUCell,
}
"""Our class in the place of each of torch's."""

_NAMES = {plain.__name__ for plain in OURS}


@dataclass(frozen=True)
class Acceleration:
    """What `accelerate` did to a model.

    Args:
        replaced: our class, by the name of the module inside the model; "" is the model itself.
        reasons: of recurrent modules that were left, by the same names.
    """

    replaced: dict[str, type] = field(default_factory=dict)
    reasons: dict[str, Reason] = field(default_factory=dict)

    @property
    def left(self) -> dict[str, str]:
        """Recurrent modules that were left, by name, and why, in the language in force."""
        return {name: str(reason) for name, reason in self.reasons.items()}

    def __str__(self) -> str:
        """Return one line for the whole and one for each module."""
        whole = messages.text("torch.whole-model")
        lines = [
            messages.text("torch.accelerated", replaced=len(self.replaced), left=len(self.reasons)),
            *(
                messages.text("torch.accelerated-one", name=name or whole, kind=kind.__name__)
                for name, kind in self.replaced.items()
            ),
            *(
                messages.text("torch.left-one", name=name or whole, reason=reason)
                for name, reason in self.left.items()
            ),
        ]
        return "\n".join(lines)


def accelerate(model: nn.Module) -> Acceleration:
    """Let every recurrent module inside a model compute on the native core, in place.

    The objects stay what they are, with their weights, hooks and names, in every list and optimizer that
    knows them; only their class changes, to a subclass of the one they had. Called again, it does nothing.

    Args:
        model: any module; it may be a recurrent one itself.

    Returns:
        What was replaced, and what was left and why. A module that has two names is told by the first.

    Example:
        >>> import torch
        >>> model = torch.nn.Sequential(torch.nn.LSTM(3, 5), torch.nn.Identity())
        >>> print(accelerate(model))
        replaced 1, left 0
          0: LSTM on the native core
        >>> isinstance(model[0], torch.nn.LSTM)
        True
    """
    found = Acceleration()
    for name, module in model.named_modules():
        reason = _why_left(module)
        if reason is not None:
            found.reasons[name] = reason
            continue
        plain = type(module) if type(module) in OURS else _parametrized(module)
        if plain is not None:
            found.replaced[name] = OURS[plain]
            _swap(module, OURS[plain])
    return found


def _parametrized(module: nn.Module) -> type | None:
    """Return torch's class under the one that a parametrization made, None of any other."""
    kind = type(module)
    made = nn.utils.parametrize.is_parametrized(module) and len(kind.__bases__) == 1
    return kind.__bases__[0] if made and kind.__bases__[0] in OURS else None


def _swap(module: nn.Module, ours: type) -> None:
    kind = type(module)
    if kind not in OURS:  # the properties of its parametrized weights go on with it
        own = {name: value for name, value in vars(kind).items() if name not in ("__dict__", "__weakref__")}
        ours = type(kind.__name__, (ours,), own)
    module.__class__ = ours
    if isinstance(module, Recurrent):
        module.__dict__.pop("_flat_weights", None)  # torch's second list; ours reads the weights


def _why_left(module: Any) -> Reason | None:
    """Return why a recurrent module is left; None of one that is not, or that is no recurrent module."""
    kind = type(module)
    if isinstance(module, ScriptModule):
        return Reason("torch.left-script") if getattr(module, "original_name", None) in _NAMES else None
    if kind.__module__.startswith(("torch.ao.", "torch.nn.quantiz")):
        return Reason("torch.left-quantized") if kind.__name__ in _NAMES else None
    if not isinstance(module, (nn.RNNBase, nn.RNNCellBase)) or _is_ours(kind):
        return None
    if "forward" in vars(module):
        return Reason("torch.left-forward")
    if kind in OURS or _parametrized(module):
        return None
    if kind is nn.RNNBase:
        return Reason("torch.left-mode", {"mode": module.mode})
    plain = next(one.__name__ for one in kind.__mro__ if one in OURS or one in (nn.RNNBase, nn.RNNCellBase))
    return Reason("torch.left-subclass", {"plain": plain})


def _is_ours(kind: type) -> bool:
    return any(one in OURS.values() for one in kind.__mro__)
