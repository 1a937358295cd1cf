"""The cases, by name: each is a function that makes its `Case`."""

from __future__ import annotations

from cases.tutorial import tutorial

CASES = {"tutorial": tutorial}
