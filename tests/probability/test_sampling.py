"""Sample paths: of a network that is an AR(1) by hand, alone and among others, with and without features."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from unrolled import sampling
from unrolled.engine import Engine
from unrolled.errors import ArgumentError, DataError
from unrolled.heads import COUNTS, Head
from unrolled.sampling import sample_paths

PHI, SIGMA = 0.8, 0.5


class Counting:
    """An engine that notes the shapes it was asked to read."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.read = engine, []  # type: ignore[var-annotated]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.engine, name)

    def forward(self, x: Any, state: Any = None, **more: Any) -> Any:
        self.read.append((x.copy(), state))
        return self.engine.forward(x, state, **more)


def linear(reads: list[float], *, input_size: int, outputs: int = 2) -> Engine:
    """Return a network whose mean is a sum of its last step's inputs, and whose deviation is SIGMA.

    Rectified units read the sum and its negative, so that their difference is the sum itself.
    """
    engine = Engine("rnn_relu", input_size=input_size, hidden_size=2, output_size=outputs, dtype="float64")
    weights = {name: np.zeros(shape) for name, shape in engine.shapes.items()}
    weights["weight_ih_l0"][:] = [reads, [-one for one in reads]]
    weights["head.weight"][0] = [1.0, -1.0]
    weights["head.bias"][1:] = np.log(np.expm1(SIGMA - 1e-3))
    engine.set(weights)
    return engine


def test_an_autoregression_spreads_as_the_theory_says() -> None:
    n, steps, last = 4_000, 8, 2.0
    context = np.array([0.3, last]).reshape(2, 1, 1)
    engine = linear([PHI], input_size=1)
    paths = sample_paths(engine, Head("gaussian"), context=context, channels=1, n=n, seed=5, horizon=steps)[
        0, :, :, 0
    ]
    k = np.arange(1, steps + 1)
    variance = SIGMA**2 * (1 - PHI ** (2 * k)) / (1 - PHI**2)
    low, high = stats.chi2(n - 1).ppf([1e-4, 1 - 1e-4]) / (n - 1)
    found = paths.var(axis=0, ddof=1)
    assert ((found > low * variance) & (found < high * variance)).all(), found / variance
    assert (np.abs(paths.mean(axis=0) - last * PHI**k) < 4 * np.sqrt(variance / n)).all()
    # The points of one path belong together: y_2 = phi y_1 + noise.
    noise = paths[:, 1:] - PHI * paths[:, :-1]
    assert stats.kstest(noise.ravel() / SIGMA, stats.norm.cdf).pvalue > 0.001


