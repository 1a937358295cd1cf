"""A search that was ended goes on as if it had not been; a file that is something else is left alone."""

import pytest

from tests.tuning.helpers import SPACE, plain, quick, wave
from unrolled.errors import ArgumentError, FileError


def test_a_search_goes_on_as_if_it_had_not_been_ended(tmp_path):
    file, whole = tmp_path / "trials.log", quick(trials=14)
    assert len(quick(trials=5, storage=file).trials) == 5
    assert len(quick(trials=12, storage=str(file)).trials) == 12
    found = quick(trials=14, storage=file)
    assert plain(found.trials) == plain(whole.trials)
    assert found.params == whole.params
    assert [one.name for one in tmp_path.iterdir()] == ["trials.log"]


def test_a_search_that_is_done_does_no_more_trials(tmp_path, monkeypatch):
    file = tmp_path / "trials.log"
    first = quick(storage=file)
    monkeypatch.setattr("unrolled.tuning.search.Search._begin", None)
    assert plain(quick(storage=file).trials) == plain(first.trials)


def test_a_trial_that_was_killed_is_done_again(tmp_path, monkeypatch):
    file, whole = tmp_path / "trials.log", quick(trials=4)

    def killed(self, params, watch, threads):
        raise SystemExit

    quick(trials=2, storage=file)
    with monkeypatch.context() as patch:
        patch.setattr("unrolled.tuning.task.Task.judge", killed)
        with pytest.raises(SystemExit):
            quick(trials=4, storage=file)
    assert plain(quick(trials=4, storage=file).trials) == plain(whole.trials)


def test_a_last_line_cut_short_is_mended(tmp_path):
    file = tmp_path / "trials.log"
    quick(trials=3, storage=file)
    whole = file.read_bytes()
    file.write_bytes(whole + b'{"op_code":5,"wor')
    assert len(quick(trials=4, storage=file).trials) == 4
    assert file.read_bytes().startswith(whole)


def test_an_empty_file_is_begun(tmp_path):
    file = tmp_path / "trials.log"
    file.touch()
    assert len(quick(trials=2, storage=file).trials) == 2


@pytest.mark.parametrize(
    "content", [b"month,sales\n2024-01,3", b"one line", b"{}\n", b"[1]\n", b"3\n", b"\xff\xfe\n"]
)
def test_a_file_that_is_something_else_is_left_alone(tmp_path, content):
    file = tmp_path / "sales.csv"
    file.write_bytes(content)
    with pytest.raises(FileError, match="does not keep trials"):
        quick(storage=file)
    assert file.read_bytes() == content


@pytest.mark.parametrize("line", [b'{"op_code":5}\n', b"no JSON\n"])
def test_a_damaged_file(tmp_path, line):
    file = tmp_path / "trials.log"
    quick(trials=2, storage=file)
    file.write_bytes(file.read_bytes() + line + b'{"op_code":5}\n')
    with pytest.raises(FileError, match="does not keep trials"):
        quick(storage=file)


def test_a_file_that_cannot_be_made(tmp_path):
    with pytest.raises(FileError, match="none"):
        quick(storage=tmp_path / "none" / "trials.log")
    with pytest.raises(FileError, match="director"):
        quick(storage=tmp_path)


@pytest.mark.parametrize(
    "more",
    [
        {"y": wave(seed=2)},
        {"horizon": 4},
        {"season": 6},
        {"seed": 1},
        {"metric": "mae"},
        {"folds": 2},
        {"space": {**SPACE, "skip": [True]}},
    ],
    ids=lambda more: next(iter(more)),
)
def test_trials_of_another_task_are_refused(tmp_path, more):
    file = tmp_path / "trials.log"
    quick(trials=1, storage=file)
    with pytest.raises(ArgumentError, match="keeps the trials of another task"):
        quick(storage=file, trials=1, **more)


def test_jobs_threads_and_time_make_no_other_task(tmp_path):
    file = tmp_path / "trials.log"
    quick(trials=1, storage=file)
    assert len(quick(trials=3, storage=file, jobs=2, seconds=100.0).trials) == 3
