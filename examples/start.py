"""Start here: docs/examples/start.md tells what happens here, and what it prints."""

import numpy as np

from unrolled import Forecaster, datasets

co2 = datasets.load("co2_monthly")
print(f"{len(co2.values)} months, {np.isnan(co2.values).sum()} missing")
forecaster = Forecaster(12, season=12, dtype="float64").fit(co2.values)
print(np.round(forecaster.predict(), 1))

print(forecaster.report_)

judged = Forecaster(12, season=12, dtype="float64").backtest(co2.values, folds=3)
print(judged)

nile = datasets.load("nile")
print(Forecaster(5, dtype="float64").fit(nile.values).report_)

sure = Forecaster(12, season=12, calibration=36, dtype="float64").fit(co2.values)
answer = sure.predict(levels=(80,))
for month in (0, 11):
    low, high = answer.lower[80][month], answer.upper[80][month]
    print(f"month {month + 1:2}: {low:.1f} to {high:.1f} in 80 of 100 cases")
