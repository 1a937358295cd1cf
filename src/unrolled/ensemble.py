"""The members of an ensemble, trained side by side: each is what it would be alone.

Knows training and checkpoints; must not know what the members' forecasts are put together to.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

from unrolled.errors import FileError, fault
from unrolled.plans import History, Plan
from unrolled.training import train

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unrolled.checkpoint import Checkpoint
    from unrolled.engine import Trainer
    from unrolled.training import TrainingState, Watcher
    from unrolled.windows import Windows

_GLANCE_S = 0.05
"""The waiting thread wakes this often, so that Ctrl-C is heard wherever the system delivers it."""


class Lesson(NamedTuple):
    """What one member learns from, and how.

    Attributes:
        trainer: of an engine of its own.
        windows: to learn from.
        validation: to watch; None for none.
        plan: how long and how fast.
    """

    trainer: Trainer
    windows: Windows
    validation: Windows | None
    plan: Plan


def train_members(
    lessons: Sequence[Lesson],
    *,
    threads: int,
    watch: Watcher | None = None,
    names: Sequence[object] = (),
    book: Book | None = None,
    after: int = 0,
) -> list[History]:
    """Train networks side by side, and leave each with its best weights.

    Each member is trained in a thread of its own, by `training.train`; it is bit for bit what it would be
    alone, whatever the number of threads and members. Give each trainer max(1, threads // members) threads.

    Ctrl-C stops all members at their next stretch of steps. Those that learned something keep their best so
    far; a member that had not taken a step has a history without losses, and is to be left out. An error in
    one member stops the others.

    With a book, what it holds is gone on from, and it is written at the start, about every
    `Checkpoint.every_s` and at the end of every member; a process that is killed loses at most about twice
    that time. A member that was done is not trained again.

    Args:
        lessons: one a member.
        threads: members trained at once, at most.
        watch: told about every stretch of every member and when it ends, by one member at a time.
        names: of the series, for errors.
        book: where states are kept.
        after: trainings in the book before those of these members.

    Returns:
        What happened, one a member, in their order.

    Raises:
        TrainingError: as `training.train`, of the first of the members that failed.
        FileError: the checkpoint cannot be written.
        KeyboardInterrupt: Ctrl-C before any member had taken a step.
    """
    team = _Team(names, watch, book)
    futures: list[Future[History]] = []
    with ThreadPoolExecutor(max(1, min(threads, len(lessons))), thread_name_prefix="unrolled") as pool:
        try:
            for number, lesson in enumerate(lessons, after):
                futures.append(pool.submit(team.train, number, lesson))
            _wait(futures, team)
        finally:
            team.stop.set()
            team.begin.set()
    for future in futures:
        error = future.exception()
        if error is not None:
            raise error
    histories = [future.result() for future in futures]
    if histories and not any(history.losses for history in histories):
        raise KeyboardInterrupt
    return histories


def _wait(futures: list[Future[History]], team: _Team) -> None:
    """Wait until all members are done; pass Ctrl-C and the error of one on to all.

    By sleeping, a fiftieth of the time so far: a Ctrl-C that falls into the locks of a wait for a future
    leaves them in disorder, and comes out as another error.
    """
    began = time.perf_counter()
    while True:
        try:
            team.begin.set()
            while not all(future.done() for future in futures):
                if any(future.done() and future.exception() is not None for future in futures):
                    team.stop.set()
                time.sleep(min(_GLANCE_S, 2e-4 + (time.perf_counter() - began) / 50))
            return
        except KeyboardInterrupt:
            team.stop.set()


class _Team:
    """What the members have in common.

    Attributes:
        begin: nobody learns before it is set, when Ctrl-C is already waited for.
        stop: all are to stop.
    """

    def __init__(self, names: Sequence[object], watch: Watcher | None, book: Book | None) -> None:
        self.begin, self.stop = threading.Event(), threading.Event()
        self._names = names
        self._watch = watch
        self._book = book
        self._telling = threading.Lock()

    def train(self, number: int, lesson: Lesson) -> History:
        """Train one member, unless all are to stop; interrupted before its first step, it has no losses."""
        self.begin.wait()
        keeping: dict[str, Any] = {"resume": None} if self._book is None else self._book.of(number)
        if self.stop.is_set() and keeping["resume"] is None:
            return History(stopped="interrupted")
        try:
            history = train(
                *lesson,
                names=self._names,
                watch=self._tell,
                **keeping,
            )
        except KeyboardInterrupt:
            history = History(stopped="interrupted")
        if history.stopped == "interrupted":
            self.stop.set()
        if self._book is not None:
            self._book.write()
        return history

    def _tell(self, history: History, plan: Plan) -> None:
        """Tell the watcher what a member did; or stop the member, if there is anything left to stop."""
        if self.stop.is_set() and len(history.losses) < plan.steps and history.stopped != "patience":
            raise KeyboardInterrupt
        if self._watch:
            with self._telling:
                self._watch(history, plan)


class Book:
    """The states of all trainings of a fit, on their way into one file.

    Args:
        checkpoint: the file; what it holds is gone on from.
        trainings: how many there will be.

    Raises:
        FileError: the file is of another training, or cannot be read or written.
    """

    def __init__(self, checkpoint: Checkpoint, trainings: int) -> None:
        self._checkpoint = checkpoint
        found = checkpoint.load()
        self._states: list[TrainingState | None] = [None] * trainings if found is None else found
        if len(self._states) != trainings:
            reason = f"members: {len(self._states)}, not {trainings}"
            raise FileError(fault("checkpoint.damaged", path=checkpoint.path, reason=reason))
        self._lock = threading.Lock()
        self._changed = found is None  # a path that cannot be written is better known now than later
        self.write()

    def of(self, member: int) -> dict[str, Any]:
        """Return what `training.train` is told for a member to go on and to be kept."""
        return {
            "resume": self._states[member],
            "keep": lambda state: self._keep(member, state),
            "keep_every_s": self._checkpoint.every_s,
        }

    def _keep(self, member: int, state: TrainingState) -> None:
        """Hold on to the state of a member; write all of them, unless that was done a short while ago."""
        with self._lock:
            self._states[member] = state
            self._changed = True
            due = time.monotonic() - self._written_at >= self._checkpoint.every_s / 2
        if due:
            self.write()

    def write(self) -> None:
        """Write the states of all members, where one of them is new."""
        with self._lock:
            if self._changed:
                self._checkpoint.save(self._states)
                self._changed = False
            self._written_at = time.monotonic()
