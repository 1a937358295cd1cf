"""A file is replaced at once or not at all: the old one stays until the new one is whole.

The content goes into a new file in the same folder, which then takes the place of the old one.
Knows nothing of what is written.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from unrolled.errors import FileError, fault

if TYPE_CHECKING:
    from os import PathLike

Content = bytes | str | Callable[[Path], None]
"""Bytes, text (written as UTF-8), or a function that writes the file whose path it is given."""


def replace_file(path: str | PathLike[str], content: Content) -> None:
    """Write a file, or leave everything as it was.

    A link is followed. The permissions of an old file are kept; a new one gets the usual ones.

    Args:
        path: the file; its folder must exist.
        content: what to write. A function may raise `OSError`; whatever it raises, nothing is left behind.

    Raises:
        FileError: the path is a folder or a device, its folder does not exist, or writing fails: no
            permission, no space left.

    Example:
        >>> replace_file("note.txt", "one line")
        >>> Path("note.txt").read_text()
        'one line'
    """
    target, old = _checked(path)
    part = target.with_name(f".{target.name[:50]}.{secrets.token_hex(4)}.part")
    try:
        _write(part, content)
        if old is not None:
            part.chmod(stat.S_IMODE(old.st_mode))
        os.replace(part, target)
    except OSError as error:
        raise FileError(fault("file.write", file=path, reason=error.strerror or error)) from error
    finally:
        _remove(part)


def _checked(path: str | PathLike[str]) -> tuple[Path, os.stat_result | None]:
    """Return the file that a path leads to, and what is known of it; `None` if there is none yet."""
    try:
        target = Path(os.path.realpath(path))
        old = target.stat()
    except FileNotFoundError:
        if not target.parent.is_dir():
            raise FileError(fault("file.no-folder", file=path, folder=target.parent)) from None
        return target, None
    except (OSError, ValueError) as error:
        raise FileError(fault("file.write", file=path, reason=error)) from error
    if stat.S_ISDIR(old.st_mode):
        raise FileError(fault("file.is-folder", file=path))
    if not stat.S_ISREG(old.st_mode):  # replacing it would put a file in the place of a device
        raise FileError(fault("file.device", file=path))
    return target, old


def _write(part: Path, content: Content) -> None:
    """Write the content into a new file and see that it reaches the disk."""
    if callable(content):
        content(part)
    else:
        data = content.encode() if isinstance(content, str) else content
        with open(part, "xb") as file:
            file.write(data)
    with open(part, "rb+") as file:
        os.fsync(file.fileno())


def _remove(part: Path) -> None:
    """Remove what is left of a file that was not finished; a disk that fails twice is not reported twice."""
    try:
        part.unlink(missing_ok=True)
    except OSError:
        return
