"""What the tests of explanations share: networks with drawn weights, series, and one table of tolerances."""

from __future__ import annotations

from typing import Any

import numpy as np

from unrolled.explain.subject import Subject, subject_from
from unrolled.network import Network, NetworkSpec

TOLERANCES = {
    # float32 against float64, sums over some dozens of steps and units.
    "core": {"rtol": 1e-5, "atol": 1e-5},
    # The same sums in another order, in float64.
    "order": {"rtol": 1e-10, "atol": 1e-12},
    # Central differences with a step of 1e-5.
    "difference": {"rtol": 1e-6, "atol": 1e-8},
}


def assert_close(actual: Any, expected: Any, *, to: str, name: str = "") -> None:
    """Compare arrays of equal shape within one row of the table of tolerances."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape, name
    np.testing.assert_allclose(actual, expected, **TOLERANCES[to], err_msg=name)


def drawn(
    cell: str, *, steps: int = 6, batch: int = 3, seed: int = 0, dtype: str = "float64", **spec: Any
) -> Subject:
    """Return a small network with drawn weights and drawn windows with known targets."""
    rng = np.random.default_rng(seed)
    made = NetworkSpec(cell=cell, **{"input_size": 1, "hidden_size": 4, "output_size": 2, **spec})
    weights = {name: 0.6 * rng.standard_normal(shape) for name, shape in made.shapes.items()}
    x_tbi = rng.standard_normal((steps, batch, made.input_size))
    targets = rng.standard_normal((batch, made.output_size))
    return subject_from(Network(made, weights, dtype=dtype), x_tbi, targets)


def made(cell: str, x_tbi: Any, *, hidden_size: int = 1, targets: Any = None, **weights: Any) -> Subject:
    """Return a network of one layer and one output whose weights are 0 but for those given."""
    spec = NetworkSpec(cell=cell, input_size=1, hidden_size=hidden_size, output_size=1)
    named = {name.replace("head_", "head."): np.asarray(given, float) for name, given in weights.items()}
    whole = {name: np.zeros(shape) + named.pop(name, 0.0) for name, shape in spec.shapes.items()}
    assert not named
    return subject_from(Network(spec, whole, dtype="float64"), x_tbi, targets)
