"""Losses and their gradients against those of `unrolled.cells`, also at corners, infinities and NaN."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import scipy.special
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.helpers import TOLERANCES, assert_close, every_dtype
from unrolled import _core
from unrolled.cells import HEAD_LOSSES, LOSSES
from unrolled.cells.likelihoods import map_gaussian, map_negative_binomial, map_quantiles, map_student_t
from unrolled.engine import LOSSES as NAMES
from unrolled.engine import loss_width

if TYPE_CHECKING:
    from unrolled.engine import Array

QUANTILES = [0.05, 0.3, 0.5, 0.9]
every_loss = pytest.mark.parametrize("loss", NAMES)
every_plain_loss = pytest.mark.parametrize("loss", ["mse", "mae", "huber"])
every_head_loss = pytest.mark.parametrize("loss", HEAD_LOSSES)


def width_of(loss: str) -> int:
    """Return W."""
    return loss_width(loss, QUANTILES if loss == "quantile" else ())


def of_core(
    loss: str, y_true: Array, raw: Array, delta: float = 1.0, *, scale: float = 1.0, missing: bool = False
) -> tuple[float, Array]:
    """Return the core's sum of losses and its gradient."""
    d_raw = np.empty_like(raw)
    quantiles = QUANTILES if loss == "quantile" else []
    size = np.full(1, scale, raw.dtype)
    return _core.loss(loss, raw, y_true, delta, quantiles, d_raw, size, missing), d_raw


def of_oracle(
    loss: str, y_true: Array, raw: Array, delta: float = 1.0, *, scale: float = 1.0
) -> tuple[float, Array]:
    """Return the same by the oracle, whose losses are means."""
    if loss in HEAD_LOSSES:
        options: dict[str, Any] = {"quantiles": QUANTILES} if loss == "quantile" else {}
        options |= {"scale": scale} if loss == "negative_binomial" else {}
        mean = HEAD_LOSSES[loss](y_true, raw, **options)
        terms = raw.size if loss == "quantile" else y_true.size
    else:
        options = {"delta": delta} if loss == "huber" else {}
        mean = LOSSES[loss](y_true[:, np.newaxis], raw, **options)
        terms = raw.size
    return mean.value * terms, mean.gradient * terms


def test_the_core_and_the_oracle_know_the_same_losses() -> None:
    assert set(NAMES) == (set(LOSSES) - {"pinball"}) | set(HEAD_LOSSES)


@every_loss
@every_dtype
@pytest.mark.parametrize("targets", [1, 2, 15, 100])
@pytest.mark.parametrize("delta", [0.25, 1.0, 3.0])
def test_values_and_gradients(loss: str, dtype: str, targets: int, delta: float) -> None:
    rng = np.random.default_rng(targets)
    y_true = rng.standard_normal(targets).astype(dtype)
    scale = 1.0
    if loss == "negative_binomial":
        scale = 4.0
        y_true = (rng.integers(0, 30, targets) / scale).astype(dtype)
    raw = rng.standard_normal((targets, width_of(loss))).astype(dtype)
    value, gradient = of_core(loss, y_true, raw, delta, scale=scale)
    expected = of_oracle(loss, y_true, raw, delta, scale=scale)
    assert_close(value, expected[0], to="loss", dtype=dtype)
    assert_close(gradient, expected[1], to="gradient", dtype=dtype)


@every_plain_loss
@every_dtype
def test_a_perfect_forecast_asks_for_nothing(loss: str, dtype: str) -> None:
    y = np.random.default_rng(0).standard_normal(5).astype(dtype)
    value, gradient = of_core(loss, y, y[:, np.newaxis].copy())
    assert value == 0.0
    assert not gradient.any()


@every_loss
@every_dtype
def test_what_is_missing_has_no_weight(loss: str, dtype: str) -> None:
    rng = np.random.default_rng(3)
    y_true = rng.integers(0, 9, 12).astype(dtype)
    raw = rng.standard_normal((12, width_of(loss))).astype(dtype)
    seen = rng.random(12) < 0.5
    gaps = np.where(seen, y_true, np.nan).astype(dtype)
    raw[~seen] = np.nan  # whatever is forecast there
    value, gradient = of_core(loss, gaps, raw, missing=True)
    expected_value, expected = of_core(loss, y_true[seen].copy(), raw[seen].copy())
    assert value == expected_value
    np.testing.assert_array_equal(gradient[seen], expected)
    np.testing.assert_array_equal(gradient[~seen], 0.0)


@every_dtype
@given(
    raw=st.lists(st.floats(-(2.0**99), 2.0**99, width=32), min_size=4, max_size=4),
    scale=st.floats(2.0**-20, 2.0**20, width=32),
)
def test_quantiles_never_cross(dtype: str, raw: list[float], scale: float) -> None:
    given_ = np.array([raw], dtype)
    out = np.empty_like(given_)
    _core.map_outputs("quantile", given_, QUANTILES, out)
    assert (np.diff(out[0]) >= 0).all()
    assert out[0, 2] == given_[0, 2]
    assert (np.diff(out[0] * np.dtype(dtype).type(scale)) >= 0).all()
    assert_close(out, map_quantiles(given_, quantiles=QUANTILES), to="loss", dtype=dtype)


