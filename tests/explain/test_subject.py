"""What is explained are real windows of a forecaster, read as its core reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.explain.helpers import assert_close, drawn
from tests.forecaster.helpers import small, wave, waves
from unrolled.covariates import read_series
from unrolled.errors import ArgumentError, DataError
from unrolled.explain.subject import Subject, subject_from, subject_of
from unrolled.explain.trace import network_facts, trace_of, window_facts
from unrolled.network import Network, NetworkSpec
from unrolled.panel import to_panel

if TYPE_CHECKING:
    from unrolled import Forecaster
    from unrolled.panel import Panel


def explained(forecaster: Forecaster, panel: Panel, **how: Any) -> Subject:
    return subject_of(forecaster._model, panel, **how)


def last_windows(subject: Subject) -> dict[int, int]:
    """Return the number of the last window of each series."""
    return {int(series): number for number, series in enumerate(subject.series)}


@pytest.mark.parametrize("scaling", ["none", "standard", "last", "mean_abs", "log", "asinh", "series"])
@pytest.mark.parametrize("loss", ["mae", "quantile", "gaussian"])
def test_the_last_window_of_each_series_gives_the_forecast(scaling: str, loss: str) -> None:
    quantiles = (0.2, 0.5, 0.7) if loss == "quantile" else None
    series = waves(60, 45, 52)
    forecaster = small(3, window=9, scaling=scaling, loss=loss, quantiles=quantiles, members=1).fit(series)
    subject = explained(forecaster, to_panel(series))
    points = trace_of(subject).y[:, subject.anchors].reshape(-1, 3, 1)
    units = subject.scaling.invert(points)[..., 0]
    if subject.scaler is not None:
        units = subject.scaler.invert(units[:, :, None, None])[..., 0, 0]
    found = units[list(last_windows(subject).values())]
    np.testing.assert_allclose(found, forecaster.predict(), rtol=1e-5)


@pytest.mark.parametrize("scaling", ["none", "standard", "last", "mean_abs", "series"])
def test_a_straight_scaling_brings_windows_and_targets_to_units(scaling: str) -> None:
    series = waves(60, 45)
    forecaster = small(3, window=9, scaling=scaling, members=1).fit(series)
    subject = explained(forecaster, to_panel(series))
    for number, facts in enumerate(window_facts(subject)):
        location, scale, start = facts["location"][0], facts["scale"][0], facts["start"]
        assert facts["affine"]
        values = series[facts["series"]]
        np.testing.assert_allclose(
            location + scale * subject.x_tbi[:, number, 0], values[start : start + 9], rtol=1e-5
        )
        came = location + scale * subject.targets_bkc[number, :, 0]
        known = values[start + 9 : start + 12]
        np.testing.assert_allclose(came[: len(known)], known, rtol=1e-5)
        assert np.isnan(came[len(known) :]).all()


def test_a_bent_scaling_is_not_called_straight() -> None:
    forecaster = small(3, window=9, scaling="log", members=1).fit(wave())
    subject = explained(forecaster, to_panel(wave()))
    assert not any(facts["affine"] for facts in window_facts(subject))
    adaptive = small(3, window=9, scaling="adaptive", members=1).fit(np.concatenate([wave(), wave() ** 5]))
    mixed = explained(adaptive, to_panel(np.concatenate([wave(), 10.0 ** (wave() - 9) ** 2])), windows=60)
    told = [facts["affine"] for facts in window_facts(mixed)]
    assert told == (mixed.scaling.pre[:, 0] == 0).tolist()
    assert len(set(told)) == 2


def test_windows_are_spread_over_the_series_and_end_with_the_last() -> None:
    series = waves(60, 45)
    forecaster = small(3, window=9, members=1).fit(series)
    subject = explained(forecaster, to_panel(series), windows=12)
    assert subject.x_tbi.shape[1] == 12
    assert sorted(zip(subject.series, subject.starts, strict=True)) == list(
        zip(subject.series, subject.starts, strict=True)
    )
    for number, length in enumerate((60, 45)):
        starts = subject.starts[subject.series == number]
        assert starts[-1] == length - 9
        assert np.diff(starts[:-1]).max() - np.diff(starts[:-1]).min() <= 1


def test_of_more_series_than_windows_some_are_taken_evenly() -> None:
    series = waves(*range(30, 50))
    forecaster = small(3, window=9, members=1).fit(series)
    subject = explained(forecaster, to_panel(series), windows=5)
    last = subject.starts == np.array([len(series[number]) - 9 for number in subject.series])
    assert subject.series[last].tolist() == [0, 6, 13]
    assert np.isfinite(subject.targets_bkc).all(axis=(1, 2)).tolist() == (~last).tolist()


def test_kept_ends_are_counted_from_the_first_point_of_the_series() -> None:
    forecaster = small(3, window=9, members=1).fit(waves(60, 45))
    subject = explained(forecaster, forecaster.ends_)
    assert subject.starts[list(last_windows(subject).values())].tolist() == [60 - 9, 45 - 9]


def test_patches_features_and_flags_have_names_in_the_order_of_the_input() -> None:
    y, rain, sun = wave(60), np.arange(60.0), np.arange(63.0)
    y[20] = np.nan
    forecaster = small(3, window=8, patch=2, mask=True, members=1, scaling="none")
    forecaster.fit(y, past=rain, known=sun[:60])
    panel = forecaster.ends_
    subject = explained(forecaster, panel)
    names = subject.input_names
    assert len(names) == subject.x_tbi.shape[2]
    assert names[:4] == ("y[t-1]", "y[t]", "missing(y[t-1])", "missing(y[t])")
    windowing = forecaster._model.windowing
    assert subject.read_steps == 4
    assert subject.x_tbi.shape[0] == 4 + windowing.ahead


def test_a_window_that_reads_ahead_ends_where_all_it_reads_is_known() -> None:
    y, known = wave(60), np.arange(60.0)
    forecaster = small(3, window=8, members=1).fit(y, known=known)
    windowing = forecaster._model.windowing
    assert windowing.ahead == 3
    panel = read_series(y, forecaster.get_params(), known=known)
    subject = explained(forecaster, panel)
    assert subject.starts[-1] == 60 - 8 - 3
    assert np.isfinite(subject.targets_bkc).all()
    further = read_series(y, forecaster.get_params(), known=np.arange(63.0))
    assert explained(forecaster, further).starts[-1] == 60 - 8


def test_members_read_their_own_windows() -> None:
    forecaster = small(3, members=3, season=12).fit(wave(200))
    lengths = forecaster._model.windows
    assert len(set(lengths)) > 1
    for member, length in enumerate(lengths):
        subject = explained(forecaster, to_panel(wave(200)), member=member)
        assert subject.windowing.window == length
        assert subject.starts[-1] == 200 - length
        assert network_facts(subject)["horizon"] == 3
        trace_of(subject)


def test_what_cannot_be_explained_is_refused() -> None:
    forecaster = small(3, window=9, members=1).fit(wave())
    panel = to_panel(wave())
    for how, name in (({"member": 1}, "explain.member"), ({"windows": 0}, "explain.windows")):
        with pytest.raises(ArgumentError) as caught:
            explained(forecaster, panel, **how)
        assert [one.id for one in caught.value.faults] == [name]


def test_series_without_a_whole_window_are_refused() -> None:
    forecaster = small(3, window=8, members=1).fit(wave(60), known=np.arange(60.0))
    panel = read_series(wave(60)[:3], forecaster.get_params(), known=np.arange(3.0))
    with pytest.raises(DataError) as caught:
        explained(forecaster, panel)
    assert caught.value.faults[0].id == "explain.no-window"


def test_windows_by_hand_must_fit_the_network() -> None:
    network = Network(NetworkSpec(cell="gru", input_size=2, hidden_size=2, output_size=1, skip_steps=4))
    for x, targets in (
        (np.zeros((4, 3, 1)), None),
        (np.zeros((5, 3, 2)), None),
        (np.zeros((4, 3, 2)), np.zeros((2, 1))),
    ):
        with pytest.raises(ArgumentError) as caught:
            subject_from(network, x, targets)
        assert caught.value.faults[0].id == "engine.shape"


def test_targets_by_hand_are_what_they_are() -> None:
    subject = drawn("gru")
    assert_close(subject.targets_bkc.shape, (3, 2, 1), to="order")


def test_every_input_is_what_its_name_says() -> None:
    points, rng = 60, np.random.default_rng(0)
    given = {"y0": wave(points), "y1": wave(points, seed=2), "past_0": rng.random(points)}
    y = np.stack([given["y0"], given["y1"]], axis=1)
    forecaster = small(2, window=8, patch=2, mask=True, members=1, scaling="none")
    forecaster.fit(y, past=given["past_0"])
    panel = read_series(y, forecaster.get_params(), past=given["past_0"])
    subject = explained(forecaster, panel)
    assert subject.input_names[:4] == ("y0[t-1]", "y1[t-1]", "y0[t]", "y1[t]")
    for number, name in enumerate(subject.input_names):
        column, back = name.replace(")", "").removesuffix("]").split("[t")
        read = subject.x_tbi[: subject.read_steps, :, number]
        if column.startswith("missing"):
            assert not read.any()
            continue
        at = subject.starts + 2 * np.arange(subject.read_steps)[:, None] + 1 + int(back or 0)
        expected = given[column][at]
        same = np.corrcoef(read.ravel(), expected.ravel())[0, 1]  # a feature is scaled by its own mean
        assert same == pytest.approx(1.0, abs=1e-6), name


def test_the_window_before_a_border_is_among_the_windows() -> None:
    y = [np.sin(np.arange(n) / 3.0) for n in (90, 120)]
    forecaster = small(4, window=12, members=1).fit(y)
    borders = np.array([61, 87])
    subject = explained(forecaster, to_panel(y), windows=8, borders=borders)
    pairs = set(zip(subject.series.tolist(), (subject.starts + 12).tolist(), strict=True))
    assert len(pairs) == len(subject.series) <= 8
    assert {(0, 61), (1, 87), (0, 90), (1, 120)} <= pairs
    beyond = explained(forecaster, to_panel(y), windows=8, borders=np.array([5, 200]))
    assert beyond.starts.min() >= 0
    assert (beyond.starts + 12 <= np.array([90, 120])[beyond.series]).all()
