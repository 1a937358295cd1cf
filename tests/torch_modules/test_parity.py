"""Our modules beside torch's, with the same weights: outputs, last states, the gradients of everything."""

from __future__ import annotations

from itertools import product
from typing import Any, NamedTuple

import hypothesis
import pytest
import torch
from hypothesis import strategies as st
from torch.nn.utils.rnn import PackedSequence, pack_sequence

from tests.torch_modules.helpers import (
    CELLS,
    assert_close,
    assert_runs_close,
    assert_same,
    drawn,
    every_cell,
    every_dtype,
    padded_and_packed,
    pair,
    run,
    states_of,
)

pytestmark = pytest.mark.torch


class Case(NamedTuple):
    """Sizes and options of a module, and what it is given."""

    hidden: int
    batch: int
    steps: int
    inputs: int
    layers: int = 1
    two: bool = False
    bias: bool = True
    batch_first: bool = False
    given: bool = False

    def __str__(self) -> str:
        """Return a name for the test's id."""
        flags = "".join(letter for letter, flag in zip("2bfs", self[5:], strict=True) if flag)
        return f"H{self.hidden}-B{self.batch}-T{self.steps}-I{self.inputs}-L{self.layers}-{flags}"


CASES = [
    Case(1, 1, 1, 1),
    Case(1, 33, 6, 17, 3, two=True, given=True),
    Case(7, 3, 5, 1, 2, two=True, batch_first=True),
    Case(15, 8, 2, 3, bias=False, two=True, given=True),
    Case(16, 1, 5, 16, 3, batch_first=True, given=True),
    Case(16, 8, 40, 1, given=True),
    Case(17, 33, 1, 17, 2, two=True, bias=False),
    Case(31, 3, 7, 3, 3, two=True, given=True),
    Case(33, 8, 4, 17, 2, bias=False, batch_first=True),
    Case(64, 65, 3, 5, given=True, batch_first=True),
    Case(100, 33, 3, 16, two=True, batch_first=True, given=True),
    Case(100, 8, 5, 1, 2),
    Case(257, 3, 2, 3, two=True, given=True),
    Case(257, 1, 3, 16, 2),
]


def given(case: Case, module: Any, dtype: torch.dtype) -> tuple[torch.Tensor, Any]:
    """Return an input and a state, or none."""
    size = (case.batch, case.steps) if case.batch_first else (case.steps, case.batch)
    x = drawn(*size, case.inputs, dtype=dtype)
    return x, states_of(module, case.batch) if case.given else None


def modules(cell: str, case: Case, dtype: torch.dtype) -> tuple[Any, Any]:
    """Return our module and torch's."""
    options = {"bidirectional": case.two, "bias": case.bias, "batch_first": case.batch_first}
    return pair(cell, case.inputs, case.hidden, case.layers, dtype=dtype, **options)


@every_cell
@every_dtype
@pytest.mark.parametrize("case", CASES, ids=str)
def test_odd_sizes(cell: str, case: Case, dtype: torch.dtype) -> None:
    both = modules(cell, case, dtype)
    assert_same(both, *given(case, both[0], dtype))


@every_cell
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_every_combination_of_options(cell: str, layers: int) -> None:
    for two, bias, batch_first, first, batched in product([False, True], repeat=5):
        case = Case(5, 3, 4, 2, layers, two, bias, batch_first, first)
        both = modules(cell, case, torch.float64)
        x = given(case, both[0], torch.float64)[0] if batched else drawn(4, 2)
        state = states_of(both[0], *([3] if batched else [])) if first else None
        assert_same(both, x, state, at=(case, batched))


@every_cell
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
def test_one_percent_of_a_weight_is_noticed(cell: str, dtype: torch.dtype) -> None:
    module, reference = pair(cell, 3, 7, 2, bidirectional=True, dtype=dtype)
    x, state = drawn(5, 4, 3, dtype=dtype), states_of(module, 4)
    expected = run(reference, x, state)
    for parameter in module.parameters():
        before = parameter.detach().clone()
        parameter.data *= 1.01
        with pytest.raises(AssertionError, match="differs"):
            assert_close(run(module, x, state)["output"], expected["output"], name="output")
        parameter.data = before
    assert_runs_close(run(module, x, state), expected)


