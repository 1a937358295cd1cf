"""torch.compile sees one operator: no break in the graph, the numbers of the eager module, with dropout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import nn
from torch.fx import Interpreter
from torch.nn.utils.rnn import PackedSequence

from tests.torch_modules.helpers import (
    CELLS,
    CLASSES,
    Tensors,
    as_tuple,
    assert_close,
    assert_runs_close,
    cell_pair,
    drawn,
    every_cell,
    leaf,
    options_of,
    padded_and_packed,
    pair,
    states_of,
    total_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
# torch's own warnings, while it compiles


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    """Let every test compile anew."""
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


class Net(nn.Module):
    """A recurrent module between other layers."""

    def __init__(self, recurrent: Any) -> None:
        super().__init__()
        width = recurrent.hidden_size * (2 if recurrent.bidirectional else 1)
        self.before = nn.Linear(recurrent.input_size, recurrent.input_size)
        self.recurrent = recurrent
        self.after = nn.Linear(width, 2)
        self.to(recurrent.weight_hh_l0.dtype)

    def forward(self, x: torch.Tensor, hx: Any = None, **more: Any) -> tuple[torch.Tensor, ...]:
        """Return what the last layer says, and the state."""
        output, state = self.recurrent(torch.tanh(self.before(x)), hx, **more)
        return self.after(output).sigmoid(), *as_tuple(state)


def net_of(cell: str, *sizes: int, seed: int = 4, **options: Any) -> Net:
    """Return a model around a module of ours."""
    torch.manual_seed(seed)
    return Net(CLASSES[cell][0](*sizes, **options_of(cell), **options))


def run(call: Callable[..., Any], model: nn.Module, x: torch.Tensor, hx: Any = None, **more: Any) -> Tensors:
    """Return everything that a call returns, and all gradients."""
    model.zero_grad(set_to_none=True)
    torch.manual_seed(5)
    x, firsts = leaf(x), tuple(leaf(one) for one in ([] if hx is None else as_tuple(hx)))
    result = call(x, firsts if isinstance(hx, tuple) else (firsts or (None,))[0], **more)
    total_of(result).backward()
    found = {f"result {k}": one for k, one in enumerate(result)} | {"d_x": x.grad}
    found |= {f"d_state {k}": one.grad for k, one in enumerate(firsts)}
    found |= {f"d_{name}": p.grad for name, p in model.named_parameters() if p.grad is not None}
    return {name: value.detach() for name, value in found.items()}


KINDS: dict[str, dict[str, Any]] = {
    "one layer": {},
    "both ways, two layers, dropout": {"num_layers": 2, "bidirectional": True, "dropout": 0.5},
    "batch first, no bias, three layers": {
        "num_layers": 3,
        "batch_first": True,
        "bias": False,
        "dropout": 0.3,
    },
}


@pytest.mark.parametrize(
    ("cell", "kind"),
    [(cell, "both ways, two layers, dropout") for cell in CELLS] + [("lstm", kind) for kind in KINDS][::2],
)
def test_one_graph_with_the_numbers_of_the_eager_module(cell: str, kind: str) -> None:
    model = net_of(cell, 3, 5, dtype=torch.float64, **KINDS[kind])
    compiled = torch.compile(model, fullgraph=True, backend="aot_eager")
    x = drawn(4, 4, 3)
    for hx in (None, states_of(model.recurrent, 4)):
        assert_runs_close(run(compiled, model, x, hx), run(model, model, x, hx), at="training")
    model.eval()
    assert_runs_close(run(compiled, model, x), run(model, model, x), at="evaluation")
    with torch.no_grad():
        assert_close(compiled(x)[0], model(x)[0])


@every_cell
def test_dropout_is_torchs_own_when_compiled(cell: str) -> None:
    module, reference = pair(cell, 3, 5, 3, dropout=0.5, bidirectional=True, dtype=torch.float64)
    compiled = torch.compile(lambda x: module(x)[0], fullgraph=True, backend="aot_eager")
    for seed in (1, 2):
        torch.manual_seed(seed)
        found = compiled(drawn(4, 2, 3))
        after = torch.rand(1)
        torch.manual_seed(seed)
        assert_close(found, reference(drawn(4, 2, 3))[0])
        assert torch.equal(after, torch.rand(1))


def test_explain_finds_one_graph() -> None:
    for cell in ("lstm", "gru", "rnn"):
        model = net_of(cell, 3, 5, 2, dropout=0.5)
        found = torch._dynamo.explain(model)(torch.ones(4, 2, 3))
        assert found.graph_break_count == 0, str(found)
        assert found.graph_count == 1
        torch._dynamo.reset()


def nodes_of(function: Any, *inputs: Any) -> tuple[list[Any], Any]:
    """Return the operators of the graph that a function is compiled to, each with its arguments."""
    called: list[Any] = []

    class Recorder(Interpreter):  # type: ignore[misc]
        def call_function(self, target: Any, args: Any, kwargs: Any) -> Any:
            if "unrolled" in str(target):
                called.append((target, args, kwargs))
            return super().call_function(target, args, kwargs)

    def backend(graph: torch.fx.GraphModule, _: Any) -> Any:
        return lambda *given: Recorder(graph).run(*given)

    result = torch.compile(function, fullgraph=True, backend=backend)(*inputs)
    return called, result


def configurations() -> dict[str, Any]:
    """Return calls whose operators are checked."""
    found: dict[str, Any] = {}
    kinds = [(cell, "both ways, two layers, dropout") for cell in ("rnn_relu", "lstm", "gru")]
    for cell, kind in [*kinds, ("lstm", "one layer"), ("gru", "batch first, no bias, three layers")]:
        module, _ = pair(cell, 3, 5, dtype=torch.float64, **KINDS[kind])
        found[f"{cell}, {kind}"] = (module, drawn(4, 2, 3).requires_grad_(), None)
    module, _ = pair("lstm", 3, 5, 2, bidirectional=True, dtype=torch.float64)
    found["lstm, states"] = (module, drawn(4, 2, 3), tuple(leaf(s) for s in states_of(module, 2)))
    found["lstm, alone"] = (module, drawn(4, 3), None)
    module, _ = pair("gru", 3, 5, dtype=torch.float32)
    found["gru, frozen"] = (module.requires_grad_(False), drawn(4, 2, 3, dtype=torch.float32), None)
    return found


@pytest.mark.parametrize("name", configurations())
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_operators_pass_torchs_check_of_operators(name: str) -> None:
    module, x, hx = configurations()[name]
    called, _ = nodes_of(lambda x, hx: module(x, hx)[0], x, hx)
    assert any("recurrent" in str(target) for target, _, _ in called)
    for target, args, kwargs in called:
        fresh = torch.utils._pytree.tree_map_only(
            torch.Tensor, lambda t: t.detach().clone().requires_grad_(t.requires_grad), (args, kwargs)
        )
        checked = torch.library.opcheck(target, *fresh)
        assert set(checked.values()) == {"SUCCESS"}, (str(target), checked)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_resets_are_compiled(cell: str) -> None:
    model = net_of(cell, 3, 5, 2, bidirectional=True, dtype=torch.float64)
    compiled = torch.compile(model, fullgraph=True, backend="aot_eager")
    resets = torch.rand(6, 4, generator=torch.Generator().manual_seed(1)) < 0.4
    x = drawn(6, 4, 3)
    assert_runs_close(run(compiled, model, x, resets=resets), run(model, model, x, resets=resets))
    turned = net_of(cell, 3, 5, 2, batch_first=True, dtype=torch.float64)
    compiled = torch.compile(turned, fullgraph=True, backend="aot_eager")
    found = [run(call, turned, x.transpose(0, 1), resets=resets.t()) for call in (compiled, turned)]
    assert_runs_close(*found)


@every_cell
def test_cells_are_compiled(cell: str) -> None:
    module, _ = cell_pair(cell, 3, 5, dtype=torch.float64)

    def unrolled(x: torch.Tensor) -> torch.Tensor:
        state: Any = None
        for t in range(3):
            state = module(x[t], state)
        return as_tuple(state)[0]

    compiled = torch.compile(unrolled, fullgraph=True, backend="aot_eager")
    found = []
    for call in (compiled, unrolled):
        x = drawn(3, 2, 3).requires_grad_()
        output = call(x)
        found.append([output, *torch.autograd.grad(output.square().sum(), [x, *module.parameters()])])
    for got, want in zip(*found, strict=True):
        assert_close(got, want, to="gradient")


def test_batches_and_steps_of_any_size_are_one_graph() -> None:
    model = net_of("lstm", 3, 5, 2, dtype=torch.float64)
    graphs: list[Any] = []

    def backend(graph: torch.fx.GraphModule, _: Any) -> Any:
        graphs.append(graph)
        return graph.forward

    compiled = torch.compile(model, fullgraph=True, dynamic=True, backend=backend)
    for steps, rows in [(4, 2), (7, 3), (11, 17), (5, 33)]:
        assert_close(compiled(drawn(steps, rows, 3))[0], model(drawn(steps, rows, 3))[0])
    assert len(graphs) == 1
    torch._dynamo.reset()
    dynamic = torch.compile(model, fullgraph=True, dynamic=True, backend="aot_eager")
    for rows in (2, 5, 9):
        x = drawn(4, rows, 3)
        assert_runs_close(run(dynamic, model, x), run(model, model, x), at=rows)


@every_cell
def test_packed_rows_give_the_eager_numbers(cell: str) -> None:
    """However many graphs it takes: a PackedSequence says only inside a tensor how many rows it has."""
    module, _ = pair(cell, 3, 5, 2, bidirectional=True, dtype=torch.float64)
    packed = padded_and_packed([2, 5, 3], 3)[1]
    by_hand = PackedSequence(drawn(8, 3), torch.tensor([3, 2, 2, 1]))
    compiled = torch.compile(lambda packed: module(packed), backend="eager")
    for given in (packed, by_hand):
        found, expected = compiled(given), module(given)
        assert_close(found[0].data, expected[0].data)
        for got, want in zip(as_tuple(found[1]), as_tuple(expected[1]), strict=True):
            assert_close(got, want)


def test_inductor() -> None:
    model = net_of("lstm", 3, 5, 2, dropout=0.5, dtype=torch.float32)
    x = drawn(4, 2, 3, dtype=torch.float32)
    with torch._inductor.config.patch({"cpp.simdlen": 1}):  # no search for what the processor can do
        compiled = torch.compile(model, fullgraph=True)
        assert_runs_close(run(compiled, model, x), run(model, model, x), at="training")


def test_weights_that_changed_are_seen() -> None:
    model = net_of("gru", 3, 5, dtype=torch.float64)
    compiled = torch.compile(model, fullgraph=True, backend="aot_eager")
    x = drawn(4, 2, 3)
    before = compiled(x)[1]
    model.recurrent.weight_hh_l0.data.mul_(0.5)
    assert not torch.equal(compiled(x)[1], before)
    assert_close(compiled(x)[1], model(x)[1])


def test_training_step_by_step_is_the_same() -> None:
    found = []
    for compiles in (False, True):
        model = net_of("gru", 3, 5, 2, dropout=0.4, dtype=torch.float64)
        call = torch.compile(model, fullgraph=True, backend="aot_eager") if compiles else model
        steps = torch.optim.Adam(model.parameters(), lr=0.01)
        torch.manual_seed(8)
        for turn in range(4):
            loss = call(drawn(4, 6, 3, seed=turn))[0].square().mean()
            steps.zero_grad()
            loss.backward()
            steps.step()
        found.append(dict(model.named_parameters()))
    for name, want in found[0].items():
        assert_close(found[1][name], want, to="trained", name=name)


@every_cell
def test_second_derivatives_of_a_compiled_module_are_right_or_refused(cell: str) -> None:
    module, _ = pair(cell, 2, 3, dtype=torch.float64)
    found = []
    for call in (torch.compile(lambda x: module(x)[0], backend="aot_eager"), lambda x: module(x)[0]):
        x = drawn(3, 2, 2).requires_grad_()
        (slope,) = torch.autograd.grad(call(x).square().sum(), x, create_graph=True)
        try:
            found.append(torch.autograd.grad(slope.square().sum(), x)[0])
        except RuntimeError:
            found.append(None)
    assert found[1] is not None
    if found[0] is not None:
        assert_close(*found, to="gradient")


@every_cell
@pytest.mark.filterwarnings("error")
def test_the_operator_alone_never_gives_wrong_second_derivatives(cell: str) -> None:
    module, _ = pair(cell, 2, 3, dtype=torch.float64)
    called, _ = nodes_of(lambda x: module(x)[0], drawn(3, 2, 2))
    target, args, kwargs = next(
        one for one in called if str(one[0]).endswith(("recurrent.default", "recurrent"))
    )
    x = drawn(3, 2, 2).requires_grad_()
    args, kwargs = torch.utils._pytree.tree_map_only(
        torch.Tensor, lambda t: x if t.shape == x.shape else t.detach(), (args, kwargs)
    )
    (slope,) = torch.autograd.grad(target(*args, **kwargs)[0].square().sum(), x, create_graph=True)
    expected = torch.autograd.functional.vhp(
        lambda x: module(x)[0].square().sum(), x.detach(), 2.0 * slope.detach()
    )[1]
    try:
        (found,) = torch.autograd.grad(slope.square().sum(), x)
    except (RuntimeError, UserWarning):
        return
    assert_close(found, expected, to="gradient")


def test_an_operator_is_recorded_under_fake_tensors() -> None:
    from torch._subclasses.fake_tensor import FakeTensorMode

    for cell in ("rnn", "lstm", "gru"):
        module, _ = pair(cell, 3, 5, 2, bidirectional=True)
        expected = module(torch.ones(4, 2, 3))
        with FakeTensorMode(allow_non_fake_inputs=True) as mode:
            output, state = module(mode.from_tensor(torch.ones(4, 2, 3)))
        assert output.shape == expected[0].shape
        assert [one.shape for one in as_tuple(state)] == [one.shape for one in as_tuple(expected[1])]
        assert output.stride() == expected[0].stride()
