"""How good a forecast is: metrics, the baselines beside every network, and the comparison of both."""

from unrolled.evaluation.baselines import BASELINES, Baseline, autoregression, drift, naive, seasonal_naive
from unrolled.evaluation.comparison import Comparison, compare
from unrolled.evaluation.metrics import METRICS, Metric, mae, mse, rmse, smape
from unrolled.evaluation.naive2 import naive2
from unrolled.evaluation.named import ALL_BASELINES, named_baselines
from unrolled.evaluation.probabilistic import coverage, crps, interval_width, msis, pinball, wql
from unrolled.evaluation.scaled import mase, mase_scale, owa, rmsse, rmsse_scale
from unrolled.evaluation.statistical import auto_arima, auto_ets, auto_theta

__all__ = [
    "ALL_BASELINES",
    "BASELINES",
    "METRICS",
    "Baseline",
    "Comparison",
    "Metric",
    "auto_arima",
    "auto_ets",
    "auto_theta",
    "autoregression",
    "compare",
    "coverage",
    "crps",
    "drift",
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
    "rmse",
    "rmsse",
    "rmsse_scale",
    "seasonal_naive",
    "smape",
    "wql",
]
