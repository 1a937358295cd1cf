"""Files as people have them: days before months, times that come twice, no column named."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from unrolled import UnrolledError, to_panel
from unrolled.files import read_panel
from unrolled.files.twice import without_twice


def written(tmp_path, *lines, head="day;y"):
    path = tmp_path / "messy.csv"
    path.write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "days",
    [
        ("11/01/2024", "12/01/2024", "13/01/2024"),
        ("11.1.2024", "12.1.2024", "13.1.2024"),
        ("01-11-2024", "01-12-2024", "01-13-2024"),
        ("01/11/2024", "01/12/2024", "01/13/2024"),
    ],
)
def test_a_day_above_twelve_tells_what_stands_first(tmp_path, days):
    panel = read_panel(written(tmp_path, *(f"{day};1" for day in days)), time="day", target="y")
    assert [str(one) for one in panel.times] == ["2024-01-11", "2024-01-12", "2024-01-13"]


def test_minutes_may_follow(tmp_path):
    path = written(tmp_path, "30/01/2024 23:00;1", "31/01/2024 00:00;2")
    panel = read_panel(path, time="day", target="y")
    assert str(panel.steps[0]) == "1 hour"


def test_where_nothing_tells_nothing_is_guessed(tmp_path):
    path = written(tmp_path, "01/02/2024;1", "02/02/2024;2")
    with pytest.raises(UnrolledError, match="the day may stand first here, or the month"):
        read_panel(path, time="day", target="y")


def test_days_and_months_above_twelve_are_no_times(tmp_path):
    path = written(tmp_path, "13/01/2024;1", "01/14/2024;2")
    with pytest.raises(UnrolledError, match="this is not a time"):
        read_panel(path, time="day", target="y")


def test_a_year_last_below_a_year_first_is_not_like_those_before(tmp_path):
    path = written(tmp_path, "2024-01-30;1", "31/01/2024;2")
    with pytest.raises(UnrolledError, match="line 3, column 'day': this is not a time"):
        read_panel(path, time="day", target="y")


@pytest.mark.parametrize(("keep", "values"), [("first", [1, 2, 4]), ("last", [1, 3, 4])])
def test_one_of_the_rows_of_a_time_is_kept(tmp_path, keep, values):
    path = written(tmp_path, "2024-01-01;1", "2024-01-02;2", "2024-01-02;3", "2024-01-03;4")
    with pytest.raises(UnrolledError, match="comes twice in one series"):
        read_panel(path, time="day", target="y")
    with pytest.warns(UserWarning, match="comes twice in one series: 1"):
        panel = read_panel(path, time="day", target="y", duplicates=keep)
    assert panel.values[:, 0].tolist() == values


def test_a_time_may_come_once_in_each_series_and_covariates_go_along(tmp_path):
    path = written(
        tmp_path, "2024-01-01;1;a;5", "2024-01-01;9;b;6", "2024-01-02;2;a;7", "2024-01-02;3;a;8",
        "2024-01-02;8;b;9", head="day;y;shop;x",
    )  # fmt: skip
    with pytest.warns(UserWarning, match="twice"):
        panel = read_panel(path, time="day", target="y", ids="shop", duplicates="last", past_cols=["x"])
    assert panel.values[:, 0].tolist() == [1, 3, 9, 8]
    assert panel.offsets.tolist() == [0, 2, 4]
    assert panel.covariates.past["x"].tolist() == [5, 8, 6, 9]


def test_without_a_time_that_comes_twice_nothing_is_said(tmp_path):
    path = written(tmp_path, "2024-01-01;1", "2024-01-02;2")
    assert read_panel(path, time="day", target="y", duplicates="last").values[:, 0].tolist() == [1, 2]


def test_choices_that_cannot_be(tmp_path):
    path = written(tmp_path, "2024-01-01;1")
    with pytest.raises(UnrolledError, match="duplicates is not known"):
        read_panel(path, time="day", target="y", duplicates="mean")
    with pytest.raises(UnrolledError, match="without a column of times no row can come twice"):
        read_panel(path, target="y", duplicates="last")


def test_rows_of_series_that_alternate_are_told_apart():
    codes, times = np.array([0, 1, 0, 1, 0]), np.array([5, 5, 5, 6, 6])
    order = np.argsort(codes, kind="stable")
    assert without_twice(codes, times, order, "first").tolist() == [0, 4, 1, 3]
    assert without_twice(codes, times, order, "last").tolist() == [2, 4, 1, 3]


def test_where_no_target_is_named_a_column_of_numbers_is_proposed():
    frame = pl.DataFrame({"Date": ["a"], "Units sold": [1.0], "y holiday": ["no"]})
    with pytest.raises(UnrolledError, match=r"no column 'y'(.|\n)*try: 'Units sold'"):
        to_panel(frame)
