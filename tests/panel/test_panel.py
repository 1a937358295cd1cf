"""Arrays and lists in, and the answer out; tails; everything that can be wrong with the numbers."""

from __future__ import annotations

import subprocess
import sys
from collections import deque
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.panel.helpers import fails
from unrolled.errors import ArgumentError, DataError, KindError
from unrolled.panel import Panel, answer, as_cube, to_panel


def test_a_vector_is_one_series() -> None:
    panel = to_panel(np.array([1.0, 2.0, 3.0]))
    assert (panel.n_series, panel.n_channels, panel.kind) == (1, 1, "vector")
    assert (panel.ids, panel.channels, panel.times, panel.steps) == ((0,), ("y",), None, ())
    assert panel.values.tolist() == [[1.0], [2.0], [3.0]]
    assert panel.values.dtype == np.float32
    assert panel.offsets.tolist() == [0, 3]
    assert repr(panel) == "Panel(1 series, 1 channel, 3 points)"


def test_a_matrix_is_one_series_of_channels() -> None:
    panel = to_panel(np.arange(6).reshape(3, 2), dtype="float64")
    assert (panel.n_series, panel.n_channels, panel.kind) == (1, 2, "matrix")
    assert panel.channels == ("y0", "y1")
    assert panel.values.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert panel.values.dtype == np.float64
    assert repr(panel) == "Panel(1 series, 2 channels, 3 points)"


def test_a_list_of_arrays_is_many_series() -> None:
    panel = to_panel([np.array([1.0, 2.0]), [3, 4, 5], (6.0,)])
    assert (panel.n_series, panel.kind, panel.ids) == (3, "list", (0, 1, 2))
    assert panel.lengths.tolist() == [2, 3, 1]
    assert [panel.series(s)[:, 0].tolist() for s in range(3)] == [[1, 2], [3, 4, 5], [6]]


def test_a_list_of_matrices_is_many_series_of_channels() -> None:
    panel = to_panel([np.zeros((2, 3)), np.ones((4, 3))])
    assert (panel.n_series, panel.n_channels, panel.kind) == (2, 3, "list")
    assert panel.series(1).tolist() == np.ones((4, 3)).tolist()


@pytest.mark.parametrize("channels", [1, 2])
def test_three_axes_are_series_of_one_length(channels: int) -> None:
    y = np.arange(12.0 * channels).reshape(4, 3, channels)
    panel, as_list = to_panel(y), to_panel(list(y))
    assert (panel.n_series, panel.n_channels, panel.kind) == (4, channels, "cube")
    assert panel.offsets.tolist() == [0, 3, 6, 9, 12]
    assert (panel.ids, panel.channels) == (as_list.ids, as_list.channels)
    assert panel.values.tolist() == as_list.values.tolist()
    assert panel.series(2).tolist() == y[2].tolist()
    assert to_panel(y[:, ::-1].astype("f4")).values.tolist() == y[:, ::-1].reshape(12, channels).tolist()
    assert to_panel(y.astype(object)).values.tolist() == panel.values.tolist()


@pytest.mark.parametrize(
    "y",
    [
        [1, 2, 3],
        (1.0, np.float32(2), 3),
        [Decimal(1), Fraction(2), 3],
        range(1, 4),
        deque([1, 2, 3]),
        memoryview(np.array([1.0, 2.0, 3.0])),
        np.array([1, 2, 3], ">f4"),
        np.array([3.0, 2.0, 1.0])[::-1],
        np.arange(1, 7).repeat(2)[:6:2],
        np.array([1, 2, 3], np.float16),
        np.array([1, 2, 3], np.uint64),
        np.array([1, 2, 3], np.longdouble),
        np.array([1, 2.0, Decimal(3)], dtype=object),
        np.ma.array([1, 2, 3], mask=False),
    ],
)
def test_whatever_holds_real_numbers_is_a_vector(y: Any) -> None:
    panel = to_panel(y)
    assert panel.kind == "vector"
    assert panel.values.flags.c_contiguous
    assert panel.values.dtype.isnative
    assert panel.values.tolist() == [[1], [2], [3]]


def test_truth_is_a_number() -> None:
    assert to_panel([True, False]).values.tolist() == [[1], [0]]


@pytest.mark.parametrize(
    ("y", "dtype"),
    [
        (np.ones(5, "f4"), "float32"),
        (np.ones((5, 2)), "float64"),
        (np.ones((3, 5, 1), "f4"), "float32"),
        (np.ones((3, 5, 2)), "float64"),
    ],
)
def test_what_fits_is_neither_copied_nor_changed(y: Any, dtype: str) -> None:
    panel = to_panel(y, dtype=dtype)
    assert np.shares_memory(panel.values, y)
    assert y.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        panel.values[0] = 0