@pytest.mark.parametrize("cell", ["gru", "lstm"])
@pytest.mark.parametrize("head", [Head("student_t"), Head("quantile", (0.1, 0.5, 0.9)), Head(COUNTS)])
def test_a_series_takes_the_same_paths_alone(cell: str, head: Head, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, draw = random_engine(cell, 2 * 2 + 3 + 1, 2 * head.width), np.random.default_rng(0)
    given = {
        "context": draw.normal(size=(5, 9, 8)),
        "ahead": draw.normal(size=(4, 9, 3)),
        "static": draw.normal(size=(9, 1)),
        "scale": np.exp(draw.normal(size=(9, 2))),
    }
    axis = {"context": 1, "ahead": 1, "static": 0, "scale": 0}
    fixed: dict[str, Any] = {"channels": 2, "mask": True, "n": 7, "seed": 11}
    together = sample_paths(engine, head, series=range(9), **given, **fixed)
    assert together.shape == (9, 7, 4, 2)
    monkeypatch.setattr(sampling, "MOST_ROWS", 15)  # blocks of two series
    np.testing.assert_allclose(sample_paths(engine, head, **given, **fixed), together, rtol=1e-12)
    some = np.array([7, 2])
    fewer = {name: np.take(value, some, axis[name]) for name, value in given.items()}
    alone = sample_paths(engine, head, series=some, **fewer, **fixed)
    np.testing.assert_allclose(alone, together[some], rtol=1e-12)
    assert not np.allclose(sample_paths(engine, head, **given, **{**fixed, "seed": 12}), together)
    if head.loss == COUNTS:
        counts = together * given["scale"][:, None, None]
        np.testing.assert_allclose(counts, np.rint(counts), atol=1e-9)


def random_engine(cell: str, input_size: int, outputs: int) -> Engine:
    engine = Engine(cell, input_size=input_size, hidden_size=6, output_size=outputs, dtype="float64")
    engine.write(np.random.default_rng(1).normal(size=engine.parameter_count) * 0.4)
    return engine


def test_the_context_is_read_once_and_what_is_fed_back_are_samples() -> None:
    engine: Any = Counting(linear([PHI, 0.0, 0.0, 1.0], input_size=4))
    context, static = np.zeros((6, 2, 4)), np.array([[1.0], [-1.0]])
    paths = sample_paths(
        engine,
        Head("gaussian"),
        context=context,
        static=static,
        channels=1,
        mask=True,
        n=3,
        seed=0,
        horizon=4,
    )
    assert [x.shape for x, _ in engine.read] == [(6, 2, 4), *[(1, 6, 4)] * 3]
    assert engine.read[1][1].h.shape == (1, 6, 2)
    for k in range(3):
        expected = np.zeros((6, 4))
        expected[:, 0] = paths[:, :, k, 0].ravel()
        expected[:, 3] = [1, 1, 1, -1, -1, -1]  # flags and unknown features are 0
        np.testing.assert_array_equal(engine.read[1 + k][0][0], expected)


def test_what_is_known_ahead_is_read_before_the_point_and_with_it() -> None:
    # The mean is the feature of the point that is forecast, plus 100 where its value is not missing.
    engine: Any = Counting(linear([0.0, -100.0, 1.0], input_size=3))
    engine.engine.set({**engine.engine.get(), "bias_ih_l0": np.array([100.0, -100.0])})
    ahead = np.array([5.0, 7.0, 9.0]).reshape(3, 1, 1)
    paths = sample_paths(
        engine,
        Head("gaussian"),
        context=np.zeros((4, 1, 3)),
        channels=1,
        mask=True,
        n=2_000,
        seed=0,
        ahead=ahead,
    )[0, :, :, 0]
    np.testing.assert_allclose(paths.mean(axis=0), ahead[:, 0, 0], atol=4 * SIGMA / np.sqrt(2_000))
    rows = [x[0, 0].tolist() for x, _ in engine.read[1:]]
    assert rows == [[0, 1, 5], [paths[0, 0], 0, 5], [0, 1, 7], [paths[0, 1], 0, 7], [0, 1, 9]]
    # A step ahead and the real step that follows it begin at the same state.
    for look, real in ((1, 2), (3, 4)):
        np.testing.assert_array_equal(engine.read[look][1].h, engine.read[real][1].h)


def test_points_can_be_fed_back_in_place_of_samples() -> None:
    context = np.array([2.0]).reshape(1, 1, 1)
    engine = linear([PHI], input_size=1)
    common: dict[str, Any] = {"context": context, "channels": 1, "n": 2, "seed": 0, "horizon": 3}
    paths = sample_paths(engine, Head("gaussian"), point=True, **common)
    np.testing.assert_allclose(paths[0, :, :, 0], np.tile(2.0 * PHI ** np.arange(1, 4), (2, 1)))
    one = linear([PHI], input_size=1, outputs=1)
    np.testing.assert_allclose(sample_paths(one, Head("mae"), point=True, **common), paths)
    with pytest.raises(ArgumentError, match="gives points"):
        sample_paths(one, Head("mae"), **common)


def test_many_paths_of_one_series_are_cut_into_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "MOST_ROWS", 10)
    engine: Any = Counting(linear([PHI], input_size=1))
    paths = sample_paths(
        engine, Head("gaussian"), context=np.zeros((2, 2, 1)), channels=1, n=25, seed=0, horizon=2
    )
    assert max(x.shape[1] for x, _ in engine.read) == 10
    assert len(np.unique(paths)) == paths.size


def test_paths_that_leave_all_numbers_are_told_of() -> None:
    engine = linear([1e200], input_size=1)
    with pytest.raises(DataError, match="left all finite numbers at step 2: series 1"):
        sample_paths(
            engine,
            Head("gaussian"),
            context=np.array([[[0.0], [1e100]]]),
            channels=1,
            n=2,
            seed=0,
            horizon=5,
        )


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"context": np.zeros((2, 1))}, "context does not fit"),
    ({"context": np.zeros((2, 3, 2))}, "context does not fit"),
    ({"channels": 2}, "head does not fit"),
    ({"horizon": None}, "horizon does not fit"),
    ({"ahead": np.zeros((2, 3, 1))}, "horizon does not fit"),
    ({"ahead": np.zeros((2, 3, 1)), "horizon": None}, "ahead does not fit"),
    ({"static": np.zeros((3, 1))}, "static does not fit"),
    ({"series": [1, 2]}, "series does not fit"),
    ({"scale": np.ones(3)}, "scale does not fit"),
]


@pytest.mark.parametrize(("wrong", "says"), WRONG)
def test_shapes_must_fit(wrong: dict[str, Any], says: str) -> None:
    right: dict[str, Any] = {"context": np.zeros((2, 3, 1)), "channels": 1, "n": 2, "seed": 0, "horizon": 3}
    with pytest.raises(ArgumentError, match=says):
        sample_paths(linear([PHI], input_size=1), Head("gaussian"), **{**right, **wrong})


def test_a_skip_and_counts_without_a_scale_are_refused() -> None:
    engine = Engine("gru", input_size=1, hidden_size=2, output_size=2, skip_steps=2)
    with pytest.raises(ArgumentError, match=r"(?s)linear skip cannot draw paths.*scale of their windows"):
        sample_paths(engine, Head(COUNTS), context=np.zeros((2, 1, 1)), channels=1, n=2, seed=0, horizon=3)
