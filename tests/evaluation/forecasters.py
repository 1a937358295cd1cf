"""Small forecasters for backtests: what they do can be said in a line, and they can go to another process."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import numpy as np

from unrolled.panel import answer


class Level:
    """Forecasts the mean of the training part's last points, plus `shift`; intervals of +- level / 10."""

    def __init__(self, horizon, *, window=3, shift=0.0, season=None, threads=None, progress=None, log=None):
        self.horizon, self.window, self.shift = horizon, window, shift
        self.season, self.threads, self.progress, self.log = season, threads, progress, log

    def get_params(self):
        names = ("horizon", "window", "shift", "season", "threads", "progress", "log")
        return {name: getattr(self, name) for name in names}

    def fit(self, y, **more):
        self.fitted_ = [float(y.series(s)[-1, 0]) for s in range(y.n_series)]
        if self.log is not None:
            self.log.append(("fit", self.fitted_, self.threads, self.progress, more))
        return self

    def predict(self, y, *, levels=None, **more):
        if self.log is not None:
            self.log.append(("predict", [float(y.series(s)[-1, 0]) for s in range(y.n_series)], more))
        ends = np.nanmean(y.last(self.window), axis=1, keepdims=True) + self.shift
        cube = np.repeat(ends, self.horizon, axis=1)
        if levels is None:
            return answer(y, cube)
        return SimpleNamespace(
            y_hat=answer(y, cube),
            lower={level: answer(y, cube - level / 10) for level in levels},
            upper={level: answer(y, cube + level / 10) for level in levels},
        )


class Stops(Level):
    """Presses Ctrl-C in the fit whose number is `shift`."""

    fits = 0
    lock = threading.Lock()

    def fit(self, y, **more):
        with type(self).lock:
            number = type(self).fits
            type(self).fits += 1
        if number == self.shift:
            raise KeyboardInterrupt
        return super().fit(y, **more)


class Slow(Level):
    """Takes a while to fit at all origins but the first two."""

    def fit(self, y, **more):
        super().fit(y, **more)
        time.sleep(0.01 if self.fitted_[0] < 33 else 1.5)
        return self


class StopsInside(Level):
    """Catches Ctrl-C itself in the fit that ends at 29, as training does, and says so."""

    def fit(self, y, **more):
        super().fit(y, **more)
        self.history_ = SimpleNamespace(stopped="interrupted" if self.fitted_[0] == 29 else "steps")
        return self


class Wild(Level):
    """Forecasts infinity."""

    def predict(self, y, **more):
        return np.full((y.n_series, self.horizon), np.inf)
