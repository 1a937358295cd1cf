"""Saved forecasters taken apart, changed, and put together again."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

import pytest
from safetensors.numpy import load, save

from unrolled import Forecaster
from unrolled.errors import FileError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KEY = "unrolled"


def outer_header(path: Path) -> dict[str, Any]:
    """Return the JSON that begins a safetensors file, read by hand."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header: dict[str, Any] = json.loads(data[8 : 8 + length])
    return header


def header_text(path: Path) -> str:
    """Return our own header as it stands in the file."""
    text: str = outer_header(path)["__metadata__"][KEY]
    return text


def header_of(path: Path) -> dict[str, Any]:
    """Return our own header."""
    header: dict[str, Any] = json.loads(header_text(path))
    return header


def changed(
    path: Path,
    *,
    data: Callable[[bytes], bytes] | None = None,
    header: Callable[[dict[str, Any]], object] | None = None,
    tensors: Callable[[dict[str, Any]], object] | None = None,
) -> Path:
    """Change a file in place, its bytes or its header and its tensors, and return its path."""
    whole = path.read_bytes()
    if data is not None:
        path.write_bytes(data(whole))
        return path
    own, arrays = header_of(path), load(whole)
    if header is not None:
        header(own)
    if tensors is not None:
        tensors(arrays)
    path.write_bytes(save(arrays, {KEY: json.dumps(own)}))
    return path


def without_header(path: Path) -> Path:
    """Leave the tensors alone in the file."""
    path.write_bytes(save(load(path.read_bytes())))
    return path


def refused(path: Path | str, match: str = ".") -> str:
    """Return what is said of a file that cannot be loaded."""
    with pytest.raises(FileError, match=match) as caught:
        Forecaster.load(path)
    assert str(path) in str(caught.value)
    return str(caught.value)
