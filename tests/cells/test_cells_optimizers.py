"""The optimizers and clipping: steps found by hand, and what every optimizer of the table must do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.cells.helpers import assert_close
from unrolled.cells import OPTIMIZERS, clip_by_global_norm
from unrolled.cells.optimizers import SGD, Adam, AdamW

every_optimizer = pytest.mark.parametrize("name", OPTIMIZERS)


def drawn(seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {"matrix": rng.standard_normal((3, 2)), "vector": rng.standard_normal(5)}


@every_optimizer
def test_a_step_goes_down_and_leaves_its_inputs_alone(name: str) -> None:
    w, dw = drawn(0), drawn(1)
    kept = {key: array.copy() for key, array in (w | {f"d{k}": v for k, v in dw.items()}).items()}
    moved = OPTIMIZERS[name](lr=0.01, weight_decay=0.0).step(w, dw)
    assert moved.keys() == w.keys()
    for key in w:
        np.testing.assert_array_equal(np.sign(w[key] - moved[key]), np.sign(dw[key]))
        np.testing.assert_array_equal(w[key], kept[key])
        np.testing.assert_array_equal(dw[key], kept[f"d{key}"])


@every_optimizer
def test_parameters_do_not_see_each_other(name: str) -> None:
    together, alone = OPTIMIZERS[name](lr=0.1), OPTIMIZERS[name](lr=0.1)
    both, one = drawn(), {"vector": drawn()["vector"]}
    for seed in range(3):
        both = together.step(both, drawn(seed))
        one = alone.step(one, drawn(seed))
    np.testing.assert_array_equal(both["vector"], one["vector"])


@every_optimizer
def test_the_bottom_of_a_bowl_is_found(name: str) -> None:
    """L = |w - target|^2 / 2, so dw = w - target."""
    optimizer = OPTIMIZERS[name](lr=0.05, weight_decay=0.0)
    w, target = drawn(0), drawn(1)
    for t in range(600):
        optimizer.lr = 0.05 * 0.99**t  # a schedule sets the rate between steps
        w = optimizer.step(w, {key: w[key] - target[key] for key in w})
    for key in w:
        np.testing.assert_allclose(w[key], target[key], atol=2e-2)


@every_optimizer
def test_no_rate_no_step(name: str) -> None:
    w = drawn()
    moved = OPTIMIZERS[name](lr=0.0).step(w, drawn(1))
    for key in w:
        np.testing.assert_array_equal(moved[key], w[key])


@every_optimizer
def test_weight_decay_draws_to_zero(name: str) -> None:
    w = drawn()
    nothing = {key: np.zeros_like(array) for key, array in w.items()}
    moved = OPTIMIZERS[name](lr=0.01, weight_decay=0.1).step(w, nothing)
    for key in w:
        assert np.all(np.abs(moved[key]) < np.abs(w[key]))


@every_optimizer
def test_nan_reaches_the_parameter(name: str) -> None:
    moved = OPTIMIZERS[name](lr=0.1).step({"w": np.ones(3)}, {"w": np.array([1.0, np.nan, np.inf])})
    assert np.isfinite(moved["w"][0])
    assert np.isnan(moved["w"][1])
    assert not np.isfinite(moved["w"][2])


def steps(optimizer: Any, gradients: list[float], start: float = 1.0) -> list[float]:
    """Return where one number goes."""
    w, path = {"w": np.array(start)}, []
    for dw in gradients:
        w = optimizer.step(w, {"w": np.array(dw)})
        path.append(float(w["w"]))
    return path


def test_sgd_by_hand() -> None:
    assert steps(SGD(lr=0.5), [1.0, 1.0, -2.0]) == [0.5, 0.0, 1.0]
    assert steps(SGD(lr=0.5, momentum=0.5), [1.0, 1.0, 0.0]) == [0.5, -0.25, -0.625]
    assert steps(SGD(lr=0.5, weight_decay=0.5), [1.0, 0.0]) == [0.25, 0.1875]


def test_adam_by_hand() -> None:
    """With betas of 1/2 and gradients 1 and 3: m = 1/2, 7/4; s = 1/2, 19/4; unbiased by 1/2 and 3/4."""
    path = steps(Adam(lr=1.0, betas=(0.5, 0.5), eps=0.0), [1.0, 3.0])
    assert_close(path, [0.0, -(7 / 3) / np.sqrt(19 / 3)], to="order")


def test_adam_decays_in_the_gradient_and_adamw_beside_it() -> None:
    assert_close(steps(Adam(lr=0.1, weight_decay=0.5, eps=0.0), [0.0]), [0.9], to="order")
    assert_close(steps(AdamW(lr=0.1, weight_decay=0.5), [0.0]), [0.95], to="order")
    assert AdamW(lr=0.1).weight_decay == 0.01


def test_adam_does_not_see_the_size_of_gradients() -> None:
    small, large = (steps(Adam(lr=0.1, eps=0.0), [k * 1.0, k * -2.0, k * 0.5]) for k in (1e-6, 1e6))
    assert_close(small, large, to="order")


def test_clipping_by_hand() -> None:
    gradients = {"a": np.array([3.0, 0.0]), "b": np.array([[4.0]])}
    clipped, norm = clip_by_global_norm(gradients, 2.5)
    assert norm == 5.0
    np.testing.assert_allclose(clipped["a"], [1.5, 0.0], rtol=1e-6)
    np.testing.assert_allclose(clipped["b"], [[2.0]], rtol=1e-6)
    assert gradients["a"].tolist() == [3.0, 0.0]
    assert clip_by_global_norm(clipped, np.inf).norm < 2.5


def test_short_gradients_are_not_touched() -> None:
    gradients = drawn()
    for bound in (100.0, np.inf):
        clipped = clip_by_global_norm(gradients, bound).gradients
        for key, array in gradients.items():
            np.testing.assert_array_equal(clipped[key], array)


def test_clipping_nothing() -> None:
    assert clip_by_global_norm({}, 1.0) == ({}, 0.0)
    assert clip_by_global_norm({"w": np.zeros(2)}, 1.0).gradients["w"].tolist() == [0.0, 0.0]


def test_a_norm_that_is_not_a_number_is_not_hidden() -> None:
    clipped, norm = clip_by_global_norm({"a": np.array([1.0]), "b": np.array([np.nan])}, 1.0)
    assert np.isnan(norm)
    assert np.isnan(clipped["a"]).all()
    clipped, norm = clip_by_global_norm({"a": np.array([1.0]), "b": np.array([np.inf])}, 1.0)
    assert norm == np.inf
    assert clipped["a"].tolist() == [0.0]
    assert np.isnan(clipped["b"]).all()
