"""A training as a file: whole or not there, of one training alone, and gone on from after a violent end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load as from_bytes
from safetensors.numpy import save as to_bytes

from tests.forecaster.helpers import small, wave
from tests.forecaster.lessons import lesson, planned
from tests.meta.repository import ROOT
from unrolled.checkpoint import SCHEMA, Checkpoint, fingerprint
from unrolled.ensemble import Book, Lesson, train_members
from unrolled.errors import FileError


def states_of(**plan):
    """Return every state of a training."""
    states = []
    lesson().train(going_on={"keep": states.append, "keep_every_s": 0.0}, **plan)
    return states


@pytest.fixture
def book(tmp_path):
    """Return a checkpoint that was written: one member in the middle, one at its end, one not begun."""
    states = states_of(snapshots=3)
    made = Checkpoint(tmp_path / "training", 30.0, "aa")
    made.save([states[2], states[-1], None])
    return made


def same(one, other):
    """Return whether two parts of a state are equal, bit by bit."""
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.tobytes() == other.tobytes()
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if hasattr(one, "__dataclass_fields__"):
        return all(same(getattr(one, part.name), getattr(other, part.name)) for part in fields(one))
    return one == other or (one != one and other != other)


class TestRoundTrip:
    @settings(max_examples=15)
    @given(
        optimizer=st.sampled_from(["adam", "sgd"]),
        held_out=st.sampled_from([0, 6]),
        snapshots=st.sampled_from([0, 3]),
        number=st.integers(0, 12),
    )
    def test_it_is_what_was_kept(self, tmp_path_factory, optimizer, held_out, snapshots, number):
        states = []
        going_on = {"keep": states.append, "keep_every_s": 0.0}
        lesson(optimizer=optimizer, held_out=held_out).train(going_on=going_on, snapshots=snapshots)
        state = states[min(number, len(states) - 1)]
        made = Checkpoint(tmp_path_factory.mktemp("book") / "training", 30.0, "aa")
        made.save([None, state])
        nothing, loaded = made.load()
        assert nothing is None
        assert same(loaded, state)

    def test_a_loss_beyond_all_numbers(self, tmp_path):
        (state, *_) = states_of()
        state.history.checks[5] = np.inf
        made = Checkpoint(tmp_path / "training", 30.0, "aa")
        made.save([state])
        assert made.load()[0].history.checks[5] == np.inf

    def test_there_is_none_yet(self, tmp_path):
        assert Checkpoint(tmp_path / "training", 30.0, "aa").load() is None

    def test_it_is_data(self, book):
        header = json.loads(from_header(book.path)["unrolled"])
        assert (header["schema"], header["kind"], header["fingerprint"]) == (SCHEMA, "training", "aa")
        assert header["members"][2] is None


def from_header(path):
    """Return the metadata of a safetensors file."""
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + size])["__metadata__"]


def rewrite(path, tensors=None, **changes):
    """Write the file again with other tensors or another header."""
    header = json.loads(from_header(path)["unrolled"]) | changes
    kept = from_bytes(path.read_bytes()) if tensors is None else tensors
    path.write_bytes(to_bytes(kept, {"unrolled": json.dumps(header)}))


class TestRefused:
    def refuse(self, book, message):
        """Expect that the file is refused by name, and stays as it is."""
        content = book.path.read_bytes()
        with pytest.raises(FileError, match=message) as caught:
            book.load()
        assert str(book.path) in str(caught.value)
        assert "left as it is" in str(caught.value)
        job = lesson()
        with pytest.raises(FileError, match=message):
            train_members([Lesson(*job, planned())], threads=1, book=Book(book, 1))
        assert book.path.read_bytes() == content

    def test_another_training(self, book):
        self.refuse(
            Checkpoint(book.path, 30.0, "bb"), r"(?s)another training.*fingerprint bb.*fingerprint aa"
        )

    def test_a_newer_schema(self, book):
        rewrite(book.path, schema=SCHEMA + 1)
        self.refuse(book, "newer version")

    @pytest.mark.parametrize("changes", [{"kind": "forecaster"}, {"schema": 0}, {"schema": "x"}])
    def test_another_kind(self, book, changes):
        rewrite(book.path, **changes)
        self.refuse(book, "not a checkpoint")

    def test_a_saved_forecaster(self, tmp_path):
        small(2).fit(wave()).save(tmp_path / "model")
        self.refuse(Checkpoint(tmp_path / "model", 30.0, "aa"), r"(?s)not a checkpoint.*got: forecaster")

    def test_safetensors_of_somebody_else(self, tmp_path):
        (tmp_path / "x").write_bytes(to_bytes({"a": np.zeros(2)}))
        self.refuse(Checkpoint(tmp_path / "x", 30.0, "aa"), "not a checkpoint")

    @pytest.mark.parametrize("content", [b"", b"text", b"\xff" * 100])
    def test_no_safetensors_at_all(self, tmp_path, content):
        (tmp_path / "x").write_bytes(content)
        self.refuse(Checkpoint(tmp_path / "x", 30.0, "aa"), "damaged")

    @pytest.mark.parametrize("share", [0.01, 0.3, 0.9, 0.999])
    def test_cut_short(self, book, share):
        content = book.path.read_bytes()
        book.path.write_bytes(content[: int(share * len(content))])
        self.refuse(book, "damaged")

    @pytest.mark.parametrize("name", ["weights", "first", "losses", "check_steps", "best", "snapshot.0"])
    def test_without_a_tensor(self, book, name):
        tensors = from_bytes(book.path.read_bytes())
        del tensors[f"1.{name}"]
        rewrite(book.path, tensors)
        self.refuse(book, "damaged")

    @pytest.mark.parametrize("name", ["first", "second", "best", "snapshot.1", "check_losses"])
    def test_a_tensor_of_another_size(self, book, name):
        tensors = from_bytes(book.path.read_bytes())
        tensors[f"1.{name}"] = tensors[f"1.{name}"][:-1]
        rewrite(book.path, tensors)
        self.refuse(book, "damaged")

    @pytest.mark.parametrize("members", [None, 5, [{}], [[1]], [{"best": 3}]])
    def test_members_that_are_none(self, book, members):
        rewrite(book.path, members=members)
        self.refuse(book, "damaged")

    def test_a_folder(self, tmp_path):
        with pytest.raises(FileError, match="damaged"):
            Checkpoint(tmp_path, 30.0, "aa").load()


class TestFingerprint:
    ARGUMENTS = {"horizon": 3, "seed": 0, "quantiles": None, "threads": 2, "progress": None}  # noqa: RUF012

    def name(self, arguments=None, arrays=(), *rest):
        return fingerprint(self.ARGUMENTS | (arguments or {}), arrays, *rest)

    def test_what_does_not_change_the_result_does_not_change_it(self):
        assert self.name({"threads": 9, "progress": True}) == self.name()
        backwards = dict(reversed(self.ARGUMENTS.items()))
        assert fingerprint(backwards, []) == self.name()

    def test_everything_else_does(self):
        y, offsets = np.arange(6.0), np.array([0, 6])
        names = [
            self.name(arrays=[y, offsets]),
            self.name({"seed": 1}, [y, offsets]),
            self.name({"members": 3}, [y, offsets]),
            self.name(arrays=[y.astype(np.float32), offsets]),
            self.name(arrays=[y.reshape(3, 2), offsets]),
            self.name(arrays=[np.append(y[:-1], np.nextafter(5, 6)), offsets]),
            self.name(arrays=[y, np.array([0, 2, 6])]),
            self.name(arrays=[y, None, offsets]),
            self.name(None, [y, offsets], "spec"),
            self.name(None, [y, offsets], "spec", "windowing"),
        ]
        assert len(set(names)) == len(names)

    @given(rows=st.integers(0, 50), block=st.integers(1, 60))
    def test_blocks_and_strides_do_not_matter(self, rows, block):
        values = np.random.default_rng(rows).standard_normal((rows, 2))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("unrolled.checkpoint._BLOCK", block)
            assert self.name(arrays=[np.asfortranarray(values)]) == self.name(arrays=[values])
            cut = self.name(arrays=[values])
        assert cut == self.name(arrays=[values])


TRAINING = """
import sys, time
import numpy as np
from tests.forecaster.lessons import lesson, planned
from unrolled import training
from unrolled.checkpoint import Checkpoint
from unrolled.ensemble import Book, Lesson, train_members

