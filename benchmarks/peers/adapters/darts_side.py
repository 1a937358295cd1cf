"""Darts: BlockRNNModel."""

from __future__ import annotations

from typing import Any

import numpy as np
from darts import TimeSeries
from darts.dataprocessing.transformers import Scaler
from darts.models import BlockRNNModel

from .lightning import QUIET, limited

PACKAGE = "darts"


class Side:
    """A BlockRNNModel fitted to series; by its defaults scaled to 0..1, as its own guide does."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.job = job

    def fit(self, series: list[np.ndarray]) -> None:
        job = self.job
        if job["setting"] == "same":
            chosen = {
                "input_chunk_length": job["window"],
                "model": job["cell"].upper(),
                "hidden_dim": job["hidden"],
                "batch_size": job["batch"],
                "optimizer_kwargs": {"lr": job["lr"]},
                "n_epochs": job["steps"],  # more than there are: the steps end it
            }
            trainer = {"max_steps": job["steps"]}
        else:
            chosen = {"input_chunk_length": 2 * job["season"], "model": "LSTM"}
            trainer = limited(job)
        self.model = BlockRNNModel(
            output_chunk_length=job["horizon"],
            random_state=job["seed"],
            pl_trainer_kwargs={**QUIET, **trainer},
            **chosen,
        )
        self.model.fit(self.given(series, fit=True))

    def predict(self, series: list[np.ndarray]) -> np.ndarray:
        found = self.model.predict(self.job["horizon"], series=self.given(series), verbose=False)
        if self.job["setting"] != "same":
            found = self.scaler.inverse_transform(found)
        return np.stack([one.values()[:, 0] for one in found])

    def given(self, series: list[np.ndarray], *, fit: bool = False) -> list[TimeSeries]:
        """Return series in its kind, scaled where it chooses."""
        made = [TimeSeries.from_values(one.astype(np.float32)) for one in series]
        if self.job["setting"] == "same":
            return made
        if fit:
            self.scaler = Scaler()
            return self.scaler.fit_transform(made)
        return self.scaler.transform(made)
