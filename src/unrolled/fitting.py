"""From a panel and arguments to trained networks: rules, windows, scaling, encoding, training, calibration.

    panel -> Settings -> windows (train | validation | calibration) -> Table -> members -> Model

Nothing behind the training part of a series has an influence on scaling or encoding. Knows everything below
the estimator; must not know kinds of answers, files or a terminal.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from unrolled.checkpoint import Checkpoint, fingerprint
from unrolled.conformal import Calibration
from unrolled.encoding import Encoder
from unrolled.engine import Learning, Table, Trainer, Windowing
from unrolled.ensemble import train_members
from unrolled.errors import DataError, fault
from unrolled.heads import Head
from unrolled.model import Model
from unrolled.network import Network, NetworkSpec, initial_weights
from unrolled.plans import History, Plan, plan_more
from unrolled.rules import Settings, check_lengths, settle
from unrolled.scaling import SeriesScaling
from unrolled.tables import check_positive, with_features
from unrolled.windows import Divided, divide_windows

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    from numpy.typing import NDArray

    from unrolled.panel import Panel
    from unrolled.training import Watcher

_CALIBRATED = 1_000
"""Windows that intervals are measured by at the most; of more, so many are taken evenly."""

_NUMBERS = 2_000_000
"""Numbers that are kept of them at the most."""

_SEEDS = 2**32


class Fitted(NamedTuple):
    """What came of a training.

    Attributes:
        model: ready to forecast.
        settings: all that was chosen.
        histories: of each member.
    """

    model: Model
    settings: Settings
    histories: list[History]


@dataclass(frozen=True, eq=False)
class Job:
    """A panel made ready to be learned from.

    Attributes:
        arguments: of the estimator, by name, plain.
        settings: all that was chosen.
        windows: which windows are for what.
        table: what the windows are cut from: scaled, encoded.
        model: how the networks are used; its networks have their first weights.
        names: of the series.
    """

    arguments: Mapping[str, Any]
    settings: Settings
    windows: Divided
    table: Table
    model: Model
    names: tuple[object, ...]


def fit_model(
    panel: Panel,
    arguments: Mapping[str, Any],
    *,
    threads: int,
    watch: Watcher | None = None,
    checkpoint: tuple[str | PathLike[str], float] | None = None,
) -> Fitted:
    """Train networks on a panel.

    Args:
        panel: the series, with their covariates.
        arguments: of the estimator, checked.
        threads: at most so many, of all members together.
        watch: is told how it goes.
        checkpoint: the file in which the training is kept and that it goes on from, and the seconds between
            two writings.

    Raises:
        ArgumentError: arguments do not fit the series.
        DataError: the series cannot be learned from.
        FileError: the checkpoint is of another training, or cannot be written.
        TrainingError: the loss became infinite or not a number.
    """
    job = prepare(panel, arguments)
    book = None if checkpoint is None else Checkpoint(*checkpoint, _name_of(job))
    histories, kept = _train(job, _plan(job), threads=threads, watch=watch, checkpoint=book)
    model = replace(job.model, networks=kept)
    calibrated = replace(model, calibration=_calibrate(model, job, threads))
    return Fitted(calibrated, job.settings, histories)


def fit_more(
    fitted: Model,
    panel: Panel,
    arguments: Mapping[str, Any],
    settings: Settings,
    *,
    steps: int,
    known_as: NDArray[np.int64] | None,
    threads: int,
    watch: Watcher | None = None,
) -> Fitted:
    """Go on training fitted networks on a panel, with the scaling and the encoding that they know.

    Args:
        fitted: what is gone on with; it stays as it is.
        panel: the series to learn from now.
        arguments: of the estimator.
        settings: those of the first training.
        steps: updates.
        known_as: where series were scaled once, the number that each had then; None: the same order.
        threads: at most so many, of all members together.
        watch: is told how it goes.

    Raises:
        DataError: the series cannot be learned from.
        TrainingError: the loss became infinite or not a number.
    """
    fitted.check(panel)
    at_once = reach(arguments)
    check_lengths(settings, panel.lengths, panel.ids, at_once=at_once)
    _check_values(panel, settings, arguments["loss"])
    windows = _divide(panel, settings, horizon=fitted.horizon, at_once=at_once)
    scaler = fitted.scaler
    if scaler is not None and known_as is not None:
        scaler = scaler.of(known_as)
    table = _table(panel, scaler, fitted.encoder)
    networks = tuple(copy.copy(network) for network in fitted.networks)
    model = replace(fitted, networks=networks, scaler=scaler)
    job = Job(arguments, settings, windows, table, model, panel.ids)
    plan = plan_more(_plan(job), steps=steps)
    histories, kept = _train(job, plan, threads=threads, watch=watch, checkpoint=None)
    model = replace(model, networks=kept)
    calibration = _calibrate(model, job, threads) or fitted.calibration
    return Fitted(replace(model, calibration=calibration), settings, histories)


def prepare(panel: Panel, arguments: Mapping[str, Any]) -> Job:
    """Choose what was not given, divide the windows, scale and encode, and make the networks."""
    horizon, at_once = int(arguments["horizon"]), reach(arguments)
    known_ahead = bool(arguments["calendar"]) or bool(panel.covariates and panel.covariates.known)
    settings = settle(
        arguments,
        panel.lengths,
        horizon=horizon,
        at_once=at_once,
        season=arguments["season"],
        missing=panel.n_missing > 0,
        known_ahead=known_ahead,
    )
    check_lengths(settings, panel.lengths, panel.ids, at_once=at_once)
    _check_values(panel, settings, arguments["loss"])
    windows = _divide(panel, settings, horizon=horizon, at_once=at_once)
    held_out = np.where(_divided(windows), settings.held_out + settings.calibration, 0)
    encoder = None
    if panel.covariates is not None or arguments["calendar"]:
        encoder = Encoder.fit(panel, panel.covariates, arguments["calendar"], held_out=held_out)
    scaler = None
    if settings.scaling == "series":
        scaler = SeriesScaling.fit(panel.values, panel.offsets, held_out=held_out)
    table = _table(panel, scaler, encoder)
    model = _make_model(panel, table, arguments, settings, scaler, encoder)
    return Job(arguments, settings, windows, table, model, panel.ids)


def reach(arguments: Mapping[str, Any]) -> int:
    """Return how many points the network forecasts at once."""
    return int(arguments["horizon"]) if arguments["strategy"] == "direct" else 1


def _divide(panel: Panel, settings: Settings, *, horizon: int, at_once: int) -> Divided:
    return divide_windows(
        panel.lengths,
        window=settings.window,
        at_once=at_once,
        horizon=horizon,
        validation=settings.held_out,
        calibration=settings.calibration,
        padded=settings.mask,
    )


def _divided(windows: Divided) -> NDArray[np.bool_]:
    """Whether a series has windows that are held out, [S]."""
    return (windows.validation.counts > 0) | (windows.calibration.counts > 0)


def _check_values(panel: Panel, settings: Settings, loss: str) -> None:
    """Refuse values that the scaling or the loss cannot take.

    Raises:
        DataError: naming the first of them; or a point is missing where none may be.
    """
    if settings.scaling == "log":
        check_positive(panel, "log")
    if loss == "negative_binomial" and bool((panel.values < 0).any()):
        raise DataError(fault("data.not-counts", least=float(np.nanmin(panel.values))))
    if panel.n_missing and not settings.mask:
        found = panel.missing_series()
        raise DataError(fault("fit.missing", count=found.values, series=found.first[0][0]))


def _table(panel: Panel, scaler: SeriesScaling | None, encoder: Encoder | None) -> Table:
    """Return what the windows are cut from."""
    values = panel.values if scaler is None else scaler.apply(panel.values, panel.offsets)
    table = Table(values, panel.offsets)
    return table if encoder is None else with_features(table, encoder, panel, horizon=0)


def _make_model(
    panel: Panel,
    table: Table,
    arguments: Mapping[str, Any],
    settings: Settings,
    scaler: SeriesScaling | None,
    encoder: Encoder | None,
) -> Model:
    """Make the networks with their first weights, and say how they are used."""
    head = Head(arguments["loss"], tuple(float(level) for level in arguments["quantiles"] or ()))
    at_once, patch = reach(arguments), settings.patch
    per_point = panel.n_channels * (1 + settings.mask)
    per_point += 0 if table.features is None else table.features.shape[1]
    statics = 0 if table.static is None else table.static.shape[1]
    steps = settings.window // patch + settings.ahead
    spec = NetworkSpec(
        cell=arguments["cell"],
        input_size=patch * per_point + statics,
        hidden_size=settings.hidden_size,
        num_layers=int(arguments["num_layers"]),
        output_size=at_once * panel.n_channels * head.width,
        skip_steps=steps if settings.skip else 0,
        skip_inputs=patch * per_point if settings.skip and statics else None,
        dropout=arguments["dropout"],
        dilations=tuple(arguments["dilations"] or ()),
        residual=arguments["residual"],
    )
    windowing = Windowing(
        window=settings.window,
        horizon=at_once,
        patch=patch,
        scaling="none" if scaler else settings.scaling,
        mask=settings.mask,
        ahead=settings.ahead,
    )
    seeds = [(arguments["seed"] + member) % _SEEDS for member in range(arguments["members"])]
    networks = tuple(Network(spec, initial_weights(spec, seed), dtype=arguments["dtype"]) for seed in seeds)
    return Model(
        networks,
        windowing,
        int(arguments["horizon"]),
        head,
        scaler,
        encoder,
        arguments["combine"],
        arguments["memory"],
    )


def _name_of(job: Job) -> str:
    """Return the name of a training, by which its checkpoint is known."""
    table = job.table
    arrays = (table.values, table.offsets, table.features, table.feature_offsets, table.static)
    return fingerprint(job.arguments, arrays, job.model.network.spec, job.model.windowing, table.known)


def _plan(job: Job) -> Plan:
    """Return how long and how fast to train."""
    settings, arguments = job.settings, job.arguments
    return Plan(
        steps=settings.steps,
        batch_size=settings.batch_size,
        lr=settings.lr,
        schedule=settings.schedule,
        shuffle=arguments["shuffle"],
        check_every=max(1, settings.steps // 50),
        patience=settings.patience,
        snapshots=arguments["snapshots"],
    )


def _train(
    job: Job, plan: Plan, *, threads: int, watch: Watcher | None, checkpoint: Checkpoint | None
) -> tuple[list[History], tuple[Network, ...]]:
    """Train all members; return what happened, and those that learned something."""
    arguments, settings, model = job.arguments, job.settings, job.model
    learning = Learning(
        loss=model.head.loss,
        delta=arguments["delta"],
        quantiles=model.head.quantiles,
        optimizer=settings.optimizer,
        momentum=arguments["momentum"],
        weight_decay=settings.weight_decay,
        clip=arguments["clip"] or 0.0,
    )
    members = len(model.networks)
    seeds = [(arguments["seed"] + member) % _SEEDS for member in range(members)]
    trainers = [
        Trainer(
            network.engine,
            job.table,
            windowing=model.windowing,
            learning=learning,
            threads=max(1, threads // members),
            seed=seed,
        )
        for network, seed in zip(model.networks, seeds, strict=True)
    ]
    histories = train_members(
        trainers,
        job.windows.train,
        job.windows.validation,
        [replace(plan, seed=seed) for seed in seeds],
        threads=threads,
        watch=watch,
        names=job.names,
        checkpoint=checkpoint,
    )
    kept = [n for n, history in zip(model.networks, histories, strict=True) if history.losses]
    return [history for history in histories if history.losses], tuple(kept)


def _calibrate(model: Model, job: Job, threads: int) -> Calibration | None:
    """Measure the errors of whole forecasts on the windows for it; None where there are none."""
    shape = model.horizon * job.table.values.shape[1] * (model.head.width + 1)
    series, starts = job.windows.calibration.some(max(1, min(_CALIBRATED, _NUMBERS // shape)))
    if not series.size:
        return None
    outcome = model.after(job.table, series, starts, threads=threads, probabilistic=model.samples)
    first = job.table.offsets[series] + starts + model.windowing.window
    actual = job.table.values[first[:, None] + np.arange(model.horizon)]
    scaled = outcome.scaling.apply(actual)
    return Calibration(outcome.head, outcome.outputs, scaled, scale=outcome.scaling.scale)
