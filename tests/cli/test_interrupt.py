"""Ctrl-C: the best so far where there is something, 130 where there is nothing."""

from __future__ import annotations

import json
import os
import signal
import time
from typing import TYPE_CHECKING, Any

from tests.cli.helpers import QUICK, forecast, monthly, rows, run
from unrolled.engine import Trainer
from unrolled.tuning.task import Task

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def interrupted_after(monkeypatch: pytest.MonkeyPatch, calls: int) -> None:
    """Let Ctrl-C come when the trainer is called for the time after `calls`."""
    usual, seen = Trainer.run, [0]

    def run_until(self: Trainer, *args: Any, **more: Any) -> Any:
        if seen[0] >= calls:
            raise KeyboardInterrupt
        seen[0] += 1
        return usual(self, *args, **more)

    monkeypatch.setattr(Trainer, "run", run_until)


def test_the_best_so_far_is_forecast_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted_after(monkeypatch, 3)
    result = forecast(monthly(tmp_path / "a.csv"), "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert found["stopped"] == "interrupted"
    assert len(found["forecast"]) == 6
    assert "Interrupted: training stopped, the best weights so far" in result.stderr


def test_nothing_to_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted_after(monkeypatch, 0)
    result = forecast(monthly(tmp_path / "a.csv"), "--out", tmp_path / "b.csv")
    assert result.exit_code == 130
    assert result.stdout == ""
    assert "Interrupted before there was anything to show." in result.stderr
    assert not (tmp_path / "b.csv").exists()


def test_while_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def pressed(*args: object, **more: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("unrolled.files.read_panel", pressed)
    assert forecast(monthly(tmp_path / "a.csv")).exit_code == 130


def test_a_forecast_of_few_steps_is_still_csv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted_after(monkeypatch, 1)
    assert len(rows(forecast(monthly(tmp_path / "a.csv")).stdout)) == 6


def test_the_demo_goes_on_with_what_it_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unrolled.page.plot_png", lambda *args: [])
    usual = Trainer.run

    def run_two_epochs(self: Trainer, series: Any, *args: Any, **more: Any) -> Any:
        if len(series) and run_two_epochs.windows >= 2 * 720 and args[1] == 1:  # type: ignore[attr-defined]
            raise KeyboardInterrupt
        run_two_epochs.windows += len(series)  # type: ignore[attr-defined]
        return usual(self, series, *args, **more)

    run_two_epochs.windows = 0  # type: ignore[attr-defined]
    monkeypatch.setattr(Trainer, "run", run_two_epochs)
    result = run("demo", "--out", tmp_path)
    assert result.exit_code == 0
    assert "Interrupted: 2 of 10 epochs were done." in result.stdout
    assert (tmp_path / "demo.html").exists()


def test_the_demo_with_nothing_to_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted_after(monkeypatch, 0)
    assert run("demo", "--out", tmp_path).exit_code == 130


def test_a_search_goes_on_with_its_best_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual, seen = Task.judge, [0]

    def judge(self: Task, *args: Any, **more: Any) -> float:
        seen[0] += 1
        if seen[0] == 3:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.2)
        return usual(self, *args, **more)

    monkeypatch.setattr(Task, "judge", judge)
    file = monthly(tmp_path / "a.csv")
    more = ("--time", "month", "--target", "sales", "--horizon", 6, *QUICK, "--space", "lr=0.001..0.1,log")
    result = run("tune", file, *more)
    assert result.exit_code == 0
    assert len(rows(result.stdout)) == 6
    assert result.stderr.count("Interrupted: the search ended after") == 1
    seen[0] = 2
    nothing = run("tune", file, *more, "--out", tmp_path / "b.csv")
    assert (nothing.exit_code, nothing.stdout) == (130, "")
    assert not (tmp_path / "b.csv").exists()
