"""unrolled."""

from __future__ import annotations

from typing import Any

import numpy as np

from unrolled import Forecaster

PACKAGE = "unrolled"


class Side:
    """A forecaster fitted to series."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.job = job

    def fit(self, series: list[np.ndarray]) -> None:
        job = self.job
        chosen: dict[str, Any] = {"season": job["season"]}
        if job["setting"] == "same":
            chosen = {
                "window": job["window"],
                "cell": job["cell"],
                "hidden_size": job["hidden"],
                "scaling": "none",
                "patch": 1,
                "skip": False,
                "loss": "mse",
                "optimizer": "adam",
                "lr": job["lr"],
                "weight_decay": 0.0,
                "clip": None,
                "batch_size": job["batch"],
                "steps": job["steps"],
                "schedule": "constant",
                "validation": 0,
                "refit": False,
                "members": 1,
            }
        self.model = Forecaster(
            job["horizon"], threads=job["threads"], seed=job["seed"], progress=False, **chosen
        ).fit(series)

    def predict(self, series: list[np.ndarray]) -> np.ndarray:
        return np.stack(self.model.predict(series))
