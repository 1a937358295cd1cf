"""Figures against plain loops and by hand; the order of rows of every method."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.accuracy import tasks as tasks_module
from benchmarks.accuracy.measuring import together
from benchmarks.accuracy.methods import CHECKED, METHODS, Forecasts, Run
from benchmarks.accuracy.scoring import QUANTILES, quantiles, score
from benchmarks.accuracy.sets import load
from benchmarks.accuracy.tasks import SQUARED, UNSEASONAL, Task
from tests.benchmarks import folders


def levels_apart(**more):
    """Return a task of twelve series, each at a height of its own, so that no two rows can be mistaken."""
    series = {str(n): 100 * n + folders.wave(110, 5, seed=n) for n in range(12)}
    given = {"horizon": 5, "season": 5, "scaled_by": 5, **more}
    return Task("t", "T", series, **given)


def test_errors_of_etth1_are_those_of_a_plain_loop(tmp_path):
    noise = np.random.default_rng(0).normal(size=(2, folders.HOURS_OF_ETT))
    folders.etth1(tmp_path, {"HUFL": noise[0].cumsum(), "OT": noise[1]})
    task = load("etth1", tmp_path)[0][-1]
    squared, absolute = [], []
    for one in task.series.values():
        for begin in range(16 * 720, 20 * 720 - 720 + 1):
            errors = one[begin : begin + 720] - one[begin - 1]
            squared.append(np.square(errors).mean())
            absolute.append(np.abs(errors).mean())
    assert len(squared) == 2 * 2161
    found = score(task, CHECKED["naive"](task, Run()))
    assert found == {"mse": pytest.approx(np.mean(squared)), "mae": pytest.approx(np.mean(absolute))}


def test_the_weighted_quantile_loss_by_hand():
    task = Task("t", "T", {"a": np.array([1.0, 2.0, 1.0, 10.0, 30.0])}, horizon=2, season=None, scaled_by=1,
                metrics=UNSEASONAL)  # fmt: skip
    point = np.array([[10.0, 26.0]])
    bounds = {level: (point - level / 10, point + level / 10) for level in (20, 40, 60, 80)}
    bounds[95] = (point - 1.0, point + 1.0)
    part = Forecasts(slice(0, 1), point, bounds)
    ends = [-8, -6, -4, -2, 0, 2, 4, 6, 8]
    np.testing.assert_allclose(quantiles(part)[0, 1], [26 + end for end in ends])
    loss = 0.0
    for true, centre in ((10.0, 10.0), (30.0, 26.0)):
        for q, end in zip(QUANTILES, ends, strict=True):
            short = true - (centre + end)
            loss += 2 * max(q * short, (q - 1) * short) / 9
    found = score(task, [part])
    assert found["wql"] == pytest.approx(loss / 40)
    assert (found["coverage_80"], found["coverage_95"]) == (1.0, 0.5)
    assert found["mase"] == pytest.approx(2.0)  # errors 0 and 4; the steps of the training part are 1


def test_levels_that_are_lacking_leave_figures_out():
    task = levels_apart(metrics=SQUARED)
    point = task.truth(slice(0, 12)) + 1.0
    bounds = {20: (point, point), 80: (point - 2, point + 2)}
    found = score(task, [Forecasts(slice(0, 12), point, bounds)])
    assert found == {"mse": pytest.approx(1), "mae": pytest.approx(1), "coverage_80": 1.0}


def test_a_level_that_some_forecasts_lack_has_no_coverage():
    task = levels_apart(metrics=SQUARED)
    parts = []
    for row in range(12):
        point = task.truth(slice(row, row + 1))
        levels = (80, 95) if row else (80,)
        parts.append(Forecasts(slice(row, row + 1), point, dict.fromkeys(levels, (point, point))))
    assert set(score(task, parts)) == {"mse", "mae", "coverage_80"}


def test_points_not_seen_or_not_forecast_are_not_scored():
    task = levels_apart(metrics=SQUARED)
    task.series["3"][-2] = np.nan
    point = np.where(np.isnan(task.truth(slice(0, 12))), 1e9, task.truth(slice(0, 12)) + 2.0)
    point[5, 0] = np.nan
    assert score(task, [Forecasts(slice(0, 12), point)]) == {"mse": pytest.approx(4), "mae": pytest.approx(2)}


def test_chunks_do_not_change_figures(monkeypatch):
    task = levels_apart(origins=3, stride=2, metrics=UNSEASONAL)

    def figures():
        parts = []
        for rows in task.chunks():
            point = task.truth(rows) + np.arange(rows.start, rows.stop)[:, None]
            bounds = {level: (point - level, point + level / 20) for level in (20, 40, 60, 80, 95)}
            parts.append(Forecasts(rows, point, bounds))
        return len(parts), score(task, parts)

    count, whole = figures()
    monkeypatch.setattr(tasks_module, "_CHUNK", 50)
    counted, cut = figures()
    assert (count, counted) == (1, 4)
    assert cut == pytest.approx(whole)


@pytest.mark.parametrize("rolled", [{}, {"origins": 3, "stride": 2}], ids=["once", "rolled"])
@pytest.mark.parametrize("name", METHODS)
def test_every_method_keeps_the_order_of_rows(name, rolled):
    task = levels_apart(**rolled)
    run = Run(threads=1)
    for part in METHODS[name].forecast(task, run):
        assert part.rows == slice(0, task.rows)
        assert np.abs(part.point - task.truth(part.rows)).max() < 40
        assert set(part.bounds) in (set(), {20, 40, 60, 80, 95})
        for low, high in part.bounds.values():
            assert (low <= high).all()
            assert low.shape == part.point.shape
    assert sum(run.seconds.values()) > 0


def test_networks_of_single_series_keep_the_order_of_rows():
    task = levels_apart(together=False, origins=2, stride=5)
    parts = list(METHODS["single"].forecast(task, Run(threads=1)))
    assert [(part.rows.start, part.rows.stop) for part in parts] == [(n, n + 2) for n in range(0, 24, 2)]
    for part in parts:
        assert np.abs(part.point - task.truth(part.rows)).max() < 40


def test_a_window_is_all_that_is_read():
    task = levels_apart(window=10, validation=20, origins=4, metrics=SQUARED)
    for name in ("single", "seasonal_naive", "naive"):
        (part,) = METHODS[name].forecast(task, Run(threads=1))
        assert np.abs(part.point - task.truth(part.rows)).max() < 40
    assert [name for name, method in METHODS.items() if not method.applies(task)] == [
        "auto_ets",
        "auto_theta",
        "naive2",
    ]


def test_seeds_become_mean_and_spread():
    found = together([{"mase": 1.0, "wql": 0.1}, {"mase": 2.0, "wql": np.nan}, {"mase": 1.5, "wql": 0.2}])
    assert found == {"mase": {"mean": 1.5, "spread": 1.0, "each": [1.0, 2.0, 1.5]}}
