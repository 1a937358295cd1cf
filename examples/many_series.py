"""Many series: docs/examples/many_series.md tells what happens here, and what it prints."""

import numpy as np
import pandas as pd
import polars as pl

from unrolled import Forecaster, UnrolledError, datasets


def yearly(name: str, kind: str) -> list[pd.DataFrame]:
    """Cut a monthly series into twelve yearly ones: all Januaries, all Februaries, ..."""
    series = datasets.load(name)
    frame = pd.DataFrame({"ds": pd.DatetimeIndex(series.times), "y": series.values})
    by_month = frame.groupby(frame["ds"].dt.month_name().str[:3], sort=False)
    return [part.assign(unique_id=f"{kind} {month}") for month, part in by_month]


nile = datasets.load("nile")
frame = pd.concat(
    [
        *yearly("airline_passengers", "air"),
        *yearly("co2_monthly", "co2"),
        pd.DataFrame({"unique_id": "nile", "ds": pd.DatetimeIndex(nile.times), "y": nile.values}),
    ],
    ignore_index=True,
)[["unique_id", "ds", "y"]]
frame["ds"] = frame["ds"].dt.to_period("Y").dt.to_timestamp()
lengths = frame.groupby("unique_id").size()
print(f"{len(lengths)} series of {lengths.min()} to {lengths.max()} points, {len(frame)} rows")

hidden = np.random.default_rng(0).permutation(len(frame))[:40]
frame.loc[hidden[:20], "y"] = np.nan
frame = frame.drop(index=hidden[20:])
print(f"{len(frame)} rows, {frame['y'].isna().sum()} of them without a value")

forecaster = Forecaster(3, dtype="float64", window=6).fit(frame)
print("\n".join(line for line in forecaster.describe().splitlines() if line.startswith(("scaling", "mask"))))
answer = forecaster.predict()
shown = answer[answer["unique_id"].isin(["air Jul", "co2 Jul", "nile"])]
print(shown.to_string(index=False, float_format="%.1f"))

print(forecaster.report_)

print(forecaster.backtest(frame, folds=3))

column = np.asarray(frame["unique_id"] == "nile")
river = pl.from_pandas(frame[column])
print(type(forecaster.predict(river)).__module__, forecaster.predict(river).columns)

young = frame[frame["unique_id"] == "air Jul"].head(4).assign(unique_id="a young series")
print(forecaster.predict(young).to_string(index=False, float_format="%.1f"))

try:
    forecaster.predict(young.drop(columns="y"))
except UnrolledError as error:
    print(error)
