"""Bad input to every method: an error that says what was expected, what came, and what to do."""

from __future__ import annotations

import numpy as np
import pytest

from tests.forecaster.beside import HORIZON, told
from tests.forecaster.helpers import small, wave
from unrolled.errors import ArgumentError, DataError, KindError, NotFittedError

WHOLE = r"(.|\n)*\n  expected: .+\n  got: .+\n  try: .+"
"""What every message goes on with."""


@pytest.fixture(scope="module")
def plain():
    return small(HORIZON, window=8, calibration=12).fit(wave())


@pytest.fixture(scope="module")
def paths():
    return small(HORIZON, window=8, strategy="recursive", loss="gaussian").fit(wave())


@pytest.fixture(scope="module")
def rich():
    panel = told(40, 50)
    return small(HORIZON, window=8).fit(panel.series, **panel.beside())


LEVELS = [
    (),
    (0,),
    (100,),
    (-5,),
    (80, 80),
    "80",
    (True,),
    [np.nan],
    ("80",),
    -1,
    {80},
    (None,),
    1j,
    object(),
]


@pytest.mark.parametrize("levels", LEVELS, ids=repr)
def test_levels(plain, levels):
    with pytest.raises(ArgumentError, match="levels are not levels of intervals" + WHOLE):
        plain.predict(levels=levels)
    with pytest.raises(ArgumentError, match="levels are not levels of intervals" + WHOLE):
        plain.stream(wave(), levels=levels)


def test_levels_that_cannot_be_had(plain):
    with pytest.raises(ArgumentError, match="Too few held-out forecasts for an interval of 99.9 %" + WHOLE):
        plain.predict(levels=(99.9,))
    blind = small(HORIZON, window=8, validation=0).fit(wave())
    with pytest.raises(ArgumentError, match="No points were held out" + WHOLE):
        blind.predict(levels=(80,))


@pytest.mark.parametrize("levels", [80, 80.0, [80], (50, 80), np.array([50, 80]), np.float32(80)], ids=repr)
def test_levels_in_any_kind(plain, levels):
    assert len(plain.predict(levels=levels).lower) == np.size(levels)


QUANTILES = [(), (0,), (1.0,), (0.5, 0.1), (0.2, 0.2), "x", 0.5, (None,), (np.nan,), {0.1}, (True,), (10, 90)]


@pytest.mark.parametrize("quantiles", QUANTILES, ids=repr)
def test_quantiles(paths, quantiles):
    with pytest.raises(
        ArgumentError,
        match=r"quantiles?(.|\n)*expected: rising numbers between 0 and 1.*\n  got: .+\n  try: .+",
    ):
        paths.predict_quantiles(quantiles=quantiles)


def test_quantiles_of_a_forecaster_of_points(plain):
    with pytest.raises(ArgumentError, match=r'points, not quantiles(.|\n)*got: loss="mae"'):
        plain.predict_quantiles(quantiles=(0.5,))


@pytest.mark.parametrize("n", [0, -1, 1.5, "3", None, True, 10**7, [3]], ids=repr)
def test_numbers_of_paths(paths, n):
    with pytest.raises(ArgumentError, match=r"^n does not fit" + WHOLE):
        paths.sample(n)


@pytest.mark.parametrize("seed", [-1, 2**32, "a", None, 0.5, True], ids=repr)
def test_seeds_of_paths(paths, seed):
    with pytest.raises(ArgumentError, match=r"^seed does not fit" + WHOLE):
        paths.sample(3, seed=seed)


def test_paths_that_cannot_be_had(plain):
    with pytest.raises(ArgumentError, match="learned points, not how they spread" + WHOLE):
        plain.sample(3)
    direct = small(HORIZON, window=8, loss="gaussian").fit(wave())
    with pytest.raises(ArgumentError, match="has no paths" + WHOLE):
        direct.sample(3)


