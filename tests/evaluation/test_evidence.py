"""Evidence: by hand, on planted mistakes and on sound forecasts, with gaps, and every error."""

from __future__ import annotations

import json

import numpy as np
import pytest

from unrolled import messages
from unrolled.errors import DataError, KindError
from unrolled.evaluation import closed_loop_drift, collapse, copy_meter, gather, range_shift

RNG = np.random.default_rng(9)
WAVES = 10 * np.sin(np.arange(12) / 2 + RNG.uniform(0, 6, size=(40, 1))) + RNG.normal(size=(40, 12))
TRUE, LAST = WAVES[:, 1:], WAVES[:, 0]
SOUND = TRUE + 0.5 * RNG.normal(size=TRUE.shape)
COPY = np.repeat(LAST[:, None], 11, axis=1)


class TestCopyMeter:
    def test_by_hand(self):
        meter = copy_meter([[3.0, 5.0], [1.0, 0.0]], [[2.0, 2.0], [2.0, 0.0]], [1.0, 2.0])
        assert meter.error_ratio == ((1 + 1) / (2 + 1), (3 + 0) / (4 + 2))
        assert meter.move_ratio == ((1 + 0) / (2 + 1), (1 + 2) / (4 + 2))
        assert meter.error_ratio_mean == 5 / 9
        assert meter.move_ratio_mean == 4 / 9

    def test_a_copy_shows_and_a_sound_forecast_does_not(self):
        planted, sound = copy_meter(TRUE, COPY, LAST), copy_meter(TRUE, SOUND, LAST)
        assert planted.error_ratio == (1.0,) * 11
        assert planted.move_ratio == (0.0,) * 11
        assert sound.error_ratio_mean < 0.2
        assert sound.move_ratio_mean == pytest.approx(1.0, abs=0.1)

    def test_one_that_lags_by_a_point_shows(self):
        late = np.concatenate([LAST[:, None], TRUE[:, :-1]], axis=1)
        meter = copy_meter(TRUE[:, :1], late[:, :1], LAST)
        assert (meter.error_ratio[0], meter.move_ratio[0]) == (1.0, 0.0)

    def test_a_series_that_stands_still(self):
        still = copy_meter([[4.0]], [[4.0]], [4.0])
        assert (still.error_ratio_mean, still.move_ratio_mean) == (1.0, 1.0)
        assert copy_meter([[4.0]], [[5.0]], [4.0]).error_ratio_mean == np.inf

    def test_gaps_are_left_out(self):
        true = np.array([[3.0, np.nan], [np.nan, np.nan]])
        meter = copy_meter(true, [[2.0, 9.0], [9.0, 9.0]], [1.0, 2.0])
        assert meter.error_ratio_mean == 0.5
        assert np.isnan(meter.error_ratio[1])

    def test_one_last_value_a_row(self):
        with pytest.raises(DataError, match=r"`last` does not have one value for every row[\s\S]*\(2,\)"):
            copy_meter([[1.0], [2.0]], [[1.0], [2.0]], [1.0])
        with pytest.raises(DataError, match=r"last\[0\] = nan"):
            copy_meter([[1.0]], [[1.0]], [np.nan])
        with pytest.raises(DataError, match=r"do not have the axes[\s\S]*\(2,\)"):
            copy_meter([1.0, 2.0], [1.0, 2.0], [1.0])
        with pytest.raises(KindError, match=r"`last` is not an array"):
            copy_meter([[1.0]], [[1.0]], "last")


class TestClosedLoopDrift:
    def test_a_loop_that_runs_away_shows_and_one_that_holds_does_not(self):
        noise = np.abs(RNG.normal(size=TRUE.shape)) + 0.1
        away = closed_loop_drift(TRUE, TRUE + noise * 1.3 ** np.arange(11), TRUE + noise)
        assert away.ratio == pytest.approx(tuple(1.3 ** np.arange(11)))
        assert (away.ratio_first, away.ratio_last) == (away.ratio[0], away.ratio[-1])
        holds = closed_loop_drift(TRUE, TRUE - noise, TRUE + noise)
        assert holds.ratio == pytest.approx((1.0,) * 11)

    def test_shapes(self):
        with pytest.raises(DataError, match=r"different shapes"):
            closed_loop_drift(TRUE, TRUE, TRUE[:, 1:])


