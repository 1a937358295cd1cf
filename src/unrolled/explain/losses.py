"""What outputs of a network cost, as its training has it.

Knows heads and the reference's losses; must not know windows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unrolled.cells import HEAD_LOSSES, LOSSES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unrolled.cells import Loss
    from unrolled.heads import Head

    Numbers = NDArray[Any]


def training_loss(head: Head, targets: Numbers, raw: Numbers, *, scale: Numbers, delta: float) -> Loss:
    """Return the loss that a network was trained with, and its gradient.

    Shapes:
        targets: [...]; raw: [..., W], W the width of the head; scale: as the targets, or broadcast to them.

    Args:
        head: what the outputs mean.
        targets: what came, scaled.
        raw: the outputs.
        scale: of the windows; read by "negative_binomial".
        delta: of the loss "huber".
    """
    more: dict[str, dict[str, Any]] = {
        "huber": {"delta": delta},
        "quantile": {"quantiles": head.quantiles},
        "negative_binomial": {"scale": scale},
    }
    how = more.get(head.loss, {})
    if head.loss in HEAD_LOSSES:
        return HEAD_LOSSES[head.loss](targets, raw, **how)
    return LOSSES[head.loss](targets, raw[..., 0], **how)
