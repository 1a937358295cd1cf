"""tanh, sigmoid, relu and exp over their whole range: every exponent, denormals, infinities, NaN."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.engine.helpers import TOLERANCES, every_dtype, same_bits
from unrolled import _core

if TYPE_CHECKING:
    from collections.abc import Callable

    from unrolled.engine import Array

# The core promises the larger of the two.
ABSOLUTE = TOLERANCES["activation"]
UNITS = TOLERANCES["activation units"]
UNITS_OF_EXP = 4.0


def of_core(name: str, x: Array) -> Array:
    """Return the core's activation of every element."""
    y = np.full_like(x, 7.0)
    _core.activate(name, x, y)
    return y


def logistic(x: Array) -> Array:
    """Return 1 / (1 + exp(-x)) without overflow."""
    e = np.exp(-np.abs(x))
    y: Array = np.where(x >= 0, 1, e) / (1 + e)
    return y


REFERENCES: dict[str, Callable[[Array], Array]] = {
    "tanh": np.tanh,
    "sigmoid": logistic,
    "relu": lambda x: np.maximum(x, 0),
    "exp": np.exp,
}
# Where e^x is a normal number of the format; beyond, the core gives the last one.
EXP_RANGE = {"float32": (-87.0, 88.0), "float64": (-708.0, 709.0)}
WIDER = {"float32": np.float64, "float64": np.longdouble}
every_activation = pytest.mark.parametrize("name", REFERENCES)


def kinds_of(dtype: str) -> tuple[Any, int, int]:
    """Return the whole numbers of the same width, the bits of a mantissa, and the exponent of infinity."""
    return (np.uint32, 23, 0xFF) if dtype == "float32" else (np.uint64, 52, 0x7FF)


def whole_range(dtype: str) -> Array:
    """Return numbers of every exponent, denormals and both zeros among them, each with its negative."""
    unsigned, bits, infinity = kinds_of(dtype)
    exponents = np.arange(infinity, dtype=unsigned)[:, np.newaxis]
    mantissas = np.random.default_rng(1).integers(1 << bits, size=64, dtype=unsigned)
    mantissas[:4] = [0, 1, (1 << bits) - 1, 1 << (bits - 1)]
    x = (exponents * unsigned(1 << bits) + mantissas).ravel().view(dtype)
    return np.concatenate([x, -x])


def bent_range(dtype: str) -> Array:
    """Return numbers close together where the functions bend, and around where their formulas change."""
    x = np.linspace(-20.0, 20.0, 400_001)
    near = np.array([0.625, 7.9, 7.99881172180175781, 9.0, 16.0, 708.0 / 2, 708.0, 709.0])
    around = near[:, np.newaxis] * (1.0 + np.linspace(-1e-6, 1e-6, 201))
    return np.concatenate([x, around.ravel(), -around.ravel()]).astype(dtype)


def assert_accurate(name: str, x: Array) -> None:
    """Compare with the reference in a wider format."""
    dtype = str(x.dtype)
    y = of_core(name, x)
    wide = REFERENCES[name](x.astype(WIDER[dtype]))
    allowed = np.maximum(ABSOLUTE[dtype], UNITS[dtype] * np.spacing(np.abs(wide).astype(dtype)))
    wrong = np.flatnonzero(~(np.abs(y - wide) <= allowed))
    assert wrong.size == 0, (name, x[wrong[:5]], y[wrong[:5]], wide[wrong[:5]])


@every_dtype
@pytest.mark.parametrize("name", ["tanh", "sigmoid"])
def test_accuracy(name: str, dtype: str) -> None:
    assert_accurate(name, whole_range(dtype))
    assert_accurate(name, bent_range(dtype))


