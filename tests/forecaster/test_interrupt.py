"""Ctrl-C while training: the best weights so far are kept, and it is said."""

from __future__ import annotations

import contextlib
import signal
import threading

import numpy as np
import pytest

from tests.forecaster.helpers import small, wave
from tests.forecaster.lessons import lesson
from unrolled import forecaster as forecaster_module
from unrolled.messages import speaking


def press_ctrl_c():
    """Send the very signal; Python's own handler raises KeyboardInterrupt in the main thread."""
    signal.raise_signal(signal.SIGINT)


def raise_it():
    raise KeyboardInterrupt


def after(step, interrupt):
    """Return a watcher that interrupts at step `step`, and once: to press again is to end at once."""
    pressed = threading.Event()

    def watch(history, plan):
        if len(history.losses) >= step and not pressed.is_set():
            pressed.set()
            interrupt()

    return watch


both = pytest.mark.parametrize("interrupt", [press_ctrl_c, raise_it])


@both
def test_the_best_weights_so_far_are_kept(interrupt):
    job = lesson()
    history = job.train(after(50, interrupt), lr=0.3, steps=5000, check_every=1)
    assert history.stopped == "interrupted"
    assert 50 <= len(history.losses) < 5000
    assert history.checks[history.best_step] == min(history.checks.values())
    assert job.validation_loss() == pytest.approx(min(history.checks.values()), rel=1e-12)


@both
def test_without_checks_the_last_weights_are_kept(interrupt):
    job, shorter = lesson(held_out=0), lesson(held_out=0)
    history = job.train(after(20, interrupt), steps=5000)
    done = len(history.losses)
    assert (history.stopped, history.best_step) == ("interrupted", done)
    shorter.train(steps=done)
    np.testing.assert_array_equal(job.weights(), shorter.weights())


def test_before_the_first_step_there_is_nothing_to_keep(monkeypatch):
    job = lesson()
    monkeypatch.setattr(job.trainer, "run", lambda *_: press_ctrl_c())
    with pytest.raises(KeyboardInterrupt):
        job.train()


def test_before_the_first_check_the_last_weights_are_kept():
    job = lesson()
    history = job.train(after(1, raise_it), steps=5000, check_every=4000)
    assert (history.checks, history.best_step) == ({}, len(history.losses))
    assert np.isfinite(job.weights()).all()


@pytest.fixture
def interrupted(monkeypatch):
    """Have every forecaster interrupted after 30 steps."""

    @contextlib.contextmanager
    def bar(wanted, also):
        yield after(30, press_ctrl_c)

    monkeypatch.setattr(forecaster_module, "progress_bar", bar)


def test_a_forecaster_warns_and_is_fitted(interrupted):
    forecaster = small(3, steps=5000)
    with pytest.warns(
        UserWarning, match=r"Interrupted: training stopped, the best weights so far \(step \d+\)"
    ) as told:
        assert forecaster.fit(wave()) is forecaster
    assert told[0].filename == __file__
    assert forecaster.history_.stopped == "interrupted"
    assert len(forecaster.history_.losses) < 5000
    assert np.isfinite(forecaster.predict()).all()
    assert forecaster.report_ is not None


def test_the_warning_speaks_chinese(interrupted):
    with speaking("zh"), pytest.warns(UserWarning, match="[\u4e00-\u9fff]"):
        small(3, steps=5000).fit(wave())


def test_it_can_be_saved_and_fitted_again(interrupted, tmp_path, monkeypatch):
    forecaster = small(3, steps=5000)
    with pytest.warns(UserWarning, match="Interrupted"):
        forecaster.fit(wave())
    forecaster.save(tmp_path / "stopped")
    assert type(forecaster).load(tmp_path / "stopped").history_.stopped == "interrupted"
    monkeypatch.undo()
    assert forecaster.set_params(steps=40).fit(wave()).history_.stopped == "finished"


def test_before_the_first_step_a_forecaster_stays_as_it_was(monkeypatch):
    forecaster = small(3).fit(wave())
    before = forecaster.predict()
    monkeypatch.setattr("unrolled.fitting.train_members", lambda *_, **__: press_ctrl_c())
    with pytest.raises(KeyboardInterrupt):
        forecaster.fit(wave(seed=5))
    np.testing.assert_array_equal(forecaster.predict(), before)


def test_an_interrupt_outside_training_is_not_caught():
    def watch(history, plan):
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        lesson().train(watch)
