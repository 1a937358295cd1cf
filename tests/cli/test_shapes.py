"""`unrolled shapes`: what is printed is the ledger."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.cli.helpers import QUICK, monthly, run
from unrolled import artefact
from unrolled.explain import ledger

if TYPE_CHECKING:
    from pathlib import Path

TUTORIAL = ("--cell", "lstm", "--input-size", 1, "--hidden-size", 50, "--batch", 32, "--time", 40)


def test_the_tutorial_s_network() -> None:
    result = run("shapes", *TUTORIAL)
    assert (result.exit_code, result.stderr) == (0, "")
    for words in (
        "layer = nn.LSTM(1, 50)",
        "output, (h_n, c_n) = layer(x, (h_0, c_0))",
        "T 40 · B 32 · H 50",
        "10,600 as PyTorch counts, with two biases a gate; 10,400 with one",
        "10,200 a step, 408,000 for a sequence of 40 steps, 13,056,000 for a batch of 32",
        "384,000 numbers",
        "1.536 MB",
    ):
        assert words in result.stdout
    rows = [re.sub(r"[│\s]+", " ", line) for line in result.stdout.splitlines()]
    assert " weight_hh_l0 G*H 200 · H 50 10,000 i f g o layer.weight_hh_l0 " in rows
    assert "cannot raise an error" not in result.stdout
    assert "weight_hr" not in result.stdout, "what no layer has is no column"


def test_json_is_the_ledger() -> None:
    more = ("--num-layers", 2, "--bidirectional", "--batch-first", "--proj-size", 7, "--no-bias")
    found = json.loads(
        run("shapes", *TUTORIAL, *more, "--output-size", 3, "--head", "every", "--json").stdout
    )
    assert found == ledger(
        "lstm",
        input_size=1,
        hidden_size=50,
        num_layers=2,
        bidirectional=True,
        batch_first=True,
        proj_size=7,
        bias=False,
        output_size=3,
        head="every",
        batch=32,
        time=40,
    )


def test_the_lamp_of_equal_axes() -> None:
    shown = run("shapes", "--input-size", 1, "--hidden-size", 8, "--batch", 40).stdout
    assert "Equal axes in input: T = B = 40. A swap here cannot raise an error." in shown


def test_keras_counts_a_gru_by_reset_after() -> None:
    shown = run("shapes", "--cell", "gru", "--input-size", 1, "--hidden-size", 8).stdout
    assert "reset_after=True" in shown


def test_other_languages() -> None:
    shown = run("shapes", *TUTORIAL, "--lang", "zh").stdout
    assert "10,600" in shown
    assert "反向传播" in shown


def test_a_model_that_was_kept(tmp_path: Path) -> None:
    file, path = monthly(tmp_path / "sales.csv"), tmp_path / "sales.safetensors"
    usual = ("--time", "month", "--target", "sales", "--horizon", 6, *QUICK)
    assert run("fit", file, *usual, "--batch-size", 11, "--save", path).exit_code == 0
    model = artefact.load(path).model
    found = json.loads(run("shapes", path, "--json").stdout)
    assert found == ledger(model, batch=11)
    assert found["time"] == model.windowings[0].steps
    assert found["parameters"]["total"] == model.network.spec.parameter_count
    assert "skip.weight" in run("shapes", path, "--batch", 2).stdout
    result = run("shapes", path, "--hidden-size", 3)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "leave hidden_size out" in result.stderr


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        ((), 2, ("--input-size is missing", "--hidden-size is missing")),
        (("--input-size", 1), 2, ("--hidden-size 50",)),
        ((*TUTORIAL, "--cell", "lstn"), 2, ('cell="lstm"',)),
        ((*TUTORIAL, "--batch", 0), 2, ("batch does not fit",)),
        ((*TUTORIAL, "--time", 0, "--batch", 0), 2, ("batch does not fit", "time does not fit")),
        ((*TUTORIAL, "--proj-size", 50), 2, ("below hidden_size = 50",)),
        (("none.safetensors",), 1, ("There is no such file",)),
    ],
)
def test_what_cannot_work(args: tuple[object, ...], code: int, says: tuple[str, ...]) -> None:
    result = run("shapes", *args)
    assert (result.exit_code, result.stdout) == (code, "")
    assert all(words in result.stderr for words in says), result.stderr
