"""Rows of different lengths: each is computed as if it were alone, and what follows its end is never read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.engine.helpers import Head, Shape, assert_close, draw, every_cell, make_engine, same_bits
from unrolled.engine import Engine, State

if TYPE_CHECKING:
    from unrolled.engine import Array

LENGTHS = np.array([3, 7, 1, 7, 5, 2])
SHAPE = Shape(hidden=19, batch=6, steps=7, inputs=3, layers=2)
HEADS: tuple[Head, ...] = ("none", "last", "every")


def behind(lengths: Array, steps: int) -> Array:
    """Return where a row has ended, [T, B]."""
    return np.arange(steps)[:, np.newaxis] >= lengths


def row_of(state: State, row: int) -> State:
    """Return the state of one row."""
    c = None if state.c is None else state.c[:, row : row + 1]
    return State(state.h[:, row : row + 1], c)


@every_cell
@pytest.mark.parametrize("head", HEADS)
def test_each_row_is_computed_as_if_alone(cell: str, head: Head) -> None:
    drawn = draw(cell, SHAPE, head=head, dtype="float32")
    x = np.where(behind(LENGTHS, SHAPE.steps)[:, :, np.newaxis], np.float32(np.nan), drawn.x)
    output, state = drawn.engine.forward(x, drawn.state, lengths=LENGTHS)
    for row, length in enumerate(LENGTHS):
        alone, own = drawn.engine.forward(x[:length, row : row + 1], row_of(drawn.state, row))
        same_bits(row_of(state, row).h, own.h)
        if own.c is not None:
            same_bits(row_of(state, row).c, own.c)
        if head == "last":
            same_bits(output[row : row + 1], alone)
        else:
            same_bits(output[:length, row : row + 1], alone)
            assert not output[length:, row].any()


@every_cell
@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gradients_are_the_sum_of_the_rows(cell: str, head: Head, dtype: str) -> None:
    drawn = draw(cell, SHAPE, head=head, dtype=dtype)
    ended = behind(LENGTHS, SHAPE.steps)[:, :, np.newaxis]
    d_out = drawn.d_out if head == "last" else np.where(ended, drawn.d_out.dtype.type(np.nan), drawn.d_out)
    got = drawn.engine.backward(drawn.x, d_out, drawn.state, drawn.d_state, lengths=LENGTHS)
    sums = {name: np.zeros(p.shape) for name, p in got.parameters.items()}
    assert got.x is not None
    for row, length in enumerate(LENGTHS):
        only = slice(row, row + 1)
        own = drawn.engine.backward(
            drawn.x[:length, only],
            d_out[only] if head == "last" else d_out[:length, only],
            row_of(drawn.state, row),
            row_of(drawn.d_state, row),
        )
        assert own.x is not None
        for name, gradient in own.parameters.items():
            sums[name] += gradient
        same_bits(got.x[:length, only], own.x)
        assert not got.x[length:, row].any()
        same_bits(row_of(got.state, row).h, own.state.h)
        if own.state.c is not None:
            same_bits(row_of(got.state, row).c, own.state.c)
    for name, expected in sums.items():
        assert_close(got.parameters[name], expected, to="gradient", dtype=dtype, name=name)


@every_cell
def test_full_lengths_change_nothing(cell: str) -> None:
    drawn = draw(cell, SHAPE, dtype="float32")
    whole = np.full(SHAPE.batch, SHAPE.steps)
    plain, _ = drawn.engine.forward(drawn.x)
    same_bits(drawn.engine.forward(drawn.x, lengths=whole)[0], plain)
    same_bits(drawn.engine.forward(drawn.x)[0], plain)  # lengths leave nothing behind


def test_threads_do_not_change_a_bit() -> None:
    shape = Shape(hidden=40, batch=70, steps=30, inputs=2)
    drawn = draw("lstm", shape, dtype="float32")
    lengths = np.random.default_rng(3).integers(1, shape.steps, shape.batch, endpoint=True)
    one, three = (drawn.engine.backward(drawn.x, drawn.d_out, lengths=lengths, threads=n) for n in (1, 3))
    for name, gradient in one.parameters.items():
        same_bits(three.parameters[name], gradient, name)


def test_dropout_of_a_row_does_not_depend_on_its_place_among_the_sorted() -> None:
    drawn = draw("gru", SHAPE, dtype="float64", dropout=0.5)
    lengths = np.array([2, 7, 2, 2, 2, 2])
    plain, _ = drawn.engine.forward(drawn.x, train=True, seed=5)
    output, _ = drawn.engine.forward(drawn.x, lengths=lengths, train=True, seed=5)
    np.testing.assert_allclose(output[:, 1], plain[:, 1], rtol=1e-12)
    np.testing.assert_allclose(output[:2], plain[:2], rtol=1e-12)


def test_the_last_step_may_come_before_the_batch_ends() -> None:
    drawn = draw("lstm", SHAPE, dtype="float64")
    output, state = drawn.engine.forward(drawn.x, lengths=np.full(SHAPE.batch, 2))
    short, expected = drawn.engine.forward(drawn.x[:2])
    same_bits(output[:2], short)
    same_bits(state.h, expected.h)
    assert not output[2:].any()


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        (np.array([1, 2]), "lengths does not fit"),
        (np.array([[1] * 6]), "lengths does not fit"),
        (np.array([1, 2, 3, 4, 5, 0]), "length does not fit"),
        (np.array([1, 2, 3, 4, 5, 8]), "length does not fit"),
    ],
)
def test_lengths_that_do_not_fit(lengths: Array, message: str) -> None:
    drawn = draw("rnn", SHAPE)
    with pytest.raises(ValueError, match=message):
        drawn.engine.forward(drawn.x, lengths=lengths)
    with pytest.raises(ValueError, match=message):
        drawn.engine.backward(drawn.x, drawn.d_out, lengths=lengths)


def test_a_skip_needs_whole_windows() -> None:
    engine: Engine = make_engine("rnn", Shape(4, 2, 3, 1), head="skip", outputs=1)
    with pytest.raises(ValueError, match="lengths does not fit"):
        engine.forward(np.zeros((3, 2, 1)), lengths=np.array([3, 2]))
