"""What holds for every test of the forecaster."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from tests.forecaster.helpers import small, waves

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session", autouse=True)
def no_waiting_for_the_disk() -> Iterator[None]:
    """Leave saved files to the system: on a busy disk `fsync` takes seconds, and nobody pulls the plug."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture(scope="session")
def saved_bytes(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return a small saved forecaster with everything that a file can hold: names, times, scales."""
    path = tmp_path_factory.mktemp("saved") / "model"
    days = np.arange("2020-01-01", "2020-02-10", dtype="datetime64[D]")
    columns = {
        "unique_id": ["a"] * 40 + ["b"] * 40,
        "ds": np.tile(days, 2),
        "y": np.concatenate(waves(40, 40)),
    }
    small(2, window=4, members=1, scaling="series", hidden_size=2).fit(pl.DataFrame(columns)).save(path)
    return path.read_bytes()


@pytest.fixture
def model_path(saved_bytes: bytes, tmp_path: Path) -> Path:
    """Return the path of a fresh copy of it."""
    (tmp_path / "model").write_bytes(saved_bytes)
    return tmp_path / "model"
