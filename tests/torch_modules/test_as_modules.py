"""Everything that a module of torch may be asked for: copies, state dicts, parametrizations, threads."""

from __future__ import annotations

import copy
import io
import os
import pickle
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
from torch import nn
from torch.func import functional_call
from torch.nn.utils import parametrizations, parametrize, prune

from tests.torch_modules.helpers import (
    CELLS,
    Tensors,
    as_tuple,
    assert_close,
    assert_runs_close,
    cell_pair,
    drawn,
    every_cell,
    every_dtype,
    pair,
    run,
    same_bits,
    six_classes,
    states_of,
    total_of,
)

pytestmark = pytest.mark.torch


def changed(module: Any) -> None:
    """Move all weights a little."""
    with torch.no_grad():
        for k, parameter in enumerate(module.parameters()):
            parameter.add_(0.1 * drawn(*parameter.shape, dtype=parameter.dtype, seed=70 + k))


@every_cell
def test_copies_are_whole_and_independent(cell: str) -> None:
    module, reference = pair(cell, 2, 5, 2, bidirectional=True, dtype=torch.float64)
    x, state = drawn(4, 3, 2), states_of(module, 3)
    expected = run(module, x, state)
    buffer = io.BytesIO()
    torch.save(module, buffer)
    buffer.seek(0)
    copies = {
        "deepcopy": copy.deepcopy(module),
        "pickle": pickle.loads(pickle.dumps(module)),
        "torch.save": torch.load(buffer, weights_only=False),
    }
    for name, other in copies.items():
        assert type(other) is type(module), name
        assert set(vars(other)) == set(vars(module)), name
        same_bits(run(other, x, state), expected, name)
        changed(other)
        assert not torch.equal(other(x, state)[0], expected["output"]), name
        same_bits(run(module, x, state), expected, name)
    assert_runs_close(expected, run(reference, x, state))


@six_classes
def test_a_module_keeps_nothing_but_what_torch_keeps(our: Any, their: Any) -> None:
    module, reference = our(2, 3), their(2, 3)
    module(torch.zeros(4, 2))
    kept = set(vars(module)) - {"last_path", "_last_path"}
    assert kept <= set(vars(reference))
    assert len(pickle.dumps(module)) < 2 * len(pickle.dumps(reference))


@six_classes
def test_the_path_is_told_after_the_first_call(our: Any, their: Any) -> None:
    module = our(2, 3)
    assert module.last_path is None
    module(torch.zeros(4, 2))
    assert module.last_path.name == "unrolled"
    assert str(module.last_path.reason) == ""
    assert our(2, 3).last_path is None


@every_cell
def test_state_dicts_go_both_ways(cell: str) -> None:
    for options in [{}, {"num_layers": 2, "bidirectional": True}, {"bias": False}]:
        module, reference = pair(cell, 2, 5, dtype=torch.float64, **options)
        assert list(module.state_dict()) == list(reference.state_dict())
        assert [n for n, _ in module.named_parameters()] == [n for n, _ in reference.named_parameters()]
        x = drawn(4, 3, 2)
        changed(module)
        reference.load_state_dict(module.state_dict(), strict=True)
        assert_runs_close(run(module, x), run(reference, x))
        changed(reference)
        module.load_state_dict(reference.state_dict(), strict=True)
        assert_runs_close(run(module, x), run(reference, x))
        changed(reference)
        module.load_state_dict(copy.deepcopy(reference.state_dict()), strict=True, assign=True)
        assert_runs_close(run(module, x), run(reference, x))
    with pytest.raises(RuntimeError, match="Missing key"):
        module.load_state_dict({})


@every_cell
def test_a_checkpoint_of_torch_is_read(cell: str) -> None:
    module, reference = pair(cell, 2, 5, dtype=torch.float64)
    changed(reference)
    buffer = io.BytesIO()
    torch.save(reference.state_dict(), buffer)
    buffer.seek(0)
    module.load_state_dict(torch.load(buffer, weights_only=True))
    assert_runs_close(run(module, drawn(4, 3, 2)), run(reference, drawn(4, 3, 2)))


