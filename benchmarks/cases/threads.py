"""Our two threads over our one; the answers must be the same to the last bit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from cases.fit import HIDDEN as FIT_HIDDEN
from cases.fit import HORIZON, WINDOW, fit_operations, fit_traffic, series
from harness import Case, DisagreementError, Row
from layers import OurLayer, Shape, operations, traffic
from targets import Target

from unrolled import NetworkSpec
from unrolled.engine import Array, Learning, Table, Trainer, Windowing
from unrolled.network import Network, initial_weights

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

BATCHES = (32, 64, 128)
STEPS, BATCH = 25, 128


def same_bits(one: Mapping[str, Array], two: Mapping[str, Array]) -> dict[str, Any]:
    """Compare what one thread and two gave."""
    unlike = [name for name in one if not np.array_equal(one[name], two[name])]
    if unlike:
        raise DisagreementError(f"two threads give other bits: {', '.join(unlike)}")
    return {"same_bits": True}


def layer_row(batch: int) -> Row:
    """Make the row of forward and backward of a layer."""
    shape = Shape(100, batch, 8, 128)
    layer = OurLayer("lstm", shape)
    return Row(
        name=f"layer, {shape.label}",
        operations=operations("lstm", shape.T * batch, shape.I, shape.H),
        bytes=traffic("lstm", shape.T * batch, shape.I, shape.H),
        check=lambda: same_bits(layer.run(threads=1), layer.run(threads=2)),
        ours=lambda: layer.run(threads=2),
        theirs=lambda: layer.run(threads=1),
    )


class Steps:
    """Training steps of the network of the `fit` case."""

    def __init__(self, threads: int) -> None:
        spec = NetworkSpec(cell="lstm", input_size=1, hidden_size=FIT_HIDDEN, output_size=HORIZON)
        values = series().reshape(-1, 1)
        self.network = Network(spec, initial_weights(spec, 0))
        self.trainer = Trainer(
            self.network.engine,
            Table(values, np.array([0, len(values)], np.int64)),
            windowing=Windowing(window=WINDOW, horizon=HORIZON),
            learning=Learning(loss="mse", optimizer="adam"),
            threads=threads,
        )
        self.starts = np.random.default_rng(0).permutation(len(values) - WINDOW - HORIZON)[: STEPS * BATCH]
        self.series, self.rates = np.zeros_like(self.starts), np.full(STEPS, 1e-3)

    def run(self) -> None:
        """Take the steps."""
        self.trainer.run(self.series, self.starts, BATCH, self.rates)


def steps_row() -> Row:
    """Make the row of training steps."""
    one, two = Steps(threads=1), Steps(threads=2)

    def check() -> dict[str, Any]:
        one.run()
        two.run()
        return same_bits(one.network.weights, two.network.weights)

    return Row(
        name=f"{STEPS} Adam steps, {WINDOW}, {BATCH}, 1, {FIT_HIDDEN}",
        operations=fit_operations("lstm", STEPS * BATCH),
        bytes=fit_traffic("lstm", STEPS * BATCH, STEPS),
        check=check,
        ours=two.run,
        theirs=one.run,
    )


def threads_rows() -> Iterator[Row]:
    """Make all rows."""
    yield from (layer_row(batch) for batch in BATCHES)
    yield steps_row()


THREADS = Case(
    name="threads",
    title={
        "en": "LSTM, two threads beside our own single one",
        "zh": "LSTM，我们的两个线程对照我们的一个线程",
    },
    peer={"en": "one thread", "zh": "一个线程"},
    threads=2,
    rows=threads_rows,
    targets=(Target("least_ratio", 1.8),),
)
