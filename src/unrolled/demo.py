"""The jobs of `unrolled demo` and `unrolled lesson`: the tutorial's sine, and a real series.

    sine of 800 points -> 720 windows of 40 -> LSTM(1, 50) + Linear(50, 1), one SGD step a window -> 40 points
    shipped series -> all but its last year -> Forecaster, by rule -> its last year, beside the baselines

Both come back as reports for `unrolled.page`; the first, explained, as one of `unrolled.explain`. Nothing is
printed or written here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from unrolled import datasets
from unrolled.checks import check_parameters
from unrolled.doctor.own import with_checkup
from unrolled.engine import default_threads
from unrolled.evaluation import BASELINES, compare, mse
from unrolled.evaluation.baselines import order_by_rule
from unrolled.explain import Fit, explain
from unrolled.explain.lesson import lesson_facts
from unrolled.explain.tutorial import Tutorial
from unrolled.fitting import fit_model
from unrolled.forecaster import Forecaster
from unrolled.messages import text
from unrolled.page.report import VERSION
from unrolled.panel import sealed, to_panel
from unrolled.parts import Parts
from unrolled.progress import progress_bar
from unrolled.reports import forecast_report, numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unrolled.evaluation import Comparison
    from unrolled.explain import Report
    from unrolled.page.report import ForecastReport, TutorialBaseline, TutorialReport

POINTS, PERIOD, HELD_OUT = 800, 40, 40
"""The tutorial's series: its points, those of one period, and those held out at its end."""

REAL = "co2_monthly"
"""The series of the real forecast, a name of `datasets.NAMES`."""

YEAR = 12
"""Points held out of a real series without a season."""

_LEARNT = {"naive": 0, "seasonal_naive": 0, "drift": 1}
"""Numbers that a baseline learns from a series; those of the autoregression follow from its order."""


class RealForecast(NamedTuple):
    """What became of the real forecast."""

    report: ForecastReport
    comparison: Comparison


def sine() -> NDArray[np.float32]:
    """Return the tutorial's series, `sin(x * 2 * 3.1416 / 40)` for x = 0 .. 799.

    The angle is computed in float32 as PyTorch does; its sine is rounded from float64, so that it is the same
    everywhere.

    Shapes:
        returns [800].

    Example:
        >>> sine()[[0, 10, 20]].round(4).tolist()
        [0.0, 1.0, -0.0]
    """
    x = np.arange(POINTS, dtype=np.float32)
    angle = x * np.float32(2) * np.float32(3.1416) / np.float32(PERIOD)
    return np.sin(angle.astype(np.float64)).astype(np.float32)


def tutorial_forecaster(*, seed: int = 42, epochs: int = 10, progress: bool | None = None) -> Forecaster:
    """Return the tutorial's network and training as a forecaster: SGD, one window a step, in order.

    Args:
        seed: of the initial weights; those that `torch.manual_seed(seed)` would give.
        epochs: passes over the windows.
        progress: as of the Forecaster.
    """
    return Forecaster(
        HELD_OUT,
        window=40,
        cell="lstm",
        hidden_size=50,
        strategy="recursive",
        scaling="none",
        patch=1,
        skip=False,
        loss="mse",
        optimizer="sgd",
        lr=0.01,
        schedule="constant",
        clip=None,
        batch_size=1,
        epochs=epochs,
        shuffle=False,
        validation=0,
        members=1,
        seed=seed,
        progress=progress,
    )


