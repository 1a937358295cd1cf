"""Networks that can be solved on paper, run as a forecaster runs them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.forecaster.helpers import CELLS
from unrolled import Network, NetworkSpec, to_panel
from unrolled.cells.likelihoods import map_quantiles
from unrolled.engine import Windowing
from unrolled.heads import Head
from unrolled.model import Model
from unrolled.scaling import SeriesScaling

LAST_VALUE = {"weight_ih_l0": 1.0, "head.weight": 1.0}
ONE = {"head.bias": 1.0}
Y = np.array([3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0])


def model(
    weights=None, *, horizon, ahead=None, cell="rnn_relu", quantiles=(), scaler=None, skip=False, **windowing
):
    """Return a model of H = 1 whose weights are zero but for those given.

    `ahead` is how many points the network forecasts at once, the horizon if not given.
    """
    windowing = Windowing(**{"window": 4, "horizon": ahead or horizon, **windowing})
    channels = windowing_channels(scaler)
    spec = NetworkSpec(
        cell=cell,
        input_size=windowing.patch * channels,
        hidden_size=1,
        output_size=windowing.horizon * channels * max(1, len(quantiles)),
        skip_steps=windowing.window // windowing.patch if skip else 0,
    )
    values = {name: np.zeros(shape) for name, shape in spec.shapes.items()}
    for name, weight in (weights or {}).items():
        values[name] = np.reshape(weight, spec.shapes[name])
    head = Head("quantile", quantiles) if quantiles else Head("mae")
    return Model((Network(spec, values, dtype="float64"),), windowing, horizon, head, scaler)


def windowing_channels(scaler) -> int:
    return 1 if scaler is None else scaler.location.shape[1]


def forecast(model, y=Y, **how):
    """Return all outputs in the units of the series, [S, K, C, W]; where they are fed back, the points."""
    outcome = model.outcome(to_panel(y, dtype="float64"), threads=1, **how)
    return outcome.units(outcome.outputs)


class TestTheLastValue:
    """relu(1 x + 0 h) = x for x >= 0: the state is the last value, the head hands it on."""

    def test_recursive(self):
        out = forecast(model(LAST_VALUE, horizon=5, ahead=1))
        np.testing.assert_array_equal(out, np.full((1, 5, 1, 1), 6.0))

    def test_direct(self):
        out = forecast(model({"weight_ih_l0": 1.0, "head.weight": [1.0, 2.0, -1.0]}, horizon=3))
        np.testing.assert_array_equal(out.ravel(), [6.0, 12.0, -6.0])

    def test_many_series_each_from_its_own_end(self):
        out = forecast(model(LAST_VALUE, horizon=2, ahead=1), [Y, Y[:-1], Y[:6], Y[:5]])
        np.testing.assert_array_equal(out[:, :, 0, 0], [[6.0, 6.0], [2.0, 2.0], [9.0, 9.0], [5.0, 5.0]])

    def test_it_sees_nothing_negative(self):
        np.testing.assert_array_equal(forecast(model(LAST_VALUE, horizon=2, ahead=1), -Y).ravel(), [0.0, 0.0])


def test_the_state_runs_over_the_whole_window():
    """relu(x + h): the state is the sum of the window, and the forecasts of a closed loop follow from it."""
    weights = {"weight_ih_l0": 1.0, "weight_hh_l0": 1.0, "head.weight": 1.0}
    out = forecast(model(weights, horizon=3, ahead=1))
    sums = [5 + 9 + 2 + 6, 9 + 2 + 6 + 22, 2 + 6 + 22 + 39]
    np.testing.assert_array_equal(out.ravel(), sums)


def test_the_fibonacci_numbers_by_a_skip_alone():
    out = forecast(
        model({"skip.weight": [0.0, 0.0, 1.0, 1.0]}, horizon=6, ahead=1, skip=True), [0.0, 0.0, 1.0, 1.0]
    )
    np.testing.assert_array_equal(out.ravel(), [2, 3, 5, 8, 13, 21])


class TestTheSeason:
    """A skip that hands the last season on is the seasonal naive."""

    def test_direct(self):
        out = forecast(model({"skip.weight": np.eye(4)}, horizon=4, skip=True))
        np.testing.assert_array_equal(out.ravel(), Y[-4:])

    def test_recursive(self):
        out = forecast(model({"skip.weight": [1.0, 0.0, 0.0, 0.0]}, horizon=9, ahead=1, skip=True))
        np.testing.assert_array_equal(out.ravel(), [*Y[-4:], *Y[-4:], Y[-4]])

    @pytest.mark.parametrize("scaling", ["standard", "last", "mean_abs", "none"])
    def test_in_any_scale(self, scaling):
        out = forecast(model({"skip.weight": np.eye(4)}, horizon=4, skip=True, scaling=scaling))
        np.testing.assert_allclose(out.ravel(), Y[-4:], rtol=1e-14)

    def test_in_patches(self):
        out = forecast(model({"skip.weight": np.eye(8)}, horizon=8, skip=True, window=8, patch=4))
        np.testing.assert_array_equal(out.ravel(), Y)


class TestNothing:
    """A network of zeros forecasts what stands for zero: each scaling's own simple forecast."""

    @pytest.mark.parametrize("cell", CELLS)
    @pytest.mark.parametrize("ahead", [1, 3])
    @pytest.mark.parametrize(
        ("scaling", "expected"),
        [("last", 6.0), ("none", 0.0), ("mean_abs", 0.0)],
    )
    def test_of_a_window(self, cell, ahead, scaling, expected):
        out = forecast(model(cell=cell, horizon=3, ahead=ahead, scaling=scaling))
        np.testing.assert_array_equal(out.ravel(), [expected] * 3)

    @pytest.mark.parametrize("cell", CELLS)
    def test_the_mean_direct(self, cell):
        np.testing.assert_array_equal(
            forecast(model(cell=cell, horizon=2, scaling="standard")).ravel(), [5.5, 5.5]
        )

    def test_the_mean_recursive(self):
        out = forecast(model(horizon=2, ahead=1, scaling="standard")).ravel()
        np.testing.assert_allclose(out, [5.5, np.mean([9, 2, 6, 5.5])])

    def test_of_a_series(self):
        scaler = SeriesScaling(np.array([[7.0]]), np.array([[2.0]]))
        np.testing.assert_array_equal(forecast(model(horizon=2, scaler=scaler)).ravel(), [7.0, 7.0])


