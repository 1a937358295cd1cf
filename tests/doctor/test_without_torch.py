"""Without PyTorch, data, forecasts and our own networks are examined; for a model, it is asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

HIDDEN = "import sys; sys.modules['torch'] = None; from unrolled import doctor; "


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", HIDDEN + code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "code", ["doctor.check('model', 'x')", "doctor.check_step", "doctor.probe", "doctor.assert_healthy(1, 2)"]
)
def test_what_is_missing_is_named(code: str) -> None:
    told = run(code).stderr
    assert "unrolled[torch]" in told
    assert "ExtraError" in told


def test_what_needs_no_torch_works() -> None:
    done = run(
        "print(doctor.check_forecast([1.0, 2.0], [1.0, 2.0], past=[0.0]).healthy, len(doctor.KINDS) > 40)"
    )
    assert done.stdout.split() == ["True", "True"], done.stderr
