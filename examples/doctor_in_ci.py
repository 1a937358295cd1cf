"""The doctor in CI: docs/examples/doctor_in_ci.md tells what happens here, and what it prints."""

import json
import tempfile
from pathlib import Path

import torch
from torch import nn

from unrolled import doctor


class Net(nn.Module):
    """A model with a mistake: x is [B, T, I], and the LSTM reads [T, B, I]."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(1, 16)
        self.head = nn.Linear(16, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Read a batch of windows."""
        output, _ = self.lstm(x)
        return self.head(output[:, -1])


torch.manual_seed(0)
checkup = doctor.check(Net(), torch.randn(32, 24, 1))
print([finding["id"] for finding in checkup.findings])

try:
    doctor.assert_healthy(Net(), torch.randn(32, 24, 1))
except AssertionError as error:
    print(str(error).splitlines()[0])

mended = Net()
mended.lstm = nn.LSTM(1, 16, batch_first=True)
doctor.assert_healthy(mended, torch.randn(32, 24, 1))
print("the mended one passes")

folder = Path(tempfile.mkdtemp())
checkup.save(folder / "doctor.sarif")
run = json.loads((folder / "doctor.sarif").read_text())["runs"][0]
print(run["tool"]["driver"]["name"], [result["ruleId"] for result in run["results"]])
