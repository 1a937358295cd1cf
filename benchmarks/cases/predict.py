"""A warm `predict` of one series, all checks included, beside the bare forward pass in PyTorch."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

import numpy as np
from harness import Case, Row, agree
from layers import forward_operations, parameters
from targets import Target

from unrolled import Forecaster

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from unrolled.engine import Array

WINDOW, HORIZON, HIDDEN, POINTS = 48, 12, 64, 500
TOLERANCE = 1e-5


def bare_pass(forecaster: Forecaster, y: Array) -> Callable[[], object] | None:
    """Return the bare forward pass on the window that `predict` reads; None without PyTorch."""
    if importlib.util.find_spec("torch") is None:
        return None
    import torch
    from peers.torch_side import TorchForecast

    peer = TorchForecast("lstm", forecaster.network_.weights, horizon=HORIZON)
    window = torch.tensor(y[-WINDOW:])
    return lambda: peer.run(window)


def predict_rows() -> Iterator[Row]:
    """Make the rows: of a series that is given, and of that which was fitted."""
    t = np.arange(POINTS)
    y = (10 + np.sin(t * 2 * np.pi / 24) + 0.01 * t).astype(np.float32)
    forecaster = Forecaster(
        HORIZON,
        window=WINDOW,
        hidden_size=HIDDEN,
        scaling="last",
        patch=1,
        skip=True,
        steps=20,
        validation=0,
        refit=False,
        members=1,
        progress=False,
    ).fit(y)
    theirs = bare_pass(forecaster, y)
    calls = {"predict(y)": lambda: forecaster.predict(y), "predict()": forecaster.predict}
    for name, ours in calls.items():

        def check(ours: Callable[[], Array] = ours) -> dict[str, float]:
            if theirs is None:
                return {}
            return agree({"forecast": ours()}, {"forecast": np.asarray(theirs())}, tolerance=TOLERANCE)

        yield Row(
            name=name,
            operations=forward_operations("lstm", WINDOW, 1, HIDDEN) + 2.0 * HORIZON * (HIDDEN + WINDOW),
            bytes=4.0 * (parameters("lstm", 1, HIDDEN) + HORIZON * (HIDDEN + 1 + WINDOW) + WINDOW + HORIZON),
            check=check,
            ours=ours,
            theirs=theirs,
        )


PREDICT = Case(
    name="predict",
    title={
        "en": f"warm `predict` of one series, window {WINDOW}, LSTM of {HIDDEN} units",
        "zh": f"已训练好的模型对一条序列 `predict`，窗口 {WINDOW}，{HIDDEN} 个单元的 LSTM",
    },
    peer={"en": "PyTorch, the bare forward pass", "zh": "PyTorch，只算前向"},
    threads=1,
    rows=predict_rows,
    targets=(Target("slowest", 100e-6),),
)