def strided(x: torch.Tensor) -> dict[str, torch.Tensor]:
    """Return the same numbers in other places of memory, and other numbers that share places."""
    apart = torch.zeros(*x.shape[:-1], 2 * x.shape[-1], dtype=x.dtype)[..., ::2]
    apart.copy_(x)
    shifted = torch.zeros(x.numel() + 3, dtype=x.dtype)[3:].view(x.shape)
    shifted.copy_(x)
    return {
        "axes swapped": x.transpose(0, 1).contiguous().transpose(0, 1),
        "reversed axes": x.permute(2, 1, 0).contiguous().permute(2, 1, 0),
        "every second number": apart,
        "every second row": x.repeat_interleave(2, dim=1)[:, ::2],
        "every second step": x.repeat_interleave(2, dim=0)[::2],
        "an odd offset": shifted,
        "one row for all": x[:, :1].expand(x.shape),
        "one step for all": x[:1].expand(x.shape),
        "one number for all": x[:1, :1, :1].expand(x.shape),
    }


@every_cell
@every_dtype
def test_inputs_that_are_not_contiguous(cell: str, dtype: torch.dtype) -> None:
    both = pair(cell, 3, 6, 2, bidirectional=True, dtype=dtype)
    both_batch_first = pair(cell, 3, 6, 2, bidirectional=True, batch_first=True, dtype=dtype)
    for name, x in strided(drawn(5, 4, 3, dtype=dtype)).items():
        state = states_of(both[0], 4)
        assert_same(both, x, state, at=name)
        assert_same(both_batch_first, x.transpose(0, 1), state, at=f"{name}, batch first")


@every_cell
def test_states_that_are_not_contiguous(cell: str) -> None:
    both = pair(cell, 3, 6, 2, bidirectional=True, dtype=torch.float64)
    x = drawn(5, 4, 3)
    for name, change in {
        "axes swapped": lambda s: s.transpose(0, 1).contiguous().transpose(0, 1),
        "one row for all": lambda s: s[:, :1].expand(s.shape),
        "every second unit": lambda s: s.repeat_interleave(2, dim=2)[..., ::2],
    }.items():
        state = states_of(both[0], 4)
        changed = tuple(map(change, state)) if isinstance(state, tuple) else change(state)
        assert_same(both, x, changed, at=name)


@every_cell
def test_weights_that_are_not_contiguous(cell: str) -> None:
    both = pair(cell, 3, 6, 2, dtype=torch.float64)
    for module in both:
        for name, parameter in list(module.named_parameters()):
            if parameter.dim() == 2:
                moved = torch.nn.Parameter(parameter.detach().t().contiguous().t())
            else:
                moved = torch.nn.Parameter(parameter.detach().repeat_interleave(2)[::2])
            setattr(module, name, moved)
    assert_same(both, drawn(5, 4, 3), states_of(both[0], 4))


@every_cell
@pytest.mark.parametrize("two", [False, True], ids=["one way", "both ways"])
def test_losses_that_use_only_a_part(cell: str, two: bool) -> None:
    both = pair(cell, 3, 6, 2, bidirectional=two, dtype=torch.float64)

    def gradients(module: Any, part: Any) -> dict[str, torch.Tensor]:
        module.zero_grad()
        x = drawn(5, 4, 3).requires_grad_()
        output, state = module(x)
        part(output, state if isinstance(state, tuple) else (state,)).backward()
        found = {"d_x": x.grad} | {f"d_{n}": p.grad for n, p in module.named_parameters()}
        assert all(value is not None for value in found.values())
        return found

    for name, part in {
        "the sum, whose gradient is one number for all": lambda out, _: out.sum(),
        "the last step": lambda out, _: out[-1].square().sum(),
        "one number": lambda out, _: out[2, 1, 3],
        "the last state": lambda _, state: state[0].square().sum(),
        "the last of all states": lambda _, state: state[-1].sum(),
        "the last layer's state": lambda _, state: state[0][-1].sum(),
        "batch before time": lambda out, _: (out.transpose(0, 1) * drawn(4, 5, out.shape[2])).sum(),
        "everything twice": lambda out, state: (out.sum() + state[-1].sum()) * out.square().mean(),
    }.items():
        assert_runs_close(*(gradients(module, part) for module in both), at=name)