path, result, slow = sys.argv[1:]
jobs = [lesson(seed=seed, dropout=0.2, cell="gru") for seed in range(3)]
if slow:
    training._BREATH_S = 0.0  # a stretch a step
histories = train_members(
    [Lesson(*job, planned(steps=400, seed=seed, snapshots=3)) for seed, job in enumerate(jobs)],
    threads=2,
    watch=(lambda history, plan: time.sleep(0.002)) if slow else None,
    book=Book(Checkpoint(path, 0.05, "killed"), 3) if path else None,
)
np.savez(result, *[job.weights() for job in jobs], *[history.losses for history in histories])
"""


class TestKilled:
    def begin(self, folder, checkpoint, result, *, slow=False):
        """Train in a process of its own."""
        arguments = [folder / "training" if checkpoint else "", folder / result, "slow" if slow else ""]
        return subprocess.Popen([sys.executable, "-c", TRAINING, *map(str, arguments)], cwd=ROOT)

    def steps_kept(self, folder):
        """Return how many steps of all members are in the file: it can be read at any time."""
        states = Checkpoint(folder / "training", 0.05, "killed").load() or []
        return sum(state.steps for state in states if state is not None)

    def test_it_goes_on_to_the_same_bits(self, tmp_path):
        assert self.begin(tmp_path, False, "unbroken").wait(60) == 0
        for steps in (100, 500):
            process = self.begin(tmp_path, True, "never", slow=True)
            while self.steps_kept(tmp_path) < steps:
                assert process.poll() is None, "it was done before it could be killed"
                time.sleep(0.02)
            process.kill()
            assert process.wait(60) == -signal.SIGKILL
            assert steps <= self.steps_kept(tmp_path) < 1200
        assert self.begin(tmp_path, True, "gone-on").wait(60) == 0
        assert self.steps_kept(tmp_path) == 1200
        assert not (tmp_path / "never.npz").exists()
        with np.load(tmp_path / "unbroken.npz") as one, np.load(tmp_path / "gone-on.npz") as other:
            assert len(one.files) == len(other.files) == 6
            for name in one.files:
                np.testing.assert_array_equal(one[name], other[name])