def tutorial(*, seed: int = 42, epochs: int = 10, progress: bool | None = None) -> TutorialReport:
    """Do the tutorial's job: learn the sine, forecast its last 40 points by feeding the forecasts back.

    Args:
        seed: of the initial weights.
        epochs: passes over the windows.
        progress: whether to show a bar; None: where stderr is a terminal.

    Returns:
        The report, the baselines beside the network.

    Raises:
        ArgumentError: the seed or the number of epochs cannot work.
        KeyboardInterrupt: Ctrl-C came before the first step. After it, the report has fewer losses.
    """
    series = sine()
    known, true = series[:-HELD_OUT], series[-HELD_OUT:]
    forecaster = tutorial_forecaster(seed=seed, epochs=epochs, progress=progress).fit(known)
    forecast = forecaster.predict()
    return {
        "version": VERSION,
        "kind": "tutorial",
        "series": numbers(series),
        "period": PERIOD,
        "n_test": HELD_OUT,
        "window": forecaster.settings_.window,
        "hidden_size": forecaster.settings_.hidden_size,
        "parameters": forecaster.network_.spec.parameter_count,
        "lr": forecaster.settings_.lr,
        "epochs": epochs,
        "losses": numbers(np.asarray(forecaster.history_.epoch_losses)),
        "test_mse": numbers(np.asarray([mse(true, forecast)]))[0],
        "forecast": numbers(forecast),
        "baselines": _tutorial_baselines(known, true),
        "seconds": forecaster.history_.seconds,
        "seed": seed,
    }


def lesson(*, seed: int = 42, epochs: int = 10, progress: bool | None = None) -> Report:
    """Do the tutorial's job, and explain all of it: its network, its story, its slips put right by numbers.

    Args:
        seed: of the initial weights.
        epochs: passes over the windows.
        progress: whether to show a bar; None: where stderr is a terminal.

    Returns:
        The report of the lesson, in the language of whoever reads it.

    Raises:
        ArgumentError: the seed or the number of epochs cannot work.
        KeyboardInterrupt: Ctrl-C came before the first step.
    """
    panel = to_panel(sine())
    past = panel.cut(HELD_OUT)
    arguments = tutorial_forecaster(seed=seed, epochs=epochs).get_params()
    check_parameters(arguments)
    threads = default_threads()
    with progress_bar(progress) as told:
        fitted = fit_model(past, arguments, threads=threads, watch=told)
    own = Tutorial(
        model=fitted.model,
        panel=panel,
        settings=fitted.settings,
        known=len(past.values),
        season=PERIOD,
        seed=seed,
        epochs=epochs,
        seconds=fitted.histories[0].seconds,
    )
    report = explain(
        fitted.model,
        panel,
        fit=Fit(arguments, fitted.settings, past),
        season=PERIOD,
        title=text("page.tutorial.title"),
        lesson=lesson_facts(own),
        threads=threads,
    )
    return with_checkup(report)


def _tutorial_baselines(known: NDArray[np.float32], true: NDArray[np.float32]) -> dict[str, TutorialBaseline]:
    """Return what every baseline makes of the end of the sine."""
    learnt = {**_LEARNT, "autoregression": order_by_rule(len(known), season=PERIOD) + 1}
    found: dict[str, TutorialBaseline] = {}
    for name, baseline in BASELINES.items():
        forecast = baseline(known, HELD_OUT, season=PERIOD)
        found[name] = {"mse": float(mse(true, forecast)), "forecast": numbers(forecast)}
        if name in learnt:
            found[name]["parameters"] = learnt[name]
    return found


def real(name: str = REAL, *, progress: bool | None = None) -> RealForecast:
    """Forecast the last year of a shipped series, held out from the start, with a forecaster as by default.

    Args:
        name: one of `datasets.NAMES`.
        progress: whether to show a bar; None: where stderr is a terminal.

    Returns:
        The report, and the comparison with the baselines.

    Raises:
        ArgumentError: there is no such series.
        KeyboardInterrupt: Ctrl-C came before the first step.
    """
    series = datasets.load(name)
    horizon = series.season or YEAR
    known, true = series.values[:-horizon], series.values[-horizon:]
    offsets = np.array([0, len(known)], np.int64)
    values = known.astype(np.float32).reshape(-1, 1)
    panel = sealed(Parts(values, offsets, (name,), (series.title,), "list", series.times[:-horizon]))
    forecaster = Forecaster(horizon, season=series.season, progress=progress).fit(panel)
    forecast = forecaster.predict()[0]
    comparison = compare(known, true, {"network": forecast}, season=series.season)
    report = forecast_report(
        forecaster,
        panel,
        forecasts=forecast[None],
        title=series.title,
        unit=series.unit,
        actual=true[None],
        comparison=comparison,
    )
    return RealForecast(report, comparison)
