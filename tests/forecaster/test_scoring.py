"""`score`: how well the fitted series are continued, and the searches of scikit-learn that ask for it."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from tests.forecaster.helpers import small, wave, waves
from unrolled.errors import ArgumentError, DataError, NotFittedError


def frame(first: int, last: int) -> pl.DataFrame:
    days = np.arange("2024-01-01", "2024-04-01", dtype="datetime64[D]")[first:last]
    ids = np.repeat(["a", "b"], len(days))
    values = np.concatenate([y[first:last] for y in waves(91, 91)])
    return pl.DataFrame({"unique_id": ids, "ds": np.tile(days, 2), "y": values})


def by_hand(forecaster, before, later, horizon):
    """Return minus the mean absolute error of forecasts from every `horizon`-th point."""
    errors = []
    for origin in range(0, len(later), horizon):
        forecast = forecaster.predict(np.concatenate([before, later[:origin]]))
        came = later[origin : origin + horizon]
        errors.append(np.abs(forecast[: len(came)] - came).reshape(-1))
    return -np.nanmean(np.concatenate(errors))


class TestScore:
    @pytest.mark.parametrize(
        "options",
        [{}, {"strategy": "recursive"}, {"memory": "all"}, {"scaling": "series"}, {"mask": True}],
        ids=str,
    )
    def test_it_is_the_error_of_forecasts_from_the_origins_in_what_came(self, options):
        y = wave(96)
        forecaster = small(3, window=12, dtype="float64", **options).fit(y[:80])
        np.testing.assert_allclose(forecaster.score(y[80:]), by_hand(forecaster, y[:80], y[80:], 3))

    def test_nothing_behind_an_origin_is_read(self):
        y = wave(96)
        forecaster = small(3, dtype="float64").fit(y[:80])
        near = forecaster.score(y[80:83])
        far = y[80:].copy()
        far[3:] += 1000.0
        whole = forecaster.score(far)
        later = by_hand(forecaster, np.concatenate([y[:80], far[:3]]), far[3:], 3)
        np.testing.assert_allclose(whole * 16, near * 3 + later * 13)

    def test_several_channels_and_several_series(self):
        y = np.stack([wave(96), wave(96, seed=4)], axis=1)
        forecaster = small(3, dtype="float64").fit(y[:80])
        np.testing.assert_allclose(forecaster.score(y[80:]), by_hand(forecaster, y[:80], y[80:], 3))
        several = small(3, scaling="series", dtype="float64").fit(waves(50, 60))
        each = [np.abs(several.predict()[s] - 10.0 * (s + 1)).sum() for s in range(2)]
        np.testing.assert_allclose(several.score([[10.0] * 3, [20.0] * 3]), -sum(each) / 6)

    def test_series_of_unequal_length_count_by_their_points(self):
        forecaster = small(3, dtype="float64").fit(waves(50, 60))
        forecast = forecaster.predict()
        want = (abs(forecast[0, 0] - 9.0) + abs(forecast[1, :3] - 21.0).sum()) / 4
        np.testing.assert_allclose(forecaster.score([[9.0], [21.0, 21.0, 21.0]]), -want)

    def test_missing_points_count_nowhere(self):
        y = wave(96)
        y[[82, 85]] = np.nan
        forecaster = small(3, mask=True, window=12, dtype="float64").fit(y[:80])
        np.testing.assert_allclose(forecaster.score(y[80:]), by_hand(forecaster, y[:80], y[80:], 3))

    def test_frames_go_on_by_name_and_time(self):
        forecaster = small(3, calendar=("weekday",), dtype="float64").fit(frame(0, 80))
        got = forecaster.score(frame(80, 91))
        shuffled = frame(80, 91).reverse().sort("ds", maintain_order=True)
        np.testing.assert_allclose(forecaster.score(shuffled), got)
        alone = [forecaster.score(frame(80, 91).filter(pl.col("unique_id") == name)) for name in "ab"]
        np.testing.assert_allclose(np.mean(alone), got)
        with pytest.raises(DataError, match=r"does not go on.*\n.*2024-03-21.*first\n.*2024-03-22"):
            forecaster.score(frame(81, 91))

    def test_what_cannot_be_scored_is_refused(self):
        with pytest.raises(NotFittedError, match="fit"):
            small(3).score(wave())
        with pytest.raises(DataError, match=r"these are others\n.*1 series of 1 channels\n.*2 series"):
            small(3).fit(wave()).score(waves(5, 5))
        with pytest.raises(ArgumentError, match="reads some: known_0"):
            small(3).fit(wave(), known=np.zeros(75)).score(wave())


@pytest.mark.parametrize("method", ["fit", "score"])
def test_there_is_no_target_beside_the_series(method):
    forecaster = small(3).fit(wave())
    with pytest.raises(ArgumentError, match="the series alone"):
        getattr(forecaster, method)(wave(), wave())
    getattr(forecaster, method)(wave(), None)


class TestSearch:
    def test_a_grid_search_scores_each_fold_on_what_came_after_it(self):
        y = wave(120)
        search = GridSearchCV(
            small(3, window=12), {"cell": ["gru", "lstm"], "hidden_size": [2, 4]}, cv=TimeSeriesSplit(3)
        ).fit(y)
        assert set(search.best_params_) == {"cell", "hidden_size"}
        train, test = list(TimeSeriesSplit(3).split(y))[1]
        best = small(3, window=12, **search.best_params_).fit(y[train])
        assert search.cv_results_["split1_test_score"][search.best_index_] == best.score(y[test])
        assert search.best_estimator_.predict().shape == (3,)

    def test_other_ways_to_ask(self):
        scores = cross_val_score(small(3), wave(120), cv=TimeSeriesSplit(2))
        assert scores.shape == (2,)
        assert (scores < 0).all()

    def test_in_a_pipeline_its_arguments_have_its_name_before_them(self):
        y = np.stack([wave(120), wave(120, seed=4)], axis=1)
        line = Pipeline([("scale", StandardScaler()), ("forecast", small(3))])
        search = GridSearchCV(line, {"forecast__hidden_size": [2, 4]}, cv=TimeSeriesSplit(2)).fit(y)
        assert search.best_estimator_.predict(y).shape == (3, 2)
        assert search.best_estimator_["forecast"].hidden_size in (2, 4)
