"""Trials kept in a file, line by line, so that a search that was killed goes on where it was."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unrolled.errors import FileError, fault

if TYPE_CHECKING:
    import optuna

_STUDY = "unrolled"


def opened(library: Any, storage: str | os.PathLike[str] | None) -> optuna.Study:
    """Return the study that a file keeps, a new one where there is no file yet, or one in memory.

    Args:
        library: optuna.
        storage: the file; None: in memory alone.

    Raises:
        FileError: the file cannot be read or written, or holds something else, which is left as it is.
    """
    if storage is None:
        return library.create_study(study_name=_STUDY)
    journal = library.storages.journal
    path = Path(storage)
    try:
        _mend(path)
        kept = library.storages.JournalStorage(journal.JournalFileBackend(str(path)))
        return library.create_study(study_name=_STUDY, storage=kept, load_if_exists=True)
    except OSError as error:
        raise FileError(fault("file.write", file=path, reason=error.strerror or error)) from error
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise FileError(fault("tune.storage", file=path, reason=str(error).split("\n")[0])) from error


def _mend(path: Path) -> None:
    """Cut off a last line that was not finished when the machine stopped; the next one would join it.

    Raises:
        ValueError: the file holds something else.
    """
    if not path.exists():
        return
    with open(path, "rb+") as file:
        first = file.readline()
        if first and not (first.endswith(b"\n") and "op_code" in json.loads(first)):
            raise ValueError(first[:40])
        end = file.seek(0, os.SEEK_END)
        while end:
            begin = max(0, end - 65536)
            file.seek(begin)
            found = file.read(end - begin).rfind(b"\n")
            if found >= 0:
                file.truncate(begin + found + 1)
                return
            end = begin
