"""`unrolled explain`, `page` and `lesson`: told, written, served; nothing judged was learnt; misuse."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest

from tests.cli.helpers import QUICK, SCRIPT, monthly, run
from unrolled.explain import Report

if TYPE_CHECKING:
    from pathlib import Path

USUAL = ("--time", "month", "--target", "sales")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("explain")


@pytest.fixture(scope="module")
def sales(folder: Path) -> Path:
    return monthly(folder / "sales <b>.csv")


@pytest.fixture(scope="module")
def model(folder: Path, sales: Path) -> Path:
    path = folder / "sales.safetensors"
    done = run(
        "explain", sales, *USUAL, "--horizon", 6, *QUICK, "--save", path, "--out", folder / "first.json"
    )
    assert done.exit_code == 0
    assert f"The facts are in {folder / 'first.json'}" in done.stderr
    return path


def test_it_tells_on_stdout(sales: Path) -> None:
    done = run("explain", sales, *USUAL, "--horizon", 6, "--windows", 3, *QUICK)
    assert done.exit_code == 0
    assert done.stdout.startswith("sales <b>.csv\n")
    assert "95 % of the influence" in done.stdout
    assert "\x1b" not in done.stdout
    assert "last 6 points of each series were kept from the training" in done.stderr
    chinese = run("explain", sales, *USUAL, "--horizon", 6, *QUICK, "--lang", "zh")
    assert "对预测的影响有 95 %" in chinese.stdout


def test_what_is_judged_was_not_learnt_from(folder: Path, model: Path) -> None:
    facts = Report.from_json(folder / "first.json").facts
    newest = [one for one in facts["forecast"]["origins"] if one["origin"] == 54]
    assert [one["seen"] for one in newest] == [False]
    assert facts["split"]["spans"][-1] == {"role": "test", "begin": 54, "end": 60}


def test_a_kept_model_is_explained_as_it_is(folder: Path, sales: Path, model: Path) -> None:
    done = run("explain", sales, "--model", model, "--out", folder / "kept.json")
    assert done.exit_code == 0
    first, kept = (json.loads((folder / name).read_text()) for name in ("first.json", "kept.json"))
    assert kept["network"] == first["network"]
    assert kept["forecast"] == first["forecast"]


def test_a_page_is_written(folder: Path, model: Path) -> None:
    done = run("page", model, "--out", folder / "kept.html")
    assert done.exit_code == 0
    page = (folder / "kept.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    again = run("page", folder / "first.json", "--out", folder / "again.json")
    assert again.exit_code == 0
    assert (folder / "again.json").read_bytes() == (folder / "first.json").read_bytes()


def test_the_lesson(folder: Path) -> None:
    done = run("lesson", "--epochs", 1, "--out", folder / "lesson.json")
    assert done.exit_code == 0
    assert Report.from_json(folder / "lesson.json").facts["kind"] == "lesson"
    told = run("lesson", "--epochs", 1, "--lang", "zh")
    assert "用数字更正教程" in told.stdout


def test_a_page_is_served_until_ctrl_c(folder: Path, model: Path) -> None:
    command = [SCRIPT, "page", folder / "first.json", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[\w-]{32}/", address)
        with urlopen(address) as answer:
            assert answer.read().startswith(b"<!DOCTYPE html>")
        process.send_signal(signal.SIGINT)
        rest, talk = process.communicate(timeout=20)
    assert (process.returncode, rest) == (0, "")
    assert "no longer served" in talk
    assert "Traceback" not in talk


def test_open_serves_and_shows(folder: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []

    def stop(server: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("webbrowser.open", shown.append)
    monkeypatch.setattr("unrolled.page.server.PageServer.wait", stop)
    done = run("lesson", "--epochs", 1, "--open")
    assert done.exit_code == 0
    assert [done.stdout.strip()] == shown
    assert shown[0].startswith("http://127.0.0.1:")


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (("explain", "{sales}", *USUAL), 2, "How many points are to be forecast"),
        (("explain", "{sales}", *USUAL, "--horizon", "6", "--out", "x.pdf"), 2, ".json, .html"),
        (("explain", "{sales}", "--model", "{model}", "--save", "{folder}/s"), 2, "--save is of a training"),
        (
            ("explain", "{sales}", "--model", "{model}", "--hidden-size", "9", "--cell", "gru"),
            2,
            "--cell, --hidden-size",
        ),
        (("explain", "{sales}", "--model", "{model}", "--member", "9"), 2, "member"),
        (("explain", "{sales}", "--model", "{model}", "--series", "north"), 2, "no series of this name"),
        (("page", "{folder}/first.json", "{sales}"), 2, "has its own series"),
        (("page", "{model}", "--time", "month"), 2, "FILE"),
        (("page", "{folder}/none.json"), 1, "cannot be opened"),
        (("page", "{folder}/first.json", "--port", "99999999"), 2, "--port 0"),
        (("lesson", "--epochs", "0"), 2, "epochs does not fit"),
    ],
)
def test_misuse(folder: Path, sales: Path, model: Path, args: tuple[str, ...], code: int, says: str) -> None:
    done = run(*(one.format(sales=sales, model=model, folder=folder) for one in args))
    assert done.exit_code == code
    assert says in done.stderr
    assert "Traceback" not in done.stderr
