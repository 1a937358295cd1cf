"""Whether padding changes an answer, and whether a short row is read at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unrolled.doctor.probes.asking import change
from unrolled.doctor.probes.inputs import cut, lengths_of, padded, swap

if TYPE_CHECKING:
    from torch import Tensor

    from unrolled.doctor.examination import Examination
    from unrolled.doctor.probes.patient import Patient

_ROUNDING = 1e-5


def check_padding(exam: Examination, patient: Patient, pad_value: float | None) -> None:
    """Change what stands after the end of each row, and what stands before it."""
    given = patient.inputs()
    lengths = lengths_of(given, patient.example, batch_first=patient.batch_first)
    if patient.batch is None or (lengths is None and pad_value is None):
        exam.skipped("padding-read", "no-padding")
        exam.skipped("short-rows-ignored", "no-padding")
    elif lengths is None:
        _cut(exam, patient, pad_value or 0.0)
        exam.skipped("short-rows-ignored", "no-padding")
    else:
        if hasattr(given, "batch_sizes"):
            exam.skipped("padding-read", "packed")
        else:
            _pads(exam, patient, lengths)
        _short(exam, patient, lengths)


def _pads(exam: Examination, patient: Patient, lengths: Tensor) -> None:
    """See that other values after the end of a row do not move its answer."""
    base, row = patient.answer(patient.inputs()), int(lengths.argmin())
    end = int(lengths[row])
    other = patient.answer(patient.swapped(rows=row, steps=slice(end, None)))
    moved = change(_valid(base[row], end, patient.steps), _valid(other[row], end, patient.steps))
    if moved > _ROUNDING * max(float(base.abs().max()), 1e-12):
        per_step = patient.steps in base.shape[1:2]
        exam.failed(
            "padding-read",
            measured=moved,
            lines=[
                patient.pair_line(),
                f"moved = {patient.answer_line('a')} - "
                f"{patient.answer_line(patient.swap_line(rows=str(row), steps=f'slice({end}, None)'))}",
                f"print(moved[{row}{f', :{end}' if per_step else ''}].abs().max().item())",
            ],
            before="output[:, -1]",
            after="output[torch.arange(len(x)), lengths - 1]  # or pack_padded_sequence",
            row=row,
            length=end,
            steps=patient.steps,
        )
    exam.passed("padding-read")


def _cut(exam: Examination, patient: Patient, pad_value: float) -> None:
    """See that a padded row and the same row without its padding have one answer."""
    end = -(-patient.steps // 2)
    given = patient.inputs()
    try:
        short = patient.answer(cut(given, end, batch_first=patient.batch_first))
    except Exception:
        exam.skipped("padding-read", "one-length")
        return
    whole = patient.answer(padded(given, end, pad_value, batch_first=patient.batch_first))
    whole = _valid(whole.movedim(0, -1), end, patient.steps).movedim(-1, 0)
    moved = change(whole, short)
    if moved > _ROUNDING * max(float(short.abs().max()), 1e-12):
        more = "" if patient.batch_first else ", batch_first=False"
        tail = f"[:, :{end}]" if patient.steps in patient.answer(given).shape[1:2] else ""
        exam.failed(
            "padding-read",
            measured=moved,
            lines=[
                f"x = {patient.probe_line()}",
                f"filled, short = doctor.padded(x, {end}, {pad_value:g}{more}), doctor.cut(x, {end}{more})",
                f"moved = {patient.answer_line('filled')}{tail} - {patient.answer_line('short')}",
                "print(moved.abs().max().item())",
            ],
            before="output[:, -1]",
            after="packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)",
            wording="cut",
            length=end,
            steps=patient.steps,
        )
    exam.passed("padding-read")


def _short(exam: Examination, patient: Patient, lengths: Tensor) -> None:
    """See that the answer of a short row moves with its own values."""
    base, row = patient.answer(patient.inputs()), int(lengths.argmin())
    end = int(lengths[row])
    if end == patient.steps:
        exam.skipped("short-rows-ignored", "no-padding")
        return
    other = patient.answer(
        swap(
            patient.inputs(),
            patient.inputs(seed=1),
            rows=row,
            steps=slice(0, end),
            batch_first=patient.batch_first,
        )
    )
    if change(base[row], other[row]) == 0:
        exam.failed(
            "short-rows-ignored",
            measured=0.0,
            lines=[
                patient.pair_line(),
                f"moved = {patient.answer_line('a')} - "
                f"{patient.answer_line(patient.swap_line(rows=str(row), steps=f'slice(0, {end})'))}",
                f"print(moved[{row}].abs().max().item())",
            ],
            before="output, _ = pad_packed_sequence(packed); output[:, -1]",
            after="h_n[-1]  # or output[torch.arange(len(x)), lengths - 1]",
            row=row,
            length=end,
            steps=patient.steps,
        )
    exam.passed("short-rows-ignored")


def _valid(answer: Tensor, end: int, steps: int) -> Tensor:
    """Return the valid steps of an answer that has one for each step; any other answer as it is."""
    return answer[:end] if answer.ndim and answer.shape[0] == steps else answer
