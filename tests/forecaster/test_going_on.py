"""A training that is stopped anywhere and goes on is the training that was never stopped: bit for bit."""

from __future__ import annotations

import signal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.forecaster.helpers import wave
from tests.forecaster.lessons import lesson, planned
from unrolled import training
from unrolled.training import Plan, plan_more

OPTIMIZERS = ("adam", "adamw", "sgd")


def outcome(job, history):
    """Return all that must not depend on where a training was stopped, to be compared bit by bit."""
    facts = (history.checks, history.best_step, history.stopped, history.averaged_steps, history.averaged)
    return history.losses, facts, history.averaged_loss, job.weights().tobytes()


def stopped_after(stop, make, states=None, **plan):
    """Train until `stop` steps are done and Ctrl-C comes; return the states kept, the last one last."""
    states = [] if states is None else states

    def watch(history, _):
        if len(history.losses) >= stop:
            raise KeyboardInterrupt

    going_on = {"keep": states.append, "keep_every_s": 0.0, "resume": states[-1] if states else None}
    make().train(watch, going_on=going_on, **plan)
    return states


@settings(max_examples=25)
@given(
    stops=st.lists(st.integers(1, 59), min_size=1, max_size=3).map(sorted),
    optimizer=st.sampled_from(OPTIMIZERS),
    dropout=st.sampled_from([0.0, 0.3]),
    held_out=st.sampled_from([0, 6]),
    patience=st.sampled_from([0, 2]),
    snapshots=st.sampled_from([0, 3]),
    shuffle=st.booleans(),
)
def test_stopped_anywhere_and_gone_on_it_is_the_same(
    stops, optimizer, dropout, held_out, patience, snapshots, shuffle
):
    def make():
        return lesson(optimizer=optimizer, dropout=dropout, held_out=held_out)

    plan = {
        "steps": 60,
        "lr": 0.05,
        "check_every": 7,
        "patience": patience,
        "snapshots": snapshots,
        "schedule": "one_cycle",
        "shuffle": shuffle,
    }
    unbroken = make()
    expected = outcome(unbroken, unbroken.train(**plan))
    states = []
    for steps in stops:
        stopped_after(steps, make, states, **plan)
    last = make()
    history = last.train(going_on={"resume": states[-1] if states else None}, **plan)
    assert outcome(last, history) == expected


@pytest.mark.parametrize("held_out", [0, 6])
def test_every_state_kept_on_the_way_is_one_to_go_on_from(held_out):
    states = []
    job = lesson(held_out=held_out)
    plan = {"steps": 40, "snapshots": 4, "check_every": 3}
    expected = outcome(job, job.train(going_on={"keep": states.append, "keep_every_s": 0.0}, **plan))
    assert [state.steps for state in states] == sorted({state.steps for state in states})
    assert states[-1].steps == 40
    for state in states:
        again = lesson(held_out=held_out)
        assert outcome(again, again.train(going_on={"resume": state}, **plan)) == expected


def test_a_state_is_not_changed_by_what_comes_after():
    states = []
    lesson().train(going_on={"keep": states.append, "keep_every_s": 0.0}, steps=30)
    first = states[0]
    steps, checks, weights = first.steps, dict(first.history.checks), first.weights.copy()
    lesson().train(going_on={"resume": first}, steps=30)
    assert (first.steps, first.history.checks) == (steps, checks)
    np.testing.assert_array_equal(first.weights, weights)


def test_a_training_that_was_done_takes_no_step_and_is_not_kept_again(monkeypatch):
    states = []
    job = lesson()
    expected = outcome(job, job.train(going_on={"keep": states.append}, steps=20))
    assert [state.steps for state in states] == [20]
    again = lesson()
    monkeypatch.setattr(again.trainer, "run", lambda *_: pytest.fail("a step was taken"))
    going_on = {"resume": states[-1], "keep": lambda _: pytest.fail("it was kept again")}
    assert outcome(again, again.train(going_on=going_on, steps=20)) == expected


def test_patience_that_ran_out_has_run_out():
    states, plan = [], {"lr": 0.0, "steps": 100, "patience": 3}
    assert lesson().train(going_on={"keep": states.append}, **plan).stopped == "patience"
    history = lesson().train(going_on={"resume": states[-1]}, **plan)
    assert (history.stopped, len(history.losses)) == ("patience", 20)


