"""Tables, windowings and losses that do not fit: a ValueError or a TypeError that says what."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.engine.border import (
    WRONG_KIND,
    indices,
    one_step,
    panel,
    raw_forecast,
    raw_table,
    raw_trainer,
    raw_windowing,
)
from unrolled.engine import Engine, Table, Windowing

FEATURES = np.zeros((106, 3), np.float32)
ROWS = np.array([0, 42, 106])
STATIC = np.zeros((2, 2), np.float32)


@pytest.mark.parametrize(
    ("features", "rows", "known", "static", "error", "match"),
    [
        (FEATURES, None, 0, None, ValueError, "feature_offsets does not fit"),
        (None, ROWS, 0, None, ValueError, "feature_offsets does not fit"),
        (FEATURES[:, 0].copy(), ROWS, 0, None, ValueError, "features does not fit"),
        (FEATURES.astype(np.float64), ROWS, 0, None, TypeError, WRONG_KIND),
        (FEATURES[:, ::2], ROWS, 0, None, TypeError, WRONG_KIND),
        (FEATURES, ROWS.astype(np.int32), 0, None, TypeError, WRONG_KIND),
        (FEATURES, ROWS[:2], 0, None, ValueError, "feature_offsets does not fit"),
        (FEATURES, np.array([0, 106]), 0, None, ValueError, "3 numbers"),
        (FEATURES, np.array([0, 110, 106]), 0, None, ValueError, "ascending"),
        (FEATURES, np.array([0, 42, 107]), 0, None, ValueError, "from 0 to"),
        (FEATURES, ROWS, -1, None, ValueError, "known does not fit"),
        (FEATURES, ROWS, 4, None, ValueError, "known does not fit"),
        (None, None, 1, None, ValueError, "known does not fit"),
        (None, None, 0, STATIC[:1], ValueError, "static does not fit"),
        (None, None, 0, STATIC[0], ValueError, "static does not fit"),
        (None, None, 0, STATIC.astype(np.float64), TypeError, WRONG_KIND),
        (None, None, 0, "text", TypeError, WRONG_KIND),
    ],
)
def test_tables_that_do_not_fit(
    features: Any, rows: Any, known: int, static: Any, error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        raw_table(one_step(), *panel(), features, rows, known, static)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"mask": True, "ahead": 1, "horizon": 2}, "ahead does not fit"),
        ({"mask": True, "ahead": -1}, "ahead does not fit"),
        ({"mask": True, "ahead": 2}, "ahead does not fit"),
        ({"ahead": 1}, "mask does not fit"),
        ({"mask": True}, r"patch \* \(channels \+ mask"),
        ({"scaling": "cubic"}, "scaling does not fit"),
        ({"horizon": 0}, "horizon does not fit"),
        ({"patch": 3}, "a multiple of patch"),
    ],
)
def test_windowings_that_do_not_fit(change: dict[str, Any], match: str) -> None:
    engine = one_step()
    with pytest.raises(ValueError, match=match):
        raw_trainer(engine, *panel(), **change)
    out = np.empty((1, 1, 1, 1), np.float32)
    with pytest.raises(ValueError, match=match):
        raw_forecast(engine, raw_table(engine, *panel()), indices(0), indices(0), out, **change)


def test_steps_ahead_need_a_head_on_the_last() -> None:
    engine = Engine("gru", input_size=2, hidden_size=4, output_size=1, head="every")
    with pytest.raises(ValueError, match="0 where the head reads every step"):
        raw_trainer(engine, *panel(), mask=True, ahead=1)


@pytest.mark.parametrize("scaling", ["standard", "last", "log", "asinh", "adaptive"])
def test_counts_are_not_moved(scaling: str) -> None:
    with pytest.raises(ValueError, match="none or mean_abs for negative_binomial"):
        raw_trainer(one_step(output_size=2), *panel(), loss="negative_binomial", scaling=scaling)


@pytest.mark.parametrize("quantiles", [[0.5, 0.1], [0.5, 0.5], [0.1, 0.9, 0.5]])
def test_quantiles_rise(quantiles: list[float]) -> None:
    with pytest.raises(ValueError, match="rising numbers"):
        raw_trainer(one_step(output_size=len(quantiles)), *panel(), loss="quantile", quantiles=quantiles)


@pytest.mark.parametrize(
    ("mask", "series", "start", "match"),
    [
        (False, 0, -1, "start of window 0"),
        (True, 0, -8, "start of window 0"),
        (True, 0, -(1 << 63), "start of window 0"),
        (True, 0, 33, "start of window 0"),
        (True, 2, 0, "series does not fit"),
    ],
)
def test_windows_before_their_series(mask: bool, series: int, start: int, match: str) -> None:
    engine = one_step() if not mask else Engine("gru", input_size=2, hidden_size=4, output_size=1)
    table, which = raw_table(engine, *panel()), (indices(series), indices(start))
    out, scaling = np.empty((8, 1, engine.input_size), np.float32), np.empty((1, 3, 1), np.float32)
    with pytest.raises(ValueError, match=match):
        table.gather(raw_windowing(mask=mask), *which, out, scaling)
    with pytest.raises(ValueError, match=match):
        raw_forecast(engine, table, *which, np.empty((1, 1, 1, 1), np.float32), mask=mask)


def test_covariates_that_end_too_early() -> None:
    values, offsets = panel()
    rows = np.array([0, 40, 100])
    table = Table(values, offsets, FEATURES[:100], rows, 3)
    engine = Engine("gru", input_size=5, hidden_size=4, output_size=2)
    last = indices(0), indices(32)
    read = Windowing(8, 2, mask=True)
    ahead = Windowing(8, 2, mask=True, ahead=2)
    assert engine.forecast(table, *last, windowing=read).outputs.shape == (1, 2, 1, 1)
    with pytest.raises(ValueError, match=r"features of window 0(.|\n)*at least 42 rows(.|\n)*got: 40"):
        engine.forecast(table, *last, windowing=ahead)
    with pytest.raises(ValueError, match="features of window 0"):
        engine.gather(table, *last, windowing=ahead)
    long_enough = Table(values, offsets, FEATURES, ROWS, 3)
    assert engine.forecast(long_enough, *last, windowing=ahead).outputs.shape == (1, 2, 1, 1)
    short = Table(values, offsets, FEATURES[:39], np.array([0, 39, 39]), 3)
    with pytest.raises(ValueError, match="features of window 0"):
        engine.forecast(short, *last, windowing=read)
    with pytest.raises(ValueError, match="features of window 0"):
        engine.forecast(short, indices(1), indices(-3), windowing=read)


def test_gathered_windows_of_other_sizes() -> None:
    engine = one_step()
    table, one = raw_table(engine, *panel()), indices(0)
    out, scaling = np.empty((8, 1, 1), np.float32), np.empty((1, 3, 1), np.float32)
    table.gather(raw_windowing(), one, one, out, scaling)
    for wrong in (out[1:], out[:, :, 0].copy(), np.empty((8, 2, 1), np.float32)):
        with pytest.raises(ValueError, match="out does not fit"):
            table.gather(raw_windowing(), one, one, wrong, scaling)
    with pytest.raises(ValueError, match="scaling does not fit"):
        table.gather(raw_windowing(), one, one, out, scaling[:, :2].copy())
    with pytest.raises(TypeError, match=WRONG_KIND):
        table.gather(raw_windowing(), one, one, out.astype(np.float64), scaling)


def test_forecasts_of_distributions_stay_scaled_in_the_core_too() -> None:
    engine = one_step(output_size=2)
    out, scaling = np.empty((1, 1, 1, 2), np.float32), np.empty((1, 3, 1), np.float32)
    one, table = indices(0), raw_table(engine, *panel())
    with pytest.raises(ValueError, match="unscale does not fit"):
        engine.core.forecast(table, raw_windowing(), "gaussian", [], True, one, one, out, scaling, 1)
    engine.core.forecast(table, raw_windowing(), "gaussian", [], False, one, one, out, scaling, 1)
    with pytest.raises(ValueError, match="scaling does not fit"):
        engine.core.forecast(table, raw_windowing(), "gaussian", [], False, one, one, out, scaling[:0], 1)
    with pytest.raises(ValueError, match="out does not fit"):
        engine.core.forecast(table, raw_windowing(), "gaussian", [], False, one, one, out[:0], scaling, 1)
