"""Whether a model answers the same question the same way, and leaves no graph or mode behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.overrides import TorchFunctionMode

from unrolled.doctor.copies import copied, undisturbed
from unrolled.doctor.probes.asking import answers, ask, backwards, change, fresh, is_stateful, restart

if TYPE_CHECKING:
    from torch import nn

    from unrolled.doctor.examination import Examination
    from unrolled.doctor.probes.patient import Patient

_NOTHING = 1e-6


def check_purity(exam: Examination, patient: Patient) -> bool:
    """Ask twice, with other seeds, and with backward passes; return whether answers are drawn at random."""
    given = patient.inputs()
    _modes(exam, patient, given)
    first, second = answers(patient.model, given, given, batch_first=patient.batch_first)
    size = max(float(first.abs().max()), 1e-12) if first.numel() else 1.0
    if is_stateful(patient.model):
        exam.note("stateful")
    moved = change(first, second)
    if moved > _NOTHING * size:
        more = "" if patient.batch_first else ", batch_first=False"
        exam.failed(
            "state-carried",
            measured=moved,
            lines=[
                f"x = {patient.probe_line()}",
                f"first, second = doctor.answers(model, x, x{more})",
                "print((first - second).abs().max().item())",
            ],
            before="output, self.state = self.lstm(x, self.state)",
            after="output, _ = self.lstm(x)  # or a method reset() that is called before each series",
            place=_holder(patient.model, given),
        )
    exam.passed("state-carried")
    _graph(exam, patient, given)
    drawn = patient.answer(given, seed=1)
    random = change(first, drawn) > _NOTHING * size
    if random and not exam.found("dropout-in-eval"):
        exam.note("random")
    return random


def _modes(exam: Examination, patient: Patient, given: Any) -> None:
    """See that evaluation stays evaluation: no module is set to training, and nothing is dropped."""
    own = fresh(patient.model).eval()
    with undisturbed(), torch.no_grad(), _Watch() as watch:
        restart(own)
        (inputs,) = copied(given)
        ask(own, inputs)
    flipped = [name for name, module in own.named_modules() if module.training]
    if flipped:
        exam.failed(
            "mode-flipped",
            measured=len(flipped),
            lines=[
                "import copy; own = copy.deepcopy(model).eval()",
                f"doctor.ask(own, {patient.probe_line()})",
                "print(sum(module.training for module in own.modules()))",
            ],
            before="self.train()  # in forward",
            after="# forward leaves the mode alone; cudnn needs train() for a backward pass alone",
            place=flipped[0],
        )
    elif watch.dropped:
        exam.failed(
            "dropout-in-eval",
            measured=change(patient.answer(given), patient.answer(given, seed=1)),
            lines=[
                f"x = {patient.probe_line()}",
                f"one, other = {patient.answer_line('x')}, {patient.answer_line('x, seed=1')}",
                "print((one - other).abs().max().item())",
            ],
            before=f"F.dropout(x, {watch.dropped:g})",
            after=f"F.dropout(x, {watch.dropped:g}, training=self.training)",
            share=watch.dropped,
        )
    exam.passed("mode-flipped")
    exam.passed("dropout-in-eval")


def _graph(exam: Examination, patient: Patient, given: Any) -> None:
    """See that a backward pass does not reach into the call before."""
    try:
        done = backwards(patient.model, given)
    except Exception:
        exam.skipped("graph-kept", "no-backward")
        return
    if done < 2:
        exam.failed(
            "graph-kept",
            measured=done,
            lines=[f"print(doctor.backwards(model, {patient.probe_line()}, 2))"],
            before="output, self.state = self.lstm(x, self.state)",
            after="self.state = tuple(one.detach() for one in self.state)",
            place=_holder(patient.model, given),
        )
    exam.passed("graph-kept")


def _holder(model: nn.Module, given: Any) -> str:
    """Return the path of the module that keeps tensors from one call to the next."""
    own = fresh(model).eval()
    before = {place: _kept(module) for place, module in own.named_modules()}
    with undisturbed(), torch.no_grad():
        (inputs,) = copied(given)
        ask(own, inputs)
    for place, module in own.named_modules():
        if _kept(module) != before.get(place):
            return str(place)
    return ""


def _kept(module: nn.Module) -> list[tuple[str, int]]:
    """Return which tensors a module holds beside its parameters."""
    held = {**vars(module), **module._buffers}
    return [(name, id(value)) for name, value in held.items() if _holds(value)]


def _holds(value: Any) -> bool:
    if isinstance(value, tuple | list):
        return any(map(_holds, value))
    return isinstance(value, torch.Tensor)


class _Watch(TorchFunctionMode):  # type: ignore[misc]
    """Hears of numbers that are dropped while a model is in evaluation mode."""

    def __init__(self) -> None:
        super().__init__()
        self.dropped = 0.0

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if function in (torch.nn.functional.dropout, torch.dropout):
            p = kwargs.get("p", args[1] if len(args) > 1 else 0.5)
            training = kwargs.get("training", kwargs.get("train", args[2] if len(args) > 2 else True))
            if training and p > 0:
                self.dropped = float(p)
        return function(*args, **kwargs)
