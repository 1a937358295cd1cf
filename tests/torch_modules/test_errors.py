"""What does not fit is refused with torch's own type of error and torch's own words."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch

from tests.torch_modules.helpers import (
    CELL_CLASSES,
    CELLS,
    CLASSES,
    cell_pair,
    drawn,
    every_cell,
    options_of,
    pair,
)

pytestmark = pytest.mark.torch


def error_of(call: Any) -> tuple[type, str]:
    """Return type and words of the error that a call raises."""
    try:
        call()
    except Exception as error:  # whatever torch raises
        return type(error), re.sub(
            r"^\w+(?=\.forward\(\) )", "", str(error)
        )  # Python's own words name the class
    return type(None), "no error"


def assert_same_error(both: tuple[Any, Any], call: Any, name: object) -> None:
    """Expect both modules to raise the same error."""
    ours, theirs = (error_of(lambda one=one: call(one)) for one in both)
    assert theirs[0] is not type(None), f"torch accepts {name}"
    assert ours == theirs, name


def wrong_calls(cell: str) -> dict[str, Any]:
    """Return calls of a module with 3 inputs and 5 units, two layers, both ways."""
    h, other = drawn(4, 2, 5), drawn(4, 2, 5).float()

    def state(one: Any) -> Any:
        return (one, one) if cell == "lstm" else one

    calls = {
        "one axis": lambda m: m(drawn(3)),
        "four axes": lambda m: m(drawn(1, 4, 2, 3)),
        "too few inputs": lambda m: m(drawn(4, 2, 2)),
        "too many inputs": lambda m: m(drawn(4, 2, 7)),
        "another dtype": lambda m: m(drawn(4, 2, 3).float()),
        "whole numbers": lambda m: m(torch.ones(4, 2, 3, dtype=torch.long)),
        "complex numbers": lambda m: m(torch.ones(4, 2, 3, dtype=torch.complex128)),
        "a list": lambda m: m([[[1.0, 2.0, 3.0]]]),
        "nothing": lambda m: m(),
        "None": lambda m: m(None),
        "a state of other layers": lambda m: m(drawn(4, 2, 3), state(drawn(2, 2, 5))),
        "a state of other rows": lambda m: m(drawn(4, 2, 3), state(drawn(4, 3, 5))),
        "a state of other units": lambda m: m(drawn(4, 2, 3), state(drawn(4, 2, 6))),
        "a state of two axes": lambda m: m(drawn(4, 2, 3), state(drawn(4, 5))),
        "a state of three axes beside no batch": lambda m: m(drawn(4, 3), state(h)),
        "a state of another dtype": lambda m: m(drawn(4, 2, 3), state(other)),
        "sparse": lambda m: m(drawn(4, 2, 3).to_sparse()),
        "a name that is not there": lambda m: m(drawn(4, 2, 3), nonsense=1),
        "other weights": lambda m: torch.func.functional_call(
            m, {"weight_hh_l0": drawn(m.weight_hh_l0.shape[0], 4)}, (drawn(4, 2, 3),)
        ),
        "weights of another dtype": lambda m: torch.func.functional_call(
            m, {"weight_hh_l0": m.weight_hh_l0.float()}, (drawn(4, 2, 3),)
        ),
        "weights elsewhere": lambda m: torch.func.functional_call(
            m, {"weight_hh_l0": m.weight_hh_l0.to("meta")}, (drawn(4, 2, 3),)
        ),
    }
    if cell == "lstm":
        calls |= {
            "h alone": lambda m: m(drawn(4, 2, 3), h),
            "three states": lambda m: m(drawn(4, 2, 3), (h, h, h)),
            "a c of other units": lambda m: m(drawn(4, 2, 3), (h, drawn(4, 2, 6))),
        }
    else:
        calls |= {"a pair of states": lambda m: m(drawn(4, 2, 3), (h, h))}
    return calls


@pytest.mark.parametrize(("cell", "name"), [(cell, name) for cell in CELLS for name in wrong_calls(cell)])
def test_a_wrong_call_of_a_sequence(cell: str, name: str) -> None:
    both = pair(cell, 3, 5, 2, bidirectional=True, dtype=torch.float64)
    assert_same_error(both, wrong_calls(cell)[name], name)
    assert both[0](drawn(4, 2, 3))[0].isfinite().all()


@every_cell
def test_wrong_calls_of_a_cell(cell: str) -> None:
    def state(one: Any) -> Any:
        return (one, one) if cell == "lstm" else one

    both = cell_pair(cell, 3, 5, dtype=torch.float64)
    for name, call in {
        "no axis": lambda m: m(drawn()),
        "three axes": lambda m: m(drawn(4, 2, 3)),
        "too few inputs": lambda m: m(drawn(2, 2)),
        "another dtype": lambda m: m(drawn(2, 3).float()),
        "whole numbers": lambda m: m(torch.ones(2, 3, dtype=torch.long)),
        "a state of other rows": lambda m: m(drawn(2, 3), state(drawn(3, 5))),
        "a state of other units": lambda m: m(drawn(2, 3), state(drawn(2, 6))),
        "a state of one axis": lambda m: m(drawn(2, 3), state(drawn(5))),
        "a state of three axes": lambda m: m(drawn(2, 3), state(drawn(1, 2, 5))),
        "a state of another dtype": lambda m: m(drawn(2, 3), state(drawn(2, 5).float())),
        "resets": lambda m: m(drawn(2, 3), resets=torch.zeros(2)),
        "nothing": lambda m: m(),
    }.items():
        if name == "resets":
            for one in both:
                with pytest.raises(TypeError, match="resets"):
                    call(one)
        else:
            assert_same_error(both, call, name)


WRONG_ARGUMENTS: dict[str, tuple[tuple[Any, ...], dict[str, Any]]] = {
    "no sizes": ((), {}),
    "no units": ((3, 0), {}),
    "less than no units": ((3, -1), {}),
    "units in halves": ((3, 2.5), {}),
    "no layers": ((3, 5, 0), {}),
    "a dropout of 2": ((3, 5, 2), {"dropout": 2.0}),
    "a dropout that is True": ((3, 5, 2), {"dropout": True}),
    "a name that is not there": ((3, 5), {"nonsense": 1}),
    "a projection that is larger": ((3, 5), {"proj_size": 7}),
    "a projection that is less than nothing": ((3, 5), {"proj_size": -1}),
}


@every_cell
@pytest.mark.parametrize("name", WRONG_ARGUMENTS)
def test_wrong_arguments_of_a_constructor(cell: str, name: str) -> None:
    arguments, options = WRONG_ARGUMENTS[name]
    assert_same_error(CLASSES[cell], lambda kind: kind(*arguments, **options, **options_of(cell)), name)


def test_wrong_nonlinearities() -> None:
    assert_same_error(CLASSES["rnn"], lambda kind: kind(3, 5, nonlinearity="sigmoid"), "RNN")
    assert_same_error(
        CELL_CLASSES["rnn"], lambda kind: kind(3, 5, nonlinearity="sigmoid")(drawn(3).float()), "cell"
    )


def test_another_device() -> None:
    both = pair("gru", 3, 5)
    assert_same_error(both, lambda m: m(torch.zeros(4, 2, 3, device="meta")), "an input on another device")
    assert_same_error(both, lambda m: m(torch.zeros(4, 2, 3), torch.zeros(1, 2, 5, device="meta")), "a state")


def test_what_torch_warns_of_is_warned_of() -> None:
    for kind in (*CLASSES["lstm"], *CLASSES["gru"]):
        with pytest.warns(UserWarning, match="dropout option adds dropout after all but last"):
            kind(3, 5, dropout=0.5)
