"""Windows, splits, scalers and forecasts as people make them: with a mistake, and without."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.model_selection import KFold, TimeSeriesSplit
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

if TYPE_CHECKING:
    from collections.abc import Callable

    Arguments = dict[str, Any]

T, W, TRAIN = 300, 12, 200
"""Points, steps of a window, and windows that train."""


def series() -> np.ndarray:
    steps = np.arange(T)
    noise = np.random.default_rng(5).normal(size=T)
    y = signal(steps) + noise
    y[280] = y.max() + 1  # the largest value comes in the test
    return y


def signal(steps: Any) -> Any:
    return 20 + 5 * np.sin(steps * 2 * np.pi / 12) + 3 * np.sin(steps / 40)


def windows(y: np.ndarray, horizon: int = 1, offset: int = 1, stride: int = 1, lost: int = 0) -> Any:
    starts = range(0, len(y) - W - horizon - offset + 2 - lost, stride)
    starts = [i for i in starts if i + W + max(0, offset - 1 + horizon) <= len(y)]
    return (
        np.stack([y[i : i + W] for i in starts]),
        np.stack([y[i + W - 1 + offset : i + W - 1 + offset + horizon] for i in starts]),
    )


def end(horizon: int = 1) -> int:
    """Return the point after the last training target."""
    return TRAIN - 1 + W + horizon


def scaled(scaler: Any, y: np.ndarray) -> np.ndarray:
    return scaler.transform(y[:, None])[:, 0]


def given(split: Any = TRAIN, **more: Any) -> Arguments:
    y = series()
    return {"series": y, "windows": windows(y), "split": split, **more}


def fitted(scaler: Any, upto: int, told: bool = True) -> Arguments:
    y = series()
    scaler.fit(y[:upto, None])
    return given(windows=windows(scaled(scaler, y)), **({"scaler": scaler} if told else {}))


def by_itself(told: bool) -> Arguments:
    y = series()
    one, other = StandardScaler().fit(y[: end(), None]), StandardScaler().fit(y[end() :, None])
    (x, t), (x2, t2) = windows(scaled(one, y)), windows(scaled(other, y))
    both = np.concatenate([x[:TRAIN], x2[TRAIN:]]), np.concatenate([t[:TRAIN], t2[TRAIN:]])
    return given(windows=both, **({"scaler": (one, other)} if told else {}))


def by_window() -> Arguments:
    x, y = windows(series())
    last, spread = x[:, -1:], x.std(axis=1, keepdims=True)
    return given(windows=((x - last) / spread, (y - last) / spread))


def shuffled() -> Arguments:
    count = len(windows(series())[0])
    order = np.random.default_rng(1).permutation(count)
    return given(split=(order[:TRAIN], order[TRAIN:]))


def with_channel(column: Callable[[np.ndarray], np.ndarray]) -> Arguments:
    y = series()
    beside = column(y)
    both = np.stack([y, beside], axis=1)
    x = np.stack([both[i : i + W] for i in range(T - W)])
    return given(windows=(x, y[W:]))


def purged() -> Arguments:
    x, y = windows(series(), horizon=6)
    return given(windows=(x, y), split=(np.arange(TRAIN - 5), np.arange(TRAIN, len(x))))


def rising() -> Arguments:
    y = np.arange(float(T)) + np.random.default_rng(2).normal(size=T)
    return {"series": y, "windows": windows(y), "split": TRAIN}


PLANTED: dict[str, tuple[str, Callable[[], Arguments]]] = {
    "target_is_the_last_input": ("target-misaligned", lambda: given(windows=windows(series(), offset=0))),
    "target_one_step_too_far": ("target-misaligned", lambda: given(windows=windows(series(), offset=2))),
    "target_inside_the_window": ("target-misaligned", lambda: given(windows=windows(series(), offset=-3))),
    "scaled_and_off_by_one": (
        "target-misaligned",
        lambda: given(windows=windows((series() - 20) / 7, offset=0)),
    ),
    "the_last_window_lost": ("windows-missing", lambda: given(windows=windows(series(), lost=1))),
    "windows_cut_before_the_split": (
        "targets-overlap",
        lambda: given(windows=windows(series(), horizon=6)),
    ),
    "shuffled_split": ("trains-on-future", shuffled),
    "k_fold": ("trains-on-future", lambda: given(split=KFold(5))),
    "shuffled_k_fold": (
        "trains-on-future",
        lambda: given(split=KFold(5, shuffle=True, random_state=0)),
    ),
    "folds_by_hand": (
        "trains-on-future",
        lambda: given(split=[(np.arange(100, 288), np.arange(100))]),
    ),
    "standard_scaler_of_everything": ("scaler-saw-test", lambda: fitted(StandardScaler(), T)),
    "min_max_scaler_of_everything": ("scaler-saw-test", lambda: fitted(MinMaxScaler(), T)),
    "scaler_of_everything_untold": ("scaler-saw-test", lambda: fitted(StandardScaler(), T, told=False)),
    "scaler_of_half_the_test": ("scaler-saw-test", lambda: fitted(StandardScaler(), 260)),
    "scaler_by_hand": (
        "scaler-saw-test",
        lambda: given(
            windows=windows((series() - series().mean()) / series().std(ddof=1)),
            scaler=(series().mean(), series().std(ddof=1)),
        ),
    ),
    "test_scaled_by_itself": ("test-scaled-by-itself", lambda: by_itself(told=True)),
    "test_scaled_by_itself_untold": ("test-scaled-by-itself", lambda: by_itself(told=False)),
    "the_target_of_the_next_step_as_a_channel": (
        "target-in-inputs",
        lambda: with_channel(lambda y: np.append(y[1:], y[-1])),
    ),
    "the_target_as_a_covariate": (
        "target-in-inputs",
        lambda: given(covariates={"load": series() * 2 + 1}, known=["load"]),
    ),
    "weather_of_tomorrow": (
        "covariate-unknown",
        lambda: given(
            covariates={"weather": np.cos(np.arange(T)), "weekday": np.arange(T) % 7}, known=["weekday"]
        ),
    ),
    "a_rising_series": ("range-outside", rising),
}
"""Pipelines with a mistake each, and the id of its finding."""

HEALTHY: dict[str, Callable[[], Arguments]] = {
    "raw": given,
    "share": lambda: given(split=0.7),
    "six_ahead_with_a_gap": purged,
    "one_point_three_ahead": lambda: given(windows=windows(series(), offset=3), horizon=3),
    "every_third_window": lambda: given(windows=windows(series(), stride=3), split=70),
    "time_series_split": lambda: given(split=TimeSeriesSplit(4)),
    "standard_scaler": lambda: fitted(StandardScaler(), end()),
    "standard_scaler_untold": lambda: fitted(StandardScaler(), end(), told=False),
    "min_max_scaler": lambda: fitted(MinMaxScaler((-1, 1)), end()),
    "robust_scaler": lambda: fitted(RobustScaler(), end()),
    "scaler_of_the_first_inputs": lambda: fitted(StandardScaler(), TRAIN),
    "each_window_by_itself": by_window,
    "raw_targets_of_scaled_windows": lambda: given(
        windows=(windows((series() - 21.5) / 4)[0], windows(series())[1])
    ),
    "another_channel": lambda: with_channel(lambda y: np.cos(np.arange(len(y)) / 5)),
    "yesterday_as_a_channel": lambda: with_channel(lambda y: np.append(y[:1], y[:-1])),
    "known_covariates": lambda: given(covariates={"weekday": np.arange(T) % 7}, known=["weekday"]),
    "a_pure_sine": lambda: {
        "series": np.sin(np.arange(T) * 2 * np.pi / 12),
        "windows": windows(np.sin(np.arange(T) * 2 * np.pi / 12)),
        "split": TRAIN,
    },
}
"""Correct pipelines of different make."""


# ---- forecasts ---------------------------------------------------------------------------------------------


def forecast(
    pred: Callable[[np.ndarray, np.ndarray], Any], y: np.ndarray | None = None, **more: Any
) -> Arguments:
    y = series() if y is None else y
    past, true = y[:260], y[260:]
    return {"y_true": true, "y_pred": np.asarray(pred(past, true)), "past": past, "season": 12, **more}


def walk() -> np.ndarray:
    return np.cumsum(np.random.default_rng(8).normal(size=T))


def next_by_season(seen: np.ndarray) -> float:
    return float(0.6 * seen[-12] + 0.4 * seen[-1])


def next_by_time(seen: np.ndarray) -> float:
    return float(signal(len(seen)))


def one_step(past: np.ndarray, true: np.ndarray) -> list[float]:
    whole = np.concatenate([past, true])
    return [next_by_season(whole[: len(past) + k]) for k in range(len(true))]


def fed_back(past: np.ndarray, true: np.ndarray, predict: Any = next_by_season) -> list[float]:
    seen = list(past)
    for _ in true:
        seen.append(predict(np.array(seen)))
    return seen[len(past) :]


def runaway(seen: np.ndarray) -> float:
    return float(seen[-1] + 1.1 * (seen[-1] - seen[-2]))


POOR: dict[str, tuple[str, Callable[[], Arguments]]] = {
    "one_step_as_a_forecast": ("one-step-as-forecast", lambda: forecast(one_step, predict=next_by_season)),
    "one_step_of_a_window": (
        "one-step-as-forecast",
        lambda: forecast(one_step, predict=next_by_season, window=24),
    ),
    "yesterdays_value": (
        "copies-last-value",
        lambda: forecast(lambda past, true: [past[-1], *true[:-1]], walk()),
    ),
    "the_mean": ("collapses", lambda: forecast(lambda past, true: 0.02 * true + past.mean())),
    "a_third_of_the_moves": (
        "squashed",
        lambda: forecast(lambda past, true: 0.3 * true[::-1] + 0.7 * past.mean()),
    ),
    "runs_away": ("drifts", lambda: forecast(lambda p, t: fed_back(p, t, runaway), predict=runaway)),
    "noise": ("no-skill", lambda: forecast(lambda past, true: true + 9 * np.cos(np.arange(len(true)) * 2.1))),
}
"""Forecasts, and the id of what is told of each."""

GOOD: dict[str, Callable[[], Arguments]] = {
    "near_the_truth": lambda: forecast(lambda past, true: true + 0.3 * np.cos(np.arange(len(true)) * 2.1)),
    "exact": lambda: forecast(lambda past, true: true),
    "fed_back": lambda: forecast(lambda past, true: fed_back(past, true, next_by_time), predict=next_by_time),
}
"""Forecasts of which nothing is told."""
