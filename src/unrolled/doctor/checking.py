"""The one question to begin with: is this model healthy?

A forecaster of our own is answered from its report, without PyTorch; any other model is probed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unrolled.doctor.checkup import Checkup

if TYPE_CHECKING:
    from collections.abc import Iterable


def check(
    model: Any,
    example: Any,
    *,
    targets: Any = None,
    targets_range: tuple[float, float] | None = None,
    batch_first: bool = True,
    causal: bool = True,
    pad_value: float | None = None,
    ignore: Iterable[str] = (),
) -> Checkup:
    """Return what is silently wrong with a model that reads batches of sequences.

    Copies of the model are asked, in evaluation mode unless a probe says otherwise, with as many rows and
    time steps as no axis of the model has. What moves and what does not is the proof.

    Args:
        model: any `torch.nn.Module` that reads a batch of sequences, or a fitted `Forecaster`.
        example: what it is called with: a tensor, a tuple of arguments or a dict of them by name; for a
            forecaster, the series.
        targets: of the example: the shapes that a loss would compare, and the range to reach.
        targets_range: the smallest and the largest target, where there are no targets at hand.
        batch_first: whether the first axis of the example is the batch; else it is the time.
        causal: whether answers of each step may only see the steps before; False: labels of a whole window.
        pad_value: with what short rows are filled up, where the model is told no lengths.
        ignore: ids of findings that are not looked for.

    Raises:
        KindError: the model is no module, or the example holds no sequence.
        ArgumentError: there is no finding of an id, or the range is none.
        ExtraError: PyTorch is not installed.

    Example:
        >>> import torch  # doctest: +SKIP
        >>> check(torch.nn.LSTM(1, 50), torch.randn(32, 40, 1)).findings[0]["id"]  # doctest: +SKIP
        'batch-read-as-time'
    """
    if hasattr(model, "explain") and not hasattr(model, "parameters"):
        from unrolled.doctor.own import checkup_of

        return Checkup(checkup_of(model.explain(example).facts, ignore), type(model).__name__)
    from unrolled.doctor.probes.model import examine

    return examine(
        model,
        example,
        targets=targets,
        targets_range=targets_range,
        batch_first=batch_first,
        causal=causal,
        pad_value=pad_value,
        ignore=ignore,
    )
