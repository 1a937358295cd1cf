"""In parallel: docs/examples/parallel.md tells what happens here, and what it prints."""

import numpy as np

from unrolled import Forecaster, datasets

air = datasets.load("airline_passengers").values
one = Forecaster(12, season=12, steps=50, threads=1).fit(air).predict()
two = Forecaster(12, season=12, steps=50, threads=2).fit(air).predict()
print(f"the same on one thread and on two: {np.array_equal(one, two)}")

judged = Forecaster(12, season=12, steps=50).backtest(air, folds=4, jobs=2)
alone = Forecaster(12, season=12, steps=50).backtest(air, folds=4)
print(f"the same in two processes: {judged.rows == alone.rows}")
