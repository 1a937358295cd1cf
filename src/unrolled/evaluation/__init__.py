"""How good a forecast is: metrics, baselines, the comparison of both, backtests, and evidence."""

from unrolled.evaluation.backtest import backtest
from unrolled.evaluation.baselines import BASELINES, Baseline, autoregression, drift, naive, seasonal_naive
from unrolled.evaluation.comparison import Comparison, compare
from unrolled.evaluation.evidence import (
    Evidence,
    closed_loop_drift,
    collapse,
    copy_meter,
    gather,
    range_shift,
)
from unrolled.evaluation.folds import Fold
from unrolled.evaluation.metrics import METRICS, Metric, mae, mse, rmse, smape
from unrolled.evaluation.naive2 import naive2
from unrolled.evaluation.named import ALL_BASELINES, named_baselines
from unrolled.evaluation.probabilistic import coverage, crps, interval_width, msis, pinball, wql
from unrolled.evaluation.rolling import Backtest, LevelCoverage
from unrolled.evaluation.scaled import mase, mase_scale, owa, rmsse, rmsse_scale
from unrolled.evaluation.statistical import auto_arima, auto_ets, auto_theta

__all__ = [
    "ALL_BASELINES",
    "BASELINES",
    "METRICS",
    "Backtest",
    "Baseline",
    "Comparison",
    "Evidence",
    "Fold",
    "LevelCoverage",
    "Metric",
    "auto_arima",
    "auto_ets",
    "auto_theta",
    "autoregression",
    "backtest",
    "closed_loop_drift",
    "collapse",
    "compare",
    "copy_meter",
    "coverage",
    "crps",
    "drift",
    "gather",
    "interval_width",
    "mae",
    "mase",
    "mase_scale",
    "mse",
    "msis",
    "naive",
    "naive2",
    "named_baselines",
    "owa",
    "pinball",
    "range_shift",
    "rmse",
    "rmsse",
    "rmsse_scale",
    "seasonal_naive",
    "smape",
    "wql",
]
