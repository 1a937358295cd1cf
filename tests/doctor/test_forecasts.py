"""Forecasts: what is told of poor ones, and nothing of good ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.doctor.lines import assert_lines_print
from tests.doctor.pipelines import GOOD, POOR
from unrolled.doctor import KINDS, check_forecast
from unrolled.errors import ArgumentError, DataError, KindError


@pytest.mark.parametrize("name", POOR)
def test_what_is_told_of_a_poor_forecast(name: str) -> None:
    kind, make = POOR[name]
    arguments = make()
    checkup = check_forecast(**arguments)
    assert kind in {one["id"] for one in checkup.findings}
    assert checkup.healthy == (KINDS[kind].sure == "evidence")
    for one in checkup.findings:
        assert_lines_print(one, arguments)


@pytest.mark.parametrize("name", GOOD)
def test_nothing_is_told_of_a_good_forecast(name: str) -> None:
    assert check_forecast(**GOOD[name]()).findings == []


def test_the_last_value_of_a_random_walk_is_no_verdict() -> None:
    checkup = check_forecast(**POOR["yesterdays_value"][1]())
    assert checkup.healthy


@pytest.mark.parametrize(
    ("more", "error", "says"),
    [
        ({"y_pred": [1.0]}, DataError, "does not fit what came"),
        ({"past": []}, DataError, "does not fit what came"),
        ({"y_pred": [1.0, np.nan, 2.0]}, DataError, "not finite"),
        ({"y_true": "abc"}, KindError, "y_true holds no numbers"),
        ({"window": 9}, ArgumentError, "cannot read so many"),
    ],
)
def test_bad_arguments_are_told(more: dict[str, Any], error: type[Exception], says: str) -> None:
    given: dict[str, Any] = {"y_true": [1.0, 2.0, 3.0], "y_pred": [1.0, 2.0, 3.0], "past": [0.0, 1.0]}
    with pytest.raises(error, match=says):
        check_forecast(**{**given, **more})
