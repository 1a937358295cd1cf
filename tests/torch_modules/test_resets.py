"""A state set to zero where an episode ends: as if the pieces were run one after another."""

from __future__ import annotations

from typing import Any

import hypothesis
import pytest
import torch
from hypothesis import strategies as st

from tests.torch_modules.helpers import (
    CELLS,
    as_tuple,
    assert_runs_close,
    drawn,
    every_cell,
    every_dtype,
    leaf,
    named,
    padded_and_packed,
    pair,
    run,
    same_bits,
    states_of,
    total_of,
)
from unrolled.errors import UnrolledError

pytestmark = pytest.mark.torch


def row_in_pieces(reference: Any, x: Any, states: Any, resets: list[bool]) -> tuple[Any, Any]:
    """Run torch's module on one row [T, I], piece by piece; a piece begins where `resets` says so.

    States [L*D, H] begin the first piece of the way forth and the last piece of the way back.
    """
    steps = len(resets)
    starts = [0, *(t for t in range(1, steps) if resets[t])]
    ends = [*starts[1:], steps]
    back = torch.arange(states[0].shape[0]) % 2 == 1 if reference.bidirectional else torch.tensor(False)
    back = back.expand(states[0].shape[0])[:, None]
    outputs, lasts = [], []
    for start, end in zip(starts, ends, strict=True):
        forth_given, back_given = start == 0 and not resets[0], end == steps
        keep = torch.where(back, torch.tensor(back_given), torch.tensor(forth_given))
        first = [torch.where(keep, state, torch.zeros_like(state)) for state in states]
        output, last = reference(x[start:end], tuple(first) if len(first) == 2 else first[0])
        outputs.append(output)
        lasts.append(as_tuple(last))
    ended = [
        torch.where(back, of_first, of_last) for of_first, of_last in zip(lasts[0], lasts[-1], strict=True)
    ]
    return torch.cat(outputs), ended


def in_pieces(reference: Any, x: torch.Tensor, state: Any, resets: torch.Tensor) -> dict[str, torch.Tensor]:
    """Return what `run` returns, of torch's module run row by row and piece by piece; x [T, B, I]."""
    reference.zero_grad(set_to_none=True)
    x = leaf(x)
    firsts = [leaf(one) for one in as_tuple(state)]
    outputs, lasts = [], []
    for row in range(x.shape[1]):
        output, last = row_in_pieces(
            reference, x[:, row], [one[:, row] for one in firsts], resets[:, row].tolist()
        )
        outputs.append(output)
        lasts.append(last)
    ended = tuple(torch.stack(ones, dim=1) for ones in zip(*lasts, strict=True))
    found = named(torch.stack(outputs, dim=1), ended)
    total_of(found.values()).backward()
    found |= {"d_x": x.grad} | {f"d_{letter}": one.grad for letter, one in zip("hc", firsts, strict=False)}
    found |= {f"d_{name}": parameter.grad for name, parameter in reference.named_parameters()}
    return {name: value.detach() for name, value in found.items()}


def some_resets(steps: int, rows: int, share: float = 0.3) -> torch.Tensor:
    """Return resets at about this share of all places."""
    return torch.rand(steps, rows, generator=torch.Generator().manual_seed(9)) < share


@every_cell
@every_dtype
@pytest.mark.parametrize(
    ("layers", "two", "hidden"), [(1, False, 5), (2, False, 17), (1, True, 7), (2, True, 5), (3, True, 16)]
)
def test_the_pieces_one_after_another(
    cell: str, layers: int, two: bool, hidden: int, dtype: torch.dtype
) -> None:
    module, reference = pair(cell, 3, hidden, layers, bidirectional=two, dtype=dtype)
    x, state = drawn(8, 5, 3, dtype=dtype), states_of(module, 5)
    for name, resets in {
        "some": some_resets(8, 5),
        "most": some_resets(8, 5, 0.8),
        "all": torch.ones(8, 5, dtype=torch.bool),
        "the first step": torch.arange(8)[:, None].expand(8, 5) == 0,
        "the last step": torch.arange(8)[:, None].expand(8, 5) == 7,
        "one row": (torch.arange(5) == 2).expand(8, 5),
    }.items():
        assert_runs_close(
            run(module, x, state, resets=resets), in_pieces(reference, x, state, resets), at=name
        )


@every_cell
def test_without_a_first_state(cell: str) -> None:
    module, reference = pair(cell, 3, 6, 2, bidirectional=True, dtype=torch.float64)
    x, resets = drawn(8, 5, 3), some_resets(8, 5)
    zeros = torch.zeros(4, 5, 6, dtype=torch.float64)
    expected = in_pieces(reference, x, (zeros, zeros) if cell == "lstm" else zeros, resets)
    found = run(module, x, resets=resets)
    assert_runs_close(found, {name: value for name, value in expected.items() if name not in ("d_h", "d_c")})


@every_cell
def test_no_resets_are_the_plain_module(cell: str) -> None:
    module, _ = pair(cell, 3, 6, 2, bidirectional=True, dtype=torch.float64)
    x, state = drawn(8, 5, 3), states_of(module, 5)
    plain = run(module, x, state)
    same_bits(run(module, x, state, resets=None), plain)
    assert_runs_close(run(module, x, state, resets=torch.zeros(8, 5, dtype=torch.bool)), plain)


