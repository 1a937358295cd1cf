"""Members side by side: each is what it would be alone, and Ctrl-C or an error reaches all of them."""

from __future__ import annotations

import os
import signal
import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.forecaster.helpers import wave
from tests.forecaster.lessons import lesson, planned
from unrolled.checkpoint import Checkpoint
from unrolled.ensemble import Book, Lesson, train_members
from unrolled.errors import FileError, TrainingError
from unrolled.progress import progress_bar


def jobs(*seeds, threads=1, **changes):
    return [lesson(seed=seed, threads=threads, dropout=0.2, **changes) for seed in seeds]


def together(members, seeds, *, threads=2, watch=None, checkpoint=None, names=(), **plan):
    """Train lessons as the members of an ensemble."""
    plans = [planned(seed=seed, **plan) for seed in seeds]
    lessons = [Lesson(*job, one) for job, one in zip(members, plans, strict=True)]
    book = None if checkpoint is None else Book(checkpoint, len(lessons))
    return train_members(lessons, threads=threads, watch=watch, book=book, names=names)


def facts(history):
    """Return all of a history but its seconds."""
    return {name: value for name, value in vars(history).items() if name != "seconds"}


@settings(max_examples=15)
@given(
    seeds=st.lists(st.integers(0, 9), min_size=1, max_size=5, unique=True),
    threads=st.integers(1, 6),
    own=st.integers(1, 3),
)
def test_every_member_is_what_it_would_be_alone(seeds, threads, own):
    members = jobs(*seeds, threads=own)
    histories = together(members, seeds, threads=threads, snapshots=3, patience=5)
    for seed, job, history in zip(seeds, members, histories, strict=True):
        (alone,) = jobs(seed)
        assert facts(alone.train(seed=seed, snapshots=3, patience=5)) == facts(history)
        np.testing.assert_array_equal(job.weights(), alone.weights())


def test_members_differ():
    members = jobs(0, 1, 2)
    together(members, (0, 1, 2))
    assert len({job.weights().tobytes() for job in members}) == 3


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_never_more_at_once_than_asked(threads):
    members, running, most = jobs(0, 1, 2, 3, 4), set(), []

    def watch(history, plan):
        running.add(plan.seed)
        if len(history.losses) == plan.steps:
            running.remove(plan.seed)
        most.append((len(running), threading.active_count()))

    together(members, range(5), threads=threads, watch=watch)
    assert max(count for count, _ in most) <= threads


def test_the_watcher_is_told_by_one_member_at_a_time():
    busy, seen = threading.Lock(), {}

    def watch(history, plan):
        assert busy.acquire(blocking=False)
        time.sleep(0.001)
        assert seen.get(plan.seed, 0) < len(history.losses)
        seen[plan.seed] = len(history.losses)
        busy.release()

    together(jobs(0, 1, 2), range(3), threads=3, watch=watch)
    assert seen == {0: 40, 1: 40, 2: 40}


class TestInterrupt:
    def press(self):
        """Send the signal to the process, as a terminal does."""
        os.kill(os.getpid(), signal.SIGINT)

    def raise_it(self):
        raise KeyboardInterrupt

    @pytest.mark.parametrize("way", ["press", "raise_it"])
    @pytest.mark.parametrize("members", [1, 3])
    def test_all_that_learned_something_keep_their_best(self, way, members):
        seeds = range(members)
        team, seen, pressed = jobs(*seeds), set(), []

        def watch(history, plan):
            if len(history.losses) >= 20:
                seen.add(plan.seed)
            if len(seen) == members and not pressed:
                pressed.append(way)
                getattr(self, way)()

        histories = together(team, seeds, threads=members, watch=watch, steps=500_000)
        assert [history.stopped for history in histories] == ["interrupted"] * members
        for job, history in zip(team, histories, strict=True):
            assert 20 <= len(history.losses) < 500_000
            assert job.validation_loss() == pytest.approx(min(history.checks.values()), rel=1e-12)

    def test_those_that_never_began_have_no_losses(self):
        team = jobs(0, 1, 2)
        before = team[2].weights()

        def watch(history, plan):
            if plan.seed == 1 and len(history.losses) > 3:
                raise KeyboardInterrupt

        histories = together(team, range(3), threads=1, watch=watch)
        assert [history.stopped for history in histories] == ["finished", "interrupted", "interrupted"]
        assert [bool(history.losses) for history in histories] == [True, True, False]
        np.testing.assert_array_equal(team[2].weights(), before)

    def test_before_any_step_there_is_nothing_to_keep(self, monkeypatch):
        team = jobs(0, 1)
        for job in team:
            monkeypatch.setattr(job.trainer, "run", lambda *_: self.raise_it())
        with pytest.raises(KeyboardInterrupt):
            together(team, range(2))

    def test_no_thread_is_left(self):
        def watch(history, plan):
            raise KeyboardInterrupt

        before = set(threading.enumerate())
        together(jobs(0, 1), range(2), watch=watch)
        assert set(threading.enumerate()) <= before


