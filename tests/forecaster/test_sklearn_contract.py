"""The contract of scikit-learn: parameters in, parameters out, clones, and nothing learned before `fit`."""

from __future__ import annotations

import copy
import inspect
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError as SklearnNotFittedError
from sklearn.utils.validation import check_is_fitted

from tests.forecaster.helpers import small, wave, waves
from unrolled import Forecaster

PARAMETERS = inspect.signature(Forecaster).parameters
OTHER_VALUES = {name: f"anything for {name}" for name in PARAMETERS}


def test_only_horizon_has_no_default_and_only_it_is_positional():
    assert [name for name, one in PARAMETERS.items() if one.default is one.empty] == ["horizon"]
    assert {one.kind for name, one in PARAMETERS.items() if name != "horizon"} == {
        inspect.Parameter.KEYWORD_ONLY
    }


def test_making_one_stores_and_does_nothing_else():
    assert vars(Forecaster(**OTHER_VALUES)) == OTHER_VALUES
    quantiles = [0.1, 0.9]
    assert Forecaster(3, quantiles=quantiles).quantiles is quantiles


def test_parameters_come_out_as_they_went_in():
    assert Forecaster(**OTHER_VALUES).get_params() == OTHER_VALUES
    assert list(Forecaster(3).get_params()) == list(PARAMETERS)
    assert Forecaster(3).get_params(deep=False) == Forecaster(3).get_params(deep=True)


def test_defaults_are_those_of_the_signature():
    params = Forecaster(3).get_params()
    assert params.pop("horizon") == 3
    assert params == {name: one.default for name, one in PARAMETERS.items() if name != "horizon"}


def test_set_params_returns_itself_and_changes_what_is_named():
    forecaster = Forecaster(3)
    assert forecaster.set_params(horizon=5, cell="gru") is forecaster
    assert (forecaster.horizon, forecaster.cell, forecaster.seed) == (5, "gru", 0)
    assert forecaster.set_params() is forecaster


def test_a_clone_has_the_parameters_and_learned_nothing():
    forecaster = small(3, quantiles=(0.1, 0.9), loss="quantile").fit(wave())
    copy = clone(forecaster)
    assert copy.get_params() == forecaster.get_params()
    assert not copy.__sklearn_is_fitted__()
    assert not [name for name in vars(copy) if name.endswith("_")]
    np.testing.assert_array_equal(copy.fit(wave()).predict(), forecaster.predict())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("scaling", ["standard", "series"])
@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
def test_a_fitted_one_can_be_copied_as_joblib_and_others_do(duplicate, dtype, scaling):
    forecaster = small(3, dtype=dtype, scaling=scaling).fit(waves(50, 60))
    other = duplicate(forecaster)
    np.testing.assert_array_equal(other.predict(), forecaster.predict())
    assert other.get_params() == forecaster.get_params()
    assert other.history_ == forecaster.history_
    before = forecaster.predict()
    other.fit(waves(70, 80))
    np.testing.assert_array_equal(forecaster.predict(), before)


def test_scikit_learn_sees_whether_it_is_fitted():
    with pytest.raises(SklearnNotFittedError):
        check_is_fitted(small(3))
    check_is_fitted(small(3).fit(wave()))


class TestRepr:
    def test_it_is_the_call_that_makes_it(self):
        forecaster = Forecaster(3, season=12, cell="gru", quantiles=(0.1, 0.9), clip=None, skip=False)
        assert repr(forecaster) == (
            "Forecaster(horizon=3, season=12, cell='gru', skip=False, quantiles=(0.1, 0.9), clip=None)"
        )
        assert eval(repr(forecaster)).get_params() == forecaster.get_params()

    def test_defaults_are_left_out(self):
        assert repr(Forecaster(3)) == "Forecaster(horizon=3)"

    def test_any_value_can_be_shown(self):
        assert "quantiles=array([0.1, 0.9])" in repr(Forecaster(3, quantiles=np.array([0.1, 0.9])))
        assert repr(Forecaster(np.array([1, 2]))) == "Forecaster(horizon=array([1, 2]))"

    def test_a_subclass_has_its_own_name(self):
        class Mine(Forecaster):
            pass

        assert repr(Mine(3)) == "Mine(horizon=3)"
        assert isinstance(clone(Mine(3)), Mine)


class TestFit:
    def test_it_returns_itself(self):
        forecaster = small(3)
        assert forecaster.fit(wave()) is forecaster

    def test_what_it_learned_ends_in_an_underscore(self):
        forecaster = small(3)
        before = set(vars(forecaster))
        forecaster.fit(wave())
        public = {name for name in set(vars(forecaster)) - before if not name.startswith("_")}
        assert public == {"network_", "settings_", "history_", "histories_", "report_"}

    def test_parameters_stay_as_they_were_given(self):
        forecaster = small(3)
        before = dict(forecaster.get_params())
        forecaster.fit(wave())
        forecaster.predict()
        assert forecaster.get_params() == before

    def test_fitting_again_forgets_what_was(self):
        forecaster = small(3).fit(waves(50, 60))
        again = forecaster.fit(wave()).predict()
        np.testing.assert_array_equal(again, small(3).fit(wave()).predict())
        assert len(forecaster.history_.losses) == 5

    def test_parameters_changed_afterwards_wait_for_the_next_fit(self):
        forecaster = small(3).fit(wave())
        before = forecaster.predict()
        forecaster.set_params(horizon=5, cell="gru", strategy="recursive", window=7, scaling="none")
        np.testing.assert_array_equal(forecaster.predict(), before)
        assert forecaster.fit(wave()).predict().shape == (5,)

    def test_forecasting_changes_nothing(self):
        forecaster = small(3).fit(wave())
        first = forecaster.predict()
        first[:] = 0.0
        forecaster.predict(wave(80, seed=9))
        np.testing.assert_array_equal(forecaster.predict(), small(3).fit(wave()).predict())


class TestInputs:
    @pytest.mark.parametrize("scaling", ["standard", "series"])
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_they_are_not_changed(self, dtype, scaling):
        y = wave().astype(dtype)
        before = y.copy()
        y.setflags(write=False)  # a write would be an error
        forecaster = small(3, dtype=dtype, scaling=scaling, strategy="recursive").fit(y)
        forecaster.predict(y)
        np.testing.assert_array_equal(y, before)

    def test_what_is_changed_afterwards_does_not_change_the_forecaster(self):
        y = wave().astype(np.float32)  # needs no conversion, so it might be kept
        forecaster = small(3).fit(y)
        before = forecaster.predict()
        y[:] = 0.0
        np.testing.assert_array_equal(forecaster.predict(), before)

    def test_a_list_is_not_changed(self):
        series = waves(40, 50)
        given = list(series)
        small(3).fit(given).predict(given)
        assert all(one is other for one, other in zip(given, series, strict=True))