@every_cell
def test_kinds_and_places_of_the_mask(cell: str) -> None:
    module, _ = pair(cell, 3, 6, 2, bidirectional=True, dtype=torch.float64)
    turned, _ = pair(cell, 3, 6, 2, bidirectional=True, batch_first=True, dtype=torch.float64)
    x, state, resets = drawn(8, 5, 3), states_of(module, 5), some_resets(8, 5)
    expected = run(module, x, state, resets=resets)
    same_bits(run(module, x, state, resets=resets.to(torch.uint8)), expected)
    same_bits(run(module, x, state, resets=resets.t().contiguous().t()), expected)
    found = run(turned, x.transpose(0, 1), state, resets=resets.t())
    output, _ = turned(x.transpose(0, 1), state, resets=resets.t())
    assert_runs_close(
        {"output": output.transpose(0, 1), "h_n": found["h_n"]}, {k: expected[k] for k in ("output", "h_n")}
    )

    firsts = as_tuple(state)
    first = tuple(one[:, 2] for one in firsts) if len(firsts) == 2 else firsts[0][:, 2]
    for one in (module, turned):
        alone, _ = one(x[:, 2], first, resets=resets[:, 2])
        assert_runs_close({"output": alone}, {"output": expected["output"][:, 2]})


@every_cell
def test_one_mask_for_all_rows_may_be_expanded(cell: str) -> None:
    module, _ = pair(cell, 3, 6, dtype=torch.float64)
    x, one = drawn(8, 5, 3), some_resets(8, 1)
    same_bits(run(module, x, resets=one.expand(8, 5)), run(module, x, resets=one.expand(8, 5).clone()))


@every_cell
def test_dropout_draws_the_same_masks_beside_resets(cell: str) -> None:
    module, _ = pair(cell, 3, 6, 3, dropout=0.5, bidirectional=True, dtype=torch.float64)
    x = drawn(8, 5, 3)
    torch.manual_seed(4)
    plain = run(module, x) | {"next": torch.rand(1)}
    torch.manual_seed(4)
    assert_runs_close(run(module, x, resets=torch.zeros(8, 5).bool()) | {"next": torch.rand(1)}, plain)


@every_cell
def test_nothing_crosses_a_reset_not_even_nan(cell: str) -> None:
    module, _ = pair(cell, 3, 6, 2, dtype=torch.float64)
    x = drawn(8, 5, 3)
    resets = torch.zeros(8, 5, dtype=torch.bool)
    resets[4] = True
    clean = module(x, resets=resets)[0]
    x[3, 1] = float("nan")
    spoilt = module(x, resets=resets)[0]
    assert spoilt[3, 1].isnan().all()
    assert torch.equal(spoilt[4:], clean[4:])


@every_cell
def test_a_long_rollout_in_parts_is_the_whole(cell: str) -> None:
    module, _ = pair(cell, 3, 6, 2, dtype=torch.float64)
    x, resets, state = drawn(12, 5, 3), some_resets(12, 5), states_of(module, 5)
    whole, last = module(x, state, resets=resets)
    parts, now = [], state
    for start in range(0, 12, 4):
        output, now = module(x[start : start + 4], now, resets=resets[start : start + 4])
        parts.append(output)
    assert_runs_close(named(torch.cat(parts), now), named(whole, last))


@hypothesis.settings(max_examples=40)
@hypothesis.given(st.data())
def test_any_resets(data: st.DataObject) -> None:
    cell, layers = data.draw(st.sampled_from(CELLS)), data.draw(st.integers(1, 3))
    steps, rows, hidden = (data.draw(st.integers(1, top)) for top in (7, 5, 20))
    module, reference = pair(
        cell, 2, hidden, layers, bidirectional=data.draw(st.booleans()), dtype=torch.float64
    )
    flags = data.draw(st.lists(st.booleans(), min_size=steps * rows, max_size=steps * rows))
    x, state, resets = drawn(steps, rows, 2), states_of(module, rows), torch.tensor(flags).view(steps, rows)
    assert_runs_close(run(module, x, state, resets=resets), in_pieces(reference, x, state, resets))


@every_cell
def test_what_does_not_fit(cell: str) -> None:
    module, _ = pair(cell, 3, 6, dtype=torch.float64)
    packed = padded_and_packed([3, 2], 3)[1]
    with pytest.raises(UnrolledError, match="PackedSequence") as caught:
        module(packed, resets=torch.zeros(3, 2, dtype=torch.bool))
    assert isinstance(caught.value, (ValueError, TypeError))
    x = drawn(8, 5, 3)
    for resets in (
        torch.zeros(5, 8, dtype=torch.bool),
        torch.zeros(8, dtype=torch.bool),
        torch.zeros(8, 5, 1, dtype=torch.bool),
        torch.zeros(8, 5),
        torch.zeros(8, 5, dtype=torch.long),
        [[False] * 5] * 8,
    ):
        with pytest.raises(UnrolledError, match="resets"):
            module(x, resets=resets)
    with pytest.raises(UnrolledError, match="resets"):
        module(x[:, 0], resets=torch.zeros(8, 5, dtype=torch.bool))


def test_torchs_own_way_knows_resets_too() -> None:
    """What torch itself must do, a projection for one, is done piece by piece or refused, never forgotten."""
    torch.manual_seed(0)
    module, _ = pair("lstm", 3, 6, proj_size=2, dtype=torch.float64)
    x = drawn(8, 5, 3)
    resets = torch.zeros(8, 5, dtype=torch.bool)
    resets[4] = True
    try:
        found = module(x, resets=resets)[0]
    except UnrolledError as error:
        assert "resets" in str(error)  # noqa: PT017 - either will do
    else:
        assert_runs_close({"output": found}, {"output": torch.cat([module(x[:4])[0], module(x[4:])[0]])})
