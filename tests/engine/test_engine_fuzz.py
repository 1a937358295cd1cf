"""Anything at all: arrays, sizes and indices drawn at random. A result comes, or one of two errors does."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.border import WRONG_KIND, raw_trainer
from tests.engine.helpers import fill, same_bits
from unrolled import _core
from unrolled.engine import CELLS, Engine

sizes = st.sampled_from([0, 1, 2, 3, 4, 5, 8])
shapes = st.lists(sizes, max_size=4).map(tuple)
dtypes = st.sampled_from(["f4", "f4", "f4", "f8", "i8", ">f4", "?", "O"])


@st.composite
def things(draw: st.DrawFn, *fitting: tuple[int, ...]) -> Any:
    """Return an array that may fit, or something that does not."""
    shape = draw(st.one_of(st.sampled_from(fitting), st.sampled_from(fitting), shapes))
    array = np.full(shape, draw(st.sampled_from([0.5, np.nan, 1e30])))
    with np.errstate(invalid="ignore", over="ignore"):
        array = array.astype(draw(dtypes) if draw(st.integers(0, 9)) == 0 else "f4")
    how = draw(st.integers(0, 19))
    if how == 0:
        return None
    if how == 1:
        array.flags.writeable = False
    return array.T if how == 2 else np.asfortranarray(array) if how == 3 else array


@settings(max_examples=250)
@given(data=st.data())
def test_any_arrays_are_computed_or_refused(data: st.DataObject) -> None:
    """Every array of a pass drawn at random: it fits and a result comes, or one of two errors does."""
    cell = data.draw(st.sampled_from(sorted(CELLS)))
    outputs, every = data.draw(st.sampled_from([0, 3])), data.draw(st.booleans())
    skip = data.draw(st.sampled_from([0, 0, 3])) if outputs and not every else 0
    core = _core.NetworkF32(
        cell=cell,
        input_size=2,
        hidden_size=5,
        num_layers=2,
        output_size=outputs,
        every=every,
        skip_steps=skip,
        dropout=0.5,
    )
    state = (2, 4, 5)
    out = (3, 4, 5) if not outputs else (3, 4, 3) if every else (4, 3)
    x, h = data.draw(things((3, 4, 2))), data.draw(things(state))
    beside = (2, 4, 5 * CELLS[cell].states)
    c = data.draw(things(beside)) if CELLS[cell].states else data.draw(st.sampled_from([None, None, h]))
    y = data.draw(things(out))
    options = (data.draw(st.booleans()), data.draw(st.integers(0, 3)), data.draw(st.integers(0, 4)))
    arguments: list[Any] = [x, h, c, y]
    call: Any = core.apply
    if data.draw(st.booleans()):
        d_h = data.draw(things(state))
        d_c = data.draw(things(beside)) if CELLS[cell].states else None
        flat = data.draw(things((core.parameter_count,)))
        d_x = data.draw(st.one_of(st.none(), things((3, 4, 2))))
        arguments += [d_h, d_c, flat, d_x]
        call = core.apply_backward
    try:
        call(*arguments, *options)
    except (ValueError, TypeError) as error:
        assert "does not fit" in str(error) or WRONG_KIND in str(error)  # noqa: PT017
        return
    assert x.shape[0] >= 1
    assert x.shape[2] == 2
    assert h.shape == (2, x.shape[1], 5)


@settings(max_examples=250)
@given(data=st.data())
def test_any_windows_are_learned_from_or_refused(data: st.DataObject) -> None:
    """Every index, size and array of a training drawn at random."""
    numbers = st.one_of(
        st.integers(-2, 12), st.sampled_from([1 << 31, 1 << 40, 1 << 62, -(1 << 63), (1 << 63) - 1])
    )
    few = st.integers(1, 6)
    window, patch, horizon, channels = (data.draw(few) for _ in range(4))
    every = data.draw(st.booleans())
    engine = Engine(
        "gru", input_size=patch * channels, hidden_size=3, output_size=horizon * channels,
        head="every" if every else "last",
    )  # fmt: skip
    fill(engine, np.random.default_rng(0))
    values = np.random.default_rng(1).standard_normal((20, channels)).astype(np.float32)
    cuts = sorted(data.draw(st.lists(st.integers(0, 20), max_size=3)))
    if data.draw(st.integers(0, 9)) == 0:
        cuts = data.draw(st.lists(numbers, max_size=3))
    offsets = np.array([0, *cuts, 20])
    changed = data.draw(st.dictionaries(st.sampled_from(["window", "patch", "horizon"]), numbers, max_size=1))
    count = data.draw(st.integers(0, 5))
    draws = st.integers(0, 4) if data.draw(st.booleans()) else numbers
    series, starts = (
        np.array(data.draw(st.lists(draws, min_size=count, max_size=count)), np.int64) for _ in "ab"
    )
    batch = data.draw(st.one_of(few, numbers))
    steps = -(-count // batch) if batch > 0 else 1
    rates = np.full(max(0, steps + data.draw(st.sampled_from([0, 0, 0, 1, -1]))), 0.1)
    before = engine.read()
    sizes = {"window": window * patch, "patch": patch, "horizon": horizon, **changed}
    try:
        trainer = raw_trainer(engine, values, offsets, **sizes)
        losses, each = np.full(max(0, steps), np.nan), np.full(count, np.nan)
        trainer.evaluate(series, starts, each)
        trainer.run(series, starts, batch, rates, losses)
    except (ValueError, TypeError) as error:
        assert "does not fit" in str(error) or WRONG_KIND in str(error)  # noqa: PT017
        same_bits(engine.read(), before)
        return
    assert np.isfinite(losses).all()
    assert np.isfinite(each).all()
    for s, t in zip(series, starts, strict=True):
        assert 0 <= t <= offsets[s + 1] - offsets[s] - sizes["window"] - sizes["horizon"]
