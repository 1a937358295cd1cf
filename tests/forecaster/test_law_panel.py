"""A series is forecast by itself: alone as among others, in any order, whatever comes after it."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.forecaster.beside import (
    COLUMNS,
    HORIZON,
    LOSSES,
    USES,
    columns,
    days_after,
    fit_for,
    frame,
    needs,
    told,
)
from tests.forecaster.helpers import small, wave
from unrolled.covariates import read_series
from unrolled.jobs import table_of
from unrolled.tables import Cut

LENGTHS = (60, 72, 90)


def fitted(panel, loss="mae", use=("direct", "window"), covariates=True, **changes):
    """Return a forecaster of this loss and use, fitted on all series of a panel."""
    strategy, memory = use
    chosen = {
        "scaling": "none" if memory == "all" else None,
        "hidden_size": 20,
        "calibration": 9,
        "members": 2,
    }
    chosen |= {"strategy": strategy, "memory": memory, "window": 12, **needs(loss), **changes}
    return small(HORIZON, **chosen).fit(panel.series, **(panel.beside() if covariates else {}))


def answers(forecaster, y, **beside):
    """Return all that a forecaster says of some series, by name, the series along the first axis."""
    intervals = forecaster.predict(y, levels=(50, 80), **beside)
    said = {"point": forecaster.predict(y, **beside), "y_hat": intervals.y_hat}
    for level in (50, 80):
        said |= {f"lower {level}": intervals.lower[level], f"upper {level}": intervals.upper[level]}
    if forecaster.loss != "mae":
        said["quantiles"] = forecaster.predict_quantiles(y, quantiles=(0.1, 0.5, 0.9), **beside)
    return {name: np.asarray(one) for name, one in said.items()}


@pytest.mark.parametrize("covariates", [False, True])
@pytest.mark.parametrize("use", USES, ids="-".join)
@pytest.mark.parametrize("loss", LOSSES)
def test_a_series_alone_reordered_or_twice_is_forecast_bit_by_bit_as_in_the_panel(loss, use, covariates):
    panel = told(*LENGTHS, loss=loss)
    forecaster = fitted(panel, loss, use, covariates)

    def ask(numbers):
        return answers(forecaster, panel.of(numbers), **(panel.beside(numbers) if covariates else {}))

    whole = ask([0, 1, 2])
    assert all(np.isfinite(one).all() for one in whole.values())
    for numbers in ([1], [2, 0, 1], [0, 0], [2, 1]):
        for name, one in ask(numbers).items():
            np.testing.assert_array_equal(one, whole[name][numbers], err_msg=f"{name} of {numbers}")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@settings(max_examples=10)
@given(numbers=st.lists(st.integers(0, 11), min_size=1, max_size=30))
def test_any_choice_of_many_series(dtype, numbers):
    panel = told(*range(40, 64, 2))
    forecaster = MANY.setdefault(dtype, None) or fitted(panel, "gaussian", dtype=dtype)
    MANY[dtype] = forecaster
    whole = answers(forecaster, panel.series, **panel.beside())
    chosen = answers(forecaster, panel.of(numbers), **panel.beside(numbers))
    for name, one in chosen.items():
        np.testing.assert_array_equal(one, whole[name][numbers], err_msg=name)


MANY: dict[str, object] = {}
"""The forecasters of the law above, each fitted once."""


@pytest.mark.parametrize("use", USES, ids="-".join)
@pytest.mark.parametrize("scaling", ["last", "series"])
def test_frames_in_any_order_of_rows_and_series(use, scaling):
    strategy, memory = use
    if memory == "all" and scaling == "last":
        scaling = "none"
    data = frame(40, 50, 60)
    loss = "gaussian"
    forecaster = small(
        HORIZON,
        window=8,
        strategy=strategy,
        memory=memory,
        scaling=scaling,
        loss=loss,
        calibration=9,
        **COLUMNS,
    ).fit(data)
    after = days_after(data)
    whole = forecaster.predict(data, future=after, levels=(50,))
    mixed = data.sample(fraction=1.0, shuffle=True, seed=3).sort("ds")  # the series row by row in turns
    others = forecaster.predict(mixed, future=after.sample(fraction=1.0, shuffle=True, seed=4), levels=(50,))
    assert others.sort("unique_id", "ds").equals(whole)
    for name in "abc":
        own = pl.col("unique_id") == name
        alone = forecaster.predict(data.filter(own), future=after.filter(own), levels=(50,))
        assert alone.equals(whole.filter(own))
    if strategy == "recursive":
        paths = forecaster.sample(7, data, future=after)
        backwards = pl.concat([data.filter(pl.col("unique_id") == name) for name in "cba"])
        order = ["abc".index(name) for name in backwards["unique_id"].unique(maintain_order=True)]
        np.testing.assert_array_equal(forecaster.sample(7, backwards, future=after), paths[order])


@pytest.mark.parametrize("covariates", [False, True])
@pytest.mark.parametrize("use", USES, ids="-".join)
def test_what_comes_after_the_end_changes_no_forecast_that_was_made(use, covariates):
    """The forecast of a part is one of the part alone: nothing that the caller has of the future gets in."""
    panel = told(60, 72, ahead=20)
    forecaster = fitted(panel, "gaussian", use, covariates)
    beside = panel.beside() if covariates else {}
    before = answers(forecaster, panel.series, **beside)
    grown = told(60, 72, ahead=20)
    grown.series = [np.concatenate([one, wave(20, seed=9)]) for one in panel.series]
    grown.past = [np.concatenate([one, columns(20, 1, 9)]) for one in panel.past]
    cut = [one[: len(old)] for one, old in zip(grown.series, panel.series, strict=True)]
    beside = grown.beside() if covariates else {}
    if covariates:
        beside["past"] = [one[: len(old)] for one, old in zip(grown.past, panel.series, strict=True)]
        beside["known"] = [np.concatenate([one, columns(5, 2, 3)]) for one in panel.known]
    for name, one in answers(forecaster, cut, **beside).items():
        np.testing.assert_array_equal(one, before[name], err_msg=name)


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("use", USES, ids="-".join)
def test_a_forecast_from_an_origin_is_one_from_the_series_that_ends_there(use, known):
    """Windows inside a series (as in calibration) see what they would see if it ended there."""
    panel = told(60, 72)
    if not known:
        panel.known = [None, None]
    beside = {name: one for name, one in panel.beside().items() if known or name != "known"}
    strategy, memory = use
    forecaster = small(
        HORIZON, window=12, strategy=strategy, memory=memory, scaling="none", dtype="float64"
    ).fit(panel.series, **beside)
    model = forecaster._model
    whole = read_series(panel.series, forecaster.get_params(), **beside)
    table = table_of(whole, None, model.encoder)
    for back in (3, 7):
        starts = whole.lengths - 12 - back
        inside = model.after(Cut(table, np.arange(2), starts), threads=1).point()
        ends = [one[: len(one) - back] for one in panel.series]
        part = {"past": [p[:n] for p, n in zip(panel.past, map(len, ends), strict=True)]}
        part["static"] = beside["static"]
        if known:
            part["known"] = [p[: n + HORIZON] for p, n in zip(panel.known, map(len, ends), strict=True)]
        np.testing.assert_array_equal(inside, np.asarray(forecaster.predict(ends, **part))[..., None])


@pytest.mark.parametrize("loss", LOSSES)
def test_channels_are_forecast_together_and_series_of_them_apart(loss):
    y = fit_for(loss, np.stack([np.stack([wave(60, seed=s + c) for c in (0, 5)], axis=1) for s in range(3)]))
    forecaster = small(HORIZON, window=12, calibration=9, **needs(loss)).fit(y)
    whole = answers(forecaster, y)
    for numbers in ([1], [2, 0]):
        for name, one in answers(forecaster, y[numbers]).items():
            np.testing.assert_array_equal(one, whole[name][numbers], err_msg=name)
