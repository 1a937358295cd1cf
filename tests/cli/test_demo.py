"""`unrolled demo`: PyTorch's losses, baselines beside the network, a real forecast, one page of it all."""

from __future__ import annotations

import errno
import importlib.util
import inspect
import json
import os
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.cli.helpers import run
from unrolled import datasets, demo
from unrolled.cli.demo import demo as command
from unrolled.evaluation import BASELINES

if TYPE_CHECKING:
    from pathlib import Path

    from typer.testing import Result

LOSSES = [
    0.09212878, 0.06506766, 0.04198049, 0.01784277, 0.00288711,
    0.00032008, 0.00012969, 0.00012007, 0.00012656, 0.00013195,
]  # fmt: skip
"""PyTorch 2.13 after `torch.manual_seed(42)`: loss of the last window of every epoch."""

TEST_MSE = 0.0088976


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "made" / "by itself"


@pytest.fixture(scope="module")
def done(folder: Path) -> Result:
    return run("demo", "--json", "--out", folder)


@pytest.fixture(scope="module")
def facts(done: Result) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture
def no_png(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name, *more: None if name == "matplotlib" else usual(name, *more)
    )


def test_json_holds_exactly_what_is_promised(done: Result, facts: dict[str, Any]) -> None:
    assert done.exit_code == 0
    assert list(facts) == ["tutorial", "real"]
    assert list(facts["tutorial"]) == ["losses", "test_mse", "baselines", "seconds"]
    assert set(facts["tutorial"]["baselines"]) == set(BASELINES)
    assert "epoch 10" in done.stderr, "talk goes to stderr"


def test_losses_are_pytorch_s(facts: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    tutorial = facts["tutorial"]
    assert len(tutorial["losses"]) == 10
    assert tutorial["losses"][0] == pytest.approx(LOSSES[0], rel=1e-4)
    assert tutorial["losses"][:7] == pytest.approx(LOSSES[:7], rel=0.01)
    assert tutorial["losses"] == pytest.approx(LOSSES, rel=0.1)
    assert tutorial["test_mse"] == pytest.approx(TEST_MSE, rel=0.01)
    with capsys.disabled():
        print(f"\nthe tutorial's training: {tutorial['seconds']:.3f} s")


def test_baselines_stand_beside_the_network(facts: dict[str, Any]) -> None:
    errors = facts["tutorial"]["baselines"]
    assert errors["naive"] == pytest.approx(0.5244, rel=1e-3)
    assert errors["seasonal_naive"] < 1e-9, "3.1416 is not quite pi"
    assert errors["autoregression"] < 1e-9


def test_real_forecast(facts: dict[str, Any]) -> None:
    real = facts["real"]
    assert real["series"] == "co2_monthly"
    assert (real["times"][0], real["times"][-1], len(real["forecast"])) == ("2001-01-01", "2001-12-01", 12)
    assert real["actual"] == pytest.approx(datasets.load("co2_monthly").values[-12:], rel=1e-6)
    scores = real["comparison"]["rows"]
    assert set(scores) == {"network", *BASELINES}
    error = np.abs(np.subtract(real["forecast"], real["actual"])).mean()
    assert scores["network"]["mae"] == pytest.approx(error)
    assert scores["network"]["mase"] < scores["seasonal_naive"]["mase"], "it has learnt something"


def test_one_offline_page_and_pictures(folder: Path, done: Result) -> None:
    content = (folder / "demo.html").read_text(encoding="utf-8")
    assert content.count("<svg") >= 4
    assert not re.search(r"(?:src|href|url|@import)\s*[=(]?\s*[\"']?(?:https?:)?//", content)
    names = sorted(one.name for one in folder.iterdir())
    assert names == ["demo.html", "series-1.png", "tutorial-1.png", "tutorial-2.png", "tutorial-3.png"]
    assert f"The pictures are in {folder / 'demo.html'}" in done.stderr


def test_what_a_person_reads(tmp_path: Path, no_png: None) -> None:
    result = run("demo", "--out", tmp_path, "--epochs", 2, "--series", "co2_monthly")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert [line.split()[:2] for line in lines if line.startswith("epoch")] == [
        ["epoch", "1"],
        ["epoch", "2"],
    ]
    for word in ("0.09212", "trained in", "seasonal_naive", "A simpler method is better here", "Mauna Loa"):
        assert word in result.stdout
    for word in (
        "MASE",
        "MAE",
        "thin evidence",
        f"{tmp_path / 'demo.html'}",
        "PNG files come with matplotlib",
    ):
        assert word in result.stdout
    assert result.stderr == ""


def test_chinese(tmp_path: Path, no_png: None) -> None:
    result = run("demo", "--out", tmp_path, "--epochs", 1, "--lang", "zh")
    assert "教程的任务" in result.stdout
    assert '<html lang="zh' in (tmp_path / "demo.html").read_text(encoding="utf-8")


def test_a_seed_gives_other_weights(tmp_path: Path, no_png: None) -> None:
    one = json.loads(run("demo", "--json", "--epochs", 1, "--seed", 1, "--out", tmp_path).stdout)
    assert abs(one["tutorial"]["losses"][0] - LOSSES[0]) > 1e-4


def test_open_shows_the_page(tmp_path: Path, no_png: None, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr("webbrowser.open", shown.append)
    run("demo", "--out", tmp_path, "--epochs", 1, "--open")
    assert shown == [(tmp_path / "demo.html").as_uri()]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--series", "airline"), "airline_passengers"),
        (("--epochs", 0), "epochs does not fit"),
        (("--seed", -1), "seed does not fit"),
    ],
)
def test_misuse(tmp_path: Path, args: tuple[object, ...], says: str) -> None:
    result = run("demo", "--out", tmp_path / "out", *args)
    assert result.exit_code == 2
    assert says in result.stderr


def test_a_wrong_name_leaves_nothing_behind(tmp_path: Path) -> None:
    run("demo", "--out", tmp_path / "out", "--series", "airline")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    result = run("demo", "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "the folder cannot be made" in result.stderr
    assert "epoch" not in result.stdout, "told before training"


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    replace = os.replace

    def full(source: str, target: str) -> None:
        if str(target).endswith(".png"):
            raise OSError(errno.ENOSPC, "No space left on device")
        replace(source, target)

    monkeypatch.setattr("os.replace", full)
    result = run("demo", "--out", tmp_path, "--epochs", 1)
    assert result.exit_code == 1
    assert "No space left on device" in result.stderr


def test_the_command_and_the_function_agree() -> None:
    asked, known = inspect.signature(command).parameters, inspect.signature(demo.tutorial).parameters
    assert {name: asked[name].default for name in ("seed", "epochs")} == {
        name: known[name].default for name in ("seed", "epochs")
    }


def test_the_sine_is_the_tutorial_s() -> None:
    y = demo.sine()
    exact = np.sin(np.arange(800) * 2 * 3.1416 / 40)
    assert y.dtype == np.float32
    assert np.abs(y - exact).max() < 2e-5
    assert len(y) == 800
