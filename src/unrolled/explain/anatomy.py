"""Forecasts taken apart: from several origins, how good they are, and what they are made of.

    origins -> forecasts -> errors by horizon, copy meter
    one member, windows -> bias + linear skip + recurrent part

Knows forecasts and the network's equations; must not know how anything is shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.errors import DataError, fault
from unrolled.evaluation import BASELINES, copy_meter
from unrolled.explain.loops import Forecasts, Reader, forecasts
from unrolled.explain.trace import trace_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from unrolled.cells import NetworkTrace
    from unrolled.explain.facts import (
        Contribution,
        CopyMeter,
        ForecastFacts,
        HorizonError,
        Number,
        OriginFacts,
    )
    from unrolled.explain.subject import Subject
    from unrolled.model import Model
    from unrolled.panel import Panel

    Numbers = NDArray[np.float64]

ORIGINS, LEAST_ORIGINS = 24, 4
"""Origins of all series together, and the fewest of one."""

MOST_SERIES = 3
"""Series that are forecast where none are named."""

COPY_LAGS, COPY_POINTS = 10, 20
"""The copy meter looks back so far, and is silent about a series with fewer points to compare."""

NO_SKILL = 0.05
"""A forecast that looks most like the last value is flagged where its skill is below this."""


def forecast_facts(
    model: Model,
    panel: Panel,
    *,
    season: int | None = None,
    learnt: Sequence[int] | NDArray[np.int64] | None = None,
    known_as: NDArray[np.int64] | None = None,
    series: Sequence[int] | None = None,
    subject: Subject | None = None,
    trace: NetworkTrace[Any] | None = None,
    threads: int = 1,
) -> ForecastFacts:
    """Return forecasts from the last origins of some series, and how good they are.

    In closed loop all K points are forecast from the origin: fed back one by one, or all at once. In open
    loop each point is forecast from the true points before it, as the first point of a later forecast.

    Formula::

        rmse[k]  = sqrt(mean over origins of (y_hat[k] - y[k])^2),  where y[k] is known
        skill[k] = 1 - mse[k] / mse_naive[k]

    Args:
        model: the networks; all members forecast together.
        panel: the series; what is known of them behind an origin is the truth there.
        season: points in a season, for the baselines.
        learnt: so many points of each series, the first ones, the networks learnt from; None: not known.
            Where a forecast may begin there, it is among the origins.
        known_as: where series were scaled once, the number that each had when fitting; None: the same order.
        series: the numbers of the series that are forecast; None: the first few.
        subject: one member and its windows: what their forecasts are made of is told, and which of them an
            origin reads.
        trace: of the subject, where there is one already.
        threads: at most so many.

    Raises:
        DataError: the networks cannot read the series, or none of them is long enough.
    """
    model.check(panel)
    chosen = tuple(range(min(panel.n_series, MOST_SERIES)) if series is None else series)
    reader = Reader.of(model, panel, chosen, known_as=known_as, threads=threads)
    most = max(LEAST_ORIGINS, ORIGINS // (len(chosen) * panel.n_channels))
    first = 1 if model.windowing.mask else model.windowing.window
    found: list[Forecasts] = []
    for place, number in enumerate(chosen):
        border = None if learnt is None else int(learnt[number]) - panel.position(number, 0)
        origins = _origins(first, int(reader.last[place]), model.horizon, most, border)
        if origins.size:
            y_tc = np.asarray(panel.series(number), np.float64)
            found += forecasts(reader, place, y_tc, origins, first, season)
    if not found:
        raise DataError(fault("explain.no-window", window=model.windowing.window))
    windows = {} if subject is None else _windows_by_origin(subject)
    return {
        "horizon": model.horizon,
        "season": season,
        "strategy": "recursive" if model.recursive else "direct",
        "members": len(model.networks),
        "origins": [fact for one in found for fact in _origin_facts(one, panel, learnt, windows)],
        "errors": _errors(found),
        "copy": _copy(found),
        "contributions": [] if subject is None else contributions(subject, trace),
    }


def contributions(subject: Subject, trace: NetworkTrace[Any] | None = None) -> list[Contribution]:
    """Return what the point forecasts of each window are made of; the parts add up to what the network says.

    Formula::

        y = b_head + W_skip [x_1 ... x_T] + W_head h_T

    In the scaled space of each window, of the output whose value is the point forecast; of counts before it
    is made positive.
    """
    spec, weights = subject.network.spec, subject.network.weights
    trace = trace_of(subject) if trace is None else trace
    batch, outputs = subject.x_tbi.shape[1], subject.anchors
    shape = (batch, subject.windowing.horizon, subject.channels)
    head = {name: np.asarray(weights[f"head.{name}"], np.float64)[outputs] for name in ("weight", "bias")}
    recurrent = (trace.stack.output_tbh[-1] @ head["weight"].T).reshape(shape)
    bias = np.broadcast_to(head["bias"].reshape(shape[1:]), shape)
    skip = np.zeros(shape)
    if spec.skip_steps:
        read = np.asarray(subject.x_tbi[..., : trace.skip_inputs], np.float64)
        window = read.transpose(1, 0, 2).reshape(batch, -1)
        skip = (window @ np.asarray(weights["skip.weight"], np.float64)[outputs].T).reshape(shape)
    return [
        {
            "window": window,
            "channel": channel,
            "bias": bias[window, :, channel].tolist(),
            "skip": skip[window, :, channel].tolist(),
            "recurrent": recurrent[window, :, channel].tolist(),
        }
        for window in range(batch)
        for channel in range(subject.channels)
    ]


def _origins(first: int, last: int, horizon: int, most: int, border: int | None) -> NDArray[np.int64]:
    """Return origins from the last one back, so far apart that they reach back two horizons."""
    stride = max(1, -(-2 * horizon // most))
    origins = set(range(last, first - 1, -stride)[:most])
    if border is not None and first <= border <= last:
        origins.add(border)
    return np.array(sorted(origins), np.int64)


def _windows_by_origin(subject: Subject) -> dict[tuple[int, int], int]:
    """Return the number of the window that ends before each origin, by series and origin."""
    ends = (subject.starts + subject.windowing.window).tolist()
    return {pair: number for number, pair in enumerate(zip(subject.series.tolist(), ends, strict=True))}


def _origin_facts(
    of: Forecasts,
    panel: Panel,
    learnt: Sequence[int] | NDArray[np.int64] | None,
    windows: dict[tuple[int, int], int],
) -> list[OriginFacts]:
    """Return the forecasts of each origin, counted from the first point of its series."""
    open_rk, origins = of.open_rk, [panel.position(of.series, at) for at in of.origins.tolist()]
    return [
        {
            "series": of.series,
            "channel": of.channel,
            "origin": origin,
            "closed": _told(of.closed_rk[row]),
            "open": _told(open_rk[row]),
            "baselines": {name: _told(one[row]) for name, one in of.baselines.items()},
            "intervals": {
                str(level): [_told(ends[0, row]), _told(ends[1, row])] for level, ends in of.intervals.items()
            },
            "window": windows.get((of.series, origin)),
            "seen": None if learnt is None else origin < int(learnt[of.series]),
        }
        for row, origin in enumerate(origins)
    ]


def _errors(found: list[Forecasts]) -> list[HorizonError]:
    """Return the error of every method at every step, over all origins whose truth is known."""
    truth = np.concatenate([one.truth_rk for one in found])
    methods = {
        "network": [one.closed_rk for one in found],
        "network_open": [one.open_rk for one in found],
        **{name: [one.baselines[name] for one in found] for name in BASELINES},
    }
    squares = {name: _mean_square(np.concatenate(each) - truth) for name, each in methods.items()}
    return [
        {"method": name, "rmse": _told(np.sqrt(mse)), "skill": _told(_skill(mse, squares["naive"]))}
        for name, mse in squares.items()
    ]


def _mean_square(errors_rk: Numbers) -> Numbers:
    """Return the mean over the rows of what is known, [K]; NaN where nothing is."""
    known = np.isfinite(errors_rk)
    sums, counts = np.where(known, np.square(errors_rk), 0.0).sum(axis=0), known.sum(axis=0)
    found = np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)
    return np.asarray(found, np.float64)


def _skill(mse: Numbers, naive: Numbers) -> Numbers:
    """Return 1 - mse / naive; NaN where repeating the last value has no error."""
    share = np.divide(mse, naive, out=np.full(mse.shape, np.nan), where=naive > 0)
    return np.asarray(1.0 - share, np.float64)


def _copy(found: list[Forecasts]) -> CopyMeter:
    """Return whether the first forecast point is the last value, over all points with a forecast.

    Formula::

        correlations[k] = corr(y_hat_t, y_{t-k}),  slope = cov(y_hat_t, y_{t-1}) / var(y_{t-1})

    The means over series and channels; of each, the same points t for every k.
    """
    correlations, slopes, errors, naive = [], [], [], []
    for one in found:
        lagged = np.stack([_shifted(one.y_t, lag) for lag in range(COPY_LAGS + 1)])
        first = one.firsts_t[:-1]
        known = np.isfinite(first) & np.isfinite(lagged).all(axis=0)
        if known.sum() < COPY_POINTS:
            continue
        first, past = first[known], lagged[:, known]
        errors.append(first - past[0])
        naive.append(past[1] - past[0])
        first, past = first - first.mean(), past - past.mean(axis=1, keepdims=True)
        products, size = past @ first, np.square(past).sum(axis=1)
        norms = np.sqrt(size * np.square(first).sum())
        nothing = np.full(norms.shape, np.nan)
        correlations.append(np.divide(products, norms, out=nothing.copy(), where=norms > 0))
        slopes.append(np.divide(products, size, out=nothing, where=size > 0)[1])
    told = np.stack(
        [one for one in correlations if np.isfinite(one).all()] or [np.full(COPY_LAGS + 1, np.nan)]
    )
    mean = told.mean(axis=0)
    best = int(np.argmax(mean)) if np.isfinite(mean).all() else None
    skill = float("nan")
    if errors:
        both = (np.mean(np.square(np.concatenate(each)), keepdims=True) for each in (errors, naive))
        skill = float(_skill(*both)[0])
    finite = [slope for slope in slopes if np.isfinite(slope)]
    return {
        "skill": _number(skill),
        "best_lag": best,
        "correlations": _told(mean),
        "slope": float(np.mean(finite)) if finite else None,
        "move": _move(found),
        "flagged": best == 1 and skill < NO_SKILL,
    }


def _move(found: list[Forecasts]) -> list[Number]:
    """Return how far the forecasts move from the last value, over how far the series does, [K]."""
    truth, closed = (
        np.concatenate([getattr(one, name) for one in found]) for name in ("truth_rk", "closed_rk")
    )
    last = np.concatenate([one.baselines["naive"][:, 0] for one in found])
    good = np.isfinite(closed).all(axis=1)
    if not good.any():
        return [None] * closed.shape[1]
    return _told(np.array(copy_meter(truth[good], closed[good], last[good]).move_ratio))


def _shifted(values_t: Numbers, lag: int) -> Numbers:
    """Return y[t - lag] at every t; NaN before the first."""
    return np.concatenate([np.full(lag, np.nan), values_t])[: len(values_t)]


def _number(value: float) -> Number:
    """Return a number, None where it is not finite."""
    return float(value) if np.isfinite(value) else None


def _told(values: Numbers) -> list[Number]:
    """Return numbers, None where they are not finite."""
    return [_number(value) for value in values.tolist()]
