"""Every planted mistake is found by its own id, and correct models have no findings."""

from __future__ import annotations

import random
import time
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import nn

from tests.doctor.healthy import HEALTHY
from tests.doctor.lines import assert_lines_print
from tests.doctor.planted import PLANTED, Last, windows
from unrolled import doctor
from unrolled.errors import ArgumentError, KindError
from unrolled.messages import speaking

if TYPE_CHECKING:
    from tests.doctor.cases import Case
    from unrolled.doctor import Checkup

pytestmark = pytest.mark.torch

SECONDS = 2.0
"""A check takes less."""


def made(case: Case) -> tuple[Any, Any]:
    torch.manual_seed(0)
    return case.make()


def examined(case: Case, model: Any, example: Any) -> Checkup:
    started = time.perf_counter()
    checkup = doctor.check(model, example, **case.options)
    assert time.perf_counter() - started < SECONDS
    return checkup


def found(checkup: Checkup) -> set[str]:
    return {one["id"] for one in checkup.findings}


@pytest.mark.parametrize("case", PLANTED, ids=lambda case: case.name)
def test_a_planted_mistake_is_found_by_its_own_id(case: Case) -> None:
    model, example = made(case)
    checkup = examined(case, model, example)
    assert case.kind in found(checkup)
    assert found(checkup) <= {case.kind} | case.also
    assert not checkup.healthy
    for finding in checkup.findings:
        names = {"model": model, "example": example, "torch": torch, "targets": case.options.get("targets")}
        assert_lines_print(finding, names)


@pytest.mark.parametrize("case", HEALTHY, ids=lambda case: case.name)
def test_a_correct_model_has_no_findings(case: Case) -> None:
    checkup = examined(case, *made(case))
    assert found(checkup) == set()
    assert checkup.healthy


def traces(model: nn.Module) -> dict[str, Any]:
    """Return all that a check may not change."""
    return {
        "state": {name: one.clone() for name, one in model.state_dict().items()},
        "attributes": {
            (place, name): (id(value), id(getattr(value, "grad_fn", None)))
            for place, module in model.named_modules()
            for name, value in vars(module).items()
        },
        "modes": [module.training for module in model.modules()],
        "hooks": [len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules()],
        "gradients": [one.grad for one in model.parameters()],
        "needs": [one.requires_grad for one in model.parameters()],
        "torch": torch.get_rng_state(),
        "numpy": np.random.get_state()[1],  # noqa: NPY002 - the one that a user's code draws from
        "python": random.getstate(),
        "grad": torch.is_grad_enabled(),
        "cudnn": torch.backends.cudnn.enabled,
        "filters": list(warnings.filters),
    }


def same(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor | np.ndarray):
        return bool((one == other).all())
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    return bool(one == other)


@pytest.mark.parametrize(
    "case", [one for one in [*PLANTED, *HEALTHY] if one.name != "a_script"], ids=lambda case: case.name
)
@pytest.mark.parametrize("training", [True, False])
def test_nothing_is_changed(case: Case, training: bool) -> None:
    model, example = made(case)
    model.train(training)
    before = traces(model)
    doctor.check(model, example, **case.options)
    after = traces(model)
    changed = [name for name in before if not same(before[name], after[name])]
    assert changed == []


def test_gradients_stay() -> None:
    model, example = Last(nn.LSTM(1, 5, batch_first=True)), windows()
    model(example).sum().backward()
    before = [one.grad.clone() for one in model.parameters()]
    doctor.check(model, example)
    assert all(torch.equal(one, other.grad) for one, other in zip(before, model.parameters(), strict=True))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_everything_that_is_said_has_words(language: str) -> None:
    from unrolled.explain.terminal import sentence

    with speaking(language):
        for case in [*PLANTED[::5], *HEALTHY[::9]]:
            facts = doctor.check(*made(case), **case.options).facts
            said = [one["said"] for one in facts["checks"]] + facts["notes"]
            said += [finding[part] for finding in facts["findings"] for part in ("wrong", "proof")]
            assert all("{" not in sentence(one) for one in said)


def test_layers_are_told_with_named_axes() -> None:
    model = Last(nn.GRU(3, 5, num_layers=2, bidirectional=True, batch_first=True))
    (layer,) = doctor.check(model, windows(16, 20, 3), ignore=["reverse-reads-one-step"]).facts["layers"]
    assert layer["place"] == "lstm"
    assert [axis["letter"] for axis in layer["read"]] == ["B", "T", "I"]
    assert layer["states"]["h_n"] == [
        {"letter": "L*D", "size": 4},
        {"letter": "B", "size": layer["read"][0]["size"]},
        {"letter": "H", "size": 5},
    ]


def test_our_own_layers_are_examined_too() -> None:
    from unrolled.torch import LSTM

    assert found(doctor.check(Last(LSTM(1, 5)), windows())) == {"batch-read-as-time"}
    assert found(doctor.check(Last(LSTM(1, 5, batch_first=True)), windows())) == set()


def test_what_is_ignored_is_not_looked_for() -> None:
    checkup = doctor.check(Last(nn.LSTM(1, 5)), windows(), ignore=["batch-read-as-time"])
    assert checkup.findings == []


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: doctor.check(Last, windows()), KindError, "a torch.nn.Module or a fitted Forecaster"),
        (lambda: doctor.check(nn.LSTM(1, 5), "x"), KindError, "The example holds no sequence"),
        (lambda: doctor.check(nn.LSTM(1, 5), ()), KindError, "nothing"),
        (
            lambda: doctor.check(nn.LSTM(1, 5), windows(), ignore=["padding-reed"]),
            ArgumentError,
            "did you mean padding-read",
        ),
        (
            lambda: doctor.check(nn.LSTM(1, 5), windows(), targets_range=(3.0, 1.0)),
            ArgumentError,
            "targets_range is no range",
        ),
    ],
)
def test_bad_arguments_are_told(call: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        call()
