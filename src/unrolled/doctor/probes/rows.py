"""Whether each row of a batch is answered by itself.

One row is changed at a time; which answers move says what a model does with its batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from unrolled.doctor.copies import undisturbed
from unrolled.doctor.probes.asking import ask, change, fresh, picked, restart
from unrolled.doctor.probes.calling import hard_coded
from unrolled.doctor.probes.inputs import lengths_of, sequence, taken_row, with_sequence

if TYPE_CHECKING:
    from torch import Tensor

    from unrolled.doctor.examination import Examination
    from unrolled.doctor.probes.listening import Heard, Listening
    from unrolled.doctor.probes.patient import Patient

KINDS = (
    "batch-hard-coded",
    "windows-read-as-steps",
    "batch-read-as-time",
    "order-lost",
    "batch-mixed",
    "batch-size-matters",
)
"""What is looked for here, the most telling first."""

_NOTHING = 1e-6
"""A change of an answer below this share of its size is rounding."""

_SIZES_APART = 1e-4
"""The same for answers of batches of different sizes: they are computed in another order."""


def check_rows(exam: Examination, patient: Patient, listening: Listening, *, random: bool) -> bool:
    """Look at which rows of a batch move which answers; return whether each moves its own alone.

    Where answers are drawn at random, a row is not compared with the same row alone.
    """
    layers = list(listening.layers.values())
    flat = next(
        (one for one in layers if one.axes == 2 and one.steps == patient.batch and one.calls == 1), None
    )
    single = next((one for one in layers if one.axes == 3 and one.rows == 1 and one.calls == 1), None)
    if patient.batch is None:
        if single is not None:
            hard_coded(exam, patient, single)
        for kind in KINDS:
            exam.skipped(kind, "no-batch")
        return single is None
    base = patient.answer(patient.inputs())
    if flat is not None:
        _windows_as_steps(exam, patient, flat)
    elif single is not None and patient.batch > 1:
        hard_coded(exam, patient, single)
    elif (not base.ndim or base.shape[0] != patient.batch) and _turned(patient, listening) is not None:
        _without_batch(exam, patient, listening)
    elif not base.ndim or base.shape[0] != patient.batch:
        for kind in KINDS:
            exam.skipped(kind, "no-batch-axis", batch=patient.batch)
        return not any(map(exam.found, KINDS))
    else:
        moves = _moves(exam, patient, base)
        leak = moves.clone().fill_diagonal_(0)
        if float(leak.max()) > _NOTHING * max(float(base.abs().max()), 1e-12):
            _explain(exam, patient, listening, moves)
        elif patient.batch > 1 and not random:
            _alone(exam, patient, base)
    apart = not any(map(exam.found, KINDS))
    for kind in KINDS:
        if apart:
            exam.passed(kind)
        else:
            exam.skipped(kind, "rows-first")
    return apart


def _moves(exam: Examination, patient: Patient, base: Tensor) -> Tensor:
    """Return how much each answer (row) moves with each row of the input (column)."""
    moved = torch.zeros(len(base), len(base), dtype=torch.float64)
    for j in range(len(base)):
        other = patient.answer(patient.swapped(rows=j))
        if other.shape == base.shape:
            moved[:, j] = (other.double() - base.double()).abs().reshape(len(base), -1).amax(1)
    gradient = _gradient(patient, len(base))
    if gradient is None:
        exam.note("perturbation")
        return moved
    exam.note("gradient")
    return torch.maximum(
        moved, gradient * float(moved.diagonal().max() / gradient.diagonal().max().clamp(min=1e-30))
    )


def _gradient(patient: Patient, rows: int) -> Tensor | None:
    """Return the gradient of the last and the first answer by row of the input; None where there is none."""
    own = fresh(patient.model).eval()
    given = patient.inputs()
    if not sequence(given).is_floating_point() or hasattr(given, "batch_sizes"):
        return None
    made = torch.zeros(rows, rows, dtype=torch.float64)
    with undisturbed(), torch.enable_grad():
        restart(own)
        torch.manual_seed(0)
        given = with_sequence(given, lambda x: x.clone().requires_grad_(True))
        x = sequence(given)
        try:
            y = picked(ask(own, given), patient.batch, patient.steps, patient.batch_first)
            for r in {0, rows - 1}:
                if not y.requires_grad:
                    return None
                weights = torch.randn(y[r].shape, generator=torch.Generator().manual_seed(1)).to(y)
                (slope,) = torch.autograd.grad(
                    (y[r] * weights).sum(), x, retain_graph=True, allow_unused=True
                )
                if slope is None:
                    return None
                slope = slope if patient.batch_first else slope.transpose(0, 1)
                made[r] = slope.double().abs().reshape(rows, -1).amax(1)
        except RuntimeError:
            return None
    return made if made.any() and made.isfinite().all() else None


def _explain(exam: Examination, patient: Patient, listening: Listening, moves: Tensor) -> None:
    """Say what mixes the rows of a batch."""
    turned = _turned(patient, listening)
    if turned is not None:
        row = len(moves) - 1
        exam.failed(
            "batch-read-as-time",
            lines=[
                patient.pair_line(),
                f"moved = {patient.answer_line('a')} - {patient.answer_line(patient.swap_line(rows='0'))}",
                f"print(moved[{row}].abs().max().item())",
            ],
            measured=float(_moved(patient, 0, row)),
            before=f"nn.{_class(turned)}({_sizes(turned)})",
            after=f"nn.{_class(turned)}({_sizes(turned)}, batch_first={not turned.module.batch_first})",
            place=turned.place,
            row=row,
            batch=patient.batch or 1,
            steps=turned.rows,
        )
        return
    answer, row = _largest(moves)
    lines = [
        patient.pair_line(),
        f"moved = {patient.answer_line('a')} - {patient.answer_line(patient.swap_line(rows=str(row)))}",
        f"print(moved[{answer}].abs().max().item())",
    ]
    measured = float(_moved(patient, row, answer))
    base = patient.answer(patient.inputs())
    reads = moves > _NOTHING * moves.max()
    in_order = lengths_of(patient.inputs(), patient.example, batch_first=patient.batch_first) is None
    if not in_order and bool((reads.sum(0) == 1).all() and (reads.sum(1) == 1).all()):
        exam.failed(
            "order-lost",
            measured=measured,
            lines=lines,
            before="lengths, order = lengths.sort(descending=True); x = x[order]",
            after="y = y[order.argsort()]  # or enforce_sorted=False",
            answer=answer,
            row=row,
        )
    elif _is_equivariant(patient, base):
        exam.failed(
            "batch-size-matters",
            measured=measured,
            lines=lines,
            after="# statistics over dim=0 belong to training alone: model.eval(), or LayerNorm",
            answer=answer,
            row=row,
            batch=patient.batch or 1,
            wording="rows",
        )
    else:
        exam.failed(
            "batch-mixed",
            measured=measured,
            lines=lines,
            before="x.view(T, B, I) or h_n.view(B, -1)",
            after="x.transpose(0, 1) or h_n.transpose(0, 1).reshape(B, -1)",
            answer=answer,
            row=row,
        )


def _turned(patient: Patient, listening: Listening) -> Heard | None:
    """Return the layer that has as many time steps as the batch has rows."""
    layers = listening.layers.values()
    return next((one for one in layers if one.axes == 3 and one.steps == patient.batch), None)


def _without_batch(exam: Examination, patient: Patient, listening: Listening) -> None:
    """Say that a layer reads the batch as the time, where answers have no row for each row."""
    turned = _turned(patient, listening)
    if turned is not None:
        exam.failed(
            "batch-read-as-time",
            measured=turned.steps,
            lines=[
                f"heard = doctor.listen(model, {patient.probe_line()})",
                f'print(heard["{turned.place}"].steps)',
            ],
            before=f"nn.{_class(turned)}({_sizes(turned)})",
            after=f"nn.{_class(turned)}({_sizes(turned)}, batch_first={not turned.module.batch_first})",
            place=turned.place,
            wording="steps",
            batch=patient.batch or 1,
            steps=turned.rows,
        )


def _alone(exam: Examination, patient: Patient, base: Tensor) -> None:
    """See that a row's answer is the same when it is asked alone."""
    lengths = lengths_of(patient.inputs(), patient.example, batch_first=patient.batch_first)
    row = len(base) - 1 if lengths is None else int(lengths.argmax())
    try:
        single = patient.answer(taken_row(patient.inputs(), row, batch_first=patient.batch_first))
    except Exception:
        exam.note("no-single")
        return
    if single.numel() != base[row].numel():
        return
    moved = change(single.reshape(base[row].shape), base[row])
    if moved > _SIZES_APART * max(float(base.abs().max()), 1e-12):
        lines = [
            f"x = {patient.probe_line()}",
            f"alone = {patient.answer_line(_row_line(patient, row))}.flatten()",
            f"print(({patient.answer_line('x')}[{row}].flatten() - alone).abs().max().item())",
        ]
        exam.failed(
            "batch-size-matters",
            measured=moved,
            lines=lines,
            after="# what depends on the batch (a mean or softmax over dim=0) belongs on another axis",
            batch=patient.batch or 1,
            row=row,
        )


