"""A ledger says what a network has and does: figures known, products counted, arrays kept, misfits told."""

from __future__ import annotations

from itertools import combinations
from math import prod, tanh
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cells.helpers import draw_state, draw_weights
from tests.explain.lines import shapes_of, written
from unrolled.cells import CELLS, Weights, run, run_network, run_stack
from unrolled.engine import Windowing
from unrolled.errors import ArgumentError
from unrolled.explain import Structure, ledger
from unrolled.explain.counts import PER_UNIT
from unrolled.explain.structure import TORCH_CELLS
from unrolled.heads import Head
from unrolled.model import Model
from unrolled.network import Network, NetworkSpec

SIZES: dict[str, Any] = {"input_size": 2, "hidden_size": 3}
every_cell = pytest.mark.parametrize("cell", CELLS)


def test_the_known_figures_of_the_tutorial() -> None:
    layer = ledger("lstm", input_size=1, hidden_size=50, batch=32, time=40)
    assert (layer["work"]["per_sequence"], layer["work"]["per_batch"]) == (408_000, 13_056_000)
    assert (layer["parameters"]["total"], layer["parameters"]["one_bias"]) == (10_600, 10_400)
    assert layer["parameters"]["layers"][0]["per_gate"] == 2_650
    assert layer["memory"]["total"] == 32 * 40 * (4 * 50 + 50 + 50)
    with_head = ledger("lstm", input_size=1, hidden_size=50, output_size=1, batch=32, time=40)
    assert with_head["parameters"]["total"] == 10_651
    every = ledger("lstm", input_size=1, hidden_size=50, output_size=1, head="every", batch=32, time=40)
    assert every["work"]["head"] * 32 == 64_000


def test_another_way_to_count_biases() -> None:
    facts = ledger("gru", input_size=3, hidden_size=5, num_layers=2, bidirectional=True, batch=1, time=1)
    reset_before = 2 * (3 * 5 * (3 + 5) + 3 * 5) + 2 * (3 * 5 * (10 + 5) + 3 * 5)
    assert facts["parameters"]["one_bias"] == reset_before
    assert facts["parameters"]["total"] == reset_before + 4 * 3 * 5
    without = ledger("gru", input_size=3, hidden_size=5, bias=False, batch=1, time=1)["parameters"]
    assert without["one_bias"] == without["total"]


SPECS = [
    NetworkSpec(cell=cell, input_size=2, hidden_size=3, output_size=2, **more)
    for cell in CELLS
    for more in (
        {},
        {"num_layers": 3, "head": "every"},
        {"num_layers": 2, "skip_steps": 4, "residual": True, "dilations": (1, 3)},
        {"skip_steps": 4, "skip_inputs": 1},
    )
]


@pytest.mark.parametrize("spec", SPECS)
def test_our_networks_have_these_tensors(spec: NetworkSpec) -> None:
    facts = ledger(spec, batch=5, time=4)
    weights = {one["name"]: one for one in facts["tensors"] if one["role"] == "weight"}
    assert {name: written(facts)[name] for name in weights} == spec.shapes
    assert list(weights) == list(spec.shapes), "in the same order"
    assert facts["parameters"]["total"] == spec.parameter_count
    assert all(one["count"] == prod(written(facts)[one["name"]]) for one in facts["tensors"])
    assert facts == ledger(Network(spec), batch=5, time=4)
    output, state = Network(spec).engine.forward(np.zeros((4, 5, 2), np.float32))
    assert written(facts)["forecast"] == output.shape
    assert written(facts)["h_n"] == state.h.shape


OURS = [spec for spec in SPECS if spec.cell not in TORCH_CELLS or spec.residual]


@pytest.mark.parametrize("spec", OURS)
def test_the_lines_of_our_reference_run(spec: NetworkSpec) -> None:
    names = {one.__name__: one for one in (Network, NetworkSpec, Weights, run_network, run_stack)}
    for network in (spec, NetworkSpec(cell="slstm", input_size=2, hidden_size=3, output_size=0)):
        facts = ledger(network, batch=5, time=4)
        assert shapes_of(facts, np=np, CELLS=CELLS, **names) == written(facts)


