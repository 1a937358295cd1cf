"""A fit that is stopped in its rehearsal or behind it: by Ctrl-C, or for good, to be gone on with."""

from __future__ import annotations

import signal

import numpy as np
import pytest

from tests.forecaster.helpers import small, wave, waves
from unrolled import fitting
from unrolled.engine import Trainer
from unrolled.errors import NotFittedError

MEMBERS = 3


class EnoughError(Exception):
    """The violent end of a fit."""


def press_ctrl_c():
    """Send the very signal; it is heard a little later, in the main thread."""
    signal.raise_signal(signal.SIGINT)


def interrupt(*_):
    """Do what Ctrl-C does, at once."""
    raise KeyboardInterrupt


def violent():
    raise EnoughError


def weights(forecaster):
    """Return all weights of each member, as one row of numbers."""
    return [np.concatenate([one.ravel() for one in n.weights.values()]) for n in forecaster._model.networks]


def patient(**changes):
    """Return a forecaster of several trainings, one after the other, whose rates do not tell their length."""
    how = {"season": 4, "members": MEMBERS, "schedule": "constant", "threads": 1, "steps": 5_000}
    return small(3, **{**how, **changes})


def many():
    """Return so many series that two scalings are rehearsed."""
    return [wave(50, season=4, seed=number) for number in range(20)]


def stop_at(training, steps, stop):
    """Return a watcher that stops the training of that number, in the order of their beginning."""
    seen, stopped = {}, []

    def watch(history, plan):
        seen.setdefault(id(history), history)
        if not stopped and list(seen).index(id(history)) == training and len(history.losses) >= steps:
            stopped.append(training)
            stop()

    return watch


class TestInterrupt:
    def test_before_any_step_nothing_is_fitted(self, monkeypatch):
        monkeypatch.setattr(Trainer, "run", interrupt)
        forecaster = patient()
        with pytest.raises(KeyboardInterrupt):
            forecaster.fit(wave())
        with pytest.raises(NotFittedError):
            forecaster.predict()

    def test_in_the_rehearsal_its_network_is_the_result(self, tmp_path):
        y = waves(60, 72)
        forecaster = patient()
        with pytest.warns(UserWarning, match=r"Interrupted: .* \(step \d+\)"):
            forecaster.fit(y, watch=stop_at(0, 30, press_ctrl_c))
        assert len(forecaster.histories_) == len(forecaster._model.networks) == 1
        assert forecaster._model.windows == ()
        done = len(forecaster.history_.losses)
        assert forecaster.history_.stopped == "interrupted"
        assert 30 <= done < 5_000 // 3
        assert forecaster.history_.checks == {}
        settings = forecaster.settings_
        # By hand: as many steps on what comes before the points held out.
        how = {"members": 1, "window": settings.window, "refit": False, "validation": 0, "steps": done}
        cut = patient(**how).fit([one[: -settings.held_out] for one in y])
        np.testing.assert_array_equal(weights(cut), weights(forecaster))
        np.testing.assert_array_equal(forecaster.predict(), cut.predict(y))
        assert forecaster.report_.rows["network"]["mae"] > 0
        lower = forecaster.predict(levels=(50,)).lower[50]
        for name in ("members", "windows", "steps"):
            assert name not in settings.reasons
        assert (settings.members, settings.windows) == (1, ())
        forecaster.save(tmp_path / "model")
        loaded = type(forecaster).load(tmp_path / "model")
        np.testing.assert_array_equal(loaded.predict(levels=(50,)).lower[50], lower)
        assert loaded.history_.stopped == "interrupted"

    def test_in_the_second_rehearsal_the_first_is_the_result_and_it_is_said(self):
        forecaster = patient(steps=100)
        with pytest.warns(UserWarning, match="Interrupted"):
            forecaster.fit(many(), watch=stop_at(1, 1, interrupt))
        assert forecaster.settings_.scaling == forecaster._model.windowing.scaling == "adaptive"
        assert len(forecaster.histories_) == 1
        assert len(forecaster.history_.losses) == 100
        assert forecaster.history_.stopped == "interrupted"
        assert "scaling" not in forecaster.settings_.reasons  # it was not chosen
        assert forecaster.report_ is not None

    def test_behind_the_rehearsal_but_before_any_step_of_the_members(self, monkeypatch):
        calls, train = [], fitting.train_members

        def trained(*lessons, **how):
            calls.append(1)
            if len(calls) == 2:
                press_ctrl_c()
            return train(*lessons, **how)

        monkeypatch.setattr(fitting, "train_members", trained)
        forecaster = patient(steps=40)
        with pytest.warns(UserWarning, match="Interrupted"):
            forecaster.fit(wave())
        assert len(calls) == 2
        settings = forecaster.settings_
        how = {"members": 1, "window": settings.window, "refit": False, "validation": 0, "steps": 40}
        cut = patient(**how).fit(wave()[: -settings.held_out])
        np.testing.assert_array_equal(weights(forecaster), weights(cut))
        assert len(forecaster.history_.losses) == 40
        assert forecaster.history_.stopped == "interrupted"
        assert forecaster.predict(levels=(50,)).lower[50].shape == (3,)

    @pytest.mark.parametrize("training", [1, 2, 3])
    def test_in_a_member_those_that_learned_something_are_the_result(self, training, tmp_path):
        whole = patient(steps=400).fit(wave())
        forecaster = patient(steps=400)
        with pytest.warns(UserWarning, match="Interrupted"):
            forecaster.fit(wave(), watch=stop_at(training, 2, interrupt))
        assert len(forecaster.histories_) == len(forecaster._model.networks) == training
        assert [one.stopped for one in forecaster.histories_] == ["finished"] * (training - 1) + [
            "interrupted"
        ]
        assert forecaster._model.windows == whole._model.windows[:training]
        for number in range(training - 1):
            np.testing.assert_array_equal(weights(forecaster)[number], weights(whole)[number])
        # What was rehearsed was rehearsed to its end.
        assert str(forecaster.report_) == str(whole.report_)
        for one, other in zip(
            forecaster._model.calibration.to_arrays().values(),
            whole._model.calibration.to_arrays().values(),
            strict=True,
        ):
            np.testing.assert_array_equal(one, other)
        forecaster.save(tmp_path / "model")
        loaded = type(forecaster).load(tmp_path / "model")
        np.testing.assert_array_equal(loaded.predict(), forecaster.predict())


