"""Series scaled once: by their training part alone, and back again exactly."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from unrolled.scaling import SCALINGS, SeriesScaling

LENGTHS = (5, 1, 9)
OFFSETS = np.array([0, 5, 6, 15])

numbers = st.floats(-1e6, 1e6, width=32)
panels = arrays(np.float32, (15, 2), elements=numbers)
dtypes = st.sampled_from([np.float32, np.float64])


def last_points(held_out: int) -> np.ndarray:
    """Return which rows of the panel are held out; a series keeps at least its first point."""
    return np.concatenate([np.arange(n) >= max(n - held_out, 1) for n in LENGTHS])


@given(values=panels, dtype=dtypes)
def test_mean_and_deviation_of_each_series_and_channel(values, dtype):
    values = values.astype(dtype)
    scaling = SeriesScaling.fit(values, OFFSETS)
    for series, (begin, end) in enumerate(itertools.pairwise(OFFSETS)):
        known = values[begin:end].astype(np.float64)
        np.testing.assert_allclose(scaling.location[series], known.mean(axis=0), rtol=1e-12, atol=1e-300)
        varied = known.std(axis=0) > 1e-5 * np.abs(known).mean(axis=0)
        np.testing.assert_allclose(scaling.scale[series][varied], known.std(axis=0)[varied], rtol=1e-12)


@given(values=panels, noise=panels, held_out=st.integers(1, 12))
def test_held_out_points_have_no_influence(values, noise, held_out):
    changed = np.where(last_points(held_out)[:, None], noise, values)
    one, other = (SeriesScaling.fit(each, OFFSETS, held_out=held_out) for each in (values, changed))
    np.testing.assert_array_equal(one.location, other.location)
    np.testing.assert_array_equal(one.scale, other.scale)


def test_points_before_the_held_out_ones_have_influence():
    values = np.arange(30.0).reshape(15, 2)
    changed = values.copy()
    changed[3] += 1
    one, other = (SeriesScaling.fit(each, OFFSETS, held_out=1) for each in (values, changed))
    assert (one.location[0] != other.location[0]).all()
    np.testing.assert_array_equal(one.location[1:], other.location[1:])


@given(values=panels, dtype=dtypes)
def test_back_again_exactly(values, dtype):
    values = values.astype(dtype)
    scaling = SeriesScaling.fit(values, OFFSETS)
    scaled = scaling.apply(values, OFFSETS)
    assert scaled.dtype == dtype
    assert np.isfinite(scaled).all()
    for series, (begin, end) in enumerate(itertools.pairwise(OFFSETS)):
        back = scaling.of(np.array([series])).invert(scaled[None, begin:end, :, None])
        assert (back.dtype, back.shape) == (dtype, (1, end - begin, 2, 1))
        # One rounding of the scaled value, one of the result: in units of the largest value of the series.
        reach = (
            np.abs(values[begin:end]).max() + scaling.scale[series].max() * np.abs(scaled[begin:end]).max()
        )
        np.testing.assert_allclose(
            back[0, :, :, 0], values[begin:end], atol=2 * np.finfo(dtype).eps * reach, rtol=0
        )


@pytest.mark.parametrize("level", [0.0, 5.0, 0.1, -1e30, 1e-30, 16777217.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_constant_series_keeps_its_size(level, dtype):
    values = np.full((7, 1), level, dtype)
    scaling = SeriesScaling.fit(values, np.array([0, 7]))
    assert scaling.scale.item() == 1.0
    scaled = scaling.apply(values, np.array([0, 7]))
    assert np.abs(scaled).max() <= 4 * np.finfo(dtype).eps * abs(level)
    np.testing.assert_allclose(scaling.invert(scaled[None, ..., None]).ravel(), values.ravel(), rtol=1e-6)


def test_rounding_noise_around_a_level_counts_as_constant():
    values = np.array([0.1, np.nextafter(np.float32(0.1), np.float32(1))] * 5, np.float32)[:, None]
    assert SeriesScaling.fit(values, np.array([0, 10])).scale.item() == 1.0


def test_a_constant_channel_beside_a_lively_one():
    values = np.stack([np.full(20, 3.0), np.arange(20.0)], axis=1)
    scaling = SeriesScaling.fit(values, np.array([0, 20]))
    np.testing.assert_allclose(scaling.scale[0], [1.0, np.arange(20.0).std()])


def test_huge_offset_in_float64():
    values = 1e12 + np.arange(50.0)[:, None] % 7
    scaling = SeriesScaling.fit(values, np.array([0, 50]))
    scaled = scaling.apply(values, np.array([0, 50]))
    assert scaled.std() == pytest.approx(1.0, rel=1e-4)
    np.testing.assert_allclose(
        scaling.invert(scaled[None, ..., None]).ravel(), values.ravel(), atol=3e-4, rtol=0
    )


def test_some_of_the_series():
    values = np.arange(30.0).reshape(15, 2)
    scaling = SeriesScaling.fit(values, OFFSETS)
    some = scaling.of(np.array([2, 0]))
    np.testing.assert_array_equal(some.location, scaling.location[[2, 0]])
    np.testing.assert_array_equal(some.scale, scaling.scale[[2, 0]])


def test_forecasts_of_every_quantile_and_channel_come_back():
    scaling = SeriesScaling(np.array([[10.0, -5.0]]), np.array([[2.0, 3.0]]))
    back = scaling.invert(np.ones((1, 4, 2, 3), np.float32))
    np.testing.assert_array_equal(back[0, :, 0], 12.0)
    np.testing.assert_array_equal(back[0, :, 1], -2.0)


def test_the_input_is_not_changed():
    values = np.arange(30.0).reshape(15, 2)
    values.setflags(write=False)
    scaling = SeriesScaling.fit(values, OFFSETS, held_out=1)
    forecasts = np.ones((3, 2, 2, 1))
    forecasts.setflags(write=False)
    scaling.apply(values, OFFSETS)
    scaling.invert(forecasts)


def test_the_table_of_names():
    assert SCALINGS[-1] == "series"
    assert len(set(SCALINGS)) == len(SCALINGS)