def test_a_model_knows_its_steps() -> None:
    spec = NetworkSpec(cell="gru", input_size=4, hidden_size=3, output_size=2)
    windowing = Windowing(8, 2, patch=2, mask=True, ahead=1)
    model = Model((Network(spec),), windowing, 2, Head("mse"))
    assert ledger(model, batch=3) == ledger(spec, batch=3, time=5)
    headless = NetworkSpec(cell="gru", input_size=4, hidden_size=3, output_size=0, skip_steps=5)
    assert "skip" not in ledger(headless, batch=3, time=7)["code"]
    skipping = NetworkSpec(cell="gru", input_size=4, hidden_size=3, output_size=2, skip_steps=5)
    assert ledger(skipping, batch=3)["time"] == 5


class Watched(np.ndarray[Any, Any]):
    """A matrix that counts the multiply-adds of every product it is in."""

    count = 0

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **more: Any) -> Any:
        plain = [np.asarray(one) for one in inputs]
        if ufunc is np.matmul:
            rows, inner = plain[0].shape
            Watched.count += rows * inner * plain[1].shape[1]
        return getattr(ufunc, method)(*plain, **more)


@every_cell
def test_multiply_adds_are_those_of_the_reference(cell: str) -> None:
    equations, rng = CELLS[cell], np.random.default_rng(0)
    batch, time, below = 3, 4, 2
    sequence = list(rng.standard_normal((time, batch, below)))
    Watched.count = 0
    for _ in range(2):
        drawn = draw_weights(equations, rng, input_size=below, hidden_size=5)
        weights = Weights(*(one.view(Watched) for one in drawn))
        state = equations.zero_state(batch, 5)
        for t in range(time):
            step = equations.step(sequence[t], state, weights)
            state, sequence[t] = equations.state_after(step), step.h_next
        below = 5
    np.asarray(sequence[-1]) @ rng.standard_normal((2, 5)).view(Watched).T
    spec = NetworkSpec(cell=cell, input_size=2, hidden_size=5, num_layers=2, output_size=2)
    work = ledger(spec, batch=batch, time=time)["work"]
    assert Watched.count == work["per_batch"]
    assert work["head"] == 10
    assert work["sequential_steps"] == 8


class Counted(float):
    """A number that counts the products, quotients and sums it is in."""

    count = 0

    def _made(self, value: float) -> Counted:
        Counted.count += 1
        return Counted(value)

    def __add__(self, other: float) -> Counted:
        return self._made(float(self) + float(other))

    def __sub__(self, other: float) -> Counted:
        return self._made(float(self) - float(other))

    def __mul__(self, other: float) -> Counted:
        return self._made(float(self) * float(other))

    def __truediv__(self, other: float) -> Counted:
        return self._made(float(self) / float(other))


def _gru(s: Any) -> Counted:
    after_x = float(s.from_x_n)
    n = Counted(tanh(after_x + float(s.r * s.from_h_n)))
    return (s.h - n) * s.z + n


def _lstm(s: Any) -> Counted:
    return s.o * Counted(tanh(s.f * s.c + s.i * s.g))


def _minlstm(s: Any) -> Counted:
    return (s.h - s.n) * (s.f / (s.f + s.i)) + s.n


def _slstm(s: Any) -> Counted:
    return s.o * ((s.f * s.c + s.i * s.z) / (s.f * s.n + s.i))


LAST_LINES = {
    "rnn": lambda s: s.n,
    "rnn_relu": lambda s: s.n,
    "lstm": _lstm,
    "gru": _gru,
    "mingru": lambda s: (s.n - s.h) * s.z + s.h,
    "minlstm": _minlstm,
    "slstm": _slstm,
}
"""The equations of each cell after its gates, of one unit."""


