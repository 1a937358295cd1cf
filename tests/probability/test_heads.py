"""Heads: how raw outputs are mapped, what is read off them, and how it comes to the units of the series."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from unrolled.distributions import DISTRIBUTIONS
from unrolled.errors import ArgumentError
from unrolled.heads import COUNTS, POINT_LOSSES, Head

QUANTILES = (0.05, 0.4, 0.6, 0.95)
HEADS = [*(Head(loss) for loss in (*POINT_LOSSES, *DISTRIBUTIONS)), Head("quantile", QUANTILES)]
TELLING = [head for head in HEADS if head.is_probabilistic]


@dataclass(frozen=True)
class Affine:
    """A scaling by location and scale, of logarithms where `kind` is "log"."""

    kind: str
    location: Any
    scale: Any

    def apply(self, values: Any) -> Any:
        values = np.log(values) if self.kind == "log" else values
        return (values - self.location[:, None]) / self.scale[:, None]

    def invert(self, values: Any) -> Any:
        more = (slice(None), None, slice(None), *[None] * (values.ndim - 3))
        back = values * self.scale[more] + self.location[more]
        return np.exp(back) if self.kind == "log" else back


SCALE = np.array([[2.0, 3.0], [0.5, 10.0]])
LINEAR = Affine("standard", np.array([[1.0, -1.0], [0.0, 4.0]]), SCALE)
COUNTED = Affine("mean_abs", np.zeros((2, 2)), SCALE)
BENT = Affine("log", np.array([[1.0, -1.0], [0.0, 1.0]]), SCALE / 10)


def outputs(head: Head, seed: int = 0) -> np.ndarray:
    return head.mapped(np.random.default_rng(seed).normal(size=(2, 3, 2, head.width)))


def fitting(head: Head) -> Affine:
    return COUNTED if head.loss == COUNTS else LINEAR


def test_widths() -> None:
    assert [head.width for head in HEADS] == [1, 1, 1, 2, 3, 2, 4]


def softplus(x: float) -> float:
    return float(np.log(1 + np.exp(x)))


def test_raw_outputs_are_mapped_as_the_core_maps_them() -> None:
    raw = [0.3, -1.0, 0.7]
    assert Head("mae").mapped(raw[:1]).tolist() == raw[:1]
    assert Head("gaussian").mapped(raw[:2]).tolist() == [0.3, pytest.approx(softplus(-1.0) + 1e-3)]
    expected = [0.3, pytest.approx(softplus(-1.0) + 1e-3), pytest.approx(2 + softplus(0.7) + 1e-3)]
    assert Head("student_t").mapped(raw).tolist() == expected
    counts = Head(COUNTS).mapped(raw[:2]).tolist()
    assert counts == [pytest.approx(softplus(0.3) + 1e-6), pytest.approx(softplus(-1.0) + 1e-4)]
    q = Head("quantile", (0.1, 0.2, 0.45, 0.9)).mapped([0.1, -2.0, 5.0, 0.2]).tolist()
    middle = 5.0 - softplus(-2.0)
    assert q == pytest.approx([middle - softplus(0.1), middle, 5.0, 5.0 + softplus(0.2)])


@given(raw=arrays(np.float32, (3, 4), elements=st.floats(-(2.0**99), 2.0**99, width=32)))
def test_mapped_quantiles_never_cross(raw: np.ndarray) -> None:
    assert (np.diff(Head("quantile", QUANTILES).mapped(raw), axis=-1) >= 0).all()


@pytest.mark.parametrize("head", HEADS, ids=lambda head: head.loss)
def test_the_point_is_the_number_or_the_median(head: Head) -> None:
    out = outputs(head)
    point = head.point(out, scale=SCALE[:, None])
    assert point.shape == out.shape[:-1]
    if head.loss in POINT_LOSSES:
        np.testing.assert_array_equal(point, out[..., 0])
    elif head.quantiles:
        np.testing.assert_array_equal(point, out[..., 1])  # 0.4 and 0.6 are as near to 0.5: the first
    else:
        np.testing.assert_array_equal(point, head.quantile(out, [0.5], scale=SCALE[:, None])[..., 0])


def test_quantiles_between_trained_ones_are_interpolated() -> None:
    head, levels = Head("quantile", QUANTILES), np.array([0.05, 0.2, 0.4, 0.5, 0.7, 0.95])
    out = outputs(head)
    got = head.quantile(out, levels)
    for where in np.ndindex(out.shape[:-1]):
        np.testing.assert_allclose(got[where], np.interp(levels, QUANTILES, out[where]), rtol=1e-12)


@pytest.mark.parametrize("level", [0.049, 0.96])
def test_nothing_is_told_of_what_lies_outside_the_trained_quantiles(level: float) -> None:
    head = Head("quantile", QUANTILES)
    with pytest.raises(
        ArgumentError, match=r"outside of those the network was trained on.*\n*.*0.05 to 0.95"
    ):
        head.quantile(outputs(head), [0.5, level])


@pytest.mark.parametrize("level", [0.0, 1.0, float("nan")])
def test_levels_lie_between_0_and_1(level: float) -> None:
    for head in TELLING:
        with pytest.raises(ArgumentError, match="`quantiles` cannot be used"):
            head.quantile(outputs(head), [level])


@pytest.mark.parametrize("head", TELLING, ids=lambda head: head.loss)
def test_samples_have_the_quantiles(head: Head) -> None:
    out = head.mapped([0.4, 1.0, 0.5, 1.0][: head.width])
    n, scale = 40_000, 5.0
    draws = head.sample(np.tile(out, (n, 1)), np.random.default_rng(3), scale=scale)
    for level in (0.1, 0.5, 0.9):
        at = head.quantile(out, [level], scale=scale)[0]
        below, upto = (draws < at - 1e-9).mean(), (draws <= at + 1e-9).mean()
        error = 4 * np.sqrt(level * (1 - level) / n)
        assert below - error <= level <= upto + error
    if head.quantiles:
        assert draws.min() == out[0]
        assert (draws == out[0]).mean() == pytest.approx(0.05, abs=0.005)  # all the probability below 0.05


def test_scaled_counts_are_counts_divided_by_the_scale() -> None:
    head = Head(COUNTS)
    out, scale = outputs(head), SCALE[:, None]
    scaled, counts = head.quantile(out, [0.3, 0.9], scale=scale), head.to_units(out, COUNTED)
    np.testing.assert_allclose(counts[..., 0], out[..., 0] * scale)
    np.testing.assert_array_equal(head.quantile(counts, [0.3, 0.9]), np.rint(scaled * scale[..., None]))
    draws = head.sample(out, np.random.default_rng(0), scale=scale) * scale
    np.testing.assert_allclose(draws, np.rint(draws), atol=1e-12)


@pytest.mark.parametrize("head", TELLING, ids=lambda head: head.loss)
def test_units_before_or_after_are_the_same(head: Head) -> None:
    out, scaling, levels = outputs(head), fitting(head), [0.2, 0.5, 0.8]
    units = head.to_units(out, scaling)
    np.testing.assert_allclose(
        head.quantile(units, levels), head.quantile_in_units(out, levels, scaling), rtol=1e-10
    )
    np.testing.assert_allclose(head.point(units), head.point_in_units(out, scaling), rtol=1e-10)
    one, other = (np.random.default_rng(0) for _ in range(2))
    np.testing.assert_allclose(head.sample(units, one), head.sample_in_units(out, other, scaling), rtol=1e-10)


@pytest.mark.parametrize("loss", ["gaussian", "student_t"])
def test_a_bent_scaling_bends_quantiles_and_not_parameters(loss: str) -> None:
    head = Head(loss)
    out = outputs(head)
    expected = BENT.invert(head.quantile(out, [0.2, 0.7]))
    np.testing.assert_array_equal(head.quantile_in_units(out, [0.2, 0.7], BENT), expected)
    with pytest.raises(ArgumentError, match='scaling "log" bends them'):
        head.to_units(out, BENT)
    np.testing.assert_allclose(
        Head("quantile", QUANTILES).to_units(outputs(HEADS[-1]), BENT), BENT.invert(outputs(HEADS[-1]))
    )


def test_intervals_before_any_calibration() -> None:
    head = Head("quantile", QUANTILES)
    out = outputs(head)
    low, high = head.interval(out, 85)
    np.testing.assert_array_equal(low, out[..., 0])
    np.testing.assert_array_equal(high, out[..., 3])
    low, high = head.interval(out, 10)
    np.testing.assert_array_equal(np.stack([low, high]), np.stack([out[..., 1], out[..., 2]]))
    low, high = Head("gaussian").interval([1.0, 2.0], 95)
    assert [float(low), float(high)] == pytest.approx([1 - 3.919928, 1 + 3.919928])
    assert [float(one) for one in Head("mse").interval([1.0], 95)] == [1.0, 1.0]


@pytest.mark.parametrize("loss", POINT_LOSSES)
def test_points_have_no_quantiles_and_no_samples(loss: str) -> None:
    with pytest.raises(ArgumentError, match="gives points"):
        Head(loss).quantile([1.0], [0.5])
    with pytest.raises(ArgumentError, match="gives points"):
        Head(loss).sample([1.0], np.random.default_rng(0))


@pytest.mark.parametrize(
    ("loss", "quantiles", "says"),
    [
        ("pinball", (), "no head for this loss"),
        ("quantile", (), "quantiles do not fit"),
        ("mae", (0.5,), "quantiles do not fit"),
        ("quantile", (0.5, 0.1), "quantiles do not fit"),
        ("quantile", (0.5, 1.0), "quantiles do not fit"),
        ("quantile", (float("nan"),), "quantiles do not fit"),
    ],
)
def test_heads_that_are_none(loss: str, quantiles: tuple[float, ...], says: str) -> None:
    with pytest.raises(ArgumentError, match=says):
        Head(loss, quantiles)
