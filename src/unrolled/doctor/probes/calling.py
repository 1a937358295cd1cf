"""Whether a model can be called with other sizes than the example's, and why not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from torch import nn

from unrolled.doctor.probes.asking import is_stateful
from unrolled.doctor.probes.inputs import sizes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unrolled.doctor.examination import Examination
    from unrolled.doctor.probes.listening import Heard, Listening
    from unrolled.doctor.probes.patient import Patient

_KINDS = ("state-batch-first", "batch-hard-coded", "input-size", "tuple-in-sequential", "call-fails")


def called(exam: Examination, patient: Patient) -> tuple[Patient, Listening] | None:
    """Return the patient with sizes that can be called, and what was heard; None where none can.

    Sizes of our own come first, then the example's steps, its batch, both of them.
    """
    batch, steps = sizes(patient.example, batch_first=patient.batch_first)
    tries = [
        patient,
        replace(patient, ordered=True),
        replace(patient, steps=steps),
        replace(patient, batch=batch, ordered=True),
        replace(patient, batch=batch, steps=steps),
        replace(patient, batch=batch, steps=steps, ordered=True),
    ]
    failed: list[tuple[Patient, Listening]] = []
    for attempt in tries:
        heard = attempt.listen(attempt.inputs())
        if not heard.failure:
            _tell(exam, attempt, failed)
            for kind in _KINDS:
                exam.passed(kind)
            return attempt, heard
        failed.append((attempt, heard))
    asked, listening = next((one for one in failed if one[0].steps == steps), failed[0])
    if not _blame(exam, asked, listening):
        reason = f"{listening.kind}: {listening.failure.splitlines()[0]}"
        exam.failed(
            "call-fails",
            measured=float("nan"),
            lines=[f"print(doctor.listen(model, {asked.probe_line()}).failure)"],
            after=f"# {reason}",
            error=reason,
        )
    return None


def _tell(exam: Examination, patient: Patient, failed: Sequence[tuple[Patient, Listening]]) -> None:
    """Say with which sizes the model is asked, and why where only its own batch can be called."""
    other = [one for one in failed if one[0].batch != patient.batch]
    if other:
        _blame_state(exam, *other[-1])
    exam.note("sizes" if failed else "own-sizes", batch=patient.batch or 1, steps=patient.steps)
    if patient.ordered:
        exam.note("ordered")


def _blame_state(exam: Examination, patient: Patient, listening: Listening) -> bool:
    """Say that the state that a layer begins with has the wrong sizes; return whether it has."""
    last = next(reversed(listening.layers.values()), None)
    if last is None or last.output is not None or len(last.state) != 3:
        return False
    rows = last.module.num_layers * last.directions
    lines = [f"heard = doctor.listen(model, {patient.probe_line()})"]
    if last.state[:2] == (last.rows, rows) and last.rows != rows:
        exam.failed(
            "state-batch-first",
            measured=last.state[0],
            lines=[*lines, f'print(heard["{last.place}"].state[0])'],
            before="h0 = torch.zeros(B, L * D, H)",
            after="h0 = torch.zeros(L * D, B, H)  # batch_first does not move the states",
            place=last.place,
            layers=rows,
            batch=last.rows,
        )
        return True
    if last.state[0] == rows and last.state[1] != last.rows and not is_stateful(patient.model):
        exam.failed(
            "batch-hard-coded",
            measured=last.state[1],
            lines=[*lines, f'print(heard["{last.place}"].state[1])'],
            before=f"h0 = torch.zeros({rows}, {last.state[1]}, {last.state[2]})",
            after=f"h0 = x.new_zeros({rows}, x.shape[{0 if patient.batch_first else 1}], {last.state[2]})",
            place=last.place,
            wording="state",
            batch=last.rows,
        )
        return True
    return False


def _blame(exam: Examination, patient: Patient, listening: Listening) -> bool:
    """Say which known mistake made a call fail; return whether one did."""
    last = next(reversed(listening.layers.values()), None)
    if _blame_state(exam, patient, listening):
        return True
    if last is not None and last.output is None:
        lines = [f"heard = doctor.listen(model, {patient.probe_line()})"]
        name = last.place
        if last.axes == 3 and last.rows == 1 and (patient.batch or 0) > 1:
            hard_coded(exam, patient, last)
            return True
        if last.features != last.module.input_size:
            exam.failed(
                "input-size",
                measured=last.features,
                lines=[*lines, f'print(heard["{name}"].features)'],
                before=f"{type(last.module).__name__}({last.module.input_size}, ...)",
                after=f"{type(last.module).__name__}({last.features}, {last.module.hidden_size}, ...)",
                place=name,
                expected=last.module.input_size,
            )
            return True
    place = _sequential(patient.model)
    if place is not None and listening.kind in ("TypeError", "AttributeError"):
        exam.failed(
            "tuple-in-sequential",
            measured=2,
            lines=[
                f"layer = model.get_submodule({place!r})",
                "x = torch.zeros(11, 7, layer.input_size)",
                "print(len(layer(x)))",
            ],
            before="nn.Sequential(nn.LSTM(...), nn.Linear(...))",
            after="output, _ = self.lstm(x); y = self.fc(output[:, -1])",
            place=place,
        )
        return True
    return False


def hard_coded(exam: Examination, patient: Patient, heard: Heard) -> None:
    """Say that a layer sees one row whatever the batch."""
    exam.failed(
        "batch-hard-coded",
        measured=heard.rows,
        lines=[
            f"heard = doctor.listen(model, {patient.probe_line()})",
            f'print(heard["{heard.place}"].rows)',
        ],
        before="x.view(len(x), 1, -1)",
        after="x  # [B, T, I] with batch_first=True: no view",
        place=heard.place,
        batch=patient.batch or 1,
        steps=heard.steps,
    )


def _sequential(model: nn.Module) -> str | None:
    """Return the path of a recurrent layer in a `Sequential` that is not its last."""
    for path, module in model.named_modules():
        if isinstance(module, nn.Sequential):
            for name, child in list(module.named_children())[:-1]:
                if isinstance(child, nn.RNNBase):
                    return f"{path}.{name}".lstrip(".")
    return None