@every_cell
def test_products_and_sums_between_gates_are_counted(cell: str) -> None:
    equations, rng = CELLS[cell], np.random.default_rng(1)
    weights = draw_weights(equations, rng, input_size=2, hidden_size=1)
    step = equations.step(rng.standard_normal((1, 2)), draw_state(equations, rng, 1, 1), weights)
    numbers = {name: Counted(one[0, -1]) for name, one in vars(step).items()}
    Counted.count = 0
    found = LAST_LINES[cell](SimpleNamespace(**numbers, from_x_n=numbers["from_x"]))
    assert float(found) == pytest.approx(step.h_next[0, 0], rel=1e-12)
    work = ledger(cell, **SIZES, num_layers=2, batch=7, time=4)["work"]
    assert work["pointwise"] == Counted.count * 3 * 2 * 4


class Read:
    """A step that remembers which of its arrays were read."""

    def __init__(self, step: Any) -> None:
        self.step, self.names = step, set[str]()

    def __getattr__(self, name: str) -> Any:
        self.names.add(name)
        return getattr(self.step, name)


FROM_OTHERS = {"x", "h", "tanh_c", "f_share", "i_share"}
"""The input and the output before, which are there anyway, and what follows from gates or memory alone."""


@pytest.mark.parametrize("cell", [name for name in CELLS if name != "slstm"])
def test_what_is_kept_is_what_the_reference_reads_on_its_way_back(cell: str) -> None:
    equations, rng = CELLS[cell], np.random.default_rng(2)
    weights = draw_weights(equations, rng, input_size=2, hidden_size=3)
    trace = run(equations, rng.standard_normal((4, 5, 2)), weights)
    kept = states = 0
    for step in trace.steps:
        read = Read(step)
        equations.step_backward(read, draw_state(equations, rng, 5, 3), weights)  # type: ignore[arg-type]
        memories = {"c"} if cell == "lstm" else set()
        names = read.names - FROM_OTHERS - memories
        kept += sum(one.size for one in (getattr(step, name) for name in names) if one is not step.h_next)
        states += sum(getattr(step, f"{name}_next").size for name in memories)
    memory = ledger(cell, **SIZES, batch=5, time=4)["memory"]
    assert (memory["gates"], memory["states"]) == (kept, states)
    assert memory["outputs"] == trace.output_tbh.size
    assert memory["bytes"] == 4 * (kept + states + trace.output_tbh.size)


def test_every_cell_has_its_line() -> None:
    assert list(PER_UNIT) == list(CELLS)
    assert len(ledger("slstm", **SIZES, batch=1, time=1)["tensors"]) == 1 + 4 + 4 + 1 + 4


def test_dilated_layers_wait_for_fewer_steps() -> None:
    spec = NetworkSpec(cell="gru", **SIZES, output_size=1, num_layers=3, dilations=(1, 2, 4))
    assert ledger(spec, batch=1, time=10)["work"]["sequential_steps"] == 10 + 5 + 3


size = st.integers(1, 4)


@given(batch=size, time=size, input_size=size, hidden_size=size, num_layers=size, bidirectional=st.booleans())
def test_axes_are_flagged_where_a_swap_leaves_the_shape(
    batch: int, time: int, input_size: int, hidden_size: int, num_layers: int, bidirectional: bool
) -> None:
    sizes = {"input_size": input_size, "hidden_size": hidden_size, "num_layers": num_layers}
    facts = ledger("gru", **sizes, bidirectional=bidirectional, batch=batch, time=time)
    flagged = {
        (one["tensor"], *pair) for one in facts["equal_axes"] for pair in combinations(one["letters"], 2)
    }
    swaps = {
        (tensor["name"], one["letter"], other["letter"])
        for tensor in facts["tensors"]
        for one, other in combinations(tensor["axes"], 2)
        if one["size"] == other["size"] and one["size"] > 1
    }
    assert flagged == swaps


def test_a_swap_that_changes_nothing_is_not_flagged() -> None:
    assert ledger("lstm", input_size=1, hidden_size=50, batch=1, time=40)["equal_axes"] == []
    lamp = ledger("lstm", input_size=1, hidden_size=50, batch=32, time=32)["equal_axes"]
    assert lamp == [{"size": 32, "tensor": name, "letters": ["T", "B"]} for name in ("input", "output")]


