"""Members that read different windows: each scales its own, and they meet in the scaling of the first one."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest

from tests.forecaster.beside import HORIZON, told
from tests.forecaster.helpers import assert_close, small, wave, waves
from tests.forecaster.safetensors_files import changed, header_of, refused
from unrolled import Forecaster
from unrolled.covariates import read_series
from unrolled.scaling import SCALINGS, WindowScaling

WINDOWS = (16, 12, 8)


def apart(**changes):
    """Return a forecaster whose three members read different windows."""
    return small(HORIZON, **{"season": 4, "members": 3, "dtype": "float64", **changes})


def weights(forecaster):
    """Return all weights of each member, as one row of numbers."""
    return [np.concatenate([one.ravel() for one in n.weights.values()]) for n in forecaster._model.networks]


def alone(together, number, y, beside=None, **changes):
    """Return a forecaster of its own that is what a member is: its window, its seed, on all points."""
    chosen = together.settings_
    how = {name: getattr(chosen, name) for name in ("patch", "scaling", "mask")}
    how |= {"window": chosen.windows[number], "members": 1, "seed": number, "refit": False, "validation": 0}
    given = {name: value for name, value in together.get_params().items() if name != "horizon"}
    one = small(HORIZON, **{**given, **how, **changes}).fit(y, **(beside or {}))
    np.testing.assert_array_equal(weights(one)[0], weights(together)[number])
    return one


def each(together, y, beside=None, *, ends=None, told_ends=None):
    """Return the forecasts of each member as a forecaster of its own, of the ends given or of y."""
    ends, told_ends = (y, beside) if ends is None else (ends, told_ends)
    found = []
    for number in range(3):
        one = alone(together, number, y, beside)
        said = one.predict(ends, **(told_ends or {}))
        found.append(np.asarray([np.asarray(part) for part in said]))
    return found


def met(forecaster, ends, said, beside=None):
    """Return forecasts of the members put together in the scaling of the first window of each series."""
    model, put = forecaster._model, np.mean if forecaster.combine == "mean" else np.median
    table, numbers, starts = model.last_windows(read_series(ends, forecaster.get_params(), **(beside or {})))
    windowing = replace(model.windowing, ahead=0)
    assert windowing.window == WINDOWS[0]
    _, scaled = model.network.engine.gather(table, numbers, starts, windowing=windowing)
    scaling = WindowScaling.of(windowing.scaling, scaled)
    shape = (len(starts), HORIZON, -1)
    each_scaled = [scaling.apply(one.reshape(shape)) for one in said]
    return scaling.invert(put(each_scaled, axis=0)).reshape(said[0].shape)


class TestTogether:
    @pytest.mark.parametrize("combine", ["mean", "median"])
    @pytest.mark.parametrize("scaling", [one for one in SCALINGS if one != "series"])
    def test_they_meet_in_the_scaling_of_the_first(self, scaling, combine):
        y = waves(60, 72)
        if scaling == "adaptive":
            y = [np.exp(3.0 * (one - one.mean())) for one in y]  # in logs
        forecaster = apart(scaling=scaling, combine=combine).fit(y)
        assert forecaster.settings_.windows == forecaster._model.windows == WINDOWS
        said = each(forecaster, y)
        assert np.ptp(said, axis=0).min() > 1e-6  # each says something else
        assert_close(forecaster.predict(), met(forecaster, y, said), to="float64", scale=20.0)
        if combine == "median" or scaling in ("none", "standard", "mean_abs", "last"):
            # Where nothing is bent, or nothing but order matters, it is the same in units.
            put = np.mean if combine == "mean" else np.median
            np.testing.assert_allclose(forecaster.predict(), put(said, axis=0), rtol=1e-10)
        elif scaling == "log":
            np.testing.assert_allclose(
                forecaster.predict(), np.exp(np.mean(np.log(said), axis=0)), rtol=1e-10
            )
        else:
            assert np.abs(forecaster.predict() / np.mean(said, axis=0) - 1.0).max() > 1e-9

    def test_where_each_series_is_scaled_once(self):
        y = waves(60, 72)
        forecaster = apart(scaling="series").fit(y)
        np.testing.assert_allclose(forecaster.predict(), np.mean(each(forecaster, y), axis=0), rtol=1e-10)

    def test_of_several_channels(self):
        y = np.stack([wave(seed=1), wave(seed=2, level=3.0)], axis=1)
        forecaster = apart().fit(y)
        np.testing.assert_allclose(forecaster.predict(), np.mean(each(forecaster, y), axis=0), rtol=1e-10)

    def test_quantiles(self):
        y = waves(60, 72)
        forecaster = apart(loss="quantile", quantiles=(0.1, 0.5, 0.9), scaling="standard").fit(y)
        said = [alone(forecaster, number, y).predict_quantiles() for number in range(3)]
        found = forecaster.predict_quantiles()
        np.testing.assert_allclose(found, np.mean(said, axis=0), rtol=1e-10)
        np.testing.assert_array_equal(forecaster.predict(), found[:, :, 0, 1])
        assert (np.diff(found, axis=-1) >= 0).all()

    def test_with_covariates_and_missing_points(self):
        panel = told(60, 72)
        for one in panel.series:
            one[[5, -2, -13]] = np.nan
        forecaster = apart().fit(panel.series, **panel.beside())
        assert forecaster.settings_.ahead
        said = each(forecaster, panel.series, panel.beside())
        found = forecaster.predict(panel.series, **panel.beside())
        np.testing.assert_allclose(found, np.mean(said, axis=0), rtol=1e-10)

    @pytest.mark.parametrize("points", [1, 5, 8, 10, 13, 15])
    def test_series_shorter_than_the_longest_window(self, points):
        y = waves(60, 72)
        forecaster = apart(mask=True).fit(y)
        ends = [wave(points, seed=9), wave(40, seed=8)]
        said = each(forecaster, y, ends=ends)
        np.testing.assert_allclose(forecaster.predict(ends), np.mean(said, axis=0), rtol=1e-10)

    def test_a_series_shorter_than_that_is_learned_from(self):
        y = [wave(72), wave(72, seed=2), wave(11, seed=3)]
        forecaster = apart()
        with pytest.warns(UserWarning, match="shorter than the window"):
            forecaster.fit(y)
        assert forecaster.settings_.mask
        assert forecaster._model.windows == WINDOWS
        with pytest.warns(UserWarning, match="shorter than the window"):
            said = each(forecaster, y)
        np.testing.assert_allclose(forecaster.predict(), np.mean(said, axis=0), rtol=1e-10)

    def test_on_any_number_of_threads(self):
        one, many = (apart(threads=threads).fit(waves(60, 72)) for threads in (1, 5))
        np.testing.assert_array_equal(one.predict(), many.predict())
        np.testing.assert_array_equal(weights(one)[2], weights(many)[2])

    @pytest.mark.parametrize("levels", [None, (50, 80)])
    def test_a_stream_says_the_same(self, levels):
        y = wave(90)
        forecaster = apart().fit(y)
        stream = forecaster.stream(wave(60, seed=3), levels=levels)
        grown = wave(60, seed=3)
        for value in wave(20, seed=4):
            pushed = stream.push(value)
            grown = np.append(grown, value)
            asked = forecaster.predict(grown, levels=levels)
            if levels is None:
                np.testing.assert_array_equal(pushed, asked)
                continue
            np.testing.assert_array_equal(pushed.y_hat, asked.y_hat)
            for level in levels:
                np.testing.assert_array_equal(pushed.lower[level], asked.lower[level])
                np.testing.assert_array_equal(pushed.upper[level], asked.upper[level])

    @pytest.mark.parametrize(
        "options",
        [
            {"window": 16},
            {"members": 1},
            {"loss": "gaussian"},
            {"loss": "negative_binomial"},
            {"strategy": "recursive"},
            {"memory": "all"},
        ],
        ids=str,
    )
    def test_elsewhere_all_read_the_same(self, options):
        y = np.round(wave())
        forecaster = apart(**options).fit(y)
        assert forecaster.settings_.windows == forecaster._model.windows == ()
        assert "windows" not in forecaster.settings_.reasons


class TestSaved:
    @pytest.mark.parametrize(
        "options", [{}, {"scaling": "series"}, {"dtype": "float32", "skip": False}], ids=str
    )
    def test_it_forecasts_the_same(self, options, tmp_path):
        forecaster = apart(**options).fit(waves(60, 72))
        forecaster.save(tmp_path / "model")
        loaded = Forecaster.load(tmp_path / "model")
        assert loaded._model.windows == WINDOWS
        assert loaded.settings_ == forecaster.settings_
        for one in (loaded, pickle.loads(pickle.dumps(forecaster))):
            np.testing.assert_array_equal(one.predict(), forecaster.predict())
            np.testing.assert_array_equal(one.predict(waves(40, 45)), forecaster.predict(waves(40, 45)))
            lower = one.predict(levels=(50,)).lower[50]
            np.testing.assert_array_equal(lower, forecaster.predict(levels=(50,)).lower[50])
        loaded.save(tmp_path / "again")
        assert (tmp_path / "again").read_bytes() == (tmp_path / "model").read_bytes()

    @pytest.mark.parametrize(
        "windows",
        [
            *([], [16], [16, 12], [16, 12, 8, 8], [16, 12, 10], [16, 12, 0], [16, 12, -8], [20, 12, 8]),
            *([12, 16, 8], [16, 16, 16], [16, 12, "8"], [16, 12, 8.0], [16, 12, True], [16, 12, None]),
            *([16, 12, [8]], [16, 12, 2**70], None, 3, "abc", {}, {"16": 1, "12": 2, "8": 3}),
        ],
        ids=str,
    )
    def test_windows_that_are_none_are_refused(self, windows, saved):
        refused(changed(saved, header=lambda header: header.update(windows=windows)))

    def test_without_them_it_is_refused(self, saved):
        refused(changed(saved, header=lambda header: header.pop("windows")))

    @pytest.mark.parametrize("options", [{"strategy": "recursive"}, {"memory": "all"}], ids=str)
    def test_where_all_points_are_not_forecast_from_a_window_there_are_none(self, options, tmp_path):
        path = tmp_path / "model"
        forecaster = apart(**options).fit(wave())
        forecaster.save(path)
        window = forecaster.settings_.window
        assert header_of(path)["windows"] == []
        refused(changed(path, header=lambda header: header.update(windows=[window] * 3)))

    @pytest.mark.parametrize("name", ["member1.skip.weight", "member2.skip.weight", "member2.head.bias"])
    def test_weights_of_another_window_are_refused(self, name, saved):
        refused(changed(saved, tensors=lambda tensors: tensors.update({name: tensors[name][..., :-1]})))

    @pytest.fixture
    def saved(self, tmp_path):
        apart().fit(waves(60, 72)).save(tmp_path / "model")
        return tmp_path / "model"


class TestMore:
    def test_each_goes_on_as_it_would_alone(self):
        y, later = waves(60, 72), waves(66, 80)
        forecaster = apart().fit(y)
        before, lower = weights(forecaster), forecaster._model.calibration
        by_hand = [alone(forecaster, number, y).fit_more(later, steps=4) for number in range(3)]
        assert forecaster.report_ is not None
        forecaster.fit_more(later, steps=4)
        assert forecaster._model.windows == WINDOWS
        for number, one in enumerate(by_hand):
            np.testing.assert_array_equal(weights(one)[0], weights(forecaster)[number])
            assert (weights(one)[0] != before[number]).any()
        np.testing.assert_array_equal(forecaster.predict(), forecaster.predict(later))
        np.testing.assert_allclose(
            forecaster.predict(), np.mean([one.predict() for one in by_hand], axis=0), rtol=1e-10
        )
        assert [one.checks for one in forecaster.histories_] == [{}] * 3
        # Nothing was held out: intervals are as wide as before, and there is nothing to report on.
        assert forecaster._model.calibration is lower
        assert forecaster.report_ is None

    def test_the_last_point_is_learned_from(self):
        later, other = waves(66, 80), waves(66, 80)
        for one in other:
            one[-1] += 3.0
        found = [weights(apart().fit(waves(60, 72)).fit_more(y, steps=4)) for y in (later, other)]
        for one, new in zip(*found, strict=True):
            assert (one != new).any()

    def test_a_loaded_one_goes_on_as_the_one_that_was_saved(self, tmp_path):
        forecaster = apart().fit(waves(60, 72))
        forecaster.save(tmp_path / "model")
        loaded = Forecaster.load(tmp_path / "model")
        for one in (forecaster, loaded):
            one.fit_more(waves(66, 80), steps=4)
        for one, other in zip(weights(forecaster), weights(loaded), strict=True):
            np.testing.assert_array_equal(one, other)

    def test_those_that_an_interrupt_left_go_on(self, tmp_path):
        def stop(history, plan):
            if plan.seed == 1:
                raise KeyboardInterrupt

        forecaster = apart(threads=1)
        with pytest.warns(UserWarning, match="Interrupted"):
            forecaster.fit(waves(60, 72), watch=stop)
        assert forecaster._model.windows == WINDOWS[:2]
        forecaster.save(tmp_path / "model")
        loaded = Forecaster.load(tmp_path / "model")
        for one in (forecaster, loaded):
            one.fit_more(waves(66, 80), steps=3)
            assert one._model.windows == WINDOWS[:2]
            assert [len(history.losses) for history in one.histories_] == [3, 3]
        np.testing.assert_array_equal(forecaster.predict(), loaded.predict())

    def test_with_points_held_out_there_is_a_report_of_them(self):
        forecaster = apart(refit=False).fit(waves(60, 72))
        forecaster.fit_more(waves(66, 80), steps=4)
        assert forecaster.report_ is not None
        assert all(one.checks for one in forecaster.histories_)