@every_dtype
def test_accuracy_of_exp(dtype: str) -> None:
    low, high = EXP_RANGE[dtype]
    x = np.concatenate([whole_range(dtype), bent_range(dtype), np.linspace(low, high, 400_001).astype(dtype)])
    inside = x[(low <= x) & (x <= high)]
    relative = of_core("exp", inside) / np.exp(inside.astype(WIDER[dtype])) - 1
    assert np.abs(relative).max() <= UNITS_OF_EXP * np.finfo(dtype).eps
    below, beyond = of_core("exp", x[x < low]), of_core("exp", x[x > high])
    assert 0.0 <= below.min() <= below.max() <= np.exp(np.asarray(low + 0.01, dtype))
    assert np.isfinite(beyond).all()
    assert beyond.min() >= np.exp(np.asarray(high - 0.01, dtype))


@every_dtype
def test_relu_is_exact(dtype: str) -> None:
    x = np.append(whole_range(dtype), np.array([np.inf, -np.inf], dtype))
    np.testing.assert_array_equal(of_core("relu", x), np.maximum(x, 0))


@every_dtype
@every_activation
def test_infinities_give_the_limits_and_nan_stays(name: str, dtype: str) -> None:
    x = np.array([np.inf, -np.inf, np.nan, -np.nan], dtype)
    y = of_core(name, x)
    low, high = {"tanh": (-1.0, 1.0), "sigmoid": (0.0, 1.0), "relu": (0.0, np.inf), "exp": (0.0, y[0])}[name]
    if name == "exp":
        assert np.finfo(dtype).max / 4 < y[0] <= np.finfo(dtype).max
    np.testing.assert_allclose(y[:2], [high, low], rtol=0, atol=2.4e-7 if dtype == "float32" else 1e-15)
    assert np.isnan(y[2:]).all()


@every_dtype
def test_nan_of_every_kind_stays(dtype: str) -> None:
    unsigned, bits, infinity = kinds_of(dtype)
    payload = np.random.default_rng(2).integers(1, 1 << bits, size=100, dtype=unsigned)
    x = (unsigned(infinity << bits) + payload).view(dtype)
    for name in REFERENCES:
        assert np.isnan(of_core(name, x)).all()
        assert np.isnan(of_core(name, -x)).all()


@every_dtype
@pytest.mark.parametrize("name", ["tanh", "sigmoid"])
def test_bounds_and_symmetry(name: str, dtype: str) -> None:
    x = np.concatenate([whole_range(dtype), bent_range(dtype)])
    y = of_core(name, x)
    assert y.max() <= 1.0
    assert y.min() >= (-1.0 if name == "tanh" else 0.0)
    if name == "tanh":
        same_bits(of_core(name, -x), -y)


@every_dtype
@pytest.mark.parametrize("name", ["tanh", "sigmoid"])
def test_never_falls_by_more_than_its_error(name: str, dtype: str) -> None:
    x = np.sort(np.concatenate([whole_range(dtype), bent_range(dtype)]))
    y = of_core(name, x)
    error = max(ABSOLUTE[dtype], UNITS[dtype] * float(np.spacing(np.array(0.99, dtype))))
    assert np.diff(y.astype(WIDER[dtype])).min() >= -2.0 * error


@every_dtype
@every_activation
@pytest.mark.parametrize("size", [0, 1, 3, 7, 15, 16, 17, 33])
def test_any_length_and_nothing_behind_the_end(name: str, dtype: str, size: int) -> None:
    x = np.linspace(-2.0, 2.0, size + 8).astype(dtype)
    y = np.full(size + 8, 7.0, dtype)
    _core.activate(name, x[:size], y[:size])
    np.testing.assert_array_equal(y[:size], of_core(name, x)[:size])
    assert (y[size:] == 7.0).all()


@every_dtype
def test_one_percent_of_an_argument_is_noticed(dtype: str) -> None:
    x = bent_range(dtype)
    wide = np.tanh(x.astype(np.float64) * 1.01)
    assert np.abs(of_core("tanh", x) - wide).max() > 1000 * ABSOLUTE[dtype]
