"""Losses and their gradients against those of `unrolled.cells`, also at corners, infinities and NaN."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.helpers import TOLERANCES, assert_close, every_dtype
from unrolled import _core
from unrolled.cells import LOSSES
from unrolled.engine import LOSSES as NAMES

if TYPE_CHECKING:
    from unrolled.engine import Array

QUANTILES = [0.05, 0.5, 0.9]
every_loss = pytest.mark.parametrize("loss", NAMES)


def of_core(loss: str, y_true: Array, y_pred: Array, delta: float = 1.0) -> tuple[float, Array]:
    """Return the core's sum of losses and its gradient."""
    d_pred = np.empty_like(y_pred)
    quantiles = QUANTILES if loss == "quantile" else []
    return _core.loss(loss, y_pred, y_true, delta, quantiles, d_pred), d_pred


def of_oracle(loss: str, y_true: Array, y_pred: Array, delta: float = 1.0) -> tuple[float, Array]:
    """Return the same by the oracle, whose losses are means."""
    if loss == "quantile":
        mean = LOSSES["pinball"](y_true, y_pred, quantiles=QUANTILES)
    else:
        options = {"delta": delta} if loss == "huber" else {}
        mean = LOSSES[loss](y_true[:, np.newaxis], y_pred, **options)
    return mean.value * y_pred.size, mean.gradient * y_pred.size


def test_the_core_and_the_oracle_know_the_same_losses() -> None:
    assert {name.replace("quantile", "pinball") for name in NAMES} == set(LOSSES)


@every_loss
@every_dtype
@pytest.mark.parametrize("targets", [1, 2, 15, 100])
@pytest.mark.parametrize("delta", [0.25, 1.0, 3.0])
def test_values_and_gradients(loss: str, dtype: str, targets: int, delta: float) -> None:
    rng = np.random.default_rng(targets)
    width = len(QUANTILES) if loss == "quantile" else 1
    y_true = rng.standard_normal(targets).astype(dtype)
    y_pred = rng.standard_normal((targets, width)).astype(dtype)
    y_pred[0] = y_true[0]  # the corner
    value, gradient = of_core(loss, y_true, y_pred, delta)
    expected = of_oracle(loss, y_true, y_pred, delta)
    assert_close(value, expected[0], to="loss", dtype=dtype)
    assert_close(gradient, expected[1], to="gradient", dtype=dtype)
    assert not gradient[0].any()


@every_loss
@every_dtype
@given(y_true=st.floats(width=32, allow_nan=False), y_pred=st.floats(width=32, allow_nan=False))
def test_any_two_numbers(loss: str, dtype: str, y_true: float, y_pred: float) -> None:
    width = len(QUANTILES) if loss == "quantile" else 1
    true, pred = np.full(1, y_true, dtype), np.full((1, width), y_pred, dtype)
    value, gradient = of_core(loss, true, pred)
    expected_value, expected_gradient = of_oracle(loss, true, pred)
    largest = float(np.finfo(dtype).max)
    if not np.isfinite(expected_value) or abs(expected_value) > largest / 4:
        assert not value < largest / 8  # infinite, or NaN where the difference is
        return
    tolerance = 4 * TOLERANCES["loss"][dtype]
    np.testing.assert_allclose(value, expected_value, rtol=tolerance, atol=float(np.finfo(dtype).tiny))
    np.testing.assert_allclose(gradient, expected_gradient, rtol=tolerance, atol=float(np.finfo(dtype).tiny))


@every_loss
@every_dtype
@pytest.mark.parametrize("where", ["true", "pred"])
def test_nan_is_never_hidden(loss: str, dtype: str, where: str) -> None:
    width = len(QUANTILES) if loss == "quantile" else 1
    y_true, y_pred = np.ones(3, dtype), np.zeros((3, width), dtype)
    (y_true if where == "true" else y_pred)[1] = np.nan
    value, gradient = of_core(loss, y_true, y_pred)
    assert np.isnan(value)
    assert np.isnan(gradient[1]).all()
    assert np.isfinite(gradient[[0, 2]]).all()


@every_loss
@every_dtype
def test_an_infinite_error_is_an_infinite_loss(loss: str, dtype: str) -> None:
    width = len(QUANTILES) if loss == "quantile" else 1
    for value in (np.inf, -np.inf):
        y_true, y_pred = np.zeros(1, dtype), np.full((1, width), value, dtype)
        assert of_core(loss, y_true, y_pred)[0] == np.inf


def test_a_quantile_loss_is_by_hand() -> None:
    y_true, y_pred = np.array([10.0]), np.array([[8.0, 12.0]])
    d_pred = np.empty_like(y_pred)
    assert _core.loss("quantile", y_pred, y_true, 1.0, [0.25, 0.75], d_pred) == 1.0
    np.testing.assert_array_equal(d_pred, [[-0.25, 0.25]])