class TestOneAboveTheLevel:
    """A network whose head says 1 forecasts one unit of its scale above its location."""

    @pytest.mark.parametrize(
        ("scaling", "expected"),
        [
            ("none", 1.0),
            ("standard", 5.5 + np.std([5, 9, 2, 6])),
            ("last", 6.0 + np.std([5, 9, 2, 6])),
            ("mean_abs", 5.5),
        ],
    )
    def test_of_a_window(self, scaling, expected):
        np.testing.assert_allclose(forecast(model(ONE, horizon=1, scaling=scaling)).ravel(), [expected])

    def test_of_a_series(self):
        scaler = SeriesScaling(np.array([[7.0]]), np.array([[2.0]]))
        np.testing.assert_array_equal(forecast(model(ONE, horizon=1, scaler=scaler)).ravel(), [9.0])

    def test_of_some_of_the_series(self):
        scaler = SeriesScaling(np.array([[7.0], [70.0]]), np.array([[2.0], [20.0]]))
        built = model(ONE, horizon=1, scaler=scaler)
        panel = to_panel([Y, Y], dtype="float64")
        np.testing.assert_array_equal(built.forecast(panel, threads=1).ravel(), [9.0, 90.0])
        turned = built.forecast(panel, threads=1, known_as=np.array([1, 0]))
        np.testing.assert_array_equal(turned.ravel(), [90.0, 9.0])

    def test_a_constant_window_has_the_scale_one(self):
        for scaling in ("standard", "last"):
            np.testing.assert_array_equal(
                forecast(model(ONE, horizon=1, scaling=scaling), np.full(4, 3.0)), 4.0
            )


class TestOrderOfOutputs:
    def two_channels(self, weights, **changes):
        scaler = SeriesScaling(np.zeros((1, 2)), np.ones((1, 2)))
        return model(weights, scaler=scaler, **changes)

    def test_horizon_then_channel_then_quantile(self):
        levels = (0.1, 0.5, 0.9)
        built = self.two_channels({"head.bias": np.arange(24.0)}, horizon=4, quantiles=levels)
        out = forecast(built, np.stack([Y, Y], axis=1))
        expected = map_quantiles(np.arange(24.0).reshape(4, 2, 3), quantiles=levels)
        np.testing.assert_allclose(out[0], expected, rtol=1e-14)
        np.testing.assert_array_equal(out[0, :, :, 1], np.arange(24.0).reshape(4, 2, 3)[..., 1])

    def test_the_point_forecast_is_the_median(self):
        built = model({"head.bias": np.arange(6.0)}, horizon=2, quantiles=(0.1, 0.5, 0.9))
        points = built.forecast(to_panel(Y, dtype="float64"), threads=1)
        np.testing.assert_array_equal(points, [[[1.0], [4.0]]])

    def test_a_step_is_a_patch_of_points_of_channels(self):
        pairs = np.stack([Y, 10 * Y], axis=1)
        built = self.two_channels({"skip.weight": np.eye(8)}, horizon=4, skip=True, patch=2)
        np.testing.assert_array_equal(forecast(built, pairs)[0, :, :, 0], pairs[-4:])
        for place in range(4):  # the last patch, seen by the recurrent layer: two points of two channels
            built = self.two_channels(
                {"weight_ih_l0": np.eye(4)[place], "head.weight": np.ones(8)}, horizon=4, patch=2
            )
            assert forecast(built, pairs)[0, 0, 0, 0] == pairs[-2:].ravel()[place]

    def test_channels_are_fed_back_each_to_itself(self):
        pairs = np.stack([Y, 10 * Y], axis=1)
        first = np.zeros((2, 8))
        first[0, 0] = first[1, 1] = 1.0  # each channel repeats its own value four points before
        built = self.two_channels({"skip.weight": first}, horizon=6, ahead=1, skip=True)
        np.testing.assert_array_equal(forecast(built, pairs)[0, :, :, 0], [*pairs[-4:], *pairs[-4:-2]])

    def test_the_median_is_fed_back(self):
        two_below = np.log(np.expm1(2.0))  # softplus of it is 2
        weights = {"skip.weight": [[0, 0, 0, 0], [0, 0, 0, 1]], "head.bias": [two_below, 1.0]}
        built = model(weights, horizon=3, ahead=1, skip=True, quantiles=(0.1, 0.6))
        np.testing.assert_allclose(forecast(built)[0, :, 0, 0], [7.0, 8.0, 9.0], rtol=1e-14)


def test_a_weight_changed_by_one_percent_is_seen():
    right = forecast(model({"skip.weight": np.eye(4)}, horizon=4, skip=True)).ravel()
    wrong = forecast(model({"skip.weight": 1.01 * np.eye(4)}, horizon=4, skip=True)).ravel()
    assert (np.abs(wrong - right) > 0.005).all()
