"""What the three libraries that train with Lightning share: no files, no bars, an end after so long."""

from __future__ import annotations

import logging
import warnings
from datetime import timedelta
from typing import Any

warnings.filterwarnings("ignore")
for name in ("pytorch_lightning", "lightning", "lightning.pytorch", "lightning.fabric"):
    logging.getLogger(name).setLevel(logging.ERROR)

SILENT: dict[str, Any] = {
    "accelerator": "cpu",
    "enable_progress_bar": False,
    "logger": False,
    "enable_model_summary": False,
}
QUIET: dict[str, Any] = {**SILENT, "enable_checkpointing": False}


def limited(job: dict[str, Any]) -> dict[str, Any]:
    """Return what ends a training after the seconds of the job."""
    return {"max_time": timedelta(seconds=job["limit_s"])}
