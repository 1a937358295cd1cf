"""A file is replaced at once or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from tests.panel.helpers import fails
from unrolled.atomic import replace_file
from unrolled.errors import FileError


def test_bytes_text_and_functions_are_written(tmp_path: Path) -> None:
    replace_file(tmp_path / "bytes", b"\x00\xff")
    replace_file(str(tmp_path / "text"), "时间\n")
    replace_file(tmp_path / "function", lambda part: part.write_text("by hand"))  # type: ignore[arg-type, return-value]
    assert (tmp_path / "bytes").read_bytes() == b"\x00\xff"
    assert (tmp_path / "text").read_text(encoding="utf-8") == "时间\n"
    assert (tmp_path / "function").read_text() == "by hand"
    assert len(os.listdir(tmp_path)) == 3


def test_an_old_file_is_replaced_and_its_permissions_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("old")
    file.chmod(0o640)
    replace_file(file, "new")
    assert file.read_text() == "new"
    assert file.stat().st_mode & 0o777 == 0o640


def test_a_new_file_has_the_usual_permissions(tmp_path: Path) -> None:
    (tmp_path / "usual").write_text("")
    replace_file(tmp_path / "new", "new")
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "folder" / "file")
    for content in ("one", "two"):
        replace_file(tmp_path / "link", content)
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "folder" / "file").read_text() == content


def test_names_may_be_long(tmp_path: Path) -> None:
    file = tmp_path / ("长" * 80)
    replace_file(file, "x")
    assert file.read_text() == "x"


def full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def half(part: Path) -> None:
    part.write_text("half")
    full()


@pytest.mark.parametrize("old", [None, "old"])
@pytest.mark.parametrize("where", ["writing", "os.fsync", "os.replace"])
def test_a_full_disk_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, old: str | None
) -> None:
    file = tmp_path / "file"
    if old is not None:
        file.write_text(old)
    if where != "writing":
        monkeypatch.setattr(where, full)
    with fails(FileError, f"{file}: the file cannot be written ... unchanged ... No space left on device"):
        replace_file(file, half if where == "writing" else "new")
    assert os.listdir(tmp_path) == ([] if old is None else ["file"])
    assert old is None or file.read_text() == old


@pytest.mark.parametrize("stop", [KeyboardInterrupt, ZeroDivisionError])
def test_an_interruption_changes_nothing(tmp_path: Path, stop: type[BaseException]) -> None:
    def interrupted(part: Path) -> None:
        part.write_text("half")
        raise stop

    with pytest.raises(stop):
        replace_file(tmp_path / "file", interrupted)
    assert os.listdir(tmp_path) == []


def test_a_disk_that_fails_twice_is_reported_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "unlink", full)
    with fails(FileError, "the file cannot be written ... No space left"):
        replace_file(tmp_path / "file", half)


def test_no_permission_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr("unrolled.atomic._write", denied)
    with fails(FileError, "the file cannot be written ... Permission denied"):
        replace_file(tmp_path / "file", "x")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with fails(FileError, f"the folder to write to does not exist ... {tmp_path / 'no'} ... mkdir -p"):
        replace_file(tmp_path / "no" / "file", "x")


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    with fails(FileError, "the file cannot be written ... Not a directory"):
        replace_file(tmp_path / "file" / "below", "x")


def test_a_folder_is_not_replaced(tmp_path: Path) -> None:
    with fails(FileError, "this is a folder, no file can take its place"):
        replace_file(tmp_path, "x")


def test_a_device_is_not_replaced() -> None:
    with fails(FileError, "/dev/null: this is a device or a pipe"):
        replace_file("/dev/null", "x")


def test_a_path_that_cannot_be_is_refused(tmp_path: Path) -> None:
    with fails(FileError, "the file cannot be written ... null"):
        replace_file(f"{tmp_path}/a\0b", "x")
