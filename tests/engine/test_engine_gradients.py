"""Gradients against finite differences in float64: every cell, head, loss, and dropout with a fixed seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.engine.helpers import (
    Drawn,
    Head,
    Shape,
    arrays_of,
    assert_close,
    draw,
    every_cell,
    every_head,
    fill,
    gradients_as_dict,
)
from unrolled.engine import LOSSES, Engine, Learning, Table, Trainer, Windowing, loss_width

if TYPE_CHECKING:
    from collections.abc import Callable

    from unrolled.engine import Array

STEP = 1e-5
# Pairwise different primes: no two axes can be swapped unnoticed.
SHAPE = Shape(hidden=5, batch=2, steps=3, inputs=7, layers=2)
LAST = np.array([0, 2, 1], np.int64)


def difference(f: Callable[[], float], at: Array) -> Array:
    """Return df/d(at) by central differences; `at` is changed in place and restored."""
    gradient = np.empty_like(at)
    for index in np.ndindex(at.shape):
        here = at[index]
        at[index] = here + STEP
        above = f()
        at[index] = here - STEP
        gradient[index] = (above - f()) / (2.0 * STEP)
        at[index] = here
    return gradient


def weighted(drawn: Drawn, *, train: bool) -> float:
    """Return the number whose gradients `backward` takes: sum(d_out * output) + sum(d_state * last state)."""
    drawn.engine.set(drawn.parameters)
    output, last = drawn.engine.forward(drawn.x, drawn.state, train=train, seed=23)
    total = np.sum(drawn.d_out * output)
    for d, state in zip(arrays_of(drawn.d_state), arrays_of(last), strict=True):
        total += np.sum(d * state)
    return float(total)


@every_cell
@every_head
@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_backward(cell: str, head: Head, dropout: float) -> None:
    drawn = draw(cell, SHAPE, head=head, dropout=dropout, seed=1)
    train = dropout > 0
    gradients = drawn.engine.backward(drawn.x, drawn.d_out, drawn.state, drawn.d_state, train=train, seed=23)
    at = {**drawn.parameters, "x": drawn.x, "h": drawn.state.h}
    if drawn.state.c is not None:
        at["c"] = drawn.state.c
    for name, gradient in gradients_as_dict(gradients).items():
        expected = difference(lambda: weighted(drawn, train=train), at[name])
        assert_close(gradient, expected, to="difference", dtype="float64", name=name)


def learning_of(loss: str) -> Learning:
    """Return a plain descent on one loss."""
    return Learning(loss=loss, delta=0.3, quantiles=(0.1, 0.5, 0.8) if loss == "quantile" else ())


@every_cell
@pytest.mark.parametrize("head", ["last", "every", "skip"])
@pytest.mark.parametrize("loss", LOSSES)
def test_training(cell: str, head: Head, loss: str) -> None:
    """The gradients of a training step, with dropout, are the slopes of the loss that the step reports."""
    rng = np.random.default_rng(6)
    learning = learning_of(loss)
    counts = loss == "negative_binomial"
    windowing = Windowing(6, 2, patch=2, scaling="mean_abs" if counts else "standard")
    values = rng.poisson(4.0, (11, 2)).astype(float) if counts else rng.standard_normal((11, 2))
    offsets = np.array([0, 11], np.int64)
    engine = Engine(
        cell,
        input_size=4,
        hidden_size=3,
        num_layers=2,
        output_size=4 * loss_width(loss, learning.quantiles),
        head="every" if head == "every" else "last",
        skip_steps=3 if head == "skip" else 0,
        dropout=0.3,
        dtype="float64",
    )
    fill(engine, rng)
    flat = engine.read()
    series = np.zeros_like(LAST)

    def trainer() -> Trainer:
        engine.write(flat)
        return Trainer(engine, Table(values, offsets), windowing=windowing, learning=learning, seed=9)

    def step_loss() -> float:
        return float(trainer().run(series, LAST, batch=3, rates=np.zeros(1))[0])

    learned = trainer()
    learned.run(series, LAST, batch=3, rates=np.zeros(1))
    gradients = np.concatenate([array.ravel() for array in learned.gradients().values()])
    assert_close(gradients, difference(step_loss, flat), to="difference", dtype="float64")
    assert_close(learned.gradient_norm, np.linalg.norm(gradients), to="gradient", dtype="float64")
