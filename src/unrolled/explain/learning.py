"""How a network learnt: its losses, and the gradient through time at some moments of its training.

The network is trained once more, with the same seed, which gives the same weights. Knows training; must not
know how facts are shown.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.explain.jacobians import hidden_gradients
from unrolled.explain.losses import training_loss
from unrolled.explain.trace import trace_of
from unrolled.fitting import train_again
from unrolled.network import Network
from unrolled.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from unrolled.engine import Array
    from unrolled.explain.facts import GradientMoment, LearningFacts
    from unrolled.explain.subject import Subject
    from unrolled.panel import Panel
    from unrolled.rules import Settings

MOMENTS = 6
"""Moments of a training that are looked at."""

_LOSSES = 500
"""Losses that are told at the most."""

_EARLY = 2.0
"""The moments between lie at (m / 5)^2 of the training: it learns most at its beginning."""


def learning(
    panel: Panel,
    arguments: Mapping[str, Any],
    settings: Settings,
    subject: Subject,
    *,
    member: int = 0,
    threads: int = 1,
    progress: bool | None = None,
) -> LearningFacts:
    """Return how a network learnt, by training it once more.

    Ctrl-C stops the training as it stops a fit: what was seen up to then is told. The last moment is that of
    the network as it is kept, which may be the mean of several weights or better ones from before. At the
    first, the gradient is 0 where the head starts from zeros.

    Formula::

        norms[t]   mean over windows of ||dL/dh_t||, all layers together, L the loss of one window

    Args:
        panel: the series that the network learned from.
        arguments: of the forecaster, by name, plain.
        settings: what its fit has chosen.
        subject: the network and its windows; those without a known target count for nothing.
        member: which of the networks it is.
        threads: at most so many.
        progress: whether to show a bar on stderr; None: where stderr is a terminal.

    Raises:
        ArgumentError, DataError: the panel is not one that the fit learned from.
        KeyboardInterrupt: Ctrl-C before the first update.
    """
    wanted = moments_of(settings.steps)
    seen: dict[int, Array] = {}

    def look(step: int, weights: Array) -> None:
        if step in wanted:
            seen[step] = weights

    with progress_bar(progress) as watch:
        network, history = train_again(
            panel, arguments, settings, member=member, threads=threads, watch=watch, look=look
        )
    steps = len(history.losses)
    seen[steps] = network.engine.read()
    delta = float(arguments["delta"])
    return {
        "losses": [history.losses[step] for step in _evenly(steps)],
        "steps": steps,
        "moments": [_moment(subject, step, weights, delta) for step, weights in sorted(seen.items())],
    }


def moments_of(steps: int) -> tuple[int, ...]:
    """Return the updates after which a training of so many is looked at: the first ones closer together.

    Example:
        >>> moments_of(1000)
        (0, 40, 160, 360, 640, 1000)
    """
    every = max(1, steps // 50)
    shares = (np.arange(MOMENTS - 1) / (MOMENTS - 1)) ** _EARLY
    rounded = {min(round(share * steps / every) * every, steps) for share in shares.tolist()}
    return tuple(sorted(rounded | {steps}))


def _evenly(steps: int) -> list[int]:
    """Return at most 500 of so many steps, the first and the last among them."""
    return sorted(set(np.linspace(0, steps - 1, min(steps, _LOSSES)).round().astype(int).tolist()))


def _moment(subject: Subject, step: int, flat: Array, delta: float) -> GradientMoment:
    """Return the gradient through time of a network with these weights."""
    network = Network(subject.network.spec, subject.network.weights, dtype=str(flat.dtype))
    network.engine.write(flat)
    trace = trace_of(replace(subject, network=network))
    loss, dy_bo, known = _loss(subject, trace.y, delta)
    layers = hidden_gradients(trace, dy_bo)
    if not known.any():
        return {"step": step, "loss": None, "norms": [0.0] * len(trace.stack.x_tbi)}
    squares = sum((dh * dh).sum(axis=2) for dh in layers)
    return {"step": step, "loss": loss, "norms": np.sqrt(squares)[:, known].mean(axis=1).tolist()}


def _loss(
    subject: Subject, answer: NDArray[np.float64], delta: float
) -> tuple[float | None, NDArray[np.float64], NDArray[np.bool_]]:
    """Return the mean loss of the windows, the gradient of each window's own, and which windows have one.

    Shapes:
        answer, the gradient: [B, O]; which windows: [B].
    """
    targets, width = subject.targets_bkc, subject.head.width
    raw = answer.reshape(*targets.shape, width)
    known, slope = np.isfinite(targets), np.zeros_like(raw)
    scored: NDArray[np.bool_] = np.any(known, axis=(1, 2))
    losses = []
    for b in np.flatnonzero(scored).tolist():
        scale = np.broadcast_to(subject.scaling.scale[b], targets[b].shape)[known[b]]
        told = training_loss(subject.head, targets[b][known[b]], raw[b][known[b]], scale=scale, delta=delta)
        losses.append(told.value)
        slope[b][known[b]] = told.gradient.reshape(-1, width)
    mean = float(np.mean(losses)) if losses else None
    return mean, slope.reshape(len(answer), -1), scored
