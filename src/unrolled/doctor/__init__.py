"""A doctor that finds the silent mistakes people make with recurrent networks.

    check(model, example)                               a PyTorch model, or a fitted forecaster
    check_step(model, batch, loss_fn, optimizer)        a training step
    check_windows(series, windows, split, scaler)       how windows and splits were made
    check_forecast(y_true, y_pred, past=...)            what a forecast is worth

Each returns a `Checkup`: findings with their proof, as text, JSON, a page, SARIF or JUnit. Nothing is
trained, written or changed. The other names are what the lines of a proof call.
"""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from unrolled.errors import ExtraError, fault

if TYPE_CHECKING:
    from unrolled.doctor.asserting import assert_healthy
    from unrolled.doctor.checking import check
    from unrolled.doctor.checkup import Checkup
    from unrolled.doctor.forecasts import check_forecast
    from unrolled.doctor.kinds import KINDS
    from unrolled.doctor.locating import locate
    from unrolled.doctor.probes.asking import answer, answers, ask, backwards
    from unrolled.doctor.probes.inputs import cut, padded, probe, swap, taken_row
    from unrolled.doctor.probes.listening import listen
    from unrolled.doctor.scalers import ends_of, map_of
    from unrolled.doctor.splits import folds_of
    from unrolled.doctor.step import check_step, gates_of, gradients_by_step, watch
    from unrolled.doctor.windows import check_windows

_HOMES = {
    "gates_of": "step",
    "gradients_by_step": "step",
    "watch": "step",
    "KINDS": "kinds",
    "Checkup": "checkup",
    "answer": "probes.asking",
    "answers": "probes.asking",
    "ask": "probes.asking",
    "assert_healthy": "asserting",
    "backwards": "probes.asking",
    "check": "checking",
    "check_forecast": "forecasts",
    "check_step": "step",
    "check_windows": "windows",
    "cut": "probes.inputs",
    "ends_of": "scalers",
    "folds_of": "splits",
    "listen": "probes.listening",
    "locate": "locating",
    "map_of": "scalers",
    "padded": "probes.inputs",
    "probe": "probes.inputs",
    "swap": "probes.inputs",
    "taken_row": "probes.inputs",
}

_WITH_TORCH = ("probes", "step")
"""Where the names live that need PyTorch."""

__all__ = [
    "KINDS",
    "Checkup",
    "answer",
    "answers",
    "ask",
    "assert_healthy",
    "backwards",
    "check",
    "check_forecast",
    "check_step",
    "check_windows",
    "cut",
    "ends_of",
    "folds_of",
    "gates_of",
    "gradients_by_step",
    "listen",
    "locate",
    "map_of",
    "padded",
    "probe",
    "swap",
    "taken_row",
    "watch",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for.

    Raises:
        ExtraError: it needs PyTorch, which is not installed.
    """
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if _HOMES[name].startswith(_WITH_TORCH) and find_spec("torch") is None:
        raise ExtraError(fault("doctor.torch"))
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """Return the public names."""
    return list(__all__)
