"""The trace of a network is what the core computes, and its facts are those numbers."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from tests.explain.helpers import assert_close, drawn
from unrolled import engine
from unrolled.cells import CELLS, run_network
from unrolled.errors import ArgumentError
from unrolled.explain import trace as tracing
from unrolled.explain.blocks import unpacked
from unrolled.explain.trace import (
    COMPUTED,
    layer_steps,
    network_facts,
    step_facts,
    trace_of,
    window_facts,
)
from unrolled.network import Network

SHAPES = [
    {"num_layers": layers, "skip_steps": skip, "residual": residual, "dilations": dilations}
    for layers, skip, residual in itertools.product((1, 3), (0, 7), (False, True))
    for dilations in ((), (1, 2, 3)[:layers], (4, 2, 1)[:layers])
]


@pytest.mark.parametrize("cell", engine.CELLS)
def test_the_trace_ends_where_the_core_does(cell: str) -> None:
    for number, shape in enumerate(SHAPES):
        subject = drawn(cell, steps=7, seed=number, dtype="float32", input_size=3, skip_inputs=2, **shape)
        said = subject.network.engine.forward(subject.x_tbi)[0]
        assert_close(trace_of(subject).y, said, to="core", name=str(shape))


@pytest.mark.parametrize("cell", engine.CELLS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_states_of_every_layer_and_step_are_those_of_the_core(
    cell: str, shape: dict[str, object]
) -> None:
    subject = drawn(cell, steps=7, input_size=3, **shape)
    trace, spec, weights = trace_of(subject), subject.network.spec, subject.network.weights
    below_h = np.zeros(())
    for layer in range(spec.num_layers):
        below = replace(
            spec, num_layers=layer + 1, output_size=0, skip_steps=0, dilations=spec.dilations[: layer + 1]
        )
        network = Network(below, {name: weights[name] for name in below.shapes}, dtype="float64")
        given = network.engine.forward(subject.x_tbi)[0]
        h = layer_steps(trace, layer)["h"]
        assert_close(h + below_h if spec.residual else h, given, to="order")
        below_h = given


@pytest.mark.parametrize("cell", engine.CELLS)
def test_a_layer_names_every_gate_state_and_product(cell: str) -> None:
    subject = drawn(cell, num_layers=2, dilations=(2, 1))
    layer = layer_steps(trace_of(subject), 0)
    equations = CELLS[cell]
    products = [f"{way}.{gate}" for way in ("from_x", "from_h") for gate in equations.gates]
    assert {*equations.gates, *equations.states, *products} <= layer.keys()
    assert {a.shape for a in layer.values()} == {(6, 3, 4)}
    weights = subject.network.weights
    said = subject.x_tbi @ weights["weight_ih_l0"].T + weights["bias_ih_l0"]
    for gate, block in zip(equations.gates, np.split(said, len(equations.gates), axis=-1), strict=True):
        assert_close(layer[f"from_x.{gate}"], block, to="order", name=gate)


def test_a_dilated_layer_stands_in_the_order_of_its_steps() -> None:
    subject = drawn("lstm", num_layers=1, dilations=(4,))
    layer = layer_steps(trace_of(subject), 0)
    c_before = np.concatenate([np.zeros((4, 3, 4)), layer["c"][:-4]])
    assert_close(layer["c"], layer["f"] * c_before + layer["i"] * layer["g"], to="order")


def test_window_facts_hold_what_is_read_and_what_the_core_answers() -> None:
    subject = drawn("gru", dtype="float32")
    facts = window_facts(subject)
    said = subject.network.engine.forward(subject.x_tbi)[0]
    assert [unpacked(one["x"]).tolist() for one in facts] == subject.x_tbi.transpose(1, 0, 2).tolist()
    assert [unpacked(one["said"]).tolist() for one in facts] == said.tolist()
    assert {(one["points"], one["affine"], *one["location"], *one["scale"]) for one in facts} == {
        (6, True, 0.0, 1.0)
    }


def test_network_facts_hold_all_weights() -> None:
    subject = drawn("lstm", num_layers=2, input_size=2, skip_steps=6, residual=True)
    facts = network_facts(subject)
    assert facts["gates"] == ["i", "f", "g", "o"]
    assert facts["states"] == ["h", "c"]
    assert (facts["skip_steps"], facts["skip_inputs"], facts["dilations"]) == (6, 2, [1, 1])
    assert facts["input_names"] == ["y[t]", "x1[t]"]
    assert facts["parameters"] == sum(unpacked(block).size for block in facts["weights"].values())
    for name, array in subject.network.weights.items():
        assert_close(unpacked(facts["weights"][name]), array, to="core", name=name)


@pytest.mark.parametrize("cell", engine.CELLS)
def test_steps_are_told_of_cells_that_the_page_does_not_compute(cell: str) -> None:
    subject = drawn(cell, num_layers=2)
    facts = step_facts(subject, windows=[2, 0])
    if cell in COMPUTED:
        assert facts == []
        return
    assert [one["window"] for one in facts] == [2, 0]
    trace = trace_of(subject)
    for one in facts:
        for layer, told in enumerate(one["layers"]):
            for name, array in layer_steps(trace, layer).items():
                assert unpacked(told[name]).tolist() == array[:, one["window"]].astype("<f4").tolist()


def test_a_reference_that_is_not_the_core_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = drawn("gru")
    monkeypatch.setattr(tracing, "run_network", _nudged)
    with pytest.raises(ArgumentError) as caught:
        trace_of(subject)
    assert caught.value.faults[0].id == "explain.differs"


def _nudged(cell: object, x_tbi: object, parameters: dict[str, object], **how: object) -> object:
    """Return a trace whose answer is a little off."""
    trace = run_network(CELLS["gru"], x_tbi, parameters, **how)  # type: ignore[arg-type, misc]
    return replace(trace, y=trace.y + 1e-3)


def test_a_network_that_answers_at_every_step_is_refused() -> None:
    with pytest.raises(ArgumentError) as caught:
        drawn("gru", head="every")
    assert caught.value.faults[0].id == "explain.head"
