"""The plugin of pytest: the fixture `assert_healthy`. Nothing else is loaded before a test asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def assert_healthy() -> Callable[..., Any]:
    """Return a function of a model and an example: it fails the test where something is proved wrong."""
    from unrolled.doctor.asserting import assert_healthy

    return assert_healthy
