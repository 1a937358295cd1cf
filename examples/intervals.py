"""Intervals, quantiles and paths: docs/examples/intervals.md tells what happens here, and what it prints."""

import numpy as np

from unrolled import Forecaster, datasets

co2 = datasets.load("co2_monthly").values
quantiles = Forecaster(12, dtype="float64", season=12, loss="quantile", quantiles=(0.1, 0.5, 0.9)).fit(co2)
told = quantiles.predict_quantiles()
print("quantiles of series, step, channel:", told.shape)
for step in (0, 5, 11):
    print(f"month {step + 1:2}:", np.array2string(told[0, step, 0], precision=1))

gaussian = Forecaster(12, dtype="float64", season=12, loss="gaussian", calibration=60).fit(co2)
low, high = gaussian.predict_quantiles(quantiles=(0.1, 0.9))[0, :, 0].T
answer = gaussian.predict(levels=(80, 95))
print(f"head alone, 80 %:   {low[0]:.1f} to {high[0]:.1f}")
for level in (80, 95):
    print(f"calibrated, {level} %:   {answer.lower[level][0]:.1f} to {answer.upper[level][0]:.1f}")

past = co2[:-144]
alone = Forecaster(12, dtype="float64", season=12, loss="gaussian").fit(past)
inside = []
for end in range(len(past), len(co2), 12):
    low, high = alone.predict_quantiles(co2[:end], quantiles=(0.1, 0.9))[0, :, 0].T
    came = co2[end : end + 12]
    inside.append((low <= came) & (came <= high))
print(f"head alone: promised 80 %, reached {np.mean(inside):.0%}")

heads = {
    "mae": {},
    "quantile": {"loss": "quantile", "quantiles": (0.1, 0.5, 0.9)},
    "gaussian": {"loss": "gaussian"},
}
print("head      promised  reached  width in ppm")
for name, arguments in heads.items():
    forecaster = Forecaster(12, dtype="float64", season=12, calibration=24, **arguments)
    found = forecaster.backtest(co2, folds=12, refit=4, levels=(80, 95))
    for level, reached in found.coverage.items():
        print(f"{name:10}{level:6.0f} %{reached.reached:9.0%}{reached.width:9.1f}")

air = datasets.load("airline_passengers").values
for arguments in ({}, {"scaling": "log"}):
    forecaster = Forecaster(12, dtype="float64", season=12, calibration=24, **arguments)
    found = forecaster.backtest(air, folds=5, levels=(80, 95))
    for level, reached in found.coverage.items():
        scaling = arguments.get("scaling", "as it is")
        print(f"{scaling:10}{level:4.0f} %{reached.reached:7.0%}{reached.width:7.0f} thousand")

nile = datasets.load("nile").values
river = Forecaster(5, dtype="float64", loss="gaussian", strategy="recursive", scaling="series").fit(nile)
paths = river.sample(1000, seed=1)[0, :, :, 0]
print("paths of steps:", paths.shape)
print("quantiles 10 %, 50 %, 90 % of year 5:", np.quantile(paths[:, -1], (0.1, 0.5, 0.9)).round(-1))
print(f"five years with a mean below 800: {(paths.mean(axis=1) < 800).mean():.0%}")
print(f"at least one year below 700: {(paths.min(axis=1) < 700).mean():.0%}")

stretches = np.lib.stride_tricks.sliding_window_view(nile[28:], 5)
print(f"since 1899: {(stretches.mean(axis=1) < 800).mean():.0%}, {(stretches.min(axis=1) < 700).mean():.0%}")
