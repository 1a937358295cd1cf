"""The plugin of pytest: a test that asserts health passes or fails as it should."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.torch
pytest_plugins = ["pytester"]

TESTS = """
import torch
from torch import nn
from unrolled.doctor import assert_healthy as imported

class Net(nn.Module):
    def __init__(self, batch_first):
        super().__init__()
        self.lstm, self.fc = nn.LSTM(1, 5, batch_first=batch_first), nn.Linear(5, 1)

    def forward(self, x):
        return self.fc(self.lstm(x)[0][:, -1])

def test_healthy(assert_healthy):
    assert assert_healthy(Net(True), torch.randn(32, 40, 1)).healthy

def test_sick(assert_healthy):
    assert_healthy(Net(False), torch.randn(32, 40, 1))

def test_ignored():
    imported(Net(False), torch.randn(32, 40, 1), ignore=["batch-read-as-time"])
"""


def test_a_sick_model_fails_its_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(TESTS)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*batch-read-as-time*", "*batch_first=True*"])
    assert "__tracebackhide__" not in result.stdout.str()


def test_the_plugin_loads_nothing_heavy() -> None:
    code = "import sys, unrolled.doctor.plugin; print({'torch', 'numpy', 'rich'} & set(sys.modules))"
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()
        == "set()"
    )
