"""What of its input a model sees: all of it, the last observation, negative numbers, the future."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from unrolled.doctor.probes.asking import change
from unrolled.doctor.probes.inputs import lengths_of, sequence, sizes, with_sequence

if TYPE_CHECKING:
    from torch import Tensor

    from unrolled.doctor.examination import Examination
    from unrolled.doctor.probes.patient import Patient

_ROUNDING = 1e-7
"""A change of an answer below this share of its size cannot be told from rounding."""


def check_sight(exam: Examination, patient: Patient, *, causal: bool) -> None:
    """Change the whole input, its last step, its negative numbers, and its future."""
    base = patient.answer(patient.inputs())
    size = max(float(base.abs().max()), 1e-12) if base.numel() else 1.0
    moved = change(patient.answer(patient.inputs(seed=1)), base)
    if moved <= _ROUNDING * size:
        exam.failed(
            "input-ignored",
            measured=moved,
            lines=[
                patient.pair_line(),
                f"print(({patient.answer_line('a')} - {patient.answer_line('b')}).abs().max().item())",
            ],
            after="# follow the input through forward: a zeroed or overwritten tensor, a dead ReLU",
        )
        for kind in ("last-observation-unseen", "negative-inputs-lost", "future-read"):
            exam.skipped(kind, "input-ignored")
        return
    exam.passed("input-ignored")
    _last(exam, patient)
    _negatives(exam, patient, size)
    _future(exam, patient, base, causal)


def _last(exam: Examination, patient: Patient) -> None:
    """See that the newest observation moves the answer, with the probes' steps and with the example's own."""
    own = replace(patient, steps=sizes(patient.example, batch_first=patient.batch_first)[1])
    asked = patient
    for attempt in (patient, own):
        try:
            if attempt.steps < 2 or _moves_last(attempt) > 0:
                exam.passed("last-observation-unseen")
                return
        except RuntimeError:
            continue
        asked = attempt
    lengths = lengths_of(asked.inputs(), asked.example, batch_first=asked.batch_first)
    if lengths is not None:
        exam.passed("last-observation-unseen")
        return
    exam.failed(
        "last-observation-unseen",
        measured=0.0,
        lines=[
            asked.pair_line(),
            f"moved = {asked.answer_line('a')} - {asked.answer_line(asked.swap_line(steps='-1'))}",
            "print(moved.abs().max().item())",
        ],
        before="x[:, :-1] or output[:, 0]",
        after="output[:, -1]",
        steps=asked.steps,
    )


def _moves_last(patient: Patient) -> float:
    """Return how far answers move with the last step of every row."""
    return change(patient.answer(patient.inputs()), patient.answer(patient.swapped(steps=-1)))


def _negatives(exam: Examination, patient: Patient, size: float) -> None:
    """See that negative numbers are told from each other."""
    example = sequence(patient.example)
    if not example.is_floating_point() or not bool((example < 0).any()):
        exam.skipped("negative-inputs-lost", "no-negatives")
        return

    def answer_of(change_of: Any) -> Tensor:
        return patient.answer(with_sequence(patient.inputs(), change_of))

    base = patient.answer(patient.inputs())
    negative = change(answer_of(lambda x: torch.where(x < 0, 2 * x - 0.1, x)), base)
    positive = change(answer_of(lambda x: torch.where(x > 0, 2 * x + 0.1, x)), base)
    if negative == 0 and positive > _ROUNDING * size:
        exam.failed(
            "negative-inputs-lost",
            measured=0.0,
            lines=[
                f"x = {patient.probe_line()}",
                f"moved = {patient.answer_line('x')} - {patient.answer_line('x.where(x > 0, 2 * x - 0.1)')}",
                "print(moved.abs().max().item())",
            ],
            before="x = torch.relu(self.input(x))",
            after="x = self.input(x)  # no ReLU before a recurrent layer whose inputs have both signs",
        )
    exam.passed("negative-inputs-lost")


def _future(exam: Examination, patient: Patient, base: Tensor, causal: bool) -> None:
    """See that answers of each step do not move with later steps."""
    if not causal:
        exam.skipped("future-read", "not-causal")
        return
    axis = _time_axis(patient, base)
    if axis is None:
        exam.skipped("future-read", "no-steps")
        return
    half = patient.steps // 2
    other = patient.answer(patient.swapped(steps=slice(half, None)))
    moved = change(base.narrow(axis, 0, half), other.narrow(axis, 0, half))
    if moved > _ROUNDING * max(float(base.abs().max()), 1e-12):
        index = ", ".join([":"] * axis + [f":{half}"])
        exam.failed(
            "future-read",
            measured=moved,
            lines=[
                patient.pair_line(),
                f"moved = {patient.answer_line('a')} - "
                f"{patient.answer_line(patient.swap_line(steps=f'slice({half}, None)'))}",
                f"print(moved[{index}].abs().max().item())",
            ],
            before="bidirectional=True",
            after="bidirectional=False  # or causal=False where each answer may see the whole window",
            half=half,
            steps=patient.steps,
        )
    exam.passed("future-read")


def _time_axis(patient: Patient, base: Tensor) -> int | None:
    """Return the axis of the answers that has one entry for each step; it grows with the input."""
    if base.ndim < 2 or patient.batch is None or patient.steps not in base.shape[1:]:
        return None
    axis = list(base.shape).index(patient.steps, 1)
    try:
        longer = patient.answer(patient.inputs(steps=patient.steps + 6))
    except Exception:
        return None
    return axis if longer.ndim == base.ndim and longer.shape[axis] == patient.steps + 6 else None
