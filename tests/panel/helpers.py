"""What these tests share: an error is caught, compared in English, and readable in Chinese."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from unrolled import messages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from unrolled.errors import UnrolledError


@contextmanager
def fails(kind: type[UnrolledError], match: str) -> Iterator[pytest.ExceptionInfo[UnrolledError]]:
    """Expect an error whose English text holds the words of `match`, in this order, with anything between."""
    pattern = ".*?".join(re.escape(part.strip()) for part in match.split("..."))
    with pytest.raises(kind, match=f"(?s){pattern}") as caught:
        yield caught
    assert type(caught.value) is kind
    with messages.speaking("zh"):
        assert re.search(r"[\u4e00-\u9fff]", str(caught.value))
