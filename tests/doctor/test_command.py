"""`unrolled doctor` with models: exit codes, formats, and what it says of names that lead nowhere."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from tests.cli.helpers import run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.torch

MODELS = """
from torch import nn

class Net(nn.Module):
    def __init__(self, batch_first=True):
        super().__init__()
        self.lstm, self.fc = nn.LSTM(1, 5, batch_first=batch_first), nn.Linear(5, 1)

    def forward(self, x):
        return self.fc(self.lstm(x)[0][:, -1])

def sick():
    return Net(batch_first=False)

def broken():
    raise RuntimeError("no data")

model = Net()
text = "a model"
"""


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "models_of_a_test.py").write_text(MODELS)
    (tmp_path / "broken_module_of_a_test.py").write_text("1 / 0")
    (tmp_path / "needy_module_of_a_test.py").write_text("import nowhere_to_be_found")
    monkeypatch.chdir(tmp_path)
    before = set(sys.modules)
    yield "models_of_a_test"
    for name in set(sys.modules) - before:
        if name.endswith("_of_a_test"):
            del sys.modules[name]


@pytest.mark.parametrize("name", ["Net", "model"])
def test_a_healthy_model_ends_with_0(models: str, name: str) -> None:
    result = run("doctor", f"{models}:{name}", "--example", "32,40,1", "--targets", "32,1")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "nothing found" in result.stdout


@pytest.mark.parametrize("place", ["models_of_a_test", "models_of_a_test.py"])
def test_a_sick_model_ends_with_1(models: str, place: str) -> None:
    path = list(sys.path)
    result = run("doctor", f"{place}:sick", "--example", "32,40,1")
    assert result.exit_code == 1
    assert "batch-read-as-time · lstm · proved" in result.stdout
    assert sys.path == path


def test_options_reach_the_check(models: str) -> None:
    more = ("--example", "40,32,1", "--time-first", "--not-causal", "--pad-value", "0")
    result = run("doctor", f"{models}:model", *more, "--targets-range=-5,5")
    assert result.exit_code == 1
    ignored = ("--ignore", "batch-read-as-time")
    assert run("doctor", f"{models}:sick", "--example", "32,40,1", *ignored).exit_code == 0
    assert run("doctor", f"{models}:sick", "--example", "32,40,1", "--targets", "32").exit_code == 1


def test_formats(models: str, tmp_path: Path) -> None:
    result = run("doctor", f"{models}:sick", "--example", "32,40,1", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["checkup"]["findings"][0]["id"] == "batch-read-as-time"
    file = tmp_path / "found.sarif"
    result = run("doctor", f"{models}:sick", "--example", "32,40,1", "--out", str(file))
    assert (result.exit_code, result.stdout) == (1, "")
    assert json.loads(file.read_text(encoding="utf-8"))["version"] == "2.1.0"
    assert (
        "该层把批当成了时间" in run("doctor", f"{models}:sick", "--example", "32,40,1", "--lang", "zh").stdout
    )


@pytest.mark.parametrize(
    ("name", "code", "says"),
    [
        ("models_of_a_test", 2, "The model is not named"),
        ("nowhere_of_a_test:model", 2, "There is no such module"),
        ("nowhere.py:model", 2, "There is no such module"),
        ("models_of_a_test:modle", 2, "did you mean model?"),
        ("models_of_a_test:broken", 1, "RuntimeError: no data"),
        ("broken_module_of_a_test:model", 1, "ZeroDivisionError"),
        ("needy_module_of_a_test:model", 1, "nowhere_to_be_found"),
        ("models_of_a_test:text", 2, "a torch.nn.Module or a fitted Forecaster"),
    ],
)
def test_what_leads_nowhere_is_told(models: str, name: str, code: int, says: str) -> None:
    result = run("doctor", name, "--example", "32,40,1")
    assert result.exit_code == code
    assert says in result.stderr
    assert result.stdout == ""