@every_cell
def test_weights_are_read_anew_in_every_call(cell: str) -> None:
    both = pair(cell, 2, 5, dtype=torch.float64)
    x = drawn(4, 3, 2)

    def check(name: str, edit: Any) -> None:
        before = both[0](x)[0]
        for module in both:
            edit(module)
        assert not torch.equal(both[0](x)[0], before), name
        assert_runs_close(run(both[0], x), run(both[1], x), at=name)

    def new_parameter(m: Any) -> None:
        m.weight_ih_l0 = nn.Parameter(0.7 * m.weight_ih_l0.detach())

    def new_data(m: Any) -> None:
        m.weight_hh_l0.data = 0.9 * m.weight_hh_l0.data

    check("in place", lambda m: m.weight_hh_l0.data.mul_(0.5))
    check("one number", lambda m: m.weight_hh_l0.data[1, 1].fill_(0.25))
    check("other memory", new_data)
    check("another parameter", new_parameter)
    check("through NumPy", lambda m: m.bias_hh_l0.detach().numpy().__iadd__(0.5))
    check("from scratch", lambda m: (torch.manual_seed(1), m.reset_parameters()))
    check("flattened", lambda m: (m.flatten_parameters(), m.bias_ih_l0.data.add_(0.5)))


@every_cell
@every_dtype
def test_other_dtypes_and_back(cell: str, dtype: torch.dtype) -> None:
    module, reference = pair(cell, 2, 5, 2)
    for one in (module, reference):
        one.to(torch.float16).to(dtype)
    assert_runs_close(run(module, drawn(4, 3, 2, dtype=dtype)), run(reference, drawn(4, 3, 2, dtype=dtype)))


@every_cell
def test_functional_call(cell: str) -> None:
    both = pair(cell, 2, 5, 2, bidirectional=True, dtype=torch.float64)
    found = []
    for module in both:
        before = {name: p.detach().clone() for name, p in module.named_parameters()}
        other = {name: (0.8 * p.detach()).requires_grad_() for name, p in module.named_parameters()}
        scaled = {name: tensor * 1.25 for name, tensor in other.items()}  # no leaves, no parameters
        output, state = functional_call(module, scaled, (drawn(4, 3, 2),))
        total_of([output, *as_tuple(state)]).backward()
        found.append({"output": output} | {f"d_{name}": tensor.grad for name, tensor in other.items()})
        assert all(p.grad is None for p in module.parameters())
        same_bits(dict(module.named_parameters()), before)
    assert_runs_close(*found)
    assert both[0].last_path.name == "unrolled"
    partly = {"weight_hh_l0": torch.zeros_like(both[0].weight_hh_l0)}
    assert_close(*(functional_call(module, partly, (drawn(4, 3, 2),))[0] for module in both))


def with_effective_weights(reference: Any, module: Any, x: torch.Tensor) -> torch.Tensor:
    """Return torch's output with the weights that a parametrized module shows now."""
    effective = {name: getattr(module, name) for name, _ in reference.named_parameters()}
    output: torch.Tensor = functional_call(reference, effective, (x,))[0]
    return output


class Halved(nn.Module):
    """A parametrization whose weight is half of what is stored."""

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        """Return half."""
        return 0.5 * weight

    def right_inverse(self, weight: torch.Tensor) -> torch.Tensor:
        """Return what is stored for a weight."""
        return 2.0 * weight


PARAMETRIZATIONS: dict[str, Any] = {
    "halved": lambda m, name: parametrize.register_parametrization(m, name, Halved()),
    "weight norm": parametrizations.weight_norm,
    "spectral norm": parametrizations.spectral_norm,
    "orthogonal": lambda m, name: parametrizations.orthogonal(m, name, orthogonal_map="cayley"),
}


