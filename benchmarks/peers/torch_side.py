"""PyTorch's side of the cases, written as its documentation would."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

MODULES = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}


def tensors(arrays: Mapping[str, np.ndarray]) -> dict[str, torch.Tensor]:
    """Return arrays by name as tensors of their own."""
    return {name: torch.tensor(array) for name, array in arrays.items()}


class TorchLayer:
    """One layer with given weights: forward, and backward to its parameters.

    Args:
        cell: a name of `MODULES`.
        weights: under torch's own names.
        x, d_out: the inputs and the gradient of the output, [T, B, I] and [T, B, H].
        lengths: of the sequences, which are then packed; all T where None.
        threads: that torch may use.
    """

    def __init__(
        self,
        cell: str,
        weights: Mapping[str, np.ndarray],
        x: np.ndarray,
        d_out: np.ndarray,
        *,
        lengths: np.ndarray | None = None,
        threads: int = 1,
    ) -> None:
        torch.set_num_threads(threads)
        self.layer = MODULES[cell](x.shape[2], d_out.shape[2])
        self.layer.load_state_dict(tensors(weights))
        self.names = [name for name, _ in self.layer.named_parameters()]
        self.parameters = list(self.layer.parameters())
        self.x, self.d_out = torch.tensor(x), torch.tensor(d_out)
        self.lengths = None if lengths is None else torch.tensor(lengths)

    def forward(self) -> torch.Tensor:
        """Return the output of every step, 0 behind the end of a sequence."""
        if self.lengths is None:
            output, _ = self.layer(self.x)
            return output
        packed = pack_padded_sequence(self.x, self.lengths, enforce_sorted=False)
        output, _ = self.layer(packed)
        padded, _ = pad_packed_sequence(output, total_length=len(self.x))
        return padded

    def run(self) -> tuple[torch.Tensor, ...]:
        """Run forward and backward; return the gradients of the parameters."""
        return torch.autograd.grad(self.forward(), self.parameters, self.d_out)

    def answers(self) -> dict[str, np.ndarray]:
        """Return the output and the gradients of the parameters."""
        gradients = {name: one.numpy() for name, one in zip(self.names, self.run(), strict=True)}
        return {"output": self.forward().detach().numpy(), **gradients}


class TutorialModel(nn.Module):
    """The tutorial's own model, with torch's LSTM or one in its place."""

    def __init__(self, hidden: int, lstm: type[nn.LSTM] = nn.LSTM) -> None:
        super().__init__()
        self.hidden_size = hidden
        self.lstm = lstm(1, hidden)
        self.linear = nn.Linear(hidden, 1)
        self.reset()

    def reset(self) -> None:
        """Forget what was read."""
        self.hidden = (torch.zeros(1, 1, self.hidden_size), torch.zeros(1, 1, self.hidden_size))

    def forward(self, seq: torch.Tensor) -> torch.Tensor:
        """Return the forecast of the next point."""
        out, self.hidden = self.lstm(seq.view(len(seq), 1, -1), self.hidden)
        return self.linear(out.view(len(seq), -1))[-1]


class TutorialLoop:
    """The tutorial's own loop, an epoch at a time."""

    def __init__(
        self,
        series: np.ndarray,
        *,
        window: int,
        hidden: int,
        lr: float,
        seed: int,
        lstm: type[nn.LSTM] = nn.LSTM,
    ) -> None:
        torch.set_num_threads(1)
        points = torch.tensor(series)
        count = len(series) - window
        self.data = [(points[i : i + window], points[i + window : i + window + 1]) for i in range(count)]
        torch.manual_seed(seed)
        self.model = TutorialModel(hidden, lstm)
        self.criterion = nn.MSELoss()
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=lr)

    def epoch(self) -> float:
        """Take one step a window; return the last loss."""
        for seq, target in self.data:
            self.optimizer.zero_grad()
            self.model.reset()
            loss = self.criterion(self.model(seq), target)
            loss.backward()
            self.optimizer.step()
        return float(loss.item())

    def weights(self) -> dict[str, np.ndarray]:
        """Return the weights under the names that a network of ours has."""
        found = {name: p.detach().numpy() for name, p in self.model.lstm.named_parameters()}
        return found | {
            f"head.{name}": p.detach().numpy() for name, p in self.model.linear.named_parameters()
        }


class Direct(nn.Module):
    """A recurrent layer whose last state gives all points of the horizon at once."""

    def __init__(self, cell: str, hidden: int, horizon: int) -> None:
        super().__init__()
        self.layer = MODULES[cell](1, hidden, batch_first=True)
        self.head = nn.Linear(hidden, horizon)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the forecasts [B, K] of windows [B, T, 1]."""
        _, state = self.layer(x)
        h = state[0] if isinstance(state, tuple) else state
        return self.head(h[-1])


class FitLoop:
    """A plain training loop over the windows of one series, with Adam and the squared error."""

    def __init__(self, cell: str, series: np.ndarray, *, window: int, horizon: int, hidden: int) -> None:
        self.cell, self.hidden, self.horizon = cell, hidden, horizon
        windows = torch.tensor(series).unfold(0, window + horizon, 1).contiguous()
        self.x, self.y = windows[:, :window].unsqueeze(-1), windows[:, window:]

    def run(
        self, steps: int, *, batch: int, lr: float, seed: int, threads: int, shuffle: bool = True
    ) -> list[float]:
        """Train a new network; return the loss of every step."""
        torch.set_num_threads(threads)
        torch.manual_seed(seed)
        model = Direct(self.cell, self.hidden, self.horizon)
        optimizer = torch.optim.Adam(model.parameters(), lr=lr)
        criterion = nn.MSELoss()
        losses: list[float] = []
        while len(losses) < steps:
            order = torch.randperm(len(self.x)) if shuffle else torch.arange(len(self.x))
            for picked in order.split(batch)[: steps - len(losses)]:
                optimizer.zero_grad()
                loss = criterion(model(self.x[picked]), self.y[picked])
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
        return losses


class TorchForecast:
    """The bare forward pass of a fitted network, which measures its window from the last value."""

    def __init__(self, cell: str, weights: Mapping[str, np.ndarray], *, horizon: int) -> None:
        torch.set_num_threads(1)
        hidden = weights["weight_hh_l0"].shape[1]
        self.model = Direct(cell, hidden, horizon)
        own = tensors(weights)
        self.skip = own.pop("skip.weight")
        self.model.layer.load_state_dict({k: v for k, v in own.items() if not k.startswith("head.")})
        self.model.head.load_state_dict({k[5:]: v for k, v in own.items() if k.startswith("head.")})

    @torch.no_grad()
    def run(self, window: torch.Tensor) -> torch.Tensor:
        """Return the forecasts [K] of one window [T]."""
        location, scale = window[-1], window.std(correction=0)
        x = ((window - location) / scale).view(1, -1, 1)
        return (self.model(x)[0] + self.skip @ x[0, :, 0]) * scale + location
