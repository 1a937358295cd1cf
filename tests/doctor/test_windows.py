"""Windows, splits and scalers: every planted mistake is found, correct pipelines have no findings."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.doctor.lines import assert_lines_print
from tests.doctor.pipelines import HEALTHY, PLANTED, series, windows
from unrolled.doctor import check_windows, locate
from unrolled.errors import ArgumentError, DataError, KindError

if TYPE_CHECKING:
    from collections.abc import Callable


def found(arguments: dict[str, Any]) -> list[Any]:
    started = time.perf_counter()
    checkup = check_windows(**arguments)
    assert time.perf_counter() - started < 2.0
    return checkup.findings


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_mistake_is_found_by_its_own_id(name: str) -> None:
    kind, make = PLANTED[name]
    arguments = make()
    findings = found(arguments)
    assert {one["id"] for one in findings} == {kind}
    for one in findings:
        assert_lines_print(one, arguments)


@pytest.mark.parametrize("name", HEALTHY)
def test_a_correct_pipeline_has_no_findings(name: str) -> None:
    assert found(HEALTHY[name]()) == []


def test_nothing_is_changed() -> None:
    for make in [*(one for _, one in PLANTED.values()), *HEALTHY.values()]:
        arguments = make()
        kept = [np.array(one) for one in (arguments["series"], *arguments["windows"])]
        state = np.random.get_state()[1].copy()  # noqa: NPY002 - the one that a user's code draws from
        check_windows(**arguments)
        now = (arguments["series"], *arguments["windows"])
        assert all(np.array_equal(one, other) for one, other in zip(kept, now, strict=True))
        assert np.array_equal(state, np.random.get_state()[1])  # noqa: NPY002 - as above


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(4, 16), st.integers(-3, 5), st.floats(-50, 50), st.floats(0.1, 9))
def test_every_shift_is_measured(seed: int, width: int, offset: int, loc: float, scale: float) -> None:
    y = np.random.default_rng(seed).normal(size=120).cumsum()
    starts = [i for i in range(100) if 0 <= i + width - 1 + offset < len(y)]
    x = np.stack([y[i : i + width] for i in starts])
    t = np.stack([y[i + width - 1 + offset] for i in starts])
    where = locate(y, ((x - loc) / scale, (t - loc) / scale))
    assert where.position.tolist() == starts
    assert where.offset == offset
    assert np.allclose(where.scale, scale)


def test_windows_of_a_dataset() -> None:
    x, y = windows(series())
    assert check_windows(series(), list(zip(x, y, strict=True)), 200).findings == []


def test_windows_of_another_series_are_not_judged() -> None:
    x, y = windows(np.random.default_rng(0).normal(size=300))
    checkup = check_windows(series(), (x, y), 200)
    assert checkup.findings == []
    told = [one for one in checkup.facts["checks"] if one["said"]["id"] == "doctor.skip.windows-not-found"]
    assert len(told) == 7


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda x, y: check_windows(series(), (x, y[:-5]), 9), DataError, "Series and windows do not fit"),
        (lambda x, y: check_windows(series()[:5], (x, y), 9), DataError, "shorter than a window"),
        (lambda x, y: check_windows(["a"], (x, y), 9), KindError, "series holds no numbers"),
        (lambda x, y: check_windows(series(), 5, 9), KindError, "no pairs"),
        (lambda x, y: check_windows(series(), [1, 2, 3], 9), KindError, "no pairs"),
        (lambda x, y: check_windows(series(), (x / 2, y / 2), 9, "standard"), KindError, "scaler"),
        (lambda x, y: check_windows(series(), (x, y), 0), ArgumentError, "leaves a part empty"),
        (lambda x, y: check_windows(series(), (x, y), "half"), ArgumentError, "not understood"),
        (lambda x, y: check_windows(series(), (x, y), True), ArgumentError, "not understood"),
        (
            lambda x, y: check_windows(series(), (x, y), 9, ignore=["x"]),
            ArgumentError,
            "no finding of this id",
        ),
    ],
)
def test_bad_arguments_are_told(call: Callable[..., Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        call(*windows(series()))
