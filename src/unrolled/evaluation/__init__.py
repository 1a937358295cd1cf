"""How good a forecast is: metrics, the baselines beside every network, and the comparison of both."""

from unrolled.evaluation.baselines import BASELINES, Baseline, autoregression, drift, naive, seasonal_naive
from unrolled.evaluation.comparison import Comparison, compare
from unrolled.evaluation.metrics import METRICS, Metric, mae, mase, mase_scale, mse, pinball, rmse, smape

__all__ = [
    "BASELINES",
    "METRICS",
    "Baseline",
    "Comparison",
    "Metric",
    "autoregression",
    "compare",
    "drift",
    "mae",
    "mase",
    "mase_scale",
    "mse",
    "naive",
    "pinball",
    "rmse",
    "seasonal_naive",
    "smape",
]
