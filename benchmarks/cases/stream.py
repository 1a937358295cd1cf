"""One step of a stream beside a call of Python that does nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from harness import Case, Row, agree
from layers import forward_operations, parameters
from targets import Target

from unrolled import NetworkSpec
from unrolled.network import Network

if TYPE_CHECKING:
    from collections.abc import Iterator

HIDDEN, STEPS = 64, 50
SPEC = NetworkSpec(cell="lstm", input_size=1, hidden_size=HIDDEN, output_size=1)


class Nothing:
    """An object whose method has the signature of a stream's, and does nothing."""

    def step(self, x: Any) -> Any:
        """Give back what came."""
        return x


def stream_rows() -> Iterator[Row]:
    """Make the row; step by step must give what the whole sequence gives."""
    network, nothing = Network(SPEC), Nothing()
    stream = network.stream()
    x = np.random.default_rng(5).standard_normal((STEPS, 1, 1)).astype(np.float32)
    one = x[0]

    def check() -> dict[str, float]:
        fresh = network.stream()
        for x_t in x:
            output = np.asarray(fresh.step(x_t))
        whole, _ = network.engine.forward(x)
        return agree({"output": output.reshape(whole.shape)}, {"output": whole}, tolerance=1e-6)

    yield Row(
        name=f"1, 1, 1, {HIDDEN}",
        operations=forward_operations("lstm", 1, 1, HIDDEN) + 2.0 * HIDDEN,
        bytes=4.0 * (parameters("lstm", 1, HIDDEN) + 5 * HIDDEN + 3),
        check=check,
        ours=lambda: stream.step(one),
        theirs=lambda: nothing.step(one),
    )


STREAM = Case(
    name="stream",
    title={
        "en": f"one step of a stream through Python, LSTM of {HIDDEN} units, batch 1",
        "zh": f"通过 Python 逐步推理一步，{HIDDEN} 个单元的 LSTM，批大小 1",
    },
    peer={"en": "an empty call", "zh": "空调用"},
    threads=1,
    rows=stream_rows,
    targets=(Target("overhead", 5e-6),),
)
