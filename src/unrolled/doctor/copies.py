"""Copies that belong together, and work on them that leaves no trace.

Knows torch; must not know what is done with copies.
"""

from __future__ import annotations

import copy
import random
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Iterator


def copied(*objects: Any) -> tuple[Any, ...]:
    """Return copies of objects that refer to each other as the objects do: a model, its optimizer, a batch.

    A tensor that hangs on a graph, such as a state that was kept, is copied without it.

    Args:
        objects: anything that can be copied.
    """
    memo: dict[int, Any] = {}
    seen: set[int] = set()
    for one in objects:
        _detach(one, memo, seen)
    layers = [one for known in objects if isinstance(known, nn.Module) for one in known.modules()]
    flat = [
        (one, name, vars(one)[name])
        for one in layers
        for name in ("_flat_weights", "_flat_weight_refs")
        if name in vars(one)
    ]
    try:
        return tuple(copy.deepcopy(one, memo) for one in objects)
    finally:
        for layer, name, weights in flat:
            vars(layer)[name] = weights  # torch renews these lists when it copies a layer


def _detach(one: Any, memo: dict[int, Any], seen: set[int]) -> None:
    """Keep a copy without its graph of every tensor that has one."""
    if id(one) in seen:
        return
    seen.add(id(one))
    if isinstance(one, torch.Tensor):
        if not one.is_leaf:
            memo[id(one)] = one.detach().clone()
    elif isinstance(one, nn.Module):
        for module in one.modules():
            for held in [*vars(module).values(), *module._buffers.values()]:
                _detach(held, memo, seen)
    elif isinstance(one, dict):
        for held in one.values():
            _detach(held, memo, seen)
    elif isinstance(one, tuple | list):
        for held in one:
            _detach(held, memo, seen)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Restore what a block may change: random states, whether gradients are kept, the default type, warnings.

    cuDNN is off inside: it cannot go back through a network in evaluation mode.
    """
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002 - the user's own
    dtype, cudnn = torch.get_default_dtype(), torch.backends.cudnn.enabled
    torch.backends.cudnn.enabled = False
    try:
        with warnings.catch_warnings(), torch.enable_grad():
            warnings.simplefilter("ignore")
            yield
    finally:
        torch.backends.cudnn.enabled = cudnn
        torch.set_default_dtype(dtype)
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002 - the user's own
        torch.set_rng_state(states[2])
