"""The same numbers whatever runs beside, and nothing outside is touched: random states, files, inputs."""

from __future__ import annotations

import os
import random
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tests.forecaster.beside import HORIZON, needs, told
from tests.forecaster.helpers import CELLS, small

# One series is short, on purpose.
pytestmark = pytest.mark.filterwarnings("ignore:1 series are shorter than the window")

USES = {
    "direct": {"loss": "quantile", "members": 3, "num_layers": 2, "dropout": 0.2},
    "recursive": {"loss": "gaussian", "strategy": "recursive", "members": 2, "snapshots": 2},
    "whole": {"loss": "student_t", "memory": "all", "scaling": "series", "residual": True, "num_layers": 2},
}


def numbers_of(use, *, threads=1, cell="gru"):
    """Do all that a forecaster can do, with every kind of input; return all numbers that come of it."""
    panel = told(50, 64, 6)
    panel.series[0][10:14] = np.nan
    panel.series[1][-2] = np.nan
    beside = panel.beside()
    chosen = {**needs(USES[use]["loss"]), **USES[use], "cell": cell, "threads": threads, "steps": 6}
    forecaster = small(HORIZON, window=10, calibration=9, hidden_size=20, **chosen)
    forecaster.fit(panel.series, **beside)
    found = [network.weights[name].ravel() for network in _networks(forecaster) for name in network.weights]
    intervals = forecaster.predict(panel.series, levels=(50,), **beside)
    found += [np.ravel(one) for one in (intervals.y_hat, intervals.lower[50], intervals.upper[50])]
    found += [np.ravel(forecaster.predict(panel.series, **beside))]
    found += [forecaster.predict_quantiles(panel.series, quantiles=(0.1, 0.5, 0.9), **beside).ravel()]
    if use == "recursive":
        found += [forecaster.sample(4, panel.series, seed=3, **beside).ravel()]
    found += [np.ravel(forecaster.fit_more(panel.series, steps=3, **beside).predict(panel.series, **beside))]
    alone = small(HORIZON, window=10, **{**chosen, "scaling": None}).fit(panel.series[1])
    stream = alone.stream(panel.series[1])
    found += [stream.push(np.nan), stream.push(20.0)]
    stream.restore(stream.state)
    folds = alone.backtest(panel.series[1], folds=2, refit=False, progress=False)
    found += [np.ravel([list(row.values()) for row in folds.rows.values()])]
    return np.concatenate([np.asarray(one, np.float64).ravel() for one in found])


def _networks(forecaster):
    return forecaster._model.networks


@pytest.mark.parametrize("use", USES)
def test_twice_in_one_process_on_any_threads_and_beside_others(use):
    expected = numbers_of(use)
    assert np.isfinite(expected).all()
    np.testing.assert_array_equal(numbers_of(use), expected)
    for threads in (2, 7):
        np.testing.assert_array_equal(numbers_of(use, threads=threads), expected)
    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(numbers_of, use, threads=1 + number % 3) for number in range(3)]
        others = [pool.submit(numbers_of, name, cell=cell) for name in USES for cell in CELLS[:2]]
        for job in jobs:
            np.testing.assert_array_equal(job.result(), expected)
        assert all(np.isfinite(job.result()).all() for job in others)


@pytest.mark.parametrize("use", USES)
def test_random_states_stay(use):
    ours, pythons = np.random.get_state(), random.getstate()  # noqa: NPY002 - the very state that must not move
    numbers_of(use)
    assert random.getstate() == pythons
    for before, after in zip(ours, np.random.get_state(), strict=True):  # noqa: NPY002
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("use", USES)
def test_random_states_are_not_read(use):
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    one = numbers_of(use)
    random.seed(2)
    np.random.seed(2)  # noqa: NPY002
    np.testing.assert_array_equal(numbers_of(use), one)


def test_no_file_and_no_folder_appears(tmp_path, monkeypatch):
    homes = {
        name: tmp_path / name for name in ("cwd", "HOME", "TMPDIR", "XDG_CACHE_HOME", "JOBLIB_TEMP_FOLDER")
    }
    for name, folder in homes.items():
        folder.mkdir()
        monkeypatch.setenv(name, str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.chdir(homes["cwd"])
    for use in USES:
        numbers_of(use, threads=2)
    panel = told(60)
    small(HORIZON, window=8).fit(panel.series).backtest(panel.series, folds=2, jobs=2, progress=False)
    assert [one for folder in homes.values() for one in folder.rglob("*")] == []


def test_a_checkpoint_is_one_file_and_a_saved_forecaster_another(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    forecaster = small(HORIZON, window=8).fit(told(60).series, checkpoint="training", checkpoint_every_s=0.0)
    assert os.listdir() == ["training"]
    forecaster.save("model")
    forecaster.load("model").predict()
    assert sorted(one.name for one in Path.cwd().iterdir()) == ["model", "training"]


def test_what_the_caller_gave_stays_as_it_was():
    panel = told(50, 64)
    panel.series[0][7] = np.nan
    parts = [*panel.series, *panel.past, *panel.known]
    before = [one.copy() for one in parts]
    forecaster = small(
        HORIZON, window=10, calibration=9, loss="gaussian", strategy="recursive", dtype="float64"
    )
    forecaster.fit(panel.series, **panel.beside())
    forecaster.predict(panel.series, levels=(50,), **panel.beside())
    forecaster.sample(3, panel.series, **panel.beside())
    forecaster.fit_more(panel.series, steps=2, **panel.beside())
    for one, old in zip(parts, before, strict=True):
        np.testing.assert_array_equal(one, old)
        assert one.flags.writeable
