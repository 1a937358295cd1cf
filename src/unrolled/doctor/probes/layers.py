"""What recurrent layers are made with, and how they are called: no answers are needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from unrolled.doctor.probes.inputs import sizes

if TYPE_CHECKING:
    from unrolled.doctor.examination import Examination
    from unrolled.doctor.probes.listening import Listening
    from unrolled.doctor.probes.patient import Patient


def check_settings(exam: Examination, model: nn.Module) -> None:
    """Look at the settings of each layer: a dropout that does nothing, weights that were replaced."""
    for place, module in model.named_modules():
        if isinstance(module, nn.RNNBase):
            if module.dropout > 0 and module.num_layers == 1:
                exam.failed(
                    "dropout-one-layer",
                    measured=module.dropout,
                    lines=[f"print(model.get_submodule({place!r}).dropout)"],
                    before=f"dropout={module.dropout:g}, num_layers=1",
                    after="y = self.fc(self.dropout(output[:, -1]))  # nn.Dropout after the layer",
                    place=place,
                )
            stale = _stale(module)
            if stale:
                exam.failed(
                    "weights-not-flat",
                    measured=len(stale),
                    lines=[
                        f"layer = model.get_submodule({place!r})",
                        "own = [getattr(layer, name) for name in layer._flat_weights_names]",
                        "print(sum(a is not b for a, b in zip(own, layer._flat_weights)))",
                    ],
                    before=f"layer._parameters[{stale[0]!r}] = weight",
                    after=f"layer.{stale[0]} = nn.Parameter(weight)",
                    place=place,
                    name=stale[0],
                )
    exam.passed("dropout-one-layer")
    exam.passed("weights-not-flat")


def check_recurrence(exam: Examination, patient: Patient, listening: Listening) -> None:
    """See that each layer repeats in time, and that a batch of windows is not read as one sequence."""
    alone = sizes(patient.example, batch_first=patient.batch_first)[1] == 1
    own = patient.listen(patient.example) if alone else listening
    for place, heard in own.layers.items():
        if heard.steps == 1 and not heard.has_state:
            given = "example" if alone else patient.probe_line()
            exam.failed(
                "sequence-length-one",
                measured=1,
                lines=[f"heard = doctor.listen(model, {given})", f'print(heard["{place}"].steps)'],
                before="x.view(N, 1, T)  # T features of one step",
                after="x.view(N, T, 1)  # T steps of one feature",
                place=place,
                features=heard.features,
                steps=patient.steps,
            )
    if listening.layers:
        exam.passed("sequence-length-one")
    else:
        exam.skipped("sequence-length-one", "no-recurrent")


def _stale(module: nn.RNNBase) -> list[str]:
    """Return the names of the weights that the layer does not compute with."""
    if hasattr(module, "parametrizations"):
        return []
    pairs = zip(module._flat_weights_names, module._flat_weights, strict=True)
    return [name for name, weight in pairs if getattr(module, name, None) is not weight]
