"""What all six modules share: they are torch's own in everything but the forward pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor, nn

from unrolled.torch.composed import without_onednn
from unrolled.torch.paths import EXPORT, WITHOUT_ONEDNN, Path

if TYPE_CHECKING:
    from collections.abc import Iterable


_NOTED = hasattr(torch.compiler, "is_exporting")
"""Whether torch.compile lets a module note something in itself: in older releases a graph may break at it."""


class DropIn(nn.Module):  # type: ignore[misc]
    """A module of torch's with another forward pass.

    Constructor, parameters, their names and first values, `state_dict`, pickles and `repr` are torch's.
    Weights are read anew in every call, so they may be changed, shared, swapped or computed.
    Nothing native is kept.
    """

    plain: ClassVar[Any]
    """torch's class."""

    last_path: Path | None = None
    """What computed the last call, and why; None before the first."""

    def __prepare_scriptable__(self) -> nn.Module:
        """Return torch's own module with these parameters; TorchScript compiles it, and puts it here."""
        twin = self.plain.__new__(self.plain)
        twin.__dict__ = {name: value for name, value in self.__dict__.items() if name != "last_path"}
        return twin

    def _read(self, names: Iterable[str], traced: bool) -> list[Any]:
        """Return the weights that the module has now; those that are parameters without `__getattr__`."""
        if traced:
            return [getattr(self, name, None) for name in names]
        known = self._parameters
        found = []
        for name in names:
            weight = known.get(name)
            found.append(getattr(self, name, None) if weight is None else weight)
        return found

    def _remember(self, path: Path, traced: bool) -> None:
        if not traced:
            self.__dict__["last_path"] = path  # as __setattr__ does, at a tenth of its price
        elif path is not EXPORT and (_NOTED or not torch.compiler.is_dynamo_compiling()):
            self.last_path = path

    def _by_torch(self, path: Path, input: Any, hx: Any, traced: bool) -> Any:
        """Run torch's own implementation, which also refuses what does not fit."""
        self._remember(path, traced)
        if path in WITHOUT_ONEDNN:
            with without_onednn:
                return self.plain.forward(self, input, hx)
        return self.plain.forward(self, input, hx)


def must_leave_graph(path: Path, traced: bool) -> bool:
    """Return whether torch.compile would follow torch's own module, which torch itself does not let it."""
    return traced and path is not EXPORT and torch.compiler.is_dynamo_compiling()


def fits(input: Any, axes: tuple[int, ...], states: Any) -> bool:
    """Return whether an input has one of these numbers of axes, and states stand in a tuple, or are None."""
    return (
        isinstance(input, Tensor)
        and input.dim() in axes
        and (states is None or isinstance(states, (tuple, list)))
    )


def is_sizes(batch_sizes: Tensor) -> bool:
    """Return whether the core can read the batch sizes of a PackedSequence."""
    return batch_sizes.dtype is torch.int64 and batch_sizes.is_cpu and batch_sizes.is_contiguous()
