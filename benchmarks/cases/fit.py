"""A whole `fit` beside a plain PyTorch loop: Adam on the windows of one series, two threads each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from harness import Case, DisagreementError, Row
from layers import operations, parameters, traffic
from peers import TORCH
from targets import Target

from unrolled import Forecaster

if TYPE_CHECKING:
    from collections.abc import Iterator

POINTS, WINDOW, HORIZON, HIDDEN = 10_000, 24, 12, 64
STEPS, BATCH, LR, SEED, THREADS = 1000, 128, 1e-3, 3, 2
CHECKED_STEPS, TOLERANCE = 20, 1e-3


def series() -> np.ndarray:
    """Return the series: a daily and a weekly season of hours, with noise."""
    t = np.arange(POINTS)
    noise = np.random.default_rng(SEED).standard_normal(POINTS)
    y = np.sin(t * 2 * np.pi / 24) + 0.5 * np.sin(t * 2 * np.pi / 168) + 0.1 * noise
    return y.astype(np.float32)


def forecaster(cell: str, *, steps: int = STEPS, threads: int = THREADS, shuffle: bool = True) -> Forecaster:
    """Return the forecaster that does the same as the plain loop: all that it could add is off."""
    return Forecaster(
        HORIZON,
        window=WINDOW,
        cell=cell,
        hidden_size=HIDDEN,
        scaling="none",
        patch=1,
        skip=False,
        loss="mse",
        optimizer="adam",
        lr=LR,
        weight_decay=0.0,
        clip=None,
        batch_size=BATCH,
        steps=steps,
        schedule="constant",
        shuffle=shuffle,
        validation=0,
        refit=False,
        members=1,
        seed=SEED,
        threads=threads,
        progress=False,
    )


def fit_operations(cell: str, windows: int) -> float:
    """Return the operations of training on so many windows, the head among them."""
    return operations(cell, windows * WINDOW, 1, HIDDEN) + 3 * 2.0 * windows * HIDDEN * HORIZON


def fit_traffic(cell: str, windows: int, steps: int) -> float:
    """Return the bytes: those of the layer; a step of Adam reads four numbers a parameter, writes three."""
    learned = parameters(cell, 1, HIDDEN) + (HIDDEN + 1) * HORIZON
    return traffic(cell, windows * WINDOW, 1, HIDDEN) + 4.0 * steps * 7 * learned


def trained_windows(steps: int) -> int:
    """Return the windows of so many steps: the last step of a pass takes what is left."""
    total = POINTS - WINDOW - HORIZON + 1
    passes, rest = divmod(steps, -(-total // BATCH))
    return passes * total + rest * BATCH


def fit_row(cell: str) -> Row:
    """Make the row of one cell."""
    from peers.torch_side import FitLoop

    y = series()
    loop = FitLoop(cell, y, window=WINDOW, horizon=HORIZON, hidden=HIDDEN)

    def their_fit(steps: int = STEPS, *, shuffle: bool = True) -> list[float]:
        return loop.run(steps, batch=BATCH, lr=LR, seed=SEED, threads=THREADS, shuffle=shuffle)

    def check() -> dict[str, Any]:
        """Compare the losses of the first steps, from the same weights on the same windows."""
        ours = np.array(forecaster(cell, steps=CHECKED_STEPS, shuffle=False).fit(y).history_.losses)
        theirs = np.array(their_fit(CHECKED_STEPS, shuffle=False))
        worst = float(np.abs(ours / theirs - 1).max())
        if not worst <= TOLERANCE:
            raise DisagreementError(f"the losses of {CHECKED_STEPS} steps differ by {worst:.1e}")
        return {"steps": CHECKED_STEPS, "largest_difference": worst, "tolerance": TOLERANCE}

    return Row(
        name=cell.upper(),
        operations=fit_operations(cell, trained_windows(STEPS)),
        bytes=fit_traffic(cell, trained_windows(STEPS), STEPS),
        check=check,
        ours=lambda: forecaster(cell).fit(y),
        theirs=their_fit,
    )


def fit_rows() -> Iterator[Row]:
    """Make all rows."""
    return (fit_row(cell) for cell in ("lstm", "gru"))


FIT = Case(
    name="fit",
    title={
        "en": f"`fit`: {STEPS:,} Adam steps of {BATCH} windows of {WINDOW}, LSTM and GRU of {HIDDEN} units",
        "zh": f"`fit`：{STEPS:,} 步 Adam，每步 {BATCH} 个长度 {WINDOW} 的窗口，{HIDDEN} 个单元的 LSTM 和 GRU",
    },
    peer=TORCH,
    threads=THREADS,
    rows=fit_rows,
    targets=(Target("ratio", 3.0, row="LSTM"), Target("ratio", 6.0, row="GRU")),
    needs=("torch",),
)
