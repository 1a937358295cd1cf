"""Forecasts follow a rescaled series, a constant stays a constant, and no level is too high."""

from __future__ import annotations

import numpy as np
import pytest
from safetensors.numpy import load_file

from tests.forecaster.helpers import CELLS, SCALINGS, STRATEGIES, assert_close, small, wave

BY_FACTOR = [("mean_abs", 7.5, 0.0), ("mean_abs", 1e-9, 0.0)]
BY_FACTOR_AND_SHIFT = [
    (scaling, factor, shift)
    for scaling in ("standard", "last", "series")
    for factor, shift in ((7.5, -300.0), (1e-9, 0.0), (1e9, 1e10))
]


def learner(**changes):
    return small(4, **{"steps": 30, "season": 12, **changes})


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(("scaling", "factor", "shift"), BY_FACTOR + BY_FACTOR_AND_SHIFT)
def test_forecasts_follow_a_rescaled_series(cell, strategy, scaling, factor, shift):
    changes = {"cell": cell, "strategy": strategy, "scaling": scaling, "dtype": "float64"}
    there = learner(**changes).fit(factor * wave() + shift).predict()
    here = learner(**changes).fit(wave()).predict()
    # Rounding at the level of the series, magnified by thirty steps of learning.
    np.testing.assert_allclose(there, factor * here + shift, rtol=1e-9, atol=1e-9 * factor)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize(
    ("scaling", "shift"), [("standard", 64.0), ("last", 64.0), ("series", 64.0), ("mean_abs", 0.0)]
)
def test_in_float32_too(strategy, scaling, shift):
    y = np.round(wave() * 64) / 64  # so that shift and factor cost no digit
    changes = {"strategy": strategy, "scaling": scaling}
    there = learner(**changes).fit(8 * y + shift).predict()
    np.testing.assert_allclose(there, 8 * learner(**changes).fit(y).predict() + shift, rtol=1e-4)


@pytest.mark.parametrize("scaling", ["standard", "last", "series"])
def test_every_channel_has_its_own_scale(scaling):
    y = np.stack([wave(seed=1), wave(seed=2)], axis=1)
    changes = {"scaling": scaling, "dtype": "float64"}
    factor, shift = np.array([3.0, 1e4]), np.array([0.0, -7e5])
    there = learner(**changes).fit(factor * y + shift).predict()
    np.testing.assert_allclose(
        there, factor * learner(**changes).fit(y).predict() + shift, rtol=1e-9, atol=1e-5
    )


def test_without_scaling_the_law_does_not_hold():
    """The law has teeth: where nothing scales, it fails."""
    changes = {"scaling": "none", "skip": False}
    there = learner(**changes).fit(8 * wave()).predict()
    assert np.abs(there - 8 * learner(**changes).fit(wave()).predict()).max() > 1.0


@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("cell", CELLS)
def test_a_constant_series_is_forecast_as_a_constant(cell, strategy, scaling):
    level = 0.5 if scaling == "none" else 5.0
    forecaster = small(
        3,
        cell=cell,
        strategy=strategy,
        scaling=scaling,
        steps=400,
        lr=0.02,
        patch=1,
        season=4,
        members=1,
        refit=False,
    )
    np.testing.assert_allclose(forecaster.fit(np.full(40, level)).predict(), level, rtol=0.02)


@pytest.mark.parametrize("level", [0.0, -1e30, 1e-30, 16777217.0])
@pytest.mark.parametrize("scaling", ["standard", "last", "mean_abs", "series"])
def test_a_constant_series_at_any_level(scaling, level):
    forecast = small(3, scaling=scaling, steps=400, lr=0.02, patch=1).fit(np.full(40, level)).predict()
    np.testing.assert_allclose(forecast, level, rtol=0.02, atol=0.02)


@pytest.mark.parametrize("scaling", ["standard", "last"])
def test_a_constant_window_in_a_lively_series(scaling):
    y = wave()
    y[-40:] = 7.0
    assert np.isfinite(small(3, scaling=scaling).fit(y).predict()).all()
    assert np.isfinite(small(3, scaling=scaling).fit(wave()).predict(np.full(40, 7.0))).all()


@pytest.mark.parametrize("scaling", ["standard", "last", "series"])
def test_a_huge_offset_does_not_drown_the_season(scaling):
    y = np.tile([0.0, 8.0, 16.0, 8.0], 18)
    near, far = (
        small(4, season=4, scaling=scaling, steps=300, hidden_size=8).fit(y + offset).predict() - offset
        for offset in (0.0, 2.0**20)
    )
    np.testing.assert_allclose(near, [0, 8, 16, 8], atol=1.0)
    np.testing.assert_allclose(far, near, atol=0.5)


@pytest.mark.parametrize("factor", [1e-30, 1e30])
def test_tiny_and_huge_numbers_in_float32(factor):
    forecast = learner(scaling="standard").fit(factor * wave()).predict()
    assert forecast.dtype == np.float32
    np.testing.assert_allclose(
        forecast / factor, learner(scaling="standard").fit(wave()).predict(), rtol=1e-3
    )


def test_series_scaling_of_a_forecaster_sees_the_training_part_alone(tmp_path):
    y, changed = wave(), wave()
    forecaster = small(3, scaling="series", validation=6)
    changed[-6:] = 1e6
    tensors = []
    for number, series in enumerate((y, changed)):
        forecaster.fit(series).save(tmp_path / str(number))
        tensors.append(load_file(tmp_path / str(number)))
    for name in ("scaling.location", "scaling.scale"):
        np.testing.assert_array_equal(tensors[0][name], tensors[1][name])
    assert_close(tensors[0]["scaling.location"][0, 0], np.float64(np.float32(y[:-6]).mean(dtype=np.float64)))


def test_the_weights_of_training_see_nothing_of_the_held_out_part():
    """Checks choose among weights; after one step there is one check and nothing to choose."""
    y, changed = wave(), wave()
    changed[-6:] += 1.0
    for scaling in SCALINGS:
        weights = [
            small(3, scaling=scaling, validation=6, steps=1).fit(series).network_.weights
            for series in (y, changed)
        ]
        for name in weights[0]:
            np.testing.assert_array_equal(weights[0][name], weights[1][name], err_msg=f"{scaling} {name}")
