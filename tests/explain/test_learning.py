"""A network is trained once more, and its gradients through time are looked at on the way."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.forecaster.helpers import small, wave
from unrolled.cells import CELLS, run_network
from unrolled.explain import learning as learning_module
from unrolled.explain.learning import learning, moments_of
from unrolled.explain.subject import subject_of
from unrolled.fitting import train_again
from unrolled.panel import to_panel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from unrolled import Forecaster
    from unrolled.plans import History, Plan


def arguments_of(forecaster: Forecaster) -> dict[str, Any]:
    return dict(forecaster.get_params())


@pytest.mark.parametrize(
    "how",
    [
        {"members": 2},
        {"members": 1, "validation": 6, "patience": 3},
        {"members": 1, "snapshots": 4, "dropout": 0.3, "num_layers": 2},
        {"members": 1, "scaling": "series", "loss": "quantile", "quantiles": (0.1, 0.5, 0.9)},
    ],
    ids=str,
)
def test_the_same_network_comes_of_the_training_again(how: dict[str, Any]) -> None:
    y = wave(90)
    forecaster = small(3, window=9, steps=130, **how).fit(y)
    for member, fitted in enumerate(forecaster._model.networks):
        seen: dict[int, Any] = {}
        network, history = train_again(
            to_panel(y),
            arguments_of(forecaster),
            forecaster.settings_,
            member=member,
            threads=1,
            look=seen.__setitem__,
        )
        assert network.engine.read().tobytes() == fitted.engine.read().tobytes()
        assert history.losses == forecaster.histories_[member].losses
        assert set(seen) >= set(moments_of(130)) & set(range(len(history.losses) + 1))


@pytest.mark.parametrize(
    "loss", ["mae", "mse", "huber", "gaussian", "student_t", "quantile", "negative_binomial"]
)
def test_moments_tell_the_gradients_of_the_loss_by_step(loss: str) -> None:
    y = wave(90).round()
    quantiles = (0.1, 0.5, 0.9) if loss == "quantile" else None
    forecaster = small(3, window=9, steps=100, members=1, loss=loss, quantiles=quantiles).fit(y)
    subject = subject_of(forecaster._model, to_panel(y), windows=6)
    facts = learning(to_panel(y), arguments_of(forecaster), forecaster.settings_, subject, progress=False)
    assert facts["losses"] == forecaster.history_.losses
    assert [one["step"] for one in facts["moments"]] == list(moments_of(100))
    for one in facts["moments"]:
        assert len(one["norms"]) == len(subject.x_tbi)
        assert all(np.isfinite(one["norms"]))
        # Beside a skip that smooths, the head starts from zeros.
        assert (one["norms"][-1] > 0) == (one["step"] > 0 or loss == "negative_binomial")
    first, *_, last = (one["loss"] for one in facts["moments"])
    assert first is not None
    assert last is not None
    assert last < first


def test_the_last_moment_is_that_of_the_fitted_network() -> None:
    y = wave(90)
    forecaster = small(1, window=9, steps=40, members=1, loss="mse", skip=False).fit(y)
    subject = subject_of(forecaster._model, to_panel(y), windows=6)
    facts = learning(to_panel(y), arguments_of(forecaster), forecaster.settings_, subject, progress=False)
    weights = forecaster.network_.weights
    known = np.isfinite(subject.targets_bkc[:, 0, 0])
    answer = run_network(CELLS[forecaster.network_.spec.cell], subject.x_tbi, weights).y[:, 0]
    error = (answer - subject.targets_bkc[:, 0, 0])[known]
    last = facts["moments"][-1]
    assert last["loss"] == pytest.approx(np.mean(error**2), rel=1e-12)
    d_last = np.abs(2 * error) * np.linalg.norm(weights["head.weight"][0].astype(float))
    assert last["norms"][-1] == pytest.approx(d_last.mean(), rel=1e-6)


def test_without_known_targets_there_is_no_gradient() -> None:
    y = wave(90)
    forecaster = small(3, window=9, steps=20, members=1).fit(y)
    subject = subject_of(forecaster._model, forecaster.ends_)
    assert np.isnan(subject.targets_bkc).all()
    facts = learning(to_panel(y), arguments_of(forecaster), forecaster.settings_, subject, progress=False)
    assert {(one["loss"], sum(one["norms"])) for one in facts["moments"]} == {(None, 0.0)}


def test_of_many_losses_some_are_told() -> None:
    y = wave(60)
    forecaster = small(1, window=4, steps=1200, members=1, batch_size=4, hidden_size=2).fit(y)
    subject = subject_of(forecaster._model, to_panel(y), windows=2)
    facts = learning(to_panel(y), arguments_of(forecaster), forecaster.settings_, subject, progress=False)
    losses = forecaster.history_.losses
    assert (facts["steps"], len(facts["losses"])) == (1200, 500)
    assert (facts["losses"][0], facts["losses"][-1]) == (losses[0], losses[-1])


def test_moments_are_closer_together_at_the_beginning() -> None:
    assert moments_of(1) == (0, 1)
    assert moments_of(130)[0] == 0
    assert moments_of(130)[-1] == 130
    assert len(moments_of(178)) == 6
    gaps = np.diff(moments_of(5000))
    assert (np.diff(gaps) > 0).all()


def test_what_is_interrupted_tells_what_was_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    y = wave(90)
    forecaster = small(3, window=9, steps=100, members=1).fit(y)
    subject = subject_of(forecaster._model, to_panel(y), windows=6)

    @contextmanager
    def interrupting(wanted: bool | None) -> Iterator[Any]:
        def watch(history: History, plan: Plan) -> None:
            if len(history.losses) >= 40:
                raise KeyboardInterrupt

        yield watch

    monkeypatch.setattr(learning_module, "progress_bar", interrupting)
    facts = learning(to_panel(y), arguments_of(forecaster), forecaster.settings_, subject)
    assert 40 <= facts["steps"] < 100
    steps = [one["step"] for one in facts["moments"]]
    assert steps[-1] == facts["steps"]
    assert set(steps[:-1]) <= set(moments_of(100))
