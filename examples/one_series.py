"""One series: docs/examples/one_series.md tells what happens here, and what it prints."""

import tempfile
from pathlib import Path

import numpy as np

from unrolled import Forecaster, datasets

air = datasets.load("airline_passengers")
print(f"{air.title}, {air.unit}: {len(air.values)} months, the first {air.times[0]}")

forecaster = Forecaster(12, dtype="float64", season=12).fit(air.values)
print(forecaster.describe())

print(np.round(forecaster.predict()).astype(int))

print(forecaster.report_)

backtest = forecaster.backtest(air.values, folds=5)
print(backtest)

variants = {"as it is": {}, "one network": {"members": 1}, "logarithms": {"scaling": "log"}}
for name, arguments in variants.items():
    found = Forecaster(12, dtype="float64", season=12, **arguments).backtest(air.values, folds=5)
    print(f"{name:22}MASE {found.rows['network']['mase']:.2f}")

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "air.safetensors"
    forecaster.save(path)
    again = Forecaster.load(path)
    print(f"{path.name}: {path.stat().st_size // 1024} kB")

print("the same forecast:", np.array_equal(again.predict(), forecaster.predict()))
