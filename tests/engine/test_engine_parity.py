"""The engine computes what the equations of `unrolled.cells` say: every cell, head and option, at odd sizes.

A new cell joins by its line in the table of cells and changes nothing here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.engine.helpers import (
    HEADS,
    Drawn,
    Head,
    Shape,
    arrays_of,
    assert_close,
    assert_gradients,
    assert_states,
    draw,
    dropout_masks,
    every_cell,
    every_dtype,
    every_head,
    gradients_as_dict,
    make_engine,
    oracle,
    same_bits,
    state_of,
)
from unrolled import engine as engine_module
from unrolled.cells import CELLS

if TYPE_CHECKING:
    from unrolled.engine import Gradients

# Below, at and above one vector, one tile of rows, one tile of units, in both precisions.
SHAPES = [
    Shape(1, 1, 1, 1),
    Shape(1, 3, 2, 3, 2),
    Shape(7, 1, 5, 16),
    Shape(7, 33, 2, 1, 3),
    Shape(15, 8, 1, 17, 2),
    Shape(15, 3, 5, 3),
    Shape(16, 8, 5, 16, 2),
    Shape(16, 1, 2, 17),
    Shape(17, 33, 5, 1, 2),
    Shape(17, 3, 1, 16),
    Shape(31, 8, 2, 3),
    Shape(31, 1, 5, 1, 3),
    Shape(33, 33, 1, 17),
    Shape(33, 3, 5, 16, 2),
    Shape(100, 8, 5, 1, 2),
    Shape(100, 1, 1, 3),
    Shape(257, 3, 5, 17),
    Shape(257, 33, 2, 3),
    Shape(257, 1, 2, 1, 2),
]
# The oracle is slow where H is large, so there the heads take turns.
CASES = [
    pytest.param(shape, head, id=f"{shape}-{head}")
    for number, shape in enumerate(SHAPES)
    for place, head in enumerate(HEADS)
    if shape.hidden < 100 or (number + place) % 2 == 0
]
SMALL = Shape(7, 3, 5, 3, 2)


def test_the_core_and_the_oracle_know_the_same_cells() -> None:
    table = {name: (len(cell.gates), len(cell.states) - 1, cell.recurrent) for name, cell in CELLS.items()}
    assert table == engine_module.CELLS


@every_cell
@every_dtype
@pytest.mark.parametrize(("shape", "head"), CASES)
def test_outputs_states_and_gradients(cell: str, shape: Shape, head: Head, dtype: str) -> None:
    drawn = draw(cell, shape, head=head, dtype=dtype)
    # Half of the cases start from zeros, another half leaves the gradient of the last state out.
    number = SHAPES.index(shape) + HEADS.index(head)
    state = drawn.state if number % 2 else None
    d_state = drawn.d_state if number // 2 % 2 else None
    expected = oracle(drawn, state=state, d_state=d_state)
    output, last = drawn.engine.forward(drawn.x, state)
    assert_close(output, expected[0], to="output", dtype=dtype, name="output")
    assert_states(last, expected[1], to="output", dtype=dtype, name="state")
    assert output.dtype == last.h.dtype == np.dtype(dtype)
    gradients = drawn.engine.backward(drawn.x, drawn.d_out, state, d_state)
    assert_gradients(gradients, expected[2], dtype=dtype)


@every_cell
@every_dtype
@pytest.mark.parametrize("steps", [95, 97, 200])
def test_long_sequences(cell: str, dtype: str, steps: int) -> None:
    # The backward pass multiplies gate gradients in blocks of about 96 rows: below, across and above one.
    drawn = draw(cell, Shape(9, 2, steps, 2, 2), head="every", dtype=dtype)
    expected = oracle(drawn, state=drawn.state, d_state=drawn.d_state)
    output, last = drawn.engine.forward(drawn.x, drawn.state)
    assert_close(output, expected[0], to="output", dtype=dtype, name="output")
    assert_states(last, expected[1], to="output", dtype=dtype, name="state")
    gradients = drawn.engine.backward(drawn.x, drawn.d_out, drawn.state, drawn.d_state)
    assert_gradients(gradients, expected[2], dtype=dtype)


@every_cell
@every_dtype
@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_dropout_is_the_oracle_with_the_masks_of_the_counter(cell: str, dtype: str, rate: float) -> None:
    shape = Shape(17, 33, 3, 2, 3)
    drawn = draw(cell, shape, head="last", dtype=dtype, dropout=rate)
    masks = dropout_masks(rate, shape, seed=11, dtype=dtype)
    expected = oracle(drawn, state=drawn.state, d_state=None, masks=masks)
    output, last = drawn.engine.forward(drawn.x, drawn.state, train=True, seed=11)
    assert_close(output, expected[0], to="output", dtype=dtype, name="output")
    assert_states(last, expected[1], to="output", dtype=dtype, name="state")
    gradients = drawn.engine.backward(drawn.x, drawn.d_out, drawn.state, train=True, seed=11)
    assert_gradients(gradients, expected[2], dtype=dtype)


def test_dropout_drops_its_share() -> None:
    masks = dropout_masks(0.3, Shape(50, 50, 20, 1, 2), seed=5, dtype="float64")
    share = float(np.mean(masks == 0.0))
    assert abs(share - 0.3) < 4 * np.sqrt(0.3 * 0.7 / masks.size)
    assert set(np.unique(masks)) == {0.0, 1.0 / 0.7}


@every_cell
def test_dropout_rests_when_not_training(cell: str) -> None:
    drawn, without = (draw(cell, SMALL, dropout=rate) for rate in (0.5, 0.0))
    same_bits(drawn.engine.forward(drawn.x, seed=3)[0], without.engine.forward(drawn.x)[0])
    trained = drawn.engine.forward(drawn.x, train=True, seed=3)[0]
    assert not np.array_equal(trained, drawn.engine.forward(drawn.x, train=True, seed=4)[0])


@every_cell
@every_head
def test_nothing_given_means_zeros(cell: str, head: Head) -> None:
    drawn = draw(cell, SMALL, head=head)
    zeros = drawn.engine.zero_state(SMALL.batch)
    same_bits(drawn.engine.forward(drawn.x)[0], drawn.engine.forward(drawn.x, zeros)[0])
    bare = drawn.engine.backward(drawn.x, drawn.d_out)
    given = drawn.engine.backward(drawn.x, drawn.d_out, zeros, zeros)
    for name, array in gradients_as_dict(bare).items():
        same_bits(array, gradients_as_dict(given)[name], name)


@every_cell
@every_head
def test_leaving_out_the_gradient_of_x_changes_no_other(cell: str, head: Head) -> None:
    drawn = draw(cell, SMALL, head=head)
    whole = drawn.engine.backward(drawn.x, drawn.d_out, drawn.state, drawn.d_state)
    part = drawn.engine.backward(drawn.x, drawn.d_out, drawn.state, drawn.d_state, want_x=False)
    assert part.x is None
    for name, array in gradients_as_dict(part._replace(x=whole.x)).items():
        same_bits(array, gradients_as_dict(whole)[name], name)


@every_cell
@every_head
def test_what_goes_in_is_left_alone(cell: str, head: Head) -> None:
    drawn = draw(cell, SMALL, head=head)
    inputs = [drawn.x, drawn.d_out, *drawn.state, *drawn.d_state]
    before = [None if array is None else array.copy() for array in inputs]
    drawn.engine.forward(drawn.x, drawn.state)
    drawn.engine.backward(drawn.x, drawn.d_out, drawn.state, drawn.d_state)
    for array, copy in zip(inputs, before, strict=True):
        np.testing.assert_array_equal(array, copy)
    for name, parameter in drawn.engine.get().items():
        same_bits(parameter, drawn.parameters[name], name)


@every_cell
@every_dtype
def test_any_layout_in_memory_and_any_kind_of_number(cell: str, dtype: str) -> None:
    drawn = draw(cell, SMALL, head="every", dtype=dtype)
    expected = drawn.engine.forward(drawn.x, drawn.state)[0]
    state = state_of(np.asfortranarray(array) for array in arrays_of(drawn.state))
    batch_first = np.ascontiguousarray(drawn.x.transpose(1, 0, 2)).transpose(1, 0, 2)
    for x in (batch_first, drawn.x[::-1].copy()[::-1], np.repeat(drawn.x, 2, axis=2)[..., ::2]):
        assert not x.flags.c_contiguous
        same_bits(drawn.engine.forward(x, state)[0], expected)
    d_x = drawn.engine.backward(drawn.x, drawn.d_out, state).x
    assert d_x is not None
    same_bits(drawn.engine.backward(batch_first, drawn.d_out[..., ::-1].copy()[..., ::-1], state).x, d_x)  # type: ignore[arg-type]
    bytes_of_x = np.frombuffer(b"\0" + drawn.x.tobytes(), np.uint8)[1:]
    unaligned = bytes_of_x.view(dtype).reshape(drawn.x.shape)
    assert not unaligned.flags.aligned
    same_bits(drawn.engine.forward(unaligned, drawn.state)[0], expected)
    whole = np.round(drawn.x * 4.0)
    for other in (np.int64, np.int8, np.float64, np.float32, np.float16, ">f4"):
        same_bits(drawn.engine.forward(whole.astype(other))[0], drawn.engine.forward(whole)[0])


@every_cell
@every_dtype
@every_head
def test_parameters_come_back_as_they_were_given(cell: str, dtype: str, head: Head) -> None:
    drawn = draw(cell, SMALL, head=head, dtype=dtype)
    shapes = {}
    for layer in range(SMALL.layers):
        below = SMALL.inputs if layer == 0 else SMALL.hidden
        for name, shape in CELLS[cell].weight_shapes(below, SMALL.hidden).items():
            shapes[f"{name}_l{layer}"] = shape
    if head != "none":
        shapes |= {"head.weight": (3, SMALL.hidden), "head.bias": (3,)}
    if head == "skip":
        shapes["skip.weight"] = (3, SMALL.steps * SMALL.inputs)
    assert drawn.engine.shapes == shapes
    assert list(drawn.engine.shapes) == list(shapes)
    assert drawn.engine.parameter_count == sum(int(np.prod(shape)) for shape in shapes.values())
    for name, array in drawn.engine.get().items():
        same_bits(array, drawn.parameters[name], name)
    flat = np.concatenate([drawn.parameters[name].ravel() for name in shapes])
    same_bits(drawn.engine.read(), flat)
    other = make_engine(cell, SMALL, head=head, dtype=dtype)
    assert not other.read().any()
    other.write(flat)
    same_bits(other.forward(drawn.x)[0], drawn.engine.forward(drawn.x)[0])


def test_reading_gives_a_copy() -> None:
    drawn = draw("lstm", SMALL)
    drawn.engine.read()[:] = 0.0
    drawn.engine.get()["weight_hh_l0"][:] = 0.0
    same_bits(drawn.engine.get()["weight_hh_l0"], drawn.parameters["weight_hh_l0"])


@every_cell
@every_dtype
@every_head
def test_one_percent_of_a_weight_is_noticed(cell: str, dtype: str, head: Head) -> None:
    drawn = draw(cell, SMALL, head=head, dtype=dtype)
    expected, _, gradients = oracle(drawn, state=drawn.state, d_state=None)
    for name, array in drawn.parameters.items():
        bent = array.copy()
        bent.flat[np.argmax(np.abs(array * gradients.parameters[name]))] *= 1.01  # not one of a silent relu
        output = drawn.with_parameters({**drawn.parameters, name: bent}).forward(drawn.x, drawn.state)[0]
        with pytest.raises(AssertionError, match="Not equal to tolerance"):
            assert_close(output, expected, to="output", dtype=dtype)


@every_cell
@every_dtype
@every_head
def test_one_percent_of_a_gradient_is_noticed(cell: str, dtype: str, head: Head) -> None:
    drawn = draw(cell, SMALL, head=head, dtype=dtype)
    expected = oracle(drawn, state=drawn.state, d_state=drawn.d_state)[2]
    honest = drawn.engine.backward(drawn.x, drawn.d_out, drawn.state, drawn.d_state)
    for name, array in gradients_as_dict(honest).items():
        with pytest.raises(AssertionError, match="Not equal to tolerance"):
            assert_gradients(bent(drawn, honest, name, array * 1.01), expected, dtype=dtype)


def bent(drawn: Drawn, gradients: Gradients, name: str, array: engine_module.Array) -> Gradients:
    """Return the gradients with one array replaced."""
    if name == "x":
        return gradients._replace(x=array)
    if name in drawn.parameters:
        return gradients._replace(parameters={**gradients.parameters, name: array})
    return gradients._replace(state=gradients.state._replace(**{name: array}))