class TestCollapse:
    def test_a_flat_line_shows(self):
        assert collapse(TRUE, COPY).over_horizon == 0.0
        assert collapse(TRUE, COPY).over_windows > 0.5
        assert collapse(TRUE, np.tile(TRUE.mean(axis=0), (40, 1))).over_windows == 0.0

    def test_rounding_is_no_spread(self):
        flat = np.full((1, 7), 0.1 + 0.2)
        assert collapse(flat, flat + 1e-17).over_horizon == 1.0
        assert collapse(flat, WAVES[:1, :7]).over_horizon == np.inf

    def test_a_sound_forecast_varies_as_what_came(self):
        found = collapse(TRUE, SOUND)
        assert found.over_horizon == pytest.approx(1.0, abs=0.1)
        assert found.over_windows == pytest.approx(1.0, abs=0.1)

    def test_levels_of_series_are_no_spread_of_windows(self):
        levels = np.array([[[0.0, 0.0], [1.0, 1.0]], [[900.0, 900.0], [901.0, 901.0]]])
        assert collapse(levels, levels - levels.mean(axis=1, keepdims=True)).over_windows == 1.0
        assert collapse(levels, levels.mean(axis=1, keepdims=True).repeat(2, axis=1)).over_windows == 0.0

    def test_one_window_has_no_spread_of_windows(self):
        assert np.isnan(collapse([[1.0, 2.0]], [[1.0, 1.0]]).over_windows)
        assert "from window to window" not in collapse([[1.0, 2.0]], [[1.0, 1.0]]).sentence()

    def test_gaps_are_left_out_of_both(self):
        found = collapse([[1.0, np.nan, 3.0], [2.0, np.nan, 4.0]], [[2.0, 99.0, 3.0], [2.0, -9.0, 3.0]])
        assert (found.over_horizon, found.over_windows) == (0.5, 0.0)

    def test_axes(self):
        with pytest.raises(DataError, match=r"do not have the axes"):
            collapse([1.0], [1.0])


class TestRangeShift:
    def test_a_level_that_was_never_seen_shows(self):
        found = range_shift([[5.0, 6.0], [1.0, 50.0], [np.nan, -3.0]], [0.0, 0.0, 0.0], [9.0, 9.0, 9.0])
        assert found.by_series == (0.0, 0.5, 1.0)
        assert (found.share, found.n_series) == (2 / 5, 2)

    def test_the_ends_are_known(self):
        assert range_shift([[0.0, 9.0]], [0.0], [9.0]).share == 0.0

    def test_nothing_seen(self):
        found = range_shift([[np.nan]], [0.0], [9.0])
        assert np.isnan([found.share, found.by_series[0]]).all()


class TestTogether:
    def test_that_of_a_comparison(self):
        train = [np.array([*row, last]) for row, last in zip(SOUND, LAST, strict=True)]
        found = gather(TRUE, COPY, train, one_step=COPY)
        assert found.copy == copy_meter(TRUE, COPY, LAST)
        assert found.collapse == collapse(TRUE, COPY)
        assert found.drift == closed_loop_drift(TRUE, COPY, COPY)
        low = np.array([one.min() for one in train])
        assert found.range_shift == range_shift(TRUE, low, np.array([one.max() for one in train]))

    @pytest.mark.parametrize("lang", messages.LANGUAGES)
    def test_a_sentence_for_each(self, lang):
        train = [np.array([np.nan, 3.0, last, np.nan]) for last in LAST]
        with messages.speaking(lang):
            found = gather(TRUE, COPY, train)
            assert len(found.sentences()) == 3
            full = gather(TRUE, COPY, train, one_step=SOUND)
            assert len(str(full).splitlines()) == 4
            assert ("0.00 times as far from the last observed value" in str(full)) == (lang == "en")

    def test_as_json(self):
        told = json.dumps(gather(TRUE[:1], COPY[:1], [TRUE[0]]).to_dict(), allow_nan=False)
        assert json.loads(told)["collapse"]["over_windows"] is None
        assert json.loads(told)["drift"] is None

    def test_a_series_never_observed_before(self):
        with pytest.raises(DataError, match=r"no observed value before the forecast[\s\S]*y_train\[1\]"):
            gather([[1.0], [1.0]], [[1.0], [1.0]], [np.ones(2), np.array([np.nan])])
