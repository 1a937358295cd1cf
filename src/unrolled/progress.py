"""A bar on stderr while training: loss, speed and time left. Silent where stderr is not a terminal."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from unrolled.messages import text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.progress import Progress

    from unrolled.training import History, Plan, Watcher


@contextmanager
def progress_bar(wanted: bool | None, also: Watcher | None = None) -> Iterator[Watcher | None]:
    """Yield a watcher that draws one bar for all trainings of a fit, or `also` alone where none is wanted.

    Args:
        wanted: True or False; None: where stderr is a terminal.
        also: is told everything too.
    """
    if not _shown(wanted):
        yield also
        return
    with _bar() as bar:
        task = bar.add_task(text("progress.training"), total=None, facts="")

        seen: dict[int, tuple[History, Plan]] = {}

        def watch(history: History, plan: Plan) -> None:
            seen[id(history)] = history, plan
            steps = [of.steps if one.stopped == "patience" else len(one.losses) for one, of in seen.values()]
            under_way = [
                one for (one, of), done in zip(seen.values(), steps, strict=True) if done < of.steps
            ] or [history]
            speed = plan.batch_size * sum(len(one.losses) / max(one.seconds, 1e-9) for one in under_way)
            facts = text("progress.facts", loss=history.losses[-1], speed=speed)
            bar.update(task, total=plan.together or plan.steps, completed=sum(steps), facts=facts)
            if also:
                also(history, plan)

        yield watch


@contextmanager
def counting_bar(wanted: bool | None, total: int) -> Iterator[Callable[[int], None] | None]:
    """Yield a function that draws a bar of how many of `total` are done, or None where none is wanted.

    Args:
        wanted: True or False; None: where stderr is a terminal.
        total: how many there are.
    """
    if not _shown(wanted):
        yield None
        return
    with _bar() as bar:
        task = bar.add_task(text("progress.folds"), total=total, facts="")
        yield lambda done: bar.update(task, completed=done)


@contextmanager
def search_bar(wanted: bool | None) -> Iterator[Callable[[int, int | None, str], None]]:
    """Yield `tell(done, total, facts)`, which draws a bar of trials, or does nothing where none is wanted.

    Args:
        wanted: True or False; None: where stderr is a terminal.
    """
    if not _shown(wanted):
        yield lambda done, total, facts: None
        return
    with _bar() as bar:
        task = bar.add_task(text("tune.progress"), total=None, facts="")

        def tell(done: int, total: int | None, facts: str) -> None:
            bar.update(task, total=total, completed=done, facts=facts)

        yield tell


def _shown(wanted: bool | None) -> bool:
    """Return whether a bar is to be shown: as wanted, else where stderr is a terminal."""
    return (sys.stderr is not None and sys.stderr.isatty()) if wanted is None else wanted


def _bar() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TextColumn("{task.fields[facts]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        redirect_stdout=False,  # what others print goes where they print it
        redirect_stderr=False,
    )
