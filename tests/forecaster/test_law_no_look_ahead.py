"""Nothing behind the training part influences scaling, encoding or weights, nor a past forecast."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.forecaster.beside import HORIZON, USES, needs, told
from tests.forecaster.helpers import small

WILD = (-1e6, 0.0, 37.0, 1e6, np.nan)
HELD_OUT = 12


def learned(forecaster):
    """Return all numbers that were learned or measured, by name."""
    model = forecaster._model
    found = {
        f"{number}.{name}": one
        for number, network in enumerate(model.networks)
        for name, one in network.weights.items()
    }
    if model.scaler is not None:
        found |= {"location": model.scaler.location, "scale": model.scaler.scale}
    found["losses"] = np.array([history.losses for history in forecaster.histories_])
    return found


def same(one, other):
    """Compare what two forecasters learned, bit by bit."""
    assert one._model.encoder == other._model.encoder
    there, here = learned(one), learned(other)
    assert there.keys() == here.keys()
    for name in there:
        np.testing.assert_array_equal(there[name], here[name], err_msg=name)


def wild(panel, points, value, other):
    """Change the last points of each series and of all that is told beside them, in place."""
    for y, past, known in zip(panel.series, panel.past, panel.known, strict=True):
        y[-points:] = value
        past[-points:] = other
        known[-points - HORIZON :] = -other
    return panel


def fitted(panel, **changes):
    chosen = {"window": 8, "mask": True, "dropout": 0.1, "num_layers": 2, "members": 2, "dtype": "float64"}
    return small(HORIZON, **{**chosen, **changes}).fit(panel.series, **panel.beside())


@pytest.mark.parametrize("scaling", ["series", "last", "mean_abs"])
@pytest.mark.parametrize(("strategy", "memory"), USES)
@settings(max_examples=5)
@given(value=st.sampled_from(WILD), other=st.floats(-1e9, 1e9), seed=st.integers(0, 3))
def test_points_that_measure_intervals_are_not_learned_from(strategy, memory, scaling, value, other, seed):
    if memory == "all":
        scaling = "series"
    how = {"strategy": strategy, "memory": memory, "scaling": scaling, "seed": seed}
    how |= {"calibration": HELD_OUT, "validation": 6, "snapshots": 2, "steps": 8}
    one = fitted(told(50, 60), **how)
    same(one, fitted(wild(told(50, 60), HELD_OUT, value, other), **how))


@pytest.mark.parametrize("scaling", ["series", "last", "mean_abs"])
@pytest.mark.parametrize(("strategy", "memory"), USES)
@settings(max_examples=5)
@given(value=st.sampled_from(WILD[:-1]), other=st.floats(-1e9, 1e9))
def test_points_that_choose_the_best_weights_are_not_learned_from(strategy, memory, scaling, value, other):
    """Weights are chosen by them: after one step there is one look, and nothing to choose."""
    if memory == "all":
        scaling = "series"
    how = {"strategy": strategy, "memory": memory, "scaling": scaling, "validation": HELD_OUT, "steps": 1}
    one = fitted(told(50, 60), **how)
    same(one, fitted(wild(told(50, 60), HELD_OUT, value, other), **how))


def test_every_step_learns_the_same_whatever_the_looks_say():
    how = {"validation": HELD_OUT, "steps": 60, "patience": 0, "scaling": "series"}
    one, other = fitted(told(50, 60), **how), fitted(wild(told(50, 60), HELD_OUT, 1e6, 3.0), **how)
    assert [history.losses for history in one.histories_] == [history.losses for history in other.histories_]
    assert one.history_.checks != other.history_.checks


def test_the_last_training_target_does_matter():
    """The laws have teeth: one point more, and all of it changes."""
    how = {"validation": HELD_OUT, "steps": 1, "scaling": "series"}
    one = learned(fitted(told(50, 60), **how))
    other = learned(fitted(wild(told(50, 60), HELD_OUT + 1, 37.0, 3.0), **how))
    for name in ("location", "losses", "0.head.weight"):
        assert (one[name] != other[name]).any()
    assert (
        fitted(told(50, 60), **how)._model.encoder
        != fitted(wild(told(50, 60), HELD_OUT + 1, 37.0, 3.0), **how)._model.encoder
    )


def test_categories_that_only_come_later_are_not_known():
    panel = told(50, 60)
    panel.known = [np.array(["a", "b"] * 40)[: len(y) + HORIZON] for y in panel.series]
    panel.known[0][-HELD_OUT - HORIZON :] = "c"
    with pytest.warns(UserWarning, match="labels that training never saw.*known_0"):
        forecaster = fitted(panel, validation=HELD_OUT)
    labels = {code.name: code.labels for code in forecaster._model.encoder.codes}
    assert labels["known_0"] == ("a", "b")


class TestBacktest:
    FOLDS, STEP = 3, 4

    def forecasts(self, panel, **options):
        """Return the forecasts and the ends of the intervals of all folds, the folds along the first axis."""
        how = {
            "window": 8,
            "mask": True,
            "steps": 6,
            "calibration": 9,
            "scaling": "series",
            **needs("gaussian"),
        }
        forecaster = small(HORIZON, **how)
        options = {"folds": self.FOLDS, "step": self.STEP, "levels": (50,), "progress": False, **options}
        found = forecaster.backtest(panel.series, **panel.beside(), **options)
        assert found.n_done == self.FOLDS
        return np.stack([found.forecasts["network"], found.lower[50.0], found.upper[50.0]], axis=1)

    @pytest.mark.parametrize("refit", [True, False, 2])
    def test_what_comes_after_an_origin_changes_no_forecast_from_it(self, refit):
        expected = self.forecasts(told(70, 80), refit=refit)
        assert np.isfinite(expected).all()
        for fold in range(self.FOLDS):
            back = (self.FOLDS - 1 - fold) * self.STEP + HORIZON
            panel = told(70, 80)
            for y, past in zip(panel.series, panel.past, strict=True):
                y[-back:] = 1e6
                past[-back:] = -1e6
            found = self.forecasts(panel, refit=refit)
            np.testing.assert_array_equal(found[: fold + 1], expected[: fold + 1])
            if fold + 1 < self.FOLDS:
                assert (found[fold + 1 :] != expected[fold + 1 :]).any()

    @pytest.mark.parametrize("refit", [True, False])
    def test_what_is_known_ahead_is_read_up_to_the_horizon_and_no_further(self, refit):
        expected = self.forecasts(told(70, 80), refit=refit)
        for fold in range(self.FOLDS - 1):
            panel = told(70, 80)
            for y, known in zip(panel.series, panel.known, strict=True):
                known[len(y) - (self.FOLDS - 1 - fold) * self.STEP :] = 1e3
            found = self.forecasts(panel, refit=refit)
            np.testing.assert_array_equal(found[: fold + 1], expected[: fold + 1])

    def test_a_fold_is_a_forecaster_fitted_on_what_came_before(self):
        panel = told(70, 80)
        found = self.forecasts(panel)
        how = {
            "window": 8,
            "mask": True,
            "steps": 6,
            "calibration": 9,
            "scaling": "series",
            **needs("gaussian"),
        }
        for fold in range(self.FOLDS):
            back = (self.FOLDS - 1 - fold) * self.STEP + HORIZON
            ends = [y[: len(y) - back] for y in panel.series]
            beside = {
                "past": [p[: len(y)] for p, y in zip(panel.past, ends, strict=True)],
                "static": panel.static,
            }
            beside["known"] = [k[: len(y) + HORIZON] for k, y in zip(panel.known, ends, strict=True)]
            alone = small(HORIZON, **how).fit(ends, **beside).predict(ends, levels=(50,), **beside)
            for part, one in enumerate((alone.y_hat, alone.lower[50], alone.upper[50])):
                np.testing.assert_array_equal(found[fold, part].reshape(2, HORIZON), np.asarray(one))
