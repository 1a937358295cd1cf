"""A fit that is killed and called again is the fit that was never killed: bit for bit, with every input."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from tests.forecaster.helpers import small, wave
from tests.meta.repository import ROOT
from unrolled.errors import ArgumentError, FileError

TRAINING = """
import sys, time
import numpy as np
from tests.forecaster.beside import told
from tests.forecaster.helpers import small

path, result, slow, rehearsed = sys.argv[1:]
panel = told(*[60, 72] * (10 if rehearsed else 1))
panel.series[0][[5, 6, 30]] = np.nan
how = dict(members=3, threads=2, num_layers=2, dropout=0.2, snapshots=3, cell="gru")
if rehearsed:  # of two scalings, before members of different windows
    how |= dict(season=4, steps=160)
else:
    how |= dict(window=8, steps=400, scaling="series", loss="gaussian", calibration=9, patience=0)
forecaster = small(3, **how)
if slow:
    from unrolled import training
    training._BREATH_S = 0.0  # a stretch a step
watch = (lambda history, plan: time.sleep(0.002)) if slow else None
kept = {"checkpoint": path, "checkpoint_every_s": 0.05} if path else {}
forecaster.fit(panel.series, **panel.beside(), watch=watch, **kept)
said = forecaster.predict(panel.series, levels=(50,), **panel.beside())
weights = [one for network in forecaster._model.networks for one in network.weights.values()]
losses = [history.losses for history in forecaster.histories_]
np.savez(result, *weights, *losses, said.y_hat, said.lower[50], said.upper[50])
"""


def begin(folder, path, result, *, slow=False, rehearsed=False):
    """Fit in a process of its own."""
    arguments = [str(path or ""), str(folder / result), "slow" if slow else "", "yes" if rehearsed else ""]
    return subprocess.Popen([sys.executable, "-c", TRAINING, *arguments], cwd=ROOT)


@pytest.mark.parametrize("rehearsed", [False, True])
def test_killed_twice_it_goes_on_to_the_same_bits(tmp_path, rehearsed):
    path = tmp_path / "training"
    unbroken = begin(tmp_path, None, "unbroken", rehearsed=rehearsed)
    for _ in range(2):
        known = path.read_bytes() if path.exists() else b""
        process = begin(tmp_path, path, "never", slow=True, rehearsed=rehearsed)
        written = 0
        while written < 4:  # it was begun, and then written several times more
            assert process.poll() is None, "it was done before it could be killed"
            time.sleep(0.02)
            now = path.read_bytes() if path.exists() else b""
            written += now != known
            known = now
        process.send_signal(signal.SIGKILL)
        assert process.wait(60) == -signal.SIGKILL
    assert begin(tmp_path, path, "gone-on", rehearsed=rehearsed).wait(60) == 0
    assert unbroken.wait(60) == 0
    assert not (tmp_path / "never.npz").exists()
    with np.load(tmp_path / "unbroken.npz") as one, np.load(tmp_path / "gone-on.npz") as other:
        assert len(one.files) == len(other.files) > 6
        for name in one.files:
            np.testing.assert_array_equal(one[name], other[name])
    assert sorted(one.name for one in tmp_path.iterdir() if not one.name.endswith(".part")) == [
        "gone-on.npz",
        "training",
        "unbroken.npz",
    ]


def test_a_training_that_was_done_is_not_done_again(tmp_path):
    steps = []
    how = {"window": 8, "members": 2, "steps": 30}
    kept = {"checkpoint": tmp_path / "training", "checkpoint_every_s": 0.0}
    one = small(3, **how).fit(wave(), **kept)
    content = (tmp_path / "training").read_bytes()
    other = small(3, **how).fit(wave(), watch=lambda history, _: steps.append(len(history.losses)), **kept)
    np.testing.assert_array_equal(one.predict(), other.predict())
    assert set(steps) <= {30}
    assert (tmp_path / "training").read_bytes() == content


@pytest.mark.parametrize(
    "change", [{"seed": 1}, {"hidden_size": 5}, {"members": 1}, {"loss": "mse"}, {"steps": 31}]
)
def test_of_another_training_it_is_refused_and_left_alone(tmp_path, change):
    how = {"window": 8, "members": 2, "steps": 30}
    small(3, **how).fit(wave(), checkpoint=tmp_path / "training")
    content = (tmp_path / "training").read_bytes()
    with pytest.raises(FileError, match=r"another training(.|\n)*try: "):
        small(3, **{**how, **change}).fit(wave(), checkpoint=tmp_path / "training")
    with pytest.raises(FileError, match="another training"):
        small(3, **how).fit(wave(seed=2), checkpoint=tmp_path / "training")
    assert (tmp_path / "training").read_bytes() == content


def test_a_saved_forecaster_is_no_checkpoint(tmp_path):
    small(3, window=8).fit(wave()).save(tmp_path / "model")
    with pytest.raises(FileError, match=r"not a checkpoint(.|\n)*got: forecaster"):
        small(3, window=8).fit(wave(), checkpoint=tmp_path / "model")


@pytest.mark.parametrize("seconds", [-1, "x", None, float("nan"), float("inf"), True, [1.0]])
def test_seconds_that_are_none(tmp_path, seconds):
    with pytest.raises(
        ArgumentError, match=r"checkpoint_every_s does not fit(.|\n)*expected: a number from 0"
    ):
        small(3, window=8).fit(wave(), checkpoint=tmp_path / "training", checkpoint_every_s=seconds)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_told_before_anything_is_learned(tmp_path):
    told = []
    with pytest.raises(FileError, match=r"no folder|does not exist"):
        small(3, window=8).fit(wave(), checkpoint=tmp_path / "no" / "x", watch=lambda *_: told.append(1))
    with pytest.raises(FileError, match=str(tmp_path)):
        small(3, window=8).fit(wave(), checkpoint=tmp_path, watch=lambda *_: told.append(1))
    assert told == []
