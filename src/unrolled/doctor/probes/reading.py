"""Which steps, rows, layers and directions of a recurrent layer's output and state the answer reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unrolled.doctor.probes.asking import tensors

if TYPE_CHECKING:
    from unrolled.doctor.examination import Examination
    from unrolled.doctor.probes.listening import Heard, Listening
    from unrolled.doctor.probes.patient import Patient

KINDS = (
    "state-read-batch-first",
    "state-read-as-output",
    "last-row-for-last-step",
    "reverse-reads-one-step",
    "state-of-wrong-layer",
    "state-of-one-direction",
)
"""What is looked for here."""


def check_reading(exam: Examination, patient: Patient, listening: Listening) -> None:
    """Look at what is read of each recurrent layer's last call."""
    layers = [
        heard
        for heard in listening.layers.values()
        if heard.steps > 1 and heard.rows > 1 and heard.rows == patient.batch
    ]
    for heard in layers:
        if heard.rows_read():
            _output(exam, patient, heard)
        elif heard.states_read():
            _state(exam, patient, heard, listening)
    for kind in KINDS:
        if layers:
            exam.passed(kind)
        else:
            exam.skipped(kind, "layers-misread" if listening.layers else "no-recurrent")


def _output(exam: Examination, patient: Patient, heard: Heard) -> None:
    """Look at which rows and steps of the output are read."""
    lines, name = _lines(patient, heard)
    if len(heard.rows_read()) == 1:
        exam.failed(
            "last-row-for-last-step",
            measured=1,
            lines=[*lines, f"print(len({name}.rows_read()))"],
            before="output[-1]",
            after="output[:, -1]" if heard.module.batch_first else "output[-1]  # of [T, B, H]",
            place=heard.place,
            row=heard.rows_read()[0],
            batch=heard.rows,
            steps=heard.steps,
        )
    if heard.directions == 2 and not heard.packed:
        forward, backward = heard.steps_read(0), heard.steps_read(1)
        last = heard.steps - 1
        for direction, step, one in ((1, last, backward), (0, 0, forward)):
            if one == [step] == (forward if direction else backward):
                exam.failed(
                    "reverse-reads-one-step",
                    measured=1,
                    lines=[
                        *lines,
                        f"steps = {name}.steps_read({direction})",
                        f"print({name}.steps - steps[0])" if direction else "print(steps[0] + 1)",
                    ],
                    before=f"output[:, {-1 if direction else 0}]",
                    after="torch.cat([h_n[-2], h_n[-1]], dim=1)",
                    place=heard.place,
                    steps=heard.steps,
                )


def _state(exam: Examination, patient: Patient, heard: Heard, listening: Listening) -> None:
    """Look at which rows of the last state are read, where the output is not."""
    lines, name = _lines(patient, heard)
    rows, width = heard.states_read(), heard.module.num_layers * heard.directions
    if len(heard.state_rows_read()) == 1:
        exam.failed(
            "state-read-batch-first",
            measured=1,
            lines=[*lines, f"print(len({name}.state_rows_read()))"],
            before="h_n[:, -1]",
            after="h_n[-1]  # h_n is [L*D, B, H], with batch_first too",
            place=heard.place,
            batch=heard.rows,
        )
        return
    answer = next(tensors(listening.raw), None)
    if answer is not None and answer.ndim > 2 and tuple(answer.shape[:2]) == (width, heard.rows):
        exam.failed(
            "state-read-as-output",
            measured=width,
            lines=[f"heard = doctor.listen(model, {patient.probe_line()})", "print(heard.raw.shape[0])"]
            if answer is listening.raw
            else [*lines, f"print({name}.module.num_layers * {name}.directions)"],
            before="_, (h_n, _) = self.lstm(x); y = self.fc(h_n)",
            after="y = self.fc(h_n[-1])  # [B, O]; of every step: self.fc(output)",
            place=heard.place,
            batch=heard.rows,
            steps=heard.steps,
        )
        return
    top = set(range(width - heard.directions, width))
    lower = set(rows) - top
    if len(rows) == width or not heard.module.num_layers * heard.directions > 1:
        return
    if lower:
        exam.failed(
            "state-of-wrong-layer",
            measured=len(lower),
            lines=[*lines, f"print(sum(row < {width - heard.directions} for row in {name}.states_read()))"],
            before=", ".join(f"h_n[{row}]" for row in rows),
            after=", ".join(f"h_n[{row - width}]" for row in sorted(top)),
            place=heard.place,
            read=", ".join(map(str, rows)),
            top=", ".join(map(str, sorted(top))),
            layers=heard.module.num_layers,
        )
    elif len(rows) < heard.directions:
        exam.failed(
            "state-of-one-direction",
            measured=len(rows),
            lines=[*lines, f"print(len({name}.states_read()))"],
            before=f"h_n[{rows[0] - width}]",
            after="torch.cat([h_n[-2], h_n[-1]], dim=1)",
            place=heard.place,
            direction="backward" if rows[0] == width - 1 else "forward",
        )


def _lines(patient: Patient, heard: Heard) -> tuple[list[str], str]:
    """Return the line that listens again, and the layer's expression."""
    return [f"heard = doctor.listen(model, {patient.probe_line()})"], f'heard["{heard.place}"]'
