"""Training: rates, passes, checks on held-out windows, early stopping, losses beyond all numbers."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.forecaster.helpers import small, wave
from tests.forecaster.lessons import lesson
from unrolled import training
from unrolled.errors import TrainingError
from unrolled.training import SCHEDULES, History, Plan


def rates(schedule, steps, lr=0.5):
    return Plan(steps=steps, batch_size=1, lr=lr, schedule=schedule).rates(0, steps)


class TestRates:
    @pytest.mark.parametrize("schedule", SCHEDULES)
    @given(steps=st.integers(1, 300), lr=st.floats(1e-6, 10))
    def test_one_a_step_never_above_lr_never_below_zero(self, schedule, steps, lr):
        given_rates = rates(schedule, steps, lr)
        assert given_rates.shape == (steps,)
        assert (given_rates >= 0).all()
        assert (given_rates <= lr * (1 + 1e-12)).all()

    def test_constant(self):
        np.testing.assert_array_equal(rates("constant", 3), [0.5, 0.5, 0.5])

    def test_cosine_by_hand(self):
        np.testing.assert_allclose(
            rates("cosine", 4), 0.5 * np.array([1, 0.5 + 0.5**1.5, 0.5, 0.5 - 0.5**1.5])
        )

    def test_one_cycle_rises_over_the_first_tenth_then_falls(self):
        cycle = rates("one_cycle", 200)
        assert cycle[0] == pytest.approx(0.05)
        assert cycle[20] == pytest.approx(0.5)
        assert (np.diff(cycle[:21]) > 0).all()
        assert (np.diff(cycle[20:]) < 0).all()
        assert cycle[-1] < 0.001

    @pytest.mark.parametrize("schedule", SCHEDULES)
    def test_no_steps_no_rates(self, schedule):
        assert rates(schedule, 0).shape == (0,)

    @pytest.mark.parametrize("schedule", SCHEDULES)
    def test_every_schedule_trains(self, schedule):
        history = lesson().train(schedule=schedule, steps=300)
        assert np.mean(history.losses[-20:]) < 0.5 * np.mean(history.losses[:20])


class TestPasses:
    def test_in_order_it_is_what_the_core_does_with_all_windows(self):
        ours, core = lesson(held_out=0), lesson(held_out=0)
        total = len(ours.windows)
        history = ours.train(shuffle=False, steps=2 * total, batch_size=1, lr=0.01)
        series, starts = core.windows.at(np.tile(np.arange(total), 2))
        losses = core.trainer.run(series, starts, 1, np.full(2 * total, 0.01))
        assert history.losses == losses.tolist()
        np.testing.assert_array_equal(ours.weights(), core.weights())

    @pytest.mark.parametrize("breath", [0.0, 1e9])
    def test_how_often_it_breathes_changes_nothing(self, monkeypatch, breath):
        usual, other = lesson(), lesson()
        expected = usual.train(steps=60)
        monkeypatch.setattr(training, "_BREATH_S", breath)
        history = other.train(steps=60)
        assert (history.losses, history.checks) == (expected.losses, expected.checks)
        np.testing.assert_array_equal(other.weights(), usual.weights())

    def test_the_last_batch_of_a_pass_takes_what_is_left(self):
        job = lesson(held_out=0)
        total = len(job.windows)
        assert total % 8
        history = job.train(steps=5 * -(-total // 8))
        assert history.steps_per_epoch == -(-total // 8)
        assert len(history.losses) == 5 * history.steps_per_epoch
        assert history.epoch_losses == history.losses[history.steps_per_epoch - 1 :: history.steps_per_epoch]
        assert len(history.epoch_losses) == 5

    def test_a_batch_larger_than_all_windows_is_one_step_a_pass(self):
        history = lesson().train(batch_size=10_000, steps=3)
        assert (history.steps_per_epoch, len(history.epoch_losses)) == (1, 3)

    def test_a_batch_is_the_mean_of_its_windows(self):
        job = lesson(held_out=0)
        expected = job.trainer.evaluate(*job.windows.at(np.arange(len(job.windows)))).mean()
        assert job.train(batch_size=10_000, steps=1).losses == [pytest.approx(expected, rel=1e-6)]

    def test_shuffled_it_depends_on_the_seed_alone(self):
        weights = []
        for seed in (1, 1, 2):
            job = lesson()
            job.train(seed=seed)
            weights.append(job.weights())
        np.testing.assert_array_equal(weights[0], weights[1])
        assert (weights[0] != weights[2]).any()

    def test_losses_fall_on_a_series_that_can_be_learned(self):
        history = lesson(y=wave(noise=0.0)).train(steps=400, lr=0.02)
        assert np.mean(history.losses[-40:]) < 0.1 * np.mean(history.losses[:40])
        assert (len(history.losses), history.stopped) == (400, "finished")
        assert history.seconds > 0


class TestChecks:
    def test_the_weights_of_the_best_check_are_kept(self):
        job = lesson()
        history = job.train(lr=0.3, steps=100, check_every=1)  # so fast that it jumps about
        assert history.best_step != 100
        assert history.checks[history.best_step] == min(history.checks.values())
        assert job.validation_loss() == pytest.approx(min(history.checks.values()), rel=1e-12)

    def test_they_are_the_weights_of_that_very_step(self):
        job, shorter = lesson(), lesson()
        best = job.train(lr=0.3, steps=100, check_every=1).best_step
        shorter.train(lr=0.3, steps=best, check_every=best)
        np.testing.assert_array_equal(job.weights(), shorter.weights())

    def test_of_equal_checks_the_first_is_kept(self):
        assert lesson().train(lr=0.0, steps=20).best_step == 5

    def test_checks_come_at_their_steps_and_at_the_end(self):
        assert list(lesson().train(steps=23, check_every=5).checks) == [5, 10, 15, 20, 23]
        assert list(lesson().train(steps=3, check_every=5).checks) == [3]

    def test_of_many_windows_some_are_looked_at_the_same_every_time(self, monkeypatch):
        seen = []
        job = lesson(y=wave(2000), held_out=1000)
        evaluate = job.trainer.evaluate
        monkeypatch.setattr(job.trainer, "evaluate", lambda *some: seen.append(some) or evaluate(*some))
        history = job.train(steps=20)
        assert len(job.validation) == 999
        series, starts = seen[0]
        assert (series.size, len(seen)) == (256, 4)
        assert all((other == starts).all() for _, other in seen)
        assert np.diff(starts).min() >= 3
        assert np.diff(starts).max() <= 4
        assert history.checks[20] == pytest.approx(evaluate(series, starts).mean(), rel=1e-12)

    @pytest.mark.parametrize(
        ("check_every", "batch_size", "most"), [(1, 1, 256), (20, 128, 320), (1000, 256, 32000)]
    )
    def test_a_look_reads_one_window_for_eight_that_were_learned_from(self, check_every, batch_size, most):
        plan = Plan(steps=5000, batch_size=batch_size, lr=0.1, check_every=check_every)
        assert plan.watched == most

    def test_looking_does_not_change_what_is_learned(self):
        losses = [lesson().train(check_every=every).losses for every in (1, 40)]
        assert losses[0] == losses[1]

    def test_without_held_out_windows_the_last_weights_are_kept(self):
        job = lesson(held_out=0)
        history = job.train(steps=17)
        assert (history.checks, history.best_step, history.stopped) == ({}, 17, "finished")
        rest = lesson(held_out=0)
        rest.train(steps=17, check_every=100)
        np.testing.assert_array_equal(job.weights(), rest.weights())

    def test_patience_counts_checks_without_a_better_loss(self):
        history = lesson().train(lr=0.0, steps=100, check_every=5, patience=3)  # nothing can get better
        assert list(history.checks) == [5, 10, 15, 20]
        assert (history.stopped, len(history.losses), history.best_step) == ("patience", 20, 5)

    def test_patience_begins_anew_with_every_better_loss(self):
        history = lesson(y=wave(noise=0.0)).train(steps=30, check_every=2, lr=0.002, patience=1)
        losses = list(history.checks.values())
        falls = all(b < a for a, b in itertools.pairwise(losses))
        assert falls
        assert history.stopped == "finished"

    def test_stopping_early_keeps_the_best_weights(self):
        job = lesson()
        history = job.train(lr=0.3, steps=1000, check_every=1, patience=10)
        assert history.stopped == "patience"
        assert len(history.losses) == history.best_step + 10
        assert job.validation_loss() == pytest.approx(min(history.checks.values()), rel=1e-12)

    def test_no_patience_never_stops_early(self):
        assert len(lesson().train(lr=0.0, steps=50, check_every=1).losses) == 50


class TestWatcher:
    def test_it_sees_every_step_in_order(self):
        seen, plans = [], set()

        def watch(history, plan):
            seen.append(len(history.losses))
            plans.add(plan)
            assert np.isfinite(history.losses).all()
            assert history.seconds >= 0

        history = lesson().train(watch, steps=60)
        assert seen == sorted(set(seen))
        assert seen[-1] == len(history.losses) == 60
        assert len(plans) == 1

    def test_it_changes_nothing(self):
        watched, alone = lesson(), lesson()
        watched.train(lambda history, plan: None)
        alone.train()
        np.testing.assert_array_equal(watched.weights(), alone.weights())

    def test_its_own_faults_are_not_swallowed(self):
        def watch(history, plan):
            raise RuntimeError("the watcher's own")

        with pytest.raises(RuntimeError, match="the watcher's own"):
            lesson().train(watch)


class TestNotFinite:
    def test_it_is_an_error_that_names_step_and_rate(self):
        job = lesson(cell="rnn_relu", optimizer="sgd", scaling="none", y=100 * wave())
        with pytest.raises(TrainingError, match=r"The loss is not finite at step \d+") as caught:
            job.train(lr=1000.0, steps=500)
        assert "learning rate 1e+03" in str(caught.value)
        assert "clip=1.0" in str(caught.value)
        assert np.isfinite(job.weights()).all()

    @pytest.mark.parametrize("held_out", [0, 6])
    def test_an_update_beyond_all_numbers_is_found_even_if_it_is_the_last(self, held_out):
        job = lesson(cell="rnn_relu", optimizer="sgd", scaling="none", y=1e17 * wave(), held_out=held_out)
        with pytest.raises(TrainingError, match="not finite"):
            job.train(lr=1e6, steps=1)

    def test_a_forecaster_says_so_and_stays_as_it_was(self):
        forecaster = small(2, steps=3).fit(wave())
        before = forecaster.predict()
        wild = {
            "cell": "rnn_relu",
            "optimizer": "sgd",
            "clip": None,
            "lr": 1000.0,
            "scaling": "none",
            "steps": 500,
        }
        with pytest.raises(TrainingError, match="not finite at step"):
            forecaster.set_params(**wild, loss="mse").fit(100 * wave())
        np.testing.assert_array_equal(forecaster.predict(), before)
        unfitted = small(2, **wild, loss="mse")
        with pytest.raises(TrainingError, match="not finite at step"):
            unfitted.fit(100 * wave())
        assert not [name for name in vars(unfitted) if name.endswith("_")]


def test_a_history_is_plain_data():
    history = History(losses=[3.0, 2.0, 1.0], steps_per_epoch=2, checks={2: 1.5})
    assert dataclasses.asdict(history)["checks"] == {2: 1.5}
    assert history.epoch_losses == [2.0]
