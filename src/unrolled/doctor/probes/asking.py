"""A copy of a model is asked, and what it answers is told as numbers.

Every question goes to a fresh copy in evaluation mode with a fixed seed: a model that is asked twice is asked
twice from the start. Knows inputs; must not know what is wrong with a model.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import torch

from unrolled.doctor.copies import copied, undisturbed
from unrolled.doctor.probes.inputs import sizes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor, nn


def answer(model: nn.Module, inputs: Any, *, seed: int = 0, batch_first: bool = True) -> Tensor:
    """Return what a copy of a model in evaluation mode answers: one tensor, the batch in front.

    Of a tuple or dict it is the first floating tensor with an axis of the batch, of a distribution the mean.

    Args:
        model: it is not changed.
        inputs: as `probe` makes them: a tensor, a tuple of arguments or a dict of them by name.
        seed: of all that is drawn within the model.
        batch_first: whether the first axis of the main sequence is the batch.
    """
    return answers(model, inputs, seed=seed, batch_first=batch_first)[0]


def answers(model: nn.Module, *calls: Any, seed: int = 0, batch_first: bool = True) -> list[Tensor]:
    """Return what one copy of a model answers to inputs, one after another.

    Args:
        model: it is not changed.
        calls: inputs of each call.
        seed: before each call.
        batch_first: whether the first axis of the main sequence is the batch.
    """
    own = fresh(model).eval()
    told = []
    with undisturbed(), torch.no_grad():
        for inputs in calls:
            restart(own)
            torch.manual_seed(seed)
            (given,) = copied(inputs)
            told.append(
                picked(ask(own, given), *sizes(inputs, batch_first=batch_first), batch_first).detach()
            )
    return told


def backwards(model: nn.Module, inputs: Any, times: int = 2) -> int:
    """Return how many of some calls in training mode, each with a backward pass, succeed one after another.

    Args:
        model: it is not changed; nothing is trained.
        inputs: as `probe` makes them.
        times: calls.
    """
    own = fresh(model).train()
    with undisturbed(), torch.enable_grad():
        for done in range(times):
            restart(own)
            torch.manual_seed(0)
            try:
                first = next((one for one in tensors(ask(own, inputs)) if one.requires_grad), None)
                if first is not None:
                    first.square().sum().backward()
            except RuntimeError as error:
                if "second time" in str(error) or "inplace operation" in str(error):
                    return done
                raise
    return times


def fresh(model: nn.Module) -> nn.Module:
    """Return a copy of a model on the processor."""
    return copied(model)[0].cpu()


def ask(model: nn.Module, inputs: Any) -> Any:
    """Call a model."""
    if isinstance(inputs, dict):
        return model(**inputs)
    if isinstance(inputs, tuple | list) and not hasattr(inputs, "batch_sizes"):
        return model(*inputs)
    return model(inputs)


def is_stateful(model: nn.Module) -> bool:
    """Return whether a model is stateful by design: a method of its own says how it forgets."""
    return _forgetting(model) is not None


def restart(model: nn.Module) -> None:
    """Have a model that is stateful by design forget what it holds."""
    forget = _forgetting(model)
    if forget is not None:
        forget()


def _forgetting(model: nn.Module) -> Callable[[], Any] | None:
    """Return the method `reset...` of a model, if it needs no arguments."""
    for name in (
        "reset",
        "reset_state",
        "reset_states",
        "reset_hidden",
        "reset_hidden_state",
        "reset_memory",
    ):
        method = getattr(model, name, None)
        if callable(method) and not inspect.signature(method).parameters:
            return method  # type: ignore[no-any-return]
    return None


def picked(raw: Any, batch: int | None, steps: int, batch_first: bool = True) -> Tensor:
    """Return the tensor of an answer that has the batch, in front; where none has, the first as it is.

    Raises:
        TypeError: the answer holds no tensor.
    """
    found = list(tensors(raw))
    for one in found:
        if batch is not None and batch in one.shape:
            return one.movedim(list(one.shape).index(batch), 0)
    for one in found:
        if batch is not None and one.ndim and one.shape[0] == batch * steps:
            front = (batch, steps) if batch_first else (steps, batch)
            whole = one.reshape(*front, *one.shape[1:])
            return whole if batch_first else whole.movedim(1, 0)
    if not found:
        raise TypeError(type(raw).__name__)
    return found[0]


def tensors(raw: Any) -> Iterator[Tensor]:
    """Yield the floating tensors within an answer: a tuple, a dict, a data class; a distribution's mean."""
    if isinstance(raw, torch.Tensor):
        if raw.is_floating_point():
            yield raw
    elif isinstance(raw, torch.distributions.Distribution):
        yield raw.mean
    elif isinstance(raw, dict):
        for one in raw.values():
            yield from tensors(one)
    elif isinstance(raw, tuple | list):
        for one in raw:
            yield from tensors(one)
    elif hasattr(raw, "__dataclass_fields__"):
        yield from tensors(list(vars(raw).values()))


def change(one: Tensor, other: Tensor) -> float:
    """Return the largest difference of two answers; of two shapes, infinity."""
    if one.shape != other.shape:
        return float("inf")
    return float((one.double() - other.double()).abs().max()) if one.numel() else 0.0
