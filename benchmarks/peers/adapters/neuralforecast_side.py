"""NeuralForecast: LSTM and GRU."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from neuralforecast import NeuralForecast
from neuralforecast.losses.pytorch import MSE
from neuralforecast.models import GRU, LSTM

from .lightning import QUIET, limited

PACKAGE = "neuralforecast"


class Side:
    """A NeuralForecast of one model."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.job = job

    def fit(self, series: list[np.ndarray]) -> None:
        job = self.job
        if job["setting"] == "same":
            chosen = {
                "input_size": job["window"],
                "encoder_n_layers": 1,
                "encoder_hidden_size": job["hidden"],
                "decoder_layers": 1,
                "decoder_hidden_size": job["hidden"],
                "loss": MSE(),
                "max_steps": job["steps"],
                "learning_rate": job["lr"],
                "windows_batch_size": job["batch"],
                "scaler_type": "identity",
            }
        else:
            short = min(map(len, series)) < 4 * job["horizon"]  # it refuses them, and says to pad them
            chosen = {**limited(job), **({"start_padding_enabled": True} if short else {})}
        model = {"lstm": LSTM, "gru": GRU}[job["cell"]](
            h=job["horizon"], random_seed=job["seed"] + 1, **QUIET, **chosen
        )
        self.model = NeuralForecast([model], freq=1)
        self.model.fit(frame(series))

    def predict(self, series: list[np.ndarray]) -> np.ndarray:
        found = self.model.predict(frame(series)).sort_values(["unique_id", "ds"])
        return found.iloc[:, -1].to_numpy().reshape(len(series), -1)


def frame(series: list[np.ndarray]) -> pd.DataFrame:
    """Return series in its kind: one long frame."""
    lengths = [len(one) for one in series]
    return pd.DataFrame(
        {
            "unique_id": np.repeat(np.arange(len(series)), lengths),
            "ds": np.concatenate([np.arange(count) for count in lengths]),
            "y": np.concatenate(series),
        }
    )
