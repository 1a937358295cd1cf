"""How far back a network looks: networks solved by hand, and finite differences."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.explain.helpers import assert_close, drawn, made
from tests.forecaster.helpers import small, wave
from unrolled import engine
from unrolled.cells import CELLS, Weights
from unrolled.explain.gates import READINGS
from unrolled.explain.jacobians import hidden_gradients, jacobians_of, some
from unrolled.explain.memory import memory_facts
from unrolled.explain.subject import Subject, subject_of
from unrolled.explain.trace import trace_of
from unrolled.panel import to_panel

X = np.random.default_rng(0).uniform(0.2, 0.8, (9, 4, 1))


def gradient_by_differences(subject: Subject) -> Any:
    """Return the mean over windows of sum |d y_hat / d y| by lag in points."""
    run, step = subject.network.engine.forward, 1e-5
    n_steps, batch, _ = subject.x_tbi.shape
    inputs = subject.windowing.patch * subject.channels
    found = np.zeros((n_steps, inputs))
    for t, i in itertools.product(range(n_steps), range(inputs)):
        moved = np.zeros_like(subject.x_tbi)
        moved[t, :, i] = step
        slope = (run(subject.x_tbi + moved)[0] - run(subject.x_tbi - moved)[0]) / (2 * step)
        found[t, i] = np.abs(slope[:, subject.anchors]).sum() / batch
    return found.reshape(subject.windowing.window, subject.channels).sum(axis=1)[::-1]


@pytest.mark.parametrize("cell", engine.CELLS)
@pytest.mark.parametrize("skip", [0, 6])
def test_gradients_by_lag_are_finite_differences(cell: str, skip: int) -> None:
    subject = drawn(cell, num_layers=2, residual=True, skip_steps=skip, dilations=(1, 2))
    facts = memory_facts(subject)
    assert_close(facts["gradient"], gradient_by_differences(subject), to="difference")
    weights = {name: a * (not name.startswith("skip")) for name, a in subject.network.weights.items()}
    subject.network.weights = weights
    assert_close(facts["recurrent"], gradient_by_differences(subject), to="difference")
    assert (sum(facts["skip"]) > 0) == (skip > 0)


@pytest.mark.parametrize("loss", ["mae", "quantile", "gaussian"])
def test_patches_channels_and_parts_are_points_of_the_series(loss: str) -> None:
    y = np.stack([wave(60), wave(60, seed=2)], axis=1)
    how: dict[str, Any] = {"window": 8, "patch": 2, "members": 1, "loss": loss, "dtype": "float64"}
    quantiles = (0.1, 0.4, 0.8) if loss == "quantile" else None
    forecaster = small(2, quantiles=quantiles, **how).fit(y)
    subject = subject_of(forecaster._model, to_panel(y, dtype="float64"), windows=5)
    facts = memory_facts(subject)
    assert (facts["window"], facts["patch"], len(facts["gradient"])) == (8, 2, 8)
    assert_close(facts["gradient"], gradient_by_differences(subject), to="difference")


@pytest.mark.parametrize("cell", ["rnn", "rnn_relu"])
def test_a_network_without_recurrent_weights_remembers_one_step(cell: str) -> None:
    facts = memory_facts(made(cell, X, weight_ih_l0=[[0.5]], head_weight=[[2.0]]))
    (layer,) = facts["layers"]
    assert facts["gradient"][1:] == [0.0] * 8
    assert (facts["lag95"], facts["recurrent_lag95"], facts["warm_up"]) == (1, 1, 1)
    assert (layer["spectral_radius"], layer["eigenvalues"]) == (0.0, [[0.0, 0.0]])
    assert layer["jacobian"] == [1.0] + [0.0] * 8
    assert (layer["half_life"], layer["keep"]) == ([None], [None])


def test_a_memory_of_one_patch_is_as_many_points() -> None:
    subject = drawn("gru", input_size=3, dilations=(20,))  # no step sees the one before
    patched = replace(
        subject, windowing=replace(subject.windowing, window=18, patch=3), input_names=("a", "b", "c")
    )
    facts = memory_facts(patched)
    assert [lag for lag, one in enumerate(facts["gradient"]) if one] == [0, 1, 2]
    assert facts["lag95"] == 3
    assert [row[0] for row in facts["truncation"]] == [3, 6, 9, 12, 15, 18]


def test_a_network_that_adds_up_forgets_nothing() -> None:
    facts = memory_facts(made("rnn_relu", X, weight_ih_l0=[[1.0]], weight_hh_l0=[[1.0]], head_weight=[[1.0]]))
    (layer,) = facts["layers"]
    assert facts["gradient"] == [1.0] * 9
    assert facts["lag95"] == 9
    assert layer["jacobian"] == [1.0] * 9
    assert layer["spectral_radius"] == 1.0
    assert facts["warm_up"] is None


def test_a_shut_update_gate_keeps_everything() -> None:
    bias = [0.0, 0.0, 40.0, 40.0, 0.0, 0.0]
    facts = memory_facts(made("gru", X, hidden_size=2, bias_ih_l0=bias, head_weight=[[1.0, 1.0]]))
    (layer,) = facts["layers"]
    assert layer["keep"] == [1.0, 1.0]
    assert layer["half_life"] == [None, None]
    assert layer["jacobian"] == [1.0] * 9
    assert layer["eigenvalues"] == [[1.0, 0.0]] * 2
    assert layer["saturation"]["z"] == [0.0, 1.0]
    assert layer["saturation"]["r"] == [0.0, 0.0]
    assert facts["gradient"] == [0.0] * 9
    assert (facts["lag95"], layer["dead"], layer["effective_rank"]) == (0, 2, 0.0)


@pytest.mark.parametrize(("bias", "ends"), [(20.0, [0.0, 1.0]), (-20.0, [1.0, 0.0])])
def test_gates_that_are_open_or_shut_are_saturated(bias: float, ends: list[float]) -> None:
    facts = memory_facts(made("lstm", X, bias_ih_l0=np.full(4, bias)))
    (layer,) = facts["layers"]
    assert layer["saturation"] == {
        **dict.fromkeys("ifog", ends),
        "tanh_c": layer["saturation"]["tanh_c"],
    }
    assert layer["half_life"][0] == pytest.approx(np.log(2) / np.log1p(np.exp(-bias)), rel=1e-6)


def test_the_half_life_of_a_forget_gate_is_that_of_its_bias() -> None:
    keep = 0.8
    bias = [0.0, np.log(keep / (1 - keep)), 0.0, 0.0]
    (layer,) = memory_facts(made("lstm", X, bias_ih_l0=bias))["layers"]
    assert layer["keep"] == pytest.approx([keep])
    assert layer["half_life"] == pytest.approx([np.log(2) / -np.log(keep)])
    assert layer["eigenvalues"] == [pytest.approx([keep, 0.0]), [0.0, 0.0]]


@pytest.mark.parametrize("cell", ["mingru", "minlstm", "slstm"])
def test_what_keeps_the_state_is_the_same_in_every_cell(cell: str) -> None:
    # A new value is taken with the share 1/4: by a gate, by two gates of 1 : 3, by a weight that grows.
    bias = {"mingru": [-np.log(3), 0.0], "minlstm": [0.0, np.log((1 / 6) / (5 / 6)), 0.0], "slstm": [0.0] * 4}
    (layer,) = memory_facts(made(cell, X, bias_ih_l0=bias[cell], weight_ih_l0=0.0))["layers"]
    if cell == "slstm":  # i = 1, f = 1/2: the weights 1, 1 1/2, ... come to 2, of which half is kept
        weights = np.array([sum(0.5**k for k in range(t)) for t in range(1, 10)])
        assert layer["keep"] == pytest.approx([np.mean(1 - 1 / weights)])
    else:
        assert layer["keep"] == pytest.approx([0.75])
        assert layer["jacobian"] == pytest.approx(0.75 ** np.arange(9))


def test_a_diagonal_network_has_its_diagonal_as_eigenvalues() -> None:
    facts = memory_facts(
        made("rnn", X, hidden_size=3, weight_ih_l0=np.ones((3, 1)), weight_hh_l0=np.diag([0.3, -0.9, 0.5]))
    )
    (layer,) = facts["layers"]
    assert layer["eigenvalues_of"] == "weight_hh"
    np.testing.assert_allclose(layer["eigenvalues"], [[-0.9, 0.0], [0.5, 0.0], [0.3, 0.0]], atol=1e-12)
    assert layer["spectral_radius"] == pytest.approx(0.9)


def test_a_rotation_has_complex_eigenvalues() -> None:
    turn = 0.5 * np.array([[0.0, -1.0], [1.0, 0.0]])
    (layer,) = memory_facts(made("rnn", X, hidden_size=2, weight_ih_l0=1.0, weight_hh_l0=turn))["layers"]
    np.testing.assert_allclose(layer["eigenvalues"], [[0.0, 0.5], [0.0, -0.5]], atol=1e-12)


@pytest.mark.parametrize("cell", engine.CELLS)
def test_jacobians_are_finite_differences_of_the_reference(cell: str) -> None:
    subject = drawn(cell, steps=5, batch=2, hidden_size=3, input_size=2)
    trace = trace_of(subject)
    found = jacobians_of(trace, 0)
    layer = trace.stack.layers[0]
    for lag in (1, 3):
        after = 4 - lag
        state = layer.cell.state_after(layer.steps[after])
        slopes = []
        for unit in range(3):
            for which in range(len(state)):
                ends = []
                for sign in (1, -1):
                    moved = [a.copy() for a in state]
                    moved[which][:, unit] += sign * 1e-6
                    ends.append(_run_on(layer, tuple(moved), after + 1))
                slopes.append((which, unit, (ends[0] - ends[1]) / 2e-6))
        gradient = [np.zeros((2, 3, 3)) for _ in state]
        for which, unit, slope in slopes:
            gradient[which][:, :, unit] = slope
        step = layer.steps[after + 1]
        rows = _row_step(step, 3)
        flat = tuple(a.reshape(6, 3) for a in gradient)
        parts = READINGS[cell].before(rows, flat)
        norm = np.sqrt(sum((p.reshape(2, 9) ** 2).sum(axis=1) for p in parts) / 3).mean()
        np.testing.assert_allclose(found.norms[lag], norm, rtol=1e-5)


def _run_on(layer: Any, state: Any, first: int) -> Any:
    """Return the last h of a layer that goes on from a state."""
    for x_bi in layer.x_tbi[first:]:
        state = layer.cell.state_after(layer.cell.step(x_bi, state, layer.weights))
    return state[0]


def _row_step(step: Any, times: int) -> Any:
    return type(step)(**{name: np.repeat(a, times, axis=0) for name, a in vars(step).items()})


def test_the_divisor_of_an_slstm_is_no_memory() -> None:
    subject = made("slstm", X, bias_ih_l0=[0.0, 2.0, 0.5, 0.0], weight_ih_l0=0.3)
    shifted = made("slstm", X, bias_ih_l0=[30.0, 2.0, 0.5, 0.0], weight_ih_l0=0.3)
    (one,), (other,) = memory_facts(subject)["layers"], memory_facts(shifted)["layers"]
    # A larger input gate writes more and counts more: all that is remembered is the same.
    np.testing.assert_allclose(one["keep"], other["keep"], rtol=1e-9)
    np.testing.assert_allclose(one["jacobian"], other["jacobian"], rtol=1e-9)
    np.testing.assert_allclose(one["eigenvalues"], other["eigenvalues"], atol=1e-12)
    assert len(one["eigenvalues"]) == 3


def test_a_dilated_layer_looks_back_in_its_own_steps() -> None:
    subject = drawn("gru", steps=7, dilations=(3,))
    (layer,) = memory_facts(subject)["layers"]
    assert [lag for lag, norm in enumerate(layer["jacobian"]) if norm] == [0, 3, 6]


@pytest.mark.parametrize("cell", engine.CELLS)
@pytest.mark.parametrize("dilations", [(), (2, 1)])
def test_hidden_gradients_are_finite_differences(cell: str, dilations: tuple[int, ...]) -> None:
    subject = drawn(cell, steps=5, batch=2, hidden_size=3, num_layers=2, residual=True, dilations=dilations)
    trace = trace_of(subject)
    dy = np.random.default_rng(1).standard_normal(trace.y.shape)
    expected = np.zeros((2, 5, 2, 3))
    for place in np.ndindex(expected.shape):
        moved = np.zeros(expected.shape)
        moved[place] = 1e-5
        ends = [(dy * _answer(subject, nudge)).sum() for nudge in (moved, -moved)]
        expected[place] = (ends[0] - ends[1]) / 2e-5
    assert_close(hidden_gradients(trace, dy), expected, to="difference")


def _answer(subject: Subject, nudge: Any) -> Any:
    """Return the answer of a residual network whose h of each layer and step is moved, [L, T, B, H]."""
    spec, weights = subject.network.spec, subject.network.weights
    cell, batch = CELLS[spec.cell], subject.x_tbi.shape[1]
    zeros = cell.zero_state(batch, spec.hidden_size)
    states: list[list[Any]] = [[] for _ in range(spec.num_layers)]
    y = subject.x_tbi[0]
    for t, x_bi in enumerate(subject.x_tbi):
        y = x_bi
        for k, before in enumerate(states):
            d = (spec.dilations or (1,) * spec.num_layers)[k]
            step = cell.step(y, before[t - d] if t >= d else zeros, Weights.of_layer(weights, k))
            h, *others = cell.state_after(step)
            before.append((h + nudge[k, t], *others))
            y = before[t][0] + y if k else before[t][0]
    return y @ weights["head.weight"].T + weights["head.bias"]


def test_the_error_of_truncated_windows_is_that_of_shorter_ones() -> None:
    subject = drawn("lstm", steps=12, num_layers=2)
    rows = memory_facts(subject)["truncation"]
    assert [row[0] for row in rows] == list(range(1, 13))
    for given, error, whole in rows:
        said = subject.network.engine.forward(subject.x_tbi[12 - int(given) :])[0]
        assert error == pytest.approx(np.sqrt(np.mean((said - subject.targets_bkc[..., 0]) ** 2)))
        assert whole == rows[-1][1]


def test_the_skip_reads_zeros_before_a_truncated_window() -> None:
    subject = drawn("gru", steps=6, input_size=2, skip_steps=6, skip_inputs=1)
    weights = dict(subject.network.weights)
    subject.network.weights = {**weights, "head.weight": 0 * weights["head.weight"]}
    for given, error, _ in memory_facts(subject)["truncation"]:
        x_tbi = subject.x_tbi.copy()
        x_tbi[: 6 - int(given)] = 0.0
        said = subject.network.engine.forward(x_tbi)[0]
        assert error == pytest.approx(np.sqrt(np.mean((said - subject.targets_bkc[..., 0]) ** 2)))


def test_without_known_targets_no_error_is_told() -> None:
    subject = drawn("gru")
    unknown = replace(subject, targets_bkc=np.full_like(subject.targets_bkc, np.nan))
    assert memory_facts(unknown)["truncation"] == []


def test_the_warm_up_follows_from_what_is_kept() -> None:
    keep = 0.5
    subject = made(
        "mingru",
        np.repeat([[[1.0], [3.0]]], 12, axis=0),
        weight_ih_l0=[[0.0], [1.0]],
        bias_ih_l0=[np.log((1 - keep) / keep), 0.0],
        head_weight=[[1.0]],
    )
    # From zeros h_t = (1 - 2^-t) x; from the state after the other window 2^-t (1 - 2^-12) x' more.
    fresh = (1 - keep ** np.arange(1, 13))[:, None] * [1.0, 3.0]
    apart = np.sqrt(5.0) * keep ** np.arange(1, 13) * (1 - keep**12)
    first = int((apart <= 0.01 * np.sqrt(np.mean(fresh**2))).argmax()) + 1
    assert memory_facts(subject)["warm_up"] == first


def test_units_that_do_the_same_are_twins_and_still_ones_are_dead() -> None:
    weight = np.array([[1.0], [1.0], [-1.0], [0.0]])
    (layer,) = memory_facts(made("rnn", X, hidden_size=4, weight_ih_l0=weight))["layers"]
    assert (layer["dead"], layer["twins"]) == (1, 2)
    assert layer["effective_rank"] == pytest.approx(1.0)


def test_every_cell_is_read_and_every_number_is_finite_or_none() -> None:
    assert set(READINGS) == set(engine.CELLS)
    for cell in engine.CELLS:
        facts = memory_facts(drawn(cell, num_layers=2, hidden_size=8, steps=20, batch=8))
        _finite(facts)


def _finite(value: Any) -> None:
    """Go through plain values."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            _finite(one)
        return
    assert value is None or isinstance(value, str) or (type(value) in (int, float) and np.isfinite(value))


def test_some_are_taken_evenly() -> None:
    assert some(10, 3).tolist() == [1, 5, 8]
    assert some(3, 10).tolist() == [0, 1, 2]
    assert some(3, 0).tolist() == [1]
