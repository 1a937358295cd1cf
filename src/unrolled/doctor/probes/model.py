"""A model is examined: every probe, one after the other, on copies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from unrolled.doctor.checkup import Checkup
from unrolled.doctor.copies import undisturbed
from unrolled.doctor.examination import Examination
from unrolled.doctor.kinds import KINDS
from unrolled.doctor.probes.asking import fresh
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


def examine(
    model: Any,
    example: Any,
    *,
    targets: Any,
    targets_range: tuple[float, float] | None,
    batch_first: bool,
    causal: bool,
    pad_value: float | None,
    ignore: Iterable[str],
) -> Checkup:
    """Return what is silently wrong with a model: what `unrolled.doctor.check` asks, which says what is what.

    Raises:
        KindError: the model is no module, or the example holds no sequence.
        ArgumentError: there is no finding of an id, or the range is none.
    """
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
    patient = admitted(fresh(model), example, batch_first)
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
