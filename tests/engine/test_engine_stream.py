"""A network fed step by step: the bits of a whole sequence, a state that can be kept, and nothing unsaid."""

from __future__ import annotations

import gc
import pickle
import threading
from typing import Any

import numpy as np
import pytest

from tests.engine.helpers import Head, Shape, arrays_of, draw, every_cell, every_dtype, same_bits
from unrolled import Network, NetworkSpec, Stream, _core
from unrolled.engine import Engine, Learning, State, Table, Trainer, Windowing
from unrolled.errors import ArgumentError, DataError, KindError

heads = pytest.mark.parametrize("head", ["none", "last", "every"])
SHAPES = [Shape(5, 1, 7, 1), Shape(19, 3, 6, 4), Shape(16, 1, 6, 3, 2), Shape(33, 3, 5, 2, 2)]


def network(**change: Any) -> Network:
    """Return a small network of two inputs and three outputs."""
    return Network(
        NetworkSpec(**{"cell": "lstm", "input_size": 2, "hidden_size": 5, "output_size": 3, **change})
    )


def steps(count: int, *, batch: int = 1, inputs: int = 2, seed: int = 0) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).standard_normal((count, batch, inputs)).astype("f4")


def same_state(actual: State, expected: State) -> None:
    assert (actual.c is None) == (expected.c is None)
    for got, want in zip(arrays_of(actual), arrays_of(expected), strict=True):
        same_bits(got, want)


@every_cell
@every_dtype
@heads
@pytest.mark.parametrize("shape", SHAPES, ids=str)
class TestBits:
    def test_step_by_step_is_the_whole_sequence(
        self, cell: str, dtype: str, head: Head, shape: Shape
    ) -> None:
        drawn = draw(cell, shape, head=head, dtype=dtype)
        stream = Stream(drawn.engine, batch=shape.batch)
        for t in range(shape.steps):
            y = stream.step(drawn.x[t])
            whole, state = drawn.engine.forward(drawn.x[: t + 1])
            same_bits(y, whole if head == "last" else whole[t], f"step {t}")
            same_state(stream.state, state)

    def test_from_any_state(self, cell: str, dtype: str, head: Head, shape: Shape) -> None:
        drawn = draw(cell, shape, head=head, dtype=dtype)
        stream = Stream(drawn.engine, batch=shape.batch)
        stream.state = drawn.state
        same_state(stream.state, drawn.state)
        for x in drawn.x:
            y = stream.step(x)
        whole, state = drawn.engine.forward(drawn.x, drawn.state)
        same_bits(y, whole if head == "last" else whole[-1])
        same_state(stream.state, state)


@every_cell
def test_large_steps_have_the_same_bits(cell: str) -> None:
    drawn = draw(cell, Shape(150, 40, 3, 8), head="last", dtype="float32")  # large enough to let others run
    stream = Stream(drawn.engine, batch=40)
    for x in drawn.x:
        y = stream.step(x)
    same_bits(y, drawn.engine.forward(drawn.x)[0])


@every_cell
def test_states_too_small_for_normal_numbers(cell: str) -> None:
    drawn = draw(cell, Shape(6, 1, 4, 2), dtype="float32")
    tiny = State(*(None if part is None else part * np.float32(1e-40) for part in drawn.state))
    stream = Stream(drawn.engine)
    stream.state = tiny
    for x in 1e-40 * drawn.x:
        stream.step(x)
    same_state(stream.state, drawn.engine.forward((1e-40 * drawn.x).astype("f4"), tiny)[1])


