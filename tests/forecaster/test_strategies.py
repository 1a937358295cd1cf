"""Direct and recursive forecasts: what they see, what they feed back, and every combination of choices."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tests.forecaster.helpers import CELLS, SCALINGS, STRATEGIES, assert_close, small, wave, waves
from unrolled.engine import DISTRIBUTIONS, LOSSES, OPTIMIZERS

cells = pytest.mark.parametrize("cell", CELLS)
strategies = pytest.mark.parametrize("strategy", STRATEGIES)
scalings = pytest.mark.parametrize("scaling", SCALINGS)


@cells
@strategies
@scalings
class TestWhatAForecastSees:
    def fitted(self, **changes):
        return small(6, dtype="float64", window=12, hidden_size=6, **changes).fit(wave())

    @pytest.mark.parametrize("skip", [False, True])
    @pytest.mark.parametrize("patch", [1, 4])
    def test_the_first_forecast_depends_on_the_last_observation(self, cell, strategy, scaling, skip, patch):
        forecaster = self.fitted(cell=cell, strategy=strategy, scaling=scaling, skip=skip, patch=patch)
        y = wave()
        before = forecaster.predict(y)
        y[-1] += 0.01
        change = np.abs(forecaster.predict(y) - before)
        assert change[0] > 1e-9
        assert (change > 1e-12).all()

    def test_it_depends_on_the_whole_window_and_on_nothing_before(self, cell, strategy, scaling):
        forecaster = self.fitted(cell=cell, strategy=strategy, scaling=scaling)
        before = forecaster.predict(wave())
        for back in (1, 2, 6, 11, 12):
            y = wave()
            y[-back] += 0.1
            assert (forecaster.predict(y) != before).any(), back
        y = wave()
        y[:-12] += 0.1
        np.testing.assert_array_equal(forecaster.predict(y), before)


@cells
@scalings
class TestRecursive:
    def test_it_is_a_loop_of_forecasts_of_one_point(self, cell, scaling):
        changes = {"cell": cell, "scaling": scaling, "strategy": "recursive", "dtype": "float64", "window": 8}
        changes |= {"skip": False, "patch": 1, "validation": 0, "members": 1}
        forecast = small(5, **changes).fit(wave()).predict()
        one = small(1, **changes).fit(wave())
        y = wave()
        for _ in range(5):
            y = np.append(y, one.predict(y))
        assert_close(forecast, y[-5:], to="float64")

    def test_a_longer_horizon_begins_with_the_shorter(self, cell, scaling):
        changes = {"cell": cell, "scaling": scaling, "strategy": "recursive", "window": 8, "validation": 0}
        changes |= {"skip": False, "patch": 1}
        short, long = (small(horizon, **changes).fit(wave()).predict() for horizon in (3, 40))
        np.testing.assert_array_equal(long[:3], short)

    def test_several_channels_are_fed_back_together(self, cell, scaling):
        y = np.stack([wave(seed=1), wave(seed=2)], axis=1)
        changes = {"cell": cell, "scaling": scaling, "strategy": "recursive", "dtype": "float64", "window": 8}
        changes |= {"skip": False, "patch": 1, "validation": 0, "members": 1}
        forecast = small(3, **changes).fit(y).predict()
        one = small(1, **changes).fit(y)
        for _ in range(3):
            y = np.concatenate([y, one.predict(y)])
        assert_close(forecast, y[-3:], to="float64")

    def test_a_horizon_of_one_is_direct_too(self, cell, scaling):
        changes = {"cell": cell, "scaling": scaling, "window": 8, "skip": False, "patch": 1, "validation": 0}
        direct, recursive = (small(1, strategy=name, **changes).fit(wave()).predict() for name in STRATEGIES)
        np.testing.assert_array_equal(direct, recursive)


class TestQuantiles:
    LEVELS = (0.1, 0.4, 0.9)

    def fitted(self, y=None, **changes):
        chosen = {"loss": "quantile", "quantiles": self.LEVELS, **changes}
        return small(3, **chosen).fit(wave() if y is None else y)

    def test_the_point_forecast_is_the_quantile_nearest_to_the_median(self):
        for y in (wave(), np.stack([wave(), wave()], axis=1), waves(40, 50)):
            forecaster = self.fitted(y)
            quantiles = forecaster.predict_quantiles()
            assert quantiles.shape[-1] == 3
            assert_close(forecaster.predict().ravel(), quantiles[..., 1].ravel())

    def test_fed_back_the_quantiles_are_those_of_sample_paths(self):
        forecaster = small(3, strategy="recursive", loss="gaussian", steps=200).fit(wave(200))
        quantiles = forecaster.predict_quantiles(quantiles=(0.1, 0.5, 0.9))[0, :, 0]
        paths = forecaster.sample(4000, seed=7)[0, :, :, 0]
        below = (paths[:, :, None] < quantiles).mean(axis=0)
        # 200 paths told the quantiles: their standard error is at most sqrt(0.25 / 200) = 0.035.
        np.testing.assert_allclose(below, np.tile([0.1, 0.5, 0.9], (3, 1)), atol=4 * 0.035)

    @pytest.mark.parametrize(
        ("levels", "nearest"), [((0.5,), 0), ((0.1, 0.9), 0), ((0.2, 0.7), 1), ((0.9, 0.99), 0)]
    )
    def test_which_is_nearest(self, levels, nearest):
        forecaster = self.fitted(quantiles=levels)
        assert_close(forecaster.predict(), forecaster.predict_quantiles()[0, :, 0, nearest])

    def test_the_median_is_fed_back(self):
        changes = {"strategy": "recursive", "window": 8, "dtype": "float64", "skip": False, "validation": 0}
        changes |= {"loss": "quantile", "quantiles": self.LEVELS, "scaling": "last", "members": 1}
        forecast = small(3, **changes).fit(wave()).predict()
        one, y = small(1, **changes).fit(wave()), wave()
        for step in forecast:
            assert_close(one.predict_quantiles(y)[0, 0, 0, 1], step, to="float64")
            y = np.append(y, step)

    def test_new_series(self):
        forecaster = self.fitted()
        assert forecaster.predict_quantiles(waves(30, 40)).shape == (2, 3, 1, 3)

    def test_so_many_points_lie_below(self):
        noise = np.random.default_rng(4).standard_normal(1500)
        forecaster = self.fitted(
            noise[:1000], quantiles=(0.1, 0.5, 0.9), steps=600, scaling="none", window=10, validation=100
        )
        quantiles = forecaster.predict_quantiles([noise[:end] for end in range(1000, 1490)])[:, 0, 0]
        below = (noise[1000:1490, None] < quantiles).mean(axis=0)
        np.testing.assert_allclose(below, [0.1, 0.5, 0.9], atol=0.06)

    def test_one_quantile_alone(self):
        assert self.fitted(quantiles=(0.9,)).predict_quantiles().shape == (1, 3, 1, 1)


@cells
@strategies
@scalings
def test_every_loss_and_optimizer_with_it(cell, strategy, scaling):
    of_numbers = [loss for loss in LOSSES if loss not in DISTRIBUTIONS]
    for loss, optimizer in itertools.product(of_numbers, OPTIMIZERS):
        forecaster = small(
            3,
            cell=cell,
            strategy=strategy,
            scaling=scaling,
            loss=loss,
            optimizer=optimizer,
            quantiles=(0.1, 0.5, 0.9) if loss == "quantile" else None,
            momentum=0.9 if optimizer == "sgd" else 0.0,
        )
        forecast = forecaster.fit(wave()).predict()
        assert forecast.shape == (3,)
        assert np.isfinite(forecast).all(), (loss, optimizer)
        assert len(forecaster.history_.losses) == 5


@cells
@strategies
@pytest.mark.parametrize("num_layers", [1, 2, 3])
def test_layers_and_dropout(cell, strategy, num_layers):
    dropout = 0.5 if num_layers > 1 else 0.0
    forecaster = small(3, cell=cell, strategy=strategy, num_layers=num_layers, dropout=dropout)
    forecaster.fit(np.stack([wave(seed=1), wave(seed=2)], axis=1))
    np.testing.assert_array_equal(forecaster.predict(), forecaster.predict())  # no dropout when forecasting
    assert forecaster.network_.spec.num_layers == num_layers


@strategies
@pytest.mark.parametrize("patch", [1, 2, 3, 6, 12])
@pytest.mark.parametrize("skip", [False, True])
def test_patches_and_skip(strategy, patch, skip):
    forecaster = small(4, strategy=strategy, window=12, patch=patch, skip=skip)
    for y in (wave(), np.stack([wave(seed=1), wave(seed=2)], axis=1)):
        forecaster.fit(y)
        spec = forecaster.network_.spec
        assert spec.input_size == patch * np.ndim(y)
        assert spec.skip_steps == (12 // patch if skip else 0)
        assert spec.output_size == (4 if strategy == "direct" else 1) * np.ndim(y)
        assert np.isfinite(forecaster.predict()).all()


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("loss", ["mse", "mae"]),
        ("delta", [0.01, 10.0]),
        ("optimizer", ["sgd", "adam"]),
        ("lr", [0.001, 0.02]),
        ("momentum", [0.0, 0.9]),
        ("weight_decay", [0.0, 0.9]),
        ("clip", [None, 0.01]),
        ("batch_size", [4, 16]),
        ("steps", [5, 50]),
        ("schedule", ["constant", "cosine"]),
        ("shuffle", [True, False]),
        ("seed", [0, 1]),
        ("cell", ["lstm", "gru"]),
        ("hidden_size", [3, 4]),
        ("dropout", [0.0, 0.5]),
        ("scaling", ["standard", "last"]),
    ],
)
def test_every_argument_matters(name, values):
    changes = {"steps": 20, "loss": "huber", "optimizer": "sgd", "num_layers": 2, "validation": 0}
    one, other = (small(3, **{**changes, name: value}).fit(wave()).predict() for value in values)
    assert (one != other).any()


def test_epochs_are_passes_over_the_windows():
    forecaster = small(3, steps=None, epochs=4, batch_size=7, validation=0, window=10).fit(wave(60))
    assert forecaster.history_.steps_per_epoch == -(-(60 - 10 - 3 + 1) // 7)
    assert len(forecaster.history_.losses) == 4 * forecaster.history_.steps_per_epoch


def test_the_held_out_windows_are_looked_at_often_enough_to_choose():
    for steps in (7, 60, 400):
        checks = small(3, steps=steps, patience=0).fit(wave()).history_.checks
        assert len(checks) >= min(steps, 20)
        assert max(checks) == steps
