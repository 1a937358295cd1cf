"""GluonTS: DeepAR, its recurrent network: an LSTM that feeds back samples; it has no GRU."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import torch
from gluonts.dataset.common import ListDataset
from gluonts.torch import DeepAREstimator

from .lightning import SILENT, limited

PACKAGE = "gluonts"
FREQUENCIES = {"h": "h", "MS": "M"}


class Side:
    """A DeepAR predictor; its point forecast is the mean of its sample paths."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.job = job
        self.freq = FREQUENCIES[job["freq"]]

    def fit(self, series: list[np.ndarray]) -> None:
        job = self.job
        torch.manual_seed(job["seed"])
        if job["setting"] == "same":
            chosen = {
                "context_length": job["window"],
                "num_layers": 1,
                "hidden_size": job["hidden"],
                "lr": job["lr"],
                "dropout_rate": 0.0,
                "batch_size": job["batch"],
                "num_batches_per_epoch": job["steps"],
                "lags_seq": [1],
                "time_features": [],
                "trainer_kwargs": {**SILENT, "max_epochs": 1},
            }
        else:
            chosen = {"trainer_kwargs": {**SILENT, **limited(job), "max_epochs": 100}}
        estimator = DeepAREstimator(freq=self.freq, prediction_length=job["horizon"], **chosen)
        self.model = estimator.train(self.given(series))

    def predict(self, series: list[np.ndarray]) -> np.ndarray:
        return np.stack([one.mean for one in self.model.predict(self.given(series))])

    def given(self, series: list[np.ndarray]) -> ListDataset:
        """Return series in its kind."""
        start = pd.Period("2000-01-01", self.freq)
        return ListDataset([{"start": start, "target": one} for one in series], freq=self.freq)
