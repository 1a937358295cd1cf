"""Which implementation a call takes, and why: the core where it can, else torch's own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor
from torch.autograd import forward_ad
from torch.nn import Parameter

from unrolled import messages
from unrolled.errors import ArgumentError, fault
from unrolled.torch.shapes import DTYPES, geometry, known_geometry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unrolled.torch.shapes import Network


@dataclass(frozen=True)
class Reason:
    """Why something was left to torch: the id of its message and the values that the message names."""

    id: str
    values: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        """Return the sentence in the language in force."""
        return messages.text(self.id, **self.values)


@dataclass(frozen=True)
class Path:
    """What computed the last call of a module.

    Args:
        name: "unrolled", the native core, or "torch", torch's own implementation.
        why: of "torch".

    Example:
        >>> Path("unrolled")
        Path(name='unrolled', reason='')
    """

    name: str
    why: Reason | None = None

    @property
    def reason(self) -> str:
        """Why not the core, in the language in force; empty where it was the core."""
        return "" if self.why is None else str(self.why)

    def __repr__(self) -> str:
        """Return the name and the reason."""
        return f"Path(name={self.name!r}, reason={self.reason!r})"


NATIVE = Path("unrolled")

MISFIT = Path("torch", Reason("torch.path-misfit"))
"""What does not fit is torch's to refuse, in torch's words."""

EMPTY = Path("torch", Reason("torch.path-empty"))
TRANSFORM = Path("torch", Reason("torch.path-transform"))
FORWARD_MODE = Path("torch", Reason("torch.path-forward-mode"))
TRACING = Path("torch", Reason("torch.path-tracing"))
EXPORT = Path("torch", Reason("torch.path-export"))
AUTOCAST = Path("torch", Reason("torch.path-autocast"))
PROJECTION = Path("torch", Reason("torch.path-projection"))
SUBCLASS = Path("torch", Reason("torch.path-subclass"))
LAYOUT = Path("torch", Reason("torch.path-layout"))
MIXED = Path("torch", Reason("torch.path-mixed"))

WITHOUT_ONEDNN = (TRANSFORM, FORWARD_MODE, PROJECTION)
"""Where the operators of oneDNN have no derivatives, or torch would warn that it has none."""

_PLAIN = (Tensor, Parameter)
_TRACED = (Tensor, Parameter, FakeTensor)


_is_wrapped = torch._C._functorch.is_functorch_wrapped_tensor
"""Whether a tensor belongs to a transform of torch.func, be it one that has ended."""

_is_exporting = getattr(torch.compiler, "is_exporting", None)


def is_traced() -> bool:
    """Return whether operators are recorded: by torch.compile, torch.export or a dispatch mode."""
    return torch.compiler.is_compiling() or torch._C._len_torch_dispatch_stack() > 0  # type: ignore[no-any-return]


def _is_exported() -> bool:
    """Return whether torch.export records; the oldest releases cannot tell where it is strict."""
    if torch.compiler.is_dynamo_compiling():
        return _is_exporting is not None and _is_exporting()
    return torch.compiler.is_compiling()  # type: ignore[no-any-return]


def choose(
    net: Network,
    layout: str,
    rows: int,
    x: Tensor,
    states: Sequence[Tensor] | None,
    weights: Sequence[Tensor],
    traced: bool,
) -> Path:
    """Return `NATIVE`, or the path that says why not.

    Args:
        net: of the module.
        layout: of x.
        rows: B of packed rows.
        x: the input, of as many axes as its layout has.
        states: h, or h and c, where some are given.
        weights: all that the module has.
        traced: whether operators are recorded rather than run.
    """
    if traced and _is_exported():
        return EXPORT
    if not torch.compiler.is_dynamo_compiling() and torch._C._get_tracing_state() is not None:
        return TRACING
    if torch.is_autocast_enabled("cpu"):
        return AUTOCAST
    if net.proj_size:
        return PROJECTION
    kinds = _TRACED if traced else _PLAIN
    dtype = x.dtype
    wrapped = _never if traced else _is_wrapped
    if type(x) not in kinds:
        return SUBCLASS if isinstance(x, Tensor) else MISFIT
    if not x.is_cpu:
        return _device(x)
    if dtype not in DTYPES:
        return _dtype(x)
    if x.layout is not torch.strided:
        return LAYOUT
    if x.shape[-1] != net.input_size:
        return MISFIT
    if x.numel() == 0:
        return EMPTY
    transformed = wrapped(x)
    for w, shape in zip(weights, net.shapes, strict=True):
        if type(w) not in kinds:
            return SUBCLASS if isinstance(w, Tensor) else MISFIT
        transformed = transformed or wrapped(w)
        if w.dtype is not dtype or w.shape != shape or not w.is_cpu or w.layout is not torch.strided:
            return _unlike(w, x)
    if states is not None:
        if len(states) != (2 if net.has_c else 1):
            return MISFIT
        find = geometry if traced else known_geometry
        shape = find(net, layout, x.shape, rows).states
        for state in states:
            if type(state) not in kinds:
                return SUBCLASS if isinstance(state, Tensor) else MISFIT
            transformed = transformed or wrapped(state)
            if state.dtype is not dtype or state.shape != shape or not state.is_cpu:
                return _unlike(state, x)
            if state.layout is not torch.strided:
                return LAYOUT
    if transformed or torch._C._functorch.maybe_current_level() is not None:  # which torch.compile stops at
        return TRANSFORM
    return FORWARD_MODE if forward_ad._current_level >= 0 else NATIVE


def _never(tensor: Tensor) -> bool:
    return False


def _device(tensor: Tensor) -> Path:
    return Path("torch", Reason("torch.path-device", {"device": tensor.device.type}))


def _dtype(tensor: Tensor) -> Path:
    return Path("torch", Reason("torch.path-dtype", {"dtype": str(tensor.dtype).removeprefix("torch.")}))


def _unlike(tensor: Tensor, x: Tensor) -> Path:
    """Return why a tensor cannot stand beside the input."""
    if not tensor.is_cpu:
        return _device(tensor)
    if tensor.dtype is not x.dtype:
        return _dtype(tensor) if tensor.dtype not in DTYPES else MIXED
    return LAYOUT if tensor.layout is not torch.strided else MISFIT


def ready_resets(resets: Tensor, layout: str, x: Tensor) -> Tensor:
    """Return resets as the core reads them, uint8 [T, B].

    Args:
        resets: what the caller gave.
        layout: of the input.
        x: the input.

    Raises:
        ArgumentError: they do not fit, or the input is packed.
    """
    if layout == "packed":
        raise ArgumentError(fault("torch.resets-packed"))
    if not isinstance(resets, Tensor) or resets.dtype not in (torch.bool, torch.uint8):
        got = resets.dtype if isinstance(resets, Tensor) else type(resets).__name__
        raise ArgumentError(fault("torch.resets-dtype", got=got))
    shape = x.shape[:-1]
    if resets.shape != shape:
        raise ArgumentError(fault("torch.resets-shape", expected=tuple(shape), got=tuple(resets.shape)))
    if resets.device != x.device:
        raise ArgumentError(fault("torch.resets-device", expected=x.device, got=resets.device))
    if layout == "batch":
        resets = resets.t()
    return resets.reshape(resets.shape[0], -1).ne(0).to(torch.uint8).contiguous()