class TestError:
    def test_an_error_of_one_stops_the_others_and_is_raised(self):
        calm, wild = jobs(0, 1)
        wild = lesson(y=wave() * 1e25)  # learns on its own table
        wild.trainer.engine.write(np.full_like(wild.weights(), 1e30))
        stopped = []

        def watch(history, plan):
            stopped.append(len(history.losses))

        with pytest.raises(TrainingError, match="not finite at step 1"):
            together([calm, wild], range(2), watch=watch, steps=10_000_000)
        assert max(stopped, default=0) < 10_000_000  # the calm one may not even have begun

    def test_the_series_is_named(self):
        y = wave()
        y[30] = 1e30
        with pytest.raises(TrainingError, match=r"worst window sales\["):
            together(jobs(0, y=y, held_out=0), [0], names=["sales"])

    def test_a_fault_of_the_watcher_is_not_swallowed(self):
        def watch(history, plan):
            raise RuntimeError("the watcher's own")

        with pytest.raises(RuntimeError, match="the watcher's own"):
            together(jobs(0, 1), range(2), watch=watch, steps=10_000_000)


class TestCheckpoint:
    def book(self, tmp_path, name="one"):
        return Checkpoint(tmp_path / "training", 0.0, name)

    @pytest.mark.parametrize("stop", [1, 3, 4])
    def test_stopped_and_gone_on_it_is_the_same(self, tmp_path, stop):
        seeds, plan = range(4), {"steps": 60, "snapshots": 3}

        def watch(history, plan):
            if plan.seed == stop % 4 and len(history.losses) > 20:
                raise KeyboardInterrupt

        unbroken, first, second = (jobs(*seeds) for _ in range(3))
        expected = [facts(history) for history in together(unbroken, seeds, **plan)]
        book = self.book(tmp_path)
        histories = together(first, seeds, watch=watch, checkpoint=book, **plan)
        assert "interrupted" in {history.stopped for history in histories}
        again = together(second, seeds, checkpoint=book, threads=3, **plan)
        assert [facts(history) for history in again] == expected
        for job, other in zip(second, unbroken, strict=True):
            np.testing.assert_array_equal(job.weights(), other.weights())

    def test_what_is_done_is_not_done_again(self, tmp_path, monkeypatch):
        first, second = jobs(0, 1), jobs(0, 1)
        expected = [facts(history) for history in together(first, range(2), checkpoint=self.book(tmp_path))]
        content = (tmp_path / "training").read_bytes()
        for job in second:
            monkeypatch.setattr(job.trainer, "run", lambda *_: pytest.fail("a step was taken"))
        again = together(second, range(2), checkpoint=self.book(tmp_path))
        assert [facts(history) for history in again] == expected
        np.testing.assert_array_equal(first[1].weights(), second[1].weights())
        assert (tmp_path / "training").read_bytes() == content

    def test_a_member_that_is_waiting_keeps_what_it_learned_before(self, tmp_path):
        """Interrupted once more before its turn comes, it still is what it was."""
        together(jobs(0, 1), range(2), checkpoint=self.book(tmp_path))

        def stop(history, plan):
            if plan.seed == 0:
                raise KeyboardInterrupt

        again = jobs(0, 1)
        histories = together(again, range(2), threads=1, watch=stop, checkpoint=self.book(tmp_path))
        assert [len(history.losses) for history in histories] == [40, 40]

    def test_a_path_that_cannot_be_written_is_known_before_the_first_step(self, tmp_path, monkeypatch):
        (job,) = jobs(0)
        monkeypatch.setattr(job.trainer, "run", lambda *_: pytest.fail("a step was taken"))
        with pytest.raises(FileError, match="folder"):
            together([job], [0], checkpoint=Checkpoint(tmp_path / "none" / "training", 0.0, "one"))

    def test_other_members_are_refused(self, tmp_path):
        together(jobs(0, 1), range(2), checkpoint=self.book(tmp_path))
        content = (tmp_path / "training").read_bytes()
        with pytest.raises(FileError, match="members: 2, not 3"):
            together(jobs(0, 1, 2), range(3), checkpoint=self.book(tmp_path))
        assert (tmp_path / "training").read_bytes() == content

    def test_a_disk_that_is_full_stops_training_and_is_said(self, tmp_path, monkeypatch):
        book = self.book(tmp_path)
        save = book.save

        def full(states):
            if any(state and state.steps > 10 for state in states):
                raise FileError("no space left")
            save(states)

        monkeypatch.setattr(book, "save", full)
        with pytest.raises(FileError, match="no space left"):
            together(jobs(0, 1), range(2), checkpoint=book, steps=10_000_000)
        assert self.book(tmp_path).load() is not None

    def test_it_is_written_as_often_as_asked(self, tmp_path, monkeypatch):
        book, calls = Checkpoint(tmp_path / "training", 3600.0, "one"), []
        save = book.save
        monkeypatch.setattr(book, "save", lambda states: calls.append(len(states)) or save(states))
        together(jobs(0, 1), range(2), threads=1, checkpoint=book)
        assert calls == [2, 2, 2]  # at the beginning, and at the end of either


class TestBar:
    def test_one_bar_for_all(self, monkeypatch):
        drawn = []
        monkeypatch.setattr(
            "rich.progress.Progress.update", lambda self, task, **values: drawn.append(values)
        )
        with progress_bar(True) as watch:
            together(jobs(0, 1, 2), range(3), threads=2, watch=watch, together=120)
        assert {values["total"] for values in drawn} == {120}
        done = [values["completed"] for values in drawn]
        assert done == sorted(done)
        assert done[-1] == 120

    def test_members_that_stop_early_are_done(self, monkeypatch):
        drawn = []
        monkeypatch.setattr(
            "rich.progress.Progress.update", lambda self, task, **values: drawn.append(values)
        )
        with progress_bar(True) as watch:
            together(jobs(0, 1), range(2), watch=watch, lr=0.0, patience=2, steps=100, together=200)
        assert drawn[-1]["completed"] == drawn[-1]["total"] == 200
