"""The scaling that reads a window in logs only where they suit its values: the choice, and the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.engine.helpers import fill, same_bits
from tests.engine.windows import fit_scaling, scale, unscale
from unrolled.engine import Engine, Table, Windowing
from unrolled.scaling import WindowScaling

if TYPE_CHECKING:
    from unrolled.engine import Array

NAN = np.nan
WINDOWS = {
    "growth": ([1, 2, 4, 8, 16, 32, 64, 128], 1.0),
    "growth with gaps and zeros": ([0, NAN, 0.5, 5, 0, NAN, 50, 500], 0.5),
    "one spike": ([3, 4, 3, 5, 4, 3, 4, 4000], 3.0),
    "a spike among zeros": ([0, 0, 0, 0, 0, 0, 0, 4000], 0.0),
    "one value below 0": ([1, 2, 4, 8, 16, 32, 64, -1e-9], 0.0),
    "just tenfold": ([1, 1, 1, 1, 1, 1, 1, 10], 0.0),
    "more than tenfold": ([1, 1, 1, 1, 1, 1.5, 2, 10.001], 1.0),
    "as skew in logs": ([1, 100, 1, 100, 1, 100, 1, 100], 0.0),
    "more skew in logs": ([1e-6, 5, 6, 7, 8, 5, 6, 7], 0.0),
    "tame": ([5, 6, 7, 8, 7, 6, 5, 6], 0.0),
    "constant": ([7, 7, NAN, 7, 7, 7, 7, 7], 0.0),
    "zeros": ([0, 0, 0, 0, NAN, 0, 0, 0], 0.0),
    "few values among zeros": ([0] * 23 + [2, 30], 2.0),
    "tiny and huge": ([1e-6, 1e-4, 1e-2, 1, 1e2, 1e4, 1e6, 1e6], 1e-6),
    "more than a series spans": ([1e-7, 1e-5, 1e-2, 1, 1e2, 1e5, 1e7, 1e7], 0.0),
    "nothing": ([NAN] * 8, 0.0),
}

every_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])


def gathered(values: Array, scaling: str, dtype: str, *, mask: bool = True) -> tuple[Array, Array]:
    """Return what a network reads of a window [W, C], NaN where a value is missing, and its scale [3, C]."""
    channels = values.shape[1]
    engine = Engine("gru", input_size=channels * (1 + mask), hidden_size=2, output_size=channels, dtype=dtype)
    table = Table(np.ascontiguousarray(values, dtype), np.array([0, len(values)]))
    windowing = Windowing(len(values), 1, scaling=scaling, mask=mask)
    zero = np.zeros(1, np.int64)
    x, fitted = engine.gather(table, zero, zero, windowing=windowing)
    read = x[:, 0, :channels]
    return np.where(x[:, 0, channels:] == 1.0, np.nan, read) if mask else read, fitted[0]


@every_dtype
@pytest.mark.parametrize("name", WINDOWS)
def test_a_window_chooses_as_the_equations_do(name: str, dtype: str) -> None:
    points, least = WINDOWS[name]
    window = np.array(points, dtype)[:, None]
    read, fitted = gathered(window, "adaptive", dtype)
    expected = fit_scaling(window.astype(np.float64), "adaptive", dtype)
    assert fitted[0, 0] == expected[0, 0] == np.dtype(dtype).type(least)
    tolerance = 1e-6 if dtype == "float32" else 1e-13
    np.testing.assert_allclose(fitted, expected, rtol=tolerance)
    np.testing.assert_allclose(
        read, scale(window.astype(np.float64), expected, "adaptive"), rtol=tolerance, atol=10 * tolerance
    )


@every_dtype
def test_channels_choose_each_for_themselves(dtype: str) -> None:
    both = np.stack([np.array(WINDOWS[name][0]) for name in ("growth", "one value below 0")], axis=1)
    read, fitted = gathered(both, "adaptive", dtype, mask=False)
    for c in range(2):
        alone, own = gathered(both[:, c : c + 1], "adaptive", dtype, mask=False)
        same_bits(read[:, c : c + 1], alone)
        same_bits(fitted[:, c : c + 1], own)
    np.testing.assert_array_equal(fitted[0], [1.0, 0.0])


@every_dtype
@pytest.mark.parametrize("mask", [False, True])
def test_a_tame_window_has_the_bits_of_standard(dtype: str, mask: bool) -> None:
    rng = np.random.default_rng(3)
    values = (5.0 + rng.standard_normal((40, 2))).astype(dtype)
    if mask:
        values[[3, 17, 30], 0] = np.nan
    table, starts = Table(values, np.array([0, 40])), np.arange(30)
    engine = Engine("lstm", input_size=4 if mask else 2, hidden_size=5, output_size=6, dtype=dtype)
    fill(engine, rng)
    said = [
        engine.forecast(
            table, np.zeros(30, np.int64), starts, windowing=Windowing(8, 3, scaling=scaling, mask=mask)
        )
        for scaling in ("adaptive", "standard")
    ]
    same_bits(said[0].outputs, said[1].outputs)
    same_bits(said[0].scaling[:, 1:], said[1].scaling[:, 1:])
    assert not said[0].scaling[:, 0].any()


@every_dtype
@settings(max_examples=60, deadline=None)
@given(arrays(np.float64, (9, 2), elements=st.floats(0.0, 1e4, width=32)))
def test_what_was_scaled_comes_back(dtype: str, window: Array) -> None:
    """Also far below and far above all that the window has, by the core and by `WindowScaling`."""
    _, fitted = gathered(window, "adaptive", dtype)
    here = WindowScaling.of("adaptive", fitted[None])
    pre, size = here.pre[0], here.location[0] + 40 * here.scale[0]
    steps = np.array([-1e3, -10.0, -1.0, 0.0, 0.5, 0.999, 1.0, 1.001, 2.0])[:, None]
    high = np.where(pre > 0, here.location[0] + here.scale[0], 0.0)
    top = np.where(pre > 0, np.exp(high), size) * np.maximum(steps, 0.5)
    values = np.concatenate([np.where(pre > 0, pre, size) * steps, window, 1e3 * window, top, 1e3 * top])[
        None
    ]
    scaled = here.apply(values)
    assert np.isfinite(scaled).all()
    lost = 1e-14 * np.where(pre > 0, pre, np.abs(size)).max() * 1e3
    np.testing.assert_allclose(here.invert(scaled), values, rtol=1e-11, atol=lost)
    order = np.argsort(values[0, :, 0])
    assert (np.diff(scaled[0, order, 0]) >= 0).all()
    oracle = fitted.astype(np.float64)
    np.testing.assert_allclose(scaled[0], scale(values[0], oracle, "adaptive"), rtol=1e-9, atol=1e-9)
    back = unscale(scaled[0][..., None], oracle, "adaptive")[..., 0]
    np.testing.assert_allclose(back, values[0], rtol=1e-9, atol=lost)


@every_dtype
@pytest.mark.parametrize(
    "name", ["growth", "growth with gaps and zeros", "tiny and huge", "few values among zeros"]
)
def test_no_forecast_is_exponential(name: str, dtype: str) -> None:
    """The core says 10 deviations in logs of every window: nine straight ones above the first."""
    window = np.array(WINDOWS[name][0], dtype)[:, None]
    engine = Engine("gru", input_size=2, hidden_size=2, output_size=1, dtype=dtype)
    zeros = {part: np.zeros(shape, dtype) for part, shape in engine.shapes.items()}
    (bias,) = (part for part, shape in engine.shapes.items() if shape == (1,))
    engine.set({**zeros, bias: np.array([10.0], dtype)})
    table, zero = Table(window, np.array([0, len(window)])), np.zeros(1, np.int64)
    windowing = Windowing(len(window), 1, scaling="adaptive", mask=True)
    said = engine.forecast(table, zero, zero, windowing=windowing)
    pre, location, size = said.scaling[0, :, 0].astype(np.float64)
    high = max(location + size, np.log(pre))
    expected = np.exp(high) * (1 + location + 10 * size - high)
    if name != "few values among zeros":
        np.testing.assert_allclose(expected, np.exp(location + size) * (1 + 9 * size))
    tolerance = 1e-6 if dtype == "float32" else 1e-13
    np.testing.assert_allclose(said.outputs.ravel(), expected, rtol=tolerance)
    here = WindowScaling.of("adaptive", said.scaling).invert(np.full((1, 1, 1), 10.0))
    np.testing.assert_allclose(here.item(), expected, rtol=1e-13)
