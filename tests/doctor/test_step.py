"""Training steps: every planted mistake is found by its own id, correct steps have no findings."""

from __future__ import annotations

import copy
import random
import time
import warnings
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from tests.doctor.lines import assert_lines_print
from tests.doctor.steps import ALSO, HEALTHY, PLANTED, given
from unrolled.doctor import check_step
from unrolled.errors import ArgumentError, KindError

pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore:Using a target size")]


def made(make: Any) -> dict[str, Any]:
    torch.manual_seed(0)
    arguments: dict[str, Any] = make()
    return arguments


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_mistake_is_found_by_its_own_id(name: str) -> None:
    kind, make = PLANTED[name]
    arguments = made(make)
    started = time.perf_counter()
    checkup = check_step(**arguments)
    assert time.perf_counter() - started < 2.0
    found = {one["id"] for one in checkup.findings}
    assert kind in found
    assert found <= {kind} | ALSO.get(name, set())
    for one in checkup.findings:
        assert_lines_print(one, {**arguments, "torch": torch})


@pytest.mark.parametrize("name", HEALTHY)
def test_a_correct_step_has_no_findings(name: str) -> None:
    assert check_step(**made(HEALTHY[name])).findings == []


@pytest.mark.parametrize("name", [*PLANTED, *HEALTHY])
def test_nothing_is_changed(name: str) -> None:
    arguments = made(PLANTED[name][1] if name in PLANTED else HEALTHY[name])
    model, optimizer = arguments["model"], arguments["optimizer"]
    model.train(name in PLANTED)
    weights = copy.deepcopy(model.state_dict())
    batch = [one.clone() for one in arguments["batch"]]
    modes = [one.training for one in model.modules()]
    states = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()  # noqa: NPY002 - the user's
    filters = list(warnings.filters)
    check_step(**arguments)
    assert all(torch.equal(one, weights[key]) for key, one in model.state_dict().items())
    pairs = zip(batch, arguments["batch"], strict=True)
    assert all(torch.equal(one.nan_to_num(), other.nan_to_num()) for one, other in pairs)
    assert modes == [one.training for one in model.modules()]
    assert all(one.grad is None for one in model.parameters())
    assert optimizer.state_dict()["state"] == {}
    assert torch.equal(states[0], torch.get_rng_state())
    assert np.array_equal(states[1], np.random.get_state()[1])  # noqa: NPY002 - as above
    assert states[2] == random.getstate()
    assert filters == list(warnings.filters)


@pytest.mark.parametrize(
    ("more", "error", "says"),
    [
        ({"model": nn.LSTM}, KindError, "a torch.nn.Module"),
        ({"optimizer": "adam"}, KindError, "one of torch.optim"),
        ({"batch": torch.zeros(3)}, ArgumentError, "no pair of inputs and targets"),
        ({"ignore": ["x"]}, ArgumentError, "no finding of this id"),
    ],
)
def test_bad_arguments_are_told(more: dict[str, Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        check_step(**{**given(), **more})
