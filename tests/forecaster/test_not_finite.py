"""A loss that is not finite: the error names step, batch, window and the likely cause, all of it measured."""

from __future__ import annotations

import numpy as np
import pytest

from tests.forecaster.helpers import wave
from tests.forecaster.lessons import lesson
from unrolled.diagnosis import _cause
from unrolled.errors import TrainingError
from unrolled.messages import speaking


def refused(job, names=(), **plan):
    """Train until it is refused; return the fault."""
    with pytest.raises(TrainingError, match=r"The loss is not finite at step \d+") as caught:
        job.train(going_on={"names": names}, **plan)
    assert np.isfinite(job.weights()).all()
    return caught.value.faults[0]


def with_one(value, at, points=72):
    """Return a wave with one value of another size."""
    y = wave(points)
    y[at] = value
    return y


class TestCause:
    def test_a_learning_rate_that_is_too_high(self):
        job = lesson(cell="rnn_relu", optimizer="sgd", scaling="standard", y=wave())
        fault = refused(job, lr=1000.0, steps=500)
        assert fault.id == "training.not-finite-rate"
        assert fault.values["lr"] == 1000.0
        assert fault.values["largest"] < 10
        assert "a smaller lr, such as 100, and clip=1.0" in str(fault)

    def test_large_numbers_that_nobody_scaled(self):
        job = lesson(cell="rnn_relu", optimizer="sgd", scaling="none", y=1e20 * wave())
        fault = refused(job, lr=0.01)
        assert fault.id == "training.not-finite-scaling"
        assert fault.values["largest"] == pytest.approx(1e20 * wave().max(), rel=0.2)
        assert 'scaling="last" or scaling="standard"' in str(fault)

    def test_a_huge_value(self):
        # Where the value is the target, the loss of its window is beyond all numbers, and of no other.
        job = lesson(y=[wave(), with_one(1e30, 8, points=10)], held_out=0)
        fault = refused(job, names=("calm", "wild"), batch_size=1000)
        assert (fault.id, fault.values["step"]) == ("training.not-finite-value", 1)
        assert fault.values["worst"] == "wild[0:]"
        assert fault.values["loss"] == np.inf

    def test_a_value_that_is_huge_in_its_window(self):
        # The mean of the absolute values is 1/8 of the spike; but the numbers behind it are as large again.
        y = with_one(1e25, 40)
        y[41:] *= 1e35 / 10
        job = lesson(scaling="mean_abs", y=[wave(), y], held_out=0)
        fault = refused(job, names=("calm", "wild"), batch_size=1000)
        assert fault.id == "training.not-finite-value"
        assert fault.values["worst"].startswith("wild[")

    @pytest.mark.parametrize(
        ("losses", "largest", "scaling", "expected"),
        [
            ([1.0, np.inf], 5.0, "last", "value"),
            ([1e7, np.inf], 5.0, "last", "rate"),  # the weights give large losses everywhere
            ([np.nan, np.inf], 5.0, "last", "rate"),
            ([1.0, 2.0], 5.0, "last", "rate"),  # the gradients alone went beyond all numbers
            ([1.0, 2.0], 1001.0, "last", "value"),
            ([1.0, 2.0], 1001.0, "none", "scaling"),
            ([1.0, 2.0], 999.0, "none", "rate"),
        ],
    )
    def test_by_hand(self, losses, largest, scaling, expected):
        losses = np.array(losses)
        assert _cause(scaling, losses, np.array([1.0, largest]), ~np.isfinite(losses)) == expected

    @pytest.mark.parametrize("language", ["en", "zh"])
    def test_it_is_said_in_every_language(self, language):
        for job in (
            lesson(cell="rnn_relu", optimizer="sgd", y=wave()),
            lesson(cell="rnn_relu", optimizer="sgd", scaling="none", y=1e6 * wave()),
            lesson(y=with_one(1e30, 30), held_out=0),
        ):
            with pytest.raises(TrainingError) as caught, speaking("en"):
                job.train(lr=1000.0, steps=500)
            with speaking(language):
                assert "{" not in str(caught.value)