LENGTHS = {
    "sorted": [7, 5, 5, 2, 1],
    "unsorted": [2, 7, 1, 5, 5, 3],
    "equal": [4, 4, 4],
    "one row": [5],
    "one step": [1, 1, 1],
    "one long": [1, 1, 9, 1],
    "many": [1 + (7 * k) % 13 for k in range(33)],
}


@every_cell
@every_dtype
@pytest.mark.parametrize("lengths", LENGTHS.values(), ids=LENGTHS)
def test_packed(cell: str, lengths: list[int], dtype: torch.dtype) -> None:
    for layers, two, bias, first in [(1, False, True, False), (2, True, True, True), (3, True, False, False)]:
        both = pair(cell, 3, 9, layers, bidirectional=two, bias=bias, dtype=dtype)
        packed = padded_and_packed(lengths, 3, dtype=dtype)[1]
        state = states_of(both[0], len(lengths)) if first else None
        assert_same(both, packed, state, at=(layers, two, bias, first))


@every_cell
def test_packed_in_other_ways(cell: str) -> None:
    both = pair(cell, 3, 9, 2, bidirectional=True, dtype=torch.float64)
    ordered = padded_and_packed([5, 4, 4, 1], 3, ordered=True)[1]
    assert ordered.sorted_indices is None
    listed = pack_sequence([drawn(3, 3), drawn(5, 3), drawn(1, 3)], enforce_sorted=False)
    by_hand = PackedSequence(drawn(8, 3), torch.tensor([3, 2, 2, 1]))
    apart = PackedSequence(drawn(3, 8).t(), torch.tensor([3, 2, 2, 1]))
    for name, packed in {"ordered": ordered, "listed": listed, "by hand": by_hand, "apart": apart}.items():
        assert_same(both, packed, at=name)
        assert_same(both, packed, states_of(both[0], int(packed.batch_sizes[0])), at=name)


@every_cell
def test_packed_rows_are_the_rows_alone(cell: str) -> None:
    module, _ = pair(cell, 3, 9, 2, bidirectional=True, dtype=torch.float64)
    lengths = [2, 7, 1, 5]
    x, packed = padded_and_packed(lengths, 3)
    output, state = module(packed)
    padded, found = torch.nn.utils.rnn.pad_packed_sequence(output)
    assert found.tolist() == lengths
    for row, length in enumerate(lengths):
        alone, last = module(x[:length, row])
        assert_close(padded[:length, row], alone, name=f"row {row}")
        for ours, theirs in zip(*((s if isinstance(s, tuple) else (s,)) for s in (state, last)), strict=True):
            assert_close(ours[:, row], theirs, name=f"state of row {row}")


@st.composite
def drawn_cases(draw: st.DrawFn) -> tuple[str, Case, torch.dtype, list[int] | None]:
    """Draw a module and an input of any sizes."""
    case = Case(
        draw(st.integers(1, 40)),
        draw(st.integers(1, 20)),
        draw(st.integers(1, 9)),
        draw(st.integers(1, 20)),
        draw(st.integers(1, 3)),
        *(draw(st.booleans()) for _ in range(4)),
    )
    packed = draw(st.booleans())
    lengths = draw(st.lists(st.integers(1, 9), min_size=case.batch, max_size=case.batch)) if packed else None
    dtype = draw(st.sampled_from([torch.float64, torch.float32]))
    return draw(st.sampled_from(CELLS)), case, dtype, lengths


@hypothesis.settings(max_examples=80)
@hypothesis.given(drawn_cases())
def test_any_sizes(drawn_case: tuple[str, Case, torch.dtype, list[int] | None]) -> None:
    cell, case, dtype, lengths = drawn_case
    both = modules(cell, case, dtype)
    x, state = given(case, both[0], dtype)
    assert_same(
        both, x if lengths is None else padded_and_packed(lengths, case.inputs, dtype=dtype)[1], state
    )


def test_a_very_long_sequence() -> None:
    for cell in CELLS:
        both = pair(cell, 2, 5, dtype=torch.float64)
        assert_same(both, drawn(1000, 2, 2), at=cell)
