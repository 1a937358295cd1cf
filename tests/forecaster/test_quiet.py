"""Nothing happens behind the user's back: no output, no files, no random state, no settings changed."""

from __future__ import annotations

import io
import logging
import random
import signal
import sys
import threading
import time
import warnings

import numpy as np
import pytest

from tests.forecaster.helpers import small, wave, waves
from unrolled.messages import speaking
from unrolled.progress import progress_bar
from unrolled.training import History, Plan


class Terminal(io.StringIO):
    """A stream that says that a person looks at it."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def sit_down(monkeypatch):
    """Return what puts a terminal in the place of stderr, where pytest puts its own before a test begins."""

    def terminal() -> Terminal:
        stream = Terminal()
        monkeypatch.setattr(sys, "stderr", stream)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", "100")
        for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
            monkeypatch.delenv(name, raising=False)
        return stream

    return terminal


def everything(**changes):
    """Do all that a forecaster can do."""
    forecaster = small(3, steps=40, **changes).fit(waves(50, 60))
    forecaster.predict()
    forecaster.predict(waves(40, 45))
    str(forecaster.report_)
    forecaster.describe()
    return forecaster


def test_no_output(capfd):
    everything()
    everything(progress=False)
    everything(strategy="recursive", threads=2)
    assert capfd.readouterr() == ("", "")


def test_no_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    everything(threads=2)
    assert list(tmp_path.iterdir()) == []


def test_saving_makes_one_file_and_loading_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    forecaster = everything()
    forecaster.save("model")
    forecaster.load("model").predict()
    assert [one.name for one in tmp_path.iterdir()] == ["model"]


def test_random_states_are_left_alone():
    ours, pythons = np.random.get_state(), random.getstate()  # noqa: NPY002 - the very state that must not move
    everything(num_layers=2, dropout=0.5)
    assert random.getstate() == pythons
    for before, after in zip(ours, np.random.get_state(), strict=True):  # noqa: NPY002
        np.testing.assert_array_equal(before, after)


def test_no_setting_of_python_is_changed():
    def settings():
        loggers = (
            logging.root.level,
            list(logging.root.handlers),
            "unrolled" in logging.root.manager.loggerDict,
        )
        streams = (sys.stdout, sys.stderr, sys.excepthook)
        return (loggers, streams, list(warnings.filters), np.geterr(), signal.getsignal(signal.SIGINT))

    before = settings()
    everything()
    everything(progress=True)
    assert settings() == before


def test_no_thread_of_python_stays_behind():
    before = set(threading.enumerate())  # those of earlier tests may well end meanwhile
    everything(progress=True, threads=2)
    deadline = time.monotonic() + 5
    while not set(threading.enumerate()) <= before and time.monotonic() < deadline:
        time.sleep(0.01)  # what draws the bar is told to end, and does so after its next picture
    assert set(threading.enumerate()) <= before


def test_no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        everything()
        everything(scaling="series")


class TestProgress:
    def test_asked_for_it_is_on_stderr_alone(self, capfd):
        small(3, steps=30, members=4, progress=True).fit(wave())
        out, err = capfd.readouterr()
        assert out == ""
        assert "training" in err
        assert "150/150" in err  # of the rehearsal and of every member
        assert "loss" in err
        assert "windows/s" in err

    def test_it_is_shown_on_a_terminal(self, sit_down, capsys):
        terminal = sit_down()
        small(3, steps=30, members=1, refit=False).fit(wave())
        assert "30/30" in terminal.getvalue()
        assert capsys.readouterr().out == ""

    def test_unless_it_is_not_wanted(self, sit_down):
        terminal = sit_down()
        small(3, steps=30, progress=False).fit(wave())
        assert terminal.getvalue() == ""

    def test_it_speaks_chinese(self, sit_down):
        terminal = sit_down()
        with speaking("zh"):
            small(3, steps=30).fit(wave())
        assert "训练" in terminal.getvalue()

    def test_it_lets_others_print_to_stdout(self, sit_down, capsys):
        terminal = sit_down()
        with progress_bar(None) as watch:
            assert watch is not None
            watch(History(losses=[1.0, 0.5], seconds=0.1), Plan(steps=4, batch_size=8, lr=0.1))
            print("data")
        assert capsys.readouterr().out == "data\n"
        assert "data" not in terminal.getvalue()
        assert "2/4" in terminal.getvalue()

    def test_it_is_taken_down_when_training_fails(self, sit_down):
        terminal = sit_down()
        wild = {
            "cell": "rnn_relu",
            "optimizer": "sgd",
            "clip": None,
            "lr": 1000.0,
            "scaling": "none",
            "loss": "mse",
        }
        with pytest.raises(ValueError, match="not finite"):
            small(2, steps=500, **wild).fit(100 * wave())
        assert "\x1b[?25h" in terminal.getvalue()  # the cursor is shown again
        small(3, steps=5).fit(wave())

    def test_two_at_once(self, sit_down):
        sit_down()
        with progress_bar(True) as one, progress_bar(True) as other:
            assert one is not other

    @pytest.mark.parametrize("wanted", [None, False])
    def test_nobody_looks(self, wanted):
        with progress_bar(wanted) as watch:
            assert watch is None

    def test_without_any_stderr(self, monkeypatch):
        """Programs without a console (pythonw) have none."""
        monkeypatch.setattr(sys, "stderr", None)
        with progress_bar(None) as watch:
            assert watch is None

    def test_it_changes_no_number(self):
        shown, silent = (small(3, progress=progress).fit(wave()).predict() for progress in (True, False))
        np.testing.assert_array_equal(shown, silent)
