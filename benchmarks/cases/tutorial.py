"""The tutorial's job beside its PyTorch loop: LSTM(1, 50) + Linear, one SGD step a window.

Once through our engine, and once as the tutorial's own loop, in which nothing but the import of LSTM changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from harness import Case, DisagreementError, Row, agree
from layers import operations
from peers import TORCH
from targets import Target

from unrolled import NetworkSpec
from unrolled.engine import Learning, Table, Trainer, Windowing
from unrolled.network import Network, initial_weights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

WINDOW, HIDDEN, SEED, LR, N_WINDOWS = 40, 50, 42, 0.01, 720
CHECKED_EPOCHS = 7
"""Whose losses the tutorial's own loop must repeat; behind them little is left but rounding."""

SPEC = NetworkSpec(cell="lstm", input_size=1, hidden_size=HIDDEN, output_size=1)


def sine() -> np.ndarray:
    """Return the tutorial's series, all that its windows and their targets read."""
    x = np.linspace(0, 799, 800, dtype=np.float32)
    return np.sin(x * np.float32(2) * np.float32(3.1416) / np.float32(40))[: WINDOW + N_WINDOWS]


class OurTutorial:
    """The tutorial's epoch through the engine."""

    def __init__(self) -> None:
        series = sine()
        self.network = Network(SPEC, initial_weights(SPEC, SEED))
        self.trainer = Trainer(
            self.network.engine,
            Table(series.reshape(-1, 1), np.array([0, series.size], np.int64)),
            windowing=Windowing(window=WINDOW, horizon=1),
            learning=Learning(loss="mse", optimizer="sgd"),
        )
        self.starts = np.arange(N_WINDOWS, dtype=np.int64)
        self.rates = np.full(N_WINDOWS, LR)

    def epoch(self) -> float:
        """Take one step a window; return the last loss."""
        return float(self.trainer.run(np.zeros_like(self.starts), self.starts, 1, self.rates)[-1])


def tutorial_rows() -> Iterator[Row]:
    """Make the row: one epoch is one run."""
    from peers.torch_side import TutorialLoop

    ours = OurTutorial()
    theirs = TutorialLoop(sine(), window=WINDOW, hidden=HIDDEN, lr=LR, seed=SEED)

    def check() -> dict[str, Any]:
        loss, reference = ours.epoch(), theirs.epoch()
        if abs(loss - reference) > 1e-4 * reference:
            raise DisagreementError(f"the loss is {loss}; PyTorch's is {reference}")
        return {
            "loss": loss,
            "peer_loss": reference,
            **agree(ours.network.weights, theirs.weights(), tolerance=1e-4),
        }

    yield epoch_row(check, ours.epoch, theirs.epoch)


def epoch_row(
    check: Callable[[], Mapping[str, Any]], ours: Callable[[], float], theirs: Callable[[], float]
) -> Row:
    """Make the row of an epoch."""
    head = 3 * 2 * HIDDEN
    return Row(
        name="epoch",
        operations=N_WINDOWS * (operations("lstm", WINDOW, 1, HIDDEN) + head),
        bytes=N_WINDOWS
        * 3
        * 4
        * SPEC.parameter_count,  # read by forward and by backward, written by the step
        check=check,
        ours=ours,
        theirs=theirs,
    )


def loop_rows() -> Iterator[Row]:
    """Make the row of the tutorial's own loop with one import changed."""
    from peers.torch_side import TutorialLoop

    from unrolled.torch import LSTM

    ours, theirs = (
        TutorialLoop(sine(), window=WINDOW, hidden=HIDDEN, lr=LR, seed=SEED, **more)
        for more in ({"lstm": LSTM}, {})
    )

    def check() -> dict[str, Any]:
        """Compare the losses of the first epochs."""
        losses = [(ours.epoch(), theirs.epoch()) for _ in range(CHECKED_EPOCHS)]
        worst = max(abs(loss / reference - 1) for loss, reference in losses)
        if not worst <= 1e-4:
            raise DisagreementError(f"the losses of {CHECKED_EPOCHS} epochs differ by {worst:.1e}")
        if ours.model.lstm.last_path.name != "unrolled":
            raise DisagreementError(f"torch's own LSTM ran: {ours.model.lstm.last_path.reason}")
        return {
            "epochs": CHECKED_EPOCHS,
            "loss": losses[-1][0],
            "peer_loss": losses[-1][1],
            "largest_difference": worst,
            "tolerance": 1e-4,
        }

    yield epoch_row(check, ours.epoch, theirs.epoch)


TUTORIAL = Case(
    name="tutorial",
    title={
        "en": f"the tutorial's epoch: {N_WINDOWS} SGD steps of one window of {WINDOW}, LSTM(1, {HIDDEN})",
        "zh": f"教程的一轮训练：{N_WINDOWS} 步 SGD，每步一个长度 {WINDOW} 的窗口，LSTM(1, {HIDDEN})",
    },
    peer=TORCH,
    threads=1,
    rows=tutorial_rows,
    targets=(Target("ratio", 15.0),),
    needs=("torch",),
    every_isa=True,
)
TUTORIAL_TORCH = Case(
    name="tutorial_torch",
    title={
        "en": "the tutorial's own PyTorch loop, an epoch, with `unrolled.torch.LSTM` in it",
        "zh": "教程自己的 PyTorch 训练循环，一轮，只把 LSTM 换成 `unrolled.torch.LSTM`",
    },
    peer=TORCH,
    threads=1,
    rows=loop_rows,
    targets=(Target("ratio", 3.0),),
    needs=("torch",),
)
