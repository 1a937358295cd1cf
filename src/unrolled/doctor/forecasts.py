"""What a forecast is worth: numbers beside those of the simplest methods. Evidence, never a verdict.

One thing is exact: forecasts of one step, each from the true values before it, shown as a forecast of many.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.doctor.checkup import Checkup
from unrolled.doctor.examination import Examination
from unrolled.doctor.locating import as_numbers
from unrolled.errors import ArgumentError, DataError, fault
from unrolled.evaluation import BASELINES, rmse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

WORSE = 1.25
"""A forecast is looked at for its spread only where its error is so many times the best baseline's."""

SQUASHED, COLLAPSED = 0.5, 0.1
"""Spread of a forecast over the spread of what came."""

COPY = 0.05
"""A skill over the last value below this, with the largest correlation one step late, resembles a copy."""

_LAGS = 6
"""Steps back that the copy meter looks."""

_LEAST = 8
"""Points that a spread or a correlation needs."""

_DRIFTED = 2.0
"""A forecast from its own forecasts drifts where its later half has so many times the one-step error."""


def check_forecast(
    y_true: Any,
    y_pred: Any,
    *,
    past: Any,
    predict: Callable[[Any], Any] | None = None,
    window: int | None = None,
    season: int | None = None,
    ignore: Iterable[str] = (),
) -> Checkup:
    """Return what a forecast is worth beside the simplest methods.

    Args:
        y_true: [K], what came.
        y_pred: [K], what was forecast.
        past: [T], the values before the first of them.
        predict: returns the next value, one number, after values [T] in the series' units; with it, the
            forecast is made again, from true values and from its own.
        window: how many values `predict` reads; None: all.
        season: points of a season, for the seasonal baseline.
        ignore: ids of findings that are not looked for.

    Raises:
        KindError: something holds no numbers.
        DataError: the shapes do not fit together, or a value is not finite.
        ArgumentError: there is no finding of an id, or the window is longer than the past.

    Example:
        >>> y = np.sin(np.arange(140.0))
        >>> check_forecast(y[100:], y[99:139], past=y[:100]).findings[0]["id"]
        'copies-last-value'
    """
    exam = Examination(ignore)
    true, pred, known = (
        as_numbers(name, one).reshape(-1)
        for name, one in (("y_true", y_true), ("y_pred", y_pred), ("past", past))
    )
    if true.shape != pred.shape or not len(true) or not len(known):
        raise DataError(fault("doctor.forecast", true=true.shape, pred=pred.shape, past=known.shape))
    if not all(np.isfinite(one).all() for one in (true, pred, known)):
        raise DataError(fault("doctor.not-finite"))
    if window is not None and not 1 <= window <= len(known):
        raise ArgumentError(fault("doctor.window", got=window, most=len(known)))
    _one_step(exam, true, pred, known, predict, window)
    _copies(exam, true, pred, known)
    errors = {
        name: float(rmse(true, one(known, len(true), season=season))) for name, one in BASELINES.items()
    }
    _spread(exam, true, pred, errors)
    _skill(exam, true, pred, errors, season)
    return Checkup(exam.facts(), "forecast")


def _one_step(
    exam: Examination,
    true: Numbers,
    pred: Numbers,
    known: Numbers,
    predict: Callable[[Any], Any] | None,
    window: int | None,
) -> None:
    """Make the forecast again, from true values and from its own."""
    if predict is None or len(true) < 2:
        exam.skipped("one-step-as-forecast", "no-predict")
        exam.skipped("drifts", "no-predict")
        return
    open_loop, closed = (
        _loop(predict, known, true if truth else None, len(true), window) for truth in (True, False)
    )
    spread = float(np.std(np.concatenate([known, true]))) or 1.0
    near = 1e-4 * spread
    gap = float(np.abs(open_loop - closed).max())
    if np.abs(pred - open_loop).max() < near < gap and np.abs(pred - closed).max() > near:
        newest = "" if window is None else f"[-{window}:]"
        exam.failed(
            "one-step-as-forecast",
            measured=float(np.abs(pred - open_loop).max()),
            lines=[
                "import numpy as np; seen = np.concatenate([past, y_true])",
                f"one = [float(predict(seen[: len(past) + k]{newest})) for k in range(len(y_true))]",
                "print(np.abs(np.ravel(y_pred) - one).max())",
            ],
            before="y_pred[k] = predict(true values up to k)",
            after="history.append(y_pred[k])  # from the origin on, it reads its own forecasts",
            gap=gap,
            error=float(rmse(true, open_loop)),
            closed=float(rmse(true, closed)),
        )
    exam.passed("one-step-as-forecast")
    half = len(true) // 2
    late, from_truth = (float(rmse(true[half:], one[half:])) for one in (closed, open_loop))
    naive = float(rmse(true[half:], np.full(len(true) - half, known[-1])))
    ratio = late / max(from_truth, 1e-12 * spread)
    if ratio > _DRIFTED and late >= naive and not np.allclose(open_loop, closed):
        exam.failed(
            "drifts",
            measured=late,
            lines=_closed_lines(window, half),
            after="Forecaster(horizon, strategy='direct')  # all points at once: none is fed back",
            ratio=ratio,
            naive=naive,
        )
    exam.passed("drifts")


