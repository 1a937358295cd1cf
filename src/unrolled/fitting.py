"""From a panel and arguments to trained networks: rules, rehearsal, training, calibration.

    panel -> Settings -> rehearsal, which does not see the last points -> scaling, intervals, report
                      -> members, which learn from all points           -> Model

Where the points held out choose the weights there is no rehearsal: the members do not learn from them, and
measure the intervals themselves. Knows everything below the estimator; must not know kinds of answers, files
or a terminal.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from unrolled.checkpoint import Checkpoint
from unrolled.conformal import Calibration
from unrolled.engine import Learning, Trainer
from unrolled.ensemble import Book, Lesson, train_members
from unrolled.jobs import Job, check_values, divide, prepare, reach, seeds_of, table_of
from unrolled.messages import text
from unrolled.plans import History, Plan, plan_more
from unrolled.rules import Settings, check_lengths, settle
from unrolled.tables import Cut
from unrolled.training import train

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from os import PathLike

    from numpy.typing import NDArray

    from unrolled.engine import Array
    from unrolled.model import Model
    from unrolled.network import Network
    from unrolled.panel import Panel
    from unrolled.training import TrainingState, Watcher

_CALIBRATED = 1_000
"""Windows that intervals are measured by at the most; of more, so many are taken evenly."""

_NUMBERS = 2_000_000
"""Numbers that are kept of them at the most."""

_REHEARSED, _LEAST_REHEARSED = 3, 500
"""A rehearsal takes one of so many updates of the training, or these where that is fewer."""


class Fitted(NamedTuple):
    """What came of a training.

    Attributes:
        model: ready to forecast.
        settings: all that was chosen.
        histories: of each member.
        judged: the model that has not learned from the points held out; they tell how well it does. None
            where every model has.
    """

    model: Model
    settings: Settings
    histories: list[History]
    judged: Model | None


@dataclass(frozen=True)
class _Manner:
    """How a fit is carried out, the same for all its trainings.

    Attributes:
        threads: at most so many, of all members together.
        watch: is told how it goes.
        book: where states are kept.
        updates: of all trainings together.
    """

    threads: int
    watch: Watcher | None = None
    book: Book | None = None
    updates: int = 0


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
    settings = _settings(panel, arguments)
    rehearsals = _rehearsals(panel, arguments, settings)
    job = None if rehearsals else prepare(panel, arguments, settings)
    updates = settings.steps * settings.members + sum(one.settings.steps for one in rehearsals)
    manner = _Manner(threads, watch, updates=updates)
    if checkpoint is not None:
        name = (job or rehearsals[0]).fingerprint
        manner = replace(manner, book=Book(Checkpoint(*checkpoint, name), len(rehearsals) + settings.members))
    if job is not None:
        return _with_intervals(_trained([job], manner)[0], job, threads)
    rehearsed = _trained(rehearsals, manner)
    if any(not one.histories or one.histories[0].stopped == "interrupted" for one in rehearsed):
        best = int(np.argmax([sum(len(each.losses) for each in one.histories) for one in rehearsed]))
        return _instead(_with_intervals(rehearsed[best], rehearsals[best], threads))
    best, settings = _best(rehearsals, rehearsed, settings, threads)
    judged = _with_intervals(rehearsed[best], rehearsals[best], threads)
    job = prepare(panel, arguments, replace(settings, held_out=0, calibration=0))
    try:
        fitted = _trained([job], manner, after=len(rehearsals))[0]
    except KeyboardInterrupt:  # no member has taken a step
        return _instead(judged)
    model = replace(fitted.model, calibration=judged.model.calibration)
    return Fitted(model, settings, fitted.histories, judged.model)


def _instead(rehearsed: Fitted) -> Fitted:
    """Return a rehearsal as what came of an interrupted fit, without reasons that do not hold for it."""
    others = ("members", "windows", "steps", "scaling")
    reasons = {name: why for name, why in rehearsed.settings.reasons.items() if name not in others}
    histories = [replace(history, stopped="interrupted") for history in rehearsed.histories]
    return rehearsed._replace(settings=replace(rehearsed.settings, reasons=reasons), histories=histories)


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
    own = replace(settings, members=len(fitted.networks), windows=fitted.windows)
    if settings.refit:
        own = replace(own, held_out=0, calibration=0)
    check_lengths(own, panel.lengths, panel.ids, at_once=reach(arguments))
    check_values(panel, own, arguments["loss"])
    scaler = fitted.scaler_of(known_as)
    networks = tuple(copy.copy(network) for network in fitted.networks)
    model = replace(fitted, networks=networks, scaler=scaler)
    table = table_of(panel, scaler, fitted.encoder)
    windows = divide(panel, own, arguments)
    job = Job(arguments, own, windows, table, model, seeds_of(arguments, own.members), panel.ids)
    more = _trained([job], _Manner(threads, watch, updates=steps * len(networks)), steps=steps)[0]
    calibration = _calibrate(more.model, job, threads) or fitted.calibration
    whole = replace(more.model, calibration=calibration)
    return Fitted(whole, settings, more.histories, None if settings.refit else whole)


def train_again(
    panel: Panel,
    arguments: Mapping[str, Any],
    settings: Settings,
    *,
    member: int = 0,
    threads: int,
    watch: Watcher | None = None,
    look: Callable[[int, Array], None] | None = None,
) -> tuple[Network, History]:
    """Train one member of a fit once more: it gets the same weights, bit by bit.

    Args:
        panel: the series that the fit learned from.
        arguments: of the estimator, checked.
        settings: what the fit has chosen.
        member: which of the networks.
        threads: at most so many.
        watch: is told how it goes.
        look: is given the number of updates and the weights, one after another: before the first update, and
            at multiples of `Plan.check_every`, the last update's among them.

    Returns:
        The network with the weights that are kept, and what happened.

    Raises:
        ArgumentError, DataError: the panel is not one that the fit learned from.
        KeyboardInterrupt: Ctrl-C before the first update.
    """
    own = replace(settings, held_out=0, calibration=0) if settings.refit else settings
    job = prepare(panel, arguments, own)
    lesson = _lesson(job, member, _Manner(threads, watch, updates=settings.steps), threads=threads)
    network, every = job.model.networks[member], lesson.plan.check_every
    if look is not None:
        look(0, network.engine.read())

    def keep(state: TrainingState) -> None:
        if look is not None and (state.steps % every == 0 or state.steps == lesson.plan.steps):
            look(state.steps, state.weights)

    history = train(*lesson, names=job.names, watch=watch, keep=keep, keep_every_s=0.0)
    return network, history


def _settings(panel: Panel, arguments: Mapping[str, Any]) -> Settings:
    """Choose what was not given."""
    return settle(
        arguments,
        panel.lengths,
        horizon=int(arguments["horizon"]),
        at_once=reach(arguments),
        season=arguments["season"],
        missing=panel.n_missing > 0,
        known_ahead=bool(arguments["calendar"]) or bool(panel.covariates and panel.covariates.known),
    )


def _rehearsals(panel: Panel, arguments: Mapping[str, Any], settings: Settings) -> list[Job]:
    """Return the trainings of one member each that do not see the points held out; none where none are."""
    if not settings.refit or not settings.held_out + settings.calibration:
        return []
    steps = min(settings.steps, max(_LEAST_REHEARSED, settings.steps // _REHEARSED))
    alone = replace(settings, members=1, windows=(), steps=steps)
    scalings = settings.scalings or (settings.scaling,)
    return [prepare(panel, arguments, replace(alone, scaling=scaling)) for scaling in scalings]


def _best(
    jobs: Sequence[Job], rehearsed: Sequence[Fitted], settings: Settings, threads: int
) -> tuple[int, Settings]:
    """Return which rehearsal forecast the points held out best, and the settings with what it tells."""
    if len(jobs) == 1:
        return 0, settings
    errors = [_error(one.model, job, threads) for one, job in zip(rehearsed, jobs, strict=True)]
    if np.isnan(errors).all():  # no point held out is observed
        return 0, settings
    best = int(np.nanargmin(errors))
    scaling = jobs[best].settings.scaling
    told = ", ".join(f"{job.settings.scaling} {error:.4g}" for job, error in zip(jobs, errors, strict=True))
    why = text("rule.scaling-rehearsed", value=scaling, errors=told)
    return best, replace(settings, scaling=scaling, reasons={**settings.reasons, "scaling": why})


def _error(model: Model, job: Job, threads: int) -> float:
    """Return the mean absolute error of forecasts of the windows held out, in deviations of their windows.

    It is not a number where none of the points is observed.
    """
    cut = Cut(job.table, *job.windows[0].validation.some(_CALIBRATED))
    outcome = model.after(cut, threads=threads)
    actual = _actual(model, cut)
    scale = model.scaling_of(cut, "standard").scale
    errors = np.abs(outcome.point() - actual) / scale[:, None]
    seen = np.isfinite(actual)
    return float(errors[seen].mean()) if seen.any() else float("nan")


def _actual(model: Model, cut: Cut) -> Array:
    """Return what came after windows of a table, [n, K, C]."""
    first = cut.table.offsets[cut.series] + cut.starts + model.windowing.window
    came: Array = cut.table.values[first[:, None] + np.arange(model.horizon)]
    return came


def _plan(job: Job, manner: _Manner, seed: int) -> Plan:
    """Return how long and how fast to train."""
    settings, arguments = job.settings, job.arguments
    return Plan(
        steps=settings.steps,
        batch_size=settings.batch_size,
        lr=settings.lr,
        schedule=settings.schedule,
        shuffle=arguments["shuffle"],
        seed=seed,
        check_every=max(1, settings.steps // 50),
        patience=settings.patience,
        snapshots=arguments["snapshots"],
        together=manner.updates,
    )


def _trained(
    jobs: Sequence[Job], manner: _Manner, *, after: int = 0, steps: int | None = None
) -> list[Fitted]:
    """Train all members of all jobs side by side; keep those that learned something.

    Args:
        jobs: what is to be trained.
        manner: how.
        after: trainings of the same fit that came before.
        steps: updates of networks that go on; None: they begin.
    """
    count = sum(len(job.model.networks) for job in jobs)
    lessons = []
    for job in jobs:
        for member in range(len(job.model.networks)):
            lesson = _lesson(job, member, manner, threads=max(1, manner.threads // count))
            plan = lesson.plan if steps is None else plan_more(lesson.plan, steps=steps)
            lessons.append(lesson._replace(plan=plan))
    histories = train_members(
        lessons,
        threads=manner.threads,
        watch=manner.watch,
        names=jobs[0].names,
        book=manner.book,
        after=after,
    )
    found = iter(histories)
    return [_kept(job, [next(found) for _ in job.model.networks]) for job in jobs]


def _lesson(job: Job, member: int, manner: _Manner, *, threads: int) -> Lesson:
    """Return what one member learns from, and how."""
    windows = job.windows[member]
    trainer = Trainer(
        job.model.networks[member].engine,
        job.table,
        windowing=job.model.windowings[member],
        learning=_learning(job),
        threads=threads,
        seed=job.seeds[member],
    )
    # A rehearsal leaves the points held out to be judged by, and looks at none of them.
    validation = None if job.settings.refit else windows.validation
    return Lesson(trainer, windows.train, validation, _plan(job, manner, job.seeds[member]))


def _learning(job: Job) -> Learning:
    """Return how weights are learned."""
    arguments, settings, head = job.arguments, job.settings, job.model.head
    return Learning(
        loss=head.loss,
        delta=arguments["delta"],
        quantiles=head.quantiles,
        optimizer=settings.optimizer,
        momentum=arguments["momentum"],
        weight_decay=settings.weight_decay,
        clip=arguments["clip"] or 0.0,
    )


def _kept(job: Job, histories: Sequence[History]) -> Fitted:
    """Return the model of those members that learned something."""
    learned = [number for number, history in enumerate(histories) if history.losses]
    model = job.model
    if len(learned) < len(histories):
        networks = tuple(model.networks[number] for number in learned)
        windows = tuple(model.windows[number] for number in learned) if model.windows else ()
        model = replace(model, networks=networks, windows=windows)
    return Fitted(model, job.settings, [histories[number] for number in learned], model)


def _with_intervals(fitted: Fitted, job: Job, threads: int) -> Fitted:
    """Return the same with what intervals are measured by."""
    model = replace(fitted.model, calibration=_calibrate(fitted.model, job, threads))
    return fitted._replace(model=model, judged=model)


def _calibrate(model: Model, job: Job, threads: int) -> Calibration | None:
    """Measure the errors of whole forecasts on the windows for it; None where there are none."""
    shape = model.horizon * job.table.values.shape[1] * (model.head.width + 1)
    cut = Cut(job.table, *job.windows[0].calibration.some(max(1, min(_CALIBRATED, _NUMBERS // shape))))
    if not cut.series.size:
        return None
    outcome = model.after(cut, threads=threads, probabilistic=model.samples)
    scaled = outcome.scaling.apply(_actual(model, cut))
    return Calibration(outcome.head, outcome.outputs, scaled, scale=outcome.scaling.scale)
