"""What the tutorial is about: its letters with a small network, and its sine with the network after training.

    ABCDE -> windows AB -> C, BC -> D, CD -> E -> one network of 5 inputs
    sine  -> windows of 40 points -> the fitted LSTM -> 40 points in closed loop

The network comes from outside, fitted. Knows explanations; must not know how a forecaster is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from unrolled.cells import CELLS, run_network
from unrolled.evaluation import autoregression, mse
from unrolled.explain.anatomy import forecast_facts
from unrolled.explain.batches import BATCH
from unrolled.explain.subject import subject_from, subject_of
from unrolled.network import Network, NetworkSpec, initial_weights
from unrolled.windows import split_windows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unrolled.cells.lstm import LSTMStep
    from unrolled.explain.subject import Subject
    from unrolled.model import Model
    from unrolled.panel import Panel
    from unrolled.rules import Settings

    Numbers = NDArray[np.float64]

ALPHABET = "ABCDE"
WIDTH, LETTER_WINDOW, LETTER_HIDDEN = 5, 2, 3
"""Numbers of a letter, letters of a window, and the hidden size of the network that reads them."""

ORDER = 2
"""Lags with which an autoregression draws a sine: y[t] = 2 cos(w) y[t-1] - y[t-2]."""


class Letters(NamedTuple):
    """The tutorial's letters, and a small network that reads them.

    Shapes:
        vectors: [5, 5], a letter a row.
    """

    vectors: Numbers
    network: Network

    @classmethod
    def of(cls, seed: int) -> Letters:
        """Make them; the weights of the network are as they begin."""
        spec = NetworkSpec(cell="rnn", input_size=WIDTH, hidden_size=LETTER_HIDDEN, output_size=WIDTH)
        vectors = np.repeat(np.arange(1.0, len(ALPHABET) + 1.0), WIDTH).reshape(-1, WIDTH)
        return cls(vectors, Network(spec, initial_weights(spec, seed), dtype="float64"))

    @property
    def pairs(self) -> list[list[str]]:
        """Each window and what follows it."""
        last = len(ALPHABET) - LETTER_WINDOW
        return [[ALPHABET[at : at + LETTER_WINDOW], ALPHABET[at + LETTER_WINDOW]] for at in range(last)]

    def windows(self, count: int) -> Subject:
        """Return the first windows, with what follows each."""
        x_tbi = np.stack([self.vectors[at : at + LETTER_WINDOW] for at in range(count)], axis=1)
        return subject_from(self.network, x_tbi, self.vectors[LETTER_WINDOW : LETTER_WINDOW + count])

    def states(self) -> Numbers:
        """Return h after each letter of the first window, [T, H]."""
        trace = run_network(CELLS["rnn"], self.windows(1).x_tbi, self.network.weights)
        found: Numbers = trace.stack.output_tbh[:, 0]
        return found


@dataclass(frozen=True, eq=False, kw_only=True)
class Tutorial:
    """The tutorial's network after training, and its series.

    Attributes:
        model: one LSTM of one layer that reads a window as it is, a point a step, and feeds its forecasts
            back.
        panel: the whole series, the truth behind `known` included.
        settings: those of the training.
        known: so many points, the first ones, were learnt from.
        season: points in a period of the series.
        seed: of the initial weights.
        epochs: passes over the windows.
        seconds: that the training took.
    """

    model: Model
    panel: Panel
    settings: Settings
    known: int
    season: int
    seed: int
    epochs: int
    seconds: float

    @property
    def network(self) -> Network:
        """The network."""
        return self.model.network

    @cached_property
    def subject(self) -> Subject:
        """Some windows of the training, and, last, the one that the forecast is made from."""
        past = self.panel.cut(int(self.panel.lengths[0]) - self.known)
        return subject_of(self.model, past, windows=BATCH + 1)

    @cached_property
    def last_window(self) -> Numbers:
        """The window that the forecast is made from, [T, 1, 1]."""
        return np.asarray(self.subject.x_tbi[:, -1:], np.float64)

    @cached_property
    def steps(self) -> tuple[LSTMStep, ...]:
        """Every number of every step of that window."""
        trace = run_network(CELLS["lstm"], self.last_window, self.network.weights)
        found: tuple[LSTMStep, ...] = trace.stack.layers[-1].steps
        return found

    @property
    def count(self) -> int:
        """Windows of the training."""
        lengths = np.array([self.known])
        windowing = self.model.windowing
        train, _ = split_windows(lengths, window=windowing.window, horizon=windowing.horizon, held_out=0)
        return len(train)

    @cached_property
    def errors(self) -> dict[str, float]:
        """The mean squared error of every method behind `known`, and of an autoregression of two lags."""
        facts = forecast_facts(self.model, self.panel, season=self.season, learnt=[self.known])
        at = next(one for one in facts["origins"] if one["origin"] == self.known)
        y = np.asarray(self.panel.series(0)[:, 0], np.float64)
        true = y[self.known : self.known + self.model.horizon]
        lines = {"network": at["closed"], "network_open": at["open"], **at["baselines"]}
        told = {name: np.array(line, np.float64) for name, line in lines.items()}
        told[f"autoregression_{ORDER}"] = autoregression(y[: self.known], self.model.horizon, order=ORDER)
        return {name: float(mse(true, line)) for name, line in told.items()}
