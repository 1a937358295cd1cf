"""A rehearsal that has not seen the last points tells how well the network does; members learn from all."""

from __future__ import annotations

import re

import numpy as np
import pytest

from tests.forecaster.beside import HORIZON, told
from tests.forecaster.helpers import small, wave, waves
from unrolled.covariates import read_series
from unrolled.errors import ArgumentError
from unrolled.evaluation.metrics import mae
from unrolled.fitting import fit_model

CONTEST = ("adaptive", "mean_abs")


def by_parts(y, beside=None, **changes):
    """Fit as a forecaster does, and return all that came of it: the judged model too."""
    arguments = small(HORIZON, **changes).get_params()
    return fit_model(read_series(y, arguments, **(beside or {})), arguments, threads=1)


def weights(model):
    """Return all weights of each member of a model, as one row of numbers."""
    return [np.concatenate([one.ravel() for one in n.weights.values()]) for n in model.networks]


def alone(together, number, y, beside=None, **changes):
    """Train one member of a forecaster by hand, on all points of y."""
    chosen = together.settings_
    window = (chosen.windows or (chosen.window,) * chosen.members)[number]
    how = {name: getattr(chosen, name) for name in ("patch", "scaling", "mask", "steps")}
    how |= {"window": window, "members": 1, "seed": together.seed + number, "refit": False, "validation": 0}
    given = {name: value for name, value in together.get_params().items() if name != "horizon"}
    return small(HORIZON, **{**given, **how, **changes}).fit(y, **(beside or {}))


def crowd(count=22, *, seldom=False):
    """Return many series: with a season of four around a level, or of zeros with a one here and there."""
    if seldom:
        rng = np.random.default_rng(0)
        return [1.0 * (rng.random(50 + number % 4) < 0.3) for number in range(count)]
    return [wave(50 + number % 4, season=4, seed=number, level=10.0 + number) for number in range(count)]


def watched(forecaster, y):
    """Fit, and return what happened in each training, in the order in which they began."""
    seen = {}
    forecaster.fit(y, watch=lambda history, _: seen.setdefault(id(history), history))
    return list(seen.values())


class TestHidden:
    """The points held out are judged, and that is all the rehearsal has of them."""

    @pytest.mark.parametrize(
        "options",
        [
            {},
            {"scaling": "series"},
            {"scaling": "standard", "loss": "gaussian"},
            {"strategy": "recursive"},
            {"memory": "all"},
            {"validation": 6, "calibration": 3, "refit": True},
        ],
        ids=str,
    )
    def test_other_points_there_change_the_members_and_not_the_rehearsal(self, options):
        panel, other = told(60, 70), told(60, 70)
        how = {"members": 2, "season": 4, **options}
        fitted = by_parts(panel.series, panel.beside(), **how)
        hidden = fitted.settings.held_out + fitted.settings.calibration
        assert hidden == 9
        for number in range(2):
            other.series[number][-hidden:] *= 1.5
            other.past[number][-hidden:] += 3.0
            other.known[number][-hidden - HORIZON :] -= 2.0
        changed = by_parts(other.series, other.beside(), **how)
        assert fitted.settings == changed.settings
        np.testing.assert_array_equal(weights(fitted.judged), weights(changed.judged))
        for one, new in zip(weights(fitted.model), weights(changed.model), strict=True):
            assert (one != new).any()
        y = [one[:-hidden] for one in panel.series]
        beside = panel.beside()
        for name, ahead in (("past", 0), ("known", HORIZON)):
            beside[name] = [one[: len(of) + ahead] for one, of in zip(beside[name], y, strict=True)]
        # What is judged says the same of the points before, to the last bit.
        arguments = small(HORIZON, **how).get_params()
        before = read_series(y, arguments, **beside)
        said = [one.judged.forecast(before, threads=1) for one in (fitted, changed)]
        np.testing.assert_array_equal(*said)
        # They are judged: the intervals are measured on them.
        actual = [one.model.calibration.to_arrays()["actual"] for one in (fitted, changed)]
        assert (actual[0] != actual[1]).any()

    def test_no_candidate_of_a_contest_sees_them(self):
        def losses(y):
            forecaster = small(HORIZON, season=4, members=2, threads=1)
            return forecaster, [history.losses for history in watched(forecaster, y)]

        y, other = crowd(), crowd()
        for one in other:
            one[-HORIZON:] = one[-HORIZON:][::-1] * 3.0
        (first, told_first), (second, told_second) = losses(y), losses(other)
        assert len(told_first) == len(told_second) == 4
        assert first.settings_.held_out == second.settings_.held_out == HORIZON
        assert told_first[:2] == told_second[:2]
        assert told_first[2:] != told_second[2:]

    def test_it_is_the_training_on_what_comes_before(self):
        """By hand: one network, on series that end where the points held out begin."""
        y = waves(60, 70)
        fitted = by_parts(y, season=4)
        settings = fitted.settings
        how = {"season": 4, "window": settings.window, "members": 1, "refit": False, "validation": 0}
        cut = small(HORIZON, **how).fit([one[: -settings.held_out] for one in y])
        np.testing.assert_array_equal(weights(cut._model), weights(fitted.judged))
        report = small(HORIZON, season=4).fit(y).report_
        forecasts = cut.predict([one[:-HORIZON] for one in y])
        errors = [mae(one[-HORIZON:], said) for one, said in zip(y, forecasts, strict=True)]
        assert report.rows["network"]["mae"] == pytest.approx(np.mean(errors), rel=1e-5)
        assert not report.selected

    def test_it_takes_a_third_of_the_updates_but_no_few(self):
        class EnoughError(Exception):
            pass

        def planned(**how):
            plans = []

            def watch(_, plan):
                plans.append(plan)
                raise EnoughError

            with pytest.raises(EnoughError):
                small(HORIZON, window=8, members=2, **how).fit(wave(), watch=watch)
            return plans[0].steps, plans[0].together

        assert planned(steps=6_000) == (2_000, 14_000)
        assert planned(steps=900) == (500, 2_300)
        assert planned(steps=40) == (40, 120)


