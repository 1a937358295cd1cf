"""Every metric against the independent library utilsforecast, series of their own lengths, gaps included."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from utilsforecast import losses

from unrolled import evaluation
from unrolled.evaluation import METRICS

K, SEASON, LEVELS = 7, 4, [0.1, 0.5, 0.9]
LENGTHS = [12, 30, 57]


def frame(rows, **columns):
    """Long rows: a number of the series, a time, `y` and further columns."""
    lengths = [len(one) for one in rows]
    flat = {name: np.concatenate(list(values)) for name, values in {"y": rows, **columns}.items()}
    return pd.DataFrame(
        {
            "unique_id": np.repeat(np.arange(len(rows)), lengths),
            "ds": np.concatenate([np.arange(n) for n in lengths]),
            **flat,
        }
    )


@pytest.fixture(scope="module")
def case():
    rng = np.random.default_rng(8)
    train = [rng.normal(20, 5, size=n) for n in LENGTHS]
    true = rng.normal(20, 5, size=(3, K))
    spread = np.sort(rng.normal(20, 5, size=(3, K, 3)), axis=-1)
    return train, true, spread


@pytest.fixture(scope="module")
def gaps(case):
    train, true, spread = case
    train, true = [one.copy() for one in train], true.copy()
    train[1][[3, 11, 29]] = np.nan
    true[0, 2] = true[2, 6] = np.nan
    return train, true, spread


def test_point_metrics(case):
    _, true, spread = case
    table = frame(true, m=spread[..., 1])
    for name in ("mae", "mse", "rmse"):
        theirs = getattr(losses, name)(table, models=["m"])["m"]
        np.testing.assert_allclose(METRICS[name](true, spread[..., 1], axis=-1), theirs, rtol=1e-12)
    # Theirs is a share, |e| / (|y| + |y_hat|), from 0 to 1; M4's is 200 times that, from 0 to 200 percent.
    theirs = 200 * losses.smape(table, models=["m"])["m"]
    np.testing.assert_allclose(METRICS["smape"](true, spread[..., 1], axis=-1), theirs, rtol=1e-12)


@pytest.mark.parametrize("name", ["mase", "rmsse"])
@pytest.mark.parametrize("season", [1, SEASON])
def test_scaled_metrics(case, name, season):
    train, true, spread = case
    theirs = getattr(losses, name)(
        frame(true, m=spread[..., 1]), models=["m"], seasonality=season, train_df=frame(train)
    )["m"]
    ours = METRICS[name](true, spread[..., 1], y_train=train, season=season, axis=-1)
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_gaps_are_left_out_as_there(gaps):
    train, true, spread = gaps
    table, past = frame(true, m=spread[..., 1]).dropna(), frame(train)
    for name in ("mae", "rmse"):
        theirs = getattr(losses, name)(table, models=["m"])["m"]
        np.testing.assert_allclose(METRICS[name](true, spread[..., 1], axis=-1), theirs, rtol=1e-12)
    theirs = losses.mase(table, models=["m"], seasonality=SEASON, train_df=past)["m"]
    ours = evaluation.mase(true, spread[..., 1], y_train=train, season=SEASON, axis=-1)
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_quantile_metrics(case):
    _, true, spread = case
    columns = {f"q{i}": spread[..., i] for i in range(3)}
    table = frame(true, **columns)
    for i, level in enumerate(LEVELS):
        theirs = losses.quantile_loss(table, models={"m": f"q{i}"}, q=level)["m"]
        ours = evaluation.pinball(true, spread[..., [i]], quantiles=[level], axis=-1)
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    many = losses.mqloss(table, models={"m": list(columns)}, quantiles=np.array(LEVELS))
    ours = evaluation.pinball(true, spread, quantiles=LEVELS, axis=-1)
    np.testing.assert_allclose(ours, many.sort_values("unique_id")["m"], rtol=1e-12)
    scaled = losses.scaled_crps(table, models={"m": list(columns)}, quantiles=np.array(LEVELS))
    ours = evaluation.wql(true, spread, quantiles=LEVELS, axis=-1)
    np.testing.assert_allclose(ours, scaled.sort_values("unique_id")["m"], rtol=1e-12)


def test_intervals(case):
    train, true, spread = case
    low, high = spread[..., 0], spread[..., 2]
    table = frame(true, **{"m-lo-80": low, "m-hi-80": high})
    theirs = losses.coverage(table, models=["m"], level=80)["m"]
    np.testing.assert_allclose(evaluation.coverage(true, low, high, axis=-1), theirs, rtol=1e-12)
    score = losses.winkler_score(table, models=["m"], level=80)["m"].to_numpy()
    ours = evaluation.msis(true, low, high, level=80, y_train=train, season=SEASON, axis=-1)
    scale = evaluation.mase_scale(train, season=SEASON)
    np.testing.assert_allclose(ours * scale, score, rtol=1e-12)
