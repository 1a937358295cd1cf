"""What goes to torch's own implementation: the right numbers, and the reason."""

from __future__ import annotations

import io
import warnings
from typing import Any

import pytest
import torch
from torch import nn
from torch.autograd import forward_ad
from torch.func import functional_call, grad, jacrev, jvp, stack_module_state, vmap
from torch.nn.utils.rnn import PackedSequence

from tests.torch_modules.helpers import (
    CELLS,
    Tensors,
    as_tuple,
    assert_close,
    assert_runs_close,
    cell_pair,
    drawn,
    every_cell,
    leaf,
    named,
    padded_and_packed,
    pair,
    run,
    states_of,
)
from unrolled import messages

pytestmark = pytest.mark.torch

torchs_own_warning = pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")
"""torch's forward mode scripts some of its own functions."""


def left_to_torch(module: Any, *words: str) -> None:
    """Expect the last call to have gone to torch for a reason that names these words, and one in Chinese."""
    path = module.last_path
    assert path.name == "torch"
    assert str(path.reason)
    for word in words:
        assert word in str(path.reason).lower(), str(path.reason)
    with messages.speaking("zh"):
        assert any("一" <= letter <= "鿿" for letter in str(module.last_path.reason))


def plainly(module: Any, x: Any, state: Any = None) -> Tensors:
    """Return what a module returns without gradients."""
    with torch.no_grad():
        return named(*module(x, state))


@every_cell
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_other_dtypes(cell: str, dtype: torch.dtype) -> None:
    module, reference = pair(cell, 3, 5, 2, bidirectional=True, dtype=dtype)
    x, state = drawn(4, 3, 3, dtype=dtype), states_of(module, 3)
    for name, want in plainly(reference, x, state).items():
        assert torch.equal(plainly(module, x, state)[name], want), name
    left_to_torch(module, str(dtype).removeprefix("torch."))


def test_a_projection() -> None:
    both = pair("lstm", 3, 6, 2, proj_size=2, bidirectional=True, dtype=torch.float64)
    state = (drawn(4, 3, 2), drawn(4, 3, 6))
    assert_runs_close(*(run(m, drawn(4, 3, 3), state, native=False) for m in both))
    left_to_torch(both[0], "proj")
    packed = padded_and_packed([3, 5, 1], 3)[1]
    assert_runs_close(*(run(m, packed, state, native=False) for m in both))
    left_to_torch(both[0], "proj")


