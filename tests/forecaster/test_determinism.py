"""The same seed gives the same numbers: again, on any number of threads, beside others who learn."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tests.forecaster.helpers import CELLS, STRATEGIES, small, wave, waves


def big(**changes):
    """Return a forecaster with enough work for several threads to be used."""
    return small(
        12, **{"season": 12, "hidden_size": 40, "batch_size": 96, "steps": 12, "threads": 2, **changes}
    )


def outcome(forecaster, y):
    """Return all numbers that come of a fit, to be compared bit by bit."""
    forecaster.fit(y)
    weights = np.concatenate([one.ravel() for one in forecaster.network_.weights.values()])
    return np.concatenate([weights, np.ravel(forecaster.predict()), forecaster.history_.losses])


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_same_seed_twice(cell, strategy):
    one, other = (outcome(small(3, cell=cell, strategy=strategy, seed=7), wave()) for _ in range(2))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_on_any_number_of_threads(cell, strategy, dtype):
    changes = {
        "cell": cell,
        "strategy": strategy,
        "dtype": dtype,
        "num_layers": 2,
        "dropout": 0.2,
        "steps": 4,
    }
    one, *others = (outcome(big(**changes, threads=threads), waves(120, 90, 150)) for threads in (1, 2, 5))
    for other in others:
        np.testing.assert_array_equal(one, other)


def test_the_number_of_threads_of_the_environment(monkeypatch):
    outcomes = []
    for threads in ("1", "3", "nonsense", "0", ""):
        monkeypatch.setenv("UNROLLED_THREADS", threads)
        outcomes.append(outcome(big(threads=None), wave(150)))
    for other in outcomes[1:]:
        np.testing.assert_array_equal(outcomes[0], other)


def test_beside_others_who_learn_at_the_same_time():
    jobs = [
        ({"seed": seed, "cell": cell}, wave(150, seed=seed)) for seed, cell in enumerate((*CELLS, *CELLS))
    ]

    def run(job):
        changes, y = job
        return outcome(big(**changes, dropout=0.1, num_layers=2), y)

    alone = [run(job) for job in jobs]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(run, jobs))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)


def test_one_fitted_forecaster_asked_by_many_threads():
    forecaster = big().fit(waves(120, 90))
    series = [wave(80, seed=seed) for seed in range(24)]
    alone = [forecaster.predict(one) for one in series]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(forecaster.predict, series))
    np.testing.assert_array_equal(alone, together)


def test_seeds_differ():
    seeds = (0, 1, 2**32 - 1)
    forecasts = [small(3, seed=seed).fit(wave()).predict() for seed in seeds]
    assert len({tuple(one.tolist()) for one in forecasts}) == len(seeds)


def test_what_was_done_before_does_not_matter():
    expected = small(3, dropout=0.3, num_layers=2).fit(wave()).predict()
    rng = np.random.default_rng()
    other = small(5, cell="gru", seed=int(rng.integers(1000))).fit(rng.standard_normal(60))
    other.predict()
    np.testing.assert_array_equal(small(3, dropout=0.3, num_layers=2).fit(wave()).predict(), expected)


def test_looks_at_held_out_windows_do_not_change_what_is_learned():
    patience = [small(3, steps=60, patience=looks).fit(wave()).history_.losses for looks in (0, 50)]
    assert patience[0] == patience[1]