@every_dtype
@given(raw=st.lists(st.floats(-(2.0**99), 2.0**99, width=32), min_size=3, max_size=3))
def test_parameters_lie_where_they_must(dtype: str, raw: list[float]) -> None:
    maps = {"gaussian": map_gaussian, "student_t": map_student_t, "negative_binomial": map_negative_binomial}
    for loss, expected in maps.items():
        given_ = np.array([raw[: width_of(loss)]], dtype)
        out = np.empty_like(given_)
        _core.map_outputs(loss, given_, [], out)
        np.testing.assert_allclose(out, expected(given_), rtol=4 * TOLERANCES["loss"][dtype])
        assert (out[0, 1:] > 0).all()


RAWS = [-60.0, -8.0, -1.0, 0.0, 1.0, 8.0, 60.0, 1e4]
"""Raw numbers from where a softplus is nothing to where it is large."""


def test_likelihoods_of_scipy_over_their_whole_range() -> None:
    for loss in ("gaussian", "student_t", "negative_binomial"):
        for raw in itertools.product(RAWS, repeat=width_of(loss)):
            one = np.array([raw])
            mapped = np.empty_like(one)
            _core.map_outputs(loss, one, [], mapped)
            for y in (0.0, 1.0, 7.0, 1e3):
                value, gradient = of_core(loss, np.array([y]), one)
                expected = -log_likelihood(loss, y, *mapped[0])
                np.testing.assert_allclose(value, expected, rtol=1e-9, atol=1e-9, err_msg=f"{loss} {raw} {y}")
                assert np.isfinite(gradient).all()


def log_likelihood(loss: str, y: float, mean: float, spread: float, nu: float = 0.0) -> float:
    """Return scipy's."""
    if loss == "gaussian":
        return float(scipy.stats.norm.logpdf(y, mean, spread))
    if loss == "student_t":
        return float(scipy.stats.t.logpdf(y, nu, mean, spread))
    r = 1.0 / spread
    return float(
        scipy.special.gammaln(y + r)
        - scipy.special.gammaln(r)
        - scipy.special.gammaln(y + 1.0)
        - r * np.log1p(mean / r)
        + scipy.special.xlogy(y, mean / (r + mean))
    )


@every_head_loss
@pytest.mark.parametrize("seed", range(5))
def test_gradients_are_slopes(loss: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    y_true, raw = rng.integers(0, 9, 4) / 2.0, 3.0 * rng.standard_normal((4, width_of(loss)))
    gradient = of_core(loss, y_true, raw, scale=2.0)[1]
    numeric = np.empty_like(raw)
    for at in np.ndindex(raw.shape):
        sides = []
        for step in (1e-5, -1e-5):
            moved = raw.copy()
            moved[at] += step
            sides.append(of_core(loss, y_true, moved, scale=2.0)[0])
        numeric[at] = (sides[0] - sides[1]) / 2e-5
    assert_close(gradient, numeric, to="difference", dtype="float64")


@every_plain_loss
@every_dtype
@given(y_true=st.floats(width=32, allow_nan=False), y_pred=st.floats(width=32, allow_nan=False))
def test_any_two_numbers(loss: str, dtype: str, y_true: float, y_pred: float) -> None:
    width = width_of(loss)
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
    width = width_of(loss)
    y_true, y_pred = np.ones(3, dtype), np.zeros((3, width), dtype)
    (y_true if where == "true" else y_pred)[1] = np.nan
    value, gradient = of_core(loss, y_true, y_pred)
    assert np.isnan(value)
    assert np.isnan(gradient[1]).all()
    assert np.isfinite(gradient[[0, 2]]).all()


@every_plain_loss
@every_dtype
def test_an_infinite_error_is_an_infinite_loss(loss: str, dtype: str) -> None:
    width = width_of(loss)
    for value in (np.inf, -np.inf):
        y_true, y_pred = np.zeros(1, dtype), np.full((1, width), value, dtype)
        assert of_core(loss, y_true, y_pred)[0] == np.inf


def test_a_quantile_loss_is_by_hand() -> None:
    # The upper quantile is 8 and softplus(0) = log(2) above it: both are too low, by 2 and by 2 - log(2).
    y_true, raw = np.array([10.0]), np.array([[8.0, 0.0]])
    d_raw = np.empty_like(raw)
    value = _core.loss("quantile", raw, y_true, 1.0, [0.25, 0.75], d_raw, np.ones(1), False)
    np.testing.assert_allclose(value, 0.25 * 2.0 + 0.75 * (2.0 - np.log(2.0)), rtol=1e-15)
    np.testing.assert_array_equal(d_raw, [[-1.0, -0.75 / 2.0]])