class TestFacts:
    def test_the_batch_is_that_of_the_step(self):
        series = [wave(12), with_one(1e30, 9, points=12)]
        job = lesson(y=series, held_out=0)
        assert len(job.windows) == 6
        fault = refused(job, names="ab", batch_size=2, shuffle=False)
        # Windows in order: a0 a1, a2 b0, b1 b2; point 9 is a target of b0 and b1.
        assert fault.values["step"] == 2
        assert (fault.values["windows"], fault.values["count"]) == ("a[2:], b[0:]", 2)
        assert fault.values["worst"] == "b[0:]"

    def test_the_last_batch_of_a_pass_is_what_is_left(self):
        job = lesson(y=[wave(12), with_one(1e30, 11, points=12)], held_out=0)
        fault = refused(job, names="ab", batch_size=5, shuffle=False)
        assert (fault.values["step"], fault.values["windows"]) == (2, "b[2:]")

    def test_of_many_windows_a_few_are_named(self):
        fault = refused(lesson(y=with_one(1e30, 30), held_out=0), batch_size=1000, shuffle=False)
        assert fault.values["windows"] == "0[0:], 0[1:], 0[2:], 0[3:], 0[4:], ..."
        assert fault.values["count"] == 63

    def test_the_rate_is_that_of_the_step(self):
        job = lesson(y=[wave(12), with_one(1e30, 9, points=12)], held_out=0)
        fault = refused(job, batch_size=2, shuffle=False, steps=100, schedule="one_cycle", lr=0.5)
        assert fault.values["lr"] == pytest.approx(0.5 * (0.1 + 0.9 * 0.1))

    def test_an_update_beyond_all_numbers_is_told_with_the_batch_of_the_last_step(self):
        job = lesson(cell="rnn_relu", optimizer="sgd", scaling="none", y=1e17 * wave(), held_out=0)
        with pytest.raises(TrainingError, match="not finite at step 1") as caught:
            job.train(lr=1e6, steps=1)
        assert caught.value.faults[0].id == "training.not-finite-scaling"
        assert caught.value.faults[0].values["count"] == 8

    def test_after_going_on_it_is_the_same_error(self):
        states, plan = [], {"lr": 30.0, "steps": 500, "check_every": 1000}

        def make():
            return lesson(cell="rnn_relu", optimizer="sgd", y=wave(), held_out=0)

        job = make()
        with pytest.raises(TrainingError, match="not finite") as caught:
            job.train(going_on={"keep": states.append, "keep_every_s": 0.0}, **plan)
        assert states
        with pytest.raises(TrainingError, match="not finite") as again:
            make().train(going_on={"resume": states[-1]}, **plan)
        assert str(again.value) == str(caught.value)


class TestMissingTargets:
    def gap(self, first, last):
        y = wave()
        y[first:last] = np.nan
        return y

    def test_windows_without_a_target_are_not_looked_at(self):
        job = lesson(y=self.gap(68, 70))
        history = job.train()
        everything = job.trainer.evaluate(*job.validation.at(np.arange(5)))
        np.testing.assert_array_equal(np.isnan(everything), [False, False, True, False, False])
        assert history.checks[history.best_step] == pytest.approx(np.nanmean(everything), rel=1e-12)

    def test_of_a_window_with_one_target_that_one_counts(self):
        job = lesson(y=self.gap(68, 69))
        history = job.train()
        everything = job.trainer.evaluate(*job.validation.at(np.arange(5)))
        assert np.isfinite(everything).all()
        assert history.checks[history.best_step] == pytest.approx(everything.mean(), rel=1e-12)

    def test_batches_without_any_target_teach_nothing_and_are_no_fault(self):
        job = lesson(y=self.gap(20, 60), held_out=0)
        history = job.train(batch_size=1, steps=200)
        assert np.isfinite(history.losses).all()
        assert 0.0 in history.losses

    def test_no_target_at_all_is_an_error(self):
        with pytest.raises(TrainingError, match=r"nothing to validate on.*missing") as caught:
            lesson(y=self.gap(66, 72)).train()
        assert caught.value.faults[0].values == {"count": 5}

    def test_a_training_with_gaps_goes_on_as_if_never_stopped(self):
        states = []
        job, again = (lesson(y=self.gap(20, 45)) for _ in range(2))
        losses = job.train(going_on={"keep": states.append, "keep_every_s": 0.0}, batch_size=2).losses
        assert again.train(going_on={"resume": states[3]}, batch_size=2).losses == losses
        np.testing.assert_array_equal(job.weights(), again.weights())