def test_rows_of_one_array_are_not_copied() -> None:
    y = np.arange(24.0, dtype="f4").reshape(4, 6)
    for rows in (list(y), [y[1], y[2]], [y[0, :4], y[0, 4:], y[1]], list(y.reshape(2, 4, 3)), [y]):
        panel = to_panel(rows)
        assert np.shares_memory(panel.values, y)
        assert panel.values.ravel().tolist() == np.concatenate(rows).ravel().tolist()
        assert not panel.values.flags.writeable
    for rows in ([y[0], y[2]], [y[1], y[0]], [y[0, ::2], y[0, 1::2]], [y[0].copy(), y[1]]):
        panel = to_panel(rows)
        assert not np.shares_memory(panel.values, y)
        assert panel.values.ravel().tolist() == np.concatenate(rows).ravel().tolist()
    assert not np.shares_memory(to_panel(list(y), dtype="float64").values, y)
    single = [y.reshape(8, 3)[::4][:1], y.reshape(8, 3)[1:2]]  # the strides of a single row may say anything
    assert to_panel(single).values.tolist() == y.reshape(8, 3)[:2].tolist()


def test_read_only_arrays_are_taken() -> None:
    y = np.ones(3, "f4")
    y.flags.writeable = False
    assert to_panel(y).values.tolist() == [[1], [1], [1]]


def test_a_panel_stays_a_panel() -> None:
    panel = to_panel([[1.0, 2.0], [3.0]])
    assert to_panel(panel) is panel
    double = to_panel(panel, dtype="float64")
    assert double.values.dtype == np.float64
    assert (double.ids, double.kind) == (panel.ids, panel.kind)
    assert not double.values.flags.writeable


def test_tails_are_the_ends_of_every_series() -> None:
    panel = to_panel([[1, 2, 3], [4], [5, 6]])
    tails = panel.tails(2)
    assert tails.values[:, 0].tolist() == [2, 3, 4, 5, 6]
    assert tails.offsets.tolist() == [0, 2, 3, 5]
    assert (tails.kind, tails.ids) == ("list", (0, 1, 2))
    assert panel.tails(9).values.tolist() == panel.values.tolist()
    with fails(ArgumentError, "a tail has too few points ... at least 1 ... 0"):
        panel.tails(0)


def test_a_cut_panel_ends_so_many_points_earlier() -> None:
    panel = to_panel([[1, 2, 3], [5, 6]])
    cut = panel.cut(1)
    assert cut.values[:, 0].tolist() == [1, 2, 5]
    assert cut.offsets.tolist() == [0, 2, 3]
    assert (cut.kind, cut.ids, cut.values.flags.writeable) == ("list", (0, 1), False)
    assert panel.cut(0).values.tolist() == panel.values.tolist()
    for points in (-1, 2):
        with fails(
            ArgumentError, f"so many points cannot be cut off ... shortest series has, 2 ... {points}"
        ):
            panel.cut(points)


def test_selected_series_are_a_list_of_them() -> None:
    panel = to_panel(np.arange(12.0).reshape(3, 2, 2))
    some = panel.select([2, 0])
    assert [some.series(s).tolist() for s in range(2)] == [[[8, 9], [10, 11]], [[0, 1], [2, 3]]]
    assert (some.kind, some.ids, some.channels) == ("list", (2, 0), ("y0", "y1"))
    for wrong in ([], [3], [-1]):
        with fails(ArgumentError, "these numbers of series cannot be selected ... before 3"):
            panel.select(wrong)


def test_cut_and_selected_series_keep_their_own_times() -> None:
    days = np.arange("2024-01-01", "2024-01-06", dtype="datetime64[D]")
    rows = {"unique_id": ["a"] * 5 + ["b"] * 4, "ds": [*days, *days[1:]], "y": np.arange(9.0)}
    panel = to_panel(pd.DataFrame(rows))
    early = panel.select([1]).cut(1)
    assert early.times is not None
    assert early.times.tolist() == panel.times[5:8].tolist()  # type: ignore[index]
    assert early.future(1)[0].tolist() == panel.times[8:].tolist()  # type: ignore[index]
    assert (early.ids, early.kind, len(early.steps)) == (("b",), "list", 1)
    assert answer(early, [[[3.0]]]).tolist() == [[3.0]]