def test_it_is_kept_as_often_as_asked(monkeypatch):
    clock = iter(range(10_000))
    monkeypatch.setattr(training.time, "monotonic", lambda: float(next(clock)))
    monkeypatch.setattr(training, "_BREATH_S", 0.0)  # a stretch a step, a second on this clock
    states = []
    lesson(held_out=0).train(
        going_on={"keep": states.append, "keep_every_s": 10.0}, steps=35, check_every=100
    )
    assert [state.steps for state in states] == [10, 20, 30, 35]


def test_seconds_are_of_all_parts():
    states = stopped_after(10, lesson, steps=40)
    before = states[-1].history.seconds
    assert lesson().train(going_on={"resume": states[-1]}, steps=40).seconds > before > 0


def test_ctrl_c_in_the_middle_of_a_stretch_keeps_no_half_of_it():
    job, states = lesson(), []
    run, calls = job.trainer.run, []

    def interrupted(*stretch):
        losses = run(*stretch)
        calls.append(len(losses))
        if sum(calls) >= 20:
            signal.raise_signal(signal.SIGINT)
        return losses

    job.trainer.run = interrupted
    history = job.train(going_on={"keep": states.append, "keep_every_s": 0.0}, steps=60)
    assert history.stopped == "interrupted"
    assert states[-1].steps == sum(calls[:-1])
    job, unbroken = lesson(), lesson()
    assert outcome(job, job.train(going_on={"resume": states[-1]}, steps=60)) == outcome(
        unbroken, unbroken.train(steps=60)
    )


def test_what_keeping_raises_is_not_swallowed_and_the_best_weights_stay():
    def keep(state):
        if state.steps > 20:
            raise OSError("no space left")

    job = lesson()
    with pytest.raises(OSError, match="no space left"):
        job.train(going_on={"keep": keep, "keep_every_s": 0.0}, lr=0.3, check_every=1)
    assert np.isfinite(job.weights()).all()


class TestMore:
    def test_it_goes_on_at_a_constant_tenth(self):
        plan = Plan(
            steps=500, batch_size=32, lr=0.003, schedule="one_cycle", patience=25, seed=7, snapshots=5
        )
        more = plan_more(plan, steps=200)
        np.testing.assert_allclose(more.rates(0, 200), 0.0003)
        assert (more.steps, more.check_every, more.patience, more.seed) == (200, 4, 25, 7)
        assert (more.batch_size, more.snapshots, more.first_look) == (32, 0, True)
        assert plan_more(plan, steps=1).check_every == 1

    def test_the_weights_from_before_are_kept_where_none_are_better(self):
        job = lesson()
        before, loss = job.weights(), job.validation_loss()
        history = job.train(lr=0.0, steps=20, first_look=True)
        assert history.best_step == 0
        assert list(history.checks) == [0, 5, 10, 15, 20]
        assert history.checks[0] == pytest.approx(loss, rel=1e-12)
        np.testing.assert_array_equal(job.weights(), before)

    def test_it_never_ends_worse_than_it_began(self):
        job = lesson(y=wave(noise=0.0))
        job.train(steps=300, lr=0.02)
        before = job.validation_loss()
        other = lesson(y=wave(noise=0.0))
        other.trainer.engine.write(job.weights())
        history = other.train(lr=1.0, steps=30, first_look=True)
        assert other.validation_loss() <= before
        assert history.checks[history.best_step] == min(history.checks.values())

    def test_it_learns_what_is_new(self):
        job = lesson(y=wave(noise=0.0))
        job.train(steps=300, lr=0.02)
        other = lesson(y=wave(noise=0.0, season=7))
        other.trainer.engine.write(job.weights())
        before = other.validation_loss()
        more = plan_more(planned(steps=300, lr=0.02, schedule="one_cycle"), steps=300)
        training.train(other.trainer, other.windows, other.validation, more)
        assert other.validation_loss() < 0.5 * before

    def test_without_validation_there_is_no_first_look(self):
        assert lesson(held_out=0).train(first_look=True).checks == {}

    def test_it_goes_on_after_a_stop_too(self):
        plan = {"steps": 40, "first_look": True}
        job, again = lesson(), lesson()
        states = stopped_after(15, lesson, **plan)
        expected = outcome(job, job.train(**plan))
        assert outcome(again, again.train(going_on={"resume": states[-1]}, **plan)) == expected
