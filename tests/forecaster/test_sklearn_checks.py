"""scikit-learn's own checks of estimators: what holds for a forecaster, and what cannot and why.

The checks hand a table of independent rows and a target to `fit`. A forecaster takes rows as points in time,
columns as channels, and refuses a target; so they are run on one that leaves the target aside.
"""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from sklearn.utils.estimator_checks import check_estimator, parametrize_with_checks

from unrolled import Forecaster

OTHER_WORDS = "the error is a ValueError as it should be, in this package's words and not in scikit-learn's"
ROWS = "rows are points in time: their order and number matter, and the answer has K rows"

EXPECTED = {
    "check_fit_score_takes_y": "the first argument of fit is the series, called y, and there is no target",
    "check_estimators_unfitted": "NotFittedError is this package's own, since scikit-learn is not needed",
    "check_n_features_in_after_fitting": "there are channels and no features",
    "check_n_features_in": "there are channels and no features",
    "check_complex_data": OTHER_WORDS,
    "check_dtype_object": "what is no number is a ValueError that names its place, not a TypeError",
    "check_estimators_empty_data_messages": OTHER_WORDS,
    "check_estimators_nan_inf": "NaN is a missing point, and series may have some",
    "check_estimator_sparse_tag": OTHER_WORDS,
    "check_estimator_sparse_array": OTHER_WORDS,
    "check_estimator_sparse_matrix": OTHER_WORDS,
    "check_fit2d_1sample": OTHER_WORDS,
    "check_fit2d_predict1d": OTHER_WORDS,
    "check_methods_sample_order_invariance": ROWS,
    "check_methods_subset_invariance": ROWS,
    "check_fit1d": "one series is an array of one axis",
}

NOT_ASKED = ("check_array_api_input",)
"""Skips itself where scikit-learn's experimental array API is off."""


class WithoutTarget(Forecaster):
    """A forecaster that leaves the target of the checks aside."""

    def fit(self, y: Any, unused: Any = None, **options: Any) -> WithoutTarget:
        return super().fit(y, **options)

    def score(self, y: Any, unused: Any = None) -> float:
        return super().score(y)


FORECASTER = WithoutTarget(1, window=2, hidden_size=2, steps=1, threads=1)


with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # that it does not inherit from BaseEstimator: scikit-learn is not needed
    CHECKS = parametrize_with_checks([FORECASTER], expected_failed_checks=lambda _: EXPECTED)


@pytest.mark.filterwarnings("ignore")
@CHECKS
def test_a_forecaster_is_an_estimator(estimator: Any, check: Any) -> None:
    if getattr(check, "func", check).__name__ not in NOT_ASKED:
        check(estimator)


@pytest.mark.filterwarnings("ignore")
def test_what_is_expected_to_fail_fails_and_the_rest_is_much() -> None:
    found = check_estimator(FORECASTER, expected_failed_checks=EXPECTED, on_fail=None, on_skip=None)
    status = {one["check_name"]: one["status"] for one in found}
    assert {status[name] for name in EXPECTED if name in status} == {"xfail"}
    assert sum(one == "passed" for one in status.values()) >= 20