@every_cell
@pytest.mark.parametrize("kind", PARAMETRIZATIONS)
def test_parametrized_weights(cell: str, kind: str) -> None:
    module, reference = pair(cell, 2, 5, 2, dtype=torch.float64)
    for name in ("weight_hh_l0", "weight_ih_l1"):
        PARAMETRIZATIONS[kind](module, name)
    module.eval()  # spectral norm goes one step further in every call of a training
    changed(module)
    x = drawn(4, 3, 2)
    output = module(x)[0]
    assert module.last_path.name == "unrolled"
    expected = with_effective_weights(reference, module, x)
    assert_close(output, expected)
    stored = [parameter for name, parameter in module.named_parameters() if "base" not in name]
    found = [torch.autograd.grad(one.square().sum(), stored) for one in (output, expected)]
    for ours, theirs in zip(*found, strict=True):
        assert_close(ours, theirs, to="gradient")
    with parametrize.cached():
        assert_close(module(x)[0], expected)
    parametrize.remove_parametrizations(module, "weight_hh_l0")
    assert_close(module(x)[0], expected)
    assert isinstance(module, nn.RNNBase)


@every_cell
def test_a_parametrized_module_is_copied_and_trained(cell: str) -> None:
    module, _ = pair(cell, 2, 5, dtype=torch.float64)
    parametrizations.weight_norm(module, "weight_hh_l0")
    x = drawn(4, 3, 2)
    other = copy.deepcopy(module)
    assert_close(other(x)[0], module(x)[0])
    steps = torch.optim.SGD(module.parameters(), lr=0.1)
    losses = []
    for _ in range(5):
        loss = module(x)[0].square().mean()
        losses.append(float(loss.detach()))
        steps.zero_grad()
        loss.backward()
        steps.step()
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < losses[0]


@every_cell
@pytest.mark.filterwarnings("ignore:.*weight_norm.*is deprecated:FutureWarning")
def test_weight_norm_of_old(cell: str) -> None:
    found = []
    for module in pair(cell, 2, 5, 2, dtype=torch.float64):
        nn.utils.weight_norm(module, "weight_hh_l0")
        nn.utils.weight_norm(module, "weight_ih_l1", dim=None)
        changed(module)
        found.append(run(module, drawn(4, 3, 2)))
    assert_runs_close(*found)
    assert "d_weight_hh_l0_g" in found[0]


@every_cell
def test_shared_weights_and_shared_memory(cell: str) -> None:
    module, reference = pair(cell, 2, 5, dtype=torch.float64)
    module.share_memory()
    assert all(parameter.is_shared() for parameter in module.parameters())
    assert_runs_close(run(module, drawn(4, 3, 2)), run(reference, drawn(4, 3, 2)))
    for name, parameter in reference.named_parameters():
        setattr(module, name, parameter)
    changed(reference)
    assert_close(module(drawn(4, 3, 2))[0], reference(drawn(4, 3, 2))[0])


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_another_process_works_on_the_same_weights() -> None:
    module, _ = pair("lstm", 2, 5, dtype=torch.float64)
    module.share_memory()
    before = module(drawn(4, 3, 2))[0].detach()

    def learn() -> None:
        with torch.no_grad():
            assert torch.equal(module(drawn(4, 3, 2))[0], before)
            module.weight_hh_l0.mul_(0.5)

    process = torch.multiprocessing.get_context("fork").Process(target=learn)
    process.start()
    process.join(30)
    assert process.exitcode == 0
    assert not torch.equal(module(drawn(4, 3, 2))[0], before)


@every_cell
@every_dtype
def test_results_do_not_depend_on_the_number_of_threads(cell: str, dtype: torch.dtype) -> None:
    module, _ = pair(cell, 8, 33, 2, bidirectional=True, dtype=dtype)
    x, state = drawn(20, 65, 8, dtype=dtype), states_of(module, 65)
    expected = run(module, x, state)
    try:
        for threads in (2, 3, 1):
            torch.set_num_threads(threads)
            same_bits(run(module, x, state), expected, threads)
    finally:
        torch.set_num_threads(1)


