"""Tuning: docs/examples/tuning.md tells what happens here, and what it prints."""

import tempfile
from pathlib import Path

from unrolled import Forecaster, datasets
from unrolled.tuning import tune

air = datasets.load("airline_passengers").values
base = Forecaster(12, season=12, dtype="float64")
space = {
    "cell": ["lstm", "gru"],
    "window": [24, 36],
    "hidden_size": (8, 64, "log"),
    "lr": (1e-3, 2e-2, "log"),
    "scaling": ["last", "standard", "log"],
}

with tempfile.TemporaryDirectory() as folder:
    journal = Path(folder) / "air.journal"
    how = {"folds": 2, "space": space, "storage": journal, "base": base}
    begun = tune(air, 12, trials=4, **how)
    print(f"{len(begun.trials)} trials, the best: MASE {begun.best['score']:.3f}")
    tuned = tune(air, 12, trials=9, **how)
    print(f"{len(tuned.trials)} trials, the best: MASE {tuned.best['score']:.3f}")

print(tuned.table())

for name, value in tuned.params.items():
    print(f"{name}: {value:.4g}" if isinstance(value, float) else f"{name}: {value}")

print(tuned.report)

print("\n".join(tuned.sentences()[1:]))

print(tuned.forecaster.predict().round().astype(int))
