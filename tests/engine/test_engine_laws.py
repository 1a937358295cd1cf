"""Laws that hold for any input: of time, of batches, of what is not finite, of denormal numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.helpers import (
    HEADS,
    TOLERANCES,
    Drawn,
    Head,
    Shape,
    arrays_of,
    assert_close,
    draw,
    every_cell,
    every_dtype,
    gradients_as_dict,
    oracle,
    same_bits,
    state_of,
)
from tests.engine.windows import make_task
from unrolled.engine import CELLS, Gradients, State, Windowing

if TYPE_CHECKING:
    from unrolled.engine import Array

some = settings(max_examples=25)
UNBOUNDED = ("rnn_relu", "mingru", "minlstm")
seeds = st.integers(0, 2**32 - 1)
dtypes = st.sampled_from(["float64", "float32"])
heads = st.sampled_from(HEADS)
sizes = st.integers(1, 40)


@st.composite
def shapes(draw: st.DrawFn, *, batch: int = 70, steps: int = 6) -> Shape:
    """Return sizes around those at which tiles, vectors and chunks end."""
    return Shape(
        draw(sizes),
        draw(st.integers(1, batch)),
        draw(st.integers(1, steps)),
        draw(sizes),
        draw(st.integers(1, 2)),
    )


def rows(state: State, which: Array) -> State:
    """Return some rows of a state."""
    return state_of(array[:, which] for array in arrays_of(state))


def same_state(actual: State, expected: State) -> None:
    """Compare two states bit for bit."""
    for got, want in zip(arrays_of(actual), arrays_of(expected), strict=True):
        same_bits(got, want)


def backward_rows(drawn: Drawn, which: Array) -> Gradients:
    """Return the gradients of some rows alone."""
    d_out = drawn.d_out[..., which, :]
    return drawn.engine.backward(
        drawn.x[:, which], d_out, rows(drawn.state, which), rows(drawn.d_state, which)
    )


@every_cell
@some
@given(shape=shapes(batch=5, steps=12), cut=st.integers(1, 11), dtype=dtypes, seed=seeds)
def test_a_sequence_is_its_parts_bit_for_bit(
    cell: str, shape: Shape, cut: int, dtype: str, seed: int
) -> None:
    cut = min(cut, shape.steps)
    drawn = draw(cell, shape, dtype=dtype, seed=seed)
    whole, end = drawn.engine.forward(drawn.x, drawn.state)
    first, middle = drawn.engine.forward(drawn.x[:cut], drawn.state)
    same_bits(whole[:cut], first)
    if cut < shape.steps:
        second, middle = drawn.engine.forward(drawn.x[cut:], middle)
        same_bits(whole[cut:], second)
    same_state(end, middle)


@every_cell
@some
@given(shape=shapes(batch=5, steps=12), cut=st.integers(1, 11), seed=seeds)
def test_gradients_of_a_sequence_are_those_of_its_parts(cell: str, shape: Shape, cut: int, seed: int) -> None:
    if cut >= shape.steps:
        return
    drawn = draw(cell, shape, seed=seed)
    engine = drawn.engine
    whole = engine.backward(drawn.x, drawn.d_out, drawn.state, drawn.d_state)
    middle = engine.forward(drawn.x[:cut], drawn.state)[1]
    second = engine.backward(drawn.x[cut:], drawn.d_out[cut:], middle, drawn.d_state)
    first = engine.backward(drawn.x[:cut], drawn.d_out[:cut], drawn.state, second.state)
    for name, array in whole.parameters.items():
        total = first.parameters[name] + second.parameters[name]
        assert_close(array, total, to="regrouped", dtype="float64", name=name)
    assert whole.x is not None
    assert first.x is not None
    assert second.x is not None
    assert_close(whole.x, np.concatenate([first.x, second.x]), to="regrouped", dtype="float64")
    for got, want in zip(arrays_of(whole.state), arrays_of(first.state), strict=True):
        assert_close(got, want, to="regrouped", dtype="float64")


@every_cell
@some
@given(shape=shapes(batch=5, steps=9), cut=st.integers(0, 8), dtype=dtypes, every=st.booleans(), seed=seeds)
def test_the_future_never_changes_the_past(
    cell: str, shape: Shape, cut: int, dtype: str, every: bool, seed: int
) -> None:
    cut = min(cut, shape.steps - 1)
    drawn = draw(cell, shape, head="every" if every else "none", dtype=dtype, seed=seed)
    before = drawn.engine.forward(drawn.x, drawn.state)[0]
    for other in (np.nan, np.inf, 1e30, 0.0):
        x = drawn.x.copy()
        x[cut:] = other
        same_bits(drawn.engine.forward(x, drawn.state)[0][:cut], before[:cut])
    d_out = drawn.d_out.copy()
    d_out[cut:] = 0.0
    d_x = drawn.engine.backward(drawn.x, d_out, drawn.state).x
    assert d_x is not None
    assert not d_x[cut:].any()


@every_cell
@some
@given(shape=shapes(), head=heads, dtype=dtypes, seed=seeds)
def test_a_batch_is_its_rows_bit_for_bit(cell: str, shape: Shape, head: Head, dtype: str, seed: int) -> None:
    drawn = draw(cell, shape, head=head, dtype=dtype, seed=seed)
    output, last = drawn.engine.forward(drawn.x, drawn.state)
    gradients = drawn.engine.backward(drawn.x, drawn.d_out, drawn.state, drawn.d_state)
    assert gradients.x is not None
    middle = shape.batch // 2
    for which in (
        np.arange(middle),
        np.array([shape.batch - 1]),
        np.array([0]),
        np.arange(middle, shape.batch),
    ):
        if which.size == 0:
            continue
        alone, alone_last = drawn.engine.forward(drawn.x[:, which], rows(drawn.state, which))
        same_bits(output[..., which, :], alone)
        same_state(rows(last, which), alone_last)
        alone_gradients = backward_rows(drawn, which)
        same_bits(gradients.x[:, which], alone_gradients.x)  # type: ignore[arg-type]
        same_state(rows(gradients.state, which), alone_gradients.state)


@every_cell
@some
@given(shape=shapes(), head=heads, dtype=dtypes, seed=seeds)
def test_permuted_rows_give_permuted_results(
    cell: str, shape: Shape, head: Head, dtype: str, seed: int
) -> None:
    drawn = draw(cell, shape, head=head, dtype=dtype, seed=seed)
    order = np.random.default_rng(seed).permutation(shape.batch)
    output, last = drawn.engine.forward(drawn.x, drawn.state)
    moved, moved_last = drawn.engine.forward(drawn.x[:, order], rows(drawn.state, order))
    same_bits(moved, output[..., order, :])
    same_state(moved_last, rows(last, order))
    gradients = drawn.engine.backward(drawn.x, drawn.d_out, drawn.state, drawn.d_state)
    permuted = backward_rows(drawn, order)
    same_bits(permuted.x, gradients.x[:, order])  # type: ignore[arg-type,index]
    same_state(permuted.state, rows(gradients.state, order))
    for name, array in gradients.parameters.items():
        assert_close(permuted.parameters[name], array, to="regrouped", dtype=dtype, name=name)


@every_cell
@some
@given(shape=shapes(), head=heads, dtype=dtypes, seed=seeds)
def test_gradients_of_a_batch_are_the_sums_of_its_rows(
    cell: str, shape: Shape, head: Head, dtype: str, seed: int
) -> None:
    drawn = draw(cell, shape, head=head, dtype=dtype, seed=seed)
    whole = drawn.engine.backward(drawn.x, drawn.d_out, drawn.state, drawn.d_state)
    middle = shape.batch // 2
    parts = [backward_rows(drawn, part) for part in np.split(np.arange(shape.batch), [middle]) if part.size]
    for name, array in whole.parameters.items():
        total = np.sum([part.parameters[name] for part in parts], axis=0, dtype=np.float64)
        assert_close(array, total, to="regrouped", dtype=dtype, name=name)


@every_cell
@some
@given(seed=seeds, shape=shapes(batch=40))
def test_the_same_call_twice_gives_the_same_bits(cell: str, seed: int, shape: Shape) -> None:
    drawn = draw(cell, shape._replace(layers=2), head="last", dtype="float32", dropout=0.4, seed=seed)
    for train in (False, True):
        first, second = (
            drawn.engine.forward(drawn.x, drawn.state, train=train, seed=seed)[0] for _ in range(2)
        )
        same_bits(first, second)
        twice = [
            gradients_as_dict(
                drawn.engine.backward(drawn.x, drawn.d_out, drawn.state, train=train, seed=seed)
            )
            for _ in range(2)
        ]
        for name, array in twice[0].items():
            same_bits(array, twice[1][name], name)


@every_cell
@every_dtype
@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("batch", [3, 40])
def test_nan_stays_in_its_row_and_is_never_hidden(cell: str, head: Head, dtype: str, batch: int) -> None:
    drawn = draw(cell, Shape(17, batch, 4, 3, 2), head=head, dtype=dtype)
    clean, clean_last = drawn.engine.forward(drawn.x, drawn.state)
    clean_gradients = drawn.engine.backward(drawn.x, drawn.d_out, drawn.state)
    drawn.x[1, 2, 0] = np.nan
    others = np.delete(np.arange(batch), 2)
    output, last = drawn.engine.forward(drawn.x, drawn.state)
    same_bits(output[..., others, :], clean[..., others, :])
    same_state(rows(last, others), rows(clean_last, others))
    hurt = output[1:, 2] if head in ("none", "every") else output[2]
    assert np.isnan(hurt).all()
    assert all(np.isnan(array[:, 2]).all() for array in arrays_of(last))
    if head in ("none", "every"):
        same_bits(output[0], clean[0])
    gradients = drawn.engine.backward(drawn.x, drawn.d_out, drawn.state)
    assert gradients.x is not None
    same_bits(gradients.x[:, others], clean_gradients.x[:, others])  # type: ignore[index]
    same_state(rows(gradients.state, others), rows(clean_gradients.state, others))
    assert np.isnan(gradients.x[:, 2]).all()
    for layer in range(2):
        for name in gradients.parameters:
            if name.endswith(f"_l{layer}"):
                assert np.isnan(gradients.parameters[name]).all(), name


@every_cell
@pytest.mark.parametrize(
    "place", ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l1", "head.bias", "h"]
)
def test_nan_in_parameters_or_state_reaches_the_output(cell: str, place: str) -> None:
    drawn = draw(cell, Shape(9, 3, 2, 3, 2), head="last")
    if place != "h" and place not in drawn.parameters:
        assert not CELLS[cell].recurrent
        return
    if place == "h":
        drawn.state.h[0, 1, 4] = np.nan
    else:
        drawn.parameters[place].flat[0] = np.nan
        drawn.engine.set(drawn.parameters)
    hurt = np.isnan(drawn.engine.forward(drawn.x, drawn.state)[0]).any(axis=1)
    np.testing.assert_array_equal(hurt, [place != "h", True, place != "h"])


@every_cell
@every_dtype
@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e38, -1e38])
def test_what_is_infinite_is_computed_on_as_the_equations_say(cell: str, dtype: str, value: float) -> None:
    drawn = draw(cell, Shape(17, 4, 3, 3, 2), dtype=dtype)
    drawn.x[1, 2, 0] = value
    if cell in UNBOUNDED and np.isfinite(value):
        drawn.x[1, 2, 0] /= 1e8  # sums of 1e38 would be infinite in float32 and not in the oracle
    output, last, _ = oracle(drawn, state=drawn.state, d_state=None)
    got, got_last = drawn.engine.forward(drawn.x, drawn.state)
    if cell in ("mingru", "minlstm") and not np.isfinite(value):  # 0 times infinity beside nearly 0 times it
        same = (np.isfinite(array) for array in (got, output))
        np.testing.assert_array_equal(*same)
        return
    assert_close(got, output, to="output", dtype=dtype)
    for one, other in zip(arrays_of(got_last), arrays_of(last), strict=True):
        assert_close(one, other, to="output", dtype=dtype)


@every_cell
@every_dtype
def test_denormal_numbers_harm_nobody(cell: str, dtype: str) -> None:
    drawn = draw(cell, Shape(17, 3, 4, 3, 2), head="every", dtype=dtype)
    tiny = np.array(np.finfo(dtype).tiny, dtype) / 8
    assert tiny > 0
    drawn.x[:] = tiny
    drawn.engine.set({name: array * 1e-3 for name, array in drawn.parameters.items()})
    calm = drawn.engine.forward(0 * drawn.x)[0]
    assert_close(drawn.engine.forward(drawn.x)[0], calm, to="output", dtype=dtype)


def slow_enough_for_denormals() -> bool:
    """Return whether this thread still computes with denormal numbers, in both precisions."""
    small, least = np.full(5, 1e-40, np.float32), np.full(5, 5e-324)
    with np.errstate(under="ignore"):
        return bool((small * np.float32(0.5) > 0).all() and (least * 1.0 > 0).all() and 1e-310 / 2.0 > 0.0)


@pytest.mark.parametrize("threads", [1, 2])
def test_the_flushing_of_denormal_numbers_does_not_leak(threads: int) -> None:
    assert slow_enough_for_denormals()
    drawn = draw("lstm", Shape(64, 70, 8, 8), head="last", dtype="float32")
    drawn.engine.forward(drawn.x, threads=threads)
    assert slow_enough_for_denormals()
    drawn.engine.backward(drawn.x, drawn.d_out, threads=threads)
    assert slow_enough_for_denormals()
    task = make_task(windowing=Windowing(window=8, horizon=3, patch=2), hidden=64, count=140, batch=140)
    engine = task.engine()
    trainer = task.trainer(engine, threads=threads)
    trainer.run(task.series, task.starts, task.batch, task.rates)
    assert slow_enough_for_denormals()
    trainer.evaluate(task.series, task.starts)
    assert slow_enough_for_denormals()
    task.forecast(engine, threads=threads)
    assert slow_enough_for_denormals()
    task.values[:] = np.nan
    assert np.isnan(trainer.run(task.series, task.starts, task.batch, task.rates)).any()
    assert slow_enough_for_denormals()


@every_dtype
@pytest.mark.parametrize("scaling", ["standard", "last", "mean_abs"])
@some
@given(factor=st.floats(0.01, 100.0), shift=st.floats(-100.0, 100.0), seed=seeds)
def test_forecasts_follow_a_rescaled_series(
    scaling: str, dtype: str, factor: float, shift: float, seed: int
) -> None:
    moved = 0.0 if scaling == "mean_abs" else shift
    task = make_task(windowing=Windowing(window=8, horizon=3, patch=2, scaling=scaling), dtype=dtype)
    values: Array = np.random.default_rng(seed).standard_normal(task.values.size).reshape(task.values.shape)
    engine = task.engine()

    def forecast(panel: Array) -> Array:
        return replace(task, values=panel.astype(dtype)).forecast(engine)

    rescaled, expected = forecast(values * factor + moved), forecast(values) * factor + moved
    allowed = TOLERANCES["rescaled"][dtype] * (factor + abs(moved))
    np.testing.assert_allclose(rescaled, expected, rtol=0.0, atol=allowed)
