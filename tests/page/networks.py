"""Reports of networks with drawn weights, small and large, as the glass box reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from unrolled.explain import ledger
from unrolled.explain.subject import Subject, subject_from
from unrolled.explain.trace import network_facts, step_facts, window_facts
from unrolled.network import Network, NetworkSpec

if TYPE_CHECKING:
    from collections.abc import Mapping


def make_network(spec: Mapping[str, Any], *, gain: float = 2.0) -> Network:
    """Return a network with torch's first weights, enlarged so that its gates are not all half open."""
    network = Network(NetworkSpec(**{"cell": "lstm", "input_size": 1, "output_size": 1, **spec}))
    network.weights = {name: gain * values for name, values in network.weights.items()}
    return network


def make_subject(network: Network, *, steps: int, windows: int = 3) -> Subject:
    rng = np.random.default_rng(0)
    return subject_from(network, rng.normal(size=(steps, windows, network.spec.input_size)))


def make_report(subject: Subject, *, title: str = "A network") -> dict[str, Any]:
    return {
        "format": "unrolled.report",
        "version": 1,
        "kind": "network",
        "title": title,
        "unrolled": "0.1.0",
        "member": 0,
        "ledger": ledger(subject.network, batch=subject.x_tbi.shape[1], time=len(subject.x_tbi)),
        "network": network_facts(subject),
        "windows": window_facts(subject),
        "steps": step_facts(subject),
        "sentences": [],
    }


def network_report(
    *, steps: int = 12, windows: int = 3, title: str = "A network", **spec: Any
) -> dict[str, Any]:
    network = make_network({"hidden_size": 5, **spec})
    return make_report(make_subject(network, steps=steps, windows=windows), title=title)
