"""Whoever watches a fit sees all of it, changes nothing, and can end it."""

import numpy as np
import pytest

from tests.forecaster.helpers import small, wave
from unrolled.errors import NotFittedError


class EnoughError(Exception):
    """What no part of the package knows."""


def test_the_watcher_sees_every_check_and_changes_nothing():
    seen: list[tuple[int, int]] = []
    how = {"members": 1, "refit": False}
    watched = small(3, **how).fit(
        wave(), watch=lambda history, plan: seen.append((len(history.losses), plan.steps))
    )
    steps = watched.history_.losses
    assert seen[-1] == (len(steps), seen[-1][1])
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})
    assert {done for done, _ in seen} >= set(watched.history_.checks)
    assert watched.history_.checks
    np.testing.assert_array_equal(watched.predict(), small(3, **how).fit(wave()).predict())


def test_the_watcher_sees_the_rehearsal_and_every_member_and_changes_nothing():
    done: dict[int, list[int]] = {}
    plans = {}
    kept = []  # histories live on, so that no other one has their number

    def watch(history, plan):
        kept.append(history)
        done.setdefault(id(history), []).append(len(history.losses))
        plans[id(history)] = plan

    watched = small(3, members=3).fit(wave(), watch=watch)
    assert len(done) == 4
    for number, steps in done.items():
        assert steps == sorted(set(steps))
        assert steps[-1] == plans[number].steps == 5
        assert plans[number].together == 20
    assert sorted(plan.seed for plan in plans.values()) == [0, 0, 1, 2]
    np.testing.assert_array_equal(watched.predict(), small(3, members=3).fit(wave()).predict())


def test_a_bar_and_a_watcher_both_watch(capsys):
    seen: list[int] = []
    small(3, progress=True).fit(wave(), watch=lambda history, plan: seen.append(len(history.losses)))
    assert seen
    assert "loss" in capsys.readouterr().err


def test_what_the_watcher_raises_ends_the_training():
    calls: list[int] = []

    def watch(history, plan):
        calls.append(len(history.losses))
        raise EnoughError("enough")

    forecaster = small(3)
    with pytest.raises(EnoughError, match="enough"):
        forecaster.fit(wave(), watch=watch)
    assert len(calls) == 1
    with pytest.raises(NotFittedError, match="fit"):
        _ = forecaster.ends_


def test_ctrl_c_in_a_watcher_keeps_the_best_so_far():
    def watch(history, plan):
        raise KeyboardInterrupt

    with pytest.warns(UserWarning, match="Interrupted"):
        forecaster = small(3).fit(wave(), watch=watch)
    assert forecaster.history_.stopped == "interrupted"
    assert np.isfinite(forecaster.predict()).all()
