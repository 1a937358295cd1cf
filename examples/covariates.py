"""Covariates: docs/examples/covariates.md tells what happens here, and what it prints."""

from datetime import date, timedelta

import polars as pl

from unrolled import Forecaster, UnrolledError, datasets


def easter(year: int) -> date:
    """Return Easter Sunday, by the rule of 1876 that holds for every year of the Gregorian calendar."""
    century, of_century = divmod(year, 100)
    leaps, rest = divmod(century, 4)
    moon = (19 * (year % 19) + century - leaps - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * rest + 2 * (of_century // 4) - moon - of_century % 4) % 7
    month, day = divmod(moon + weekday - 7 * ((year % 19 + 11 * moon + 22 * weekday) // 451) + 114, 31)
    return date(year, month, day + 1)


def facts(first: date) -> dict[str, float]:
    """Return what is known of a month before it comes."""
    after = (first + timedelta(days=31)).replace(day=1)
    days = [first + timedelta(days=one) for one in range((after - first).days)]
    holidays = [easter(first.year) + timedelta(days=one) for one in range(-3, 2)]
    return {
        "days": len(days),
        "weekends": sum(one.weekday() >= 5 for one in days),
        "easter": sum(one in days for one in holidays) / len(holidays),
    }


def months(name: str, kind: str) -> pl.DataFrame:
    """Return one of the series with its covariates."""
    series = datasets.load(name)
    times = series.times.tolist()
    return pl.DataFrame(
        {
            "unique_id": name,
            "ds": times,
            "y": series.values,
            "growth": pl.Series(series.values).pct_change(12),
            "kind": kind,
            **pl.DataFrame([facts(one) for one in times]).to_dict(),
        }
    )


frame = pl.concat([months("airline_passengers", "people"), months("co2_monthly", "air")])
for row in frame.tail(2).iter_rows():
    print(*row)

forecaster = Forecaster(
    12,
    dtype="float64",
    season=12,
    known_cols=["days", "weekends", "easter"],
    past_cols=["growth"],
    static_cols=["kind"],
    calendar=["month"],
)
forecaster.fit(frame)
for span in forecaster.spans():
    if span.series == "co2_monthly":
        needed = f"{span.first!s:.10} to {span.last!s:.10}" if span.first else "once"
        print(f"{span.column:9}{span.kind:10}{needed:26}{'there' if span.enough else 'not yet'}")

try:
    forecaster.predict()
except UnrolledError as error:
    print(error)

ends = {"airline_passengers": 1961, "co2_monthly": 2002}
future = pl.DataFrame(
    [
        {"unique_id": name, "ds": date(year, month, 1), **facts(date(year, month, 1))}
        for name, year in ends.items()
        for month in range(1, 13)
    ]
)
for name, month, expected in forecaster.predict(future=future).iter_rows():
    if month.month <= 2:
        print(f"{name:20}{month}{expected:7.1f}")

variants = {
    "nothing": {},
    "days": {"known_cols": ["days"]},
    "known": {"known_cols": ["days", "weekends", "easter"]},
    "past": {"past_cols": ["growth"]},
    "all": {
        "known_cols": ["days", "weekends", "easter"],
        "past_cols": ["growth"],
        "static_cols": ["kind"],
        "calendar": ["month"],
    },
}
print("read      airline   co2")
for name, covariates in variants.items():
    found = Forecaster(12, dtype="float64", season=12, members=3, **covariates).backtest(frame, folds=5)
    airline, co2 = found.per_series("mase")["network"]
    print(f"{name:10}{airline:7.2f}{co2:6.2f}")
airline, co2 = found.per_series("mase")["autoregression"]
print(f"{'baseline':10}{airline:7.2f}{co2:6.2f}  (autoregression)")