class TestRefit:
    """What is fitted is what a training by hand on all points is, bit by bit."""

    @pytest.mark.parametrize(
        "options",
        [
            {},
            {"window": 10},
            {"loss": "quantile", "quantiles": (0.1, 0.5, 0.9)},
            {"loss": "gaussian"},
            {"strategy": "recursive"},
            {"memory": "all"},
            {"scaling": "series"},
            {"num_layers": 2, "dropout": 0.2, "snapshots": 2, "dtype": "float64"},
            {"validation": 5, "refit": True},
            {"calibration": 4, "refit": True},
        ],
        ids=str,
    )
    def test_members_are_trainings_on_all_points(self, options):
        panel = told(60, 72)
        together = small(HORIZON, season=4, members=3, seed=7, **options).fit(panel.series, **panel.beside())
        assert together.settings_.refit
        assert together.report_ is not None
        assert [history.checks for history in together.histories_] == [{}] * 3
        how = {"calibration": None}
        by_hand = [alone(together, number, panel.series, panel.beside(), **how) for number in range(3)]
        for number, one in enumerate(by_hand):
            np.testing.assert_array_equal(weights(one._model)[0], weights(together._model)[number])
            assert one.history_.losses == together.histories_[number].losses

    def test_of_a_contest_too(self):
        together = small(HORIZON, season=4, members=2).fit(crowd())
        assert together.settings_.scalings == CONTEST
        for number in range(2):
            one = alone(together, number, crowd())
            np.testing.assert_array_equal(weights(one._model)[0], weights(together._model)[number])

    def test_points_kept_for_intervals_alone_are_learned_from_too(self):
        how = {"season": 4, "members": 2, "refit": True, "validation": 0, "calibration": 6}
        together = small(HORIZON, **how).fit(wave())
        assert together._model.calibration.to_arrays()["actual"].shape[0] == 6 - HORIZON + 1
        assert together.report_ is not None
        for number in range(2):
            one = alone(together, number, wave(), calibration=None)
            np.testing.assert_array_equal(weights(one._model)[0], weights(together._model)[number])

    @pytest.mark.parametrize("given", [{"validation": 6}, {"calibration": 6}, {"patience": 3}])
    def test_what_is_given_to_watch_the_training_by_watches_it(self, given):
        forecaster = small(HORIZON, members=1, **given).fit(wave())
        assert not forecaster.settings_.refit
        assert forecaster.history_.checks