@every_cell
def test_autocast(cell: str) -> None:
    module, reference = pair(cell, 3, 5, 2)
    x = drawn(4, 3, 3, dtype=torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found, expected = plainly(module, x), plainly(reference, x)
    for name, want in expected.items():
        assert found[name].dtype == want.dtype
        assert torch.equal(found[name], want), name
    left_to_torch(module, "autocast")
    with torch.autocast("cpu", enabled=False):
        assert_runs_close(run(module, x), run(reference, x))


@every_cell
@pytest.mark.filterwarnings("ignore:There is a performance drop:UserWarning")
def test_vmap_over_inputs_and_over_modules(cell: str) -> None:
    both = pair(cell, 3, 5, 2, dtype=torch.float64)
    x = drawn(6, 4, 2, 3)
    expected = torch.stack([both[1](one)[0] for one in x])
    assert_close(vmap(lambda one: both[0](one)[0])(x), expected, to="gradient")
    left_to_torch(both[0])

    several = [pair(cell, 3, 5, seed=seed, dtype=torch.float64) for seed in range(3)]
    weights, buffers = stack_module_state([ours for ours, _ in several])

    def call(weights: Any, buffers: Any, x: torch.Tensor) -> torch.Tensor:
        output: torch.Tensor = functional_call(several[0][0], (weights, buffers), (x,))[0]
        return output

    expected = torch.stack([theirs(x[0])[0] for _, theirs in several])
    assert_close(vmap(call, in_dims=(0, 0, None))(weights, buffers, x[0]), expected, to="gradient")


@every_cell
def test_a_tensor_that_has_outlived_its_transform(cell: str) -> None:
    both = pair(cell, 3, 5, 2, dtype=torch.float64)
    kept: list[torch.Tensor] = []

    def leaks(x: torch.Tensor) -> torch.Tensor:
        kept.append(2 * x)
        return x.square().sum()

    x = drawn(4, 2, 3)
    grad(leaks)(x)
    for grads in (False, True):
        with torch.set_grad_enabled(grads):
            assert_close(both[0](kept[0])[0], both[1](2 * x)[0], to="output")
    left_to_torch(both[0], "outlived")


@every_cell
def test_gradients_by_torch_func(cell: str) -> None:
    module, reference = pair(cell, 3, 5, 2, bidirectional=True, dtype=torch.float64)
    x, state = drawn(4, 2, 3), states_of(module, 2)

    def loss(m: Any) -> Any:
        return lambda weights, x, state: functional_call(m, weights, (x, state))[0].square().sum()

    expected = run_by_grad(reference, x, state)
    found = grad(loss(module), argnums=(0, 1, 2))(dict(module.named_parameters()), x, state)
    left_to_torch(module)
    flat, _ = torch.utils._pytree.tree_flatten(found)
    for got, want in zip(flat, expected, strict=True):
        assert_close(got, want, to="gradient")
    given = leaf(x)
    total = reference(given)[0].sum(dim=(0, 1))
    rows = torch.eye(10, dtype=torch.float64)
    expected = torch.stack([torch.autograd.grad(total, given, row, retain_graph=True)[0] for row in rows])
    assert_close(jacrev(lambda x: module(x)[0].sum(dim=(0, 1)))(x), expected, to="gradient")
    several = drawn(3, 4, 2, 3)
    expected = torch.stack(
        [run_by_grad(reference, one, state)[len(list(reference.parameters()))] for one in several]
    )

    per_row = vmap(grad(loss(module), argnums=1), in_dims=(None, 0, None))
    assert_close(per_row(dict(module.named_parameters()), several, state), expected, to="gradient")


def run_by_grad(reference: Any, x: torch.Tensor, state: Any) -> list[torch.Tensor]:
    """Return torch's gradients of the weights, the input and the states."""
    x, states = leaf(x), [leaf(one) for one in as_tuple(state)]
    total = reference(x, tuple(states) if len(states) == 2 else states[0])[0].square().sum()
    return list(torch.autograd.grad(total, [*reference.parameters(), x, *states]))


@torchs_own_warning
@every_cell
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
def test_forward_mode(cell: str, dtype: torch.dtype) -> None:
    module, reference = pair(cell, 3, 5, 2, dtype=dtype)
    x, direction = drawn(4, 2, 3, dtype=dtype), drawn(4, 2, 3, dtype=dtype, seed=8)
    step = 1e-6
    slope = (
        reference.double()(x.double() + step * direction)[0] - reference(x.double() - step * direction)[0]
    ) / (2.0 * step)
    value, tangent = jvp(lambda x: module(x)[0], (x,), (direction,))
    left_to_torch(module)
    assert_close(value, reference(x.double())[0].to(dtype))
    torch.testing.assert_close(tangent.double(), slope, rtol=1e-4, atol=1e-5)
    with forward_ad.dual_level():
        output = module(forward_ad.make_dual(x, direction))[0]
        tangent = forward_ad.unpack_dual(output).tangent
    assert tangent is not None
    left_to_torch(module)
    torch.testing.assert_close(tangent.double(), slope, rtol=1e-4, atol=1e-5)


@torchs_own_warning
@every_cell
def test_hessians(cell: str) -> None:
    module, reference = pair(cell, 2, 3, dtype=torch.float64)
    x = drawn(3, 2)

    def total(m: Any) -> Any:
        return lambda x: m(x)[0].square().sum()

    expected = torch.autograd.functional.hessian(total(reference), x)
    assert_close(torch.autograd.functional.hessian(total(module), x), expected, to="gradient")
    assert_close(torch.func.hessian(total(module))(x), expected, to="gradient")
    found = torch.autograd.functional.jacobian(total(module), x, create_graph=True)
    assert_close(found, torch.autograd.functional.jacobian(total(reference), x), to="gradient")


@every_cell
def test_gradients_in_a_batch_of_directions(cell: str) -> None:
    """`is_grads_batched` runs a backward pass under vmap."""
    both = pair(cell, 2, 3, dtype=torch.float64)
    directions = drawn(5, 4, 2, 3)

    def slopes(m: Any, **how: Any) -> Any:
        x = drawn(4, 2, 2).requires_grad_()
        output = m(x)[0]
        if how:
            return torch.autograd.grad(output, x, directions, **how)[0]
        return torch.stack([torch.autograd.grad(output, x, d, retain_graph=True)[0] for d in directions])

    assert_close(slopes(both[0], is_grads_batched=True), slopes(both[1]), to="gradient")


@every_cell
def test_the_meta_device(cell: str) -> None:
    module, reference = pair(cell, 3, 5, 2, bidirectional=True)
    for one in (module, reference):
        one.to("meta")
    x = torch.empty(4, 2, 3, device="meta")
    for got, want in zip(plainly(module, x).values(), plainly(reference, x).values(), strict=True):
        assert got.is_meta
        assert got.shape == want.shape
    left_to_torch(module, "meta")
    built = type(module)(3, 5, device="meta")
    built.to_empty(device="cpu").load_state_dict(type(reference)(3, 5, device="cpu").state_dict())
    built(torch.zeros(4, 3))
    assert built.last_path.name == "unrolled"


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")
@every_cell
def test_jit_trace(cell: str) -> None:
    module, reference = pair(cell, 3, 5, 2, dtype=torch.float64)
    x = drawn(4, 2, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(module.eval(), (x,), check_trace=False)
    left_to_torch(module, "trac")
    other = drawn(7, 2, 3, seed=6)
    assert_close(traced(other)[0], reference(other)[0])


class Outputs(nn.Module):
    """A model that says what its recurrent module puts out."""

    def __init__(self, recurrent: Any) -> None:
        super().__init__()
        self.recurrent = recurrent

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the outputs."""
        return self.recurrent(x)[0]


@every_cell
def test_torchscript(cell: str) -> None:
    module, reference = pair(cell, 3, 5, 2, bidirectional=True, dtype=torch.float64)
    x = drawn(4, 2, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TorchScript is deprecated
        scripted = torch.jit.script(Outputs(module))
    assert_close(scripted(x), reference(x)[0])
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(scripted, buffer)
        buffer.seek(0)
        assert_close(torch.jit.load(buffer)(x), reference(x)[0])
    assert_close(module(x)[0], reference(x)[0])


@every_cell
@pytest.mark.filterwarnings("ignore:At pre-dispatch tracing:UserWarning")  # torch 2.4 speaks of our operator
def test_export(cell: str) -> None:
    module, reference = pair(cell, 3, 5, 2, dtype=torch.float64)
    exported = torch.export.export(module.eval(), (drawn(4, 2, 3),))
    assert_close(exported.module()(drawn(4, 2, 3, seed=6))[0], reference(drawn(4, 2, 3, seed=6))[0])
    if hasattr(torch.compiler, "is_exporting"):  # an older torch says nothing, and exports our operator
        assert not any("unrolled" in str(node.target) for node in exported.graph.nodes)


@every_cell
def test_no_rows(cell: str) -> None:
    both = pair(cell, 3, 5, 2, bidirectional=True, dtype=torch.float64)
    for batch_first in (False, True):
        for one in both:
            one.batch_first = batch_first
        x = drawn(0, 4, 3) if batch_first else drawn(4, 0, 3)
        for state in (None, states_of(both[0], 0)):
            assert_runs_close(*(plain_or_error(m, x, state) for m in both))
        left_to_torch(both[0])


def plain_or_error(module: Any, x: Any, state: Any) -> dict[str, Any]:
    """Return what a module returns, or what it raises as an empty tensor of a telling name."""
    try:
        return plainly(module, x, state)
    except (RuntimeError, ValueError) as error:
        return {f"{type(error).__name__}: {error}": torch.empty(0)}


@every_cell
def test_no_steps(cell: str) -> None:
    both = pair(cell, 3, 5, dtype=torch.float64)
    for x in (drawn(0, 2, 3), drawn(0, 3)):
        assert_runs_close(*(plain_or_error(m, x, None) for m in both))


@every_cell
@pytest.mark.filterwarnings("ignore:There is a performance drop:UserWarning")
def test_a_cell_s_ways(cell: str) -> None:
    module, reference = cell_pair(cell, 3, 5, dtype=torch.float64)
    x = drawn(4, 3)
    expected = as_tuple(reference(x))[0]
    both = (module, reference)
    assert_close(vmap(lambda one: as_tuple(both[0](one))[0])(x), expected, to="gradient")
    left_to_torch(module)
    assert_close(jvp(lambda x: as_tuple(module(x))[0], (x,), (x,))[0], expected)
    left_to_torch(module)
    half, other = module.to(torch.bfloat16), reference.to(torch.bfloat16)
    with torch.no_grad():
        assert torch.equal(*(as_tuple(one(x.to(torch.bfloat16)))[0] for one in (half, other)))
    left_to_torch(module, "bfloat16")
    with torch.no_grad():
        assert as_tuple(module(torch.zeros(0, 3, dtype=torch.bfloat16)))[0].shape == (0, 5)


def test_states_of_several_dtypes_are_joined_as_torch_joins_them() -> None:
    both = pair("lstm", 3, 5, dtype=torch.float64)
    state = (drawn(1, 2, 5), drawn(1, 2, 5).float())
    assert_runs_close(*(plainly(m, drawn(4, 2, 3), state) for m in both))
    left_to_torch(both[0])


class Marked(torch.Tensor):
    """A tensor of a kind of one's own."""


@every_cell
def test_tensors_of_another_kind(cell: str) -> None:
    module, reference = pair(cell, 3, 5, dtype=torch.float64)
    x = drawn(4, 2, 3).as_subclass(Marked)
    found, expected = plainly(module, x), plainly(reference, x)
    for name, want in expected.items():
        assert type(found[name]) is type(want)
        assert_close(found[name].as_subclass(torch.Tensor), want.as_subclass(torch.Tensor))
    left_to_torch(module)


def test_a_path_is_told_of_every_call() -> None:
    module, _ = pair("gru", 3, 5)
    module(drawn(4, 2, 3, dtype=torch.float32))
    assert module.last_path.name == "unrolled"
    with torch.autocast("cpu"):
        module(drawn(4, 2, 3, dtype=torch.float32))
    assert module.last_path.name == "torch"
    module(drawn(4, 2, 3, dtype=torch.float32))
    assert module.last_path.name == "unrolled"
    assert str(module.last_path.reason) == ""


SPOILT = [float("nan"), float("inf"), float("-inf"), 1e30, 1e-310]


@every_cell
@pytest.mark.parametrize("value", SPOILT, ids=str)
def test_numbers_that_are_not_finite_go_where_torch_lets_them_go(cell: str, value: float) -> None:
    both = pair(cell, 3, 5, 2, bidirectional=True, dtype=torch.float64)
    x, state = drawn(6, 3, 3), states_of(both[0], 3)
    spoilt = x.clone()
    spoilt[2, 1, 0] = value
    assert_runs_close(*(plainly(m, spoilt, state) for m in both))
    firsts = [one.clone() for one in as_tuple(state)]
    for one in firsts:
        one[0, 2, 1] = value
    assert_runs_close(*(plainly(m, x, tuple(firsts) if len(firsts) == 2 else firsts[0]) for m in both))
    for name in dict(both[0].named_parameters()):
        before = [getattr(m, name).detach().clone() for m in both]
        for m in both:
            getattr(m, name).data.view(-1)[1] = value
        assert_runs_close(*(plainly(m, x, state) for m in both), at=name)
        for m, numbers in zip(both, before, strict=True):
            getattr(m, name).data.copy_(numbers)
    assert_runs_close(*(plainly(m, x, state) for m in both))


@pytest.mark.parametrize("cell", CELLS)
def test_a_spoilt_row_spoils_no_other(cell: str) -> None:
    module, reference = pair(cell, 3, 5, 2, bidirectional=True, dtype=torch.float64)
    x = drawn(6, 9, 3)
    clean = run(module, x)
    x[2, 4, 1] = float("nan")
    spoilt = run(module, x)
    others = torch.arange(9) != 4
    for name in ("output", "h_n"):
        assert torch.equal(spoilt[name][:, others], clean[name][:, others])
    assert torch.equal(spoilt["d_x"][:, others], clean["d_x"][:, others])
    assert spoilt["output"][2:, 4].isnan().all()
    theirs = run(reference, x)
    for name, want in theirs.items():  # behind a relu torch takes the gradient of NaN for that of a number
        found = spoilt[name].isnan()
        assert found[want.isnan()].all() if cell == "rnn_relu" else torch.equal(found, want.isnan()), name


@every_cell
def test_gradients_that_are_not_finite_arrive(cell: str) -> None:
    both = pair(cell, 3, 5, 2, dtype=torch.float64)
    for value in (float("nan"), float("inf")):
        found = []
        for module in both:
            x = drawn(6, 3, 3).requires_grad_()
            output = module(x)[0]
            d_output = torch.ones_like(output)
            d_output[3, 1, 2] = value
            found.append(torch.autograd.grad(output, [x, *module.parameters()], d_output))
        for got, want in zip(*found, strict=True):
            assert torch.equal(got.isfinite(), want.isfinite())


def test_denormal_numbers_are_kept_as_torch_keeps_them() -> None:
    both = pair("rnn_relu", 3, 5, dtype=torch.float64)
    torch.zeros(
        1
    ) / 1e300  # whatever a call leaves in the processor's state, the next calculation must not feel it
    run(both[0], drawn(4, 2, 3))
    assert float(torch.tensor(1e-310, dtype=torch.float64) * 0.5) == 5e-311
    tiny = 1e-310 * drawn(4, 2, 3).abs()
    for m in both:
        nn.init.zeros_(m.bias_ih_l0)
        nn.init.zeros_(m.bias_hh_l0)
    torch.testing.assert_close(both[0](tiny)[0], both[1](tiny)[0], rtol=0.0, atol=1e-300)


def test_packed_by_hand_that_do_not_fit() -> None:
    """Sizes that grow or end in nothing are torch's to refuse; rows that no size speaks of it forgets."""
    both = pair("lstm", 3, 5, dtype=torch.float64)
    for packed in (
        PackedSequence(drawn(8, 3), torch.tensor([2, 3, 3])),
        PackedSequence(drawn(8, 3), torch.tensor([3, 2, 2, 2])),
        PackedSequence(drawn(8, 4), torch.tensor([3, 2, 2, 1])),
        PackedSequence(drawn(8, 3), torch.tensor([3, 2, 2, 1, 0])),
    ):
        found = [plain_or_error(m, packed, None) for m in both]
        assert list(found[0]) == list(found[1])
    more = PackedSequence(drawn(8, 3), torch.tensor([3, 2, 2]))
    found = [plain_or_error(m, more, None) for m in both]
    assert "Error" in next(iter(found[0])) or list(found[0]) == list(found[1])
