"""What is examined: a model, an example, the sizes it is asked with, and the lines that ask again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from unrolled.doctor.probes import asking, inputs
from unrolled.doctor.probes.listening import Listening, listen

if TYPE_CHECKING:
    from torch import Tensor, nn

PRIMES = (7, 11, 13, 17, 19, 23, 29, 31, 37)


@dataclass
class Patient:
    """A model and what it is asked with.

    Args:
        model: the user's own; only copies of it are called.
        example: what it is called with.
        batch_first: whether the first axis of the main sequence is the batch.
        batch: rows of the probes; None: the example has no axis of the batch.
        steps: time steps of the probes.
        ordered: whether lengths fall from row to row.
    """

    model: nn.Module
    example: Any
    batch_first: bool = True
    batch: int | None = 7
    steps: int = 11
    ordered: bool = False

    def inputs(self, seed: int = 0, *, batch: int | None = None, steps: int | None = None) -> Any:
        """Return inputs of the probes' sizes, or of others."""
        more = {"batch_first": self.batch_first, "ordered": self.ordered}
        rows = batch or self.batch or 1
        return inputs.probe(self.example, rows, steps or self.steps, seed=seed, **more)

    def answer(self, given: Any, seed: int = 0) -> Tensor:
        """Return what a fresh copy answers."""
        return asking.answer(self.model, given, seed=seed, batch_first=self.batch_first)

    def swapped(self, rows: Any = slice(None), steps: Any = slice(None)) -> Any:
        """Return the first inputs with some rows and steps of the second ones."""
        return inputs.swap(
            self.inputs(), self.inputs(seed=1), rows=rows, steps=steps, batch_first=self.batch_first
        )

    def listen(self, given: Any) -> Listening:
        """Return what the recurrent layers of a copy read and gave."""
        return listen(self.model, given)

    def probe_line(self, more: str = "", *, steps: int | None = None) -> str:
        """Return the expression that makes the same inputs again."""
        more += "" if self.batch_first else ", batch_first=False"
        more += ", ordered=True" if self.ordered else ""
        return f"doctor.probe(example, {self.batch or 1}, {steps or self.steps}{more})"

    def answer_line(self, given: str) -> str:
        """Return the expression that asks again."""
        return f"doctor.answer(model, {given}{'' if self.batch_first else ', batch_first=False'})"

    def pair_line(self) -> str:
        """Return the line that makes two inputs that differ everywhere."""
        return f"a, b = {self.probe_line()}, {self.probe_line(', seed=1')}"

    def swap_line(self, **where: str) -> str:
        """Return the expression that takes some rows or steps from the second inputs."""
        parts = [f"{name}={value}" for name, value in where.items()]
        parts += [] if self.batch_first else ["batch_first=False"]
        return f"doctor.swap(a, b, {', '.join(parts)})"


def admitted(model: nn.Module, example: Any, batch_first: bool) -> Patient:
    """Return a patient with sizes that no axis of the model or of the example has."""
    own_batch, own_steps = inputs.sizes(example, batch_first=batch_first)
    taken = {size for one in model.parameters() for size in one.shape} | set(inputs.sequence(example).shape)
    for module in model.modules():
        if isinstance(module, torch.nn.RNNBase):
            taken |= {module.num_layers, module.num_layers * (2 if module.bidirectional else 1)}
    free = [prime for prime in PRIMES if prime not in taken]
    batch, steps = [*free, 41, 43][:2]
    if inputs.keeps_steps(example, batch_first=batch_first):
        steps = own_steps
    return Patient(model, example, batch_first, None if own_batch is None else batch, steps)
