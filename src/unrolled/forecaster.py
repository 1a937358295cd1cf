"""The estimator that people use: fit, predict, sample, stream, save, load, and a report that hides nothing.

y -> Panel, with covariates -> fitting -> Model          (fit)
ends of the series -> Model -> the caller's kind         (predict)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from unrolled import artefact
from unrolled.answers import interval_answer
from unrolled.checks import check_levels, check_parameters, check_quantiles, check_seconds, check_whole
from unrolled.covariates import continued, read_series
from unrolled.engine import default_threads
from unrolled.errors import ArgumentError, DataError, FileError, NotFittedError, fault, warn
from unrolled.estimator import Estimator
from unrolled.fitting import fit_model, fit_more
from unrolled.held_out import compare_held_out
from unrolled.messages import text
from unrolled.panel import answer
from unrolled.progress import progress_bar
from unrolled.scoring import rolling_error
from unrolled.spans import Span, spans
from unrolled.streaming import ForecastStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from os import PathLike

    from numpy.typing import NDArray

    from unrolled.engine import Array
    from unrolled.evaluation import Backtest
    from unrolled.explain import Report
    from unrolled.fitting import Fitted
    from unrolled.interop import Reading
    from unrolled.panel import Panel
    from unrolled.training import Watcher


_QUANTILES = (0.1, 0.5, 0.9)
"""The quantiles of a distribution that are told where none are named."""


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
        cell: "lstm", "gru", "rnn" (tanh), "rnn_relu", "mingru", "minlstm" or "slstm".
        hidden_size: H, size of a layer's state.
        num_layers: L, recurrent layers one above the other.
        dropout: share of a layer's outputs set to zero between layers while training.
        dilations: steps that the state of each layer looks back, one number a layer; None for one step.
        residual: whether what a layer reads is added to what it gives to the layer above.
        strategy: "direct" forecasts all K points at once; "recursive" forecasts one and feeds its own
            forecasts back.
        memory: "window" forecasts from the last window; "all" from the state after the whole series (it is
            trained on windows all the same), with a scaling that does not change on the way.
        scaling: "standard", "last", "mean_abs", "log", "asinh", "adaptive" (each window by itself; "log"
            and "asinh" for growth, "adaptive" in logs only where a window is skew over orders of magnitude),
            "series" (each series once) or "none".
        patch: P, points that the network reads in one step.
        skip: whether the window also reaches the forecasts by a linear skip.
        mask: whether the network reads which points are missing. Without it none may be, and series must be
            as long as a window.
        loss: "mae", "mse", "huber", "quantile", or the likelihood "gaussian", "student_t" or
            "negative_binomial" (for counts).
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
        validation: points at the end of each series that are held out: from the rehearsal, or, without
            `refit`, to choose the best weights; 0 for none. Of very many windows there, some are looked at,
            taken evenly: see `training.Plan.watched`.
        calibration: points at the very end of each series, behind those of validation, that are held out to
            measure intervals; None takes the points of validation for that too.
        patience: looks at the held-out windows without a better loss before training stops early; 0 for
            never.
        refit: whether a rehearsal that has not seen the points held out tells how well the network does, how
            wide its intervals are and which scaling it takes, and the members then learn from all points.
            None: yes, unless validation, calibration or patience is given.
        members: networks that are trained side by side, from different seeds and, where the window is
            chosen by rule, with different windows, and forecast together.
        combine: "mean" or "median" of the members.
        snapshots: so many of the best weights seen are averaged; 0 keeps the best alone.
        past_cols: columns of covariates that are known up to the end of a series.
        known_cols: columns of covariates that are known ahead; `predict` needs them for the horizon.
        static_cols: columns of covariates that do not change within a series.
        calendar: what the times tell, known ahead: "hour", "weekday", "month", ...; see `calendar.CALENDAR`.
        id_col: of a data frame: the column that tells the series apart.
        time_col: of a data frame: the column of the times.
        target_col: of a data frame: the column to forecast, or several: channels forecast together.
        layout: of a data frame: "long", one row a time of a series, or "wide", one column a series.
        freq: the step between times, such as "h", "D", "B", "MS"; None finds it.
        seed: of weights, order and dropout. The same seed gives the same numbers, on any number of threads.
        threads: at most so many; None for all processors.
        dtype: "float32" or "float64".
        progress: whether to show a bar on stderr; None: where stderr is a terminal.

    What is None is chosen by rule when fitting; `describe()` says how.

    Attributes:
        network_: the fitted Network, the first of several members.
        settings_: all that was chosen.
        history_: losses, checks, seconds and why training stopped, of the first member.
        histories_: the same of every member.
        report_: the network beside the baselines on the points held out; None without such points, or where
            `fit_more` learned from them.

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
        dilations: Sequence[int] | None = None,
        residual: bool = False,
        strategy: str = "direct",
        memory: str = "window",
        scaling: str | None = None,
        patch: int | None = None,
        skip: bool | None = None,
        mask: bool | None = None,
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
        calibration: int | None = None,
        patience: int | None = None,
        refit: bool | None = None,
        members: int | None = None,
        combine: str = "mean",
        snapshots: int = 0,
        past_cols: Sequence[str] = (),
        known_cols: Sequence[str] = (),
        static_cols: Sequence[str] = (),
        calendar: Sequence[str] = (),
        id_col: str | None = "unique_id",
        time_col: str | None = "ds",
        target_col: str | Sequence[str] = "y",
        layout: str = "long",
        freq: str | int | None = None,
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
        self.dilations = dilations
        self.residual = residual
        self.strategy = strategy
        self.memory = memory
        self.scaling = scaling
        self.patch = patch
        self.skip = skip
        self.mask = mask
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
        self.calibration = calibration
        self.patience = patience
        self.refit = refit
        self.members = members
        self.combine = combine
        self.snapshots = snapshots
        self.past_cols = past_cols
        self.known_cols = known_cols
        self.static_cols = static_cols
        self.calendar = calendar
        self.id_col = id_col
        self.time_col = time_col
        self.target_col = target_col
        self.layout = layout
        self.freq = freq
        self.seed = seed
        self.threads = threads
        self.dtype = dtype
        self.progress = progress

    def fit(
        self,
        y: object,
        unused: None = None,
        *,
        past: object = None,
        known: object = None,
        static: object = None,
        checkpoint: str | PathLike[str] | None = None,
        checkpoint_every_s: float = 30.0,
        watch: Watcher | None = None,
    ) -> Self:
        """Learn from one series or many.

        Shapes:
            y: [T] one series; [T, C] one series of C channels, forecast together; [S, T, C] S series of one
                length; a list of S series; a data frame.
            past, known: as y, with F columns in the place of C; static: [S, E].

        Args:
            y: numbers; NaN where a point is missing. It is not changed, and an array of the forecaster's
                dtype is read where it lies. Rows that a data frame lacks between two times are points
                that are missing.
            unused: what a `Pipeline` of scikit-learn hands on, None: a forecaster learns from the series
                alone.
            past: covariates of arrays and lists, known up to the end of each series.
            known: the same, known ahead; may go on behind the end of each series.
            static: covariates that do not change within a series; for a data frame they may come as a frame
                of their own, a row each series.
            checkpoint: a file in which the training is kept while it runs. Where it is there already, the
                training goes on from it, to the same result.
            checkpoint_every_s: seconds between two writings of it.
            watch: is told about the training as it goes.

        Returns:
            self, fitted.

        Raises:
            ArgumentError: an argument cannot work.
            DataError: the series or the covariates cannot be learned from.
            FileError: the checkpoint is of another training, or cannot be written.
            TrainingError: the loss became infinite or not a number.
        """
        _check_alone(unused)
        check_parameters(self.get_params())
        arguments = {name: _plain(value) for name, value in self.get_params().items()}
        panel = read_series(y, arguments, past=past, known=known, static=static)
        kept = None if checkpoint is None else (checkpoint, check_seconds(checkpoint_every_s))
        with progress_bar(self.progress, watch) as told:
            fitted = fit_model(panel, arguments, threads=self._threads, watch=told, checkpoint=kept)
        self._arguments = self.get_params()
        self._take(fitted, panel)
        return self

    def fit_more(
        self,
        y: object,
        *,
        steps: int | None = None,
        past: object = None,
        known: object = None,
        static: object = None,
        watch: Watcher | None = None,
    ) -> Self:
        """Go on learning from new or longer series, with the scaling and the encoding that are known.

        The optimizer begins anew with a lower rate. What follows the new series is forecast by `predict()`.

        Args:
            y: as for `fit`.
            steps: updates; None for a tenth of those of `fit`.
            past, known, static: as for `fit`.
            watch: as for `fit`.

        Returns:
            self.

        Raises:
            NotFittedError: `fit` has not run.
            ArgumentError: `steps` is not a whole number of at least 1.
            DataError: the series cannot be learned from.
            TrainingError: the loss became infinite or not a number.
        """
        self._must_be_fitted()
        if steps is not None:
            check_whole(steps=steps)
        arguments = {name: _plain(value) for name, value in self._arguments.items()}
        panel = read_series(y, arguments, past=past, known=known, static=static)
        with progress_bar(self.progress, watch) as told:
            fitted = fit_more(
                self._model,
                panel,
                arguments,
                self.settings_,
                steps=steps or max(1, self.settings_.steps // 10),
                known_as=self._known_as(panel),
                threads=self._threads,
                watch=told,
            )
        self._take(fitted, panel)
        return self

    def _take(self, fitted: Fitted, panel: Panel) -> None:
        """Keep what a training gave, and say what a person should know of it."""
        model, settings = fitted.model, fitted.settings
        self._model, self.settings_, self.histories_ = model, settings, fitted.histories
        self.network_, self.history_ = model.network, fitted.histories[0]
        points = int(panel.lengths.max()) if model.memory == "all" else settings.window
        self._tail = panel.tails(points)
        held_out = settings.held_out + settings.calibration
        self.report_ = None
        if fitted.judged is not None:
            self.report_ = compare_held_out(
                fitted.judged,
                panel,
                held_out=held_out,
                season=_plain(self.season),
                threads=self._threads,
                selected=bool(self.history_.checks) and settings.calibration < model.horizon,
            )
        self._tell(panel)

    def _tell(self, panel: Panel) -> None:
        """Warn once, by count and first names, of what was done about the series."""
        window = self.settings_.window
        if (short := np.flatnonzero(panel.lengths < window)).size:
            names = _names(panel.ids[s] for s in short[:3])
            warn(text("fit.padded", count=short.size, names=names, window=window))
        interrupted = [one for one in self.histories_ if one.stopped == "interrupted"]
        if interrupted:
            warn(text("fit.interrupted", step=interrupted[0].best_step))

    @property
    def _threads(self) -> int:
        return self.threads or default_threads()

    def predict(
        self,
        y: object = None,
        *,
        past: object = None,
        known: object = None,
        static: object = None,
        future: object = None,
        levels: Sequence[float] | None = None,
    ) -> Any:
        """Forecast the points that follow each series.

        Shapes:
            of the forecasts, as y was given: [T] -> [K]; [T, C] -> [K, C]; [S, T, C] -> [S, K, C]; a list of
                S series -> [S, K], with several channels [S, K, C]; a frame -> a frame.
            future: [K, F], [S, K, F], a list of S of them, or a frame.

        Args:
            y: series to continue instead of those that were fitted.
            past, known, static: covariates of y, as for `fit`.
            future: the covariates known ahead for the points that are forecast.
            levels: of intervals, in percent, such as (80, 95): calibrated on the points held out.

        Returns:
            Forecasts in the units of the series, in the caller's kind. With levels: an `Intervals`, or a
            frame with the columns y_hat_lo_80, y_hat_hi_80, ... beside y_hat.

        Raises:
            NotFittedError: `fit` has not run.
            ArgumentError: a level cannot be had.
            DataError: a series cannot be read, or a covariate is missing.
        """
        panel = self._to_continue(y, past=past, known=known, static=static, future=future)
        if levels is None:
            return answer(panel, self._model.forecast(panel, **self._how(panel)))
        wanted = check_levels(levels)
        outcome = self._model.outcome(panel, probabilistic=self._model.samples, **self._how(panel))
        calibration = self._calibration(wanted)
        bounds = {level: outcome.interval(level, calibration) for level in wanted}
        # Whoever asks for intervals too has the same point forecasts, sampled or not, to the last bit.
        point = self._model.forecast(panel, **self._how(panel))
        return interval_answer(panel, point, bounds)

    def predict_quantiles(
        self,
        y: object = None,
        *,
        quantiles: Sequence[float] | None = None,
        past: object = None,
        known: object = None,
        static: object = None,
        future: object = None,
    ) -> Array:
        """Forecast quantiles of the points that follow each series, as the loss learned them.

        Shapes:
            the forecasts: [S, K, C, Q], always.

        Args:
            y, past, known, static, future: as for `predict`.
            quantiles: rising, each between 0 and 1; None for those of the forecaster.

        Raises:
            NotFittedError: `fit` has not run.
            ArgumentError: the loss gives no quantiles, or not these.
            DataError: as for `predict`.
        """
        self._must_be_fitted()
        head = self._model.head
        if not head.is_probabilistic:
            raise ArgumentError(fault("predict.no-quantiles", loss=head.loss))
        wanted = check_quantiles(quantiles, head.quantiles or _QUANTILES)
        panel = self._to_continue(y, past=past, known=known, static=static, future=future)
        return self._model.outcome(panel, probabilistic=True, **self._how(panel)).quantiles(wanted)

    def sample(
        self,
        n: int = 100,
        y: object = None,
        *,
        seed: int = 0,
        past: object = None,
        known: object = None,
        static: object = None,
        future: object = None,
    ) -> Array:
        """Draw sample paths of the points that follow each series: each feeds its own samples back.

        Shapes:
            the paths: [S, n, K, C], always.

        Args:
            n: paths for each series.
            y, past, known, static, future: as for `predict`.
            seed: of the samples; those of a series follow from it and from the name of the series.

        Raises:
            NotFittedError: `fit` has not run.
            ArgumentError: the loss says nothing of the spread, or the strategy is not "recursive".
            DataError: as for `predict`.
        """
        check_whole(1, 1_000_000, n=n)
        check_whole(0, 2**32 - 1, seed=seed)
        panel = self._to_continue(y, past=past, known=known, static=static, future=future)
        return self._model.sample(panel, n, seed=seed, known_as=self._known_as(panel))

    def stream(self, history: object, *, levels: Sequence[float] | None = None) -> ForecastStream:
        """Return a forecast that goes on with every point that arrives.

        Shapes:
            history: [T] or [T, C]; or a data frame of one series.

        Args:
            history: what is known of one series so far.
            levels: of intervals that every forecast has, as for `predict`.

        Raises:
            NotFittedError: `fit` has not run.
            DataError: the history cannot be read, holds several series, or covariates are needed.
        """
        panel = self._to_continue(history)
        wanted = () if levels is None else check_levels(levels)
        calibration: Any = self._calibration(wanted) if wanted else None
        for level in wanted:
            calibration.margin(level)  # what cannot be had is said now, not when a point has arrived
        how = self._how(panel)
        return ForecastStream(self._model, panel, levels=wanted, calibration=calibration, **how)

    def spans(self, y: object = None) -> list[Span]:
        """Tell from when to when each covariate is needed to forecast: a dry run.

        Args:
            y: series to continue instead of those that were fitted; of a data frame with its columns.

        Raises:
            NotFittedError: `fit` has not run.
        """
        self._must_be_fitted()
        panel = self._tail if y is None else read_series(y, self._arguments)
        encoder = self._model.encoder
        if encoder is None:
            return []
        window = None if self._model.memory == "all" else self.settings_.window
        return spans(panel, encoder, panel.covariates, window=window, horizon=self._model.horizon)

    def score(self, y: object, unused: None = None) -> float:
        """Return how well the fitted series are continued: minus the mean absolute error, so more is better.

        It is what `GridSearchCV` of scikit-learn asks of the points behind those that it had us fit, with
        `cv=TimeSeriesSplit(...)`. `backtest` says more, and to people.

        Formula::

            - mean |y_hat - y| over all points of y; forecasts from the origins 0, K, 2K, ... of y

        Shapes:
            y: as for `fit`.

        Args:
            y: what came right after the fitted series. A forecast from an origin reads the fitted ends and
                what of y lies before it.
            unused: as for `fit`.

        Raises:
            NotFittedError: `fit` has not run.
            ArgumentError: covariates are needed, or `unused` is not None.
            DataError: y does not continue the fitted series.

        Example:
            >>> y = np.sin(np.arange(120) * 2 * np.pi / 12)
            >>> model = Forecaster(3, season=12, steps=50).fit(y[:100])
            >>> model.score(y[100:]) <= 0
            True
        """
        self._must_be_fitted()
        _check_alone(unused)
        encoder = self._model.encoder
        if encoder is not None and encoder.codes:
            columns = ", ".join(code.name for code in encoder.codes)
            raise ArgumentError(fault("score.covariates", columns=columns))
        later = read_series(y, self._arguments)
        return -rolling_error(self._model, self._tail, later, threads=self._threads)

    def backtest(
        self,
        y: object,
        *,
        past: object = None,
        known: object = None,
        static: object = None,
        **options: Any,
    ) -> Backtest:
        """Forecast the past from rolling origins, beside baselines; see `evaluation.backtest`.

        Every fold is fitted on what lies before its origin alone: scaling, encoding, early stopping and
        calibration too. This forecaster stays as it is.

        Args:
            y, past, known, static: as for `fit`.
            options: those of `evaluation.backtest`: folds, step, refit, levels, baselines, jobs, ...

        Raises:
            ArgumentError: an option cannot work.
            DataError: no series is long enough.

        Example:
            >>> y = np.sin(np.arange(120) * 2 * np.pi / 12)
            >>> Forecaster(3, season=12, steps=20).backtest(y, folds=2).n_done
            2
        """
        from unrolled.evaluation import backtest

        check_parameters(self.get_params())
        panel = read_series(y, self.get_params(), past=past, known=known, static=static)
        return backtest(self, panel, **options)

    def explain(
        self,
        y: object = None,
        *,
        series: Sequence[str] | None = None,
        member: int = 0,
        windows: int = 32,
        training: bool = False,
        past: object = None,
        known: object = None,
        static: object = None,
        title: str | None = None,
    ) -> Report:
        """Return what can be said about one of the networks: see docs/glass-box.md.

        Args:
            y: series to explain it on; what was learnt from and what was held out is told of those that were
                fitted. None: the ends of these, a window each.
            series: names of series; None: the first few.
            member: which of the networks.
            windows: of the series, at most so many.
            training: whether the network is trained once more, to watch its gradients; y is then the series
                that were fitted.
            past, known, static: covariates of y, as for `fit`.
            title: of the report; None: the names of the series.

        Returns:
            The report: shown by a notebook, told by `text()`, kept by `save()`, seen by `open()`.

        Raises:
            NotFittedError: `fit` has not run.
            ArgumentError: there is no such series or member, no window is asked for, or `training` without
                series.
            DataError: as for `predict`.
        """
        from unrolled.doctor.own import with_checkup
        from unrolled.explain import Fit, explain
        from unrolled.explain.whole import numbers_of

        if training and y is None:
            raise ArgumentError(fault("glass.training"))
        panel = self._to_continue(y, past=past, known=known, static=static)
        arguments = {name: _plain(value) for name, value in self._arguments.items()}
        report = explain(
            self._model,
            panel,
            fit=Fit(arguments, self.settings_, self._tail),
            series=None if series is None else numbers_of(panel, series),
            member=member,
            windows=windows,
            known_as=self._known_as(panel),
            training=training,
            title=title,
            threads=self._threads,
            progress=self.progress,
        )
        return with_checkup(report)

    def readings(
        self,
        y: object = None,
        *,
        past: object = None,
        known: object = None,
        static: object = None,
        future: object = None,
    ) -> Reading:
        """Return what an exported model reads to forecast the points that follow each series.

        Args:
            y, past, known, static, future: as for `predict`.

        Returns:
            The windows and their encoded covariates, as arrays under the names of the inputs of `to_torch`
            and `to_onnx`; `inputs()` of it is a dictionary.

        Raises:
            NotFittedError: `fit` has not run.
            DataError: as for `predict`; or whole series are read (memory "all") that are not of one length.
        """
        from unrolled.interop import readings

        panel = self._to_continue(y, past=past, known=known, static=static, future=future)
        return readings(self._model, panel, known_as=self._known_as(panel))

    def to_torch(self) -> Any:
        """Return the fitted networks as one `torch.nn.Module` with the same numbers; see docs/interop.md.

        Raises:
            NotFittedError: `fit` has not run.
            ArgumentError: PyTorch is not installed, or the forecast cannot be said in its operations.
        """
        from unrolled.interop import to_torch

        self._must_be_fitted()
        return to_torch(self._model)

    def to_onnx(self, path: str | PathLike[str]) -> None:
        """Write the fitted networks as one ONNX file with the same numbers; see docs/interop.md.

        The file is tried in onnxruntime on the ends of the fitted series before it is kept.

        Args:
            path: of the file; it is replaced at once or not at all.

        Raises:
            NotFittedError: `fit` has not run.
            ArgumentError: onnx or onnxruntime is not installed, or the forecast cannot be said in its
                operations.
            FileError: the file gives other numbers than the forecaster, or cannot be written.
        """
        from unrolled.interop import to_onnx

        self._must_be_fitted()
        to_onnx(self._model, path, sample=self._tail)

    def _to_continue(self, y: object, **covariates: object) -> Panel:
        """Return the series to forecast: those given, else the ends of those fitted."""
        self._must_be_fitted()
        future = covariates.pop("future", None)
        if y is not None:
            panel = read_series(y, self._arguments, **covariates)
        elif any(one is not None for one in covariates.values()):
            raise ArgumentError(fault("predict.covariates-alone"))
        else:
            panel = self._tail
        return panel if future is None else continued(panel, future, horizon=self._model.horizon)

    def _how(self, panel: Panel) -> dict[str, Any]:
        """Return how the model forecasts a panel."""
        return {"threads": self._threads, "known_as": self._known_as(panel)}

    def _calibration(self, levels: Sequence[float]) -> Any:
        """Return what intervals of these levels are measured by.

        Raises:
            ArgumentError: nothing was held out.
        """
        if self._model.calibration is None:
            raise ArgumentError(fault("predict.no-calibration", levels=levels, horizon=self._model.horizon))
        return self._model.calibration

    def _known_as(self, panel: Panel) -> NDArray[np.int64] | None:
        """Return the number that each series had when fitting, by its name; None for the same in order."""
        if self._model.scaler is None or panel.ids == self._tail.ids:
            return None
        numbers = {str(name): number for number, name in enumerate(self._tail.ids)}
        found = [numbers.get(str(name)) for name in panel.ids]
        if None in found or (panel.kind != "frame" and panel.n_series != self._tail.n_series):
            raise DataError(fault("predict.series-scaling", expected=self._tail.n_series, got=panel.n_series))
        return np.array(found, np.int64)

    @property
    def ends_(self) -> Panel:
        """The ends of the series that were fitted: what `predict()` continues.

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
            path, artefact.Parts(self._arguments, self.settings_, self.histories_, self._model, self._tail)
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
        self = cls(**{name: _plain(value) for name, value in parts.arguments.items()})
        self.settings_, self.histories_, self.report_ = parts.settings, parts.histories, None
        self._model, self._tail, self.network_ = parts.model, parts.tail, parts.model.network
        self.history_ = parts.histories[0]
        self._arguments = self.get_params()
        return self


def _check_alone(unused: object) -> None:
    """Refuse a second argument, which would be a target: a forecaster has none but the series.

    Raises:
        ArgumentError: it is not None.
    """
    if unused is not None:
        raise ArgumentError(fault("fit.target", got=type(unused).__name__))


def _names(ids: Iterable[object]) -> str:
    return ", ".join(map(str, ids))


def _plain(value: Any) -> Any:
    """Turn NumPy's numbers into Python's, which do not overflow, and every sequence into a tuple."""
    if isinstance(value, np.generic):
        return value.item()
    return tuple(map(_plain, value)) if isinstance(value, (list, tuple, np.ndarray)) else value