def _closed_lines(window: int | None, half: int) -> list[str]:
    """Return the lines that feed forecasts back and measure the later half."""
    newest = "" if window is None else f"[-{window}:]"
    return [
        "import numpy as np; seen = list(np.ravel(past))",
        f"for _ in y_true: seen.append(float(predict(np.array(seen{newest}))))",
        f"late = np.array(seen[len(past) + {half} :]) - y_true[{half}:]; print(np.sqrt((late**2).mean()))",
    ]


def _loop(
    predict: Callable[[Any], Any], known: Numbers, true: Numbers | None, count: int, window: int | None
) -> Numbers:
    """Return forecasts, each from the true values before it; without these, from the forecasts before it."""
    seen, told = list(known), []
    for k in range(count):
        given = np.array(seen if window is None else seen[-window:])
        told.append(float(predict(given)))
        seen.append(told[-1] if true is None else float(true[k]))
    return np.array(told)


def _copies(exam: Examination, true: Numbers, pred: Numbers, known: Numbers) -> None:
    """Compare a forecast with the series some steps late."""
    lags = min(_LAGS, len(known))
    if len(true) < _LEAST or pred.std() == 0:
        exam.skipped("copies-last-value", "few-points")
        return
    series = np.concatenate([known, true])
    late = [series[len(known) - k : len(series) - k] for k in range(lags)]
    alike = [float(np.corrcoef(pred, one)[0, 1]) if one.std() > 0 else -1.0 for one in late]
    error = float(np.mean((late[1] - true) ** 2)) if lags > 1 else 0.0
    skill = 1.0 - float(np.mean((pred - true) ** 2)) / error if error > 0 else 1.0
    if int(np.argmax(alike)) == 1 and skill < COPY:
        exam.failed(
            "copies-last-value",
            measured=skill,
            lines=[
                "import numpy as np; y, f = np.ravel(y_true), np.ravel(y_pred)",
                "last = np.append(np.ravel(past)[-1], y[:-1])",
                "print(1 - ((f - y) ** 2).mean() / ((last - y) ** 2).mean())",
            ],
            after="# forecast the change from the last value, or more than one point ahead",
            alike=alike[1],
            now=alike[0],
        )
    exam.passed("copies-last-value")


def _spread(exam: Examination, true: Numbers, pred: Numbers, errors: dict[str, float]) -> None:
    """Compare how far a forecast moves with how far the series does, where a baseline is better."""
    if len(true) < _LEAST or true.std() == 0:
        exam.skipped("squashed", "few-points")
        exam.skipped("collapses", "few-points")
        return
    ratio = float(pred.std() / true.std())
    worse = float(rmse(true, pred)) > WORSE * min(errors.values())
    kind = "collapses" if ratio < COLLAPSED else "squashed"
    if worse and ratio < SQUASHED:
        exam.failed(
            kind,
            measured=ratio,
            lines=["import numpy as np", "print(np.std(y_pred) / np.std(y_true))"],
            after="# more steps, a window of at least one season, scaled targets: see docs/mistakes.md",
            error=float(rmse(true, pred)),
            best=min(errors.values()),
            method=min(errors, key=lambda name: errors[name]),
        )
    exam.passed("squashed")
    exam.passed("collapses")


def _skill(
    exam: Examination, true: Numbers, pred: Numbers, errors: dict[str, float], season: int | None
) -> None:
    """Compare the error with that of the best baseline."""
    best = min(errors, key=lambda name: errors[name])
    error = float(rmse(true, pred))
    skill = 1.0 - error / errors[best] if errors[best] > 0 else (0.0 if error == 0 else -np.inf)
    if skill <= 0 and error > 0:
        exam.failed(
            "no-skill",
            measured=skill,
            lines=[
                "from unrolled.evaluation import BASELINES, rmse",
                f"best = rmse(y_true, BASELINES[{best!r}](past, len(y_true), season={season}))",
                "print(1 - rmse(y_true, y_pred) / best)",
            ],
            after=f"# {best} is the simpler choice until the network is better",
            method=best,
            error=error,
            best=errors[best],
        )
    exam.passed("no-skill")
