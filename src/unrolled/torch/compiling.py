"""What torch.compile has to be told of these modules.

torch.compile gives up on every instance of torch.nn.RNN, LSTM and GRU, subclasses included, before it looks
at their code. Ours is one operator, so for ours alone the switch that torch has for this, `allow_rnn`, is on
while the instance is looked at. torch's own modules are treated as ever.
"""

from __future__ import annotations

import functools
import importlib.util
import sys
from importlib.abc import Loader, MetaPathFinder
from typing import TYPE_CHECKING, Any

from torch._compile import _disable_dynamo

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

_BUILDER = "torch._dynamo.variables.builder"
"""Where torch.compile looks at instances. It takes seconds to load, so it is not loaded for its own sake."""


def outside(call: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """Call something that torch.compile does not follow: the graph ends before it and goes on behind it."""
    return _outside(call, *arguments, **named)


@_disable_dynamo  # type: ignore[untyped-decorator]
def _outside(call: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    return call(*arguments, **named)


def admit(base: type) -> None:
    """Let torch.compile follow instances of `base`, now or as soon as it is loaded."""
    builder = sys.modules.get(_BUILDER)
    if builder is None:
        sys.meta_path.insert(0, _Waiting(base))
    else:
        _amend(builder, base)


def _amend(builder: ModuleType, base: type) -> None:
    """Switch `allow_rnn` on while an instance of `base` is wrapped, where torch has both."""
    looking: Any = getattr(builder, "VariableBuilder", None)
    plain: Any = getattr(looking, "wrap_module", None)
    config: Any = getattr(builder, "config", None)
    if plain is None or not hasattr(config, "allow_rnn"):
        return  # of another torch; then graphs end before our modules and go on behind them

    @functools.wraps(plain)
    def wrap_module(self: Any, value: Any) -> Any:
        if not isinstance(value, base):
            return plain(self, value)
        with config.patch(allow_rnn=True):
            return plain(self, value)

    looking.wrap_module = wrap_module


class _Waiting(MetaPathFinder):
    """Amends the builder when it is imported, and is gone."""

    def __init__(self, base: type) -> None:
        self.base = base

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how the builder is loaded and amended; nothing of any other module."""
        if fullname != _BUILDER:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = _Amending(spec.loader, self.base)
        return spec


class _Amending(Loader):
    """Loads a module as its own loader does, then amends it."""

    def __init__(self, plain: Loader, base: type) -> None:
        self.plain, self.base = plain, base

    def __getattr__(self, name: str) -> Any:
        """Return what the own loader has."""
        return getattr(self.plain, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Return what the own loader makes."""
        return self.plain.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Run the module's code, then amend it."""
        self.plain.exec_module(module)
        _amend(module, self.base)
