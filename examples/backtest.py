"""Backtest: docs/examples/backtest.md tells what happens here, and what it prints."""

import numpy as np

from unrolled import Forecaster, datasets

air = datasets.load("airline_passengers")
forecaster = Forecaster(12, season=12, calibration=36, members=2, dtype="float64")
judged = forecaster.backtest(air.values, folds=3, levels=(80,))
print(judged)

print("MASE of each fold:", np.round(judged.per_fold("mase")["network"], 2))
print("MASE of each month ahead:", np.round(judged.per_horizon("mase")["network"], 2))

print(judged.evidence())

beside = ("seasonal_naive", "auto_ets")
print(forecaster.backtest(air.values, folds=2, baselines=beside))
