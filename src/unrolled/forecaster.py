"""The estimator that people use: fit, predict, save, load, and a report that hides nothing.

y -> Panel -> Windows -> Trainer -> Network        (fit)
Panel tail -> Network -> the caller's kind         (predict)
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from unrolled import artefact
from unrolled.checks import check_parameters
from unrolled.engine import Learning, Trainer, Windowing, default_threads
from unrolled.errors import ArgumentError, DataError, FileError, NotFittedError, fault
from unrolled.estimator import Estimator
from unrolled.held_out import compare_held_out
from unrolled.messages import text
from unrolled.model import Model
from unrolled.network import Network, NetworkSpec, initial_weights
from unrolled.panel import Panel, answer, to_panel
from unrolled.progress import progress_bar
from unrolled.rules import Settings, check_lengths, settle
from unrolled.scaling import SeriesScaling
from unrolled.training import History, Plan, both, train
from unrolled.windows import split_windows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    from numpy.typing import NDArray

    from unrolled.engine import Array
    from unrolled.training import Watcher
    from unrolled.windows import Windows


class Forecaster(Estimator):
    """Forecast time series with a recurrent network: `Forecaster(12, season=12).fit(y).predict()`.

    Formula::

        window -> scale by the window itself -> steps of P values -> L recurrent layers -> last state ->
        linear -> K
                                          (+ a linear skip from the window to the K forecasts)

    Args:
        horizon: K, how many points to forecast.
        season: points of a season (12 for months, 24 for hours); None if there is none.
        window: how many past points the network reads.
        cell: "lstm", "gru", "rnn" (tanh) or "rnn_relu".
        hidden_size: H, size of a layer's state.
        num_layers: L, recurrent layers one above the other.
        dropout: share of a layer's outputs set to zero between layers while training.
        strategy: "direct" forecasts all K points at once; "recursive" forecasts one and feeds its own
            forecasts back.
        scaling: "standard", "last", "mean_abs" (each window by itself), "series" (each series once) or
            "none".
        patch: P, points that the network reads in one step.
        skip: whether the window also reaches the forecasts by a linear skip.
        loss: "mae", "mse", "huber" or "quantile".
        quantiles: for loss "quantile": the quantiles forecast; the point forecast is the one nearest to 0.5.
        delta: for loss "huber": where it turns from square to linear.
        optimizer: "adamw", "adam" or "sgd".
        lr: the highest learning rate.
        momentum: of "sgd".
        weight_decay: of the optimizer.
        clip: largest global norm of the gradients; None for no clipping.
        batch_size: windows an update.
        epochs: passes over the windows; give this or `steps`.
        steps: updates.
        schedule: "constant", "cosine" or "one_cycle".
        shuffle: whether the windows are shuffled in every pass.
        validation: points at the end of each series that are held out to choose the best weights; 0 for none.
            Of very many windows there, some are looked at, taken evenly: see `training.Plan.watched`.
        patience: looks at the held-out windows without a better loss before training stops early; 0 for
            never.
        seed: of weights, order and dropout. The same seed gives the same numbers, on any number of threads.
        threads: at most so many; None for all processors.
        dtype: "float32" or "float64".
        progress: whether to show a bar on stderr; None: where stderr is a terminal.

    What is None is chosen by rule when fitting; `describe()` says how.

    Attributes:
        network_: the fitted Network.
        settings_: all that was chosen.
        history_: losses, checks, seconds and why training stopped.
        report_: the network beside the baselines on the points held out; None without such points.

    Raises:
        ArgumentError: by `fit`, for arguments that cannot work; all are named at once.

    Example:
        >>> y = np.sin(np.arange(120) * 2 * np.pi / 12)
        >>> model = Forecaster(3, season=12, steps=50).fit(y)
        >>> model.predict().shape
        (3,)
    """

    def __init__(
        self,
        horizon: int,
        *,
        season: int | None = None,
        window: int | None = None,
        cell: str = "lstm",
        hidden_size: int | None = None,
        num_layers: int = 1,
        dropout: float = 0.0,
        strategy: str = "direct",
        scaling: str | None = None,
        patch: int | None = None,
        skip: bool | None = None,
        loss: str = "mae",
        quantiles: Sequence[float] | None = None,
        delta: float = 1.0,
        optimizer: str | None = None,
        lr: float | None = None,
        momentum: float = 0.0,
        weight_decay: float | None = None,
        clip: float | None = 1.0,
        batch_size: int | None = None,
        epochs: int | None = None,
        steps: int | None = None,
        schedule: str | None = None,
        shuffle: bool = True,
        validation: int | None = None,
        patience: int | None = None,
        seed: int = 0,
        threads: int | None = None,
        dtype: str = "float32",
        progress: bool | None = None,
    ) -> None:
        self.horizon = horizon
        self.season = season
        self.window = window
        self.cell = cell
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.dropout = dropout
        self.strategy = strategy
        self.scaling = scaling
        self.patch = patch
        self.skip = skip
        self.loss = loss
        self.quantiles = quantiles
        self.delta = delta
        self.optimizer = optimizer
        self.lr = lr
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.clip = clip
        self.batch_size = batch_size
        self.epochs = epochs
        self.steps = steps
        self.schedule = schedule
        self.shuffle = shuffle
        self.validation = validation
        self.patience = patience
        self.seed = seed
        self.threads = threads
        self.dtype = dtype
        self.progress = progress

    def fit(self, y: object, *, watch: Watcher | None = None) -> Self:
        """Learn from one series or many.

        Shapes:
            y: [T] one series; [T, C] one series of C channels, forecast together; [S, T, C] S series of one
                length; a list of S series; a data frame.

        Args:
            y: numbers, all finite. It is not changed, and an array of the forecaster's dtype is read where it
                lies.
            watch: called as `watch(history, plan)` after every stretch of steps, while training. What it
                raises ends the training and comes out of `fit`; KeyboardInterrupt keeps the best so far.

        Returns:
            self, fitted.

        Raises:
            ArgumentError: an argument cannot work.
            DataError: the series cannot be learned from.
            TrainingError: the loss became infinite or not a number.
        """
        check_parameters(self.get_params())
        panel = to_panel(y, dtype=self.dtype)
        settings = self._settle(panel)
        scaler = None
        values = panel.values
        windows, validation = split_windows(
            panel.lengths, window=settings.window, horizon=self._reach, held_out=settings.held_out
        )
        if settings.scaling == "series":
            held_out = np.where(validation.counts > 0, settings.held_out, 0)
            scaler = SeriesScaling.fit(values, panel.offsets, held_out=held_out)
            values = scaler.apply(values, panel.offsets)
        model = self._make_model(panel, settings, scaler)
        trainer = self._make_trainer(model, settings, values, panel)
        self.history_ = self._train(trainer, settings, windows, validation, watch)
        self.settings_, self.network_ = settings, model.network
        self._model, self._tail, self._arguments = model, panel.tails(settings.window), self.get_params()
        self.report_ = compare_held_out(
            model,
            panel,
            held_out=settings.held_out,
            season=_plain(self.season),
            threads=self._threads,
            selected=bool(self.history_.checks),
        )
        if self.history_.stopped == "interrupted":
            warnings.warn(text("fit.interrupted", step=self.history_.best_step), stacklevel=2)
        return self

    @property
    def _reach(self) -> int:
        """How many points the network forecasts at once."""
        return int(self.horizon) if self.strategy == "direct" else 1

    def _settle(self, panel: Panel) -> Settings:
        """Choose what was not given, and refuse series that cannot be learned from."""
        settings = settle(
            {name: _plain(value) for name, value in self.get_params().items()},
            panel.lengths,
            horizon=int(self.horizon),
            at_once=self._reach,
            season=_plain(self.season),
        )
        check_lengths(settings, panel.lengths, panel.ids, at_once=self._reach)
        return settings

    def _make_model(self, panel: Panel, settings: Settings, scaler: SeriesScaling | None) -> Model:
        """Make the network with its first weights, and say how it is used."""
        quantiles = () if self.quantiles is None else tuple(float(level) for level in self.quantiles)
        spec = NetworkSpec(
            cell=self.cell,
            input_size=settings.patch * panel.n_channels,
            hidden_size=settings.hidden_size,
            num_layers=int(self.num_layers),
            output_size=self._reach * panel.n_channels * max(1, len(quantiles)),
            skip_steps=settings.window // settings.patch if settings.skip else 0,
            dropout=self.dropout,
        )
        windowing = Windowing(
            window=settings.window,
            horizon=self._reach,
            patch=settings.patch,
            scaling="none" if scaler else settings.scaling,
        )
        network = Network(spec, initial_weights(spec, self.seed), dtype=self.dtype)
        return Model(network, windowing, int(self.horizon), quantiles, scaler)

    def _make_trainer(self, model: Model, settings: Settings, values: Array, panel: Panel) -> Trainer:
        """Put the model's network, the series, the loss and the optimizer together."""
        learning = Learning(
            loss=self.loss,
            delta=self.delta,
            quantiles=model.quantiles,
            optimizer=settings.optimizer,
            momentum=self.momentum,
            weight_decay=settings.weight_decay,
            clip=self.clip or 0.0,
        )
        return Trainer(
            model.network.engine,
            values,
            panel.offsets,
            windowing=model.windowing,
            learning=learning,
            threads=self._threads,
            seed=self.seed,
        )

    def _train(
        self,
        trainer: Trainer,
        settings: Settings,
        windows: Windows,
        validation: Windows,
        watch: Watcher | None,
    ) -> History:
        """Train on all windows but those held out, and keep the weights that are best on these."""
        plan = Plan(
            steps=settings.steps,
            batch_size=settings.batch_size,
            lr=settings.lr,
            schedule=settings.schedule,
            shuffle=self.shuffle,
            seed=self.seed,
            check_every=max(1, settings.steps // 50),
            patience=settings.patience,
        )
        with progress_bar(self.progress) as bar:
            return train(trainer, windows, validation, plan, watch=both(bar, watch))

    @property
    def _threads(self) -> int:
        return self.threads or default_threads()

    def predict(self, y: object = None) -> Any:
        """Forecast the points that follow each series.

        Shapes:
            of the forecasts, as y was given: [T] -> [K]; [T, C] -> [K, C]; [S, T, C] -> [S, K, C]; a list of
                S series -> [S, K], with several channels [S, K, C]; a frame -> a frame.

        Args:
            y: series to continue instead of those that were fitted; at least `window` points each.

        Returns:
            Forecasts in the units of the series, in the caller's kind.

        Raises:
            NotFittedError: `fit` has not run.
            DataError: a series is shorter than the window, or has another number of channels.
        """
        panel, forecasts = self._continue(y)
        return answer(panel, self._model.point(forecasts))

    def predict_quantiles(self, y: object = None) -> Array:
        """Forecast all `quantiles` of the points that follow each series.

        Shapes:
            the forecasts: [S, K, C, Q], always.

        Args:
            y: as for `predict`.

        Raises:
            NotFittedError: `fit` has not run.
            ArgumentError: the forecaster was not made with loss="quantile".
            DataError: as for `predict`.
        """
        self._must_be_fitted()
        if not self._model.quantiles:
            raise ArgumentError(fault("predict.no-quantiles", loss=self._arguments["loss"]))
        return self._continue(y)[1]

    def _continue(self, y: object) -> tuple[Panel, Array]:
        """Return the series to forecast (those given, else the ends of those fitted) and the forecasts."""
        self._must_be_fitted()
        panel = self._tail if y is None else to_panel(y, dtype=self._arguments["dtype"])
        known_as = None if self._model.scaler is None else self._known_as(panel)
        return panel, self._model.forecast(panel, threads=self._threads, known_as=known_as)

    def _known_as(self, panel: Panel) -> NDArray[np.int64] | None:
        """Return the number that each series had when fitting, by its name; None for the same in order."""
        if panel.ids == self._tail.ids:
            return None
        numbers = {str(name): number for number, name in enumerate(self._tail.ids)}
        found = [numbers.get(str(name)) for name in panel.ids]
        if None in found or (panel.kind != "frame" and panel.n_series != self._tail.n_series):
            raise DataError(fault("predict.series-scaling", expected=self._tail.n_series, got=panel.n_series))
        return np.array(found, np.int64)

    @property
    def ends_(self) -> Panel:
        """The last window of each series that was fitted: what `predict()` continues.

        Raises:
            NotFittedError: `fit` has not run.
        """
        self._must_be_fitted()
        return self._tail

    def _must_be_fitted(self) -> None:
        if not self.__sklearn_is_fitted__():
            raise NotFittedError(fault("fit.not-fitted"))

    def describe(self) -> str:
        """Return what was chosen by rule for the fitted series, and why, one line each.

        Raises:
            NotFittedError: `fit` has not run.
        """
        self._must_be_fitted()
        spec = self.network_.spec
        count = spec.parameter_count
        lines = [text("describe.network", cell=spec.cell, parameters=count, layers=spec.num_layers)]
        return "\n".join(lines + list(self.settings_.reasons.values()))

    def save(self, path: str | PathLike[str]) -> None:
        """Write the fitted forecaster to one safetensors file with a JSON header: data, never code.

        Args:
            path: of the file; it is replaced at once or not at all.

        Raises:
            NotFittedError: `fit` has not run.
            FileError: the file cannot be written.
        """
        self._must_be_fitted()
        artefact.save(
            path, artefact.Parts(self._arguments, self.settings_, self.history_, self._model, self._tail)
        )

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read a forecaster that `save` wrote.

        One that was fitted on a data frame answers `predict()` with arrays afterwards, and `predict(frame)`
        with a frame.

        Raises:
            FileError: the file is missing, cut short, of another kind, or of a newer schema.
        """
        parts = artefact.load(path)
        unknown = set(parts.arguments) - set(cls._names())
        if unknown:
            raise FileError(
                fault("artefact.damaged", path=path, reason=f"arguments: {', '.join(sorted(unknown))}")
            )
        self = cls(**parts.arguments)
        self.settings_, self.history_, self.report_ = parts.settings, parts.history, None
        self._model, self._tail, self.network_ = parts.model, parts.tail, parts.model.network
        self._arguments = parts.arguments
        return self


def _plain(value: Any) -> Any:
    """Turn NumPy's numbers into Python's, which do not overflow."""
    return value.item() if isinstance(value, np.generic) else value
