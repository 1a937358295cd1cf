"""A batch is its windows: gradients and influence, computed anew by other means."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.explain.helpers import assert_close, drawn
from tests.forecaster.helpers import small, wave
from unrolled.cells import CELLS, LOSSES, run_network, run_network_backward
from unrolled.engine import Learning, Table, Trainer
from unrolled.errors import DataError
from unrolled.explain.batches import BATCH, batch_facts, influence, swapped_influence
from unrolled.explain.subject import subject_from, subject_of
from unrolled.network import Network
from unrolled.panel import to_panel

FORMS: dict[str, dict[str, Any]] = {
    "plain": {},
    "skip": {"skip_steps": 6},
    "two layers": {"num_layers": 2, "residual": True},
    "dilated": {"num_layers": 2, "dilations": (1, 2)},
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("cell", CELLS)
def test_the_gradient_of_the_mean_is_the_mean_of_the_gradients(cell: str, form: str) -> None:
    subject = drawn(cell, batch=5, **FORMS[form])
    facts = batch_facts(subject)
    assert facts["windows"] == [0, 1, 2, 3, 4]
    assert facts["mean_loss"] == pytest.approx(np.mean(facts["losses"]), rel=1e-12)
    assert facts["largest_difference"] < 1e-12
    assert_close(facts["gradient_of_mean"], facts["mean_of_gradients"], to="order")
    spec, weights = subject.network.spec, subject.network.weights
    form_of = {"skip_inputs": spec.skip_inputs, "residual": spec.residual, "dilations": spec.dilations}
    trace = run_network(CELLS[cell], subject.x_tbi, weights, **form_of)
    loss = LOSSES["mse"](subject.targets_bkc[..., 0], trace.y)
    found = run_network_backward(trace, loss.gradient).parameters
    assert facts["mean_loss"] == pytest.approx(loss.value, rel=1e-12)
    names = [name.partition("[")[0] for name in facts["gradient_names"]]
    assert names == list(spec.shapes)
    assert_close(facts["gradient_of_mean"], [found[name].flat[0] for name in names], to="order")


@pytest.mark.parametrize(
    "how",
    [
        {"loss": "mae"},
        {"loss": "huber", "delta": 0.3},
        {"loss": "quantile", "quantiles": (0.1, 0.5, 0.9)},
        {"loss": "gaussian"},
        {"loss": "student_t"},
        {"loss": "negative_binomial"},
    ],
    ids=lambda how: how["loss"],
)
def test_losses_and_gradients_are_those_of_training(how: dict[str, Any]) -> None:
    y = np.round(wave(60, level=20.0))
    forecaster = small(3, window=9, members=1, dtype="float64", mask=False, **how).fit(y)
    subject = subject_of(forecaster._model, to_panel(y, dtype="float64"))
    delta = how.get("delta", 1.0)
    facts = batch_facts(subject, delta=delta)
    assert len(facts["windows"]) == BATCH
    learning = Learning(loss=how["loss"], delta=delta, quantiles=how.get("quantiles", ()))
    table = Table(np.ascontiguousarray(y[:, None]), np.array([0, len(y)]))
    trainer = Trainer(subject.network.engine, table, windowing=subject.windowing, learning=learning)
    series, starts = subject.series[facts["windows"]], subject.starts[facts["windows"]]
    assert_close(facts["losses"], trainer.evaluate(series, starts), to="order")
    losses = trainer.run(series, starts, len(starts), np.zeros(1))
    assert_close([facts["mean_loss"]], losses, to="order")
    came = [gradient.flat[0] for gradient in trainer.gradients().values()]
    assert_close(facts["gradient_of_mean"], came, to="order")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("cell", CELLS)
def test_rows_do_not_touch_unless_batch_is_taken_for_time(cell: str, form: str) -> None:
    subject = drawn(cell, batch=4, **FORMS[form])
    facts = batch_facts(subject)
    true, swapped = np.array(facts["influence"]), np.array(facts["swapped"])
    assert (np.diag(true) > 0).all()
    assert not (true - np.diag(np.diag(true))).any()
    assert not np.triu(swapped, 1).any()
    if form != "dilated":
        assert (swapped[np.tril_indices(4)] > 0).all()
    else:
        assert np.tril(swapped, -1).any()


def test_influence_is_the_norm_of_the_jacobian() -> None:
    subject = drawn("lstm", batch=3)
    engine, x = subject.network.engine, np.array(subject.x_tbi)
    spec = subject.network.spec
    every = Network(replace(spec, head="every"), subject.network.weights, dtype="float64").engine

    def straight(given: Any) -> Any:
        return engine.forward(given)[0]

    def mistaken(given: Any) -> Any:
        return every.forward(np.ascontiguousarray(given.swapaxes(0, 1)))[0][:, -1]

    for said, found in (
        (straight, influence(engine, x)),
        (mistaken, swapped_influence(subject.network, x)),
    ):
        squares = np.zeros((3, 3))
        for place in np.ndindex(x.shape):
            up, down = x.copy(), x.copy()
            up[place] += 1e-5
            down[place] -= 1e-5
            slope = (said(up) - said(down)) / 2e-5
            squares[:, place[1]] += np.square(slope).sum(axis=1)
        assert_close(found, np.sqrt(squares), to="difference")


def test_windows_without_a_known_target_are_left_out() -> None:
    subject = drawn("gru", batch=3)
    targets = subject.targets_bkc[..., 0].copy()
    targets[1, 0] = np.nan
    assert batch_facts(subject_from(subject.network, subject.x_tbi, targets))["windows"] == [0, 2]
    with pytest.raises(DataError, match="No window has targets") as caught:
        batch_facts(subject_from(subject.network, subject.x_tbi))
    assert caught.value.faults[0].id == "explain.no-target"
