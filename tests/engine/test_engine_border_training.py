"""Panels, windows, trainings and forecasts that do not fit: a ValueError or a TypeError that says what."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from tests.engine.border import WRONG_KIND, indices, one_step, panel, raw_forecast, raw_table, raw_trainer
from tests.engine.helpers import same_bits
from unrolled.engine import Table, Windowing


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"window": 0}, ValueError, "window"),
        ({"window": -8}, ValueError, "window"),
        ({"window": 1 << 40}, ValueError, "window"),
        ({"window": 1 << 70}, TypeError, WRONG_KIND),
        ({"window": 8.0}, TypeError, WRONG_KIND),
        ({"patch": 0}, ValueError, "patch"),
        ({"patch": 9}, ValueError, "patch"),
        ({"patch": 3}, ValueError, "a multiple of patch = 3"),
        ({"patch": 2}, ValueError, r"patch \* \(channels"),
        ({"horizon": 0}, ValueError, "horizon"),
        ({"horizon": 2}, ValueError, r"horizon \* channels \* numbers"),
        ({"horizon": (1 << 40)}, ValueError, "horizon"),
        ({"scaling": "nope"}, ValueError, "scaling"),
        ({"scaling": None}, TypeError, WRONG_KIND),
        ({"loss": "nope"}, ValueError, "loss"),
        ({"loss": "quantile"}, ValueError, "quantiles"),
        ({"loss": "quantile", "quantiles": [0.1, 0.9]}, ValueError, r"horizon \* channels \* numbers"),
        ({"loss": "quantile", "quantiles": [1.5]}, ValueError, "quantile"),
        ({"loss": "quantile", "quantiles": [np.nan]}, ValueError, "quantile"),
        ({"loss": "quantile", "quantiles": ["a"]}, TypeError, WRONG_KIND),
        ({"quantiles": [0.5]}, ValueError, "quantiles"),
        ({"delta": 0.0}, ValueError, "delta"),
        ({"delta": np.nan}, ValueError, "delta"),
        ({"delta": np.inf}, ValueError, "delta"),
        ({"optimizer": "nope"}, ValueError, "optimizer"),
        ({"momentum": -0.1}, ValueError, "momentum"),
        ({"momentum": 1.1}, ValueError, "momentum"),
        ({"beta1": -0.1}, ValueError, "beta1"),
        ({"beta1": 1.0}, ValueError, "beta1"),
        ({"beta2": 1.0}, ValueError, "beta2"),
        ({"beta2": np.nan}, ValueError, "beta2"),
        ({"eps": -1e-8}, ValueError, "eps"),
        ({"weight_decay": -0.1}, ValueError, "weight_decay"),
        ({"weight_decay": np.inf}, ValueError, "weight_decay"),
        ({"clip": -1.0}, ValueError, "clip"),
        ({"clip": np.nan}, ValueError, "clip"),
        ({"threads": 0}, ValueError, "threads"),
        ({"seed": -1}, TypeError, WRONG_KIND),
    ],
    ids=str,
)
def test_trainings_that_cannot_be(change: dict[str, Any], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        raw_trainer(one_step(), *panel(), **change)


VALUES, OFFSETS = panel()


@pytest.mark.parametrize(
    ("values", "offsets", "error", "match"),
    [
        (VALUES[:, 0].copy(), OFFSETS, ValueError, "values does not fit"),
        (VALUES[np.newaxis], OFFSETS, ValueError, "values does not fit"),
        (VALUES.astype(np.float64), OFFSETS, TypeError, WRONG_KIND),
        (VALUES.astype(">f4"), OFFSETS, TypeError, WRONG_KIND),
        (VALUES.astype(np.int32), OFFSETS, TypeError, WRONG_KIND),
        (np.repeat(VALUES, 2, axis=1)[:, ::2], OFFSETS, TypeError, WRONG_KIND),
        (VALUES[::-1], OFFSETS, TypeError, WRONG_KIND),
        (VALUES.tolist(), OFFSETS, TypeError, WRONG_KIND),
        (None, OFFSETS, TypeError, WRONG_KIND),
        (np.zeros((100, 0), np.float32), OFFSETS, ValueError, r"patch \* \(channels"),
        (np.zeros((100, 2), np.float32), OFFSETS, ValueError, r"patch \* \(channels"),
        (VALUES, OFFSETS.astype(np.int32), TypeError, WRONG_KIND),
        (VALUES, OFFSETS.astype(np.uint64), TypeError, WRONG_KIND),
        (VALUES, OFFSETS.astype(np.float64), TypeError, WRONG_KIND),
        (VALUES, OFFSETS.tolist(), TypeError, WRONG_KIND),
        (VALUES, None, TypeError, WRONG_KIND),
        (VALUES, OFFSETS[:, np.newaxis], ValueError, "offsets does not fit"),
        (VALUES, np.array([], np.int64), ValueError, "at least 2"),
        (VALUES, np.array([0]), ValueError, "at least 2"),
        (VALUES, np.array([1, 40, 100]), ValueError, "from 0 to"),
        (VALUES, np.array([0, 40, 99]), ValueError, "from 0 to"),
        (VALUES, np.array([0, 40, 101]), ValueError, "from 0 to"),
        (VALUES, np.array([0, 60, 40, 100]), ValueError, "ascending"),
        (VALUES, np.array([0, -5, 100]), ValueError, "ascending"),
        (VALUES, np.array([0, 1 << 62, 100]), ValueError, "ascending"),
        (VALUES, np.array([-(1 << 62), 1 << 62, 100]), ValueError, "ascending"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else value,
)
def test_panels_that_do_not_fit(values: Any, offsets: Any, error: type[Exception], match: str) -> None:
    engine = one_step()
    with pytest.raises(error, match=match):
        raw_trainer(engine, values, offsets)
    out = np.empty((0, 1, 1, 1), np.float32)
    none = np.empty(0, np.int64)
    with pytest.raises(error, match=match):
        raw_forecast(engine, raw_table(engine, values, offsets), none, none, out)


@pytest.mark.parametrize(
    ("series", "starts", "error", "match"),
    [
        (indices(0), indices(-1), ValueError, "start of window 0 does not fit"),
        (indices(0), indices(33), ValueError, "start of window 0 does not fit"),
        (indices(0, 1), indices(0, 53), ValueError, "start of window 1 does not fit"),
        (indices(0), indices((1 << 63) - 1), ValueError, "start of window 0 does not fit"),
        (indices(0), indices(-(1 << 63)), ValueError, "start of window 0 does not fit"),
        (indices(2), indices(0), ValueError, "series does not fit"),
        (indices(-1), indices(0), ValueError, "series does not fit"),
        (indices((1 << 63) - 1), indices(0), ValueError, "series does not fit"),
        (indices(0, 1), indices(0), ValueError, "starts does not fit"),
        (indices(0, 1)[np.newaxis], indices(0, 0)[np.newaxis], ValueError, "series does not fit"),
        (indices(0).astype(np.int32), indices(0), TypeError, WRONG_KIND),
        (indices(0), indices(0).astype(np.float64), TypeError, WRONG_KIND),
        (indices(0, 9, 0)[::2], indices(0, 0), TypeError, WRONG_KIND),
        ([0], [0], TypeError, WRONG_KIND),
        (None, None, TypeError, WRONG_KIND),
    ],
    ids=str,
)
def test_windows_that_do_not_fit(series: Any, starts: Any, error: type[Exception], match: str) -> None:
    engine = one_step()
    trainer = raw_trainer(engine, *panel())
    size = np.size(series)
    rates, losses, each = np.zeros(1), np.zeros(1), np.zeros(size)
    with pytest.raises(error, match=match):
        trainer.run(series, starts, max(size, 1), rates, losses)
    with pytest.raises(error, match=match):
        trainer.evaluate(series, starts, each)
    # Forecasts need no points behind the window, so their starts go one further.
    ends = starts + 1 if match == "start of window 0 does not fit" and starts == 33 else starts
    ends = indices(0, 54) if match == "start of window 1 does not fit" else ends
    out = np.empty((size, 1, 1, 1), np.float32)
    with pytest.raises(error, match=match):
        raw_forecast(engine, raw_table(engine, *panel()), series, ends, out)


@pytest.mark.parametrize(
    ("batch", "rates", "losses", "error", "match"),
    [
        (0, np.zeros(1), np.zeros(1), ValueError, "batch"),
        (-1, np.zeros(1), np.zeros(1), ValueError, "batch"),
        (1 << 62, np.zeros(1), np.zeros(1), ValueError, "batch"),
        (1 << 70, np.zeros(1), np.zeros(1), TypeError, WRONG_KIND),
        (2, np.zeros(1), np.zeros(2), ValueError, "rates"),
        (2, np.zeros(3), np.zeros(2), ValueError, "rates"),
        (2, np.zeros((2, 1)), np.zeros(2), ValueError, "rates"),
        (2, np.zeros(2), np.zeros(1), ValueError, "losses"),
        (2, np.zeros(2), np.zeros(3), ValueError, "losses"),
        (2, np.zeros(2, np.float32), np.zeros(2), TypeError, WRONG_KIND),
        (2, np.zeros(2), np.zeros(2, np.float32), TypeError, WRONG_KIND),
        (2, [0.0, 0.0], np.zeros(2), TypeError, WRONG_KIND),
        (2, None, np.zeros(2), TypeError, WRONG_KIND),
        (2, np.zeros(2), None, TypeError, WRONG_KIND),
        (2, np.array([0.1, np.nan]), np.zeros(2), ValueError, "rate"),
        (2, np.array([0.1, np.inf]), np.zeros(2), ValueError, "rate"),
        (2, np.array([0.1, -0.1]), np.zeros(2), ValueError, "rate"),
        (2, np.zeros(2), np.zeros(4)[::2], TypeError, WRONG_KIND),
        (2, np.zeros(2), np.broadcast_to(np.zeros(1), 2), TypeError, WRONG_KIND),
    ],
)
def test_steps_that_do_not_fit(
    batch: int, rates: Any, losses: Any, error: type[Exception], match: str
) -> None:
    engine = one_step()
    before = engine.read()
    trainer = raw_trainer(engine, *panel())
    with pytest.raises(error, match=match):
        trainer.run(indices(0, 0, 1), indices(0, 1, 2), batch, rates, losses)
    same_bits(engine.read(), before)


@pytest.mark.parametrize(
    ("windowing", "match"),
    [(Windowing(8, 0), "horizon"), (Windowing(8, -1), "horizon"), (Windowing(8, 2), "horizon"),
     (Windowing(0, 1), "window"), (Windowing(8, 1, patch=0), "patch")],
)  # fmt: skip
def test_forecasts_that_cannot_be(windowing: Windowing, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        one_step().forecast(Table(*panel()), indices(0), indices(0), windowing=windowing)


def test_forecasts_of_what_is_no_panel() -> None:
    values, offsets = panel()
    with pytest.raises(ValueError, match="values"):
        one_step().forecast(Table(values[:, 0].copy(), offsets), *2 * [indices(0)], windowing=Windowing(8, 1))


def test_a_network_without_a_head_cannot_forecast() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        one_step(output_size=0).forecast(Table(*panel()), indices(0), indices(0), windowing=Windowing(8, 1))


def test_offsets_changed_behind_the_back_of_a_trainer() -> None:
    code = """if True:
        import numpy as np
        from unrolled.engine import Engine, Learning, Table, Trainer, Windowing
        engine = Engine("gru", input_size=1, hidden_size=4, output_size=1)
        values, offsets = np.ones((100, 1), np.float32), np.array([0, 100])
        trainer = Trainer(engine, Table(values, offsets), windowing=Windowing(8, 1), learning=Learning())
        offsets[1] = 1 << 40
        try:
            trainer.evaluate(np.array([0]), np.array([1 << 39]))
        except ValueError:
            pass
        print("survived")
    """
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "survived\n", (done.returncode, done.stderr[-2000:])


def test_a_trainer_keeps_what_it_reads_alive() -> None:
    engine = one_step()
    trainer = raw_trainer(engine, *panel())
    del engine
    junk = [np.full((100, 1), np.nan, np.float32) for _ in range(50)]
    losses = np.zeros(1)
    trainer.evaluate(indices(1), indices(3), losses)
    assert np.isfinite(losses).all()
    assert len(junk) == 50
