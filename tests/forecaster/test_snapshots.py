"""Weights of one training, averaged at its end, and kept only where they are not worse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.forecaster.lessons import lesson
from unrolled.training import Plan


def weights_at(step, **plan):
    """Return the weights after `step` steps of a training without looks."""
    job = lesson(held_out=0)
    seen = {}

    def keep(state):
        seen[state.steps] = state.weights

    job.train(going_on={"keep": keep, "keep_every_s": 0.0}, **{**plan, "check_every": step})
    return seen[step]


class TestSteps:
    @given(steps=st.integers(1, 2000), snapshots=st.integers(2, 30))
    def test_they_are_equally_far_apart_in_the_last_quarter(self, steps, snapshots):
        chosen = Plan(steps=steps, batch_size=1, lr=0.1, snapshots=snapshots).snapshot_steps
        assert chosen[-1] == steps
        assert len(chosen) == min(snapshots, steps)
        assert len(set(np.diff(chosen))) <= 1
        if steps >= 4 * snapshots:
            assert chosen[0] > steps - steps // 4

    @pytest.mark.parametrize("snapshots", [0, 1])
    def test_fewer_than_two_are_none(self, snapshots):
        assert Plan(steps=100, batch_size=1, lr=0.1, snapshots=snapshots).snapshot_steps == ()


class TestWithoutValidation:
    def test_the_mean_of_these_weights_is_kept(self):
        job = lesson(held_out=0)
        history = job.train(steps=80, snapshots=4, lr=0.05)
        assert (history.averaged_steps, history.averaged, history.averaged_loss) == (
            [65, 70, 75, 80],
            True,
            None,
        )
        parts = [weights_at(step, steps=80, lr=0.05) for step in (65, 70, 75, 80)]
        np.testing.assert_array_equal(
            job.weights(), np.mean(parts, axis=0, dtype=np.float64).astype(np.float32)
        )
        assert (history.best_step, history.checks) == (80, {})

    def test_an_interrupted_training_keeps_its_last_weights(self):
        def watch(history, plan):
            if len(history.losses) >= 75:
                raise KeyboardInterrupt

        job = lesson(held_out=0)
        history = job.train(watch, steps=80, snapshots=4, lr=0.05)
        assert (history.stopped, history.averaged, history.averaged_steps) == ("interrupted", False, [])
        np.testing.assert_array_equal(job.weights(), weights_at(history.best_step, steps=80, lr=0.05))


class TestWithValidation:
    def test_those_of_the_best_looks_are_averaged(self):
        job = lesson()
        history = job.train(steps=60, snapshots=4, lr=0.05, check_every=4)
        ranked = sorted(history.checks, key=lambda step: (history.checks[step], step))
        assert history.averaged_steps == sorted(ranked[:4])
        assert history.best_step in history.averaged_steps

    @pytest.mark.parametrize("seed", range(6))
    def test_the_average_is_kept_only_if_it_is_not_worse(self, seed):
        job, single = (lesson(optimizer="sgd", seed=seed) for _ in range(2))
        plan = {"steps": 400, "lr": 0.01, "check_every": 4}
        history = job.train(snapshots=4, **plan)
        best = single.train(**plan)
        assert history.checks == best.checks
        assert history.best_step == best.best_step
        lowest = min(best.checks.values())
        assert history.averaged == (history.averaged_loss <= lowest)
        assert job.validation_loss() == pytest.approx(
            history.averaged_loss if history.averaged else lowest, rel=1e-12
        )
        if not history.averaged:
            np.testing.assert_array_equal(job.weights(), single.weights())

    def test_both_happen(self):
        """Else the law above says nothing."""
        averaged = {
            lesson(optimizer="sgd", seed=seed).train(steps=400, snapshots=4, lr=0.01, check_every=4).averaged
            for seed in range(6)
        }
        assert averaged == {True, False}

    def test_a_tie_is_won_by_the_average(self):
        job = lesson()
        history = job.train(lr=0.0, steps=20, snapshots=3)
        assert (history.averaged, history.averaged_steps) == (True, [5, 10, 15])
        assert history.averaged_loss == history.checks[5]

    def test_one_look_alone_is_no_average(self):
        history = lesson().train(steps=5, check_every=5, snapshots=3)
        assert (history.averaged_steps, history.averaged) == ([], False)

    @pytest.mark.parametrize("snapshots", [0, 1])
    def test_none_are_asked_for(self, snapshots):
        job, plain = lesson(), lesson()
        history = job.train(snapshots=snapshots)
        plain.train()
        assert (history.averaged_steps, history.averaged_loss, history.averaged) == ([], None, False)
        np.testing.assert_array_equal(job.weights(), plain.weights())

    def test_an_interrupted_training_averages_what_it_has(self):
        def watch(history, plan):
            if len(history.losses) >= 30:
                raise KeyboardInterrupt

        history = lesson().train(watch, steps=500, snapshots=3, check_every=5)
        assert history.stopped == "interrupted"
        assert len(history.averaged_steps) == 3
