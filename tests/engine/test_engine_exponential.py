"""The sLSTM in the core: gates beyond what float32 can hold give the hidden states of the plain formula."""

from __future__ import annotations

import numpy as np

from tests.engine.helpers import assert_close, every_dtype
from unrolled.engine import Engine


def plain(gates: np.ndarray) -> np.ndarray:
    """Return h of one unit by the unstabilised equations in float64; o = 1/2, z = tanh(i / 100)."""
    c = n = 0.0
    shown = []
    for i, f in gates:
        forget = 1.0 / (1.0 + np.exp(-f))
        c, n = forget * c + np.exp(i) * np.tanh(i / 100.0), forget * n + np.exp(i)
        shown.append(0.5 * c / n)
    return np.array(shown)


def reading_gates(dtype: str, hidden: int = 3) -> Engine:
    """Return an sLSTM whose units all read their input and forget gates as they are."""
    engine = Engine("slstm", input_size=2, hidden_size=hidden, dtype=dtype)
    weights = {name: np.zeros(shape) for name, shape in engine.shapes.items()}
    weights["weight_ih_l0"][:hidden, 0] = weights["weight_ih_l0"][hidden : 2 * hidden, 1] = 1.0
    weights["weight_ih_l0"][2 * hidden : 3 * hidden, 0] = 0.01
    engine.set(weights)
    return engine


@every_dtype
def test_huge_and_very_negative_gates(dtype: str) -> None:
    gates = np.array([[1.0, 2.0], [80.0, -100.0], [-3.0, 1.0], [-60.0, 300.0], [79.0, -0.5], [200.0, 0.0]])
    engine = reading_gates(dtype)
    x = gates[:, np.newaxis].astype(dtype)
    output, state = engine.forward(x)
    assert_close(output[:, 0, 1], plain(gates), to="output", dtype=dtype)
    for factor in (20.0, -20.0, 1e6):
        output, state = engine.forward(factor * x)
        assert state.c is not None
        assert np.isfinite(output).all()
        assert np.isfinite(state.c).all()
        gradients = engine.backward(factor * x, np.ones_like(output))
        assert all(np.isfinite(d).all() for d in gradients.parameters.values())


@every_dtype
def test_a_normaliser_never_runs_dry(dtype: str) -> None:
    """Half of the memory is forgotten at each of 400 steps and next to nothing is written, below 2^-126."""
    gates = np.tile([[-50.0, 0.0]], (400, 1))
    gates[0, 0] = 60.0
    output, state = reading_gates(dtype).forward(gates[:, np.newaxis].astype(dtype))
    assert_close(output[:, 0, 0], plain(gates), to="exponential", dtype=dtype)
    assert state.c is not None
    assert state.c[0, 0, 3:6].min() >= 3.0 / 8.0