FUTURES = {
    "too short": (np.ones((2, 2, 2)), "'future' of series 0 ends before"),
    "too wide": (np.ones((2, 3, 3)), "has another number of columns"),
    "too few series": (np.ones((1, 3, 2)), "does not have the series that y has"),
    "text": ("x", "does not make columns"),
    "number": (3, "does not make columns"),
    "nothing": ([], "future"),
    "an object": (object(), "does not make columns"),
    "missing": (np.full((2, 3, 2), np.nan), "the value is missing, but none was in the training part"),
    "infinite": (np.full((2, 3, 2), np.inf), "the value is infinite"),
    "labels": (np.full((2, 3, 2), "a").tolist(), "is of another kind than before"),
    "another name": ({"x": np.ones((2, 3)), "known_1": np.ones((2, 3))}, "lacks the column 'known_0'"),
}


@pytest.mark.parametrize("name", FUTURES)
def test_futures(rich, name):
    future, pattern = FUTURES[name]
    with pytest.raises((DataError, ArgumentError), match=pattern + WHOLE):
        rich.predict(future=future)


@pytest.mark.parametrize("part", ["past", "known", "static"])
@pytest.mark.parametrize(
    "value", [3, "x", object(), np.ones((7, 7, 7, 7)), [], [1.0]], ids=lambda one: type(one).__name__
)
def test_covariates_that_are_none(part, value):
    panel = told(40, 50)
    with pytest.raises((DataError, ArgumentError), match=part + WHOLE):
        small(HORIZON, window=8).fit(panel.series, **{part: value})


@pytest.mark.parametrize("y", [3, "x", object(), {1, 2}], ids=repr)
@pytest.mark.parametrize(
    "call", ["fit", "predict", "sample", "stream", "spans", "fit_more", "backtest", "predict_quantiles"]
)
def test_series_that_are_none(paths, call, y):
    arguments = (2, y) if call == "sample" else (y,)
    with pytest.raises((KindError, DataError), match=r"y is of a kind|y: " + WHOLE):
        getattr(paths, call)(*arguments)


@pytest.mark.parametrize(
    "call", ["predict", "sample", "stream", "spans", "fit_more", "predict_quantiles", "describe", "ends_"]
)
def test_before_fit(call):
    forecaster = small(HORIZON)
    arguments = {"sample": [2, wave()], "stream": [wave()], "fit_more": [wave()]}.get(call, [])

    def ask():
        return forecaster.ends_ if call == "ends_" else getattr(forecaster, call)(*arguments)

    with pytest.raises(NotFittedError, match="has not learned anything yet" + WHOLE):
        ask()


@pytest.mark.parametrize(
    ("name", "value", "pattern"),
    [
        ("members", 0, "members does not fit"),
        ("members", 1001, "members does not fit"),
        ("snapshots", -1, "snapshots does not fit"),
        ("combine", "mode", "combine is not known"),
        ("memory", "some", "memory is not known"),
        ("layout", "tall", "layout is not known"),
        ("calibration", 1, "calibration is too short to judge"),
        ("calibration", -1, "calibration does not fit"),
        ("mask", 1, "mask does not fit"),
        ("residual", "yes", "residual does not fit"),
        ("residual", True, "only one"),
        ("dilations", (1, 2), "dilations does not fit the layers"),
        ("dilations", 2, "dilations does not fit the layers"),
        ("dilations", (0,), "dilations does not fit the layers"),
        ("past_cols", "rain", "past_cols is not a list of names"),
        ("known_cols", ("a", "a"), "known_cols is not a list of names"),
        ("static_cols", (1,), "static_cols is not a list of names"),
        ("calendar", ("fortnight",), "no calendar feature of this name"),
        ("calendar", "hour", "calendar is not a list of names"),
    ],
)
def test_arguments(name, value, pattern):
    with pytest.raises(ArgumentError, match=pattern + WHOLE):
        small(HORIZON, **{name: value}).fit(wave())


@pytest.mark.parametrize(
    ("name", "value"),
    [("skip", True), ("scaling", "last"), ("strategy", "recursive"), ("patch", 2), ("dilations", (2,))],
)
def test_what_a_state_of_the_whole_series_does_not_allow(name, value):
    with pytest.raises(
        ArgumentError, match=f'memory="all" carries one state.*which {name} does not allow' + WHOLE
    ):
        small(HORIZON, memory="all", **{name: value}).fit(wave())


def test_the_calendar_needs_dates():
    with pytest.raises(DataError, match="time|date" + WHOLE):
        small(HORIZON, calendar=("hour",)).fit(wave())
