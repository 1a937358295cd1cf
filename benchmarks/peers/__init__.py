"""The other sides, each imported only by the cases that stand beside it."""

from __future__ import annotations

TORCH = {"en": "PyTorch", "zh": "PyTorch"}
JAX = {"en": "JAX", "zh": "JAX"}