class TestState:
    def test_streams_of_one_network_do_not_know_of_each_other(self) -> None:
        net, x, z = network(), steps(6), steps(6, seed=1)
        one, other = net.stream(), net.stream()
        for x_t, z_t in zip(x, z, strict=True):
            y, w = one.step(x_t), other.step(z_t)
            net.engine.forward(z)
        same_bits(y, net.engine.forward(x)[0])
        same_bits(w, net.engine.forward(z)[0])

    def test_it_can_be_kept_and_taken_up_elsewhere(self) -> None:
        net, x = network(), steps(8)
        stream, other = net.stream(), net.stream()
        for x_t in x[:5]:
            stream.step(x_t)
        other.state = pickle.loads(pickle.dumps(stream.state))
        for x_t in x[5:]:
            y = other.step(x_t)
        same_bits(y, net.engine.forward(x)[0])

    def test_it_is_a_copy(self) -> None:
        stream = network().stream()
        state = stream.state
        stream.step(steps(1)[0])
        assert not state.h.any()
        given = stream.state
        stream.state = given
        given.h[:] = 9.0
        assert (stream.state.h < 9.0).all()

    def test_reset_begins_anew(self) -> None:
        stream, x = network(num_layers=2).stream(), steps(3)
        first = [stream.step(x_t) for x_t in x]
        stream.reset()
        assert not any(part.any() for part in arrays_of(stream.state))
        for x_t, y in zip(x, first, strict=True):
            same_bits(stream.step(x_t), y)

    def test_new_weights_count_from_the_next_step(self) -> None:
        net, x = network(), steps(2)
        stream = net.stream()
        stream.step(x[0])
        state = stream.state
        net.weights = {name: 0.5 * weight for name, weight in net.weights.items()}
        same_bits(stream.step(x[1]), net.engine.forward(x[1:], state)[0])

    @pytest.mark.parametrize("cell", ["lstm", "gru"])
    def test_another_shape_is_refused(self, cell: str) -> None:
        stream = network(cell=cell).stream(2)
        h = np.zeros((1, 2, 5))
        c = h if cell == "lstm" else None
        stream.state = State(h, c)
        for wrong, name in (
            (State(h[:, :1], c), "state.h"),
            (State(h[0], c), "state.h"),
            (State(h, None if c is h else h), "state.c"),
        ):
            with pytest.raises(ArgumentError, match=f"{name} does not fit"):
                stream.state = wrong

    def test_all_that_does_not_fit_is_said_at_once(self) -> None:
        with pytest.raises(ArgumentError, match=r"state\.h does not fit(.|\n)*state\.c does not fit"):
            network().stream().state = State(np.zeros(2), np.zeros(2))

    def test_the_network_lives_as_long_as_its_streams(self) -> None:
        net, x = network(), steps(4)
        expected, stream = net.engine.forward(x)[0], net.stream()
        del net
        gc.collect()
        for x_t in x:
            y = stream.step(x_t)
        same_bits(y, expected)


class TestInputs:
    @pytest.mark.parametrize(
        "form",
        [
            lambda x: x[0],
            lambda x: x.astype("f8"),
            lambda x: x.astype(">f4"),
            lambda x: np.asfortranarray(np.repeat(x, 2, axis=1))[:, ::2],
            lambda x: x.tolist(),
            lambda x: tuple(x[0].tolist()),
            lambda x: np.ma.array(x, mask=False),
        ],
    )
    def test_the_same_numbers_in_any_form(self, form: Any) -> None:
        net, x = network(), np.round(steps(1)[0] * 8) / 8
        y = net.stream().step(form(x))
        assert y.shape == (1, 3)
        same_bits(y, net.stream().step(x))

    @pytest.mark.parametrize("x", [1, 1.0, True, np.float64(1), np.array(1), [1], np.ones((1, 1))])
    def test_one_number_for_one_input(self, x: Any) -> None:
        net = network(input_size=1)
        same_bits(net.stream().step(x), net.stream().step(np.ones((1, 1), "f4")))

    def test_one_number_for_each_of_several_sequences(self) -> None:
        net, x = network(input_size=1), np.arange(4.0)
        same_bits(net.stream(4).step(x), net.stream(4).step(x[:, None]))

    @pytest.mark.parametrize(
        ("batch", "shape"),
        [
            (1, (1,)),
            (1, (3,)),
            (1, ()),
            (1, (2, 1)),
            (1, (1, 1, 2)),
            (2, (2,)),
            (2, (4,)),
            (2, (1, 2)),
            (1, (0,)),
        ],
    )
    def test_another_shape_is_refused(self, batch: int, shape: tuple[int, ...]) -> None:
        with pytest.raises(ArgumentError, match="x does not fit"):
            network().stream(batch).step(np.zeros(shape))

    @pytest.mark.parametrize("x", ["1", None, {}, [1.0, "2"], [1j, 0], [[1.0], [1.0, 2.0]]])
    def test_what_is_no_number_is_refused(self, x: Any) -> None:
        with pytest.raises(KindError, match="x is not an array of numbers"):
            network().stream().step(x)

    @pytest.mark.parametrize(
        "x",
        [
            [[np.nan, 0.0], [0.0, 0.0]],
            np.array([[0.0, 0.0], [0.0, np.inf]], "f4"),
            [[0.0, -np.inf], [0.0, 0.0]],
            [[0.0, 1e39], [0.0, 0.0]],
            np.ma.array(np.zeros((2, 2)), mask=[[0, 0], [1, 0]]),
        ],
    )
    def test_what_is_not_finite_is_refused_and_the_state_stays(self, x: Any) -> None:
        stream = network().stream(2)
        stream.step(steps(1, batch=2)[0])
        before = stream.state
        with pytest.raises(DataError, match=r"not finite: sequence \d, feature \d(.|\n)*state is as it was"):
            stream.step(x)
        same_state(stream.state, before)

    def test_every_step_gives_a_new_array_and_leaves_the_input_alone(self) -> None:
        stream, x = network().stream(), steps(1)[0]
        x.flags.writeable = False
        first = stream.step(x)
        kept = first.copy()
        second = stream.step(x)
        assert not np.shares_memory(first, second)
        same_bits(first, kept)


