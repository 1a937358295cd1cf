"""Members of an ensemble are forecasters of their own; more training goes on from what there is."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from tests.forecaster.beside import HORIZON, LOSSES, USES, fit_for, frame, needs, told
from tests.forecaster.helpers import CELLS, small, wave, waves
from unrolled.errors import ArgumentError, DataError, KindError, NotFittedError

uses = pytest.mark.parametrize(("strategy", "memory"), USES)


def outputs(forecaster):
    """Return the weights of each member, as one row of numbers."""
    return [np.concatenate([one.ravel() for one in n.weights.values()]) for n in forecaster._model.networks]


class TestMembers:
    @uses
    @pytest.mark.parametrize("cell", CELLS)
    def test_each_is_a_single_fit_with_the_next_seed(self, cell, strategy, memory):
        panel = told(50, 60)
        how = {"cell": cell, "strategy": strategy, "memory": memory, "window": 8, "num_layers": 2}
        how |= {"dropout": 0.2, "snapshots": 2, "steps": 8}
        together = small(HORIZON, members=3, seed=5, threads=2, **how).fit(panel.series, **panel.beside())
        assert len(together.histories_) == 3
        for number, weights in enumerate(outputs(together)):
            alone = small(HORIZON, members=1, seed=5 + number, **how).fit(panel.series, **panel.beside())
            np.testing.assert_array_equal(outputs(alone)[0], weights)
            assert alone.history_.losses == together.histories_[number].losses

    @pytest.mark.parametrize("combine", ["median", "mean"])
    @uses
    def test_they_forecast_together(self, strategy, memory, combine):
        how = {"strategy": strategy, "memory": memory, "window": 8, "dtype": "float64"}
        together = small(HORIZON, members=4, combine=combine, **how).fit(wave())
        alone = [small(HORIZON, members=1, seed=seed, **how).fit(wave()).predict() for seed in range(4)]
        put = np.median if combine == "median" else np.mean
        np.testing.assert_allclose(together.predict(), put(alone, axis=0), rtol=1e-12)

    def test_the_last_seed_is_followed_by_the_first(self):
        together = small(HORIZON, members=2, seed=2**32 - 1, window=8).fit(wave())
        alone = small(HORIZON, members=1, window=8).fit(wave())
        np.testing.assert_array_equal(outputs(together)[1], outputs(alone)[0])

    def test_paths_are_of_all_of_them(self):
        how = {"loss": "gaussian", "strategy": "recursive", "window": 8, "steps": 20}
        together = small(HORIZON, members=3, **how).fit(wave())
        paths = together.sample(7, seed=2)
        for number, count in ((0, 3), (1, 2), (2, 2)):
            alone = small(HORIZON, seed=number, **how).fit(wave()).sample(count, seed=2 + number)
            begin = (0, 3, 5)[number]
            np.testing.assert_array_equal(paths[:, begin : begin + count], alone)

    def test_one_path_of_many_members(self):
        how = {"loss": "gaussian", "strategy": "recursive", "window": 8}
        assert small(HORIZON, members=3, **how).fit(wave()).sample(1).shape == (1, 1, HORIZON, 1)

    @pytest.mark.parametrize("loss", LOSSES)
    def test_quantiles_of_them_together_do_not_cross(self, loss):
        if loss == "mae":
            return
        for combine in ("median", "mean"):
            forecaster = small(HORIZON, members=3, combine=combine, window=8, **needs(loss))
            forecaster.fit(fit_for(loss, wave()))
            assert (np.diff(forecaster.predict_quantiles(quantiles=(0.1, 0.5, 0.9)), axis=-1) >= 0).all()

    def test_snapshots_are_the_mean_of_the_best_weights(self):
        how = {"window": 8, "steps": 60, "lr": 0.05, "patience": 0, "dtype": "float64", "members": 1}
        one, many = (small(HORIZON, snapshots=n, **how).fit(wave(noise=1.0)) for n in (0, 4))
        assert one.history_.checks == many.history_.checks
        assert many.history_.averaged == 4 or not many.history_.averaged
        best = min(one.history_.checks.values())
        if many.history_.averaged:  # taken only where it is no worse
            assert many.history_.averaged_loss <= best
            assert (outputs(one)[0] != outputs(many)[0]).any()


class TestMore:
    @uses
    @pytest.mark.parametrize("loss", LOSSES)
    def test_weights_change_and_stay_finite(self, strategy, memory, loss):
        panel = told(50, 60, loss=loss)
        how = {"strategy": strategy, "memory": memory, "window": 8, "validation": 0, "members": 2}
        forecaster = small(HORIZON, **how, **needs(loss)).fit(panel.series, **panel.beside())
        before, encoder, scaler = outputs(forecaster), forecaster._model.encoder, forecaster._model.scaler
        for y in panel.series:
            y[-20:] += 5.0
        assert forecaster.fit_more(panel.series, steps=4, **panel.beside()) is forecaster
        for one, old in zip(outputs(forecaster), before, strict=True):
            assert np.isfinite(one).all()
            assert (one != old).any()
        assert forecaster._model.encoder is encoder
        assert forecaster._model.scaler is scaler
        assert len(forecaster.history_.losses) == 4
        assert np.isfinite(np.asarray(forecaster.predict(panel.series, **panel.beside()))).all()

    def test_it_touches_no_copy(self, tmp_path):
        forecaster = small(HORIZON, window=8, members=2, calibration=9).fit(wave())
        forecaster.save(tmp_path / "model")
        copies = [forecaster.load(tmp_path / "model"), copy.deepcopy(forecaster), copy.copy(forecaster)]
        copies.append(pickle.loads(pickle.dumps(forecaster)))
        before = [(outputs(one), one.predict(wave()), one.predict(levels=(50,)).lower[50]) for one in copies]
        forecaster.fit_more(wave(seed=9), steps=5)
        for one, (weights, said, lower) in zip(copies, before, strict=True):
            np.testing.assert_array_equal(outputs(one), weights)
            np.testing.assert_array_equal(one.predict(wave()), said)
            np.testing.assert_array_equal(one.predict(levels=(50,)).lower[50], lower)
        assert (outputs(forecaster)[0] != before[0][0][0]).any()

    def test_a_loaded_one_goes_on_as_the_one_that_was_saved(self, tmp_path):
        data = frame(40, 50)
        forecaster = small(HORIZON, window=8, members=2, scaling="series").fit(data)
        forecaster.save(tmp_path / "model")
        loaded = forecaster.load(tmp_path / "model")
        for one in (forecaster, loaded):
            one.fit_more(data, steps=4)
        np.testing.assert_array_equal(outputs(forecaster), outputs(loaded))

    def test_what_follows_the_new_series_is_forecast(self):
        forecaster = small(HORIZON, window=8, members=1).fit(wave())
        forecaster.fit_more(wave(80, seed=4), steps=2)
        np.testing.assert_array_equal(forecaster.predict(), forecaster.predict(wave(80, seed=4)))

    def test_the_same_twice_and_on_any_threads(self):
        found = []
        for threads in (1, 2, 5):
            forecaster = small(HORIZON, window=8, members=2, dropout=0.2, num_layers=2, threads=threads)
            found.append(outputs(forecaster.fit(wave()).fit_more(wave(seed=4), steps=6)))
        np.testing.assert_array_equal(found[0], found[1])
        np.testing.assert_array_equal(found[0], found[2])

    def test_series_by_name_where_each_has_its_own_scale(self):
        data = frame(40, 50, 60)
        forecaster = small(HORIZON, window=8, scaling="series").fit(data)
        scale = forecaster._model.scaler.scale
        forecaster.fit_more(data.filter(data["unique_id"] != "b"), steps=2)
        np.testing.assert_array_equal(forecaster._model.scaler.scale, scale[[0, 2]])

    def test_a_failure_leaves_everything_as_it_was(self):
        forecaster = small(HORIZON, window=8, members=1).fit(wave())
        before, said = outputs(forecaster)[0], forecaster.predict()
        with pytest.raises(DataError, match="another number of channels"):
            forecaster.fit_more(np.ones((40, 2)), steps=2)
        bad = wave()
        bad[40] = 3e38
        with pytest.raises(ValueError, match="not finite"):
            forecaster.fit_more(np.where(np.arange(72) > 39, 3e38, bad), steps=20)
        np.testing.assert_array_equal(outputs(forecaster)[0], before)
        np.testing.assert_array_equal(forecaster.predict(), said)

    @pytest.mark.parametrize("steps", [0, -1, 1.5, "3", True, 2**40])
    def test_steps_that_are_none(self, steps):
        forecaster = small(HORIZON, window=8, members=1).fit(wave())
        with pytest.raises(
            ArgumentError, match=r"steps does not fit(.|\n)*whole number from 1(.|\n)*try: steps=1"
        ):
            forecaster.fit_more(wave(), steps=steps)

    def test_series_that_are_none(self):
        forecaster = small(HORIZON, window=8, members=1).fit(wave())
        with pytest.raises(KindError, match="kind that is not understood"):
            forecaster.fit_more(None)
        with pytest.raises(DataError, match="too short"):
            forecaster.fit_more(wave(5))
        with pytest.raises(DataError, match="this network does not read which"):
            forecaster.fit_more(np.where(np.arange(72) == 40, np.nan, wave()))
        with pytest.raises(DataError, match="only the series that were fitted"):
            small(HORIZON, window=8, scaling="series").fit(wave()).fit_more(waves(40, 40))
        with pytest.raises(NotFittedError, match="has not learned anything"):
            small(HORIZON).fit_more(wave())
