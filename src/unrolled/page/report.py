"""The reports that the pages are drawn from: plain dicts that JSON can hold, frozen in shape by `VERSION`.

A page is a pure function of its report: the command line fills a report in, the page asks nobody else. Lists
of values may hold `None` (or a value that is not finite) where there is no number; pictures leave a gap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NotRequired, TypedDict

from unrolled.errors import DataError, fault, raise_any

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION = 1
"""The version of the shapes below; a report with a higher one is refused by name."""

Number = float | None
"""A value, or `None` where there is none (JSON has no NaN)."""


class TutorialBaseline(TypedDict):
    """What one baseline forecast for the held-out end of the tutorial's series.

    Attributes:
        mse: mean squared error on the held-out points.
        forecast: [n_test] its forecasts.
        parameters: how many numbers it learnt (naive 0, an autoregression of order 2 with intercept 3).
    """

    mse: Number
    forecast: list[Number]
    parameters: NotRequired[int]


class TutorialReport(TypedDict):
    """The tutorial's job: a sine, split, learnt by one network, its end forecast recursively.

    Attributes:
        version: `VERSION`.
        kind: "tutorial".
        series: [T] the whole series, in the tutorial 800 points.
        period: points of one period of the sine.
        n_test: how many points at the end were held out.
        window: how many points the network reads.
        hidden_size: size of its hidden state.
        parameters: how many numbers it learns.
        lr: step size of SGD.
        epochs: how many epochs were asked for.
        losses: loss of the last window of every epoch done (fewer than `epochs` where it was interrupted).
        test_mse: mean squared error of `forecast` on the held-out points.
        forecast: [n_test] the network's forecasts.
        baselines: by name ("naive", "seasonal_naive", "drift", "autoregression", ...).
        seconds: how long training took.
        seed: what the initial weights were drawn from.
    """

    version: int
    kind: Literal["tutorial"]
    series: list[Number]
    period: int
    n_test: int
    window: int
    hidden_size: int
    parameters: int
    lr: float
    epochs: int
    losses: list[Number]
    test_mse: Number
    forecast: list[Number]
    baselines: dict[str, TutorialBaseline]
    seconds: float
    seed: int


class IntervalReport(TypedDict):
    """The intervals of one level.

    Attributes:
        level: in percent.
        lower: [K] the lower ends.
        upper: [K] the upper ends.
    """

    level: float
    lower: list[Number]
    upper: list[Number]


class SeriesReport(TypedDict):
    """One series and what was forecast for it.

    Attributes:
        id: its name.
        history: [T] what the methods saw; the page shows the end of it.
        times: [T] the times of `history`, ISO 8601 or whole numbers as text, or `None`.
        forecast: [K] the network's forecasts.
        forecast_times: [K] their times, or `None`.
        actual: [K] what really came, where it was held out, else `None`.
        baselines: [K] each, by name.
        intervals: of the network's forecasts, the widest first.
    """

    id: str
    history: list[Number]
    times: list[str] | None
    forecast: list[Number]
    forecast_times: list[str] | None
    actual: list[Number] | None
    baselines: dict[str, list[Number]]
    intervals: NotRequired[list[IntervalReport]]


class ComparisonReport(TypedDict):
    """The network beside the baselines.

    Attributes:
        rows: by method ("network", "naive", ...) the value of each metric ("mase", "mae", ...); lower is
            better.
        held_out: how many points at the end of each series the values were measured on.
        n_series: over how many series the values are means.
        judged_by: the metric that decides which method is best; the first column where it is not given.
        selected: whether the network's weights were chosen on those very points.
        sampled_from: of how many series these were taken, where it is not all of them.
    """

    rows: dict[str, dict[str, Number]]
    held_out: int
    n_series: int
    judged_by: NotRequired[str]
    selected: NotRequired[bool]
    sampled_from: NotRequired[int | None]


class NetworkReport(TypedDict):
    """Facts of the network.

    Attributes:
        cell: "lstm", "gru", "rnn" or "rnn_relu".
        hidden_size: size of the hidden state.
        num_layers: how many recurrent layers.
        window: how many past points it reads.
        parameters: how many numbers it learnt.
        seconds: how long training took, that of all members summed.
        members: how many such networks forecast together, if more than one.
        strategy: "direct" or "recursive".
        epochs: epochs done.
        steps: steps of the optimizer done.
        seed: what the initial weights were drawn from.
    """

    cell: str
    hidden_size: int
    num_layers: int
    window: int
    parameters: int
    seconds: float
    members: NotRequired[int]
    strategy: NotRequired[str]
    epochs: NotRequired[int]
    steps: NotRequired[int]
    seed: NotRequired[int]


class ForecastReport(TypedDict):
    """A forecast of one or many series.

    Attributes:
        version: `VERSION`.
        kind: "forecast".
        title: what the series are.
        unit: what the values count, or `None`.
        season: steps of one season, or `None`.
        horizon: how many steps were forecast.
        series: the series, in the order in which they are shown.
        comparison: the network beside the baselines, or `None` where nothing was held out.
        network: facts of the network.
    """

    version: int
    kind: Literal["forecast"]
    title: str
    unit: str | None
    season: int | None
    horizon: int
    series: list[SeriesReport]
    comparison: ComparisonReport | None
    network: NetworkReport


class DemoReport(TypedDict):
    """Both in one file: the tutorial's job and a real forecast.

    Attributes:
        version: `VERSION`.
        kind: "demo".
        tutorial: the tutorial's job.
        real: the real forecast.
    """

    version: int
    kind: Literal["demo"]
    tutorial: TutorialReport
    real: ForecastReport


Report = TutorialReport | ForecastReport | DemoReport


def check_report(report: Mapping[str, Any], kind: str) -> None:
    """Refuse a report of another kind or of a newer version.

    Args:
        report: what claims to be a report.
        kind: "tutorial", "forecast" or "demo".

    Raises:
        DataError: the report is of another kind, or newer than this package understands.

    Example:
        >>> check_report({"version": 1, "kind": "demo"}, "demo")
    """
    faults = []
    if report.get("kind") != kind:
        faults.append(fault("page.report-kind", kind=kind, got=repr(report.get("kind"))))
    version = report.get("version")
    if not isinstance(version, int) or not 1 <= version <= VERSION:
        faults.append(fault("page.report-version", known=VERSION, got=repr(version)))
    raise_any(DataError, faults)