def _row_line(patient: Patient, row: int) -> str:
    more = "" if patient.batch_first else ", batch_first=False"
    return f"doctor.taken_row(x, {row}{more})"


def _windows_as_steps(exam: Examination, patient: Patient, heard: Heard) -> None:
    """Say that a batch of windows is read as one sequence."""
    exam.failed(
        "windows-read-as-steps",
        measured=heard.steps,
        lines=[
            f"heard = doctor.listen(model, {patient.probe_line()})",
            f'print(heard["{heard.place}"].steps)',
        ],
        before=f"nn.{_class(heard)}({_sizes(heard)})(x)  # x [N, W]",
        after=f"nn.{_class(heard)}(1, {heard.module.hidden_size}, batch_first=True)(x.unsqueeze(-1))",
        place=heard.place,
        batch=patient.batch or 1,
        features=heard.features,
    )


def _moved(patient: Patient, row: int, answer: int) -> float:
    """Return how far an answer moves when one row is changed, as the lines of the proof measure it."""
    one, other = patient.answer(patient.inputs()), patient.answer(patient.swapped(rows=row))
    return float((one - other)[answer].abs().max())


def _largest(moves: Tensor) -> tuple[int, int]:
    """Return the answer and the row of the largest leak."""
    leak = moves.clone().fill_diagonal_(0)
    return divmod(int(leak.argmax()), len(moves))


def _is_equivariant(patient: Patient, base: Tensor) -> bool:
    """Return whether rows in another order give the same answers in that order."""
    order = torch.arange(len(base)).roll(3)
    axis = 0 if patient.batch_first else 1
    if hasattr(patient.inputs(), "batch_sizes"):
        return False
    other = patient.answer(with_sequence(patient.inputs(), lambda x: x.index_select(axis, order)))
    return change(other, base[order]) <= _SIZES_APART * max(float(base.abs().max()), 1e-12)


def _class(heard: Heard) -> str:
    return str(heard.module.mode).split("_")[0]


def _sizes(heard: Heard) -> str:
    module = heard.module
    more = f", num_layers={module.num_layers}" if module.num_layers > 1 else ""
    more += ", bidirectional=True" if module.bidirectional else ""
    return f"{module.input_size}, {module.hidden_size}{more}"
