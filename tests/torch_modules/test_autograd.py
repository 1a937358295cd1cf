"""Which gradients are made, when they may be made again, and what hooks see."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
import torch

from tests.torch_modules.helpers import (
    Tensors,
    as_pair,
    as_tuple,
    assert_close,
    assert_runs_close,
    cell_pair,
    drawn,
    every_cell,
    pair,
    run,
    same_bits,
    states_of,
    total_of,
)

pytestmark = pytest.mark.torch


def some_gradients(module: Any, wanted: set[str], first: bool = True) -> Tensors:
    """Return the gradients that a backward pass leaves where only the tensors `wanted` require them."""
    tensors = {"x": drawn(4, 3, 2)}
    if first:
        tensors |= dict(zip("hc", as_tuple(states_of(module, 3)), strict=False))
    tensors = {name: tensor.requires_grad_(name in wanted) for name, tensor in tensors.items()}
    module.zero_grad(set_to_none=True)
    for name, parameter in module.named_parameters():
        parameter.requires_grad_(name in wanted)
    state = tuple(tensors[name] for name in "hc" if name in tensors)
    output, last = module(tensors["x"], state if len(state) == 2 else (state or (None,))[0])
    returned = [output, *as_tuple(last)]
    assert all(one.requires_grad == bool(wanted) for one in returned)
    if wanted:
        total_of(returned).backward()
    everything = tensors | dict(module.named_parameters())
    return {f"d_{name}": one.grad for name, one in everything.items() if one.grad is not None}


@every_cell
@pytest.mark.parametrize("two", [False, True], ids=["one way", "both ways"])
def test_any_subset_of_inputs_and_weights(cell: str, two: bool) -> None:
    both = pair(cell, 2, 5, 2, bidirectional=two, dtype=torch.float64)
    names = [name for name, _ in both[0].named_parameters()]
    given = ["x", "h", "c"] if cell == "lstm" else ["x", "h"]
    subsets = [set(some) for size in range(len(given) + 1) for some in combinations(given, size)]
    subsets += [some | set(names) for some in subsets]
    subsets += [{name} for name in names]
    subsets += [set(names[::3]) | {"x"}, set(names[1:4]) | {"h"}, set(names[-2:])]
    for wanted in subsets:
        ours, theirs = (some_gradients(module, wanted) for module in both)
        assert set(ours) == {f"d_{name}" for name in wanted}
        assert_runs_close(ours, theirs, at=wanted)
    for wanted in ({"x"}, {names[0]}, {names[-1], "x"}):
        assert_runs_close(*(some_gradients(module, wanted, first=False) for module in both), at=wanted)


@every_cell
def test_any_subset_of_a_cell(cell: str) -> None:
    both = cell_pair(cell, 2, 5, dtype=torch.float64)
    given = ["x", "h", "c"] if cell == "lstm" else ["x", "h"]
    for wanted in [{name} for name in [*given, "weight_ih", "weight_hh", "bias_ih", "bias_hh"]]:
        found = []
        for module in both:
            module.zero_grad()
            state = [drawn(3, 5, seed=k).requires_grad_(name in wanted) for k, name in enumerate(given[1:])]
            x = drawn(3, 2).requires_grad_("x" in wanted)
            for name, parameter in module.named_parameters():
                parameter.requires_grad_(name in wanted)
            output = module(x, tuple(state) if cell == "lstm" else state[0])
            total_of(as_tuple(output)).backward()
            everything = dict(zip(given, [x, *state], strict=True)) | dict(module.named_parameters())
            found.append({f"d_{name}": one.grad for name, one in everything.items() if one.grad is not None})
        assert set(found[0]) == {f"d_{name}" for name in wanted}
        assert_runs_close(*found, at=wanted)


@every_cell
def test_without_gradients(cell: str) -> None:
    module, reference = pair(cell, 2, 5, 2, bidirectional=True, dtype=torch.float64)
    x, state = drawn(4, 3, 2), states_of(module, 3)
    with torch.no_grad():
        expected, _ = reference(x, state)
        output, last = module(x, state)
    for one in (output, *as_tuple(last)):
        assert not one.requires_grad
    assert_close(output, expected)
    assert module.last_path.name == "unrolled"
    with torch.inference_mode():
        output, last = module(x, state)
        assert output.is_inference()
        assert_close(output, expected)
        again, _ = module(x * 1.0, last)  # tensors made in inference mode go in again
    assert again.shape == expected.shape
    frozen = module.requires_grad_(False)
    assert not frozen(x, state)[0].requires_grad


def test_tensors_made_in_inference_mode_are_refused_as_torch_refuses_them() -> None:
    module, reference = pair("gru", 2, 5, dtype=torch.float64)
    with torch.inference_mode():
        x = drawn(4, 3, 2)
    for one in (module, reference):
        with pytest.raises(RuntimeError, match="Inference tensors cannot be saved for backward"):
            one(x)[0].sum().backward()


@every_cell
def test_backward_twice(cell: str) -> None:
    module, _ = pair(cell, 2, 5, 2, bidirectional=True, dtype=torch.float64)
    once = run(module, drawn(4, 3, 2))
    x = drawn(4, 3, 2).requires_grad_()
    output, state = module(x)
    tensors = [x, *module.parameters()]
    total = total_of([output, *as_tuple(state)])
    for _ in range(3):
        found = torch.autograd.grad(total, tensors, retain_graph=True)
        for got, want in zip(found, list(once.values())[-len(tensors) :], strict=True):
            assert torch.equal(got, want)
    total.backward()
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        total.backward()


@every_cell
def test_gradients_add_up(cell: str) -> None:
    module, _ = pair(cell, 2, 5, dtype=torch.float64)
    once = run(module, drawn(4, 3, 2))
    module.zero_grad()
    for _ in range(2):
        output, state = module(drawn(4, 3, 2))
        total_of([output, *as_tuple(state)]).backward()
    for name, parameter in module.named_parameters():
        assert_close(parameter.grad, 2.0 * once[f"d_{name}"], to="gradient", name=name)


def parts_of(module: Any, cell: bool) -> tuple[torch.Tensor, dict[str, torch.Tensor], Any]:
    """Return the output of a call and every tensor that went into it, none of them a leaf but the weights."""
    lead = () if cell else (1,)
    x = drawn(*((3, 2) if cell else (4, 3, 2))).requires_grad_() * 1.0
    names = "hc" if "LSTM" in type(module).__name__ else "h"
    state = {name: drawn(*lead, 3, 5, seed=k).requires_grad_() * 1.0 for k, name in enumerate(names)}
    result = module(x, tuple(state.values()) if len(state) == 2 else state["h"])
    output, last = as_pair(result) if cell else result
    return output, {"x": x} | state | dict(module.named_parameters()), last


@every_cell
@pytest.mark.parametrize("one_step", [False, True], ids=["sequence", "cell"])
def test_what_was_changed_in_place_before_backward_is_noticed(cell: str, one_step: bool) -> None:
    module, _ = (cell_pair if one_step else pair)(cell, 2, 5, dtype=torch.float64)
    needed = [name for name in parts_of(module, one_step)[1] if "bias" not in name]
    for name in needed:
        output, tensors, _ = parts_of(module, one_step)
        with torch.no_grad():
            tensors[name].mul_(0.5)
        with pytest.raises(RuntimeError, match=r"modified (by an )?inplace"):
            output.sum().backward()


@every_cell
@pytest.mark.parametrize("one_step", [False, True], ids=["sequence", "cell"])
def test_results_that_are_changed_in_place_keep_their_gradients(cell: str, one_step: bool) -> None:
    """Either torch says that it cannot, or the gradient is that of the changed result."""
    module, _ = (cell_pair if one_step else pair)(cell, 2, 5, dtype=torch.float64)

    def gradients(change: Any) -> list[torch.Tensor]:
        output, tensors, last = parts_of(module, one_step)
        total = change(output).square().sum() + sum(one.sum() for one in as_tuple(last))
        return list(torch.autograd.grad(total, list(tensors.values())))

    if one_step and cell != "lstm":
        return  # the output is the state
    expected = gradients(lambda output: output * 2.0 + 1.0)
    try:
        found = gradients(lambda output: output.mul_(2.0).add_(1.0))
    except RuntimeError as error:
        assert "inplace" in str(error) or "in-place" in str(error)  # noqa: PT017 - either will do
    else:
        for k, (got, want) in enumerate(zip(found, expected, strict=True)):
            if not one_step:
                assert_close(got, want, to="gradient", name=str(k))


@every_cell
def test_inputs_and_states_are_never_written_to(cell: str) -> None:
    module, _ = pair(cell, 2, 5, 2, bidirectional=True, dtype=torch.float64)
    x, state = drawn(4, 3, 2), states_of(module, 3)
    tensors = [x, *as_tuple(state), *module.parameters()]
    before = [(tensor.detach().clone(), tensor._version) for tensor in tensors]
    run(module, x, state)
    for tensor, (numbers, version) in zip(tensors, before, strict=True):
        assert torch.equal(tensor, numbers)
        assert tensor._version == version


@every_cell
def test_the_last_state_is_not_the_output_s_memory(cell: str) -> None:
    module, _ = pair(cell, 2, 5, dtype=torch.float64)
    with torch.no_grad():
        output, state = module(drawn(4, 3, 2))
        before = output.clone()
        for one in as_tuple(state):
            one.zero_()
    assert torch.equal(output, before)


@every_cell
def test_hooks_see_what_they_see_of_torch(cell: str) -> None:
    found: list[list[tuple[str, Any]]] = []
    for module in pair(cell, 2, 5, 2, dtype=torch.float64):
        seen: list[tuple[str, Any]] = []

        def note(name: str, seen: list[tuple[str, Any]] = seen) -> Any:
            def hook(_: Any, *values: Any) -> None:
                flat = torch.utils._pytree.tree_leaves(values)
                seen.append((name, [v.detach().clone() for v in flat if isinstance(v, torch.Tensor)]))

            return hook

        module.register_forward_pre_hook(note("before"))
        module.register_forward_hook(note("after"))
        module.register_full_backward_pre_hook(note("before backward"))
        module.register_full_backward_hook(note("after backward"))
        for name, parameter in module.named_parameters():
            parameter.register_post_accumulate_grad_hook(
                lambda p, name=name, seen=seen: seen.append((name, [p.grad.clone()]))
            )
        x = drawn(4, 3, 2).requires_grad_()
        x.register_hook(lambda d, seen=seen: seen.append(("x", [d.clone()])))
        output, state = module(x, states_of(module, 3))
        total_of([output, *as_tuple(state)]).backward()
        found.append(seen)
    ours, theirs = (dict(seen) for seen in found)
    assert [name for name, _ in found[0][:2]] == ["before", "after"]
    assert set(ours) == set(theirs)
    for name, want in theirs.items():
        assert len(ours[name]) == len(want)
        for got, expected in zip(ours[name], want, strict=True):
            assert_close(got, expected, to="gradient", name=name)


@every_cell
def test_hooks_may_replace_what_goes_in_and_out(cell: str) -> None:
    found = []
    for module in pair(cell, 2, 5, dtype=torch.float64):
        module.register_forward_pre_hook(lambda _, inputs: (inputs[0] * 2.0, *inputs[1:]))
        module.register_forward_hook(lambda _, __, result: (result[0] + 1.0, result[1]))
        found.append(run(module, drawn(4, 3, 2)))
    assert_runs_close(*found)


@every_cell
def test_the_gradient_of_an_input_alone_leaves_the_weights_alone(cell: str) -> None:
    module, _ = pair(cell, 2, 5, dtype=torch.float64)
    x = drawn(4, 3, 2).requires_grad_()
    torch.autograd.grad(module(x)[0].sum(), x)
    assert all(parameter.grad is None for parameter in module.parameters())


@every_cell
@pytest.mark.filterwarnings("ignore:.torch.cpu.amp.autocast:FutureWarning")  # torch 2.4's own
def test_checkpointing_computes_the_same(cell: str) -> None:
    from torch.utils.checkpoint import checkpoint

    module, _ = pair(cell, 2, 5, 2, dropout=0.5, dtype=torch.float64)
    found = []
    for wrapped in (
        lambda x: module(x)[0],
        lambda x: checkpoint(lambda y: module(y)[0], x, use_reentrant=False),
    ):
        torch.manual_seed(3)
        x = drawn(4, 3, 2).requires_grad_()
        output = wrapped(x)
        gradients = torch.autograd.grad(output.square().sum(), [x, *module.parameters()])
        found.append({"output": output.detach()} | {str(k): d for k, d in enumerate(gradients)})
    same_bits(*found)


@every_cell
def test_saved_tensors_may_be_packed_elsewhere(cell: str) -> None:
    module, _ = pair(cell, 2, 5, 2, dtype=torch.float64)
    expected = run(module, drawn(4, 3, 2))
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t.numpy(force=True).copy(), torch.from_numpy):
        assert_runs_close(run(module, drawn(4, 3, 2)), expected)


@every_cell
def test_a_graph_that_is_dropped_gives_its_memory_back(cell: str) -> None:
    import gc
    import weakref

    module, _ = pair(cell, 2, 5, dtype=torch.float64)
    x = drawn(4, 3, 2).requires_grad_() * 1.0
    output, state = module(x)
    gone = weakref.ref(x)
    del x, output, state
    gc.collect()
    assert gone() is None