@given(
    st.lists(st.lists(st.integers(-99, 99), min_size=1, max_size=5), min_size=1, max_size=5),
    st.integers(1, 6),
)
def test_series_and_their_tails_are_what_was_given(series: list[list[int]], points: int) -> None:
    panel = to_panel(series)
    tails = panel.tails(points)
    for index, one in enumerate(series):
        assert panel.series(index)[:, 0].tolist() == one
        assert tails.series(index)[:, 0].tolist() == one[-points:]


@pytest.mark.parametrize(
    ("y", "shape"),
    [
        ([1.0, 2.0], (3,)),
        (np.zeros((4, 2)), (3, 2)),
        (np.zeros((4, 1)), (3, 1)),
        ([[1.0], [2.0]], (2, 3)),
        ([np.zeros((4, 1))] * 2, (2, 3)),
        ([np.zeros((4, 2))] * 2, (2, 3, 2)),
        ([[1.0, 2.0]], (1, 3)),
        (np.zeros((2, 4, 1)), (2, 3, 1)),
        (np.zeros((2, 4, 2)), (2, 3, 2)),
    ],
)
def test_the_answer_has_the_callers_kind(y: Any, shape: tuple[int, ...]) -> None:
    panel = to_panel(y)
    cube = np.arange(panel.n_series * 3 * panel.n_channels).reshape(panel.n_series, 3, panel.n_channels)
    given_back = answer(panel, cube)
    assert given_back.shape == shape
    assert given_back.ravel().tolist() == cube.ravel().tolist()
    assert as_cube(panel, given_back).tolist() == cube.tolist()


@pytest.mark.parametrize("shape", [(1, 3, 1), (2, 3, 2), (3,), (2,), (3, 3), ()])
def test_forecasts_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with fails(ArgumentError, "the forecasts do not fit the panel ... shape (2, K, 1) ... shape ("):
        answer(to_panel([[1.0], [2.0]]), np.zeros(shape))


@pytest.mark.parametrize("dtype", ["float16", "int64", "double", ""])
def test_another_dtype_is_refused(dtype: str) -> None:
    with fails(ArgumentError, f'dtype is not one ... "float32" or "float64" ... {dtype!r}'):
        to_panel([1.0], dtype=dtype)


@pytest.mark.parametrize(
    "y", [None, "text", b"bytes", {"y": [1.0]}, {1.0, 2.0}, (one for one in [1.0]), object(), len]
)
def test_another_kind_is_refused(y: Any) -> None:
    with fails(
        KindError, f"y is of a kind that is not understood ... data frame ... got: {type(y).__name__}"
    ):
        to_panel(y)


@pytest.mark.parametrize(
    ("y", "shape"),
    [
        (5.0, "()"),
        (np.float32(5), "()"),
        (np.zeros(0), "(0,)"),
        (np.zeros((0, 2)), "(0, 2)"),
        (np.zeros((2, 0)), "(2, 0)"),
        (np.zeros((0, 3, 1)), "(0, 3, 1)"),
        (np.zeros((1, 2, 3, 4)), "(1, 2, 3, 4)"),
    ],
)
def test_what_is_not_one_series_is_refused(y: Any, shape: str) -> None:
    with fails(DataError, "y: this is not one series ... list of arrays") as caught:
        to_panel(y)
    assert f"got: shape {shape}\n" in str(caught.value)


@pytest.mark.parametrize("y", [[], ()])
def test_no_series_are_refused(y: Any) -> None:
    with fails(DataError, "y is an empty list ... at least one series"):
        to_panel(y)


def test_series_that_are_none_are_all_named() -> None:
    with fails(
        DataError, "series 0: this is not one series ... shape (0,) ... series 2: this is not one series"
    ):
        to_panel([[], [1.0], np.zeros((1, 1, 1))])
    with fails(DataError, "series 1: this is not one series ... shape ()"):
        to_panel([[1.0], 2.0])


def test_ragged_rows_are_refused() -> None:
    with fails(DataError, "series 1: this does not make an array ... rows of equal length ... inhomogeneous"):
        to_panel([[1.0], [[1.0, 2.0], [3.0]]])


def test_series_with_other_channels_are_named() -> None:
    with fails(DataError, "series 1 does not have the channels of the first one ... (T,) ... (2, 2)"):
        to_panel([[1.0], np.zeros((2, 2))])
    with fails(DataError, "series 1 ... (T, 2) ... (3, 3) ... series 2 ... (4,)"):
        to_panel([np.zeros((5, 2)), np.zeros((3, 3)), np.zeros(4)])