AFTER_A_FORK = """
import os, signal, torch
from unrolled.torch import LSTM

torch.set_num_threads(2)
module, x, d = LSTM(8, 64), torch.randn(64, 32, 8), torch.randn(64, 32, 64)

def gradients():
    return torch.autograd.grad(module(x)[0], list(module.parameters()), d)

before = gradients()
child = os.fork()
if child == 0:
    signal.alarm(60)
    same = all(bool((a == b).all()) for a, b in zip(before, gradients()))
    os._exit(0 if same else 1)
_, status = os.waitpid(child, 0)
print("status", status)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_has_threads_of_its_own() -> None:
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", AFTER_A_FORK]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout == "status 0\n", done.stderr


def test_several_python_threads_at_once() -> None:
    modules = {cell: pair(cell, 3, 9, 2, bidirectional=True, dtype=torch.float64)[0] for cell in CELLS}
    start = threading.Barrier(4)

    def work(thread: int) -> list[Tensors]:
        start.wait(30)
        own = {cell: copy.deepcopy(module) for cell, module in modules.items()}
        found = []
        for turn in range(5):
            x = drawn(6, 4, 3, seed=10 * thread + turn)
            for cell in CELLS:
                found.append({"shared": modules[cell](x)[0].detach(), **run(own[cell], x)})
        return found

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(work, range(4)))
    for thread in range(4):
        expected = iter(found[thread])
        for turn in range(5):
            x = drawn(6, 4, 3, seed=10 * thread + turn)
            for cell in CELLS:
                same_bits(next(expected), {"shared": modules[cell](x)[0].detach(), **run(modules[cell], x)})


@every_cell
def test_one_graph_for_several_calls(cell: str) -> None:
    found = []
    for module in pair(cell, 2, 2, dtype=torch.float64):
        x = drawn(4, 3, 2).requires_grad_()
        first, state = module(x)
        second, last = module(first, state)
        total_of([first, second, *as_tuple(last)]).backward()
        found.append({"d_x": x.grad} | {f"d_{name}": p.grad for name, p in module.named_parameters()})
    assert_runs_close(*found)


@every_cell
def test_moved_cells_keep_their_ways(cell: str) -> None:
    module, reference = cell_pair(cell, 2, 5, dtype=torch.float64)
    expected = run(module, drawn(3, 2))
    for other in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        same_bits(run(other, drawn(3, 2)), expected)
    parametrizations.weight_norm(module, "weight_hh")
    assert_close(as_tuple(module(drawn(3, 2)))[0], as_tuple(reference(drawn(3, 2)))[0])
    weights = {name: 0.5 * parameter for name, parameter in reference.named_parameters()}
    plain = cell_pair(cell, 2, 5, dtype=torch.float64)[0]
    found = [as_tuple(functional_call(one, weights, (drawn(3, 2),)))[0] for one in (plain, reference)]
    assert_close(*found)


@every_cell
def test_pruned_weights(cell: str) -> None:
    found = []
    for module in pair(cell, 2, 5, 2, dtype=torch.float64):
        prune.l1_unstructured(module, "weight_hh_l0", amount=0.5)
        prune.random_unstructured(module, "weight_ih_l1", amount=0.0)
        found.append(run(module, drawn(4, 3, 2)))
        prune.remove(module, "weight_hh_l0")
        prune.remove(module, "weight_ih_l1")
    assert_runs_close(*found)


@every_cell
def test_numbers_that_are_stored_as_their_negative(cell: str) -> None:
    """The imaginary part of a conjugate is a view whose numbers torch negates when it reads them."""
    module, reference = pair(cell, 2, 5, 2, dtype=torch.float64)
    x, h, d_output = (
        torch.view_as_complex(drawn(*size, 2)).conj().imag for size in ((4, 3, 2), (2, 3, 5), (4, 3, 5))
    )
    assert x.is_neg()
    found = []
    for one in (module, reference):
        output = one(x, (h, h) if cell == "lstm" else h)[0]
        found.append([output, *torch.autograd.grad(output, list(one.parameters()), d_output)])
    for got, want in zip(*found, strict=True):
        assert_close(got, want, to="gradient")
    assert module.last_path.name == "unrolled"


def test_lists_and_stacks_of_modules() -> None:
    class Stack(nn.Module):
        def __init__(self, kinds: Any) -> None:
            super().__init__()
            self.layers = nn.ModuleList(kind(4, 4, dtype=torch.float64) for kind in kinds)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            for layer in self.layers:
                x = x + layer(x)[0]
            return x

    import unrolled.torch as ours

    theirs = Stack([nn.LSTM, nn.GRU, nn.RNN])
    mine = Stack([ours.LSTM, ours.GRU, ours.RNN])
    mine.load_state_dict(theirs.state_dict())
    assert_close(mine(drawn(5, 3, 4)), theirs(drawn(5, 3, 4)))