class TestMaking:
    def test_a_skip_reads_a_whole_window(self) -> None:
        with pytest.raises(ArgumentError, match=r"cannot run step by step(.|\n)*got: skip_steps=4"):
            network(skip_steps=4).stream()

    @pytest.mark.parametrize("batch", [0, -1, 1.0, True, "1", None, 2**20 + 1])
    def test_batch(self, batch: Any) -> None:
        with pytest.raises(ArgumentError, match="batch does not fit"):
            network().stream(batch)

    def test_numbers_of_numpy(self) -> None:
        assert network().stream(np.int32(3)).batch == 3

    def test_all_that_does_not_fit_is_said_at_once(self) -> None:
        with pytest.raises(ArgumentError, match=r"step by step(.|\n)*batch does not fit"):
            network(skip_steps=4).stream(0)


class TestThreads:
    def test_a_stream_that_threads_share_loses_no_step(self) -> None:
        # A state that counts: h = relu(h + 1).
        counter = Network(NetworkSpec(cell="rnn_relu", input_size=1, hidden_size=1, output_size=0))
        counter.weights = {name: np.ones(s) * ("weight" in name) for name, s in counter.spec.shapes.items()}
        stream, one = counter.stream(), np.ones((1, 1), "f4")
        crowd = [threading.Thread(target=lambda: [stream.step(one) for _ in range(500)]) for _ in range(8)]
        for thread in crowd:
            thread.start()
        for thread in crowd:
            thread.join()
        assert stream.state.h.item() == 4000

    def test_beside_training_and_whole_passes(self) -> None:
        values = np.sin(np.arange(400.0))[:, None].astype("f4")
        engine = Engine("gru", input_size=1, hidden_size=32, output_size=1)
        trainer = Trainer(
            engine,
            Table(values, np.array([0, 400])),
            windowing=Windowing(24, 1),
            learning=Learning(),
            threads=2,
        )
        starts = np.arange(300)
        work = threading.Thread(
            target=lambda: [trainer.run(starts * 0, starts, 30, np.full(10, 1e-3)) for _ in range(5)]
        )
        work.start()
        stream = Stream(engine)
        for t in range(400):
            assert np.isfinite(stream.step(values[t])).all()
            engine.forward(values[:5, None])
        work.join()


class TestBorder:
    """What the core itself refuses, whatever its face lets through."""

    def stream(self, **change: Any) -> Any:
        return _core.StreamF32(network(**change).engine.core, 2)

    @pytest.mark.parametrize(
        ("x", "y"), [((1, 2), (2, 3)), ((2, 3), (2, 3)), ((2, 2), (2, 2)), ((4,), (2, 3))]
    )
    def test_shapes(self, x: tuple[int, ...], y: tuple[int, ...]) -> None:
        with pytest.raises(ValueError, match="does not fit"):
            self.stream().step(np.zeros(x, "f4"), np.zeros(y, "f4"))

    @pytest.mark.parametrize(("x", "y"), [("f8", "f4"), ("f4", "f8"), ("i4", "f4")])
    def test_kinds(self, x: str, y: str) -> None:
        with pytest.raises(TypeError, match="incompatible function arguments"):
            self.stream().step(np.zeros((2, 2), x), np.zeros((2, 3), y))

    def test_states(self) -> None:
        h = np.zeros((1, 2, 5), "f4")
        for call in ("read", "write"):
            with pytest.raises(ValueError, match=r"h does not fit"):
                getattr(self.stream(), call)(h[:, :1].copy(), h)
            with pytest.raises(ValueError, match=r"c does not fit"):
                getattr(self.stream(), call)(h, None)
            with pytest.raises(ValueError, match=r"c does not fit"):
                getattr(self.stream(), call)(h, h[0])
            with pytest.raises(ValueError, match=r"c does not fit"):
                getattr(self.stream(cell="gru"), call)(h, h)

    def test_sizes(self) -> None:
        with pytest.raises(ValueError, match="skip_steps does not fit"):
            self.stream(skip_steps=2)
        for batch in (0, -1, 2**50):
            with pytest.raises(ValueError, match="batch does not fit"):
                _core.StreamF32(network().engine.core, batch)
        with pytest.raises(TypeError, match="incompatible function arguments"):
            _core.StreamF64(network().engine.core, 1)
