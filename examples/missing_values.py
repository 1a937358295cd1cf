"""Missing values: docs/examples/missing_values.md tells what happens here, and what it prints."""

import numpy as np
import polars as pl

from unrolled import Forecaster, UnrolledError

day = np.arange(120)
sales = 100 + 20 * np.sin(day * 2 * np.pi / 7) + 0.2 * day
frame = pl.DataFrame(
    {
        "date": pl.date_range(pl.date(2024, 1, 1), pl.date(2024, 4, 29), eager=True),
        "sales": sales,
    }
)
gaps = frame.with_columns(
    pl.when(pl.int_range(pl.len()).is_in([30, 31, 32, 70])).then(None).otherwise("sales").alias("sales")
).filter(~pl.int_range(pl.len()).is_in([50, 51]))
print(f"{len(frame)} days, {len(gaps)} rows, {gaps['sales'].null_count()} of them empty")

columns = {"time_col": "date", "target_col": "sales", "season": 7, "dtype": "float64"}
forecaster = Forecaster(7, progress=False, **columns).fit(gaps)
print(next(line for line in forecaster.describe().splitlines() if "mask" in line))
print(forecaster.predict()["y_hat"].round(1).to_list())

whole = Forecaster(7, progress=False, **columns).fit(frame)
truth = 100 + 20 * np.sin(np.arange(120, 127) * 2 * np.pi / 7) + 0.2 * np.arange(120, 127)
for name, model in (("whole", whole), ("with gaps", forecaster)):
    error = np.abs(model.predict()["y_hat"].to_numpy() - truth).mean()
    print(f"{name:10} mean absolute error {error:.2f}")

doubled = pl.concat([frame, frame[10:12]])
try:
    Forecaster(7, progress=False, **columns).fit(doubled)
except UnrolledError as error:
    print(error)

summed = doubled.group_by("date", maintain_order=True).agg(pl.col("sales").mean())
again = Forecaster(7, progress=False, **columns).fit(summed)
print(again.predict().equals(whole.predict()))