@pytest.mark.parametrize(
    ("y", "says"),
    [
        ([1.0, "two"], "position 1 (counted from 0): this is not a number ... 'two'"),
        (["1", "2"], "position 0 ... '1'"),
        (np.array(["1", "2"]), "position 0 ... '1'"),
        (np.array([1.0, "two"], dtype=object), "position 1 ... 'two'"),
        (np.array([[1.0, "two"]], dtype=object), "position 0, channel 1 ... 'two'"),
        ([1.0, 2j], "position 1 ... 2j"),
        (np.array(["2020-01-01"], "datetime64[D]"), "position 0 ... datetime.date(2020, 1, 1)"),
        ([[1.0], [2.0, "x"]], "series 1, position 1 (counted from 0): this is not a number ... 'x'"),
        ([[[1.0, 2.0]], [[3.0, "x"]]], "series 1, position 0, channel 1 ... 'x'"),
        (
            np.array([[[1.0, 2.0]], [[3.0, "x"]]], dtype=object),
            "series 1, position 0, channel 1 ... not a number ... 'x'",
        ),
    ],
)
def test_what_is_no_number_is_named(y: Any, says: str) -> None:
    with fails(DataError, says):
        to_panel(y)


@pytest.mark.parametrize(
    ("y", "says"),
    [
        (
            np.array([1.0, np.nan, np.nan]),
            "position 1 (counted from 0): the value is missing (NaN) ... series: 2",
        ),
        ([1.0, None], "position 1 ... missing"),
        (np.ma.array([1, 2], mask=[True, False]), "position 0 ... missing"),
        (
            np.array([[1.0, 2.0], [3.0, np.nan]]),
            "position 1, channel 1 (counted from 0): the value is missing",
        ),
        ([[1.0], [2.0, np.nan]], "series 1, position 1 (counted from 0): the value is missing"),
        ([[[1.0, 2.0]], [[np.nan, 2.0]]], "series 1, position 0, channel 0 ... missing"),
        (np.array([[[1.0], [2.0]], [[3.0], [np.nan]]]), "series 1, position 1 (counted from 0) ... missing"),
        (np.array([[[1.0, 2.0]], [[np.inf, 2.0]]]), "series 1, position 0, channel 0 ... infinite"),
        ([1.0, -np.inf], "position 1 ... the value is infinite ... fit into float32"),
        (np.array([1.0, np.inf, -np.inf]), "position 1 ... infinite values in this series: 2"),
        ([1.0, 1e39], 'position 1 ... infinite ... dtype="float64"'),
        ([[1.0], [1e39]], "series 1, position 0 ... infinite"),
        (np.array([1e39]), "position 0 ... infinite"),
    ],
)
def test_what_is_missing_or_infinite_is_named(y: Any, says: str) -> None:
    with fails(DataError, says):
        to_panel(y)


def test_float64_holds_what_float32_does_not() -> None:
    assert to_panel([1e39], dtype="float64").values.tolist() == [[1e39]]


def test_all_faults_come_at_once_and_the_rest_is_counted() -> None:
    with fails(DataError, "series 0, position 0 ... infinite ... series 0, position 1 ... missing") as caught:
        to_panel([[np.inf, np.nan], *[[np.nan]] * 6])
    assert len(caught.value.faults) == 6
    assert str(caught.value).endswith("and 3 more like these")


@given(arrays(np.float64, st.tuples(st.integers(1, 5), st.integers(1, 3))))
def test_a_panel_is_finite_or_refused(y: np.ndarray[Any, Any]) -> None:
    if np.isfinite(y).all():
        assert to_panel(y, dtype="float64").values.tolist() == y.tolist()
    else:
        with pytest.raises(DataError, match=r"missing|infinite"):
            to_panel(y, dtype="float64")


def test_constant_series_are_fine() -> None:
    assert to_panel([7.0] * 5).values.tolist() == [[7.0]] * 5


def test_arrays_load_no_frame_library() -> None:
    code = (
        "import sys, numpy, unrolled.panel, unrolled.files; unrolled.panel.to_panel(numpy.ones(3));"
        "unrolled.panel.to_panel([[1.0], [2.0, 3.0]]);"
        "print(sorted({'narwhals', 'pandas', 'polars', 'pyarrow', 'duckdb'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_frame_read_back_from_a_file_answers_as_a_list() -> None:
    panel = to_panel([[1.0], [2.0]])
    again = Panel(panel.values, panel.offsets, ("a", "b"), ("y",), "frame")
    assert answer(again, np.zeros((2, 3, 1))).shape == (2, 3)
