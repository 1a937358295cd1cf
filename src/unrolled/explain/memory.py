"""How far back a network looks: gradients by lag, truncated windows, gates that keep, Jacobians.

Knows subjects, traces and the core; must not know how facts are shown.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.explain.gates import READINGS
from unrolled.explain.jacobians import jacobians_of, some
from unrolled.explain.trace import layer_steps, trace_of
from unrolled.network import Network

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unrolled.cells import NetworkTrace
    from unrolled.explain.facts import LayerMemory, MemoryFacts
    from unrolled.explain.subject import Subject

    Array = NDArray[np.float64]

_SHARE = 0.95
"""The memory reaches back to the lag up to which the gradients have this share of their sum."""

_EQUAL = 0.01
"""Two answers are equal if they differ by this share of what the state adds to the answer."""

_TRUNCATED = 24
"""Lengths of truncated windows at the most."""

_PRODUCTS = 2e10
"""Multiply-adds of the weights that the gradients may cost; of more windows some are taken, evenly."""

_DEAD, _TWIN = 0.01, 0.99
"""A unit is dead that changes by less than this share of what the liveliest one does; and a twin of one that
it is correlated with by more than this."""


def memory_facts(subject: Subject, trace: NetworkTrace[Any] | None = None) -> MemoryFacts:
    """Return how far back a network looks, measured on its windows.

    Formula::

        gradient[lag]      mean over windows of sum_k |d y_hat_k / d y_{t-lag}|, both as the network has
                           them: y_hat scaled, before the head's outputs are mapped; y scaled
        recurrent, skip    the same of the two ways, each alone: where they have other signs, both are more
        truncation         a network that is started from zeros at the last n steps, the skip reading zeros
                           before them, against the true next points
        warm_up            from zeros, and from the state after another window: steps until the answers at
                           each step, without the skip, differ by 1 % of what the state adds to them

    Channels are added up. In a large network, the gradients are those of some of the windows, taken evenly.

    Args:
        subject: the network and its windows.
        trace: of it, where there is one already.
    """
    trace = trace_of(subject) if trace is None else trace
    gradient, recurrent, skip = _by_lag(subject)
    return {
        "window": subject.windowing.window,
        "patch": subject.windowing.patch,
        "gradient": gradient.tolist(),
        "recurrent": recurrent.tolist(),
        "skip": skip.tolist(),
        "lag95": _reach(gradient),
        "recurrent_lag95": _reach(recurrent),
        "truncation": _truncation(subject),
        "warm_up": _warm_up(subject),
        "layers": [_layer_memory(trace, layer) for layer in range(len(trace.stack.layers))],
    }


def _by_lag(subject: Subject) -> tuple[Array, Array, Array]:
    """Return the gradients of the point forecasts by lag in points, [window]: of all, recurrent, skip."""
    spec, engine = subject.network.spec, subject.network.engine
    weights, anchors = subject.network.weights, subject.anchors
    n_steps, batch, inputs = subject.x_tbi.shape
    cost = anchors.size * n_steps * sum(array.size for name, array in weights.items() if "skip" not in name)
    windows = some(batch, int(_PRODUCTS / cost))
    seeds = np.zeros((windows.size, anchors.size, spec.output_size))
    seeds[:, np.arange(anchors.size), anchors] = 1.0
    x_tbi = np.repeat(subject.x_tbi[:, windows], anchors.size, axis=1)
    dx = engine.backward(x_tbi, seeds.reshape(-1, spec.output_size)).x
    whole = np.asarray(dx, np.float64).reshape(n_steps, windows.size, anchors.size, inputs)
    skip = np.zeros((n_steps, 1, anchors.size, inputs))
    if spec.skip_steps:
        direct = np.asarray(weights["skip.weight"], np.float64)[anchors].reshape(anchors.size, n_steps, -1)
        skip[..., : direct.shape[2]] = direct.swapaxes(0, 1)[:, None]
    return tuple(_summed(subject, part) for part in (whole, whole - skip, skip))  # type: ignore[return-value]


def _summed(subject: Subject, gradients: Array) -> Array:
    """Return the mean over windows of the sums over forecasts, by lag: [T, B, K*C, I] -> [window]."""
    windowing, channels = subject.windowing, subject.channels
    of_points = gradients[: subject.read_steps, ..., : windowing.patch * channels]
    by_input = np.abs(of_points).sum(axis=2).mean(axis=1)
    by_lag: Array = by_input.reshape(windowing.window, channels).sum(axis=1)[::-1]
    return by_lag


def _reach(by_lag: Array) -> int:
    """Return how many of the last points hold 95 % of the sum; 0 where it is 0."""
    total = by_lag.sum()
    if not total > 0:
        return 0
    held = np.cumsum(by_lag) >= _SHARE * total * (1 - 1e-12)
    return int(held.argmax()) + 1


def _truncation(subject: Subject) -> list[list[float]]:
    """Return the error of windows of which only the last points are given; none without known targets."""
    spec, weights = subject.network.spec, subject.network.weights
    targets = subject.targets_bkc.reshape(len(subject.targets_bkc), -1)
    known = np.isfinite(targets)
    if not known.any():
        return []
    bare = Network(
        replace(spec, skip_steps=0, skip_inputs=None),
        {name: array for name, array in weights.items() if name != "skip.weight"},
        dtype=str(subject.network.engine.dtype),
    )
    errors = {}
    for given in _lengths(subject.read_steps):
        x_tbi = subject.x_tbi[subject.read_steps - given :]
        answer = np.asarray(bare.engine.forward(x_tbi)[0], np.float64)
        if spec.skip_steps:
            direct = np.asarray(weights["skip.weight"], np.float64)
            read = np.zeros((len(targets), spec.skip_steps, direct.shape[1] // spec.skip_steps))
            read[:, -len(x_tbi) :] = x_tbi[..., : read.shape[2]].swapaxes(0, 1)
            answer = answer + read.reshape(len(targets), -1) @ direct.T
        errors[given] = float(np.sqrt(np.mean((answer[:, subject.anchors] - targets)[known] ** 2)))
    whole = errors[subject.read_steps]
    return [[float(given * subject.windowing.patch), error, whole] for given, error in errors.items()]


def _lengths(steps: int) -> list[int]:
    """Return numbers of steps from 1 to all: each of few; of many, each larger by about the same factor."""
    if steps <= _TRUNCATED:
        return list(range(1, steps + 1))
    return sorted({round(one) for one in np.geomspace(1, steps, _TRUNCATED).tolist()})


def _warm_up(subject: Subject) -> int | None:
    """Return after how many steps two first states give the same answers; None: not within the window."""
    spec, weights = subject.network.spec, subject.network.weights
    layers = Network(
        replace(spec, output_size=0, skip_steps=0, skip_inputs=None),
        {name: array for name, array in weights.items() if name.split(".")[0] not in ("head", "skip")},
        dtype=str(subject.network.engine.dtype),
    )
    x_tbi = subject.x_tbi[: subject.read_steps]
    head = np.asarray(weights["head.weight"], np.float64)[subject.anchors]
    after_another = np.concatenate([np.roll(x_tbi, 1, axis=1), x_tbi])
    fresh = layers.engine.forward(x_tbi)[0].astype(np.float64) @ head.T
    carried = layers.engine.forward(after_another)[0][len(x_tbi) :].astype(np.float64) @ head.T
    size = np.sqrt(np.mean(fresh**2))
    apart = np.sqrt(np.mean((carried - fresh) ** 2, axis=(1, 2))) > _EQUAL * size
    steps = int(np.flatnonzero(apart)[-1]) + 2 if apart.any() else 1
    return steps if steps <= len(x_tbi) else None


def _layer_memory(trace: NetworkTrace[Any], layer: int) -> LayerMemory:
    """Return what one layer keeps, and for how long."""
    one = trace.stack.layers[layer]
    reading, values = READINGS[one.cell.name], layer_steps(trace, layer)
    n_units = one.output_tbh.shape[2]
    keep: list[float | None] = [None] * n_units
    half_life = list(keep)
    if reading.keep is not None:
        kept = np.clip(reading.keep(values), 0.0, 1.0)
        keep = kept.mean(axis=(0, 1)).tolist()
        half_life = [_half_life(f, trace.stack.dilations[layer]) for f in np.median(kept, axis=(0, 1))]
    jacobians = jacobians_of(trace, layer)
    plain = one.cell.name in ("rnn", "rnn_relu")
    eigenvalues = np.linalg.eigvals(one.weights.weight_hh if plain else jacobians.last)
    eigenvalues = eigenvalues[np.lexsort((-eigenvalues.imag, -eigenvalues.real, -np.abs(eigenvalues)))]
    states = values["h"].reshape(-1, n_units)
    dead, twins = _idle(states)
    return {
        "half_life": half_life,
        "keep": keep,
        "saturation": reading.saturation(values),
        "eigenvalues": np.stack([eigenvalues.real, eigenvalues.imag], axis=1).tolist(),
        "eigenvalues_of": "weight_hh" if plain else "state_jacobian",
        "spectral_radius": float(np.abs(eigenvalues).max()),
        "jacobian": jacobians.norms.tolist(),
        "effective_rank": _effective_rank(states),
        "dead": dead,
        "twins": twins,
    }


def _half_life(keep: float, dilation: int) -> float | None:
    """Return after how many steps half of what was kept is left: ln 2 / -ln f; None where nothing goes."""
    if keep >= 1.0:
        return None
    return float(dilation * np.log(2.0) / -np.log(keep)) if keep > 0.0 else 0.0


def _effective_rank(states: Array) -> float:
    """Return how many directions the states spread in, [n, H]; 0 where they do not.

    Formula::

        exp(- sum p ln p),  p = s^2 / sum s^2,  s the singular values of the states without their mean

    References:
        O. Roy, M. Vetterli, "The effective rank", EUSIPCO (2007).
    """
    moved = states - states.mean(axis=0)
    squares = np.maximum(np.linalg.eigvalsh(moved.T @ moved), 0.0)
    if not squares.sum() > 0:
        return 0.0
    shares = squares[squares > 0] / squares.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))


def _idle(states: Array) -> tuple[int, int]:
    """Return how many units hardly change, and how many of the others follow one before them."""
    deviations = states.std(axis=0)
    dead = deviations <= _DEAD * deviations.max()
    moved = (states - states.mean(axis=0))[:, ~dead] / deviations[~dead]
    same = np.abs(moved.T @ moved) / len(states) > _TWIN
    return int(dead.sum()), int(np.triu(same, 1).any(axis=0).sum())