def test_rows_of_weights_belong_to_gates() -> None:
    tensors = {one["name"]: one for one in ledger("gru", **SIZES, output_size=1, batch=1, time=1)["tensors"]}
    assert tensors["weight_hh_l0"]["gates"] == tensors["bias_ih_l0"]["gates"] == ["r", "z", "n"]
    assert tensors["head.weight"]["gates"] == tensors["output"]["gates"] == []


def layer(**more: Any) -> SimpleNamespace:
    """Return what has the attributes of torch's LSTM."""
    flags = {"bidirectional": False, "batch_first": True, "bias": True}
    return SimpleNamespace(mode="LSTM", **SIZES, num_layers=1, proj_size=0, **flags, **more)


def module(**children: Any) -> SimpleNamespace:
    """Return what names its modules as torch does."""
    return SimpleNamespace(named_modules=lambda: [("", object()), *children.items()])


def test_modules_are_read_from_their_attributes() -> None:
    linear = SimpleNamespace(in_features=3, out_features=2, bias=None)
    found = ledger(module(lstm=layer(), head=linear), batch=1, time=1)
    assert written(found)["head.weight"] == (2, 3)
    assert "head.bias" not in written(found)
    assert (found["batch_first"], found["parameters"]["head"]) == (True, 6)
    two = ledger(module(lstm=layer(), one=linear, other=linear), batch=1, time=1)
    assert two["parameters"]["head"] == 0, "which of them is the head, nobody can tell"


@pytest.mark.parametrize(
    ("subject", "numbers", "says"),
    [
        ("lstn", SIZES, 'cell="lstm"'),
        ("lstm", {**SIZES, "hidden_size": 0}, "hidden_size does not fit"),
        ("lstm", {**SIZES, "num_layers": 1.5}, "num_layers does not fit"),
        ("lstm", {**SIZES, "bias": 1}, "bias does not fit"),
        ("lstm", {**SIZES, "head": "all"}, "head does not fit"),
        ("lstm", {**SIZES, "batch": 0}, "batch does not fit"),
        ("lstm", {**SIZES, "time": True}, "time does not fit"),
        ("lstm", {**SIZES, "time": None}, "How many steps"),
        ("lstm", {**SIZES, "proj_size": 3}, "below hidden_size = 3"),
        ("gru", {**SIZES, "proj_size": 1}, 'proj_size=1 with cell "gru"'),
        ("mingru", {**SIZES, "bidirectional": True}, "Only PyTorch's layers have bidirectional"),
        ("gru", {**SIZES, "residual": True, "bias": False}, "have bias=False"),
        (Structure(cell="gru", **SIZES, output_size=1, skip_steps=9), {"time": 8}, "time = 9"),
        (Structure(cell="gru", **SIZES), {"hidden_size": 4}, "leave hidden_size out"),
        ("gru", {**SIZES, "num_layers": 2, "dilations": (2,)}, "dilations does not fit"),
        ("gru", {**SIZES, "output_size": 1, "skip_steps": 3, "head": "every"}, "reads the whole window"),
        ("gru", {**SIZES, "num_layers": 1025}, "from 1 to 1024"),
        (3, {}, "got: int"),
        (module(other=object()), {}, "no recurrent layer"),
        (module(encoder=layer(), decoder=layer()), {}, r"ledger\(module.encoder, ...\)"),
    ],
)
def test_misfits_are_told(subject: Any, numbers: dict[str, Any], says: str) -> None:
    with pytest.raises(ArgumentError, match=says):
        ledger(subject, **{"batch": 2, "time": 3, **numbers})


def test_all_misfits_are_told_at_once() -> None:
    with pytest.raises(ArgumentError) as raised:
        Structure(cell="lstm", input_size=0, hidden_size=-1, batch_first="yes")  # type: ignore[arg-type]
    assert len(raised.value.faults) == 3
