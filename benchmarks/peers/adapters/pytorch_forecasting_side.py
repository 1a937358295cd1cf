"""pytorch-forecasting: RecurrentNetwork, an encoder and a decoder that feeds back its forecasts."""

from __future__ import annotations

from typing import Any

import lightning.pytorch as pl
import numpy as np
import pandas as pd
from pytorch_forecasting import RecurrentNetwork, TimeSeriesDataSet
from pytorch_forecasting.data import TorchNormalizer
from pytorch_forecasting.metrics import RMSE

from .lightning import QUIET, limited

PACKAGE = "pytorch-forecasting"
EPOCHS = 30
"""Of its own tutorial; it has no default."""


class Side:
    """A RecurrentNetwork with the data set that it was trained on."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.job = job

    def fit(self, series: list[np.ndarray]) -> None:
        job = self.job
        same = job["setting"] == "same"
        pl.seed_everything(job["seed"], verbose=False)
        self.data = TimeSeriesDataSet(
            frame(series),
            time_idx="time",
            target="y",
            group_ids=["series"],
            max_encoder_length=job["window"] if same else 2 * job["season"],
            max_prediction_length=job["horizon"],
            time_varying_unknown_reals=["y"],
            **({"target_normalizer": TorchNormalizer(method="identity")} if same else {}),
        )
        if same:
            chosen = {
                "hidden_size": job["hidden"],
                "rnn_layers": 1,
                "dropout": 0.0,
                "loss": RMSE(),
                "learning_rate": job["lr"],
                "optimizer": "adam",
            }
            trainer = {"max_steps": job["steps"], "max_epochs": job["steps"]}
            batch = job["batch"]
        else:
            chosen, trainer, batch = {}, {**limited(job), "max_epochs": EPOCHS}, 64
        self.model = RecurrentNetwork.from_dataset(self.data, cell_type=job["cell"].upper(), **chosen)
        loader = self.data.to_dataloader(train=True, batch_size=batch, num_workers=0)
        pl.Trainer(**QUIET, **trainer).fit(self.model, loader)

    def predict(self, series: list[np.ndarray]) -> np.ndarray:
        longer = [np.append(one, np.full(self.job["horizon"], one[-1])) for one in series]
        data = TimeSeriesDataSet.from_dataset(self.data, frame(longer), predict=True, stop_randomization=True)
        loader = data.to_dataloader(train=False, batch_size=1024, num_workers=0)
        return self.model.predict(loader, trainer_kwargs=dict(QUIET)).numpy()


def frame(series: list[np.ndarray]) -> pd.DataFrame:
    """Return series in its kind: one long frame."""
    lengths = [len(one) for one in series]
    return pd.DataFrame(
        {
            "series": np.repeat([f"{n:06}" for n in range(len(series))], lengths),
            "time": np.concatenate([np.arange(count) for count in lengths]),
            "y": np.concatenate(series).astype(np.float32),
        }
    )
