"""The losses: gradients, values found by hand, laws, and what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cells.helpers import assert_close, numeric_gradient
from unrolled.cells import LOSSES
from unrolled.cells.losses import huber, mae, mse, pinball
from unrolled.errors import ArgumentError

QUANTILES = (0.1, 0.5, 0.8)
OPTIONS: dict[str, list[dict[str, Any]]] = {
    "mse": [{}],
    "mae": [{}],
    "huber": [{}, {"delta": 0.3}, {"delta": 5.0}],
    "pinball": [{"quantiles": QUANTILES}, {"quantiles": [0.25]}],
}
"""The options with which each loss of the table is tested; a new loss joins by one line."""

CASES = [(name, options) for name, all_options in OPTIONS.items() for options in all_options]
every_loss = pytest.mark.parametrize(("name", "options"), CASES, ids=[f"{n}-{o}" for n, o in CASES])


def drawn(options: dict[str, Any], *, seed: int = 0, shape: tuple[int, ...] = (3, 4)) -> tuple[Any, Any]:
    """Return random y_true and y_pred, the latter with one more axis where quantiles are asked for."""
    rng = np.random.default_rng(seed)
    quantiles = [len(options["quantiles"])] if "quantiles" in options else []
    return rng.standard_normal(shape), rng.standard_normal((*shape, *quantiles))


def test_every_loss_is_tested() -> None:
    assert OPTIONS.keys() == LOSSES.keys()


@every_loss
@pytest.mark.parametrize("seed", range(3))
def test_gradients(name: str, options: dict[str, Any], seed: int) -> None:
    y_true, y_pred = drawn(options, seed=seed)
    gradient = LOSSES[name](y_true, y_pred, **options).gradient
    numeric = numeric_gradient(lambda y: LOSSES[name](y_true, y, **options).value, y_pred)
    assert_close(gradient, numeric, to="difference")
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        assert_close(1.01 * gradient, numeric, to="difference")


@every_loss
def test_a_perfect_forecast_costs_nothing_and_asks_for_nothing(name: str, options: dict[str, Any]) -> None:
    y_true, y_pred = drawn(options)
    y_pred[...] = y_true[..., np.newaxis] if "quantiles" in options else y_true
    loss = LOSSES[name](y_true, y_pred, **options)
    assert loss.value == 0.0
    assert loss.gradient.shape == y_pred.shape
    assert not loss.gradient.any()


@every_loss
@pytest.mark.parametrize("shape", [(1,), (5,), (2, 3), (2, 1, 4)])
def test_a_loss_is_the_mean_of_the_losses_of_its_elements(
    name: str, options: dict[str, Any], shape: tuple[int, ...]
) -> None:
    y_true, y_pred = drawn(options, shape=shape)
    whole = LOSSES[name](y_true, y_pred, **options)
    assert isinstance(whole.value, float)
    parts = [LOSSES[name](y_true[i], y_pred[i], **options) for i in range(shape[0])]
    assert_close(whole.value, np.mean([part.value for part in parts]), to="order")
    assert_close(whole.gradient, np.stack([part.gradient for part in parts]) / shape[0], to="order")


@every_loss
def test_nan_and_infinity_pass_through(name: str, options: dict[str, Any]) -> None:
    y_true, y_pred = drawn(options)
    clean = LOSSES[name](y_true, y_pred, **options).gradient
    y_true[0, 0] = np.nan
    loss = LOSSES[name](y_true, y_pred, **options)
    assert np.isnan(loss.value)
    assert np.isnan(loss.gradient[0, 0]).all()
    np.testing.assert_array_equal(loss.gradient[1:], clean[1:])
    y_true[0, 0] = np.inf
    assert LOSSES[name](y_true, y_pred, **options).value == np.inf
    y_pred[0, 0] = np.inf
    assert np.isnan(LOSSES[name](y_true, y_pred, **options).value), "infinity less infinity"


@every_loss
def test_inputs_are_left_alone(name: str, options: dict[str, Any]) -> None:
    y_true, y_pred = drawn(options)
    kept = y_true.copy(), y_pred.copy()
    LOSSES[name](y_true, y_pred, **options)
    np.testing.assert_array_equal(y_true, kept[0])
    np.testing.assert_array_equal(y_pred, kept[1])


@every_loss
def test_nothing_to_forecast_has_no_mean(name: str, options: dict[str, Any]) -> None:
    y_true, y_pred = drawn(options, shape=(0, 4))
    loss = LOSSES[name](y_true, y_pred, **options)
    assert np.isnan(loss.value)
    assert loss.gradient.shape == y_pred.shape


def test_by_hand() -> None:
    y_true, y_pred = [1.0, 2.0, 3.0, 4.0], [1.0, 4.0, 2.0, 4.5]  # errors 0, 2, -1, 0.5
    assert mse(y_true, y_pred).value == (0 + 4 + 1 + 0.25) / 4
    assert mse(y_true, y_pred).gradient.tolist() == [0.0, 1.0, -0.5, 0.25]
    assert mae(y_true, y_pred).value == (0 + 2 + 1 + 0.5) / 4
    assert mae(y_true, y_pred).gradient.tolist() == [0.0, 0.25, -0.25, 0.25]
    assert huber(y_true, y_pred).value == (0 + 1.5 + 0.5 + 0.125) / 4
    assert huber(y_true, y_pred).gradient.tolist() == [0.0, 0.25, -0.25, 0.125]
    loss = pinball(y_true, np.array(y_pred)[:, np.newaxis], quantiles=[0.25])
    assert loss.value == (0 + 0.75 * 2 + 0.25 * 1 + 0.75 * 0.5) / 4
    assert loss.gradient.ravel().tolist() == [0.0, 0.1875, -0.0625, 0.1875]


def test_too_high_and_too_low_cost_what_the_quantile_says() -> None:
    low, high = (pinball([10.0], [[y, y]], quantiles=[0.1, 0.9]) for y in (9.0, 11.0))
    np.testing.assert_allclose(low.gradient, [[-0.05, -0.45]])
    np.testing.assert_allclose(high.gradient, [[0.45, 0.05]])


@given(st.integers(0, 2**32 - 1))
def test_losses_are_each_other_s_relatives(seed: int) -> None:
    y_true, y_pred = drawn({}, seed=seed)
    middle = pinball(y_true, y_pred[..., np.newaxis], quantiles=[0.5])
    assert_close(2.0 * middle.value, mae(y_true, y_pred).value, to="order")
    wide, narrow = (huber(y_true, y_pred, delta=delta) for delta in (1e6, 1e-9))
    assert_close(2.0 * wide.value, mse(y_true, y_pred).value, to="order")
    assert_close(2.0 * wide.gradient, mse(y_true, y_pred).gradient, to="order")
    np.testing.assert_allclose(narrow.value / 1e-9, mae(y_true, y_pred).value, rtol=1e-6)


@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 3, 7, 9]))
def test_the_cheapest_constant_forecast_is_the_quantile_itself(seed: int, tenths: int) -> None:
    y_true = np.random.default_rng(seed).standard_normal(25)  # 25 q is never whole, so there is one cheapest
    q = tenths / 10
    costs = [pinball(y_true, np.full((25, 1), y), quantiles=[q]).value for y in y_true]
    cheapest = y_true[int(np.argmin(costs))]
    assert cheapest == np.sort(y_true)[int(np.ceil(25 * q)) - 1]


@every_loss
def test_shapes_are_never_stretched_over_each_other(name: str, options: dict[str, Any]) -> None:
    y_true, y_pred = drawn(options, shape=(3,))
    with pytest.raises(ArgumentError, match="y_true and y_pred have different shapes"):
        LOSSES[name](y_true[:, np.newaxis], y_pred, **options)
    with pytest.raises(ArgumentError, match="y_true and y_pred have different shapes"):
        LOSSES[name](y_true, y_pred[:1], **options)


def test_quantiles_and_forecasts_have_the_same_number() -> None:
    with pytest.raises(ArgumentError, match=r"\(3, 2\)(.|\n)*got: \(3, 1\)"):
        pinball(np.zeros(3), np.zeros((3, 1)), quantiles=[0.1, 0.9])


@pytest.mark.parametrize("delta", [0.0, -1.0, np.nan])
def test_delta_is_above_zero(delta: float) -> None:
    with pytest.raises(ArgumentError, match=r"delta(.|\n)*a number above 0"):
        huber([1.0], [2.0], delta=delta)


@pytest.mark.parametrize("quantile", [0.0, 1.0, 10.0, -0.5, np.nan])
def test_quantiles_are_between_zero_and_one(quantile: float) -> None:
    with pytest.raises(ArgumentError, match="a quantile is out of range"):
        pinball([1.0], [[2.0, 2.0]], quantiles=[0.5, quantile])
