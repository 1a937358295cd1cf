"""The command as a process: what it loads, signals, pipes, a full stdout. Few, because processes are slow."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.cli.helpers import QUICK, SCRIPT, monthly, rows

if TYPE_CHECKING:
    from pathlib import Path

USUAL = ("--time", "month", "--target", "sales")


def start(*args: object, stdout: object = subprocess.PIPE) -> subprocess.Popen[str]:
    """Start the installed command."""
    return subprocess.Popen(
        [SCRIPT, *map(str, args)],
        stdout=stdout,  # type: ignore[arg-type]
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a runner may ignore Ctrl-C
    )


def test_the_installed_command() -> None:
    done = subprocess.run([SCRIPT, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("unrolled ")
    again = subprocess.run(
        [sys.executable, "-m", "unrolled.cli", "--version"], capture_output=True, text=True, check=True
    )
    assert again.stdout == done.stdout


@pytest.mark.parametrize(
    "args",
    [["--help"], ["demo", "--help"], ["info", "--help"], ["shapes", "--help"], ["--version"]],
    ids=" ".join,
)
def test_help_loads_neither_numpy_nor_the_core(args: list[str]) -> None:
    code = (
        "import sys, json, unrolled.cli\n"
        f"sys.argv = ['unrolled', *{args!r}]\n"
        "try:\n    unrolled.cli.main()\n"
        "finally:\n    print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stderr))
    assert done.stdout
    assert not loaded & {
        "numpy",
        "duckdb",
        "narwhals",
        "safetensors",
        "unrolled._core",
        "unrolled.forecaster",
        "optuna",
    }


def test_ctrl_c_answers_at_once_with_the_best_so_far(tmp_path: Path) -> None:
    file = monthly(tmp_path / "a.csv")
    process = start("forecast", file, *USUAL, "--horizon", 3, "--steps", 100_000_000)
    assert process.stderr is not None
    while "Season" not in process.stderr.readline():
        assert process.poll() is None
    time.sleep(1)
    pressed = time.perf_counter()
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=30)
    assert time.perf_counter() - pressed < 3, "0.1 s on a machine at rest"
    assert process.returncode == 0, stderr
    assert len(rows(stdout)) == 3
    assert "Interrupted: training stopped, the best weights so far" in stderr
    assert "Traceback" not in stderr


def test_a_reader_that_has_enough_is_no_failure(tmp_path: Path) -> None:
    long = ("--horizon", 12_000, "--strategy", "recursive", "--window", 12, "--validation", 0)
    process = start("forecast", monthly(tmp_path / "a.csv"), *USUAL, *long, *QUICK)
    assert process.stdout is not None
    assert process.stdout.readline() == "month,y_hat\n"
    process.stdout.close()
    assert process.stderr is not None
    stderr = process.stderr.read()
    assert process.wait(timeout=30) == 0
    assert "Broken" not in stderr
    assert "Traceback" not in stderr
    process.stderr.close()


def test_a_full_stdout_is_a_failure(tmp_path: Path) -> None:
    with open("/dev/full", "w") as full:
        process = start("forecast", monthly(tmp_path / "a.csv"), *USUAL, "--horizon", 3, *QUICK, stdout=full)
        _, stderr = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "the forecast cannot be printed" in stderr
    assert "Exception ignored" not in stderr


@pytest.mark.parametrize("closed", ["1", "2"])
def test_a_closed_stream_is_no_failure(tmp_path: Path, closed: str) -> None:
    options = " ".join([*USUAL, "--horizon", "3", *QUICK])
    command = f"{SCRIPT} forecast {monthly(tmp_path / 'a.csv')} {options} {closed}>&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert (done.stdout == "") is (closed == "1")
    assert "Traceback" not in done.stderr


def test_stdout_that_knows_no_chinese(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = subprocess.run(
        [SCRIPT, "demo", "--epochs", "1", "--lang", "zh", "--out", tmp_path],
        capture_output=True,
        env=environment,
        check=True,
    )
    assert b"\\u6559" in done.stdout
