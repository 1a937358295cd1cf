"""Laws of features: order, future, scale, and the part held out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from unrolled.covariates import Covariates, from_columns
from unrolled.encoding import Encoder, Features
from unrolled.panel import Panel, to_panel
from unrolled.timestep import TimeStep

CALENDAR = ("weekday", "weekend", "month")
PARTS = ("past", "known", "static")


@st.composite
def cases(draw: st.DrawFn) -> tuple[Panel, Covariates, int]:
    """Return daily series, covariates of both kinds in every part, and how many known rows are ahead."""
    lengths = draw(st.lists(st.integers(1, 6), min_size=1, max_size=4))
    ahead = draw(st.integers(0, 4))
    lengths[0] += 1  # one row alone has no step
    panel = to_panel([np.arange(n, dtype="f8") for n in lengths], dtype="float64")
    starts = [draw(st.integers(0, 20000)) for _ in lengths]
    days = np.concatenate([start + np.arange(n) for start, n in zip(starts, lengths, strict=True)])
    panel = replace(panel, times=days.astype("datetime64[D]"), steps=(TimeStep(1, "D"),) * len(lengths))
    numbers = st.floats(-1e6, 1e6, allow_subnormal=False)
    labels = st.sampled_from(["a", "b", None])

    def columns(rows: int) -> dict[str, Any]:
        def of(values: st.SearchStrategy[Any]) -> list[Any]:
            return draw(st.lists(values, min_size=rows, max_size=rows))

        return {
            "n": of(numbers),
            "gaps": [None, *of(st.one_of(st.none(), numbers))][:rows],
            "c": [None, *of(labels)][:rows],
        }

    offsets = panel.offsets + ahead * np.arange(len(lengths) + 1)
    named = {
        part: {f"{part}_{name}": column for name, column in columns(rows).items()}
        for part, rows in zip(PARTS, (int(panel.offsets[-1]), int(offsets[-1]), len(lengths)), strict=True)
    }
    return panel, from_columns(panel, **named, known_offsets=offsets), ahead


def apart(found: Features) -> list[np.ndarray]:
    """Return the features of each series."""
    assert found.features is not None
    return np.split(found.features, found.offsets[1:-1])


@given(cases(), st.randoms())
def test_series_in_another_order_have_their_features_in_that_order(case: Any, random: Any) -> None:
    panel, covariates, ahead = case
    order = list(range(panel.n_series))
    random.shuffle(order)
    shuffled = chosen(panel, order)
    encoder = Encoder.fit(panel, covariates, CALENDAR)
    found = encoder.apply(panel, covariates, ahead_points=ahead)
    again = encoder.apply(shuffled, covariates.of(panel, order), ahead_points=ahead)
    for one, series in zip(apart(again), order, strict=True):
        assert one.tolist() == apart(found)[series].tolist()
    assert found.static is not None
    assert again.static is not None
    assert again.static.tolist() == found.static[order].tolist()
    other = Encoder.fit(shuffled, covariates.of(panel, order), CALENDAR)
    for code, same in zip(encoder.codes, other.codes, strict=True):
        assert (code.labels, code.gaps) == (same.labels, same.gaps)
        np.testing.assert_allclose([code.mean, code.scale], [same.mean, same.scale], rtol=1e-9, atol=1e-6)


def chosen(panel: Panel, order: list[int]) -> Panel:
    """Return a panel with its series in another order."""
    assert panel.times is not None
    pieces = [slice(int(panel.offsets[s]), int(panel.offsets[s + 1])) for s in order]
    return replace(
        panel,
        values=np.concatenate([panel.values[piece] for piece in pieces]),
        offsets=np.concatenate([[0], np.cumsum(panel.lengths[order])]),
        times=np.concatenate([panel.times[piece] for piece in pieces]),
    )


@given(cases())
def test_the_future_never_changes_the_past(case: Any) -> None:
    panel, covariates, ahead = case
    encoder = Encoder.fit(panel, covariates, CALENDAR)
    whole = apart(encoder.apply(panel, covariates, ahead_points=ahead))
    for points in range(ahead + 1):
        found = encoder.apply(panel, covariates, ahead_points=points)
        for one, other in zip(apart(found), whole, strict=True):
            assert one.tolist() == other[: len(one)].tolist()
            assert not one[len(one) - points :, found.known :].any()
    assert encoder == Encoder.fit(panel, covariates.tails(panel, 99), CALENDAR)


@given(cases(), st.integers(0, 4))
def test_nothing_behind_the_cut_has_influence(case: Any, held_out: int) -> None:
    panel, covariates, _ = case
    encoder = Encoder.fit(panel, covariates, CALENDAR, held_out=held_out)
    trained = np.maximum(panel.lengths - held_out, 0)
    masks = {
        "past": behind(panel.offsets, trained),
        "known": behind(covariates.known_offsets, trained),
        "static": trained == 0,
    }
    changed: dict[str, dict[str, Any]] = {}
    for part in PARTS:
        changed[part] = {name: column.copy() for name, column in getattr(covariates, part).items()}
        for column in changed[part].values():
            column[masks[part]] = "new" if column.dtype == object else 1e30
    other = Covariates(**changed, known_offsets=covariates.known_offsets)
    assert Encoder.fit(panel, other, CALENDAR, held_out=held_out) == encoder


def behind(offsets: Any, trained: Any) -> Any:
    """Return which rows come after the first `trained` of their series."""
    mask = np.ones(int(offsets[-1]), bool)
    for first, rows in zip(offsets[:-1].tolist(), trained.tolist(), strict=True):
        mask[first : first + rows] = False
    return mask


@given(
    st.lists(st.integers(-1000, 1000), min_size=2, max_size=12),
    st.floats(1e-3, 1e3),
    st.floats(-1e3, 1e3),
)
def test_a_rescaled_covariate_gives_the_same_features(column: list[int], scale: float, shift: float) -> None:
    panel = to_panel(np.zeros(len(column)), dtype="float64")

    def features(values: Any) -> Any:
        covariates = from_columns(panel, past={"x": values})
        return Encoder.fit(panel, covariates, held_out=1).apply(panel, covariates).features

    one, other = features(column), features(np.array(column) * scale + shift)
    if len(set(column[:-1])) == 1:  # a constant has scale 1: only its own place is the same
        one, other = one[:-1], other[:-1]
    np.testing.assert_allclose(other, one, rtol=1e-6, atol=1e-6)