def count(patch, steps):
    """Have the steps of every training counted."""
    run = Trainer.run

    def counted(trainer, series, starts, batch, rates):
        steps.append(len(rates))
        return run(trainer, series, starts, batch, rates)

    patch.setattr(Trainer, "run", counted)


@pytest.fixture(scope="module")
def unbroken():
    """Return a forecaster that nothing stopped, and the steps that it took."""
    steps = []
    with pytest.MonkeyPatch.context() as patch:
        count(patch, steps)
        forecaster = patient(steps=30, schedule=None).fit(many())
    return forecaster, sum(steps)


class TestGoneOn:
    """With a checkpoint, every training of the fit is gone on with where it was, and none is done twice."""

    @pytest.mark.parametrize(
        ("training", "stop"), [(0, violent), (1, interrupt), (2, interrupt), (3, violent), (4, interrupt)]
    )
    def test_to_the_same_bits(self, unbroken, training, stop, tmp_path, monkeypatch):
        expected, all_steps = unbroken
        assert all_steps == 30 * (2 + MEMBERS)
        steps = []
        count(monkeypatch, steps)
        kept = {"checkpoint": tmp_path / "training", "checkpoint_every_s": 0.0}
        first = patient(steps=30, schedule=None)
        watch = stop_at(training, 10, stop)
        if stop is violent:
            with pytest.raises(EnoughError):
                first.fit(many(), watch=watch, **kept)
        else:
            with pytest.warns(UserWarning, match="Interrupted"):
                first.fit(many(), watch=watch, **kept)
        before = sum(steps)
        assert 30 * training + 10 <= before < all_steps
        forecaster = patient(steps=30, schedule=None).fit(many(), **kept)
        for one, other in zip(weights(forecaster), weights(expected), strict=True):
            np.testing.assert_array_equal(one, other)
        assert forecaster.settings_ == expected.settings_
        assert str(forecaster.report_) == str(expected.report_)
        for lower, wanted in zip(
            forecaster.predict(levels=(50,)).lower[50], expected.predict(levels=(50,)).lower[50], strict=True
        ):
            np.testing.assert_array_equal(lower, wanted)
        assert [one.losses for one in forecaster.histories_] == [one.losses for one in expected.histories_]
        if stop is interrupt:  # it was kept where it stopped: not one step is taken twice
            assert sum(steps) == all_steps
        else:  # but for the stretch in which it ended
            assert sum(steps) < all_steps + 30
        content = (tmp_path / "training").read_bytes()
        again = patient(steps=30, schedule=None).fit(many(), **kept)
        assert sum(steps) < all_steps + 30
        np.testing.assert_array_equal(again.predict(), expected.predict())
        assert (tmp_path / "training").read_bytes() == content
