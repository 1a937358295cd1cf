"""Recurrent modules as a PyTorch program uses them: torch's own and ours run the same code."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch
from layers import SEED
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

if TYPE_CHECKING:
    from types import ModuleType

    import numpy as np
    from layers import Shape

LR = 0.1


class ModuleWork:
    """One recurrent module: forward, and backward to its parameters.

    Both libraries begin with the same weights and read the same numbers, since the seed says which.

    Args:
        library: `torch.nn` or `unrolled.torch`.
        name: of the class.
        shape: of the work.
        lengths: of the sequences, which the module reads and answers as a PackedSequence; all T where None.
    """

    def __init__(
        self, library: ModuleType, name: str, shape: Shape, lengths: np.ndarray | None = None
    ) -> None:
        torch.manual_seed(SEED)
        self.module: nn.Module = getattr(library, name)(shape.I, shape.H)
        self.parameters = list(self.module.parameters())
        self.x = torch.randn(shape.T, shape.B, shape.I)
        self.target = self.x.sum(-1, keepdim=True).cumsum(0).sign()
        if lengths is not None:
            ends = torch.tensor(lengths)
            self.x, self.target = (
                pack_padded_sequence(one, ends, enforce_sorted=False) for one in (self.x, self.target)
            )
        self.d_out = torch.randn_like(self.forward())

    def forward(self) -> torch.Tensor:
        """Return the output of every step, [T, B, H], packed [N, H]."""
        output, _ = self.module(self.x)
        return output if isinstance(output, torch.Tensor) else output.data

    def run(self) -> tuple[torch.Tensor, ...]:
        """Run forward and backward; return the gradients of the parameters."""
        return torch.autograd.grad(self.forward(), self.parameters, self.d_out)

    def infer(self) -> torch.Tensor:
        """Run forward alone, where nothing is kept for backward."""
        with torch.no_grad():
            return self.forward()

    def answers(self) -> dict[str, np.ndarray]:
        """Return the output and the gradients of the parameters."""
        names = [name for name, _ in self.module.named_parameters()]
        gradients = {name: one.numpy() for name, one in zip(names, self.run(), strict=True)}
        return {"output": self.infer().numpy(), **gradients}

    def losses(self, steps: int) -> list[float]:
        """Train a copy to tell the sign of the sum of all it has read; return the loss of every step."""
        learner = copy.copy(self)
        learner.module = copy.deepcopy(self.module)
        optimizer = torch.optim.SGD(learner.module.parameters(), lr=LR)
        target = self.target if isinstance(self.target, torch.Tensor) else self.target.data
        found = []
        for _ in range(steps):
            optimizer.zero_grad()
            loss = (learner.forward() - target).square().mean()
            loss.backward()
            optimizer.step()
            found.append(loss.item())
        return found


class CellWork(ModuleWork):
    """A cell that is called step after step, the state handed on by the program."""

    def forward(self) -> torch.Tensor:
        """Return the output of every step, [T, B, H]."""
        state, outputs = None, []
        for x in self.x:
            state = self.module(x, state)
            outputs.append(state[0] if isinstance(state, tuple) else state)
        return torch.stack(outputs)
