"""A first forecast depends on the last observation, whatever network makes it: by finite differences."""

from __future__ import annotations

import numpy as np
import pytest

from tests.forecaster.beside import USES, needs, told
from tests.forecaster.helpers import CELLS, small, wave
from unrolled.engine import LOSSES
from unrolled.panel import to_panel

STEP = 1e-3


def slope(forecaster, y, **beside):
    """Return by how much the first forecast moves beside the last observation."""
    moved = [values.copy() for values in y]
    for values in moved:
        values[-1] += STEP
    before, after = (np.asarray(forecaster.predict(one, **beside)) for one in (y, moved))
    return (after - before)[:, 0] / STEP


@pytest.mark.parametrize("loss", [loss for loss in LOSSES if loss != "negative_binomial"])
@pytest.mark.parametrize(("strategy", "memory"), USES)
@pytest.mark.parametrize("cell", CELLS)
def test_for_every_cell_strategy_memory_and_loss(cell, strategy, memory, loss):
    y = [wave(60), wave(72, level=3.0, seed=2)]
    scaling = {"scaling": "none"} if memory == "all" else {}  # else the names of the series would matter
    forecaster = small(
        3, cell=cell, strategy=strategy, memory=memory, dtype="float64", window=12, **needs(loss), **scaling
    )
    assert (np.abs(slope(forecaster.fit(y), y)) > 1e-5).all()


@pytest.mark.parametrize("extra", [{"patch": 4}, {"mask": True}, {"members": 3}], ids=str)
@pytest.mark.parametrize("covariates", [False, True])
@pytest.mark.parametrize(("strategy", "memory"), USES)
@pytest.mark.parametrize("cell", CELLS)
def test_with_patches_masks_members_and_what_is_known_ahead(cell, strategy, memory, covariates, extra):
    if memory == "all":
        extra = {**extra, "patch": 1, "scaling": "none"}
    panel = told(60, 72)
    if memory == "all":
        panel.series = [one - one.mean() for one in panel.series]  # unscaled, a rectifier may be dead
    beside = panel.beside() if covariates else {}
    forecaster = small(
        3,
        cell=cell,
        strategy=strategy,
        memory=memory,
        dtype="float64",
        window=12,
        skip=False,
        hidden_size=16,
        **extra,
    )
    forecaster.fit(panel.series, **beside)
    assert (np.abs(slope(forecaster, panel.series, **beside)) > 1e-5).all()


@pytest.mark.parametrize("scaling", ["none", "mean_abs"])
@pytest.mark.parametrize(("strategy", "memory"), USES)
@pytest.mark.parametrize("cell", CELLS)
def test_the_mean_of_counts(cell, strategy, memory, scaling):
    """A forecast of counts is their median, a count itself; what moves is the mean that the head gives."""
    if memory == "all":
        scaling = "none"
    y = np.round(wave(60))
    forecaster = small(
        3,
        cell=cell,
        strategy=strategy,
        memory=memory,
        scaling=scaling,
        loss="negative_binomial",
        dtype="float64",
        window=12,
        members=1,
    )
    model = forecaster.fit(y)._model
    says = model._carried if memory == "all" else model._direct
    means = []
    for last in (y[-1], y[-1] + 1):
        panel = to_panel(np.append(y[:-1], last), dtype="float64")
        outputs, scaling = says(0, model.last_windows(panel), 1)
        means.append(outputs[0, 0, 0, 0] * scaling.scale.item())
    assert abs(means[1] - means[0]) > 1e-4


def test_a_network_that_reads_nothing_fails_the_law():
    """The law has teeth."""
    forecaster = small(3, dtype="float64", window=12, scaling="none", skip=False, members=1).fit([wave()])
    engine = forecaster.network_.engine
    engine.write(np.zeros(engine.parameter_count))
    assert (slope(forecaster, [wave()]) == 0).all()
