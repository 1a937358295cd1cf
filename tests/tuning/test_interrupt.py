"""Ctrl-C: the best of the finished trials where there is one."""

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from tests.tuning.helpers import plain, quick
from unrolled.tuning.task import Task

usual = Task.judge


def press_after(monkeypatch, trials: int) -> None:
    """Press Ctrl-C in the trial after so many; it goes on until it is told to stop."""
    seen = []

    def judge(self, params, watch, *, threads):
        seen.append(params)
        if len(seen) <= trials:
            return usual(self, params, watch, threads=threads)
        if len(seen) == trials + 1:
            os.kill(os.getpid(), signal.SIGINT)
        return usual(self, {"steps": 10_000_000, "hidden_size": 3, "patience": 0}, watch, threads=threads)

    monkeypatch.setattr(Task, "judge", judge)


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_best_of_the_finished_trials_is_fitted(monkeypatch, jobs):
    whole, before = quick(trials=6, jobs=1), set(threading.enumerate())
    press_after(monkeypatch, 3)
    began = time.perf_counter()
    with pytest.warns(UserWarning, match="Interrupted: the search ended after"):
        found = quick(trials=6, jobs=jobs)
    assert time.perf_counter() - began < 20
    assert found.interrupted
    assert np.isfinite(found.forecaster.predict()).all()
    if jobs == 1:
        assert plain(found.trials) == plain(whole.trials)[:3]
    assert set(threading.enumerate()) <= before, "no trial goes on behind the caller's back"


def test_nothing_to_keep(monkeypatch):
    press_after(monkeypatch, 0)
    with pytest.raises(KeyboardInterrupt):
        quick()


def test_an_interrupted_search_goes_on(tmp_path, monkeypatch):
    file, whole = tmp_path / "trials.log", quick(trials=6)
    with monkeypatch.context() as patch:
        press_after(patch, 3)
        with pytest.warns(UserWarning, match="Interrupted"):
            quick(trials=6, storage=file)
    assert plain(quick(trials=6, storage=file).trials) == plain(whole.trials)


def test_a_killed_process_goes_on(tmp_path):
    file = tmp_path / "trials.log"
    code = f"from tests.tuning.helpers import quick\nquick(trials=1000000, storage={str(file)!r})\n"
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE)
    while not file.exists() or file.read_bytes().count(b'"seconds"') < 4:
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.02)
    process.kill()
    process.communicate()
    done = file.read_bytes().count(b'"seconds"')
    (tmp_path / "trials.log.lock").unlink(
        missing_ok=True
    )  # killed while it wrote: optuna waits 30 s for that
    found = quick(trials=done + 3, storage=file)
    assert plain(found.trials)[:4] == plain(quick(trials=4).trials)
