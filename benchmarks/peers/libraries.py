"""The libraries beside ours: their environments, and what each is better at. Standard library alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Library:
    """A library in an environment of its own.

    Attributes:
        name: of its environment `.venv-peer-NAME`, its group `peer-NAME` in pyproject.toml and its adapter.
        title: as people write it.
        package: as PyPI writes it.
        model: what does the same work in it.
        defaults: its defaults, and what it has no default for.
        better: what it has or does better than unrolled.
        cells: of the same work that it has.
    """

    name: str
    title: str
    package: str
    model: str
    defaults: str
    better: str
    cells: tuple[str, ...] = ("lstm", "gru")

    @property
    def environment(self) -> Path:
        """Return the folder of its environment."""
        return ROOT / f".venv-peer-{self.name}"

    @property
    def python(self) -> Path:
        """Return its interpreter."""
        return self.environment / "bin" / "python"

    @property
    def adapter(self) -> str:
        """Return the module that says the work in its words."""
        return f"{self.name.replace('-', '_')}_side"


OURS = Library(
    "unrolled",
    "unrolled",
    "unrolled",
    model="`Forecaster`, all that it adds switched off",
    defaults="`Forecaster(K, season=m)`",
    better="",
)
LIBRARIES = (
    OURS,
    Library(
        "darts",
        "Darts",
        "darts",
        model="`BlockRNNModel`",
        defaults='`BlockRNNModel` with `model="LSTM"`, windows of two seasons (it has no default), '
        "behind its `Scaler`, as its guide does",
        better="some 40 models of every kind behind one interface, classical ones among them; anomaly "
        "detection, SHAP explanations, hierarchical reconciliation, GPUs",
    ),
    Library(
        "neuralforecast",
        "NeuralForecast",
        "neuralforecast",
        model="`LSTM`, `GRU`",
        defaults="`LSTM`; `start_padding_enabled` where its error asks for it",
        better="over 30 networks, transformers and MLPs among them, which win on long horizons; GPUs, "
        "Spark and Ray; hierarchical losses",
    ),
    Library(
        "gluonts",
        "GluonTS",
        "gluonts",
        model="`DeepAREstimator`, `lags_seq=[1]`: an LSTM with a Student t likelihood, 100 sample paths",
        defaults="`DeepAREstimator`",
        better="probabilistic models of many kinds (transformers, flows, deep state), many distributions, "
        "paths by default; the reference DeepAR; GPUs",
        cells=("lstm",),
    ),
    Library(
        "pytorch-forecasting",
        "pytorch-forecasting",
        "pytorch-forecasting",
        model="`RecurrentNetwork`, an encoder and a decoder",
        defaults="`RecurrentNetwork`, windows of two seasons, 30 epochs of its tutorial (it has no default)",
        better="the Temporal Fusion Transformer with its attention and variable importance; N-HiTS; "
        "rich categorical embeddings; GPUs",
    ),
)
BY_NAME = {library.name: library for library in LIBRARIES}
