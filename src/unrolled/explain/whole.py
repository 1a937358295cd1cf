"""A whole report of a fitted model on real series: every explanation asked, every answer kept.

    Model, panel -> Subject -> ledger, trace, memory, forecasts, split, batch -> sentences -> Report

Knows explanations; must not know how a forecaster is made, nor how a report is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.errors import ArgumentError, fault, nearest
from unrolled.explain.anatomy import forecast_facts
from unrolled.explain.batches import batch_facts
from unrolled.explain.facts import FORMAT, VERSION
from unrolled.explain.learning import learning
from unrolled.explain.ledger import ledger
from unrolled.explain.memory import memory_facts
from unrolled.explain.report import Report
from unrolled.explain.sentences import sentences
from unrolled.explain.split import Split, split_facts
from unrolled.explain.subject import WINDOWS, subject_of
from unrolled.explain.trace import network_facts, step_facts, trace_of, window_facts
from unrolled.timeaxis import to_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from unrolled.explain.facts import LedgerFacts, LessonFacts, Number, ReportFacts, SeriesFacts
    from unrolled.explain.subject import Subject
    from unrolled.model import Model
    from unrolled.panel import Panel
    from unrolled.rules import Settings

MOST_SERIES = 8
"""So many series are in a report where none are named."""

MOST_POINTS = 5_000
"""So many points of a series are kept to be drawn, the latest."""

_STEPS = 4
"""So many windows have all their numbers in a report, where the page does not compute the cell itself."""


@dataclass(frozen=True, eq=False)
class Fit:
    """How a model was fitted, as far as it is to be explained.

    Attributes:
        arguments: of the estimator, checked.
        settings: all that was chosen.
        ends: of the series that it was fitted on.
    """

    arguments: Mapping[str, Any]
    settings: Settings
    ends: Panel


def explain(
    model: Model,
    panel: Panel,
    *,
    fit: Fit | None = None,
    series: Sequence[int] | None = None,
    member: int = 0,
    windows: int = WINDOWS,
    known_as: NDArray[np.int64] | None = None,
    season: int | None = None,
    training: bool = False,
    title: str | None = None,
    unit: str | None = None,
    lesson: LessonFacts | None = None,
    threads: int = 1,
    progress: bool | None = None,
) -> Report:
    """Return what can be said about one network of a model, on some series.

    Args:
        model: fitted.
        panel: the series.
        fit: how it was fitted: what is learnt from, held out and scaled is told of series that were.
        series: the numbers of those that are explained; None: the first `MOST_SERIES`.
        member: which of the networks.
        windows: at most so many.
        known_as: where series were scaled once, the number that each had when fitting; None: the same order.
        season: points in a season, for the baselines; None: that of the fit.
        training: whether the network is trained once more, to watch its gradients; needs `fit`.
        title: of the report; None: the names of the series.
        unit: what the values count.
        lesson: the tutorial's, which the report is then of.
        threads: at most so many.
        progress: of that training, as of the Forecaster.

    Raises:
        ArgumentError: there is no such member, no window is asked for, or the training is not known.
        DataError: the networks cannot read the series.
    """
    if training and fit is None:
        raise ArgumentError(fault("glass.training"))
    numbers = range(min(panel.n_series, MOST_SERIES)) if series is None else series
    whole, panel = panel, panel.select(list(numbers))
    known = np.asarray(numbers if known_as is None else known_as[list(numbers)], np.int64)
    split = None if fit is None else _split(model, panel, fit)
    learnt = None if split is None else split.learnt
    subject = subject_of(model, panel, member=member, windows=windows, known_as=known, borders=learnt)
    trace = trace_of(subject)
    if season is None and fit is not None:
        season = fit.arguments["season"]
    facts: ReportFacts = {
        "format": FORMAT,
        "version": VERSION,
        "kind": "network" if lesson is None else "lesson",
        "title": ", ".join(map(str, panel.ids)) if title is None else title,
        "unrolled": version("unrolled"),
        "member": member,
        "ledger": ledger(subject.network, batch=_batch(subject, fit), time=subject.windowing.steps),
        "network": network_facts(subject),
        "windows": window_facts(subject),
        "steps": step_facts(subject, trace, windows=range(min(_STEPS, subject.series.size))),
        "series": _series(panel, unit),
        "memory": memory_facts(subject, trace),
        "forecast": forecast_facts(
            model,
            panel,
            season=season,
            learnt=learnt,
            known_as=known,
            subject=subject,
            trace=trace,
            threads=threads,
        ),
        "sentences": [],
    }
    if split is not None:
        facts["split"] = split_facts(model, panel, split)
    if np.isfinite(subject.targets_bkc).all(axis=(1, 2)).any():
        facts["batch"] = batch_facts(subject, delta=1.0 if fit is None else fit.arguments["delta"])
    if training and fit is not None:
        facts["learning"] = learning(
            whole, fit.arguments, fit.settings, subject, member=member, threads=threads, progress=progress
        )
    if lesson is not None:
        facts["lesson"] = lesson
    facts["sentences"] = sentences(facts)
    return Report(facts)


def shapes(facts: LedgerFacts, *, title: str | None = None) -> Report:
    """Return a ledger as a report of its own.

    Args:
        facts: of `ledger`.
        title: of the report; None: the code that makes the network.

    Example:
        >>> shapes(ledger("gru", input_size=1, hidden_size=2, batch=3, time=4))
        Report(shapes: 'layer = nn.GRU(1, 2)', gru 1 -> 2)
    """
    made: ReportFacts = {
        "format": FORMAT,
        "version": VERSION,
        "kind": "shapes",
        "title": facts["code"].splitlines()[0] if title is None else title,
        "unrolled": version("unrolled"),
        "member": 0,
        "ledger": facts,
        "sentences": [],
    }
    made["sentences"] = sentences(made)
    return Report(made)


def numbers_of(panel: Panel, names: Sequence[object]) -> list[int]:
    """Return the numbers of series that are named.

    Args:
        panel: the series.
        names: theirs; one alone may be a text.

    Raises:
        ArgumentError: there is no series of that name.
    """
    wanted = [names] if isinstance(names, str) else list(names)
    numbers = {str(name): number for number, name in enumerate(panel.ids)}
    for name in wanted:
        if str(name) not in numbers:
            raise ArgumentError(fault("glass.series", got=name, nearest=nearest(str(name), numbers)))
    return [numbers[str(name)] for name in wanted]


def _batch(subject: Subject, fit: Fit | None) -> int:
    """Return how many windows are trained on together; where that is not known, those that are explained."""
    return int(subject.series.size) if fit is None else fit.settings.batch_size


def _split(model: Model, panel: Panel, fit: Fit) -> Split | None:
    """Return how the fit divided these series; None where they are others, or ends alone."""
    ends = fit.ends
    if panel.left_out is not None:
        return None
    known = {str(name): number for number, name in enumerate(ends.ids)}
    found = [known.get(str(name)) for name in panel.ids]
    fitted = []
    for number, origin in enumerate(found):
        if origin is None:
            return None
        tail = ends.series(origin)
        length = ends.position(origin, len(tail))
        own = panel.series(number)[length - len(tail) : length]
        if own.shape != tail.shape or not np.array_equal(own, tail, equal_nan=True):
            return None
        fitted.append(length)
    return Split.of(model, fit.settings, np.array(fitted, np.int64))


def _series(panel: Panel, unit: str | None) -> list[SeriesFacts]:
    """Return the series as they are drawn, each channel of each."""
    made: list[SeriesFacts] = []
    for number, name in enumerate(panel.ids):
        values = panel.series(number)[-MOST_POINTS:]
        first = panel.position(number, int(panel.lengths[number]) - len(values))
        end = int(panel.offsets[number + 1])
        times = None if panel.times is None else to_text(panel.times[end - len(values) : end])
        made += [
            {
                "id": str(name),
                "channel": str(channel),
                "unit": unit,
                "first": first,
                "values": [_number(value) for value in values[:, place]],
                "times": times,
            }
            for place, channel in enumerate(panel.channels)
        ]
    return made


def _number(value: np.floating[Any]) -> Number:
    """Return a value with no more digits than its dtype has; None where it is missing."""
    return float(str(value)) if np.isfinite(value) else None