class TestContest:
    """Of scalings that may suit, the one that forecast the points held out best."""

    @staticmethod
    def errors(y, forecaster):
        """Return the error of each scaling by hand: trained before the points held out, tried on them."""
        settings = forecaster.settings_
        held_out, window = settings.held_out, settings.window
        how = {"season": 4, "window": window, "members": 1, "refit": False, "validation": 0}
        how["steps"] = settings.steps
        found = {}
        for scaling in CONTEST:
            one = small(HORIZON, scaling=scaling, **how).fit([y_s[:-held_out] for y_s in y])
            errors = []
            for origin in range(-held_out, 1 - HORIZON):
                pasts = [y_s[:origin] for y_s in y]
                actual = np.stack([y_s[len(y_s) + origin :][:HORIZON] for y_s in y])
                deviations = np.array([past[-window:].std() for past in pasts])
                errors.append(np.abs(one.predict(pasts) - actual) / deviations[:, None])
            found[scaling] = float(np.mean(errors))
        return found

    @pytest.mark.parametrize(("seldom", "better"), [(False, "adaptive"), (True, "mean_abs")])
    def test_the_better_one_is_taken_and_it_is_said(self, seldom, better):
        y = crowd(seldom=seldom)
        forecaster = small(HORIZON, season=4, members=2, steps=100).fit(y)
        found = self.errors(y, forecaster)
        assert forecaster.settings_.scaling == min(found, key=found.get) == better
        assert forecaster._model.windowing.scaling == better
        (line,) = [line for line in forecaster.describe().splitlines() if line.startswith("scaling ")]
        said = dict(re.findall(r"(\w+) (\d[\d.e+-]*)", line.split(";")[1]))
        assert {name: float(one) for name, one in said.items()} == pytest.approx(found, rel=2e-4)
        assert line.startswith(f"scaling {better}: ")

    @pytest.mark.parametrize(("count", "candidates"), [(19, 1), (20, 2)])
    def test_few_series_tell_nothing(self, count, candidates):
        forecaster = small(HORIZON, season=4, members=2, threads=1)
        assert len(watched(forecaster, crowd(count))) == candidates + 2
        assert len(forecaster.settings_.scalings) == (candidates if candidates > 1 else 0)
        assert (forecaster.settings_.scaling == "last") == (candidates == 1)

    @pytest.mark.parametrize(
        "options", [{"scaling": "standard"}, {"validation": 6}, {"refit": False}, {"strategy": "recursive"}]
    )
    def test_there_is_none(self, options):
        forecaster = small(HORIZON, season=4, members=1, **options).fit(crowd())
        assert forecaster.settings_.scalings == ()
        assert "forecast the points held out best" not in forecaster.describe()

    def test_where_no_point_held_out_is_there_the_first_is_taken(self):
        y = crowd()
        for one in y:
            one[-9:] = np.nan
        forecaster = small(HORIZON, season=4, members=1).fit(y)
        assert forecaster.settings_.scalings == CONTEST
        assert forecaster.settings_.scaling == CONTEST[0]
        assert forecaster.report_ is None
        assert "forecast the points held out best" not in forecaster.describe()


class TestShort:
    def test_without_points_to_hide_there_is_no_rehearsal(self):
        y = wave(4 * HORIZON + 1)
        forecaster = small(HORIZON, members=2, threads=1)
        assert len(watched(forecaster, y)) == 2
        assert forecaster.report_ is None
        assert forecaster.settings_.held_out == 0
        with pytest.raises(ArgumentError, match=r"No points were held out(.|\n)*try: .*calibration=3"):
            forecaster.predict(levels=(80,))
        assert forecaster.predict().shape == (HORIZON,)
        one = alone(forecaster, 0, y)
        np.testing.assert_array_equal(weights(one._model)[0], weights(forecaster._model)[0])

    def test_a_point_more_and_there_is_one(self):
        forecaster = small(HORIZON, members=1).fit(wave(4 * HORIZON + 2))
        assert forecaster.settings_.held_out == HORIZON
        assert forecaster.report_ is not None
