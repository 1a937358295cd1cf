"""What the tests of the oracle share: random weights, finite differences, and one table of tolerances."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.cells import Weights

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from unrolled.cells import Cell

    Array = NDArray[np.float64]
    Arrays = Mapping[str, Array]

TOLERANCES = {
    # The same sums in another order: a few units in the last place of numbers near 1.
    "order": {"rtol": 1e-12, "atol": 1e-13},
    # torch in float64: other orders of sums, other exponentials, summed over up to 5 steps and 33 units.
    "torch": {"rtol": 1e-12, "atol": 1e-13},
    # Central differences with a step of 1e-5: the third derivative leaves about 1e-10, rounding about 1e-11.
    "difference": {"rtol": 1e-6, "atol": 1e-8},
}


def assert_close(actual: Any, expected: Any, *, to: str, name: str = "") -> None:
    """Compare arrays of equal shape within one row of the table of tolerances."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape, name
    tolerance = TOLERANCES[to]
    np.testing.assert_allclose(actual, expected, rtol=tolerance["rtol"], atol=tolerance["atol"], err_msg=name)


def numeric_gradient(f: Callable[[Array], float], at: Array, *, step: float = 1e-5) -> Array:
    """Return df/d(at) by central differences, one element after the other."""
    gradient = np.empty_like(at)
    for index in np.ndindex(at.shape):
        above, below = at.copy(), at.copy()
        above[index] += step
        below[index] -= step
        gradient[index] = (f(above) - f(below)) / (2.0 * step)
    return gradient


def assert_gradients(f: Callable[[dict[str, Array]], float], at: Arrays, gradients: Arrays) -> None:
    """Compare the gradients of f at `at`, name by name, with finite differences; every name must be there."""
    assert gradients.keys() == at.keys()
    for name in at:
        expected = numeric_gradient(lambda moved, name=name: f({**at, name: moved}), at[name])  # type: ignore[misc]
        assert_close(gradients[name], expected, to="difference", name=name)


def draw_weights(cell: Cell[Any], rng: np.random.Generator, *, input_size: int, hidden_size: int) -> Weights:
    """Return random weights, large enough to bend the gates and small enough not to shut them."""
    shapes = cell.weight_shapes(input_size, hidden_size)
    return Weights.of({name: 0.6 * rng.standard_normal(shape) for name, shape in shapes.items()})


def draw_state(cell: Cell[Any], rng: np.random.Generator, *shape: int) -> tuple[Array, ...]:
    """Return a random state, one array a name; the normaliser "n" is a sum of positive numbers."""
    return tuple(
        0.5 + np.abs(rng.standard_normal(shape)) if name == "n" else rng.standard_normal(shape)
        for name in cell.states
    )


def draw_parameters(
    cell: Cell[Any],
    rng: np.random.Generator,
    *,
    input_size: int,
    hidden_size: int,
    layers: int = 1,
    outputs: int = 1,
    skip_window: int = 0,
) -> dict[str, Array]:
    """Return random parameters of a network; `skip_window` = T adds the skip of a window of T steps."""
    parameters: dict[str, Array] = {}
    for k in range(layers):
        below = input_size if k == 0 else hidden_size
        parameters |= draw_weights(cell, rng, input_size=below, hidden_size=hidden_size).named(k)
    parameters["head.weight"] = rng.standard_normal((outputs, hidden_size))
    parameters["head.bias"] = rng.standard_normal(outputs)
    if skip_window:
        parameters["skip.weight"] = rng.standard_normal((outputs, skip_window * input_size))
    return parameters


def draw_masks(rng: np.random.Generator, *shape: int, p: float = 0.4) -> Array:
    """Return dropout masks: 0 with probability p, else 1 / (1 - p)."""
    return (rng.random(shape) >= p) / (1.0 - p)
