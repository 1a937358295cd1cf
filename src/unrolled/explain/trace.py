"""Every number on the way of windows through a network, from the reference that is to be read.

    Subject -> trace of all layers and steps -> NetworkFacts, WindowFacts, StepFacts

The answers are those of the core, and the reference is held to them. Must not know how facts are shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.cells import CELLS, NetworkTrace, run_network
from unrolled.cells.base import blocks
from unrolled.cells.stack import unfolded
from unrolled.errors import ArgumentError, fault
from unrolled.explain.blocks import packed
from unrolled.network import Network

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from unrolled.cells import Step
    from unrolled.engine import Array
    from unrolled.explain.facts import NetworkFacts, StepFacts, WindowFacts
    from unrolled.explain.subject import Subject

COMPUTED = ("rnn", "rnn_relu", "lstm", "gru")
"""The cells whose numbers the page computes itself."""

_MOST = 1e-5
"""The reference may differ from the core by this share of the answers' size."""

_ROUNDINGS = 100
"""The roundings of one run differ from those of another by so many roundings of the windows."""

_AFFINE = ("none", "standard", "last", "mean_abs")
"""The scalings that are a straight line of every window."""


def trace_of(subject: Subject) -> NetworkTrace[Any]:
    """Return every number of the subject's windows on their way through the network.

    Raises:
        ArgumentError: the reference does not compute what the core does, so it would explain another network.
    """
    spec = subject.network.spec
    trace = run_network(
        CELLS[spec.cell],
        subject.x_tbi,
        subject.network.weights,
        skip_inputs=spec.skip_inputs,
        residual=spec.residual,
        dilations=spec.dilations,
    )
    _compare(subject, trace.y)
    return trace


def layer_steps(trace: NetworkTrace[Any], layer: int) -> dict[str, NDArray[np.float64]]:
    """Return all numbers of one layer by name, each [T, B, H].

    The names are those of the gates (i), of the states after each step (h, c), of what the input and the
    state before say to each gate (from_x.i, from_h.i), and of what else a step computes (tanh_c).
    """
    one = trace.stack.layers[layer]
    n_steps, batch = trace.stack.x_tbi.shape[:2]
    named = [_named(step, one.cell.gates, one.cell.states) for step in one.steps]
    return {name: unfolded(np.stack([step[name] for step in named]), n_steps, batch) for name in named[0]}


def network_facts(subject: Subject) -> NetworkFacts:
    """Return one network with its weights."""
    spec, head, windowing = subject.network.spec, subject.head, subject.windowing
    cell = CELLS[spec.cell]
    return {
        "cell": spec.cell,
        "gates": list(cell.gates),
        "states": list(cell.states),
        "input_size": spec.input_size,
        "hidden_size": spec.hidden_size,
        "num_layers": spec.num_layers,
        "output_size": spec.output_size,
        "skip_steps": spec.skip_steps,
        "skip_inputs": (spec.skip_inputs or spec.input_size) if spec.skip_steps else 0,
        "residual": bool(spec.residual),
        "dilations": list(spec.dilations or (1,) * spec.num_layers),
        "parameters": spec.parameter_count,
        "scaling": windowing.scaling if subject.scaler is None else "series",
        "patch": windowing.patch,
        "horizon": windowing.horizon,
        "channels": subject.channels,
        "parts": head.width,
        "anchor": head.anchor,
        "weights": {name: packed(array) for name, array in subject.network.weights.items()},
        "input_names": list(subject.input_names),
    }


def window_facts(subject: Subject) -> list[WindowFacts]:
    """Return the windows as the network reads them, and what the core answers."""
    said = subject.network.engine.forward(subject.x_tbi)[0]
    scaling, by = subject.scaling, subject.scaler or subject.scaling
    bent = scaling.kind == "adaptive" and (scaling.pre > 0).any(axis=1)
    straight = scaling.kind in (*_AFFINE, "adaptive") and subject.head.loss != "negative_binomial"
    affine = np.broadcast_to(straight & ~np.asarray(bent), len(said))
    return [
        {
            "series": int(subject.series[b]),
            "start": int(subject.starts[b]),
            "points": subject.windowing.window,
            "x": packed(subject.x_tbi[:, b]),
            "said": packed(said[b]),
            "location": by.location[b].tolist(),
            "scale": by.scale[b].tolist(),
            "affine": bool(affine[b]),
        }
        for b in range(len(said))
    ]


def step_facts(
    subject: Subject, trace: NetworkTrace[Any] | None = None, *, windows: Sequence[int] | None = None
) -> list[StepFacts]:
    """Return all numbers of windows, of a network whose cell the page does not compute itself; else none.

    Args:
        subject: the network and its windows.
        trace: of it, where there is one already.
        windows: the numbers of the windows; all where not given.
    """
    if subject.network.spec.cell in COMPUTED:
        return []
    trace = trace_of(subject) if trace is None else trace
    layers = [layer_steps(trace, layer) for layer in range(len(trace.stack.layers))]
    chosen = range(subject.x_tbi.shape[1]) if windows is None else windows
    return [
        {
            "window": window,
            "layers": [{name: packed(a[:, window]) for name, a in layer.items()} for layer in layers],
        }
        for window in chosen
    ]


def _named(step: Step, gates: tuple[str, ...], states: tuple[str, ...]) -> dict[str, NDArray[np.float64]]:
    """Return the numbers of one step by name, each [B, H]."""
    every = dict(vars(step))
    del every["x"]
    found = {name: every.pop(name) for name in gates}
    for name in states:
        found[name] = every.pop(f"{name}_next")
        del every[name]
    for product in ("from_x", "from_h"):
        parts = blocks(every.pop(product), len(gates))
        found |= {f"{product}.{gate}": part for gate, part in zip(gates, parts, strict=True)}
    return {**found, **every}


def _compare(subject: Subject, answer: Array) -> None:
    """Refuse an answer that is not that of the core, which computes it here with the same weights in float64.

    Where a network makes more of a rounding than that, its answer is only as certain as the core has it: so
    far as it changes with the rounding of the windows.
    """
    network = Network(subject.network.spec, subject.network.weights, dtype="float64")
    x_tbi = np.asarray(subject.x_tbi, np.float64)
    said = network.engine.forward(x_tbi)[0]
    rounded = network.engine.forward(x_tbi * (1.0 + np.finfo(np.float64).eps))[0]
    size = max(1.0, float(np.abs(said).max(initial=0.0)))
    difference = float(np.abs(answer - said).max(initial=0.0)) / size
    uncertain = float(np.abs(rounded - said).max(initial=0.0)) / size
    if not difference <= max(_MOST, _ROUNDINGS * uncertain):
        raise ArgumentError(fault("explain.differs", most=_MOST, got=difference))
