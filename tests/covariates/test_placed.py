"""Columns of tables beside the series; rows behind the last target that know the future."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.covariates import from_columns, read_series, with_covariates, with_future
from unrolled.covariates.placed import ended, from_fetched
from unrolled.covariates.rows import FutureRows
from unrolled.errors import ArgumentError, DataError, KindError
from unrolled.panel import Panel, to_panel

if TYPE_CHECKING:
    from collections.abc import Sequence

NAN = float("nan")


def beside(values: Sequence[Sequence[float]], known: Sequence[Sequence[Any]]) -> Panel:
    """Return series with one column that is known ahead, row beside row."""
    panel = to_panel([list(one) for one in values], missing="allow", dtype="float64")
    flat = [one for own in known for one in own]
    past = {"at": np.arange(len(panel.values), dtype=float)}
    return replace(panel, covariates=from_columns(panel, known={"promo": flat}, past=past))


def parts(panel: Panel) -> list[tuple[list[float], list[Any]]]:
    """Return the values and the known column of each series."""
    offsets = panel.covariates.known_offsets
    column = panel.covariates.known["promo"]
    return [
        (panel.series(s)[:, 0].tolist(), column[offsets[s] : offsets[s + 1]].tolist())
        for s in range(panel.n_series)
    ]


class TestEnded:
    def test_by_hand(self):
        found = ended(
            beside(
                [[1, 2, NAN, NAN, NAN], [5, NAN, 7], [1, NAN, NAN]], [[0, 1, 1, NAN, NAN], [1] * 3, [0, 0, 1]]
            )
        )
        assert parts(found) == [
            ([1, 2], [0, 1, 1]),
            ([5, pytest.approx(NAN, nan_ok=True), 7], [1, 1, 1]),
            ([1], [0, 0, 1]),
        ]
        assert found.covariates.past["at"].tolist() == [0, 1, 5, 6, 7, 8]

    def test_categories(self):
        assert parts(ended(beside([[1, NAN, NAN]], [["a", "b", None]]))) == [([1], ["a", "b"])]

    def test_rows_in_which_nothing_is_known_stay_missing_points(self):
        panel = beside([[1, 2, NAN]], [[0, 1, NAN]])
        assert ended(panel) is panel

    def test_nothing_known_ahead(self):
        panel = to_panel([1.0, NAN], missing="allow")
        panel = replace(panel, covariates=from_columns(panel, past={"rain": [1.0, 2.0]}))
        assert ended(panel) is panel

    @given(st.data())
    def test_law(self, data):
        """What is kept is what was there, and no series ends with a missing point that knows its future."""
        sizes = data.draw(st.lists(st.integers(1, 6), min_size=1, max_size=4))
        holes = [data.draw(st.lists(st.booleans(), min_size=n, max_size=n).filter(any)) for n in sizes]
        told = [data.draw(st.lists(st.booleans(), min_size=n, max_size=n)) for n in sizes]
        values = [[float(i) if one else NAN for i, one in enumerate(own)] for own in holes]
        known = [[10.0 + i if one else NAN for i, one in enumerate(own)] for own in told]
        found = ended(beside(values, known))
        for (y, x), seen, promo, true, given_x in zip(parts(found), holes, told, values, known, strict=True):
            last = max(i for i, one in enumerate(seen) if one) + 1
            ahead = max((i + 1 for i, one in enumerate(promo) if one), default=0)
            assert len(y) == (last if ahead > last else len(true))
            assert len(x) == (ahead if ahead > last else len(true))
            np.testing.assert_array_equal(y, true[: len(y)])
            np.testing.assert_array_equal(x, given_x[: len(x)])


def frame(**more: Sequence[Any]) -> pl.DataFrame:
    """Return two monthly series, the second a month shorter, whose promotions are known two months ahead."""
    months = pl.date_range(pl.date(2024, 1, 1), pl.date(2024, 6, 1), "1mo", eager=True)
    base = {
        "unique_id": ["a"] * 6 + ["b"] * 6,
        "ds": [*months, *months],
        "y": [1.0, 2, 3, 4, None, None, 5, 6, 7, None, None, None],
        "promo": [0, 1, 0, 1, 0, 1, 1, 0, 1, 0, 1, None],
        "kind": ["x"] * 6 + ["z"] * 6,
    }
    return pl.DataFrame({**base, **more})


COLS: dict[str, Any] = {"known_cols": ("promo",), "static_cols": ("kind",)}


class TestFrames:
    def test_the_future_of_a_frame(self):
        panel = read_series(frame(), COLS)
        assert panel.lengths.tolist() == [4, 3]
        assert np.diff(panel.covariates.known_offsets).tolist() == [6, 5]
        assert panel.covariates.static["kind"].tolist() == ["x", "z"]
        assert panel.future(1)[:, 0].astype(str).tolist() == ["2024-05-01", "2024-04-01"]

    def test_without_known_columns_they_are_missing(self):
        assert read_series(frame(), {}).n_missing == 5

    def test_in_wide_layout_series_end_together(self):
        wide = pl.DataFrame(
            {"ds": [1, 2, 3, 4], "a": [1.0, 2, None, None], "b": [1.0, 2, 3, None], "promo": [1, 0, 1, 0]}
        )
        how = {"layout": "wide", "target_col": ["a", "b"], "id_col": None, "known_cols": ("promo",)}
        panel = read_series(wide, how)
        assert panel.lengths.tolist() == [3, 3]
        assert np.diff(panel.covariates.known_offsets).tolist() == [4, 4]

    def test_a_panel_from_a_frame_finds_its_columns(self):
        direct = read_series(frame(), COLS)
        panel = read_series(to_panel(frame(), missing="allow", gaps="fill"), COLS)
        assert parts(panel) == parts(direct)

    def test_a_panel_keeps_what_it_has(self):
        panel = read_series(frame(), COLS)
        assert read_series(panel, COLS) is panel

    def test_a_step_does_not_cost_the_covariates(self):
        panel = read_series(frame(), COLS)
        assert parts(read_series(panel, {**COLS, "freq": "MS"})) == parts(panel)

    def test_a_finer_step_cannot_be_put_in_afterwards(self):
        odd = frame().filter(pl.col("ds").dt.month() % 2 == 1)
        panel = read_series(odd, COLS)
        with pytest.raises(ArgumentError, match=r"leave out steps of 1 month, and covariates stand beside"):
            read_series(panel, {**COLS, "freq": "MS"})


class TestFaults:
    @pytest.mark.parametrize("y", [[1.0, 2.0], to_panel([1.0, 2.0])])
    def test_no_table(self, y):
        with pytest.raises(ArgumentError, match=r"a data frame or a file with promo"):
            read_series(y, {"known_cols": ("promo",)})

    def test_a_static_column_that_changes(self):
        with pytest.raises(DataError, match=r"'kind'[\s\S]*y"):
            read_series(frame(kind=["x"] * 5 + ["y"] + ["z"] * 6), COLS)

    def test_a_column_twice(self):
        with pytest.raises(DataError, match=r"'a' is named twice"):
            from_fetched(to_panel([1.0]), {"a": [1.0]}.__getitem__, past_cols=["a"], known_cols=["a"])

    def test_arrays_beside_columns(self):
        with pytest.raises(ArgumentError, match=r"a data frame or a file with promo"):
            with_covariates(to_panel(frame(), missing="allow"), frame(), known=[[1.0]], known_cols=("promo",))

    def test_a_static_frame_beside_a_file(self):
        panel = to_panel(frame(), missing="allow")
        panel = replace(panel, origin=replace(panel.origin, frame=None))
        with pytest.raises(ArgumentError, match=r"a data frame or a file with kind"):
            with_covariates(panel, panel, static=frame(), static_cols=("kind",))


class TestFutureRows:
    def rows(self, **more: Any) -> FutureRows:
        whole: dict[str, Any] = {
            "ids": (["b", "a"], np.array([0, 0, 1, 1])),
            "times": np.array(["2024-05", "2024-04", "2024-05", "2024-06"], "datetime64[M]"),
            "columns": {"promo": np.array([4.0, 3.0, 1.0, 2.0])},
        }
        return FutureRows(**{**whole, **more})

    def test_found_by_name_and_time(self):
        panel = read_series(frame(), COLS)
        found = with_future(panel.covariates, panel, self.rows(utc=False), horizon=2)
        assert found.known["promo"][[4, 5, 9, 10]].tolist() == [1.0, 2.0, 3.0, 4.0]

    def test_rows_without_names_are_of_every_series(self):
        panel = read_series(frame(), COLS)
        rows = self.rows(ids=None, times=None)
        found = with_future(panel.covariates, panel, rows, horizon=2)
        assert found.known["promo"][[4, 5, 9, 10]].tolist() == [4.0, 3.0, 4.0, 3.0]

    def test_too_few(self):
        panel = read_series(frame(), COLS)
        with pytest.raises(DataError, match=r"'future' of series 'a' ends before"):
            with_future(panel.covariates, panel, self.rows(times=None), horizon=3)

    @pytest.mark.parametrize("more", [{"times": np.array([5, 4, 5, 6])}, {"utc": True}])
    def test_times_of_another_kind(self, more):
        panel = read_series(frame(), COLS)
        with pytest.raises(KindError, match=r"another kind than those of the history"):
            with_future(panel.covariates, panel, self.rows(**more), horizon=2)

    def test_a_column_that_is_not_there(self):
        panel = read_series(frame(), COLS)
        with pytest.raises(DataError, match=r"future lacks the column 'promo'"):
            with_future(panel.covariates, panel, self.rows(columns={"rain": np.zeros(4)}), horizon=2)
