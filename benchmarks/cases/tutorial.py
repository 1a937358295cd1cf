"""The tutorial's job beside its PyTorch loop: LSTM(1, 50) + Linear, one SGD step a window."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from harness import Case

from unrolled import NetworkSpec
from unrolled.engine import Learning, Trainer, Windowing
from unrolled.network import Network, initial_weights

WINDOW, HIDDEN, SEED, LR, N_WINDOWS = 40, 50, 42, 0.01, 720
SPEC = NetworkSpec(cell="lstm", input_size=1, hidden_size=HIDDEN, output_size=1)


class TorchModel(torch.nn.Module):
    """The tutorial's own model."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = torch.nn.LSTM(1, HIDDEN)
        self.linear = torch.nn.Linear(HIDDEN, 1)
        self.hidden = (torch.zeros(1, 1, HIDDEN), torch.zeros(1, 1, HIDDEN))

    def forward(self, seq: torch.Tensor) -> torch.Tensor:
        out, self.hidden = self.lstm(seq.view(len(seq), 1, -1), self.hidden)
        return self.linear(out.view(len(seq), -1))[-1]


class TorchSide:
    """The tutorial's own loop, an epoch at a time."""

    def __init__(self, series: torch.Tensor) -> None:
        self.data = [(series[i : i + WINDOW], series[i + WINDOW : i + WINDOW + 1]) for i in range(N_WINDOWS)]
        torch.manual_seed(SEED)
        self.model = TorchModel()
        self.criterion = torch.nn.MSELoss()
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=LR)

    def epoch(self) -> float:
        for seq, target in self.data:
            self.optimizer.zero_grad()
            self.model.hidden = (torch.zeros(1, 1, HIDDEN), torch.zeros(1, 1, HIDDEN))
            loss = self.criterion(self.model(seq), target)
            loss.backward()
            self.optimizer.step()
        return float(loss.item())


class OurSide:
    """The same through the engine."""

    def __init__(self, series: np.ndarray) -> None:
        self.network = Network(SPEC, initial_weights(SPEC, SEED))
        self.trainer = Trainer(
            self.network.engine,
            series.reshape(-1, 1),
            np.array([0, series.size], np.int64),
            windowing=Windowing(window=WINDOW, horizon=1),
            learning=Learning(loss="mse", optimizer="sgd"),
        )
        self.starts = np.arange(N_WINDOWS, dtype=np.int64)
        self.rates = np.full(N_WINDOWS, LR)

    def epoch(self) -> float:
        return float(self.trainer.run(np.zeros_like(self.starts), self.starts, 1, self.rates)[-1])


def tutorial() -> Case:
    """Make the case: one epoch is one run."""
    torch.set_num_threads(1)
    x = torch.linspace(0, 799, 800)
    series = torch.sin(x * 2 * 3.1416 / 40)[: WINDOW + N_WINDOWS]
    theirs, ours = TorchSide(series), OurSide(series.numpy())

    def check() -> dict[str, Any]:
        loss, reference = ours.epoch(), theirs.epoch()
        weights = ours.network.weights
        pairs = {name: p.detach().numpy() for name, p in theirs.model.lstm.named_parameters()}
        pairs |= {f"head.{name}": p.detach().numpy() for name, p in theirs.model.linear.named_parameters()}
        worst = max(float(np.abs(weights[name] - value).max()) for name, value in pairs.items())
        assert abs(loss - reference) < 1e-4 * reference, (loss, reference)
        assert worst < 1e-5, worst
        return {"loss": loss, "torch_loss": reference, "largest_weight_difference": worst}

    # A multiply-add is two operations; backward does the products of forward twice.
    multiply_adds = WINDOW * 4 * HIDDEN * (1 + HIDDEN) + HIDDEN
    return Case(
        name="tutorial",
        title={
            "en": f"the tutorial's epoch: {N_WINDOWS} SGD steps of one window of {WINDOW}, LSTM(1, {HIDDEN})",
            "zh": f"教程的一轮训练：{N_WINDOWS} 步 SGD，每步一个长度 {WINDOW} 的窗口，LSTM(1, {HIDDEN})",
        },
        operations=3 * 2 * multiply_adds * N_WINDOWS,
        bytes=3 * 4 * SPEC.parameter_count * N_WINDOWS,
        check=check,
        ours=ours.epoch,
        theirs=theirs.epoch,
        threads=1,
        peer=f"PyTorch {torch.__version__}",
    )
