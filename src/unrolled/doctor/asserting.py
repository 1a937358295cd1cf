"""For tests: a model must be healthy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unrolled.doctor.checkup import Checkup


def assert_healthy(model: Any, example: Any, **options: Any) -> Checkup:
    """Fail a test where something is proved wrong with a model, and say what.

    Args:
        model: any `torch.nn.Module`, or a fitted `Forecaster`.
        example: what it is called with.
        options: of `unrolled.doctor.check`: targets, batch_first, causal, pad_value, ignore ...

    Returns:
        The checkup: evidence in it fails no test.

    Raises:
        AssertionError: with everything that was found.
    """
    __tracebackhide__ = True
    from unrolled.doctor.checking import check

    checkup = check(model, example, **options)
    if not checkup.healthy:
        raise AssertionError(checkup.text())
    return checkup
