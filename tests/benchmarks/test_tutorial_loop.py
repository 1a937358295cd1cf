"""The tutorial's own PyTorch loop with our LSTM in it: the import changes, the losses do not."""

from __future__ import annotations

import pytest
import torch

from benchmarks.peers.torch_side import TutorialLoop
from unrolled.torch import LSTM

pytestmark = pytest.mark.torch

LOSSES = (0.09212878, 0.06506766, 0.04198049, 0.01784277, 0.00288711, 0.00032008, 0.00012969)
"""What the tutorial prints for seed 42 with PyTorch 2.13: the loss of the last window of each epoch."""


def test_the_losses_are_those_of_the_tutorial() -> None:
    series = torch.sin(torch.linspace(0, 799, 800) * 2 * 3.1416 / 40)[:760].numpy()
    threads = torch.get_num_threads()
    try:
        loop = TutorialLoop(series, window=40, hidden=50, lr=0.01, seed=42, lstm=LSTM)
        losses = [loop.epoch() for _ in LOSSES]
    finally:
        torch.set_num_threads(threads)
    assert losses == pytest.approx(LOSSES, rel=1e-4)
    assert isinstance(loop.model.lstm, torch.nn.LSTM)
    assert loop.model.lstm.last_path.name == "unrolled"
