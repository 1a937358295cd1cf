"""Accuracy on series of public competitions, by their own protocols: `accuracy.py --data FOLDER`.

FOLDER holds one folder a data set, as named in `SETS`; what is absent is said and left out. Nothing is
downloaded, nothing is written. The figures of the baselines are checked against those that the competitions'
archives publish, so that whoever adds a method knows that it is scored the same way.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from unrolled.evaluation import ALL_BASELINES, mase, owa, smape

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray


UNFILLED = "unfilled seasonal naive"
"""The last season as observed, gaps and all, whose missing forecasts are not scored."""


@dataclass(frozen=True)
class DataSet:
    """How a competition is read and judged.

    Attributes:
        train, test: file names; without `test` the last points of `train` are the test part.
        horizon: points to forecast.
        season: points in a season.
        header: whether the files begin with a line of names.
        published: means of published methods, by method and metric; "mase_1" scales with season 1.
    """

    train: str
    test: str | None
    horizon: int
    season: int
    header: bool
    published: Mapping[str, Mapping[str, float]]


SETS = {
    "m4_hourly": DataSet(
        "Hourly-train.csv.gz",
        "Hourly-test.csv",
        48,
        24,
        True,
        {
            "naive2": {"smape": 18.383, "mase": 2.395, "owa": 1.0},
            "seasonal_naive": {"smape": 13.912, "mase": 1.193},
        },
    ),
    "m3_monthly": DataSet(
        "M3-Monthly-train.csv.gz",
        "M3-Monthly-test.csv.gz",
        18,
        12,
        False,
        {"seasonal_naive": {"mase": 1.1461}},
    ),
    "tourism_monthly": DataSet(
        "tourism-Monthly-train.csv.gz",
        "tourism-Monthly-test.csv.gz",
        24,
        12,
        False,
        {"seasonal_naive": {"mase": 1.63094}},
    ),
    "nn5": DataSet("nn5.csv.gz", None, 56, 7, False, {UNFILLED: {"mase": 1.024}}),
}
"""The data sets, each in a folder of its name."""


class Loaded(NamedTuple):
    """Series of one data set; NaN is missing.

    Shapes:
        train: S series `[T]`, each of its own length; test: `[S, K]`.
    """

    names: list[str]
    train: list[NDArray[np.float64]]
    test: NDArray[np.float64]


def load(folder: Path, name: str) -> Loaded:
    """Read one data set from the folder that holds them all."""
    about = SETS[name]
    past = read_rows(folder / name / about.train, header=about.header)
    if about.test is None:
        cut = {one: (row[: -about.horizon], row[-about.horizon :]) for one, row in past.items()}
    else:
        ahead = read_rows(folder / name / about.test, header=about.header)
        cut = {one: (row, ahead[one]) for one, row in past.items()}
    return Loaded(list(cut), [train for train, _ in cut.values()], np.stack([t for _, t in cut.values()]))


def read_rows(path: Path, *, header: bool) -> dict[str, NDArray[np.float64]]:
    """Return a series for every line, by its name: `name, value, value, ...`, empty cells inside missing."""
    rows = {}
    with gzip.open(path, "rt", newline="") if path.suffix == ".gz" else path.open(newline="") as lines:
        for number, line in enumerate(csv.reader(lines)):
            if header and number == 0:
                continue
            cells = line[1:]
            while cells and cells[-1] in ("", "NA"):
                cells.pop()
            rows[line[0]] = np.array([float("nan") if c in ("", "NA") else float(c) for c in cells])
    return rows


def forecasts(data: Loaded, method: str, *, horizon: int, season: int) -> NDArray[np.float64]:
    """Return the forecasts of one baseline, `[S, K]`."""
    if method == UNFILLED:
        return unfilled(data, horizon=horizon, season=season)
    baseline = ALL_BASELINES[method]
    return np.stack([baseline(one, horizon, season=season) for one in data.train])


def score(data: Loaded, pred: NDArray[np.float64], season: int) -> dict[str, float]:
    """Return the means over the series of sMAPE and MASE, as the competitions take them."""
    seen = np.isfinite(pred)
    true, pred = np.where(seen, data.test, np.nan), np.where(seen, pred, 0.0)
    scaled = {
        name: np.asarray(mase(true, pred, y_train=data.train, season=one, axis=-1))
        for name, one in (("mase", season), ("mase_1", 1))
    }
    means = {name: float(np.mean(each[np.isfinite(each)])) for name, each in scaled.items()}
    return {"smape": float(np.nanmean(np.asarray(smape(true, pred, axis=-1)))), **means}


def unfilled(data: Loaded, *, horizon: int, season: int) -> NDArray[np.float64]:
    """Return the last season as it was observed, NaN where it was not: what archives score on gaps."""
    return np.stack([np.resize(one[-season:], horizon) for one in data.train])


def agrees(measured: float, published: float) -> bool:
    """Return whether a figure is the published one, to the digits in which that is given (at least four)."""
    return abs(measured - published) <= 5.01e-4 * max(1.0, abs(published) / 10)


def judge(name: str, folder: Path, methods: Sequence[str]) -> bool:
    """Print the scores of every method on one data set; return whether the published ones are met."""
    about, data = SETS[name], load(folder, name)
    sizes = [len(one) for one in data.train]
    print(
        f"\n{name}: {len(sizes)} series of {min(sizes)}-{max(sizes)} points, horizon {about.horizon}, "
        f"season {about.season}"
    )
    print(f"{'method':24}{'sMAPE':>9}{'MASE':>9}{'MASE(1)':>9}{'OWA':>8}{'seconds':>9}")
    reference = score(
        data, forecasts(data, "naive2", horizon=about.horizon, season=about.season), about.season
    )
    good = True
    extra = [method for method in about.published if method == UNFILLED]
    for method in [*methods, *extra]:
        began = time.perf_counter()
        pred = forecasts(data, method, horizon=about.horizon, season=about.season)
        took = time.perf_counter() - began
        scores = score(data, pred, about.season)
        scores["owa"] = owa(
            scores["smape"],
            scores["mase"],
            naive2_smape=reference["smape"],
            naive2_mase=reference["mase"],
        )
        notes = []
        for metric, published in about.published.get(method, {}).items():
            met = agrees(scores[metric], published)
            good &= met
            notes.append(f"{metric} {published:g} published: {'met' if met else 'NOT MET'}")
        print(
            f"{method:24}{scores['smape']:9.3f}{scores['mase']:9.4f}{scores['mase_1']:9.4f}"
            f"{scores['owa']:8.3f}{took:9.2f}  {'; '.join(notes)}".rstrip()
        )
    return good


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge every data set that is there; return 1 where a published figure is not met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds the data sets")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS), help="all by default")
    parser.add_argument(
        "--methods",
        nargs="+",
        choices=ALL_BASELINES,
        default=["naive2", "naive", "seasonal_naive", "drift", "autoregression"],
        help="the statistical ones take minutes",
    )
    given = parser.parse_args(arguments)
    good = True
    for name in given.sets:
        if (given.data / name).is_dir():
            good &= judge(name, given.data, given.methods)
        else:
            print(f"\n{name}: not run, there is no folder {given.data / name}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
