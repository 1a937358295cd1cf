"""A model is examined: every probe, one after the other, on copies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from unrolled.doctor.checkup import Checkup
from unrolled.doctor.copies import copied, undisturbed
from unrolled.doctor.examination import Examination
from unrolled.doctor.kinds import KINDS
from unrolled.doctor.probes.calling import called
from unrolled.doctor.probes.inputs import as_inputs
from unrolled.doctor.probes.layers import check_recurrence, check_settings
from unrolled.doctor.probes.listening import reading_of
from unrolled.doctor.probes.padding import check_padding
from unrolled.doctor.probes.patient import admitted
from unrolled.doctor.probes.purity import check_purity
from unrolled.doctor.probes.reach import check_reach, check_shapes
from unrolled.doctor.probes.reading import check_reading
from unrolled.doctor.probes.rows import check_rows
from unrolled.doctor.probes.sight import check_sight
from unrolled.errors import ArgumentError, KindError, fault

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
    if hasattr(model, "explain") and not isinstance(model, nn.Module):
        return _of_forecaster(model, example, ignore)
    if not isinstance(model, nn.Module):
        raise KindError(fault("doctor.model", got=type(model).__name__))
    if targets_range is not None and not targets_range[0] <= targets_range[1]:
        raise ArgumentError(fault("doctor.range", got=targets_range))
    exam = Examination(ignore)
    with undisturbed():
        aims = None if targets is None else torch.as_tensor(targets).detach().cpu()
        check_settings(exam, model)
        _examine(exam, model, as_inputs(example), aims, targets_range, batch_first, causal, pad_value)
    return Checkup(exam.facts(), type(model).__name__)


def _examine(
    exam: Examination,
    model: nn.Module,
    example: Any,
    targets: Any,
    span: tuple[float, float] | None,
    batch_first: bool,
    causal: bool,
    pad_value: float | None,
) -> None:
    """Ask all that can be asked, each once the ones before it allow it."""
    patient = admitted(copied(model)[0], example, batch_first)
    heard = called(exam, patient)
    if heard is None:
        _skip_the_rest(exam, "call")
        return
    patient, listening = heard
    exam.layers += [reading_of(one) for one in listening.layers.values()]
    if isinstance(model, torch.jit.ScriptModule):
        exam.note("script")
    try:
        base = patient.answer(patient.inputs())
    except TypeError as error:
        exam.note("no-tensor", got=str(error))
        _skip_the_rest(exam, "no-tensor")
        return
    if not bool(base.isfinite().all()):
        exam.note("not-finite")
        _skip_the_rest(exam, "not-finite")
        return
    check_recurrence(exam, patient, listening)
    check_reading(exam, patient, listening)
    random = check_purity(exam, patient)
    apart = check_rows(exam, patient, listening, random=random)
    check_shapes(exam, patient, targets)
    check_reach(exam, patient, targets, span)
    if apart and base.ndim and base.shape[0] == (patient.batch or base.shape[0]):
        check_sight(exam, patient, causal=causal)
        check_padding(exam, patient, pad_value)
    _skip_the_rest(exam, "rows-first")


def _skip_the_rest(exam: Examination, reason: str) -> None:
    """Say of every question that was not asked why not."""
    for name, kind in KINDS.items():
        if kind.area == "model" or name == "loss-broadcast":
            exam.skipped(name, reason)


def _of_forecaster(model: Any, series: Any, ignore: Iterable[str]) -> Checkup:
    """Return what is wrong with one of our own networks, by its report."""
    from unrolled.doctor.own import checkup_of

    return Checkup(checkup_of(model.explain(series).facts, ignore), type(model).__name__)
