"""Laws over time, batch and hidden units, whatever the cell, its weights and its input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.cells.helpers import assert_close, draw_state, draw_weights
from unrolled.cells import CELLS, Cell, Weights, run, run_backward

if TYPE_CHECKING:
    from tests.cells.helpers import Array


@dataclass
class Case:
    """A cell with random weights, a random input and a random state to start from."""

    cell: Cell[Any]
    x: Array
    state: tuple[Array, ...]
    weights: Weights
    rng: np.random.Generator


@st.composite
def cases(draw: st.DrawFn) -> Case:
    cell = CELLS[draw(st.sampled_from(sorted(CELLS)))]
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    steps, batch = draw(st.integers(1, 6)), draw(st.integers(1, 4))
    inputs, hidden = draw(st.integers(1, 4)), draw(st.integers(1, 7))
    return Case(
        cell=cell,
        x=rng.standard_normal((steps, batch, inputs)),
        state=draw_state(cell, rng, batch, hidden),
        weights=draw_weights(cell, rng, input_size=inputs, hidden_size=hidden),
        rng=rng,
    )


def rows(state: tuple[Array, ...], chosen: Any) -> tuple[Array, ...]:
    return tuple(array[chosen] for array in state)


@given(cases(), st.integers(0, 6))
def test_a_sequence_may_be_read_in_two_parts(case: Case, cut: int) -> None:
    whole = run(case.cell, case.x, case.weights, state=case.state)
    a = run(case.cell, case.x[:cut], case.weights, state=case.state)
    b = run(case.cell, case.x[cut:], case.weights, state=a.state)
    np.testing.assert_array_equal(np.concatenate([a.output_tbh, b.output_tbh]), whole.output_tbh)
    np.testing.assert_array_equal(np.stack(b.state), np.stack(whole.state))

    d_output = case.rng.standard_normal(whole.output_tbh.shape)
    d_state = tuple(case.rng.standard_normal(array.shape) for array in case.state)
    back = run_backward(whole, d_output, d_state=d_state)
    back_b = run_backward(b, d_output[cut:], d_state=d_state)
    back_a = run_backward(a, d_output[:cut], d_state=back_b.d_state0)
    np.testing.assert_array_equal(np.concatenate([back_a.dx_tbi, back_b.dx_tbi]), back.dx_tbi)
    np.testing.assert_array_equal(np.stack(back_a.d_state0), np.stack(back.d_state0))
    for in_a, in_b, in_whole in zip(back_a.d_weights, back_b.d_weights, back.d_weights, strict=True):
        assert_close(in_a + in_b, in_whole, to="order")


@given(cases(), st.data())
def test_the_future_never_changes_the_past(case: Case, data: st.DataObject) -> None:
    now = data.draw(st.integers(0, len(case.x) - 1))
    other = case.x.copy()
    other[now + 1 :] = case.rng.standard_normal(other[now + 1 :].shape)
    ours = run(case.cell, case.x, case.weights, state=case.state)
    theirs = run(case.cell, other, case.weights, state=case.state)
    np.testing.assert_array_equal(ours.output_tbh[: now + 1], theirs.output_tbh[: now + 1])

    d_output = np.zeros_like(ours.output_tbh)
    d_output[now] = 1.0
    assert not run_backward(ours, d_output).dx_tbi[now + 1 :].any()


@given(cases())
def test_a_batch_is_its_rows(case: Case) -> None:
    together = run(case.cell, case.x, case.weights, state=case.state)
    d_output = case.rng.standard_normal(together.output_tbh.shape)
    back = run_backward(together, d_output)
    total = Weights(*map(np.zeros_like, case.weights))
    for b in range(case.x.shape[1]):
        one = slice(b, b + 1)
        alone = run(case.cell, case.x[:, one], case.weights, state=rows(case.state, one))
        assert_close(alone.output_tbh, together.output_tbh[:, one], to="order")
        back_alone = run_backward(alone, d_output[:, one])
        assert_close(back_alone.dx_tbi, back.dx_tbi[:, one], to="order")
        assert_close(np.stack(back_alone.d_state0), np.stack(rows(back.d_state0, one)), to="order")
        total = Weights(*map(np.add, total, back_alone.d_weights))
    for name in Weights._fields:
        assert_close(getattr(total, name), getattr(back.d_weights, name), to="order", name=name)


@given(cases())
def test_the_order_of_the_rows_does_not_matter(case: Case) -> None:
    order = case.rng.permutation(case.x.shape[1])
    ours = run(case.cell, case.x, case.weights, state=case.state)
    theirs = run(case.cell, case.x[:, order], case.weights, state=rows(case.state, order))
    assert_close(theirs.output_tbh, ours.output_tbh[:, order], to="order")


@given(cases())
def test_hidden_units_have_no_order(case: Case) -> None:
    hidden = len(case.weights.bias_ih) // len(case.cell.gates)
    order = case.rng.permutation(hidden)
    in_every_gate = np.concatenate([gate * hidden + order for gate in range(len(case.cell.gates))])
    shuffled = Weights.of({name[:-3]: array[in_every_gate] for name, array in case.weights.named(0).items()})
    if case.cell.recurrent:
        shuffled = shuffled._replace(weight_hh=shuffled.weight_hh[:, order])
    ours = run(case.cell, case.x, case.weights, state=case.state)
    theirs = run(case.cell, case.x, shuffled, state=tuple(array[:, order] for array in case.state))
    assert_close(theirs.output_tbh, ours.output_tbh[..., order], to="order")


@given(cases())
def test_the_order_of_the_features_does_not_matter(case: Case) -> None:
    order = case.rng.permutation(case.x.shape[2])
    shuffled = case.weights._replace(weight_ih=case.weights.weight_ih[:, order])
    ours = run(case.cell, case.x, case.weights, state=case.state)
    theirs = run(case.cell, case.x[..., order], shuffled, state=case.state)
    assert_close(theirs.output_tbh, ours.output_tbh, to="order")


@given(cases())
def test_gradients_are_linear_in_what_comes_back(case: Case) -> None:
    trace = run(case.cell, case.x, case.weights, state=case.state)
    one, two = case.rng.standard_normal((2, *trace.output_tbh.shape))
    separate = [run_backward(trace, d).d_weights.weight_ih for d in (one, two)]
    assert_close(
        3.0 * separate[0] - separate[1], run_backward(trace, 3.0 * one - two).d_weights[0], to="order"
    )
