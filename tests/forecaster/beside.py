"""Series with covariates of every part beside them, as arrays and as a frame; what each loss needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from tests.forecaster.helpers import wave

HORIZON = 3
LOSSES = ("mae", "quantile", "gaussian", "student_t", "negative_binomial")
"""One loss of points, and all that tell how the points spread."""

USES = [("direct", "window"), ("recursive", "window"), ("direct", "all")]
"""Every strategy with every memory that it can have."""


def needs(loss: str) -> dict[str, Any]:
    """Return the arguments that a loss cannot do without."""
    return {"loss": loss, "quantiles": (0.1, 0.5, 0.9)} if loss == "quantile" else {"loss": loss}


def fit_for(loss: str, y: Any) -> Any:
    """Return a series that a loss can learn from: as it is, or rounded to counts."""
    return np.abs(np.round(y)) if loss == "negative_binomial" else y


def columns(points: int, width: int, seed: int = 0) -> Any:
    """Return columns of noise, [points, width]."""
    return np.random.default_rng([7, seed]).standard_normal((points, width))


@dataclass
class Told:
    """Series and all that is told beside them: one past column, two known ahead, a number, a label."""

    series: list[Any]
    past: list[Any]
    known: list[Any]
    static: list[list[Any]]

    def beside(self, numbers: list[int] | None = None) -> dict[str, Any]:
        """Return the covariates of some of the series as `fit` and `predict` take them."""
        chosen = range(len(self.series)) if numbers is None else numbers
        parts = {"past": self.past, "known": self.known, "static": self.static}
        return {name: [part[number] for number in chosen] for name, part in parts.items()}

    def of(self, numbers: list[int]) -> list[Any]:
        """Return some of the series."""
        return [self.series[number] for number in numbers]


def told(*lengths: int, ahead: int = HORIZON, loss: str = "mae") -> Told:
    """Return series of these lengths with covariates of all parts, known so many points beyond the end."""
    series = [
        fit_for(loss, wave(points, seed=number, level=10.0 * (number + 1)))
        for number, points in enumerate(lengths)
    ]
    return Told(
        series,
        past=[columns(points, 1, number) for number, points in enumerate(lengths)],
        known=[columns(points + ahead, 2, 100 + number) for number, points in enumerate(lengths)],
        static=[[float(number), "ab"[number % 2]] for number in range(len(lengths))],
    )


COLUMNS = {"past_cols": ("rain",), "known_cols": ("price", "promo"), "static_cols": ("shop",)}
"""The columns of `frame`, by what is known of them."""


def frame(*lengths: int, first: str = "2024-01-01") -> pl.DataFrame:
    """Return days of series "a", "b", ... with covariates of all parts as columns; `promo` is text."""
    parts = []
    for number, points in enumerate(lengths):
        noise = columns(points, 2, number)
        days = np.datetime64(first) + np.arange(points)
        own = {
            "unique_id": ["abcdefgh"[number]] * points,
            "ds": days,
            "y": wave(points, seed=number, level=10.0 * (number + 1)),
            "rain": noise[:, 0],
            "price": noise[:, 1],
            "promo": np.where(noise[:, 1] > 0, "yes", "no"),
            "shop": ["big" if number % 2 else "small"] * points,
        }
        parts.append(pl.DataFrame(own))
    return pl.concat(parts)


def days_after(data: pl.DataFrame, points: int = HORIZON) -> pl.DataFrame:
    """Return the rows after the end of each series of a frame, with what is known ahead."""
    parts = []
    for number, name in enumerate(data["unique_id"].unique(maintain_order=True)):
        last = data.filter(pl.col("unique_id") == name)["ds"].max()
        noise = columns(points, 1, 50 + number)[:, 0]
        own = {
            "unique_id": [name] * points,
            "ds": np.datetime64(last) + 1 + np.arange(points),
            "price": noise,
            "promo": np.where(noise > 0, "yes", "no"),
        }
        parts.append(pl.DataFrame(own).with_columns(pl.col("ds").cast(data["ds"].dtype)))
    return pl.concat(parts)
